//! The rows of the Google 2011 tables, typed and checked (trace format v2.1 of 2014-11-17; where
//! that and `schema.csv` disagree on the order of columns, `schema.csv` rules).
//!
//! One row at a time: what rows mean together is none of its business.

use std::fmt;

use super::super::row::{Fault, FieldError, at_most, optional_unsigned, scaled_decimal};
use super::super::row::{split, unsigned};
use super::{DECIMALS, UNITS_OF_THE_LARGEST_MACHINE};
use crate::cluster::AttributeOperator;

/// More than this many times the largest machine is a broken number.
const LARGEST_AMOUNT: u64 = 100 * UNITS_OF_THE_LARGEST_MACHINE as u64;
/// Job ids stay below this, so that job and task index fit one key; those of the trace are below
/// 2^33.
const JOB_LIMIT: u64 = (1 << 40) - 1;
/// Task indexes stay below this; those of the trace are below 10^5.
const INDEX_LIMIT: u64 = (1 << 24) - 1;

/// A row of one of the tables.
pub trait TableRow: Sized {
    /// The table, as the trace names it.
    const TABLE: &'static str;
    /// Its columns.
    const COLUMNS: &'static [&'static str];

    /// Reads and checks one row.
    ///
    /// # Errors
    /// The first field that is broken.
    fn parse(row: &[u8]) -> Result<Self, FieldError>;

    /// The time column, in microseconds.
    fn time(&self) -> u64;
}

/// What happened to a task (column 6 of `task_events`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEventKind {
    /// Became eligible for scheduling.
    Submit,
    /// Was placed on a machine.
    Schedule,
    /// Was thrown off its machine by the cell.
    Evict,
    /// Failed of its own accord.
    Fail,
    /// Succeeded.
    Finish,
    /// Was stopped by its user or its driver.
    Kill,
    /// Ended, but the record of it is missing.
    Lost,
    /// Its description changed while it waited.
    UpdatePending,
    /// Its description changed while it ran.
    UpdateRunning,
}

impl TaskEventKind {
    /// Number of kinds.
    pub const COUNT: usize = 9;
    /// All kinds in the order of their codes.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Submit,
        Self::Schedule,
        Self::Evict,
        Self::Fail,
        Self::Finish,
        Self::Kill,
        Self::Lost,
        Self::UpdatePending,
        Self::UpdateRunning,
    ];

    fn parse(field: &[u8]) -> Result<Self, Fault> {
        let code = unsigned(field)?;
        usize::try_from(code).ok().and_then(|code| Self::ALL.get(code).copied()).ok_or(
            // A number, but none of the format's codes.
            Fault::UnknownCode,
        )
    }
}

impl fmt::Display for TaskEventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submit => "SUBMIT",
            Self::Schedule => "SCHEDULE",
            Self::Evict => "EVICT",
            Self::Fail => "FAIL",
            Self::Finish => "FINISH",
            Self::Kill => "KILL",
            Self::Lost => "LOST",
            Self::UpdatePending => "UPDATE_PENDING",
            Self::UpdateRunning => "UPDATE_RUNNING",
        })
    }
}

/// Why a row was made up by those who published the trace (column 2 of `task_events`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingInfo {
    /// The state was in a snapshot, the transition was not recorded; the time is the snapshot's.
    SnapshotButNoTransition,
    /// Neither; the time is a pessimistic upper bound.
    NoSnapshotOrTransition,
    /// The creation was not recorded; the description may be blank.
    ExistsButNoCreation,
}

impl MissingInfo {
    fn parse(field: &[u8]) -> Result<Option<Self>, Fault> {
        Ok(match optional_unsigned(field)? {
            None => None,
            Some(0) => Some(Self::SnapshotButNoTransition),
            Some(1) => Some(Self::NoSnapshotOrTransition),
            Some(2) => Some(Self::ExistsButNoCreation),
            Some(_) => return Err(Fault::UnknownCode),
        })
    }
}

