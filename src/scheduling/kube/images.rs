//! Which images there are, how large, and on how many nodes.

use rustc_hash::FxHashMap;

use super::symbols::{Symbol, Symbols};
use crate::kubernetes::Node;

/// Images by name.
#[derive(Debug, Clone, Default)]
pub struct Images {
    states: FxHashMap<Symbol, (i64, usize)>,
}

impl Images {
    /// Counts the images of a node. The size is what the first node with the image said.
    pub fn add_node(&mut self, node: &Node, symbols: &Symbols) {
        let mut seen = Vec::new();
        for image in &node.status.images {
            for name in &image.names {
                let Some(symbol) = symbols.find(name) else { continue };
                if !seen.contains(&symbol) {
                    seen.push(symbol);
                    self.states.entry(symbol).or_insert((image.size_bytes, 0)).1 += 1;
                }
            }
        }
    }

    /// Takes the images of a node out of the count; one that no node has is forgotten.
    pub fn remove(&mut self, images: &[Symbol]) {
        for symbol in images {
            if let Some(state) = self.states.get_mut(symbol) {
                state.1 -= 1;
                if state.1 == 0 {
                    self.states.remove(symbol);
                }
            }
        }
    }

    /// The size of an image and on how many nodes it is.
    pub fn get(&self, name: Symbol) -> Option<(i64, usize)> {
        self.states.get(&name).copied()
    }
}
