//! Which taints a pod puts up with (`k8s.io/api/core/v1/toleration.go` v0.35).

use super::{Taint, Toleration};

/// Keeps pods away that are not there yet.
pub const NO_SCHEDULE: &str = "NoSchedule";
/// Keeps pods away if there is another place.
pub const PREFER_NO_SCHEDULE: &str = "PreferNoSchedule";
/// Keeps pods away, and drives out those that are there.
pub const NO_EXECUTE: &str = "NoExecute";

/// True if `toleration` tolerates `taint`. The numeric operators `Gt` and `Lt` (alpha in v1.35)
/// match only where `comparison` allows them.
pub fn tolerates(toleration: &Toleration, taint: &Taint, comparison: bool) -> bool {
    if !toleration.effect.is_empty() && toleration.effect != taint.effect {
        return false;
    }
    if !toleration.key.is_empty() && toleration.key != taint.key {
        return false;
    }
    match toleration.operator.as_str() {
        "" | "Equal" => toleration.value == taint.value,
        "Exists" => true,
        "Gt" if comparison => compare(toleration, taint, |taint, bound| taint > bound),
        "Lt" if comparison => compare(toleration, taint, |taint, bound| taint < bound),
        _ => false,
    }
}

/// Compares the values of both as integers; without leading zeros, as text that is no canonical
/// integer matches nothing.
fn compare(toleration: &Toleration, taint: &Taint, holds: fn(i64, i64) -> bool) -> bool {
    let integer = |text: &str| text.parse::<i64>().ok().filter(|value| value.to_string() == text);
    let values = integer(&taint.value).zip(integer(&toleration.value));
    values.is_some_and(|(taint, bound)| holds(taint, bound))
}

/// The first taint that `concerns` and is not tolerated.
pub fn find_untolerated<'a>(
    taints: &'a [Taint],
    tolerations: &[Toleration],
    concerns: impl Fn(&Taint) -> bool,
    comparison: bool,
) -> Option<&'a Taint> {
    taints.iter().filter(|taint| concerns(taint)).find(|taint| {
        !tolerations.iter().any(|toleration| tolerates(toleration, taint, comparison))
    })
}

/// True for a taint that a scheduler must keep to.
pub fn forbids_scheduling(taint: &Taint) -> bool {
    taint.effect == NO_SCHEDULE || taint.effect == NO_EXECUTE
}
