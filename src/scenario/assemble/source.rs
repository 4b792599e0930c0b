//! Sources as a scenario wants them: trace nodes hung on its failure domains, and generated nodes
//! left out because they are known already.

use rustc_hash::FxHashMap;
use std::sync::Arc;

use crate::cluster::NodeSpec;
use crate::workload::{Change, NodeKey, Record, Source, SourceError, SourceStatistics};

/// Deals the nodes of a trace out over failure domains, in turn, in the order in which they first
/// come. A node that comes back hangs where it hung before.
pub struct HangOnDomains<S> {
    inner: S,
    /// The domains of each level.
    levels: Vec<Vec<String>>,
    places: FxHashMap<NodeKey, usize>,
}

impl<S: Source> HangOnDomains<S> {
    /// Deals the nodes of `inner` out over the domains of each of `levels`.
    pub fn new(inner: S, levels: Vec<Vec<String>>) -> Self {
        Self { inner, levels, places: FxHashMap::default() }
    }

    fn hang(&mut self, key: NodeKey, spec: &mut Arc<NodeSpec>) {
        let next = self.places.len();
        let place = *self.places.entry(key).or_insert(next);
        let spec = Arc::make_mut(spec);
        for level in &self.levels {
            spec.domains.push(level[place % level.len()].clone());
        }
    }
}

impl<S: Source> Source for HangOnDomains<S> {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        let mut record = self.inner.next_record()?;
        if let Some(record) = &mut record {
            match &mut record.change {
                Change::NodeAdd { key, spec } | Change::NodeUpdate { key, spec } => {
                    self.hang(*key, spec);
                }
                Change::Template(_)
                | Change::Job { .. }
                | Change::Population(_)
                | Change::Submit(_)
                | Change::Work { .. }
                | Change::Kill { .. }
                | Change::Resize { .. }
                | Change::NodeRemove { .. } => {}
            }
        }
        Ok(record)
    }

    fn statistics(&self) -> SourceStatistics {
        self.inner.statistics()
    }
}

/// Leaves out the nodes that a source brings.
pub struct WithoutNodes<S>(pub S);

impl<S: Source> Source for WithoutNodes<S> {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        loop {
            match self.0.next_record()? {
                Some(Record { change: Change::NodeAdd { .. }, .. }) => {}
                other => return Ok(other),
            }
        }
    }

    fn statistics(&self) -> SourceStatistics {
        self.0.statistics()
    }
}