/// A row of `task_events`. Amounts are in units of [`UNITS_OF_THE_LARGEST_MACHINE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskEvent {
    /// When, in µs of the trace.
    pub time: u64,
    /// Why the row was made up, if it was.
    pub missing: Option<MissingInfo>,
    /// Job id.
    pub job: u64,
    /// Index of the task in its job.
    pub index: u32,
    /// What happened.
    pub kind: TaskEventKind,
    /// Priority 0..=11.
    pub priority: u8,
    /// Requested cpu.
    pub cpu: Option<u32>,
    /// Requested memory.
    pub memory: Option<u32>,
    /// Requested disk space.
    pub disk: Option<u32>,
    /// Not on a machine with another task of the job.
    pub different_machines: bool,
}

impl TableRow for TaskEvent {
    const TABLE: &'static str = "task_events";
    const COLUMNS: &'static [&'static str] = &[
        "time",
        "missing info",
        "job ID",
        "task index",
        "machine ID",
        "event type",
        "user",
        "scheduling class",
        "priority",
        "CPU request",
        "memory request",
        "disk space request",
        "different machines restriction",
    ];

    fn parse(row: &[u8]) -> Result<Self, FieldError> {
        let fields = split::<13>(row)?;
        let at = |column: usize| move |fault: Fault| fault.at(column);
        optional_unsigned(fields[4]).map_err(at(4))?;
        if !fields[7].is_empty() {
            code_at_most(fields[7], 3).map_err(at(7))?;
        }
        Ok(Self {
            time: unsigned(fields[0]).map_err(at(0))?,
            missing: MissingInfo::parse(fields[1]).map_err(at(1))?,
            job: at_most(fields[2], JOB_LIMIT).map_err(at(2))?,
            index: at_most(fields[3], INDEX_LIMIT).map_err(at(3))? as u32,
            kind: TaskEventKind::parse(fields[5]).map_err(at(5))?,
            priority: code_at_most(fields[8], 11).map_err(at(8))? as u8,
            cpu: amount(fields[9]).map_err(at(9))?,
            memory: amount(fields[10]).map_err(at(10))?,
            disk: amount(fields[11]).map_err(at(11))?,
            different_machines: flag(fields[12]).map_err(at(12))?,
        })
    }

    fn time(&self) -> u64 {
        self.time
    }
}

/// What happened to a machine (column 3 of `machine_events`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineEventKind {
    /// Came, or came back.
    Add,
    /// Left, by failure or for maintenance.
    Remove,
    /// Its resources changed.
    Update,
}

/// A row of `machine_events`. Amounts are in units of [`UNITS_OF_THE_LARGEST_MACHINE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineEvent {
    /// When, in µs of the trace.
    pub time: u64,
    /// Machine id.
    pub machine: u64,
    /// What happened.
    pub kind: MachineEventKind,
    /// Hash that stands for its micro-architecture and chipset.
    pub platform: String,
    /// Cpu capacity.
    pub cpu: Option<u32>,
    /// Memory capacity.
    pub memory: Option<u32>,
}

impl TableRow for MachineEvent {
    const TABLE: &'static str = "machine_events";
    const COLUMNS: &'static [&'static str] =
        &["time", "machine ID", "event type", "platform ID", "CPUs", "memory"];

    fn parse(row: &[u8]) -> Result<Self, FieldError> {
        let fields = split::<6>(row)?;
        let at = |column: usize| move |fault: Fault| fault.at(column);
        let kind = match unsigned(fields[2]).map_err(at(2))? {
            0 => MachineEventKind::Add,
            1 => MachineEventKind::Remove,
            2 => MachineEventKind::Update,
            _ => return Err(Fault::UnknownCode.at(2)),
        };
        Ok(Self {
            time: unsigned(fields[0]).map_err(at(0))?,
            machine: unsigned(fields[1]).map_err(at(1))?,
            kind,
            platform: text(fields[3]).map_err(at(3))?,
            cpu: amount(fields[4]).map_err(at(4))?,
            memory: amount(fields[5]).map_err(at(5))?,
        })
    }

    fn time(&self) -> u64 {
        self.time
    }
}

