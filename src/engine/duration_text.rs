//! Lengths of time as people write them: `30d`, `5min`, `1h30m`, `250ms`, `0`.

use super::decimal::Decimal;
use super::time::SimDuration;

/// The longest duration: 1,000 years.
const LONGEST_US: u128 = 1000 * 365 * 86_400 * 1_000_000;

impl SimDuration {
    /// Reads `text`, exactly.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow on the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut total: u128 = 0;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err("is empty".to_owned());
        }
        while !rest.is_empty() {
            let (number, suffix) = Decimal::read(rest)?;
            let end = suffix.find(|c: char| c.is_ascii_digit()).unwrap_or(suffix.len());
            let unit = suffix[..end].trim();
            rest = &suffix[end..];
            if unit.is_empty() && (number.digits > 0 || end < suffix.len()) {
                return Err(format!("has no unit; did you mean {text}s?"));
            }
            let unit_us = Self::unit_us(unit).ok_or_else(|| {
                format!("has the unknown unit \"{unit}\" (known: us, ms, s, min, h, d, w, y)")
            })?;
            total += number.times(unit_us, LONGEST_US, "is finer than a microsecond")? as u128;
        }
        if total > LONGEST_US {
            return Err("is too large".to_owned());
        }
        Ok(Self(u64::try_from(total).expect("1,000 years of microseconds fit 64 bits")))
    }

    /// Microseconds in one `unit`, such as `min`.
    pub fn unit_us(unit: &str) -> Option<u128> {
        Some(match unit {
            "us" | "µs" => 1,
            "ms" => 1000,
            "s" | "sec" | "" => 1_000_000,
            "m" | "min" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            "w" => 604_800_000_000,
            "y" => 31_536_000_000_000,
            _ => return None,
        })
    }
}
