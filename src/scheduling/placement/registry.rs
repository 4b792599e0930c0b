//! The strategies that come with the simulator, by the names that scenarios call them.

use serde_json::Value;

use super::{
    Balanced, BestFit, BorgHybrid, DotProduct, Epvm, Fgd, GpuBestFit, GpuClustering, GpuDotProduct,
    GpuPacking, LeastAllocated, MostAllocated, Placement, Resolution, Strategy, Tetris, WorstFit,
};

/// A strategy that scenarios can name.
#[derive(Clone, Copy, Debug)]
pub struct PolicyEntry {
    /// What scenarios call it.
    pub name: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// Its options, with units, range and default; empty without any.
    pub options: &'static str,
    /// Makes it from its options: an object, or null for the defaults.
    ///
    /// # Errors
    /// A sentence that says which option is wrong and what would be right.
    pub build: fn(&Value) -> Result<Strategy, String>,
}

/// The strategies that come with the simulator, in the order in which they are listed.
pub fn builtin() -> &'static [PolicyEntry] {
    &BUILTIN
}

const BUILTIN: [PolicyEntry; 17] = [
    PolicyEntry {
        name: "best-fit",
        summary: "the node on which the least cpu and memory is left",
        options: "",
        build: |options| plain(options, BestFit),
    },
    PolicyEntry {
        name: "worst-fit",
        summary: "the node on which the most cpu and memory is left",
        options: "",
        build: |options| plain(options, WorstFit),
    },
    PolicyEntry {
        name: "first-fit",
        summary: "the node with the lowest number",
        options: "",
        build: |options| no_options(options).map(|()| Strategy::FirstFit),
    },
    PolicyEntry {
        name: "round-robin",
        summary: "the next node after the one chosen last",
        options: "",
        build: |options| no_options(options).map(|()| Strategy::RoundRobin),
    },
    PolicyEntry {
        name: "random",
        summary: "any node that admits the pod, each equally likely, and any device on it",
        options: "",
        build: |options| no_options(options).map(|()| Strategy::Random),
    },
    PolicyEntry {
        name: "borg-hybrid",
        summary: "best fit with a penalty for what is left of one resource but not of the other",
        options: "strandedPermille: weight of the imbalance, 0 to 10000 permille (1000)",
        build: borg_hybrid,
    },
    PolicyEntry {
        name: "e-pvm",
        summary: "the node on which an exponential cost of what is reserved rises least",
        options: "base: what is raised to the reserved share, above 1, at most 1000000 (10)",
        build: e_pvm,
    },
    PolicyEntry {
        name: "dot-product",
        summary: "the node whose free cpu and memory are most alike to the request",
        options: "",
        build: |options| plain(options, DotProduct),
    },
    PolicyEntry {
        name: "tetris",
        summary: "the same, relative to what each node has in all",
        options: "",
        build: |options| plain(options, Tetris),
    },
    PolicyEntry {
        name: "least-allocated",
        summary: "kube-scheduler's LeastAllocated over cpu and memory",
        options: "",
        build: |options| plain(options, LeastAllocated),
    },
    PolicyEntry {
        name: "most-allocated",
        summary: "kube-scheduler's MostAllocated over cpu and memory",
        options: "",
        build: |options| plain(options, MostAllocated),
    },
    PolicyEntry {
        name: "balanced-allocation",
        summary: "kube-scheduler's BalancedAllocation over cpu and memory",
        options: "",
        build: |options| plain(options, Balanced),
    },
    PolicyEntry {
        name: "fgd",
        summary: "fragmentation gradient descent: where GPU fragmentation grows least",
        options: "resolution: hundredths as in the authors' simulator, or exact (hundredths)",
        build: fgd,
    },
    PolicyEntry {
        name: "gpu-best-fit",
        summary: "the node on which the least cpu and GPU is left, also for pods without GPU",
        options: "",
        build: |options| plain(options, GpuBestFit),
    },
    PolicyEntry {
        name: "gpu-dot-product",
        summary: "the node with the smallest dot product of request and free cpu and GPU",
        options: "",
        build: |options| plain(options, GpuDotProduct),
    },
    PolicyEntry {
        name: "gpu-packing",
        summary: "GPUs in use first, then idle ones of nodes in use, then idle nodes",
        options: "",
        build: |options| plain(options, GpuPacking),
    },
    PolicyEntry {
        name: "gpu-clustering",
        summary: "nodes with pods that use GPUs in the same way: a share, one, two, …",
        options: "",
        build: |options| plain(options, GpuClustering),
    },
];

