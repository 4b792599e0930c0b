//! Numbers with units as scenarios write them: `500m`, `256Gi`, `30d`, `1h30m`, `99.9%`.
//!
//! Every amount is read exactly, in integers; floats come only where the amount is a ratio.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::engine::{Decimal, SimDuration};

/// A kind of quantity: what it is called and how it is read.
pub trait Unit: 'static {
    /// What it is in the end.
    type Amount: Copy + fmt::Debug + PartialEq;
    /// Name in the JSON Schema (`x-quantity`).
    const KIND: &'static str;
    /// For error messages: `a duration such as 30d, 5min or 1h30m`.
    const EXPECTED: &'static str;
    /// Regular expression for editors.
    const PATTERN: &'static str;

    /// Reads `text`.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow on the text.
    fn parse(text: &str) -> Result<Self::Amount, String>;
}

/// A quantity as it was written, and what it comes to.
pub struct Quantity<U: Unit> {
    text: String,
    amount: U::Amount,
    unit: PhantomData<U>,
}

impl<U: Unit> Quantity<U> {
    /// Reads `text`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), amount: U::parse(text)?, unit: PhantomData })
    }

    /// What it comes to.
    pub fn amount(&self) -> U::Amount {
        self.amount
    }
}

impl<U: Unit> Clone for Quantity<U> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), amount: self.amount, unit: PhantomData }
    }
}

impl<U: Unit> PartialEq for Quantity<U> {
    fn eq(&self, other: &Self) -> bool {
        self.amount == other.amount
    }
}

impl<U: Unit> fmt::Debug for Quantity<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.text, self.amount)
    }
}

impl<U: Unit> fmt::Display for Quantity<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<U: Unit> Serialize for Quantity<U> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, U: Unit> Deserialize<'de> for Quantity<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<U>(PhantomData<U>);
        impl<U: Unit> Visitor<'_> for Text<U> {
            type Value = Quantity<U>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(U::EXPECTED)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Quantity::parse(text).map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
                self.visit_str(&number.to_string())
            }
        }
        deserializer.deserialize_any(Text(PhantomData))
    }
}

impl<U: Unit> JsonSchema for Quantity<U> {
    fn schema_name() -> Cow<'static, str> {
        U::KIND.into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number"],
            "pattern": U::PATTERN,
            "x-quantity": U::KIND,
        })
    }
}

/// The quantity called `kind` in the schema: what to expect, and how to check a text.
pub fn rule_of(kind: &str) -> Option<Rule> {
    fn rule<U: Unit>() -> (&'static str, Rule) {
        let check = |text: &str| U::parse(text).map(|_| ());
        (U::KIND, Rule { expected: U::EXPECTED, check })
    }
    let rules = [
        rule::<Cpu>(),
        rule::<Bytes>(),
        rule::<Duration>(),
        rule::<Share>(),
        rule::<Factor>(),
        rule::<Rate>(),
    ];
    rules.into_iter().find(|(name, _)| *name == kind).map(|(_, rule)| rule)
}

/// How to check a text that is to be a quantity.
#[derive(Clone, Copy)]
pub struct Rule {
    /// [`Unit::EXPECTED`].
    pub expected: &'static str,
    /// Why a text is no such quantity.
    pub check: fn(&str) -> Result<(), String>,
}

/// CPU, in millicores.
pub enum Cpu {}
/// Memory and storage, in bytes.
pub enum Bytes {}
/// A length of time.
pub enum Duration {}
/// A share between 0 and 1.
pub enum Share {}
/// A factor of at least 0, up to 1000.
pub enum Factor {}
/// Something per unit of time, per second.
pub enum Rate {}

