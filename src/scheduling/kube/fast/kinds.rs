//! What a class makes of nodes that look alike: worked out once, when the class is built.

use super::local::Fixed;
use super::parts::Parts;
use super::survey::Survey;
use crate::scheduling::kube::template::Template;

/// What a class that does not look at labels makes of each kind of nodes.
pub struct Kinds {
    /// Per kind, if it has been looked at; empty for a class that looks at labels.
    fixed: Vec<Option<Result<Option<Fixed>, ()>>>,
    /// The node before, and its group.
    last: Option<(Fixed, u16)>,
}

impl Kinds {
    /// Nothing has been looked at yet.
    pub fn new(template: &Template, parts: &Parts, survey: &Survey) -> Self {
        let selects = parts.affinity.as_ref().is_some_and(|(plugin, _)| plugin.selects(template));
        let kinds = if selects { 0 } else { survey.kinds_known() };
        Self { fixed: vec![None; kinds], last: None }
    }

    /// What the class makes of a node of `kind`; `look` finds out.
    pub fn fixed(
        &mut self,
        kind: u32,
        look: impl Fn() -> Result<Option<Fixed>, ()>,
    ) -> Result<Option<Fixed>, ()> {
        match self.fixed.get_mut(kind as usize) {
            Some(known) => *known.get_or_insert_with(look),
            None => look(),
        }
    }

    /// Notes what a node is like, and its group.
    pub fn note(&mut self, fixed: Fixed, group: u16) {
        self.last = Some((fixed, group));
    }

    /// The group of the node before, if that is the same.
    pub fn group_like(&self, fixed: Fixed) -> Option<u16> {
        self.last.filter(|(last, _)| *last == fixed).map(|(_, group)| group)
    }
}
