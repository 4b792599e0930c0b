//! Single functions of the scheduler.

use cellsim::kubernetes::Time;
use cellsim::scheduling::kube::plugins::{SchedulingGates, broken_linear};
use cellsim::scheduling::kube::{Cache, Plugin, best, goes_before, normalized_image_name};
use serde_json::Value;

use crate::cell::{items, read, same, same_status};

/// `imagelocality.normalized_name`.
pub fn image_name(case: &Value) -> Result<(), String> {
    let name = normalized_image_name(case["input"]["image"].as_str().unwrap_or_default());
    same("value", &name.as_str(), &case["expected"]["value"].as_str().unwrap_or_default())
}

/// `noderesources.broken_linear`.
pub fn line(case: &Value) -> Result<(), String> {
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let points: Vec<(i64, i64)> = items(&case["input"]["points"])
        .iter()
        .map(|point| (number(&point["utilization"]), number(&point["score"])))
        .collect();
    let own: Vec<i64> =
        items(&case["input"]["at"]).iter().map(|x| broken_linear(&points, number(x))).collect();
    same("values", &own, &read(&case["expected"]["values"])?)
}

/// `schedule_one.select_host`.
pub fn select_host(case: &Value) -> Result<(), String> {
    let scores = items(&case["input"]["scores"]);
    let totals: Vec<i64> = scores.iter().filter_map(|one| one["score"].as_i64()).collect();
    let places = best(&totals);
    if case["expected"]["error"].as_bool().unwrap_or(false) {
        return same("nobody", &places.len(), &0);
    }
    let mut own: Vec<_> =
        places.iter().map(|place| scores[*place]["node"].as_str().unwrap_or_default()).collect();
    own.sort_unstable();
    let mut wanted: Vec<_> =
        items(&case["expected"]["any_of"]).iter().filter_map(Value::as_str).collect();
    wanted.sort_unstable();
    same("any_of", &own, &wanted)
}

/// `schedulinggates.preenqueue`. Gates cannot be switched off since v1.30.
pub fn gates(case: &Value) -> Result<(), String> {
    let pod = Cache::new().intern(&read(&case["input"]["pod"])?);
    same_status("status", &SchedulingGates.pre_enqueue(&pod), &case["expected"]["status"])
}

/// `queuesort.priority_sort`.
pub fn priority_sort(case: &Value) -> Result<(), String> {
    let key = |value: &Value| -> Result<(i32, Time), String> {
        let priority = value["priority"].as_i64().unwrap_or(0);
        Ok((i32::try_from(priority).map_err(|e| e.to_string())?, read(&value["timestamp"])?))
    };
    let less = goes_before(key(&case["input"]["p1"])?, key(&case["input"]["p2"])?);
    same("less", &less, &case["expected"]["less"].as_bool().unwrap_or(false))
}
