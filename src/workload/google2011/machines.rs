//! What the rows of `machine_events` and `machine_attributes` mean together: nodes that come,
//! change and go.
//!
//! All rows of one instant are taken in at once, so that a node comes with its attributes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::super::input::ReadProgress;
use super::super::record::{Change, NodeKey};
use super::super::source::{SourceError, SourceStatistics};
use super::lookahead::Slot;
use super::notes::Note;
use super::rows::{MachineAttribute, MachineEvent, MachineEventKind};
use super::table::Table;
use super::tasks::Sink;
use super::{AFTER_THE_WINDOW, UNLIMITED_PODS, UNLIMITED_STORAGE};
use crate::cluster::{Dimension, NodeSpec, Resources};
use crate::engine::SimTime;

/// A machine that was named by a row, up or not.
#[derive(Default)]
struct Machine {
    up: bool,
    /// Number of its platform.
    platform: Option<usize>,
    cpu: u32,
    memory: u32,
    attributes: BTreeMap<String, String>,
    /// Attributes changed since the node was last described.
    stale: bool,
}

/// The two tables of machines.
pub struct Machines {
    events: Option<Table<MachineEvent>>,
    attributes: Option<Table<MachineAttribute>>,
    /// True where pods ask for disk space.
    disk: bool,
    machines: FxHashMap<u64, Machine>,
    /// Platform ids in the order of their first appearance.
    platforms: Vec<String>,
    /// Machines whose attributes changed at this instant.
    changed: Vec<u64>,
}

impl Machines {
    /// Opens the tables that there are.
    pub fn open(
        events: Option<&Path>,
        attributes: Option<&Path>,
        (strict, disk): (bool, bool),
        progress: &ReadProgress,
    ) -> Result<Self, SourceError> {
        Ok(Self {
            events: events.map(|path| Table::open(path, strict, progress)).transpose()?,
            attributes: attributes.map(|path| Table::open(path, strict, progress)).transpose()?,
            disk,
            machines: FxHashMap::default(),
            platforms: Vec::new(),
            changed: Vec::new(),
        })
    }

    /// The time of the next row of either table.
    pub fn next_time(&self) -> Option<u64> {
        let event = self.events.as_ref().and_then(Table::next_time);
        let attribute = self.attributes.as_ref().and_then(Table::next_time);
        event.into_iter().chain(attribute).min()
    }

    /// Takes in all rows of the instant `time`: attributes first, so that nodes come with them.
    pub fn apply(&mut self, time: u64, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        while let Some(table) = self.attributes.as_mut().filter(|t| t.next_time() == Some(time)) {
            let row = table.take()?.expect("a row with a time is there");
            if in_the_window(time, sink) {
                self.set_attribute(row);
            }
        }
        while let Some(table) = self.events.as_mut().filter(|t| t.next_time() == Some(time)) {
            let row = table.take()?.expect("a row with a time is there");
            if in_the_window(time, sink) {
                self.apply_event(&row, sink);
            }
        }
        for id in std::mem::take(&mut self.changed) {
            if self.machine(id).up && self.machine(id).stale {
                self.describe(id, time, sink, |key, spec| Change::NodeUpdate { key, spec });
            }
        }
        Ok(())
    }

    fn set_attribute(&mut self, row: MachineAttribute) {
        let machine = self.machines.entry(row.machine).or_default();
        match row.value {
            Some(value) => machine.attributes.insert(row.name, value),
            None => machine.attributes.remove(&row.name),
        };
        if !machine.stale {
            machine.stale = true;
            self.changed.push(row.machine);
        }
    }

