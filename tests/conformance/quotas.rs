//! `capacityscheduling.*`: elastic quotas.

use std::sync::Arc;

use cellsim::kubernetes::{Pod, ResourceList, Time};
use cellsim::scheduling::elastic_quota::{ElasticQuota, ElasticQuotas, pod_request};
use cellsim::scheduling::kube::{Code, NodeStatuses, PodInfo, Profile, Reason, Scheduler, Status};
use serde_json::{Value, json};

use crate::cell::items;
use crate::families::Runner;
use crate::framework::amounts;
use crate::support::{now, read, read_or_default, same};

pub fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "capacityscheduling.dry_run" => dry_run,
        "capacityscheduling.eligible" => eligible,
        "capacityscheduling.new_quota_info" => new_quota,
        "capacityscheduling.post_filter" => post_filter,
        "capacityscheduling.prefilter" => pre_filter,
        "capacityscheduling.used_over_max_with" => {
            |case| over(case, |quota, case| Ok(quota.used_over_max_with(&request(case)?)))
        }
        "capacityscheduling.used_over_min_with" => {
            |case| over(case, |quota, case| Ok(quota.used_over_min_with(&request(case)?)))
        }
        "capacityscheduling.used_over_min" => {
            |case| over(case, |quota, _| Ok(quota.used_over_min()))
        }
        _ => return None,
    })
}

fn request(case: &Value) -> Result<cellsim::kubernetes::amounts::Amounts, String> {
    Ok(amounts(case, "/input/podRequest")?.unwrap_or_default())
}

/// A quota by the names of Go.
fn quota(value: &Value) -> Result<ElasticQuota, String> {
    Ok(ElasticQuota::of(
        &read::<String>(value, "/Namespace")?,
        amounts(value, "/Min")?,
        amounts(value, "/Max")?,
        amounts(value, "/Used")?.unwrap_or_default(),
    ))
}

fn quotas(case: &Value) -> Result<ElasticQuotas, String> {
    let mut quotas = ElasticQuotas::default();
    for (_, one) in case["input"]["elasticQuotas"].as_object().into_iter().flatten() {
        quotas.set(quota(one)?);
    }
    Ok(quotas)
}

fn over(
    case: &Value,
    is_over: fn(&ElasticQuota, &Value) -> Result<bool, String>,
) -> Result<(), String> {
    let quota = quota(&case["input"]["before"])?;
    same("over", &is_over(&quota, case)?, &read(case, "/expected/expected")?)
}

fn new_quota(case: &Value) -> Result<(), String> {
    let list = |name: &str| {
        read::<Option<ResourceList>>(case, &format!("/input/elasticQuotaParam/{name}"))
    };
    let namespace: String = read(case, "/input/elasticQuotaParam/namespace")?;
    let used = list("used")?.unwrap_or_default();
    let made = ElasticQuota::new(&namespace, list("min")?.as_ref(), list("max")?.as_ref(), &used);
    same("quota", &made, &quota(&case["expected"]["expected"])?)
}

/// A scheduler with the nodes and pods of a case. Upstream's tests run one filter.
fn scheduler(case: &Value) -> Result<Scheduler, String> {
    let profile = Profile::of([("NodeResourcesFit", 1)]).map_err(|error| error.to_string())?;
    let mut scheduler = Scheduler::new(cellsim::scheduling::kube::Cache::new(), profile);
    for node in read_or_default::<Vec<_>>(case, "/input/nodes")? {
        scheduler.cache.set_node(&node);
    }
    for list in ["/input/existPods", "/input/pods"] {
        for pod in read_or_default::<Vec<Pod>>(case, list)? {
            let pod = scheduler.cache.intern(&pod);
            if let Some(node) = scheduler.cache.node_id(&pod.node_name) {
                scheduler.cache.add_pod(pod, node);
            }
        }
    }
    Ok(scheduler)
}

/// The quotas of a case, of whose use the pods that are there are a part.
fn counting(case: &Value, scheduler: &Scheduler) -> Result<ElasticQuotas, String> {
    let pods = || scheduler.cache.nodes().flat_map(|(_, node)| &node.pods);
    let mut result = ElasticQuotas::default();
    for (_, one) in case["input"]["elasticQuotas"].as_object().into_iter().flatten() {
        let mut quota = quota(one)?;
        for pod in pods().filter(|pod| pod.template.namespace == quota.namespace) {
            quota.used.subtract(&pod_request(pod));
        }
        result.set(quota);
    }
    pods().for_each(|pod| result.add_pod(pod));
    Ok(result)
}

