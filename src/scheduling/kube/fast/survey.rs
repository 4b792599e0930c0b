//! What all classes read of the nodes: how loaded each is, and of which kind.
//!
//! A cell has few kinds of nodes (taints, cordons, images), so what a class makes of a kind is
//! worked out once and not once per node.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::load::Load;
use crate::kubernetes::Taint;
use crate::scheduling::kube::cache::Cache;
use crate::scheduling::kube::node::NodeInfo;
use crate::scheduling::kube::symbols::Symbol;

/// What two nodes have to share to be the same to pods that do not look at labels.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Look {
    taints: Vec<Taint>,
    cordoned: bool,
    images: Arc<[Symbol]>,
}

/// The nodes, in their order.
#[derive(Debug, Default)]
pub struct Survey {
    /// Per node: what is taken of it.
    pub loads: Vec<Load>,
    /// Per node: the number of its kind.
    pub kinds: Vec<u32>,
    numbers: FxHashMap<Look, u32>,
}

impl Survey {
    /// Looks at all nodes.
    pub fn new(cache: &Cache) -> Self {
        let mut survey = Self::default();
        for (_, node) in cache.nodes() {
            survey.loads.push(Load::new(node));
            let kind = survey.kind(node);
            survey.kinds.push(kind);
        }
        survey
    }

    /// The taints of the node at `place` changed.
    pub fn refresh_kind(&mut self, place: usize, node: &NodeInfo) {
        self.kinds[place] = self.kind(node);
    }

    /// How many kinds there have been.
    pub fn kinds_known(&self) -> usize {
        self.numbers.len()
    }

    fn kind(&mut self, node: &NodeInfo) -> u32 {
        let look = Look {
            taints: node.node.spec.taints.clone(),
            cordoned: node.node.spec.unschedulable,
            images: Arc::clone(&node.images),
        };
        let next = u32::try_from(self.numbers.len()).expect("fewer kinds than changes of nodes");
        *self.numbers.entry(look).or_insert(next)
    }
}
