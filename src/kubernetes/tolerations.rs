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
        "Gt" | "Lt" => comparison && compares(toleration, taint),
        _ => false,
    }
}

/// True if the numeric operator of `toleration` holds: the taint's value is greater (`Gt`) or less
/// (`Lt`) than its own. Text that is no canonical integer of 64 bits (a sign `+`, leading zeros, a
/// fraction) compares as nothing, and so does any other operator.
pub fn compares(toleration: &Toleration, taint: &Taint) -> bool {
    let integer = |text: &str| text.parse::<i64>().ok().filter(|value| value.to_string() == text);
    let Some((taint, bound)) = integer(&taint.value).zip(integer(&toleration.value)) else {
        return false;
    };
    match toleration.operator.as_str() {
        "Gt" => taint > bound,
        "Lt" => taint < bound,
        _ => false,
    }
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
