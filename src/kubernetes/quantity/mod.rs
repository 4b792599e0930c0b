//! Amounts of resources, exact to a billionth (`k8s.io/apimachinery/pkg/api/resource` v0.35.4).
//!
//! An amount is a decimal number and the way it likes to be written. Two amounts are equal if the
//! numbers are; the way of writing does not matter.

mod parse;
mod text;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use parse::QuantityError;

/// No amount is finer than 10 to this power.
const FINEST: i32 = -9;

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
///
/// Arithmetic is exact up to 38 decimal digits; what is larger loses its last digits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quantity {
    /// The digits, without trailing zeros (nothing has the scale 0).
    unscaled: i128,
    /// The power of ten the digits are multiplied with.
    scale: i32,
    format: Format,
}

/// `value / divisor`, rounded away from zero, and whether that is exact.
fn divide_away_from_zero(value: i128, divisor: i128) -> (i128, bool) {
    let (quotient, rest) = (value / divisor, value % divisor);
    (quotient + if rest == 0 { 0 } else { value.signum() }, rest == 0)
}

/// `10^power`, if there are so many numbers.
fn power_of_ten(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}

/// Number of decimal digits.
fn digits(value: i128) -> i64 {
    value.unsigned_abs().checked_ilog10().map_or(0, |log| i64::from(log) + 1)
}

impl Quantity {
    /// `unscaled × 10^scale`, kept without trailing zeros.
    const fn new(mut unscaled: i128, mut scale: i32, format: Format) -> Self {
        if unscaled == 0 {
            scale = 0;
        }
        while unscaled != 0 && unscaled % 10 == 0 {
            unscaled /= 10;
            scale += 1;
        }
        Self { unscaled, scale, format }
    }

    /// Whole units.
    pub const fn from_units(units: i64) -> Self {
        Self::new(units as i128, 0, Format::DecimalSi)
    }

    /// Thousandths of units.
    pub const fn from_millis(millis: i64) -> Self {
        Self::new(millis as i128, -3, Format::DecimalSi)
    }

    /// `value × 10^scale`, rounded up to billionths.
    pub fn from_scaled(value: i64, scale: i32) -> Self {
        let mut quantity = Self::new(i128::from(value), scale, Format::DecimalSi);
        quantity.round_up(FINEST);
        quantity
    }

    /// The same amount, written in powers of two.
    #[must_use]
    pub const fn binary(self) -> Self {
        Self { format: Format::BinarySi, ..self }
    }

    /// How it is written.
    pub const fn format(self) -> Format {
        self.format
    }

    /// Units, rounded away from zero. What does not fit is the largest or smallest number.
    pub fn value(self) -> i64 {
        self.scaled_value(0)
    }

    /// Thousandths of units, rounded away from zero.
    pub fn milli_value(self) -> i64 {
        self.scaled_value(-3)
    }

    /// The amount in units of `10^scale`, rounded away from zero.
    pub fn scaled_value(self, scale: i32) -> i64 {
        let limit = if self.unscaled < 0 { i64::MIN } else { i64::MAX };
        let Some(difference) = self.scale.checked_sub(scale) else { return limit };
        let factor = power_of_ten(difference.unsigned_abs());
        let value = if difference >= 0 {
            factor.and_then(|factor| self.unscaled.checked_mul(factor))
        } else {
            // A divisor of more than 38 digits leaves less than one.
            let whole = factor.map(|factor| divide_away_from_zero(self.unscaled, factor).0);
            Some(whole.unwrap_or(self.unscaled.signum()))
        };
        if self.is_zero() {
            return 0;
        }
        value.and_then(|value| i64::try_from(value).ok()).unwrap_or(limit)
    }

    /// Rounds to a multiple of `10^scale`, away from zero. True if nothing was lost.
    pub fn round_up(&mut self, scale: i32) -> bool {
        if self.is_zero() || self.scale >= scale {
            return true;
        }
        let factor = power_of_ten(self.scale.abs_diff(scale));
        let (rounded, exact) = factor.map_or((self.unscaled.signum(), false), |factor| {
            divide_away_from_zero(self.unscaled, factor)
        });
        *self = Self::new(rounded, scale, self.format);
        exact
    }

