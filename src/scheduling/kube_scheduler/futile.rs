//! Tries that would end as one before: nothing has happened since, and pods of one template are the
//! same to every plugin. So of many pods that fit nowhere, only the first of its kind costs a look
//! at all nodes, however often they are all tried.

use rustc_hash::FxHashMap;

use crate::scheduling::kube::queue::PluginSet;
use crate::scheduling::kube::{CacheVersion, TemplateId};

/// How a try ended for which there was no node, nor anybody to make room.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Who rejected the pod.
    pub plugins: PluginSet,
    /// Why, in words.
    pub message: String,
}

/// The tries in vain since something happened last.
#[derive(Debug, Default)]
pub struct Futile {
    version: Option<CacheVersion>,
    outcomes: FxHashMap<TemplateId, Outcome>,
}

impl Futile {
    /// How a try of a pod of this template would end; `None` if that has to be found out.
    pub fn get(&self, version: CacheVersion, template: TemplateId) -> Option<&Outcome> {
        self.outcomes.get(&template).filter(|_| self.version == Some(version))
    }

    /// Notes how one ended.
    pub fn note(&mut self, version: CacheVersion, template: TemplateId, outcome: Outcome) {
        if self.version != Some(version) {
            self.version = Some(version);
            self.outcomes.clear();
        }
        self.outcomes.insert(template, outcome);
    }
}
