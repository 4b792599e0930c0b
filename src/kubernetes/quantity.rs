//! Amounts of resources, exact to a billionth (`k8s.io/apimachinery/pkg/api/resource` v0.35).

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Units are kept in billionths.
const NANO: i128 = 1_000_000_000;
/// No amount is larger than this many units.
const LIMIT: i128 = i64::MAX as i128 * NANO;

/// How an amount is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Format {
    /// Powers of ten: `k`, `M`.
    #[default]
    DecimalSi,
    /// Powers of two: `Ki`, `Mi`.
    BinarySi,
    /// `e3`, `E6`.
    DecimalExponent,
}

/// An amount of a resource, such as `500m` or `2Gi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

/// Text that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no quantity: expected a number and a suffix, like `500m` or `2Gi`")]
pub struct QuantityError(String);

impl Quantity {
    /// Whole units.
    pub const fn from_units(units: i64) -> Self {
        Self { nanos: units as i128 * NANO, format: Format::DecimalSi }
    }

    /// Thousandths of units.
    pub const fn from_millis(millis: i64) -> Self {
        Self { nanos: millis as i128 * (NANO / 1_000), format: Format::DecimalSi }
    }

    /// The same amount, written in powers of two.
    pub const fn binary(self) -> Self {
        Self { nanos: self.nanos, format: Format::BinarySi }
    }

    /// Units, rounded away from zero.
    pub fn value(self) -> i64 {
        self.in_units_of(NANO)
    }

    /// Thousandths of units, rounded away from zero.
    pub fn milli_value(self) -> i64 {
        self.in_units_of(NANO / 1_000)
    }

    /// True for an amount of nothing.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    fn in_units_of(self, unit: i128) -> i64 {
        let rounded = self.nanos.unsigned_abs().div_ceil(unit.unsigned_abs());
        let clamped = i64::try_from(rounded).unwrap_or(i64::MAX);
        if self.nanos < 0 { -clamped } else { clamped }
    }

    /// An amount of `nanos`, in the format of `self`.
    fn with(self, nanos: i128) -> Self {
        Self { nanos, format: self.format }
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let sum = self.nanos + other.nanos;
        if self.is_zero() { other.with(sum) } else { self.with(sum) }
    }
}

impl Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Quantity {
    type Output = Self;
    fn neg(self) -> Self {
        self.with(-self.nanos)
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

/// What a suffix stands for: a power of ten, a power of two, and the format.
fn suffix(text: &str) -> Option<(i32, u32, Format)> {
    let decimal = |power| Some((power, 0, Format::DecimalSi));
    let binary = |power| Some((0, power, Format::BinarySi));
    match text {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let exponent = text.strip_prefix(['e', 'E'])?;
            exponent.parse().ok().map(|power| (power, 0, Format::DecimalExponent))
        }
    }
}

/// `digits × 10^power × 2^twos` billionths, rounded up; the limit if there are more.
fn scaled(digits: &str, mut power: i64, twos: u32) -> i128 {
    let mut value: i128 = 0;
    let mut inexact = false;
    for (position, digit) in digits.bytes().enumerate() {
        // 19 digits leave room for every suffix.
        if value >= 1_000_000_000_000_000_000 {
            inexact |= digits.as_bytes()[position..].iter().any(|digit| *digit != b'0');
            power += i64::try_from(digits.len() - position).unwrap_or(i64::MAX / 2);
            break;
        }
        value = value * 10 + i128::from(digit - b'0');
    }
    if value == 0 {
        return 0;
    }
    value <<= twos;
    while power > 0 && value < LIMIT {
        value *= 10;
        power -= 1;
    }
    while power < 0 && value > 0 {
        inexact |= value % 10 != 0;
        value /= 10;
        power += 1;
    }
    (value + i128::from(inexact)).min(LIMIT)
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let wrong = || QuantityError(text.to_owned());
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let end = unsigned
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(unsigned.len());
        let (whole, fraction) = unsigned[..end].split_once('.').unwrap_or((&unsigned[..end], ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') {
            return Err(wrong());
        }
        let (tens, twos, format) = suffix(&unsigned[end..]).ok_or_else(wrong)?;
        let power = i64::from(tens) + 9 - i64::try_from(fraction.len()).map_err(|_| wrong())?;
        let nanos = scaled(&format!("{whole}{fraction}"), power, twos);
        Ok(Self { nanos: if negative { -nanos } else { nanos }, format })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, suffix) = [(NANO, ""), (NANO / 1_000, "m"), (1_000, "u")]
            .into_iter()
            .find(|(unit, _)| self.nanos % unit == 0)
            .unwrap_or((1, "n"));
        write!(formatter, "{}{suffix}", self.nanos / unit)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A quantity may be written as text or as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(serde_json::Number),
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => text.parse(),
            Written::Number(number) => number.to_string().parse(),
        }
        .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn quantities_are_read() {
        let millis = |text: &str| text.parse::<Quantity>().expect(text).milli_value();
        assert_eq!(millis("500m"), 500);
        assert_eq!(millis("0.5"), 500);
        assert_eq!(millis("1e3"), 1_000_000);
        assert_eq!(millis("100n"), 1);
        assert_eq!(millis("-1Ki"), -1_024_000);
        assert_eq!("1.5Gi".parse::<Quantity>().expect("valid").value(), 3 << 29);
        assert_eq!("9Ei".parse::<Quantity>().expect("valid").value(), i64::MAX);
        for text in ["", "m", "1.2.3", "1x", "1 Gi", "0x1"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }
}
