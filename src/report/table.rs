//! A table: cells with a value for machines and a text for people, so that one definition yields
//! both the CSV file and the HTML table. Knows nothing of what is in it.

use super::ReportError;
use super::format;

/// What a cell holds, as CSV writes it and tables are sorted by.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The question does not arise.
    None,
    Text(String),
    Whole(u64),
    Real(f64),
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    pub value: Value,
    pub shown: String,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name in the CSV file, with the unit.
    pub key: String,
    /// Heading in HTML.
    pub heading: String,
    /// Numbers stand right.
    pub numeric: bool,
}

/// Rows of cells under columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

/// A column of words.
pub fn words(key: &str, heading: &str) -> Column {
    Column { key: key.to_owned(), heading: heading.to_owned(), numeric: false }
}

/// A column of numbers.
pub fn numbers(key: impl Into<String>, heading: impl Into<String>) -> Column {
    Column { key: key.into(), heading: heading.into(), numeric: true }
}

pub fn text(value: &str) -> Cell {
    Cell { value: Value::Text(value.to_owned()), shown: value.to_owned() }
}

pub fn whole(value: u64) -> Cell {
    Cell { value: Value::Whole(value), shown: format::exact(value) }
}

/// A real number shown by `show`; what is not finite is nothing.
pub fn real(value: f64, show: impl FnOnce(f64) -> String) -> Cell {
    optional(Some(value), show)
}

/// As [`real`], for a question that may not arise.
pub fn optional(value: Option<f64>, show: impl FnOnce(f64) -> String) -> Cell {
    match value.filter(|number| number.is_finite()) {
        Some(number) => Cell { value: Value::Real(number), shown: show(number) },
        None => Cell { value: Value::None, shown: format::NOTHING.to_owned() },
    }
}

impl Value {
    fn csv(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Real(number) if number.is_finite() => number.to_string(),
            Self::Real(_) => String::new(),
        }
    }

    /// What the table is sorted by in the page: the raw number, or the text.
    pub fn sort_key(&self) -> String {
        self.csv()
    }
}

impl Table {
    /// The table as CSV (RFC 4180, a header line, `.` as decimal sign, empty where there is
    /// nothing).
    ///
    /// # Errors
    ///
    /// [`ReportError::Csv`], should a row have another number of cells than there are columns.
    pub fn csv(&self) -> Result<Vec<u8>, ReportError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|column| &column.key))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| cell.value.csv()))?;
        }
        writer.into_inner().map_err(|error| ReportError::Csv(error.into_error().into()))
    }

    /// The table without the columns in which no row has anything.
    pub fn without_empty_columns(&self) -> Self {
        self.kept(|index| self.rows.iter().any(|row| row[index].value != Value::None))
    }

    /// The table without the columns whose keys begin with one of `starts`.
    pub fn without(&self, starts: &[&str]) -> Self {
        self.kept(|index| !begins(&self.columns[index].key, starts))
    }

    /// The columns of which the key is one of `keys` or begins with one of `starts`.
    pub fn only(&self, keys: &[&str], starts: &[&str]) -> Self {
        let wanted = |key: &str| keys.contains(&key) || begins(key, starts);
        self.kept(|index| wanted(&self.columns[index].key))
    }

    fn kept(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.columns.len()).filter(|&index| keep(index)).collect();
        Self {
            columns: kept.iter().map(|&index| self.columns[index].clone()).collect(),
            rows: self
                .rows
                .iter()
                .map(|row| kept.iter().map(|&index| row[index].clone()).collect())
                .collect(),
        }
    }
}

fn begins(key: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| key.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            columns: vec![words("name", "Name"), numbers("a_s", "A"), numbers("b", "B")],
            rows: vec![
                vec![text("x, y"), real(90.0, format::duration), optional(None, format::percent)],
                vec![text("z"), real(f64::NAN, format::duration), optional(None, format::percent)],
            ],
        }
    }

    #[test]
    fn csv_holds_raw_numbers_and_nothing_where_there_is_nothing() {
        let csv = String::from_utf8(table().csv().unwrap()).unwrap();
        assert_eq!(csv, "name,a_s,b\n\"x, y\",90,\nz,,\n");
    }

    #[test]
    fn columns_without_any_value_are_left_out() {
        let table = table().without_empty_columns();
        assert_eq!(table.columns.len(), 2);
        assert_eq!(table.rows[0][1].shown, "1.5 min");
        assert_eq!(table.rows[1][1].shown, format::NOTHING);
    }
}
