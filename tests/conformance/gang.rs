//! `coscheduling.*`: pods of one group are bound together.

use std::sync::Arc;

use cellsim::engine::{SimDuration, SimTime};
use cellsim::kubernetes::{Node, ObjectMeta, Pod, ResourceList};
use cellsim::scheduling::gang::{
    GangConfig, Gangs, GroupName, Permit, PodGroup, PostFilter, ResourceGap,
};
use cellsim::scheduling::kube::{Cache, PodInfo};
use serde_json::{Value, json};

use crate::cell::{items, same_status};
use crate::families::Runner;
use crate::support::{read, read_or_default, same};

pub fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "coscheduling.check_cluster_resource" => check_cluster_resource,
        "coscheduling.less" => less,
        "coscheduling.permit" => permit,
        "coscheduling.permit_plugin" => permit_plugin,
        "coscheduling.post_filter" => post_filter,
        "coscheduling.post_filter_reject_threshold" => reject_threshold,
        "coscheduling.prefilter" => pre_filter,
        _ => return None,
    })
}

/// The groups of a case, with its limits.
fn gangs(case: &Value) -> Result<Gangs<u32>, String> {
    let mut config = GangConfig::default();
    if let Some(seconds) = read::<Option<f64>>(case, "/input/schedule_timeout_s")? {
        config.permit_wait = SimDuration::from_secs_f64(seconds);
    }
    for name in ["/input/reject_threshold", "/input/threshold"] {
        if let Some(share) = read::<Option<f64>>(case, name)? {
            config.reject_percentage = (share * 100.0).round() as u32;
        }
    }
    let mut gangs = Gangs::new(config);
    for group in read_or_default::<Vec<Value>>(case, "/input/pgs")? {
        let meta: ObjectMeta = read_or_default(&group, "/metadata")?;
        let timeout: Option<u64> = read(&group, "/spec/scheduleTimeoutSeconds")?;
        let name = GroupName { namespace: meta.namespace, name: meta.name };
        let group = PodGroup {
            min_member: read_or_default(&group, "/spec/minMember")?,
            min_resources: read(&group, "/spec/minResources")?,
            schedule_timeout: timeout.map(SimDuration::from_secs),
            created: meta.creation_timestamp,
        };
        gangs.set_group(name, group);
    }
    Ok(gangs)
}

/// The nodes and placed pods of a case.
fn cache(case: &Value) -> Result<Cache, String> {
    let mut cache = Cache::new();
    for node in read_or_default::<Vec<Node>>(case, "/input/nodes")? {
        cache.set_node(&node);
    }
    for pod in read_or_default::<Vec<Pod>>(case, "/input/existingPods")? {
        if !pod.spec.node_name.is_empty() && cache.node_id(&pod.spec.node_name).is_none() {
            // Cases about waiting do not say what their nodes are like.
            let node = json!({ "metadata": { "name": pod.spec.node_name } });
            let node: Node = serde_json::from_value(node).map_err(|error| error.to_string())?;
            cache.set_node(&node);
        }
        let pod = cache.intern(&pod);
        if let Some(node) = cache.node_id(&pod.node_name) {
            cache.add_pod(pod, node);
        }
    }
    Ok(cache)
}

fn incoming(case: &Value, cache: &mut Cache) -> Result<Arc<PodInfo>, String> {
    Ok(cache.intern(&read::<Pod>(case, "/input/pod")?))
}

fn assigned(pod: &PodInfo, cache: &Cache) -> u32 {
    GroupName::of_pod(pod).map_or(0, |name| Gangs::<u32>::assigned(&name, cache))
}

fn less(case: &Value) -> Result<(), String> {
    let gangs = gangs(case)?;
    let mut cache = Cache::new();
    let mut key = |name: &str| -> Result<_, String> {
        let pod = cache.intern(&read::<Pod>(case, &format!("/input/{name}/pod"))?);
        let attempt = read(case, &format!("/input/{name}/initialAttemptTimestamp"))?;
        Ok(gangs.key(&pod, attempt))
    };
    same("first", &(key("p1")? < key("p2")?), &read(case, "/expected/want")?)
}