    /// Multiplies by a number. True if the digits of the product fit into 64 bits; the product is
    /// right either way.
    pub fn multiply(&mut self, factor: i64) -> bool {
        let factor = i128::from(factor);
        let (mut unscaled, mut scale) = (self.unscaled, self.scale);
        let product = loop {
            if let Some(product) = unscaled.checked_mul(factor) {
                break product;
            }
            unscaled = divide_away_from_zero(unscaled, 10).0;
            scale += 1;
        };
        *self = Self::new(product, scale, self.format);
        let plain = if scale > 0 {
            power_of_ten(scale.unsigned_abs()).and_then(|factor| product.checked_mul(factor))
        } else {
            Some(product)
        };
        plain.is_some_and(|plain| i64::try_from(plain).is_ok())
    }

    /// -1, 0 or 1.
    pub fn signum(self) -> i32 {
        match self.unscaled.signum() {
            -1 => -1,
            0 => 0,
            _ => 1,
        }
    }

    /// True for an amount of nothing.
    pub const fn is_zero(self) -> bool {
        self.unscaled == 0
    }

    /// The place of the first digit: 1 for `5`, 2 for `50`, 0 for `0.5`.
    fn magnitude(self) -> i64 {
        digits(self.unscaled) + i64::from(self.scale)
    }

    /// The digits of both at the finer scale of the two; `None` if there are too many.
    fn aligned(self, other: Self) -> Option<(i128, i128, i32)> {
        let scale = if self.is_zero() {
            other.scale
        } else if other.is_zero() {
            self.scale
        } else {
            self.scale.min(other.scale)
        };
        let at = |quantity: Self| {
            if quantity.is_zero() {
                return Some(0);
            }
            power_of_ten(quantity.scale.abs_diff(scale))
                .and_then(|factor| quantity.unscaled.checked_mul(factor))
        };
        Some((at(self)?, at(other)?, scale))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        (self.unscaled, self.scale) == (other.unscaled, other.scale)
    }
}

impl Eq for Quantity {}

impl Hash for Quantity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.unscaled, self.scale).hash(state);
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let signs = self.unscaled.signum().cmp(&other.unscaled.signum());
        if signs.is_ne() || self.is_zero() {
            return signs;
        }
        let size = self.magnitude().cmp(&other.magnitude());
        let size = size.then_with(|| match self.aligned(*other) {
            Some((own, others, _)) => own.unsigned_abs().cmp(&others.unsigned_abs()),
            // The one that does not fit has the larger digits.
            None => self.scale.cmp(&other.scale),
        });
        if self.unscaled < 0 { size.reverse() } else { size }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Add for Quantity {
    type Output = Self;

    /// The sum, written like the first of the two that is not nothing.
    fn add(self, other: Self) -> Self {
        let format = if self.is_zero() { other.format } else { self.format };
        let sum = self.aligned(other).and_then(|(own, others, scale)| {
            own.checked_add(others).map(|sum| Self::new(sum, scale, format))
        });
        // Beyond 38 digits the smaller one does not count.
        sum.unwrap_or_else(|| {
            let larger = if self.magnitude() >= other.magnitude() { self } else { other };
            Self { format, ..larger }
        })
    }
}

impl Neg for Quantity {
    type Output = Self;

    fn neg(self) -> Self {
        Self { unscaled: self.unscaled.saturating_neg(), ..self }
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
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

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads text or a number.
struct Written;

impl de::Visitor<'_> for Written {
    type Value = Quantity;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a quantity like `500m` or `2Gi`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Quantity, E> {
        Ok(Quantity::from_units(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Quantity, E> {
        Ok(Quantity::new(i128::from(number), 0, Format::DecimalSi))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Quantity, E> {
        self.visit_str(&number.to_string())
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests;
