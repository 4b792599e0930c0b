//! The change log: which nodes changed, in order, so that indexes are brought up to date without
//! looking at all of them.

use super::ids::NodeId;

/// Number of entries kept at least; a reader further behind starts afresh.
const KEPT: usize = 1 << 16;

/// A bounded log of changed nodes. A node may occur many times.
#[derive(Clone, Debug, Default)]
pub struct ChangeLog {
    entries: Vec<NodeId>,
    /// Version of `entries[0]`.
    first: u64,
}

/// How far a reader of the log has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64);

impl ChangeLog {
    /// Notes that `node` changed.
    #[inline]
    pub fn push(&mut self, node: NodeId) {
        if self.entries.len() == 2 * KEPT {
            self.entries.drain(..KEPT);
            self.first += KEPT as u64;
        }
        self.entries.push(node);
    }

    /// Forgets everything: whoever reads the log starts afresh, those that were up to date included.
    pub(super) fn start_over(&mut self) {
        self.first += self.entries.len() as u64 + 1;
        self.entries.clear();
    }

    /// The version after the newest entry.
    #[inline]
    pub fn version(&self) -> Version {
        Version(self.first + self.entries.len() as u64)
    }

    /// The nodes that changed since `version`, oldest first, or `None` where the log no longer
    /// reaches back so far.
    #[inline]
    pub fn since(&self, version: Version) -> Option<&[NodeId]> {
        let skipped = version.0.checked_sub(self.first)?;
        self.entries.get(usize::try_from(skipped).ok()?..)
    }
}