fn pre_filter(case: &Value) -> Result<(), String> {
    let (mut gangs, mut cache) = (gangs(case)?, cache(case)?);
    let pod = incoming(case, &mut cache)?;
    let pending: Vec<Pod> = read_or_default(case, "/input/pendingPods")?;
    let group = GroupName::of_pod(&pod);
    let member = |other: &&Pod| {
        let meta = &other.metadata;
        other.spec.scheduling_gates.is_empty()
            && meta.uid != pod.uid
            && GroupName::of(&meta.namespace, &meta.labels) == group
    };
    let itself = u32::from(pod.template.spec.scheduling_gates.is_empty());
    let members = u32::try_from(pending.iter().filter(member).count()).unwrap_or(u32::MAX);
    let result = gangs.pre_filter(&pod, members + itself, &cache, SimTime::ZERO);
    let success: bool = read(case, "/expected/expectedSuccess")?;
    same(&format!("success ({result:?})"), &result.is_ok(), &success)
}

fn permit_result(case: &Value) -> Result<Permit<u32>, String> {
    let (mut gangs, mut cache) = (gangs(case)?, cache(case)?);
    let pod = incoming(case, &mut cache)?;
    let assigned = assigned(&pod, &cache);
    Ok(gangs.permit(0, &pod, assigned, SimTime::ZERO))
}

fn permit(case: &Value) -> Result<(), String> {
    let name = match permit_result(case)? {
        Permit::NotSpecified => "PodGroup not specified",
        Permit::NotFound => "PodGroup not found",
        Permit::Success { .. } => "Success",
        Permit::Wait { .. } => "Wait",
    };
    same("result", &name, &case["expected"]["want"].as_str().unwrap_or_default())
}

/// The plugin as a whole: a pod without a group is let through, one of an unknown group fails.
fn permit_plugin(case: &Value) -> Result<(), String> {
    let name = match permit_result(case)? {
        Permit::NotSpecified | Permit::Success { .. } => "Success",
        Permit::NotFound => "Unschedulable",
        Permit::Wait { .. } => "Wait",
    };
    same("result", &name, &case["expected"]["want"].as_str().unwrap_or_default())
}

fn expect_rejection(case: &Value, (result, text): (PostFilter<u32>, String)) -> Result<(), String> {
    use cellsim::scheduling::kube::Status;
    let mut status = Status::unschedulable(text);
    if result == PostFilter::Kept {
        status.reasons.clear();
    }
    let wanted = &case["expected"]["want"];
    let code_only = json!({ "code": wanted["code"], "reasons": items(&wanted["reasons"]) });
    same_status("status", &status, &code_only)
}

fn post_filter(case: &Value) -> Result<(), String> {
    let (mut gangs, mut cache) = (gangs(case)?, cache(case)?);
    let pod = incoming(case, &mut cache)?;
    let assigned = assigned(&pod, &cache);
    expect_rejection(case, gangs.post_filter(&pod, assigned, 0, SimTime::ZERO))
}

/// The case tells numbers only: the pod is `p` of the group `pg1` in `ns`.
fn reject_threshold(case: &Value) -> Result<(), String> {
    let mut gangs = gangs(case)?;
    let name = GroupName { namespace: "ns".to_owned(), name: "pg1".to_owned() };
    let min_member: u32 = read(case, "/input/minMember")?;
    gangs.set_group(name, PodGroup { min_member, ..PodGroup::default() });
    let pod = json!({ "metadata": { "name": "p", "namespace": "ns",
        "labels": { "scheduling.x-k8s.io/pod-group": "pg1" } } });
    let pod: Pod = serde_json::from_value(pod).map_err(|error| error.to_string())?;
    let pod = Cache::new().intern(&pod);
    let assigned: u32 = read(case, "/input/assignedCount")?;
    expect_rejection(case, gangs.post_filter(&pod, assigned, assigned + 1, SimTime::ZERO))
}

fn check_cluster_resource(case: &Value) -> Result<(), String> {
    let needed: ResourceList = read_or_default(case, "/input/minResources")?;
    let group: String = read(case, "/input/pgName")?;
    let (namespace, name) = group.split_once('/').unwrap_or(("", &group));
    let group = GroupName { namespace: namespace.to_owned(), name: name.to_owned() };
    let enough = ResourceGap::new(&needed).fill(&cache(case)?, &group);
    same(&format!("enough ({enough:?})"), &enough.is_ok(), &read(case, "/expected/want")?)
}