    fn apply_event(&mut self, row: &MachineEvent, sink: &mut Sink<'_>) {
        match row.kind {
            MachineEventKind::Add => {
                let known = self.machines.get(&row.machine).is_some_and(|machine| machine.up);
                if known {
                    sink.notes.add(Note::MachineAddedTwice);
                    return self.update(row, sink);
                }
                self.take_over(row, sink);
                self.machine(row.machine).up = true;
                self.describe(row.machine, row.time, sink, |key, spec| Change::NodeAdd {
                    key,
                    spec,
                });
            }
            MachineEventKind::Remove => match self.machines.get_mut(&row.machine) {
                Some(machine) if machine.up => {
                    machine.up = false;
                    let change = Change::NodeRemove { key: NodeKey(row.machine) };
                    sink.window.push(SimTime(row.time), Slot::Ready(Box::new(change)));
                }
                Some(_) | None => sink.notes.add(Note::MachineNotThere),
            },
            MachineEventKind::Update => match self.machines.get(&row.machine) {
                Some(machine) if machine.up => self.update(row, sink),
                Some(_) | None => sink.notes.add(Note::MachineNotThere),
            },
        }
    }

    /// A machine that is up has a new description.
    fn update(&mut self, row: &MachineEvent, sink: &mut Sink<'_>) {
        let changed = self.take_over(row, sink);
        if changed || self.machine(row.machine).stale {
            self.describe(row.machine, row.time, sink, |key, spec| Change::NodeUpdate {
                key,
                spec,
            });
        } else {
            sink.notes.add(Note::MachineWithoutChange);
        }
    }

    /// Takes over capacity and platform, keeping what is blank; true if anything changed.
    fn take_over(&mut self, row: &MachineEvent, sink: &mut Sink<'_>) -> bool {
        if row.cpu.is_none() || row.memory.is_none() {
            sink.notes.add(Note::MachineCapacityBlank);
        }
        let platform = (!row.platform.is_empty()).then(|| self.platform(&row.platform));
        let machine = self.machines.entry(row.machine).or_default();
        let former = (machine.platform, machine.cpu, machine.memory);
        machine.platform = platform.or(machine.platform);
        machine.cpu = row.cpu.unwrap_or(machine.cpu);
        machine.memory = row.memory.unwrap_or(machine.memory);
        former != (machine.platform, machine.cpu, machine.memory)
    }

    /// The number of a platform; there are a handful.
    fn platform(&mut self, id: &str) -> usize {
        self.platforms.iter().position(|known| known == id).unwrap_or_else(|| {
            self.platforms.push(id.to_owned());
            self.platforms.len() - 1
        })
    }

    fn machine(&mut self, id: u64) -> &mut Machine {
        self.machines.entry(id).or_default()
    }

    /// Hands the node over as it now is.
    fn describe(
        &mut self,
        id: u64,
        time: u64,
        sink: &mut Sink<'_>,
        change: fn(NodeKey, Arc<NodeSpec>) -> Change,
    ) {
        let disk = self.disk;
        let platforms = &self.platforms;
        let machine = self.machines.entry(id).or_default();
        machine.stale = false;
        let pool = machine.platform.map_or("platform-unknown".into(), |i| format!("platform-{i}"));
        let mut allocatable = Resources::ZERO;
        allocatable[Dimension::CPU] = i64::from(machine.cpu);
        allocatable[Dimension::MEMORY] = i64::from(machine.memory);
        allocatable[Dimension::STORAGE] = if disk { UNLIMITED_STORAGE } else { 0 };
        allocatable[Dimension::PODS] = UNLIMITED_PODS;
        let mut attributes = machine.attributes.clone();
        if let Some(platform) = machine.platform {
            attributes.insert("platform".into(), platforms[platform].clone());
        }
        let spec = NodeSpec {
            name: id.to_string(),
            labels: BTreeMap::from([("platform".into(), pool.clone())]),
            pool,
            allocatable,
            attributes,
            ..NodeSpec::default()
        };
        let change = change(NodeKey(id), Arc::new(spec));
        sink.window.push(SimTime(time), Slot::Ready(Box::new(change)));
    }

    /// Adds what was read to `statistics`.
    pub fn add_to(&self, statistics: &mut SourceStatistics) {
        if let Some(table) = &self.events {
            table.add_to(statistics);
        }
        if let Some(table) = &self.attributes {
            table.add_to(statistics);
        }
    }
}

/// Rows after the window are counted and otherwise ignored.
fn in_the_window(time: u64, sink: &mut Sink<'_>) -> bool {
    if time == AFTER_THE_WINDOW {
        sink.notes.add(Note::AfterTheWindow);
    }
    time != AFTER_THE_WINDOW
}
