//! Dense identifiers. Only the tables of this floor turn one into an index.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub u32);

        impl $name {
            /// Stands for "none" where a field has no room for an `Option`.
            pub const NONE: Self = Self(u32::MAX);

            /// Position in the table that hands these out.
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The id of position `index`; tables never hold 2³² rows.
            #[inline]
            pub fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).expect("tables hold fewer than 2^32 rows"))
            }

            /// False for [`Self::NONE`].
            #[inline]
            pub const fn is_some(self) -> bool {
                self.0 != u32::MAX
            }
        }
    };
}

id!(
    /// A node. Never reused: a node that left keeps its number and may come back.
    NodeId
);
id!(
    /// A slot in the pod table; reused, so hold a [`PodRef`] where a pod may be gone.
    PodId
);
id!(
    /// An interned pod class; reused once no pod is of it.
    ClassId
);
id!(
    /// A declared pod template. Never reused.
    TemplateId
);
id!(
    /// A set of node constraints, interned. Never reused.
    ConstraintId
);
id!(
    /// A workload; reused once it is over.
    WorkloadId
);
id!(
    /// A failure domain.
    DomainId
);
id!(
    /// Nodes with the same allocatable resources. Never reused.
    GroupId
);
id!(
    /// A node pool. Never reused.
    PoolId
);

/// A pod and the life of it that is meant: stale once the pod moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PodRef {
    /// Slot.
    pub pod: PodId,
    /// Incarnation of the slot's content; every event that becomes stale bumps it.
    pub incarnation: u32,
}