/// `64`, `0.5`, `500m`.
pub type CpuQuantity = Quantity<Cpu>;
/// `256Gi`, `64G`, `1048576`.
pub type ByteQuantity = Quantity<Bytes>;
/// `30d`, `5min`, `1h30m`, `250ms`, `0`.
pub type DurationText = Quantity<Duration>;
/// `0.999`, `99.9%`.
pub type Ratio = Quantity<Share>;
/// `1.5`, `150%`.
pub type FactorText = Quantity<Factor>;
/// `100/s`, `20/min`.
pub type RateText = Quantity<Rate>;

/// More than any cell has: 2^52 millicores or bytes leave room for sums over all nodes in an
/// `i64`.
const MOST: u128 = 1 << 52;

impl Unit for Cpu {
    type Amount = i64;
    const KIND: &'static str = "cpu-quantity";
    const EXPECTED: &'static str = "an amount of cpu such as 64, 0.5 or 500m";
    const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)?m?$";

    fn parse(text: &str) -> Result<i64, String> {
        let (number, suffix) = Decimal::read(text)?;
        let per_unit = match suffix {
            "" => 1000,
            "m" => 1,
            _ => return Err(format!("has the unknown unit \"{suffix}\"")),
        };
        number.times(per_unit, MOST, "is finer than a millicore")
    }
}

impl Unit for Bytes {
    type Amount = i64;
    const KIND: &'static str = "byte-quantity";
    const EXPECTED: &'static str = "an amount of bytes such as 256Gi, 64G or 1048576";
    const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)?([kKMGTPE]i?)?B?$";

    fn parse(text: &str) -> Result<i64, String> {
        const SUFFIXES: [(&str, u128); 13] = [
            ("", 1),
            ("k", 1000),
            ("K", 1000),
            ("M", 1_000_000),
            ("G", 1_000_000_000),
            ("T", 1_000_000_000_000),
            ("P", 1_000_000_000_000_000),
            ("Ki", 1 << 10),
            ("Mi", 1 << 20),
            ("Gi", 1 << 30),
            ("Ti", 1 << 40),
            ("Pi", 1 << 50),
            ("Ei", 1 << 60),
        ];
        let (number, suffix) = Decimal::read(text)?;
        let unit = suffix.strip_suffix('B').unwrap_or(suffix);
        let known = SUFFIXES.iter().find(|(name, _)| *name == unit);
        let (_, bytes) = known.ok_or_else(|| match unit {
            "m" => "is a fraction of a byte; did you mean M or Mi?".to_owned(),
            _ => format!("has the unknown unit \"{suffix}\""),
        })?;
        number.times(*bytes, MOST, "is no whole number of bytes")
    }
}

impl Unit for Duration {
    type Amount = SimDuration;
    const KIND: &'static str = "duration";
    const EXPECTED: &'static str = "a duration such as 30d, 5min, 1h30m or 250ms";
    const PATTERN: &'static str = r"^(0|([0-9]+(\.[0-9]+)?(us|ms|s|sec|m|min|h|d|w|y))+)$";

    fn parse(text: &str) -> Result<SimDuration, String> {
        SimDuration::parse(text)
    }
}

impl Unit for Share {
    type Amount = f64;
    const KIND: &'static str = "share";
    const EXPECTED: &'static str = "a share between 0 and 1, such as 0.999 or 99.9%";
    const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)?%?$";

    fn parse(text: &str) -> Result<f64, String> {
        let share = plain_or_percent(text)?;
        if share > 1.0 {
            return Err("is above 1 (100 %)".to_owned());
        }
        Ok(share)
    }
}

impl Unit for Factor {
    type Amount = f64;
    const KIND: &'static str = "factor";
    const EXPECTED: &'static str = "a factor such as 1.5 or 150%";
    const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)?%?$";

    fn parse(text: &str) -> Result<f64, String> {
        let factor = plain_or_percent(text)?;
        if factor > 1000.0 {
            return Err("is above 1000".to_owned());
        }
        Ok(factor)
    }
}

