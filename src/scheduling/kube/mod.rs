//! The kube-scheduler, v1.35.4, to the bit: its cache, its plugins, its cycle, its preemption.
//!
//! A library of its own over its own cache. Where upstream draws lots (among nodes of equal score,
//! for where to begin looking for victims), the caller says how.

pub mod args;
mod cache;
mod changes;
pub mod configuration;
mod constraints;
mod cycle;
mod fast;
mod filters;
mod images;
mod node;
mod node_tree;
mod nominator;
mod plugin;
pub mod plugins;
mod pod;
pub mod preemption;
pub mod profile;
mod profiles;
pub mod queue;
mod queue_sort;
mod resource;
mod scores;
mod status;
pub mod storage;
mod symbols;
mod template;
mod terms;
mod validation;

pub use cache::{Cache, CacheVersion, Named, NodeId, Objects};
pub use changes::{Change, ChangeLog};
pub use constraints::{Action, Constraint, Constraints};
pub use cycle::{Cycle, CycleState, Diagnosis, Placement, Scheduler, feasible_nodes_to_find};
pub use fast::{Choice, Fast};
pub use filters::{filter_with_nominated, run_filters};
pub use node::NodeInfo;
pub use node_tree::{NodeTree, zone_key};
pub use nominator::Nominator;
pub use plugin::{
    MAX_NODE_SCORE, Part, Plugin, Prepared, Scores, State, default_normalize, merge_node_names,
    state_of,
};
pub use pod::PodInfo;
pub use profile::{DEFAULT_PLUGINS, Enabled, Profile};
pub use queue_sort::goes_before;
pub use resource::{Resource, ResourceKind, is_extended, is_scalar};
pub use scores::{NodeScores, best, score_nodes};
pub use status::{Code, NodeStatuses, Reason, Status};
pub use symbols::{Symbol, Symbols};
pub use template::{Template, TemplateId, TemplateKey, normalized_image_name};
pub use terms::{Term, Terms};
pub use validation::FieldError;
