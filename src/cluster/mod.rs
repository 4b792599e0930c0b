//! The state of the cell: nodes, pods, classes, domains, and the verbs that change them.

mod resources;
mod spec;

pub use resources::{DIMENSIONS, Dimension, ResourceNames, Resources};
pub use spec::{
    AttributeConstraint, AttributeOperator, GpuRequest, LabelExpression, NodeConstraints, NodeSpec,
    PodTemplate, SelectorOperator, Taint, TaintEffect, Tier, Toleration, TolerationOperator,
};
