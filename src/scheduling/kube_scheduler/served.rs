//! Whose pods they are: a scheduler leaves those alone that ask for another one.

use std::collections::BTreeSet;

use crate::scheduling::kube::PodInfo;

/// The pods that the scheduler looks at (`responsibleForPod` of kube-scheduler v1.35).
pub enum Served {
    /// All, whatever scheduler they ask for.
    Everyone,
    /// Those that ask for one of these profiles.
    Named(BTreeSet<String>),
}

impl Served {
    /// Those that ask for one of the profiles called `names`.
    pub fn named(names: impl IntoIterator<Item = String>) -> Self {
        Self::Named(names.into_iter().collect())
    }

    /// Why nobody looks at `pod`, if nobody does.
    pub fn objection(&self, pod: &PodInfo) -> Option<String> {
        let Self::Named(names) = self else { return None };
        let wanted = pod.scheduler_name();
        if names.contains(wanted) {
            return None;
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Some(format!("no scheduler is called {wanted} (there are: {})", names.join(", ")))
    }
}
