//! Decimal numbers read exactly, so that `0.1` of something is never `0.1000000001` of it.

/// A decimal number, exactly: `digits / 10^places`.
#[derive(Clone, Copy)]
pub struct Decimal {
    /// All digits, without the point.
    pub digits: u128,
    /// How many of them stand behind the point.
    pub places: u32,
}

impl Decimal {
    /// Reads the number at the beginning of `text`; what follows is its unit.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow on the text.
    pub fn read(text: &str) -> Result<(Self, &str), String> {
        let text = text.trim();
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        if unsigned.starts_with('-') {
            return Err("is negative".to_owned());
        }
        let (mantissa, suffix) = split_number(unsigned);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let places = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
        if mantissa.trim_matches('.').is_empty() {
            return Err("is not a number".to_owned());
        }
        let (exponent, suffix) = split_exponent(suffix);
        let digits: u128 = format!("{whole}{fraction}").parse().map_err(|_| "is too long")?;
        let number = Self { digits, places }.shifted(exponent)?;
        Ok((number, suffix.trim()))
    }

    fn shifted(self, exponent: i32) -> Result<Self, String> {
        let places = i64::from(self.places) - i64::from(exponent);
        if self.digits == 0 {
            return Ok(Self { digits: 0, places: 0 });
        }
        if places > 30 {
            return Err("has too many decimals".to_owned());
        }
        if let Ok(places) = u32::try_from(places) {
            return Ok(Self { digits: self.digits, places });
        }
        let scale = u32::try_from(-places).ok().and_then(|by| 10_u128.checked_pow(by));
        let digits = scale.and_then(|scale| self.digits.checked_mul(scale));
        Ok(Self { digits: digits.ok_or("is too large")?, places: 0 })
    }

    /// `self × unit`, which must be a whole number up to `most`.
    ///
    /// # Errors
    /// That it is `too_fine`, or too large.
    pub fn times(self, unit: u128, most: u128, too_fine: &str) -> Result<i64, String> {
        let scale = 10_u128.pow(self.places);
        let scaled = self.digits.checked_mul(unit).ok_or("is too large")?;
        if scaled % scale != 0 {
            return Err(too_fine.to_owned());
        }
        let amount = scaled / scale;
        if amount > most {
            return Err("is too large".to_owned());
        }
        Ok(i64::try_from(amount).expect("the limits are below 2^63"))
    }

    /// The double nearest to it.
    pub fn as_f64(self) -> f64 {
        // Through text, so that the value is the double nearest to what was written.
        let text = format!("{}e-{}", self.digits, self.places);
        text.parse().expect("digits and an exponent make a number")
    }
}

/// The digits (with at most one point) at the beginning of `text`, and the rest.
fn split_number(text: &str) -> (&str, &str) {
    let mut points = 0;
    let end = text.find(|c: char| {
        points += u32::from(c == '.');
        !(c.is_ascii_digit() || c == '.' && points == 1)
    });
    text.split_at(end.unwrap_or(text.len()))
}

/// An exponent (`e3`, `E-2`) at the beginning of `text`, and the rest.
fn split_exponent(text: &str) -> (i32, &str) {
    let Some(digits) = text.strip_prefix(['e', 'E']) else { return (0, text) };
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let length = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
    let end = digits.len() - unsigned.len() + length;
    if length == 0 {
        return (0, text);
    }
    (digits[..end].parse().unwrap_or(i32::MAX), &digits[end..])
}
