//! The order in which a scan looks at nodes: by number, or at random.

use crate::cluster::NodeId;
use crate::engine::Stream;

/// A walk over all nodes. A random one is drawn step by step (Fisher and Yates), so that one that
/// ends early costs no more than its steps.
#[derive(Default)]
pub(super) struct Walk {
    /// All nodes; those before `next` have been visited. By number between walks.
    order: Vec<NodeId>,
    next: usize,
    /// With whom the nodes visited changed places.
    swaps: Vec<usize>,
    stream: Option<Stream>,
}

impl Walk {
    /// Begins anew over `nodes` nodes, at random if there is a stream to draw from. What is drawn
    /// depends on the stream alone, not on former walks.
    pub fn begin(&mut self, nodes: usize, stream: Option<Stream>) {
        while let Some(other) = self.swaps.pop() {
            self.order.swap(self.swaps.len(), other);
        }
        let known = self.order.len();
        self.order.extend((known..nodes).map(NodeId::from_index));
        self.next = 0;
        self.stream = stream;
    }

    /// The next node, if any is left.
    pub fn next(&mut self) -> Option<NodeId> {
        let left = self.order.len() - self.next;
        if left == 0 {
            return None;
        }
        if let Some(stream) = &mut self.stream {
            let other = self.next + stream.below(left as u64) as usize;
            self.order.swap(self.next, other);
            self.swaps.push(other);
        }
        self.next += 1;
        Some(self.order[self.next - 1])
    }
}
