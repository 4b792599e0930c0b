//! The options of the fair-share scheduler, as scenarios give them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tree::QueueSpec;
use crate::cluster::{DIMENSIONS, Dimension};

/// What a scenario says of fair sharing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FairShareOptions {
    /// Queues by name.
    pub queues: BTreeMap<String, QueueSpec>,
    /// A queue below its guarantee may have pods of others evicted that are beyond theirs.
    pub reclaim: bool,
}

/// The options in one line, for `cellsim policies`.
pub const OPTIONS: &str = "queues: by name (levels parted by /) {weight: 1, guaranteed: {cpu, \
                           memory, storage, gpu, pods}, max: {…}}, others have weight 1; reclaim: \
                           evict borrowers for queues below their guarantee (default false)";

impl FairShareOptions {
    /// Reads them: an object, or null for the defaults.
    ///
    /// # Errors
    /// A sentence that says which option is wrong and what would be right.
    pub fn read(options: &Value) -> Result<Self, String> {
        let mut read = Self::default();
        for (key, value) in options.as_object().into_iter().flatten() {
            match key.as_str() {
                "reclaim" => {
                    let given = value.as_bool();
                    read.reclaim = given.ok_or("reclaim must be true or false")?;
                }
                "queues" => read.queues = queues(value)?,
                _ => {
                    return Err(format!(
                        "unknown option `{key}`; there are `queues` and `reclaim`"
                    ));
                }
            }
        }
        Ok(read)
    }
}

fn queues(value: &Value) -> Result<BTreeMap<String, QueueSpec>, String> {
    let given = value.as_object().ok_or("queues must be a mapping of names to queues")?;
    let mut queues = BTreeMap::new();
    for (name, value) in given {
        if name.split('/').any(str::is_empty) {
            return Err(format!("queues: \"{name}\" is no name: levels are parted by single /"));
        }
        let spec = queue(value).map_err(|reason| format!("queues: {name}: {reason}"))?;
        queues.insert(name.clone(), spec);
    }
    Ok(queues)
}

fn queue(value: &Value) -> Result<QueueSpec, String> {
    let mut spec = QueueSpec::default();
    if value.is_null() {
        return Ok(spec);
    }
    for (key, value) in value.as_object().ok_or("it must be a mapping")? {
        match key.as_str() {
            "weight" => spec.weight_milli = weight(value)?,
            "guaranteed" => spec.guaranteed = amounts(key, value)?,
            "max" => spec.max = amounts(key, value)?,
            _ => {
                return Err(format!(
                    "unknown field `{key}`; there are `weight`, `guaranteed` and `max`"
                ));
            }
        }
    }
    for (guaranteed, max) in spec.guaranteed.iter().zip(&spec.max) {
        if let (Some(guaranteed), Some(max)) = (guaranteed, max)
            && guaranteed > max
        {
            return Err("more is guaranteed than is allowed at most".to_owned());
        }
    }
    Ok(spec)
}

fn weight(value: &Value) -> Result<u64, String> {
    let milli = decimal(value, 1000).filter(|milli| (1..=1_000_000_000).contains(milli));
    let milli = milli.ok_or_else(|| {
        format!("weight must be a number between 0.001 and 1000000; found {value}")
    })?;
    Ok(milli as u64)
}

/// Amounts by resource.
fn amounts(field: &str, value: &Value) -> Result<[Option<i64>; DIMENSIONS], String> {
    let mut amounts = [None; DIMENSIONS];
    for (name, value) in value.as_object().ok_or_else(|| format!("{field} must be a mapping"))? {
        let (dimension, amount) = match name.as_str() {
            "cpu" => (Dimension::CPU, thousandths(value)),
            "gpu" => (Dimension::GPU, thousandths(value)),
            "memory" => (Dimension::MEMORY, bytes(value)),
            "storage" => (Dimension::STORAGE, bytes(value)),
            "pods" => (Dimension::PODS, decimal(value, 1)),
            _ => {
                return Err(format!(
                    "{field}: unknown resource `{name}`; there are cpu, memory, storage, gpu, pods"
                ));
            }
        };
        let amount = amount.ok_or_else(|| {
            format!(
                "{field}: {name} must be an amount such as 8, \"500m\" or \"64Gi\"; found {value}"
            )
        })?;
        amounts[usize::from(dimension.0)] = Some(amount);
    }
    Ok(amounts)
}

fn thousandths(value: &Value) -> Option<i64> {
    match value.as_str().and_then(|text| text.strip_suffix('m')) {
        Some(milli) => exact(milli, 1),
        None => decimal(value, 1000),
    }
}

fn bytes(value: &Value) -> Option<i64> {
    const UNITS: [(&str, i64); 8] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
    ];
    let text = value.as_str();
    let unit = UNITS.iter().find_map(|(unit, bytes)| Some((text?.strip_suffix(unit)?, *bytes)));
    match unit {
        Some((number, bytes)) => exact(number, bytes),
        None => decimal(value, 1),
    }
}

/// A number, or text that holds one, times `factor`.
fn decimal(value: &Value, factor: i64) -> Option<i64> {
    match value {
        Value::Number(number) => exact(&number.to_string(), factor),
        Value::String(text) => exact(text, factor),
        _ => None,
    }
}

/// `text` times `factor`, if it is a decimal that comes out whole and is not absurdly large.
fn exact(text: &str, factor: i64) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || (text.contains('.') && !digits(fraction)) || fraction.len() > 9 {
        return None;
    }
    let scale = 10_i128.pow(fraction.len() as u32);
    let number = format!("{whole}{fraction}").parse::<i128>().ok()?.checked_mul(factor.into())?;
    let amount = (number % scale == 0).then_some(number / scale)?;
    i64::try_from(amount).ok().filter(|amount| *amount < 1 << 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        let options = json!({"reclaim": true, "queues": {
            "a": {"weight": 1.5, "guaranteed": {"cpu": "500m", "memory": "1.5Gi"}},
            "a/b": {"max": {"gpu": 0.5, "pods": 7, "cpu": 2}},
            "c": null,
        }});
        let read = FairShareOptions::read(&options).unwrap();
        assert!(read.reclaim);
        let a = &read.queues["a"];
        assert_eq!((a.weight_milli, a.guaranteed[0]), (1500, Some(500)));
        assert_eq!(a.guaranteed[1], Some(3 << 29));
        let b = &read.queues["a/b"];
        assert_eq!((b.max[0], b.max[3], b.max[4]), (Some(2000), Some(7), Some(500)));
        assert_eq!(read.queues["c"], QueueSpec::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (options, reason) in [
            (json!({"recliam": true}), "unknown option `recliam`"),
            (json!({"reclaim": 1}), "true or false"),
            (json!({"queues": {"a": {"weight": 0}}}), "a: weight must be"),
            (json!({"queues": {"a": {"weight": -1}}}), "a: weight must be"),
            (json!({"queues": {"a": {"max": {"cpu": "1.0001m"}}}}), "cpu must be an amount"),
            (json!({"queues": {"a": {"max": {"cpus": 1}}}}), "unknown resource `cpus`"),
            (json!({"queues": {"a": {"min": {}}}}), "unknown field `min`"),
            (json!({"queues": {"a//b": {}}}), "a//b"),
            (json!({"queues": {"a": {"max": {"cpu": 1}, "guaranteed": {"cpu": 2}}}}), "more is"),
            (json!({"queues": {"a": {"max": {"memory": "9999999Ti"}}}}), "memory must be"),
        ] {
            let error = FairShareOptions::read(&options).unwrap_err();
            assert!(error.contains(reason), "{options}: {error}");
        }
    }
}
