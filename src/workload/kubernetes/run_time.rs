//! How long the pods of a Job run before they succeed. Manifests do not say; the annotation of
//! KWOK's stage `pod-complete` does (`kustomize/stage/pod/general` of sigs.k8s.io/kwok).

use crate::engine::SimDuration;
use crate::kubernetes::Pod;

/// The annotation.
pub const RUN_TIME: &str = "pod-complete.stage.kwok.x-k8s.io/delay";

/// Units of Go's durations that are whole microseconds, the longer name first where one begins like
/// another.
const UNITS: [(&str, u64); 6] = [
    ("us", 1),
    ("µs", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
];

/// A duration as Go writes it, of whole numbers: `1h30m`, `90s`.
fn go_duration(text: &str) -> Option<SimDuration> {
    let mut rest = text;
    let mut micros = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let (name, length) = UNITS.iter().find(|(name, _)| unit.starts_with(name))?;
        micros = micros.checked_add(number.checked_mul(*length)?)?;
        rest = &unit[name.len()..];
    }
    (micros > 0).then_some(SimDuration(micros))
}

/// How long `pod` runs, if it says so.
///
/// # Errors
///
/// If what it says is no duration.
pub fn run_time(pod: &Pod) -> Result<Option<SimDuration>, String> {
    let Some(text) = pod.metadata.annotations.get(RUN_TIME) else { return Ok(None) };
    let wrong = || format!("{RUN_TIME} is `{text}`; expected a duration such as `1h30m` or `90s`");
    go_duration(text).map(Some).ok_or_else(wrong)
}