impl Unit for Rate {
    type Amount = f64;
    const KIND: &'static str = "rate";
    const EXPECTED: &'static str = "a rate such as 100/s, 20/min or 5/h";
    const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)?/(ms|s|min|h|d)$";

    fn parse(text: &str) -> Result<f64, String> {
        let (number, suffix) = Decimal::read(text)?;
        let unit = suffix.strip_prefix('/').map(str::trim).filter(|unit| !unit.is_empty());
        let unit_us =
            unit.and_then(SimDuration::unit_us).ok_or("has no unit such as /s or /min")?;
        let rate = number.as_f64() * 1e6 / unit_us as f64;
        if rate > 1e9 {
            return Err("is above 1,000,000,000 per second".to_owned());
        }
        Ok(rate)
    }
}

fn plain_or_percent(text: &str) -> Result<f64, String> {
    let (number, suffix) = Decimal::read(text)?;
    match suffix {
        "" => Ok(number.as_f64()),
        "%" => Ok(Decimal { places: number.places + 2, ..number }.as_f64()),
        _ => Err(format!("has the unknown unit \"{suffix}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails<U: Unit>(text: &str, reason: &str) {
        let error = U::parse(text).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }

    #[test]
    fn cpu_is_read_in_cores_and_millicores() {
        for (text, milli) in [("64", 64_000), ("500m", 500), ("0.5", 500), ("1.25", 1250)] {
            assert_eq!(Cpu::parse(text), Ok(milli), "{text}");
        }
        assert_eq!(Cpu::parse("1e3"), Ok(1_000_000));
        fails::<Cpu>("-1", "negative");
        fails::<Cpu>("0.0001", "finer than a millicore");
        fails::<Cpu>("5x", "unit \"x\"");
        fails::<Cpu>("1e30", "too large");
        fails::<Cpu>("1e400", "too large");
        fails::<Cpu>("", "not a number");
        fails::<Cpu>(".nan", "not a number");
        fails::<Cpu>("1e", "unit \"e\"");
    }

    #[test]
    fn bytes_have_binary_and_decimal_suffixes() {
        let cases = [("256Gi", 256 << 30), ("64G", 64_000_000_000), ("1.5Ki", 1536), ("7", 7)];
        for (text, bytes) in cases {
            assert_eq!(Bytes::parse(text), Ok(bytes), "{text}");
        }
        assert_eq!(Bytes::parse("2GiB"), Ok(2 << 30));
        fails::<Bytes>("5m", "did you mean M");
        fails::<Bytes>("0.5", "whole number of bytes");
        fails::<Bytes>("64Zi", "unknown unit");
        fails::<Bytes>("9Ei", "too large");
    }

    #[test]
    fn durations_add_up() {
        let seconds = |text| Duration::parse(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("30d"), Ok(2_592_000.0));
        assert_eq!(seconds("1h30m"), Ok(5400.0));
        assert_eq!(seconds("1h 30min"), Ok(5400.0));
        assert_eq!(seconds("250ms"), Ok(0.25));
        assert_eq!(seconds("1.5h"), Ok(5400.0));
        assert_eq!(seconds("0"), Ok(0.0));
        fails::<Duration>("40", "did you mean 40s?");
        fails::<Duration>("5 minutes", "unit \"minutes\"");
        fails::<Duration>("1h30", "no unit");
        fails::<Duration>("2000y", "too large");
        fails::<Duration>("0.1us", "finer than a microsecond");
        fails::<Duration>("-5s", "negative");
        fails::<Duration>("soon", "not a number");
    }

    #[test]
    fn shares_factors_and_rates_are_plain_or_with_a_unit() {
        assert_eq!(Share::parse("99.9%"), Ok(0.999));
        assert_eq!(Share::parse("0.999"), Ok(0.999));
        fails::<Share>("1.5", "above 1");
        assert_eq!(Factor::parse("150%"), Ok(1.5));
        fails::<Factor>("1e9", "above 1000");
        assert_eq!(Rate::parse("120/min"), Ok(2.0));
        fails::<Rate>("5", "no unit");
        fails::<Rate>("5/", "no unit");
    }
}
