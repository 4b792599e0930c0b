//! Amounts of resources as the scheduler counts them, by name (`framework.Resource` of
//! kube-scheduler v1.35): for what is counted seldom, such as quotas and groups.

use std::collections::BTreeMap;

use super::{ResourceList, labels};

/// Numbers of resources: thousandths of a core, bytes, pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Thousandths of a core.
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// Pods.
    pub pods: i64,
    /// Extended resources, huge pages, attachable volumes, by name.
    pub scalars: BTreeMap<String, i64>,
}

/// True for a resource that is counted by its name: an extended resource (a domain of somebody's
/// own), huge pages, attachable volumes, or one with a prefix of Kubernetes
/// (`schedutil.IsScalarResourceName`).
pub fn is_scalar(name: &str) -> bool {
    let native = !name.contains('/') || name.contains("kubernetes.io/");
    let extended = !native
        && !name.starts_with("requests.")
        && labels::check_key(&format!("requests.{name}")).is_ok();
    extended
        || name.starts_with("hugepages-")
        || name.contains("kubernetes.io/")
        || name.starts_with("attachable-volumes-")
}

impl Amounts {
    /// What a list amounts to. Resources that the scheduler does not count are left out.
    pub fn new(list: &ResourceList) -> Self {
        let mut amounts = Self::default();
        amounts.add_list(list);
        amounts
    }

    /// Adds what a list amounts to.
    pub fn add_list(&mut self, list: &ResourceList) {
        for (name, quantity) in list {
            match name.as_str() {
                "cpu" => self.milli_cpu = self.milli_cpu.saturating_add(quantity.milli_value()),
                "memory" => self.memory = self.memory.saturating_add(quantity.value()),
                "ephemeral-storage" => {
                    self.ephemeral_storage =
                        self.ephemeral_storage.saturating_add(quantity.value());
                }
                "pods" => self.pods = self.pods.saturating_add(quantity.value()),
                _ if is_scalar(name) => self.add_scalar(name, quantity.value()),
                _ => {}
            }
        }
    }

    /// Adds `amount` pieces of the resource `name`.
    pub fn add_scalar(&mut self, name: &str, amount: i64) {
        let sum = self.scalars.entry(name.to_owned()).or_default();
        *sum = sum.saturating_add(amount);
    }

    /// Adds `other`.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, i64::saturating_add);
    }

    /// Takes `other` away.
    pub fn subtract(&mut self, other: &Self) {
        self.combine(other, i64::saturating_sub);
    }

    fn combine(&mut self, other: &Self, with: fn(i64, i64) -> i64) {
        self.milli_cpu = with(self.milli_cpu, other.milli_cpu);
        self.memory = with(self.memory, other.memory);
        self.ephemeral_storage = with(self.ephemeral_storage, other.ephemeral_storage);
        self.pods = with(self.pods, other.pods);
        for (name, amount) in &other.scalars {
            let own = self.scalars.entry(name.clone()).or_default();
            *own = with(*own, *amount);
        }
    }

    /// Raises every amount to that of a list, where that is more. The number of pods is left alone,
    /// as upstream does.
    pub fn raise_to(&mut self, list: &ResourceList) {
        let other = Self::new(list);
        self.milli_cpu = self.milli_cpu.max(other.milli_cpu);
        self.memory = self.memory.max(other.memory);
        self.ephemeral_storage = self.ephemeral_storage.max(other.ephemeral_storage);
        for (name, amount) in other.scalars {
            let own = self.scalars.entry(name).or_default();
            *own = amount.max(*own);
        }
    }
}