/// A row of `machine_attributes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineAttribute {
    /// When, in µs of the trace.
    pub time: u64,
    /// Machine id.
    pub machine: u64,
    /// Name of the attribute.
    pub name: String,
    /// Its value; `None` where the attribute was deleted.
    pub value: Option<String>,
}

impl TableRow for MachineAttribute {
    const TABLE: &'static str = "machine_attributes";
    const COLUMNS: &'static [&'static str] =
        &["time", "machine ID", "attribute name", "attribute value", "attribute deleted"];

    fn parse(row: &[u8]) -> Result<Self, FieldError> {
        let fields = split::<5>(row)?;
        let at = |column: usize| move |fault: Fault| fault.at(column);
        let value = text(fields[3]).map_err(at(3))?;
        Ok(Self {
            time: unsigned(fields[0]).map_err(at(0))?,
            machine: unsigned(fields[1]).map_err(at(1))?,
            name: text(fields[2]).map_err(at(2))?,
            value: (!flag(fields[4]).map_err(at(4))?).then_some(value),
        })
    }

    fn time(&self) -> u64 {
        self.time
    }
}

/// A row of `task_constraints`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskConstraint {
    /// When, in µs of the trace: that of the task event it belongs to.
    pub time: u64,
    /// Job id.
    pub job: u64,
    /// Index of the task in its job.
    pub index: u32,
    /// The comparison.
    pub operator: AttributeOperator,
    /// Name of the attribute.
    pub name: String,
    /// What it is compared with, possibly empty.
    pub value: String,
}

impl TableRow for TaskConstraint {
    const TABLE: &'static str = "task_constraints";
    const COLUMNS: &'static [&'static str] =
        &["time", "job ID", "task index", "comparison operator", "attribute name", "value"];

    fn parse(row: &[u8]) -> Result<Self, FieldError> {
        let fields = split::<6>(row)?;
        let at = |column: usize| move |fault: Fault| fault.at(column);
        let operator = match unsigned(fields[3]).map_err(at(3))? {
            0 => AttributeOperator::Equal,
            1 => AttributeOperator::NotEqual,
            2 => AttributeOperator::LessThan,
            3 => AttributeOperator::GreaterThan,
            _ => return Err(Fault::UnknownCode.at(3)),
        };
        Ok(Self {
            time: unsigned(fields[0]).map_err(at(0))?,
            job: at_most(fields[1], JOB_LIMIT).map_err(at(1))?,
            index: at_most(fields[2], INDEX_LIMIT).map_err(at(2))? as u32,
            operator,
            name: text(fields[4]).map_err(at(4))?,
            value: text(fields[5]).map_err(at(5))?,
        })
    }

    fn time(&self) -> u64 {
        self.time
    }
}

/// A normalised amount, `None` where the field is blank.
#[inline]
fn amount(field: &[u8]) -> Result<Option<u32>, Fault> {
    if field.is_empty() {
        return Ok(None);
    }
    let units = scaled_decimal(field, DECIMALS, LARGEST_AMOUNT)?;
    Ok(Some(u32::try_from(units).expect("the limit fits 32 bits")))
}

/// A code of 0..=`last`.
fn code_at_most(field: &[u8], last: u64) -> Result<u64, Fault> {
    match unsigned(field)? {
        code if code <= last => Ok(code),
        _ => Err(Fault::UnknownCode),
    }
}

/// A boolean, 0 or 1; blank means 0.
fn flag(field: &[u8]) -> Result<bool, Fault> {
    match field {
        b"" | b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(Fault::UnknownCode),
    }
}

fn text(field: &[u8]) -> Result<String, Fault> {
    std::str::from_utf8(field).map(String::from).map_err(|_| Fault::NotText)
}
