//! Numbers as people read them: SI and binary prefixes, durations, percents, nines. Everything
//! that a report or the terminal shows goes through here; CSV and JSON never do.
//!
//! Three significant digits unless said otherwise; what is not a finite number is shown as
//! [`NOTHING`], so that no page ever says "NaN".

/// Shown where there is no value.
pub const NOTHING: &str = "–";

const MINUTE_S: f64 = 60.0;
const HOUR_S: f64 = 3_600.0;
const DAY_S: f64 = 86_400.0;
/// A Julian year, 365.25 days.
const YEAR_S: f64 = 31_557_600.0;

/// Three significant digits without trailing zeros: `0.125`, `3.4`, `87.3`, `1234`.
pub fn significant(value: f64) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e15).contains(&size) {
        return format!("{value:.2e}");
    }
    let decimals = match size {
        s if s >= 99.95 => 0,
        s if s >= 9.995 => 1,
        s if s >= 0.9995 => 2,
        s if s >= 0.1 => 3,
        s if s >= 0.01 => 4,
        _ => 5,
    };
    trimmed(format!("{value:.decimals$}"))
}

fn trimmed(text: String) -> String {
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// With an SI prefix: `3.4 k`, `12.5 M`; below ten thousand as it is.
pub fn number(value: f64) -> String {
    if (999.5..9_999.5).contains(&value.abs()) {
        return grouped(&format!("{value:.0}"));
    }
    prefixed(value, 1e3, &["", " k", " M", " G", " T", " P"])
}

fn prefixed(value: f64, base: f64, prefixes: &[&str]) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let mut scaled = value;
    let mut step = 0;
    while scaled.abs() >= base * 0.9995 && step + 1 < prefixes.len() {
        scaled /= base;
        step += 1;
    }
    format!("{}{}", significant(scaled), prefixes[step])
}

/// A mean number of things: grouped whole numbers from a thousand to ten million, else as
/// [`number`].
pub fn mean_count(value: f64) -> String {
    if (999.5..1e7).contains(&value.abs()) {
        return grouped(&format!("{value:.0}"));
    }
    number(value)
}

/// A count for a headline: exact and grouped below ten thousand, with an SI prefix above.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn count(value: u64) -> String {
    if value < 10_000 { exact(value) } else { number(value as f64) }
}

/// A count to the last digit, grouped: `1,234,567`.
pub fn exact(value: u64) -> String {
    grouped(&value.to_string())
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes with a binary prefix: `512 B`, `1.5 GiB`.
pub fn bytes(value: f64) -> String {
    let text = prefixed(value, 1024.0, &["", " Ki", " Mi", " Gi", " Ti", " Pi", " Ei"]);
    match text.rsplit_once(' ') {
        Some(_) => text + "B",
        None if text == NOTHING => text,
        None => text + " B",
    }
}

/// An amount of a resource in its unit; bytes get binary prefixes, the rest SI.
pub fn amount(value: f64, unit: &str) -> String {
    if unit == "bytes" {
        return bytes(value);
    }
    if value.is_finite() { format!("{} {unit}", number(value)) } else { NOTHING.to_owned() }
}

/// A length of time in the unit that suits it, from `µs` to `y`: `310 ms`, `3.2 min`, `1.2 h`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return NOTHING.to_owned();
    }
    let size = seconds.abs();
    let (unit_s, unit) = match size {
        0.0 => return "0 s".to_owned(),
        s if s < 0.999_5e-3 => (1e-6, "µs"),
        s if s < 0.999_5 => (1e-3, "ms"),
        s if s < MINUTE_S => (1.0, "s"),
        s if s < HOUR_S => (MINUTE_S, "min"),
        s if s < 2.0 * DAY_S => (HOUR_S, "h"),
        s if s < 2.0 * YEAR_S => (DAY_S, "d"),
        _ => (YEAR_S, "y"),
    };
    format!("{} {unit}", significant(seconds / unit_s))
}

/// A point in virtual time: `03:12:45`, from the second day on `1 d 03:12:45`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a saturating cast of a checked, non-negative number"
)]
pub fn instant(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return NOTHING.to_owned();
    }
    let whole = (seconds + 0.5) as u64;
    let (days, rest) = (whole / 86_400, whole % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60);
    if days == 0 { clock } else { format!("{days} d {clock}") }
}

/// A ratio as a percentage with one decimal: `87.3 %`; with more below one percent.
pub fn percent(ratio: f64) -> String {
    if !ratio.is_finite() {
        return NOTHING.to_owned();
    }
    let value = ratio * 100.0;
    if value != 0.0 && value.abs() < 0.001 {
        return "< 0.001 %".to_owned();
    }
    if value != 0.0 && value.abs() < 0.01 {
        return format!("{} %", significant(value));
    }
    let decimals = if value != 0.0 && value.abs() < 0.995 { 2 } else { 1 };
    format!("{value:.decimals$} %")
}

