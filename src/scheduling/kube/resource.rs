//! Amounts as the scheduler adds them (`framework.Resource` of kube-scheduler v1.35).

use super::symbols::{Symbol, Symbols};
use crate::kubernetes::{ResourceList, labels};

const CPU: &str = "cpu";
const MEMORY: &str = "memory";
const EPHEMERAL_STORAGE: &str = "ephemeral-storage";
const PODS: &str = "pods";

/// A resource that the scheduler knows, by what it counts of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// Thousandths of a core.
    Cpu,
    /// Bytes.
    Memory,
    /// Bytes.
    EphemeralStorage,
    /// Pieces, by name.
    Scalar(Symbol),
}

/// Amounts of resources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resource {
    /// Thousandths of a core.
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// How many pods may be on a node.
    pub pods: i64,
    /// Extended resources, huge pages and the like, sorted by symbol.
    scalars: Vec<(Symbol, i64)>,
}

impl Resource {
    /// What a list of the API amounts to. Resources that the scheduler does not know are left out.
    pub fn new(list: &ResourceList, symbols: &mut Symbols) -> Self {
        let mut resource = Self::default();
        for (name, quantity) in list {
            match name.as_str() {
                CPU => resource.milli_cpu = quantity.milli_value(),
                MEMORY => resource.memory = quantity.value(),
                EPHEMERAL_STORAGE => resource.ephemeral_storage = quantity.value(),
                PODS => resource.pods = quantity.value(),
                _ if is_scalar(name) => {
                    resource.add_scalar(symbols.intern(name), quantity.value());
                }
                _ => {}
            }
        }
        resource
    }

    /// Adds `other`, `times` times (-1 to subtract). The number of pods is left alone.
    pub fn add(&mut self, other: &Self, times: i64) {
        self.milli_cpu += other.milli_cpu * times;
        self.memory += other.memory * times;
        self.ephemeral_storage += other.ephemeral_storage * times;
        for (name, amount) in &other.scalars {
            self.add_scalar(*name, amount * times);
        }
    }

    fn add_scalar(&mut self, name: Symbol, amount: i64) {
        match self.scalars.binary_search_by_key(&name, |(name, _)| *name) {
            Ok(position) => self.scalars[position].1 += amount,
            Err(position) => self.scalars.insert(position, (name, amount)),
        }
    }

    /// The amount of a scalar resource; `None` if it is not there.
    pub fn scalar(&self, name: Symbol) -> Option<i64> {
        let position = self.scalars.binary_search_by_key(&name, |(name, _)| *name).ok()?;
        Some(self.scalars[position].1)
    }

    /// The scalar resources.
    pub fn scalars(&self) -> &[(Symbol, i64)] {
        &self.scalars
    }
}

/// What is counted of the resource called `name`; `None` if the scheduler does not know it, or if
/// `find` does not.
pub fn kind(name: &str, find: impl FnOnce(&str) -> Option<Symbol>) -> Option<ResourceKind> {
    match name {
        CPU => Some(ResourceKind::Cpu),
        MEMORY => Some(ResourceKind::Memory),
        EPHEMERAL_STORAGE => Some(ResourceKind::EphemeralStorage),
        _ => find(name).map(ResourceKind::Scalar),
    }
}

/// True for a resource that is counted in pieces.
pub fn is_scalar(name: &str) -> bool {
    is_extended(name)
        || name.starts_with("hugepages-")
        || name.contains("kubernetes.io/")
        || name.starts_with("attachable-volumes-")
}

/// True for a resource that somebody else than Kubernetes defines.
pub fn is_extended(name: &str) -> bool {
    name.contains('/')
        && !name.contains("kubernetes.io/")
        && !name.starts_with("requests.")
        && labels::check_key(&format!("requests.{name}")).is_ok()
}
