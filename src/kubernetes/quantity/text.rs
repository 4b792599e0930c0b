//! Writing quantities in their canonical form: no fraction, no more precision than there is, and
//! the largest suffix that both allow.

use std::fmt;

use super::{Format, Quantity, power_of_ten};

/// The largest decimal suffix, as a power of ten.
const LARGEST_TENS: i32 = 18;
/// The number of binary suffixes.
const LARGEST_BINARY: usize = 6;

impl Quantity {
    /// The whole number that a binary amount is; `None` if another format suits it better,
    /// because it is small or has a fraction.
    fn whole_binary(self) -> Option<i128> {
        if self.format != Format::BinarySi || self.scale < 0 {
            return None;
        }
        let factor = power_of_ten(self.scale.unsigned_abs())?;
        self.unscaled.checked_mul(factor).filter(|value| value.unsigned_abs() >= 1024)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return formatter.write_str("0");
        }
        if let Some(mut value) = self.whole_binary() {
            let mut times = 0;
            while times < LARGEST_BINARY && value % 1024 == 0 {
                value /= 1024;
                times += 1;
            }
            let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][times];
            return write!(formatter, "{value}{suffix}");
        }
        // Exponents are multiples of three, and those of a suffix end somewhere.
        let mut exponent = self.scale - self.scale.rem_euclid(3);
        if self.format != Format::DecimalExponent {
            exponent = exponent.min(LARGEST_TENS);
        }
        let zeros = usize::try_from(self.scale - exponent).map_err(|_| fmt::Error)?;
        write!(formatter, "{}{:0<zeros$}", self.unscaled, "")?;
        match (self.format, exponent) {
            (_, 0) => Ok(()),
            (Format::DecimalExponent, _) => write!(formatter, "e{exponent}"),
            (_, _) => {
                let suffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
                let place = usize::try_from(exponent / 3 + 3).map_err(|_| fmt::Error)?;
                formatter.write_str(suffixes.get(place).ok_or(fmt::Error)?)
            }
        }
    }
}
