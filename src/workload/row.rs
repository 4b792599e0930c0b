//! Splitting and parsing the rows of unquoted CSV files by hand, without allocating.
//!
//! It knows fields and numbers; what a column means stays in the readers.

use memchr::memchr_iter;

use super::source::SourceError;

/// What is wrong with a row or one of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The row does not have as many columns as its table.
    Columns {
        /// Columns of the table.
        expected: usize,
        /// Columns of the row.
        found: usize,
    },
    /// Nothing where a value is needed.
    Missing,
    /// No number.
    NotANumber,
    /// A number below zero.
    Negative,
    /// A number beyond what the column can mean.
    TooLarge,
    /// A code that the format does not define.
    UnknownCode,
    /// Not UTF-8.
    NotText,
    /// A time before that of the row above.
    TimeBackwards,
    /// An end before its start.
    EndsBeforeStart,
    /// A share of several GPUs at once.
    ShareOfSeveral,
    /// No JSON of the shape that the column wants.
    NotJson,
    /// An alloc set that is to run inside of an alloc set.
    NestedAllocs,
}

impl Fault {
    /// The reason under which skipped rows are counted.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Columns { .. } => "wrong number of columns",
            Self::Missing => "value missing",
            Self::NotANumber => "not a number",
            Self::Negative => "negative number",
            Self::TooLarge => "number too large",
            Self::UnknownCode => "unknown code",
            Self::NotText => "not UTF-8",
            Self::TimeBackwards => "time goes backwards",
            Self::EndsBeforeStart => "ends before it starts",
            Self::ShareOfSeveral => "a share of several GPUs",
            Self::NotJson => "not the JSON expected",
            Self::NestedAllocs => "an alloc set inside of an alloc set",
        }
    }

    /// Names the column that has the fault, from 0.
    pub const fn at(self, column: usize) -> FieldError {
        FieldError { column: column as u32 + 1, fault: self }
    }
}

/// A [`Fault`] and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Column from 1; 0 for the row as a whole.
    pub column: u32,
    /// What is wrong.
    pub fault: Fault,
}

impl FieldError {
    /// The error of a strict reader: place, what was expected of the column `name`, what was
    /// found.
    pub fn at_place(self, (file, line): (String, u64), name: &str, found: &[u8]) -> SourceError {
        let message = match self.fault {
            Fault::Columns { expected, found } => {
                format!("{expected} columns expected, {found} found")
            }
            fault => format!("{name}: {}: {:?}", fault.reason(), String::from_utf8_lossy(found)),
        };
        SourceError::Row { file, line, column: self.column, message }
    }

    /// Index of the column from 0; `None` for the row as a whole.
    pub fn index(self) -> Option<usize> {
        usize::try_from(self.column).ok()?.checked_sub(1)
    }
}

/// The `N` fields of a row.
///
/// # Errors
/// Another number of fields.
#[inline]
pub fn split<const N: usize>(row: &[u8]) -> Result<[&[u8]; N], FieldError> {
    let mut fields = [&row[..0]; N];
    let mut start = 0;
    let mut found = 0;
    for comma in memchr_iter(b',', row) {
        if found < N {
            fields[found] = &row[start..comma];
        }
        found += 1;
        start = comma + 1;
    }
    if found + 1 != N {
        let fault = Fault::Columns { expected: N, found: found + 1 };
        return Err(FieldError { column: 0, fault });
    }
    fields[N - 1] = &row[start..];
    Ok(fields)
}

/// A whole number of 0..2^63.
///
/// # Errors
/// Anything else, by kind.
#[inline]
pub fn unsigned(field: &[u8]) -> Result<u64, Fault> {
    if field.is_empty() || field.len() > 19 {
        return Err(not_a_short_number(field));
    }
    let mut value = 0_u64;
    for byte in field {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(not_digits(field));
        }
        value = value * 10 + u64::from(digit);
    }
    if value > i64::MAX as u64 {
        return Err(Fault::TooLarge);
    }
    Ok(value)
}

/// [`unsigned`], or `None` for an empty field.
///
/// # Errors
/// As [`unsigned`].
#[inline]
pub fn optional_unsigned(field: &[u8]) -> Result<Option<u64>, Fault> {
    if field.is_empty() { Ok(None) } else { unsigned(field).map(Some) }
}

/// A whole number of 0..=`limit`.
///
/// # Errors
/// As [`unsigned`], and a larger one.
#[inline]
pub fn at_most(field: &[u8], limit: u64) -> Result<u64, Fault> {
    let value = unsigned(field)?;
    if value > limit { Err(Fault::TooLarge) } else { Ok(value) }
}

fn not_a_short_number(field: &[u8]) -> Fault {
    if field.is_empty() {
        Fault::Missing
    } else if field.iter().all(u8::is_ascii_digit) {
        Fault::TooLarge
    } else {
        not_digits(field)
    }
}

fn not_digits(field: &[u8]) -> Fault {
    match field {
        [b'-', b'0'..=b'9', ..] => Fault::Negative,
        _ => Fault::NotANumber,
    }
}

