//! Services of section `workload`, with their objectives from section `slo`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cluster::extended;
use super::distribution::{distribution, lasting};
use super::files::Files;
use crate::cluster::{
    AttributeConstraint, AttributeOperator, Dimension, GpuRequest, JobSpec, LabelExpression,
    NodeConstraints, PodTemplate, Preference, ResourceNames, Resources, SelectorOperator,
    TaintEffect, Tier, Toleration, TolerationOperator, WHOLE_MILLI,
};
use crate::engine::SimDuration;
use crate::healing::Service;
use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::types::{
    self, AttributeComparison, LabelRequirement, Quantity, Ratio, Scenario, SelectorName,
};
use crate::workload::usual_priority;

/// All services: those of the scenario, then `others`.
pub fn services(
    scenario: &Scenario,
    others: Vec<Service>,
    names: &ResourceNames,
    files: &Files,
    problems: &mut Problems<'_>,
) -> Vec<Service> {
    let given = &scenario.workload.services;
    let mut seen = BTreeSet::new();
    let mut services = Vec::new();
    for (index, service) in given.iter().enumerate() {
        let path = Path::of(&["workload", "services"]).index(index);
        if !seen.insert(service.name.clone()) {
            let message = format!("there are two services called \"{}\"", service.name);
            problems.add(ErrorCode::DuplicateName, &path.key("name"), message);
        }
        let mut built = build(service, names, files, &path, problems);
        built.objective = scenario.slo.availability.get(&service.name).map(Quantity::amount);
        services.push(built);
    }
    for mut other in others {
        if !seen.insert(other.name.to_string()) {
            let message = format!("there is another service called \"{}\"", other.name);
            problems.add(ErrorCode::DuplicateName, &Path::of(&["kubernetes", "files"]), message);
        }
        other.objective = scenario.slo.availability.get(&*other.name).map(Quantity::amount);
        services.push(other);
    }
    for name in scenario.slo.availability.keys().filter(|name| !seen.contains(*name)) {
        let path = Path::of(&["slo", "availability"]).key(name);
        problems.unknown_name(&path, "service", name, seen.iter().map(String::as_str));
    }
    services
}

fn build(
    given: &types::Service,
    names: &ResourceNames,
    files: &Files,
    path: &Path,
    problems: &mut Problems<'_>,
) -> Service {
    let minimum_ready = given.min_ready.unwrap_or(1);
    if minimum_ready > given.replicas {
        let message = format!(
            "minReady of service \"{}\" is {minimum_ready}, but it has {} replicas",
            given.name, given.replicas
        );
        problems.add(ErrorCode::Contradiction, &path.key("minReady"), message);
    }
    if given.gang.is_some_and(|gang| gang > given.replicas) {
        let message = format!(
            "gang of service \"{}\" is {}, but it has {} replicas",
            given.name,
            given.gang.unwrap_or_default(),
            given.replicas
        );
        problems.add(ErrorCode::Contradiction, &path.key("gang"), message);
    }
    if given.run.as_ref().is_some_and(|run| run.amount() == SimDuration::ZERO) {
        let path = path.key("run");
        problems.add(ErrorCode::OutOfRange, &path, format!("{path} must be longer than zero"));
    }
    let gpu = given.gpus.as_ref().map_or(GpuRequest::default(), |gpus| {
        gpu_request(gpus.count, gpus.share.as_ref(), &path.key("gpus"), problems)
    });
    let full = 1000;
    let usage = given.usage.as_ref();
    Service {
        name: given.name.as_str().into(),
        replicas: given.replicas,
        minimum_ready,
        template: template(given, path, problems),
        requests: requests(given, gpu, names, path, problems),
        gpu,
        usage_permille: usage
            .map_or([full, full], |usage| [permille(&usage.cpu), permille(&usage.memory)]),
        time_to_crash: given
            .time_to_crash
            .as_ref()
            .map(|time| lasting(time, &path.key("timeToCrash"), files, problems)),
        start_delay: given
            .start_delay
            .as_ref()
            .map(|delay| distribution(delay, &path.key("startDelay"), files, problems)),
        objective: None,
        run: given.run.as_ref().map(Quantity::amount),
        job: job(given),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is between 0 and 1"
)]
fn permille(share: &Ratio) -> u16 {
    (share.amount() * 1000.0).round() as u16
}

fn gpu_request(
    devices: u8,
    share: Option<&Ratio>,
    path: &Path,
    problems: &mut Problems<'_>,
) -> GpuRequest {
    let milli = share.map_or(WHOLE_MILLI, permille);
    if milli == 0 {
        let path = path.key("share");
        problems.add(ErrorCode::OutOfRange, &path, format!("{path} must be above 0"));
    }
    if devices > 1 && milli < WHOLE_MILLI {
        let message = "a share is possible of a single GPU only";
        problems.add(ErrorCode::Contradiction, &path.key("share"), message);
    }
    GpuRequest { devices, milli }
}

fn requests(
    given: &types::Service,
    gpu: GpuRequest,
    names: &ResourceNames,
    path: &Path,
    problems: &mut Problems<'_>,
) -> Resources {
    let mut requests = Resources::pod(given.cpu.amount(), given.memory.amount());
    requests[Dimension::STORAGE] = given.storage.as_ref().map_or(0, Quantity::amount);
    requests[Dimension::GPU] = gpu.total_milli();
    for (dimension, amount) in extended(&given.resources, names, &path.key("resources"), problems) {
        requests[dimension] = amount;
    }
    requests
}

