//! Templates of the trace: each mix of priority, flag and constraints is declared once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cluster::{AttributeConstraint, NodeConstraints, PodTemplate, Tier};

/// The tier of a priority: 0 and 1 are the *free* band, 9 to 11 the *production* band, of which
/// 10 is *monitoring* (trace format v2.1 §"job and task events"); what lies between has no name
/// there and is taken for the *mid* tier of the 2019 trace.
pub const fn tier_of_priority(priority: u8) -> Tier {
    match priority {
        0 | 1 => Tier::Free,
        2..=8 => Tier::Mid,
        10 => Tier::Monitoring,
        _ => Tier::Production,
    }
}

/// Number of priorities.
const PRIORITIES: usize = 12;

/// The templates declared so far.
#[derive(Default)]
pub struct Templates {
    /// Those without constraints, by priority and flag: nearly all.
    plain: [[Option<u32>; 2]; PRIORITIES],
    constrained: BTreeMap<(u8, bool, Vec<AttributeConstraint>), u32>,
    count: u32,
}

impl Templates {
    /// The number of a template, and the template itself where it has to be declared first.
    pub fn intern(
        &mut self,
        priority: u8,
        one_per_node: bool,
        constraints: Vec<AttributeConstraint>,
    ) -> (u32, Option<Arc<PodTemplate>>) {
        let known = if constraints.is_empty() {
            self.plain[usize::from(priority)][usize::from(one_per_node)]
        } else {
            self.constrained.get(&(priority, one_per_node, constraints.clone())).copied()
        };
        if let Some(number) = known {
            return (number, None);
        }
        let number = self.count;
        self.count += 1;
        if constraints.is_empty() {
            self.plain[usize::from(priority)][usize::from(one_per_node)] = Some(number);
        } else {
            self.constrained.insert((priority, one_per_node, constraints.clone()), number);
        }
        let template = PodTemplate {
            priority: i32::from(priority),
            tier: tier_of_priority(priority),
            constraints: NodeConstraints { attributes: constraints, ..NodeConstraints::default() },
            one_per_node,
            kubernetes: None,
        };
        (number, Some(Arc::new(template)))
    }
}