/// Powers of ten that fit.
const POWERS: [u64; 19] = {
    let mut powers = [1; 19];
    let mut i = 1;
    while i < 19 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// A decimal such as `0.0004244` or `6.104e-05` (C's `%g`) times 10^`digits`, rounded half up to a
/// whole number of 0..=`limit`; no float is involved.
///
/// # Errors
/// No decimal (NaN and infinities included), one below zero, one above `limit`.
#[inline]
pub fn scaled_decimal(field: &[u8], digits: i32, limit: u64) -> Result<u64, Fault> {
    let mut mantissa = 0_u64;
    let mut kept = 0;
    let mut point = None;
    let mut exponent = 0;
    let mut seen = false;
    for (i, byte) in field.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                let digit = u64::from(byte - b'0');
                // Digits beyond the 18th significant one cannot change the rounded result.
                if kept < 18 {
                    mantissa = mantissa * 10 + digit;
                    kept += i32::from(mantissa > 0);
                    exponent -= i32::from(point.is_some());
                } else {
                    exponent += i32::from(point.is_none());
                }
            }
            b'.' if point.is_none() => point = Some(i),
            b'e' | b'E' if seen => {
                exponent += exponent_part(&field[i + 1..])?;
                return scale(mantissa, exponent.saturating_add(digits), limit);
            }
            _ => return Err(decimal_fault(field)),
        }
    }
    if !seen {
        return Err(if field.is_empty() { Fault::Missing } else { Fault::NotANumber });
    }
    scale(mantissa, exponent.saturating_add(digits), limit)
}

fn decimal_fault(field: &[u8]) -> Fault {
    match field {
        [b'-', rest @ ..] if scaled_decimal(rest, 0, u64::MAX).is_ok() => Fault::Negative,
        _ => Fault::NotANumber,
    }
}

/// The number after the `e`; huge ones saturate.
fn exponent_part(field: &[u8]) -> Result<i32, Fault> {
    let (sign, digits) = match field {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, field),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Fault::NotANumber);
    }
    let value = digits.iter().fold(0, |value: i32, byte| {
        value.saturating_mul(10).saturating_add(i32::from(byte - b'0')).min(100_000)
    });
    Ok(sign * value)
}

/// `mantissa × 10^exponent`, rounded half up.
fn scale(mantissa: u64, exponent: i32, limit: u64) -> Result<u64, Fault> {
    let power = POWERS.get(exponent.unsigned_abs() as usize).copied();
    let value = match (mantissa, power) {
        (0, _) => 0,
        (_, None) if exponent < 0 => 0,
        (_, None) => return Err(Fault::TooLarge),
        (_, Some(power)) if exponent >= 0 => mantissa.checked_mul(power).ok_or(Fault::TooLarge)?,
        (_, Some(power)) => (mantissa + power / 2) / power,
    };
    if value > limit { Err(Fault::TooLarge) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_split_only_at_its_number_of_columns() {
        assert_eq!(split::<3>(b"a,,c").unwrap(), [&b"a"[..], b"", b"c"]);
        assert_eq!(split::<1>(b"").unwrap(), [&b""[..]]);
        for (row, found) in [(&b"a,b"[..], 2), (b"a,b,c,d", 4), (b"", 1)] {
            let fault = Fault::Columns { expected: 3, found };
            assert_eq!(split::<3>(row).unwrap_err(), FieldError { column: 0, fault });
        }
    }

    #[test]
    fn whole_numbers_are_read_exactly_or_refused_by_kind() {
        assert_eq!(unsigned(b"9223372036854775807"), Ok(i64::MAX as u64));
        assert_eq!(unsigned(b"007"), Ok(7));
        let refused: [(&[u8], Fault); 8] = [
            (b"", Fault::Missing),
            (b"-1", Fault::Negative),
            (b"x", Fault::NotANumber),
            (b"1.5", Fault::NotANumber),
            (b"9223372036854775808", Fault::TooLarge),
            (b"99999999999999999999", Fault::TooLarge),
            (b"-99999999999999999999", Fault::Negative),
            (b" 1", Fault::NotANumber),
        ];
        for (field, fault) in refused {
            assert_eq!(unsigned(field), Err(fault), "{}", String::from_utf8_lossy(field));
        }
    }

    #[test]
    fn decimals_are_scaled_without_loss_or_refused_by_kind() {
        let read = |text: &str| scaled_decimal(text.as_bytes(), 7, 1_000_000_000);
        for (text, value) in [
            ("0.0004244", 4_244),
            ("0.5", 5_000_000),
            ("1", 10_000_000),
            ("0", 0),
            ("6.104e-05", 610),
            ("6.105e-05", 611),
            ("1e+1", 100_000_000),
            ("0.00000004", 0),
            ("0.00000005", 1),
            ("1e-99999", 0),
            ("0e99999", 0),
            (".5", 5_000_000),
            ("5.", 50_000_000),
            ("0.123456789012345678901234567890", 1_234_568),
        ] {
            assert_eq!(read(text), Ok(value), "{text}");
        }
        for (text, fault) in [
            ("", Fault::Missing),
            ("NaN", Fault::NotANumber),
            ("inf", Fault::NotANumber),
            ("-0.5", Fault::Negative),
            ("--1", Fault::NotANumber),
            ("1e", Fault::NotANumber),
            ("1e5e5", Fault::NotANumber),
            ("1.2.3", Fault::NotANumber),
            (".", Fault::NotANumber),
            ("101", Fault::TooLarge),
            ("1e30", Fault::TooLarge),
            ("99999999999999999999999999", Fault::TooLarge),
        ] {
            assert_eq!(read(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_strict_error_names_file_line_column_and_what_was_found() {
        let error = Fault::NotANumber.at(1).at_place(("f.csv".into(), 3), "job", b"x");
        assert_eq!(error.to_string(), "f.csv:3:2: job: not a number: \"x\"");
    }
}
