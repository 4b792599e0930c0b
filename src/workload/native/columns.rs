//! Columns of the native format by name: amounts, nodes, templates. Reading side.
//!
//! It knows fields; the order of records is made in `reader`.

use std::collections::BTreeMap;

use csv::ByteRecord;
use serde::de::DeserializeOwned;

use super::super::csv_table::CsvTable;
use super::super::record::{Outcome, Work};
use super::super::row::{Fault, FieldError, at_most, unsigned};
use super::super::source::SourceError;
use super::{AMOUNTS, EXTENDED};
use crate::cluster::{DIMENSIONS, NodeConstraints, NodeSpec, PodTemplate, Resources, Tier};
use crate::engine::SimDuration;

/// A column that a file may lack: its fields are then empty.
#[derive(Clone, Copy)]
pub struct Column(Option<usize>);

impl Column {
    pub fn optional(table: &CsvTable, name: &str) -> Self {
        Self(table.column(name))
    }

    pub fn required(table: &CsvTable, name: &str) -> Result<Self, SourceError> {
        table.require(name).map(|index| Self(Some(index)))
    }

    pub fn field(self, row: &ByteRecord) -> &[u8] {
        self.0.and_then(|index| row.get(index)).unwrap_or_default()
    }

    /// Parses the field.
    pub fn parse<T>(
        self,
        row: &ByteRecord,
        parse: impl Fn(&[u8]) -> Result<T, Fault>,
    ) -> Result<T, FieldError> {
        parse(self.field(row)).map_err(|fault| fault.at(self.0.unwrap_or(0)))
    }

    /// Parses the field unless it is empty.
    pub fn parse_or<T>(
        self,
        row: &ByteRecord,
        default: T,
        parse: impl Fn(&[u8]) -> Result<T, Fault>,
    ) -> Result<T, FieldError> {
        match self.field(row) {
            b"" => Ok(default),
            field => parse(field).map_err(|fault| fault.at(self.0.unwrap_or(0))),
        }
    }

    /// Parses a field that holds JSON; the default where it is empty.
    fn json<T: DeserializeOwned + Default>(self, row: &ByteRecord) -> Result<T, FieldError> {
        self.parse_or(row, T::default(), |field| {
            serde_json::from_slice(field).map_err(|_| Fault::NotJson)
        })
    }
}

/// An amount of a resource; the sum over a cell has to fit 63 bits.
fn amount(field: &[u8]) -> Result<i64, Fault> {
    at_most(field, 1 << 60).map(|amount| amount as i64)
}

pub fn text(field: &[u8]) -> Result<String, Fault> {
    std::str::from_utf8(field).map(String::from).map_err(|_| Fault::NotText)
}

/// The columns of a vector of resources.
#[derive(Clone, Copy)]
pub struct Amounts([Column; DIMENSIONS]);

impl Amounts {
    /// Finds them; extended resources take the dimensions after the built-in ones, in the order
    /// of `extended`.
    pub fn find(table: &CsvTable, extended: &[String]) -> Self {
        let mut columns = [Column(None); DIMENSIONS];
        let built_in = AMOUNTS.iter().map(ToString::to_string);
        let names = built_in.chain(extended.iter().map(|name| format!("{EXTENDED}{name}")));
        for (column, name) in columns.iter_mut().zip(names) {
            *column = Column::optional(table, &name);
        }
        Self(columns)
    }

    pub fn parse(&self, row: &ByteRecord) -> Result<Resources, FieldError> {
        let mut amounts = Resources::ZERO;
        for (value, column) in amounts.0.iter_mut().zip(&self.0) {
            *value = column.parse_or(row, 0, amount)?;
        }
        Ok(amounts)
    }
}

/// The names of the extended resources of a file.
pub fn extended_names(table: &CsvTable) -> impl Iterator<Item = &str> {
    table.header().iter().filter_map(|name| name.strip_prefix(EXTENDED))
}

/// The columns that describe a node.
#[derive(Clone, Copy)]
pub struct NodeColumns {
    name: Column,
    pool: Column,
    amounts: Amounts,
    gpu_devices: Column,
    gpu_model: Column,
    labels: Column,
    taints: Column,
    attributes: Column,
    domains: Column,
}

impl NodeColumns {
    pub fn find(table: &CsvTable, extended: &[String]) -> Self {
        let column = |name| Column::optional(table, name);
        Self {
            name: column("name"),
            pool: column("pool"),
            amounts: Amounts::find(table, extended),
            gpu_devices: column("gpu_devices"),
            gpu_model: column("gpu_model"),
            labels: column("labels"),
            taints: column("taints"),
            attributes: column("attributes"),
            domains: column("domains"),
        }
    }

