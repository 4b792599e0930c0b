//! Nodes on which room was made for other pods: where these fill it, the node is left out.

use std::sync::Arc;

use super::class::Class;
use super::local::{NEVER, local};
use super::parts::Parts;
use crate::scheduling::kube::cache::Cache;
use crate::scheduling::kube::constraints::Constraint;
use crate::scheduling::kube::pod::PodInfo;
use crate::scheduling::kube::template::Template;

impl Class {
    /// The nodes that would do for `pod` if no other pods had been nominated to them. `None` if
    /// those pods mean more to it than what they take.
    pub fn held_for_others(
        &self,
        pod: &PodInfo,
        parts: &Parts,
        cache: &Cache,
    ) -> Option<Vec<usize>> {
        let mut held = Vec::new();
        for name in cache.nominator.nodes() {
            let Some(id) = cache.node_id(name) else { continue };
            let place = cache.position(id);
            let mut ahead = cache.nominator.ahead_of(pod, name).peekable();
            if self.local[place] == NEVER || ahead.peek().is_none() {
                continue;
            }
            let mut node = cache.node(id).clone();
            for other in ahead {
                if self.minds(&other.template, parts, cache) {
                    return None;
                }
                node.add_pod(Arc::clone(other));
            }
            if local(&self.template, &node, &self.demand, parts, cache) == NEVER {
                held.push(place);
            }
        }
        Some(held)
    }

    /// True if a pod of `other` more may rule nodes out by more than what it takes of one.
    fn minds(&self, other: &Template, parts: &Parts, cache: &Cache) -> bool {
        // Of pods that come, upstream counts also those that an empty selector selects.
        let counts = |constraint: &Constraint| constraint.selector.matches(&other.labels);
        (other.namespace == self.template.namespace && self.rules.hard.iter().any(counts))
            || self.effects_of(other, parts, cache).iter().any(|effect| effect.kind.is_hard())
    }

    /// What `choose` says when the nodes at `places`, which would do, are left out.
    pub fn without<T>(&mut self, places: &[usize], choose: impl FnOnce(&Self) -> T) -> T {
        let leave_out = |place: &usize| {
            self.groups[usize::from(self.group[*place])].members -= 1;
            std::mem::replace(&mut self.local[*place], NEVER)
        };
        let scores: Vec<i16> = places.iter().map(leave_out).collect();
        let chosen = choose(self);
        for (place, score) in places.iter().zip(scores) {
            self.groups[usize::from(self.group[*place])].members += 1;
            self.local[*place] = score;
        }
        chosen
    }
}
