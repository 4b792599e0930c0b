//! One line of a log: eighteen numbers, −1 where a value is not known.

use super::super::row::{Fault, FieldError, at_most, scaled_decimal, unsigned};

/// What the fields are called, in order.
pub const COLUMNS: [&str; 18] = [
    "job number",
    "submit time",
    "wait time",
    "run time",
    "allocated processors",
    "average cpu time",
    "used memory",
    "requested processors",
    "requested time",
    "requested memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding job",
    "think time",
];

/// Times above this many seconds (about 31,700 years) are broken numbers.
const LATEST_SECOND: u64 = 1_000_000_000_000;
/// More processors than this are a broken number.
const MOST_PROCESSORS: u64 = 10_000_000;
/// More memory than this (an exbibyte in KiB) is a broken number.
const MOST_MEMORY_KIB: u64 = 1 << 50;
const MICROSECONDS_DIGITS: i32 = 6;

/// How a job ended (field 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 0.
    Failed,
    /// 1.
    Completed,
    /// 2 to 4: a part of a job that was swapped out.
    Partial,
    /// 5.
    Cancelled,
    /// −1.
    Unknown,
}

/// What is used of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub number: u64,
    pub submit_us: u64,
    pub run_us: Option<u64>,
    pub allocated: Option<u32>,
    pub requested: Option<u32>,
    pub estimate_us: Option<u64>,
    /// For each processor.
    pub memory_bytes: i64,
    pub status: Status,
    pub user: i64,
    pub group: i64,
    pub queue: i64,
    pub after: Option<u64>,
    pub think_us: u64,
    pub extra_columns: bool,
}

impl Line {
    /// Processors that the job asks for, or else got; none is as good as unknown.
    pub fn processors(&self) -> Option<u32> {
        let some = |count: &u32| *count > 0;
        self.requested.filter(some).or(self.allocated.filter(some))
    }
}

/// The fields of a line.
pub fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty())
}

/// Parses a line.
///
/// # Errors
/// Fewer than eighteen fields, or one that is not what its column wants.
pub fn parse(line: &[u8]) -> Result<Line, FieldError> {
    let mut row = [&line[..0]; COLUMNS.len()];
    let mut found = 0;
    for field in fields(line) {
        if found < row.len() {
            row[found] = field;
        }
        found += 1;
    }
    if found < row.len() {
        let fault = Fault::Columns { expected: COLUMNS.len(), found };
        return Err(FieldError { column: 0, fault });
    }
    let at = |column: usize, fault: Fault| fault.at(column);
    let seconds = |column: usize| known(row[column], time).map_err(|fault| at(column, fault));
    let count = |column: usize| {
        let parse = |field: &[u8]| at_most(field, MOST_PROCESSORS).map(|count| count as u32);
        known(row[column], parse).map_err(|fault| at(column, fault))
    };
    let name = |column: usize| {
        let parse = |field: &[u8]| unsigned(field).map(|number| number as i64);
        known(row[column], parse).map(|name| name.unwrap_or(-1)).map_err(|fault| at(column, fault))
    };
    let memory = known(row[9], |field| scaled_decimal(field, 0, MOST_MEMORY_KIB));
    let memory_kib = memory.map_err(|fault| at(9, fault))?.unwrap_or(0);
    Ok(Line {
        number: unsigned(row[0]).map_err(|fault| at(0, fault))?,
        submit_us: seconds(1)?.ok_or(at(1, Fault::Missing))?,
        run_us: seconds(3)?,
        allocated: count(4)?,
        requested: count(7)?,
        estimate_us: seconds(8)?.filter(|estimate| *estimate > 0),
        memory_bytes: (memory_kib * 1024) as i64,
        status: status(row[10]).map_err(|fault| at(10, fault))?,
        user: name(11)?,
        group: name(12)?,
        queue: name(14)?,
        after: known(row[16], unsigned).map_err(|fault| at(16, fault))?,
        think_us: seconds(17)?.unwrap_or(0),
        extra_columns: found > row.len(),
    })
}

/// `None` for −1, which stands for what is not known.
fn known<T>(field: &[u8], parse: impl Fn(&[u8]) -> Result<T, Fault>) -> Result<Option<T>, Fault> {
    match field {
        b"-1" | b"-1.0" => Ok(None),
        _ => parse(field).map(Some),
    }
}

/// Seconds, whole by the format, with decimals in some logs; in microseconds.
fn time(field: &[u8]) -> Result<u64, Fault> {
    scaled_decimal(field, MICROSECONDS_DIGITS, LATEST_SECOND * 1_000_000)
}

fn status(field: &[u8]) -> Result<Status, Fault> {
    match field {
        b"0" => Ok(Status::Failed),
        b"1" => Ok(Status::Completed),
        b"2" | b"3" | b"4" => Ok(Status::Partial),
        b"5" => Ok(Status::Cancelled),
        b"-1" => Ok(Status::Unknown),
        _ => Err(Fault::UnknownCode),
    }
}
