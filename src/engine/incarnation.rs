//! How an event tells whether what it was meant for is still there.

use serde::{Deserialize, Serialize};

/// Which of the lives of a reused slot or a restarted pod is meant.
///
/// An event carries the incarnation it was made for. When it is popped and its entity has moved
/// on to another, the event is stale and is dropped; nothing is searched for in the queue.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Incarnation(pub u32);

impl Incarnation {
    /// The first life.
    pub const FIRST: Self = Self(0);

    /// The life after this one. It comes round after 2^32, far longer than an event waits.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_life_is_another_one_even_after_the_last() {
        assert_eq!(Incarnation::FIRST.next(), Incarnation(1));
        assert_eq!(Incarnation(u32::MAX).next(), Incarnation::FIRST);
    }
}