/// An availability as a percentage with as many decimals as its nines ask for, cut, not rounded:
/// what was not always there never reads `100 %`.
pub fn availability(ratio: f64) -> String {
    if !ratio.is_finite() {
        return NOTHING.to_owned();
    }
    if ratio >= 1.0 {
        return "100 %".to_owned();
    }
    let decimals = decimals_for(ratio);
    let scale = libm::pow(10.0, f64::from(decimals));
    // The small addend keeps 0.9995 (stored a little below it) from being cut to 99.949.
    let value = (ratio * 100.0 * scale + 1e-4).floor() / scale;
    format!("{:.*} %", decimals as usize, value)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 2..=8 before the cast"
)]
fn decimals_for(ratio: f64) -> u32 {
    let nines = -libm::log10(1.0 - ratio.max(0.0));
    // 0.999999 is stored a little below six nines.
    (nines + 1e-9).floor().clamp(2.0, 8.0) as u32
}

/// A stated share, such as an objective, with the digits it was stated with: `99.95 %`.
pub fn stated(ratio: f64) -> String {
    if !ratio.is_finite() {
        return NOTHING.to_owned();
    }
    trimmed(format!("{:.8}", ratio * 100.0)) + " %"
}

/// Nines: `3.3 nines`; `no outage` where the logarithm has no value.
pub fn nines(value: Option<f64>) -> String {
    match value {
        Some(nines) if nines.is_finite() => format!("{nines:.1} nines"),
        Some(_) | None => "no outage".to_owned(),
    }
}

/// `value` shown by `show`, or [`NOTHING`].
pub fn optional(value: Option<f64>, show: fn(f64) -> String) -> String {
    value.map_or_else(|| NOTHING.to_owned(), show)
}

/// `text` cut to `most` characters, the last of them an ellipsis where something was cut.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits_and_an_si_prefix() {
        for (value, text) in [
            (0.0, "0"),
            (0.012_34, "0.0123"),
            (0.5, "0.5"),
            (9.999, "10"),
            (87.35, "87.3"),
            (999.4, "999"),
            (1_234.0, "1,234"),
            (1_234.6, "1,235"),
            (34_005.0, "34 k"),
            (999_900.0, "1 M"),
            (12_500_000.0, "12.5 M"),
            (-2_500_000.0, "-2.5 M"),
            (0.000_012, "1.20e-5"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn counts_are_grouped_and_shortened_only_when_large() {
        assert_eq!(count(0), "0");
        assert_eq!(count(9_999), "9,999");
        assert_eq!(count(10_000), "10 k");
        assert_eq!(count(25_424_731), "25.4 M");
        assert_eq!(exact(25_424_731), "25,424,731");
        assert_eq!(exact(100), "100");
        assert_eq!(number(-1_234.0), "-1,234");
        assert_eq!(number(-123.0), "-123");
    }

    #[test]
    fn bytes_have_binary_prefixes() {
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(1_536.0), "1.5 KiB");
        assert_eq!(bytes(274_877_906_944.0), "256 GiB");
        assert_eq!(bytes(f64::NAN), NOTHING);
        assert_eq!(amount(12_500.0, "cores"), "12.5 k cores");
        assert_eq!(amount(1_073_741_824.0, "bytes"), "1 GiB");
    }

    #[test]
    fn durations_come_in_the_unit_that_suits_them() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.000_25, "250 µs"),
            (0.31, "310 ms"),
            (0.999_9, "1 s"),
            (4.56, "4.56 s"),
            (59.97, "60 s"),
            (192.0, "3.2 min"),
            (4_320.0, "1.2 h"),
            (86_400.0, "24 h"),
            (259_200.0, "3 d"),
            (31_557_600.0 * 10.0, "10 y"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn instants_read_as_a_clock_with_days() {
        assert_eq!(instant(0.0), "00:00:00");
        assert_eq!(instant(11_565.2), "03:12:45");
        assert_eq!(instant(97_965.0), "1 d 03:12:45");
    }

    #[test]
    fn percents_have_one_decimal() {
        assert_eq!(percent(0.873), "87.3 %");
        assert_eq!(percent(1.12), "112.0 %");
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(0.004_2), "0.42 %");
        assert_eq!(percent(0.000_012), "0.0012 %");
        assert_eq!(percent(1.5e-6), "< 0.001 %");
    }

    #[test]
    fn an_availability_below_one_never_reads_as_all() {
        assert_eq!(availability(1.0), "100 %");
        assert_eq!(availability(0.9995), "99.950 %");
        assert_eq!(availability(0.999_999), "99.999900 %");
        assert_eq!(availability(0.9), "90.00 %");
        assert_eq!(availability(0.0), "0.00 %");
        assert_eq!(availability(1.0 - 1e-13), "99.99999999 %");
        assert_eq!(stated(0.9995), "99.95 %");
        assert_eq!(stated(1.0), "100 %");
        assert_eq!(mean_count(150_606.4), "150,606");
        assert_eq!(nines(Some(3.301)), "3.3 nines");
        assert_eq!(nines(None), "no outage");
    }

    #[test]
    fn what_is_not_a_number_is_shown_as_nothing() {
        for show in [significant, number, bytes, duration, instant, percent, availability] {
            assert_eq!(show(f64::NAN), NOTHING);
            assert_eq!(show(f64::INFINITY), NOTHING);
        }
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis() {
        assert_eq!(shortened("frontend", 8), "frontend");
        assert_eq!(shortened("frontends", 8), "fronten…");
    }
}
