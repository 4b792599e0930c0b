//! Topologies: which nodes are in which domain.

use rustc_hash::FxHashMap;

use crate::scheduling::kube::cache::Cache;
use crate::scheduling::kube::symbols::Symbol;

/// Stands for no domain.
pub const NOWHERE: u32 = u32::MAX;

/// A topology with more domains is fine: what is known of a domain is kept with each of its nodes.
const COARSE: usize = 64;

/// The domains of one label. Nodes are numbered by their place in the order of nodes.
#[derive(Debug)]
pub struct Key {
    /// Per node: its domain.
    pub domain: Vec<u32>,
    /// Per domain: its nodes.
    pub members: Vec<Vec<u32>>,
    /// True if there are many domains.
    pub fine: bool,
}

impl Key {
    fn new(symbol: Option<Symbol>, cache: &Cache) -> Self {
        let mut numbers: FxHashMap<Symbol, u32> = FxHashMap::default();
        let mut key = Self { domain: Vec::new(), members: Vec::new(), fine: false };
        for (place, (_, node)) in (0..).zip(cache.nodes()) {
            let Some(value) = symbol.and_then(|symbol| node.label(symbol)) else {
                key.domain.push(NOWHERE);
                continue;
            };
            let next = u32::try_from(key.members.len()).expect("fewer domains than nodes");
            let domain = *numbers.entry(value).or_insert(next);
            if domain == next {
                key.members.push(Vec::new());
            }
            key.members[domain as usize].push(place);
            key.domain.push(domain);
        }
        key.fine = key.members.len() > COARSE;
        key
    }
}

/// Topologies that something was asked about.
#[derive(Debug, Default)]
pub struct Keys {
    list: Vec<Key>,
    by_symbol: FxHashMap<Option<Symbol>, usize>,
}

impl Keys {
    /// The number of a topology. A label that nobody has makes one without domains.
    pub fn number(&mut self, symbol: Option<Symbol>, cache: &Cache) -> usize {
        let list = &mut self.list;
        *self.by_symbol.entry(symbol).or_insert_with(|| {
            list.push(Key::new(symbol, cache));
            list.len() - 1
        })
    }

    /// A topology.
    pub fn get(&self, number: usize) -> &Key {
        &self.list[number]
    }
}
