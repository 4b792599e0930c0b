//! Reading quantities: a sign, digits with a point, and a suffix.

use std::str::FromStr;

use super::{FINEST, Format, Quantity};

/// The most decimal digits that are kept.
const MOST_DIGITS: usize = 38;
/// No exponent is further from zero.
const LARGEST_EXPONENT: i32 = 1_000_000;

/// Text that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no quantity: {problem}")]
pub struct QuantityError {
    text: String,
    problem: &'static str,
}

const NO_NUMBER: &str = "expected a number and a suffix, like `500m` or `2Gi`";
const NO_SUFFIX: &str =
    "expected a suffix of n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei, or an exponent (`e3`)";
const TOO_LONG: &str = "more than 38 digits are not supported";

/// What a suffix stands for.
struct Suffix {
    tens: i32,
    twos: u32,
    format: Format,
}

fn suffix(text: &str) -> Option<Suffix> {
    let decimal = |tens| Some(Suffix { tens, twos: 0, format: Format::DecimalSi });
    let binary = |twos| Some(Suffix { tens: 0, twos, format: Format::BinarySi });
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
            let tens: i32 = text.strip_prefix(['e', 'E'])?.parse().ok()?;
            let possible = (-LARGEST_EXPONENT..=LARGEST_EXPONENT).contains(&tens);
            possible.then_some(Suffix { tens, twos: 0, format: Format::DecimalExponent })
        }
    }
}

/// The decimal digits of a number, the most significant first: as long as it takes, so that
/// nothing is lost before it is known where to round.
struct Digits(Vec<u8>);

impl Digits {
    fn double(&mut self) {
        let mut carry = 0;
        for digit in self.0.iter_mut().rev() {
            let doubled = *digit * 2 + carry;
            (*digit, carry) = (doubled % 10, doubled / 10);
        }
        if carry > 0 {
            self.0.insert(0, carry);
        }
    }

    /// Cuts the last `places` off and rounds what remains up.
    fn round_up(&mut self, places: usize) {
        let kept = self.0.len().saturating_sub(places);
        let lost = self.0.split_off(kept).iter().any(|digit| *digit != 0);
        if lost {
            self.increment();
        }
    }

    fn increment(&mut self) {
        for digit in self.0.iter_mut().rev() {
            *digit += 1;
            if *digit < 10 {
                return;
            }
            *digit = 0;
        }
        self.0.insert(0, 1);
    }

    /// The number without its trailing zeros, and how many there were.
    fn number(mut self) -> Option<(i128, i32)> {
        let significant = self.0.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
        let zeros = self.0.split_off(significant).len();
        let number = self.0.iter().skip_while(|digit| **digit == 0);
        if number.clone().count() > MOST_DIGITS {
            return None;
        }
        let value = number.fold(0_i128, |value, digit| value * 10 + i128::from(*digit));
        Some((value, if value == 0 { 0 } else { i32::try_from(zeros).ok()? }))
    }
}

/// Splits text into whether it is negative, the digits before and after the point, and a suffix.
fn split(text: &str) -> Option<(bool, &str, &str, &str)> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = rest.split_at(end(rest));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(end(rest)),
        None => ("", rest),
    };
    (whole.len() + fraction.len() > 0).then_some((negative, whole, fraction, rest))
}

fn parse(text: &str) -> Result<Quantity, &'static str> {
    let (negative, whole, fraction, rest) = split(text).ok_or(NO_NUMBER)?;
    let Suffix { tens, twos, mut format } = suffix(rest).ok_or(NO_SUFFIX)?;
    let mut digits = Digits(whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect());
    for _ in 0..twos {
        digits.double();
    }
    let mut scale = tens - i32::try_from(fraction.len()).map_err(|_| TOO_LONG)?;
    if scale < FINEST {
        digits.round_up(usize::try_from(FINEST - scale).map_err(|_| TOO_LONG)?);
        scale = FINEST;
    }
    let quantity = match digits.number() {
        Some((value, zeros)) => Quantity::new(value, scale + zeros, format),
        // A binary amount is capped, however long it is written.
        None if format == Format::BinarySi && fraction.len() < whole.len() => {
            Quantity::from_units(i64::MAX).binary()
        }
        None => return Err(TOO_LONG),
    };
    let mut quantity = quantity;
    if format == Format::BinarySi {
        quantity = quantity.min(Quantity::from_units(i64::MAX).binary());
        if quantity < Quantity::from_units(1) {
            format = Format::DecimalSi;
        }
    }
    let signed = if negative { -quantity } else { quantity };
    Ok(Quantity { format, ..signed })
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        parse(text).map_err(|problem| QuantityError { text: text.to_owned(), problem })
    }
}
