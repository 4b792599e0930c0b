//! Whether the cluster has what a group needs together.

use std::collections::BTreeMap;
use std::fmt;

use super::GroupName;
use crate::kubernetes::requests::CPU;
use crate::kubernetes::{Quantity, ResourceList};
use crate::scheduling::kube::{Cache, NodeInfo, Resource};

/// What is still missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceGap(BTreeMap<String, Quantity>);

impl ResourceGap {
    /// All of `needed` is missing.
    pub fn new(needed: &ResourceList) -> Self {
        Self(needed.clone())
    }

    /// Room for so many pods is missing.
    pub fn set_pods(&mut self, pods: i64) {
        self.0.insert("pods".to_owned(), Quantity::from_units(pods));
    }

    /// Takes off what the nodes of `cache` have free, node after node, until nothing is missing.
    /// What pods of the group hold already counts as free.
    ///
    /// # Errors
    ///
    /// What is missing then.
    pub fn fill(mut self, cache: &Cache, group: &GroupName) -> Result<(), Self> {
        for id in cache.order() {
            let free = Free::of(cache.node(*id), group);
            self.0 = self
                .0
                .into_iter()
                // A node that is overfull widens the gap, as upstream counts.
                .map(|(name, missing)| {
                    let free = free.quantity(&name, cache);
                    (name, missing - free)
                })
                .filter(|(_, missing)| missing.signum() > 0)
                .collect();
            if self.0.is_empty() {
                return Ok(());
            }
        }
        Err(self)
    }
}

impl fmt::Display for ResourceGap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("resource gap: ")?;
        for (place, (name, missing)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(formatter, "{comma}{missing} {name}")?;
        }
        Ok(())
    }
}

/// What a node has free.
struct Free {
    resources: Resource,
    pods: i64,
}

impl Free {
    fn of(node: &NodeInfo, group: &GroupName) -> Self {
        let mut resources = node.allocatable.clone();
        resources.add(&node.requested, -1);
        let mut others = node.pods.len();
        for pod in &node.pods {
            if GroupName::of_pod(pod).as_ref() == Some(group) {
                resources.add(&pod.template.requests, 1);
                others -= 1;
            }
        }
        let pods = node.allocatable.pods - i64::try_from(others).unwrap_or(i64::MAX);
        Self { resources, pods }
    }

    fn quantity(&self, name: &str, cache: &Cache) -> Quantity {
        let Self { resources, pods } = self;
        match name {
            CPU => Quantity::from_millis(resources.milli_cpu),
            "memory" => Quantity::from_units(resources.memory),
            "ephemeral-storage" => Quantity::from_units(resources.ephemeral_storage),
            "pods" => Quantity::from_units(*pods),
            _ => {
                let scalar = cache.symbols().find(name).and_then(|symbol| resources.scalar(symbol));
                Quantity::from_units(scalar.unwrap_or(0))
            }
        }
    }
}