fn template(given: &types::Service, path: &Path, problems: &mut Problems<'_>) -> PodTemplate {
    let tier = Tier::from(given.tier);
    let tolerations = given.tolerations.iter().enumerate();
    let terms = given.affinity.iter().enumerate();
    let constraints = NodeConstraints {
        tolerations: tolerations
            .map(|(i, t)| toleration(t, &path.key("tolerations").index(i), problems))
            .collect(),
        node_selector: given.node_selector.clone(),
        affinity: terms
            .map(|(i, term)| expressions(term, &path.key("affinity").index(i), problems))
            .collect(),
        attributes: given.attributes.iter().map(attribute).collect(),
        gpu_models: given.gpus.as_ref().map_or_else(Vec::new, |gpus| gpus.models.clone()),
        preferences: preferences(&given.preferences, &path.key("preferences"), problems),
    };
    PodTemplate {
        priority: given.priority.unwrap_or(usual_priority(tier)),
        tier,
        constraints,
        one_per_node: given.one_per_node,
        kubernetes: None,
    }
}

/// What is known of the service as a job, if anything is.
fn job(given: &types::Service) -> Option<Arc<JobSpec>> {
    if given.queue.is_none() && given.gang.is_none() {
        return None;
    }
    let queue = given.queue.as_deref().unwrap_or_default().into();
    let estimate = given.run.as_ref().map(Quantity::amount);
    Some(Arc::new(JobSpec { gang: given.gang.unwrap_or(1), queue, estimate, ..JobSpec::default() }))
}

/// What pods would like of a node.
pub(super) fn preferences(
    given: &[types::Preference],
    path: &Path,
    problems: &mut Problems<'_>,
) -> Vec<Preference> {
    let one = |(index, given): (usize, &types::Preference)| {
        let path = path.index(index);
        if given.labels.is_empty() && given.attributes.is_empty() {
            let message = "a preference needs labels or attributes";
            problems.add(ErrorCode::MissingField, &path, message);
        }
        Preference {
            weight: given.weight,
            labels: expressions(&given.labels, &path.key("labels"), problems),
            attributes: given.attributes.iter().map(attribute).collect(),
        }
    };
    given.iter().enumerate().map(one).collect()
}

fn toleration(given: &types::Toleration, path: &Path, problems: &mut Problems<'_>) -> Toleration {
    if given.key.is_empty() && given.value.is_some() {
        let message = "a toleration with a value needs a key";
        problems.add(ErrorCode::Contradiction, path, message);
    }
    let operator = match given.value {
        Some(_) => TolerationOperator::Equal,
        None => TolerationOperator::Exists,
    };
    Toleration {
        key: given.key.clone(),
        operator,
        value: given.value.clone().unwrap_or_default(),
        effect: given.effect.map(TaintEffect::from),
    }
}

fn expressions(
    term: &[LabelRequirement],
    path: &Path,
    problems: &mut Problems<'_>,
) -> Vec<LabelExpression> {
    let mut expressions = Vec::new();
    for (index, given) in term.iter().enumerate() {
        let values = given.values.len();
        let (operator, fits, needs) = match given.operator {
            SelectorName::In => (SelectorOperator::In, values > 0, "at least one value"),
            SelectorName::NotIn => (SelectorOperator::NotIn, values > 0, "at least one value"),
            SelectorName::Exists => (SelectorOperator::Exists, values == 0, "no values"),
            SelectorName::DoesNotExist => {
                (SelectorOperator::DoesNotExist, values == 0, "no values")
            }
            SelectorName::Gt => (SelectorOperator::Gt, is_integer(&given.values), "one integer"),
            SelectorName::Lt => (SelectorOperator::Lt, is_integer(&given.values), "one integer"),
        };
        if !fits {
            let message = format!("the operator {operator:?} takes {needs}");
            problems.add(ErrorCode::Contradiction, &path.index(index), message);
        }
        expressions.push(LabelExpression {
            key: given.key.clone(),
            operator,
            values: given.values.clone(),
        });
    }
    expressions
}

fn is_integer(values: &[String]) -> bool {
    matches!(values, [only] if only.parse::<i64>().is_ok())
}

fn attribute(given: &types::AttributeRequirement) -> AttributeConstraint {
    let operator = match given.operator {
        AttributeComparison::Equal => AttributeOperator::Equal,
        AttributeComparison::NotEqual => AttributeOperator::NotEqual,
        AttributeComparison::LessThan => AttributeOperator::LessThan,
        AttributeComparison::GreaterThan => AttributeOperator::GreaterThan,
        AttributeComparison::LessThanEqual => AttributeOperator::LessThanEqual,
        AttributeComparison::GreaterThanEqual => AttributeOperator::GreaterThanEqual,
        AttributeComparison::Present => AttributeOperator::Present,
        AttributeComparison::NotPresent => AttributeOperator::NotPresent,
    };
    AttributeConstraint { name: given.name.clone(), operator, value: given.value.clone() }
}