fn plain(options: &Value, policy: impl Placement + 'static) -> Result<Strategy, String> {
    no_options(options).map(|()| Strategy::Scored(Box::new(policy)))
}

/// Refuses any option.
///
/// # Errors
/// A sentence that names the first one.
pub fn no_options(options: &Value) -> Result<(), String> {
    only_option(options, None).map(|_| ())
}

/// The value of the only option that there is, if it is given.
fn only_option<'a>(options: &'a Value, name: Option<&str>) -> Result<Option<&'a Value>, String> {
    if options.is_null() {
        return Ok(None);
    }
    let Some(given) = options.as_object() else {
        return Err("options are written as `name: value`".to_owned());
    };
    if let Some(unknown) = given.keys().find(|key| Some(key.as_str()) != name) {
        return Err(match name {
            Some(name) => format!("unknown option `{unknown}`; there is `{name}`"),
            None => format!("unknown option `{unknown}`; there are none"),
        });
    }
    Ok(name.and_then(|name| given.get(name)))
}

fn borg_hybrid(options: &Value) -> Result<Strategy, String> {
    let Some(value) = only_option(options, Some("strandedPermille"))? else {
        return Ok(Strategy::Scored(Box::new(BorgHybrid::default())));
    };
    let policy = value.as_i64().and_then(BorgHybrid::new);
    let policy = policy.ok_or_else(|| {
        format!("`strandedPermille` is {value}; it must be a whole number from 0 to 10000")
    })?;
    Ok(Strategy::Scored(Box::new(policy)))
}

fn fgd(options: &Value) -> Result<Strategy, String> {
    let resolution = match only_option(options, Some("resolution"))? {
        None => Resolution::default(),
        Some(value) => match value.as_str() {
            Some("exact") => Resolution::Exact,
            Some("hundredths") => Resolution::Hundredths,
            _ => return Err(format!("`resolution` is {value}; it must be exact or hundredths")),
        },
    };
    Ok(Strategy::Scored(Box::new(Fgd::new(resolution))))
}

fn e_pvm(options: &Value) -> Result<Strategy, String> {
    let Some(value) = only_option(options, Some("base"))? else {
        return Ok(Strategy::Scored(Box::new(Epvm::default())));
    };
    let policy = value.as_f64().and_then(Epvm::new);
    let policy = policy
        .ok_or_else(|| format!("`base` is {value}; it must be above 1 and at most 1000000"))?;
    Ok(Strategy::Scored(Box::new(policy)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn build(name: &str, options: &Value) -> Result<Strategy, String> {
        let entry = builtin().iter().find(|entry| entry.name == name).expect("is listed");
        (entry.build)(options)
    }

    #[test]
    fn every_policy_can_be_built_without_options() {
        for entry in builtin() {
            assert!((entry.build)(&Value::Null).is_ok(), "{}", entry.name);
            assert!((entry.build)(&json!({})).is_ok(), "{}", entry.name);
        }
    }

    #[test]
    fn wrong_options_are_refused_with_a_sentence() {
        let message = |name, options: Value| build(name, &options).err().unwrap_or_default();
        assert!(message("best-fit", json!({"x": 1})).contains("there are none"));
        assert!(message("borg-hybrid", json!({"stranded": 1})).contains("strandedPermille"));
        assert!(message("borg-hybrid", json!({"strandedPermille": -1})).contains("-1"));
        assert!(message("e-pvm", json!({"base": 1})).contains("above 1"));
        assert!(message("e-pvm", json!([2])).contains("name: value"));
        assert!(build("e-pvm", &json!({"base": 2.5})).is_ok());
    }
}