    pub fn parse(&self, row: &ByteRecord) -> Result<NodeSpec, FieldError> {
        let labels: BTreeMap<String, String> = self.labels.json(row)?;
        Ok(NodeSpec {
            name: self.name.parse(row, text)?,
            pool: self.pool.parse(row, text)?,
            allocatable: self.amounts.parse(row)?,
            gpu_devices: self.gpu_devices.parse_or(row, 0, |field| at_most(field, 255))? as u8,
            gpu_model: self.gpu_model.parse(row, text)?,
            labels,
            taints: self.taints.json(row)?,
            attributes: self.attributes.json(row)?,
            domains: self.domains.json(row)?,
            kubernetes: None,
        })
    }
}

/// The columns that describe a template.
#[derive(Clone, Copy)]
pub struct TemplateColumns {
    priority: Column,
    tier: Column,
    one_per_node: Column,
    constraints: Column,
}

impl TemplateColumns {
    pub fn find(table: &CsvTable) -> Self {
        let column = |name| Column::optional(table, name);
        Self {
            priority: column("priority"),
            tier: column("tier"),
            one_per_node: column("one_per_node"),
            constraints: column("constraints"),
        }
    }

    /// The constraints, as text and as what a row of this kind may say, unless there are none.
    pub fn constraints_as<'a, T: DeserializeOwned + Default>(
        &self,
        row: &'a ByteRecord,
    ) -> Result<Option<(&'a [u8], T)>, FieldError> {
        let text = self.constraints.field(row);
        if text.is_empty() {
            return Ok(None);
        }
        self.constraints.json(row).map(|value| Some((text, value)))
    }

    /// Writes what tells templates apart, as text, into `key`.
    pub fn key(&self, row: &ByteRecord, key: &mut Vec<u8>) {
        key.clear();
        for column in [self.priority, self.tier, self.one_per_node, self.constraints] {
            key.extend_from_slice(column.field(row));
            key.push(0);
        }
    }

    pub fn parse(&self, row: &ByteRecord) -> Result<PodTemplate, FieldError> {
        let constraints: NodeConstraints = self.constraints.json(row)?;
        Ok(PodTemplate {
            priority: self.priority.parse_or(row, 0, priority)?,
            tier: self.tier.parse_or(row, Tier::default(), tier)?,
            constraints,
            one_per_node: self.one_per_node.parse_or(row, false, flag)?,
            kubernetes: None,
        })
    }
}

fn priority(field: &[u8]) -> Result<i32, Fault> {
    let (sign, digits) = match field {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    i32::try_from(sign * unsigned(digits)? as i64).map_err(|_| Fault::TooLarge)
}

fn tier(field: &[u8]) -> Result<Tier, Fault> {
    let known = Tier::ALL.into_iter().find(|tier| tier.name().as_bytes() == field);
    known.ok_or(Fault::UnknownCode)
}

/// A boolean.
pub fn flag(field: &[u8]) -> Result<bool, Fault> {
    match field {
        b"true" | b"1" => Ok(true),
        b"false" | b"0" => Ok(false),
        _ => Err(Fault::UnknownCode),
    }
}

/// The columns that tell the work of an attempt.
#[derive(Clone, Copy)]
pub struct WorkColumns {
    run: Column,
    outcome: Column,
}

impl WorkColumns {
    pub fn find(table: &CsvTable) -> Self {
        let column = |name| Column::optional(table, name);
        Self { run: column("run_us"), outcome: column("outcome") }
    }

    /// A run with its outcome (`finish` where that is empty), or no run and `until-stopped` (also
    /// where that is empty) or `unknown`.
    pub fn parse(&self, row: &ByteRecord) -> Result<Work, FieldError> {
        let ended = |outcome| -> Result<Work, FieldError> {
            let run = SimDuration(self.run.parse(row, unsigned)?);
            Ok(Work::For { run, outcome })
        };
        match (self.outcome.field(row), self.run.field(row)) {
            (b"" | b"until-stopped", b"") => Ok(Work::UntilStopped),
            (b"unknown", b"") => Ok(Work::Unknown),
            (b"" | b"finish", _) => ended(Outcome::Finish),
            (b"fail", _) => ended(Outcome::Fail),
            _ => self.outcome.parse(row, |_| Err(Fault::UnknownCode)),
        }
    }
}
