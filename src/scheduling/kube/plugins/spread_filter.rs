//! Hard constraints on spreading (`podtopologyspread/filtering.go` of kube-scheduler v1.35).

use std::collections::BTreeMap;

use crate::scheduling::kube::constraints::{count_matching, has_all_keys};
use crate::scheduling::kube::{Cache, Constraint, NodeInfo, PodInfo, Status, Symbol, Template};

/// Stands for no domain at all.
const NONE: i64 = i32::MAX as i64;

/// The two emptiest domains, so that the emptiest is known when one changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CriticalPaths([(Option<Symbol>, i64); 2]);

impl Default for CriticalPaths {
    fn default() -> Self {
        Self([(None, NONE); 2])
    }
}

impl CriticalPaths {
    /// A domain now has `count` pods.
    pub fn update(&mut self, domain: Symbol, count: i64) {
        if let Some(known) = self.0.iter().position(|(other, _)| *other == Some(domain)) {
            self.0[known].1 = count;
            if self.0[0].1 > self.0[1].1 {
                self.0.swap(0, 1);
            }
        } else if count < self.0[0].1 {
            self.0[1] = self.0[0];
            self.0[0] = (Some(domain), count);
        } else if count < self.0[1].1 {
            self.0[1] = (Some(domain), count);
        }
    }

    /// The two domains with their counts, the emptiest first.
    pub fn paths(&self) -> [(Option<Symbol>, i64); 2] {
        self.0
    }
}

/// How many matching pods there are in each domain, per constraint.
#[derive(Debug, Clone)]
pub struct SpreadCounts {
    constraints: Vec<Constraint>,
    counts: Vec<BTreeMap<Symbol, i64>>,
    paths: Vec<CriticalPaths>,
}

impl SpreadCounts {
    /// Counts over all nodes for a pod of `template`.
    pub fn new(constraints: Vec<Constraint>, cache: &Cache, template: &Template) -> Self {
        let mut counts = vec![BTreeMap::new(); constraints.len()];
        for (_, node) in cache.nodes() {
            if !has_all_keys(&constraints, node) {
                continue;
            }
            for (constraint, counts) in constraints.iter().zip(&mut counts) {
                let Some(domain) = constraint.domain(node) else { continue };
                if constraint.includes(template, node) {
                    *counts.entry(domain).or_default() +=
                        count_matching(node, &constraint.selector, &template.namespace);
                }
            }
        }
        let paths = counts.iter().map(|counts| {
            let mut paths = CriticalPaths::default();
            for (domain, count) in counts {
                paths.update(*domain, *count);
            }
            paths
        });
        Self { paths: paths.collect(), constraints, counts }
    }

    /// The constraints.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Per constraint: pods by domain.
    pub fn counts(&self) -> &[BTreeMap<Symbol, i64>] {
        &self.counts
    }

    /// Per constraint: the emptiest domains.
    pub fn paths(&self) -> &[CriticalPaths] {
        &self.paths
    }

    /// Takes into account that `delta` pods like `other` came to `node`, for a pod of `template`.
    pub fn update(&mut self, template: &Template, other: &PodInfo, node: &NodeInfo, delta: i64) {
        if other.template.namespace != template.namespace || !has_all_keys(&self.constraints, node)
        {
            return;
        }
        for (index, constraint) in self.constraints.iter().enumerate() {
            let Some(domain) = constraint.domain(node) else { continue };
            if constraint.selector.matches(&other.template.labels)
                && constraint.includes(template, node)
            {
                let count = self.counts[index].entry(domain).or_default();
                *count += delta;
                self.paths[index].update(domain, *count);
            }
        }
    }

    /// Whether a pod of `template` may go to `node`.
    pub fn filter(&self, template: &Template, node: &NodeInfo) -> Status {
        for (index, constraint) in self.constraints.iter().enumerate() {
            let Some(domain) = constraint.domain(node) else {
                return Status::unresolvable(
                    "node(s) didn't match pod topology spread constraints \
                     (missing required label)",
                );
            };
            let own = i64::from(constraint.selector.matches(&template.labels));
            let count = self.counts[index].get(&domain).copied().unwrap_or(0);
            if count + own - self.least(index) > constraint.max_skew {
                return Status::unschedulable(
                    "node(s) didn't match pod topology spread constraints",
                );
            }
        }
        Status::SUCCESS
    }

    /// The count of the emptiest domain; 0 if there are fewer domains than there should be.
    fn least(&self, index: usize) -> i64 {
        let domains = i64::try_from(self.counts[index].len()).unwrap_or(i64::MAX);
        if domains < self.constraints[index].min_domains {
            return 0;
        }
        self.paths[index].0[0].1
    }
}
