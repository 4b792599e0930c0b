//! The rules of the Google 2011 reader, one by one, on rows made by hand, and its counts on the
//! real sample.

use std::fs;

use super::super::record::{Outcome, PodKey, Work};
use super::*;
use crate::cluster::{AttributeOperator, NodeSpec, PodTemplate, Tier};
use crate::engine::SimTime;

mod machines;
mod malformed;
mod sample;
mod tasks;

/// Tables of one test, as text.
#[derive(Default)]
struct Tables<'a> {
    tasks: &'a str,
    machines: &'a str,
    constraints: &'a str,
    attributes: &'a str,
}

/// What the reader makes of them.
struct Read {
    records: Vec<Record>,
    statistics: SourceStatistics,
}

impl Tables<'_> {
    fn read_with(&self, adjust: impl Fn(&mut Google2011Config)) -> Result<Read, SourceError> {
        let folder = tempfile::tempdir().unwrap();
        let tables = [
            ("task_events.csv", self.tasks),
            ("machine_events.csv", self.machines),
            ("task_constraints.csv", self.constraints),
            ("machine_attributes.csv", self.attributes),
        ];
        for (name, text) in tables.iter().filter(|(_, text)| !text.is_empty()) {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut config = Google2011Config::in_folder(folder.path()).unwrap();
        adjust(&mut config);
        let mut source = Google2011::open(&config)?;
        let mut records: Vec<Record> = Vec::new();
        while let Some(record) = source.next_record()? {
            let before = records.last().map_or(SimTime::ZERO, |last| last.time);
            assert!(record.time >= before, "times never go back: {record:?}");
            records.push(record);
        }
        Ok(Read { records, statistics: source.statistics() })
    }

    fn read(&self) -> Read {
        self.read_with(|_| ()).unwrap()
    }
}

/// Reads task rows alone.
fn tasks(tasks: &str) -> Read {
    Tables { tasks, ..Tables::default() }.read()
}

/// Reads machine rows alone.
fn machines(machines: &str) -> Read {
    Tables { machines, ..Tables::default() }.read()
}

impl Read {
    fn noted(&self, text: &str) -> u64 {
        self.statistics.noted.get(text).copied().unwrap_or(0)
    }

    fn skipped(&self, text: &str) -> u64 {
        self.statistics.skipped.get(text).copied().unwrap_or(0)
    }

    fn templates(&self) -> Vec<&PodTemplate> {
        self.records
            .iter()
            .filter_map(|record| match &record.change {
                Change::Template(template) => Some(template.as_ref()),
                _ => None,
            })
            .collect()
    }

    fn pods(&self) -> Vec<(u64, &PodRecord)> {
        self.records
            .iter()
            .filter_map(|record| match &record.change {
                Change::Submit(pod) => Some((record.time.0, pod)),
                _ => None,
            })
            .collect()
    }

    fn kills(&self) -> Vec<(u64, PodKey)> {
        self.records
            .iter()
            .filter_map(|record| match record.change {
                Change::Kill { key } => Some((record.time.0, key)),
                _ => None,
            })
            .collect()
    }

    fn works(&self) -> Vec<(u64, PodKey, Work)> {
        self.records
            .iter()
            .filter_map(|record| match record.change {
                Change::Work { key, work } => Some((record.time.0, key, work)),
                _ => None,
            })
            .collect()
    }

    fn resizes(&self) -> Vec<(u64, TemplateIndex, Resources)> {
        self.records
            .iter()
            .filter_map(|record| match record.change {
                Change::Resize { template, requests, .. } => {
                    Some((record.time.0, template, requests))
                }
                _ => None,
            })
            .collect()
    }

    /// Time, what happened and to which node, with what is known of it.
    fn nodes(&self) -> Vec<(u64, &'static str, u64, Option<&NodeSpec>)> {
        self.records
            .iter()
            .filter_map(|record| {
                let (what, key, spec) = match &record.change {
                    Change::NodeAdd { key, spec } => ("add", key, Some(spec.as_ref())),
                    Change::NodeUpdate { key, spec } => ("update", key, Some(spec.as_ref())),
                    Change::NodeRemove { key } => ("remove", key, None),
                    _ => return None,
                };
                Some((record.time.0, what, key.0, spec))
            })
            .collect()
    }
}

fn runs(run_us: u64, outcome: Outcome) -> Work {
    Work::For { run: SimDuration(run_us), outcome }
}
