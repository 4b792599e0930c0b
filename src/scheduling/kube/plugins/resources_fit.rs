//! NodeResourcesFit: a pod goes where what it asks for is free, and to where the chosen strategy
//! would have it.

use super::resource_score::ResourceScore;
use crate::scheduling::kube::args::ResourcesFitArgs;
use crate::scheduling::kube::{
    Cache, Code, NodeId, NodeInfo, Part, Plugin, PodInfo, Prepared, Reason, Resource, State,
    Status, Symbol, Symbols, is_extended,
};

/// The plugin.
#[derive(Debug, Clone)]
pub struct ResourcesFit {
    args: ResourcesFitArgs,
    score: ResourceScore,
}

/// A resource of which too little is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insufficient {
    /// Its name.
    pub resource: String,
    /// How the status says it.
    pub reason: Reason,
    /// What the pod asks for.
    pub requested: i64,
    /// What is taken.
    pub used: i64,
    /// What there is.
    pub capacity: i64,
    /// True if the empty node would not do either.
    pub unresolvable: bool,
}

impl ResourcesFit {
    /// The plugin with valid arguments.
    pub fn new(args: &ResourcesFitArgs) -> Self {
        Self { args: args.clone(), score: ResourceScore::of_fit(&args.scoring_strategy()) }
    }

    /// How it scores.
    pub fn scoring(&self) -> &ResourceScore {
        &self.score
    }

    fn ignores(&self, name: &str) -> bool {
        let group = name.split('/').next().unwrap_or_default();
        is_extended(name)
            && (self.args.ignored_resources.iter().any(|ignored| ignored == name)
                || self.args.ignored_resource_groups.iter().any(|ignored| ignored == group))
    }

    /// True if enough is free on `node`: the same as an empty list of what is lacking.
    pub fn fits(&self, requests: &Resource, node: &NodeInfo, symbols: &Symbols) -> bool {
        let (total, used) = (&node.allocatable, &node.requested);
        let free = |requested: i64, used: i64, capacity: i64| {
            requested <= 0 || requested <= capacity - used
        };
        let scalar = |name: Symbol, amount: i64| {
            let known = |resource: &Resource| resource.scalar(name).unwrap_or(0);
            free(amount, known(used), known(total)) || self.ignores(symbols.text(name))
        };
        i64::try_from(node.pods.len()).is_ok_and(|pods| pods < total.pods)
            && free(requests.milli_cpu, used.milli_cpu, total.milli_cpu)
            && free(requests.memory, used.memory, total.memory)
            && free(requests.ephemeral_storage, used.ephemeral_storage, total.ephemeral_storage)
            && requests.scalars().iter().all(|(name, amount)| scalar(*name, *amount))
    }

    /// Of which resources too little is free on `node`.
    pub fn insufficient(
        &self,
        requests: &Resource,
        node: &NodeInfo,
        symbols: &Symbols,
    ) -> Vec<Insufficient> {
        insufficient_resources(requests, node, symbols, |name| self.ignores(name))
    }
}

/// Of which resources too little is free on `node`, the `ignored` ones not being looked at: pods,
/// cpu, memory, ephemeral storage, then the others by name.
pub fn insufficient_resources(
    requests: &Resource,
    node: &NodeInfo,
    symbols: &Symbols,
    ignored: impl Fn(&str) -> bool,
) -> Vec<Insufficient> {
    let mut lacking = Vec::new();
    let (total, used) = (&node.allocatable, &node.requested);
    let pods = i64::try_from(node.pods.len()).unwrap_or(i64::MAX);
    if pods + 1 > total.pods {
        lacking.push(Insufficient {
            resource: "pods".to_owned(),
            reason: "Too many pods".into(),
            requested: 1,
            used: pods,
            capacity: total.pods,
            unresolvable: false,
        });
    }
    let mut check = |name: &str, requested: i64, used: i64, capacity: i64| {
        if requested > 0 && requested > capacity - used {
            lacking.push(Insufficient {
                resource: name.to_owned(),
                reason: reason(name),
                requested,
                used,
                capacity,
                unresolvable: requested > capacity,
            });
        }
    };
    check("cpu", requests.milli_cpu, used.milli_cpu, total.milli_cpu);
    check("memory", requests.memory, used.memory, total.memory);
    check(
        "ephemeral-storage",
        requests.ephemeral_storage,
        used.ephemeral_storage,
        total.ephemeral_storage,
    );
    // By name: upstream takes them in no order.
    let mut scalars: Vec<_> = requests
        .scalars()
        .iter()
        .map(|(name, amount)| (symbols.text(*name), *name, *amount))
        .collect();
    scalars.sort_unstable();
    for (text, name, amount) in scalars {
        if !ignored(text) {
            check(text, amount, used.scalar(name).unwrap_or(0), total.scalar(name).unwrap_or(0));
        }
    }
    lacking
}

fn reason(name: &str) -> Reason {
    match name {
        "cpu" => "Insufficient cpu".into(),
        "memory" => "Insufficient memory".into(),
        "ephemeral-storage" => "Insufficient ephemeral-storage".into(),
        other => format!("Insufficient {other}").into(),
    }
}

impl Plugin for ResourcesFit {
    fn name(&self) -> &'static str {
        "NodeResourcesFit"
    }

    fn part(&self) -> Part {
        Part::Fit(self.clone())
    }

    fn filters(&self) -> bool {
        true
    }

    fn scores(&self) -> bool {
        true
    }

    fn filter(
        &self,
        _state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        let lacking = self.insufficient(&pod.template.requests, node, cache.symbols());
        if lacking.is_empty() {
            return Status::SUCCESS;
        }
        let code = if lacking.iter().any(|one| one.unresolvable) {
            Code::UnschedulableAndUnresolvable
        } else {
            Code::Unschedulable
        };
        let reasons = lacking.into_iter().map(|one| one.reason).collect();
        Status { code, reasons, ..Status::SUCCESS }
    }

    fn pre_score(&self, cache: &Cache, pod: &PodInfo, _nodes: &[NodeId]) -> Prepared {
        Prepared::with(self.score.prepare(&pod.template, cache))
    }

    fn score(
        &self,
        state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        self.score.score(state, cache, &pod.template, node)
    }
}