fn incoming(case: &Value, scheduler: &mut Scheduler) -> Result<Arc<PodInfo>, String> {
    Ok(scheduler.cache.intern(&read::<Pod>(case, "/input/pod")?))
}

fn status(value: &Value) -> Status {
    let codes = [Code::Error, Code::Unschedulable, Code::UnschedulableAndUnresolvable];
    let code = codes.into_iter().find(|code| value["code"] == code.name());
    let reasons = items(&value["reasons"]).iter().filter_map(Value::as_str);
    let reasons = reasons.map(|reason| Reason::Owned(reason.to_owned())).collect();
    Status { code: code.unwrap_or(Code::Success), reasons, ..Status::SUCCESS }
}

/// What filters said of the nodes.
fn statuses(scheduler: &Scheduler, reader: &Value) -> NodeStatuses {
    let mut statuses = NodeStatuses::default();
    statuses.set_absent(status(&reader["absentNodesStatus"]));
    for (name, value) in reader["nodeToStatus"].as_object().into_iter().flatten() {
        if let Some(node) = scheduler.cache.node_id(name) {
            statuses.set(node, status(value));
        }
    }
    statuses
}

fn pre_filter(case: &Value) -> Result<(), String> {
    let quotas = quotas(case)?;
    let mut scheduler = scheduler(case)?;
    let mut codes = Vec::new();
    for info in items(&case["input"]["podInfos"]) {
        let memory: i64 = read(info, "/memReq")?;
        let pod = json!({
            "metadata": { "name": info["podName"], "namespace": info["podNamespace"],
                "uid": info["podName"] },
            "spec": { "containers": [{ "resources": { "requests": { "memory": memory } } }] },
        });
        let pod: Pod = serde_json::from_value(pod).map_err(|error| error.to_string())?;
        let pod = scheduler.cache.intern(&pod);
        codes.push(quotas.pre_filter(&pod, []).1.code.name());
    }
    let expected: Vec<String> = read(case, "/expected/expected")?;
    same("codes", &codes.iter().map(|code| (*code).to_owned()).collect(), &expected)
}

fn eligible(case: &Value) -> Result<(), String> {
    let mut scheduler = scheduler(case)?;
    let quotas = quotas(case)?;
    let pod = incoming(case, &mut scheduler)?;
    let (state, _) = quotas.pre_filter(&pod, []);
    let said = status(&case["input"]["nominatedNodeStatus"]);
    let node = scheduler.cache.node_id(&pod.nominated_node);
    let node = node.map(|node| (scheduler.cache.node(node), &said));
    let eligible = state.not_eligible(&pod, node).is_none();
    same("eligible", &eligible, &read(case, "/expected/expected")?)
}

/// Pods without a start time count as started now.
fn moment() -> Time {
    now()
}

fn preempt(
    case: &Value,
    reader: &Value,
) -> Result<(Scheduler, cellsim::scheduling::kube::preemption::Preemption), String> {
    let mut scheduler = scheduler(case)?;
    let quotas = counting(case, &scheduler)?;
    let pod = incoming(case, &mut scheduler)?;
    let (state, _) = quotas.pre_filter(&pod, []);
    let cycle = scheduler.schedule(&pod).map_err(|status| status.message())?;
    let statuses = statuses(&scheduler, reader);
    let result = state.preempt(&scheduler, &pod, &cycle.state, &statuses, moment());
    Ok((scheduler, result))
}

/// Upstream checks only how many candidates there are.
fn dry_run(case: &Value) -> Result<(), String> {
    let (_, result) = preempt(case, &case["input"]["nodeReader"])?;
    let wanted = items(&case["expected"]["want"]).len();
    same("candidates", &result.dry_run.candidates.len(), &wanted)
}

fn post_filter(case: &Value) -> Result<(), String> {
    let (scheduler, result) = preempt(case, &case["input"]["filteredNodesReader"])?;
    let nominated = result.first().map(|one| scheduler.cache.node(one.node).name().to_owned());
    let wanted: String =
        read_or_default(case, "/expected/wantResult/NominatingInfo/NominatedNodeName")?;
    same("nominated node", &nominated.unwrap_or_default(), &wanted)?;
    crate::cell::same_status("status", &result.status, &case["expected"]["wantStatus"])
}
