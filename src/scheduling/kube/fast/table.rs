//! What is counted for a class of pods, by domain.

use std::collections::BTreeMap;

use super::keys::{Keys, NOWHERE};

/// Stands for a label that is missing, where nodes keep a value.
pub const MISSING: i32 = i32::MIN;

/// What a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Pods that a hard constraint counts, by its number.
    Hard(usize),
    /// Pods that a soft constraint counts, by its number.
    Soft(usize),
    /// As `Soft`, of single nodes.
    Host(usize),
    /// Pods that meet all required terms.
    Affinity,
    /// Pods that meet a required anti-affinity term.
    Anti,
    /// Pods with a required anti-affinity term that means the class.
    Existing,
    /// Weights of preferred terms, either way.
    Score,
}

impl Kind {
    /// True if nodes may be ruled out by it.
    pub fn is_hard(self) -> bool {
        !matches!(self, Self::Soft(_) | Self::Host(_) | Self::Score)
    }
}

/// One table.
#[derive(Debug)]
pub struct Table {
    pub kind: Kind,
    /// The topology.
    pub key: usize,
    /// True if values are kept with the nodes instead of looked up by domain.
    pub fine: bool,
    /// By domain; by node for `Host`.
    pub values: Vec<i64>,
    pub sum: i64,
    /// Per node: whether its pods count; all do if absent.
    pub counted: Option<Vec<bool>>,
    /// Hard constraints: how many domains with a counted node have this value.
    histogram: BTreeMap<i64, u32>,
    /// Hard constraints: which domains have a counted node.
    present: Vec<bool>,
    domains: i64,
}

impl Table {
    /// A table of zeros. `present` says which domains have a node that counts.
    pub fn new(
        kind: Kind,
        key: usize,
        fine: bool,
        len: usize,
        counted: Option<Vec<bool>>,
        present: Vec<bool>,
    ) -> Self {
        let domains = present.iter().filter(|there| **there).count();
        let mut histogram = BTreeMap::new();
        if domains > 0 {
            histogram.insert(0, u32::try_from(domains).unwrap_or(u32::MAX));
        }
        Self {
            kind,
            key,
            fine,
            values: vec![0; len],
            sum: 0,
            counted,
            histogram,
            domains: i64::try_from(domains).unwrap_or(i64::MAX),
            present,
        }
    }

    /// Adds to the value at `place`.
    pub fn add(&mut self, place: usize, amount: i64) {
        let old = self.values[place];
        self.values[place] = old + amount;
        self.sum += amount;
        if self.present.get(place).copied().unwrap_or(false) {
            if let Some(count) = self.histogram.get_mut(&old) {
                *count -= 1;
                if *count == 0 {
                    self.histogram.remove(&old);
                }
            }
            *self.histogram.entry(old + amount).or_default() += 1;
        }
    }

    /// The least value of a domain; 0 if there are fewer domains than there should be.
    pub fn least(&self, min_domains: i64) -> i64 {
        if self.domains < min_domains {
            return 0;
        }
        self.histogram.first_key_value().map_or(i64::from(i32::MAX), |(value, _)| *value)
    }

    /// What nodes keep of a value: whether there is anything, where no more is asked.
    pub fn kept(&self, value: i64) -> i32 {
        match self.kind {
            Kind::Affinity | Kind::Anti | Kind::Existing => i32::from(value > 0),
            _ => i32::try_from(value).unwrap_or(i32::MAX),
        }
    }

    /// Adds to the value of the domain of the node at `place`; false if that does not count.
    pub fn add_at(&mut self, place: usize, amount: i64, keys: &Keys) -> bool {
        if self.counted.as_ref().is_some_and(|counted| !counted[place]) {
            return false;
        }
        let domain = keys.get(self.key).domain[place];
        if domain == NOWHERE {
            return false;
        }
        let at = if matches!(self.kind, Kind::Host(_)) { place } else { domain as usize };
        self.add(at, amount);
        true
    }

    /// What tells the node at `place` from others: its domain, or the value of that.
    pub fn of_node(&self, place: usize, keys: &Keys) -> i32 {
        let domain = keys.get(self.key).domain[place];
        if domain == NOWHERE {
            return MISSING;
        }
        match self.kind {
            Kind::Host(_) => self.kept(self.values[place]),
            _ if self.fine => self.kept(self.values[domain as usize]),
            _ => i32::try_from(domain).unwrap_or(i32::MAX),
        }
    }
}
