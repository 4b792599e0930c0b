//! What the runners share.

use std::fmt::Debug;

use cellsim::kubernetes::Time;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What stands for the moment of the test, since the library has no clock.
pub const NOW: &str = "2026-11-20T12:00:00Z";

/// The moment of the test.
pub fn now() -> Time {
    NOW.parse().expect("a time")
}

/// Replaces times that are given as a distance from now.
fn absolute(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            if let Some(offset) = fields.get("now_offset_s").and_then(Value::as_f64) {
                let nanos = (offset * 1e9).round() as i64;
                return Value::from(Time(now().0 + nanos).to_string());
            }
            Value::Object(
                fields.iter().map(|(key, value)| (key.clone(), absolute(value))).collect(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(absolute).collect()),
        _ => value.clone(),
    }
}

/// Reads what is at `pointer` of a case; what is absent is read as `null`.
pub fn read<T: DeserializeOwned>(case: &Value, pointer: &str) -> Result<T, String> {
    let value = case.pointer(pointer).map_or(Value::Null, absolute);
    serde_json::from_value(value).map_err(|error| format!("{pointer}: {error}"))
}

/// Reads what is at `pointer`; what is absent or `null` is the default.
pub fn read_or_default<T: DeserializeOwned + Default>(
    case: &Value,
    pointer: &str,
) -> Result<T, String> {
    Ok(read::<Option<T>>(case, pointer)?.unwrap_or_default())
}

/// Compares what is and what ought to be.
pub fn same<T: PartialEq + Debug>(what: &str, actual: &T, expected: &T) -> Result<(), String> {
    if actual == expected {
        return Ok(());
    }
    Err(format!("{what}: {actual:?}, expected {expected:?}"))
}
