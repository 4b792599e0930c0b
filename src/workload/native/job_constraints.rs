//! Constraints of jobs: what a `job` row asks of the nodes of all its pods.

use csv::ByteRecord;
use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::super::row::FieldError;
use super::columns::TemplateColumns;
use crate::cluster::{AttributeConstraint, NodeConstraints, Preference};

/// What all pods of a job ask of nodes beside what each asks itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Shared {
    /// Hard constraints.
    attributes: Vec<AttributeConstraint>,
    /// Soft ones.
    preferences: Vec<Preference>,
}

/// The constraints of jobs, by key. They are remembered to the end, since nothing says when the
/// last pod of a job has come.
#[derive(Default)]
pub struct JobConstraints {
    by_job: FxHashMap<u64, (Vec<u8>, Shared)>,
}

impl JobConstraints {
    /// Reads those of the row of `job`, if it has any.
    pub fn read(
        &mut self,
        job: u64,
        columns: &TemplateColumns,
        row: &ByteRecord,
    ) -> Result<(), FieldError> {
        if let Some((text, shared)) = columns.constraints_as::<Shared>(row)? {
            self.by_job.insert(job, (text.to_vec(), shared));
        }
        Ok(())
    }

    /// The text of those of `job`: what tells them apart.
    pub fn text(&self, job: u64) -> &[u8] {
        self.by_job.get(&job).map_or(&[], |(text, _)| text)
    }

    /// Adds those of `job` to what one of its pods asks itself.
    pub fn add_to(&self, job: u64, constraints: &mut NodeConstraints) {
        if let Some((_, shared)) = self.by_job.get(&job) {
            constraints.attributes.extend_from_slice(&shared.attributes);
            constraints.preferences.extend_from_slice(&shared.preferences);
        }
    }
}
