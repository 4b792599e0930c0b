//! Axes: a range and the ticks that people would choose. Knows numbers, not pixels or colours.

use super::super::format;

/// A range of values and where it is marked.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub low: f64,
    pub high: f64,
    /// Values and their labels, in order, all within the range.
    pub ticks: Vec<(f64, String)>,
}

const MINUTE_S: f64 = 60.0;
const HOUR_S: f64 = 3_600.0;
const DAY_S: f64 = 86_400.0;

impl Axis {
    /// Where `value` stands: 0 at the low end, 1 at the high end; values beyond stand at the ends.
    pub fn position(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    fn marked(low: f64, high: f64, step: f64, label: impl Fn(f64) -> String) -> Self {
        let mut ticks = Vec::new();
        let mut index = (low / step - 1e-9).ceil();
        while index * step <= high + step * 1e-9 {
            // The addend turns a negative zero into a plain one.
            let value = index * step + 0.0;
            ticks.push((value, label(value)));
            index += 1.0;
        }
        Self { low, high, ticks }
    }
}

/// Virtual time from `low_s` to `high_s` with at most about `most` ticks: whole seconds, minutes,
/// hours or days, all labels of an axis in one unit.
pub fn time(low_s: f64, high_s: f64, most: f64) -> Axis {
    let high_s = if high_s > low_s { high_s } else { low_s + 1.0 };
    let rough = (high_s - low_s) / most;
    let step = time_step(rough);
    let (unit_s, unit) = match step {
        s if s < MINUTE_S => (1.0, "s"),
        s if s < HOUR_S => (MINUTE_S, "min"),
        s if s < DAY_S => (HOUR_S, "h"),
        _ => (DAY_S, "d"),
    };
    Axis::marked(low_s, high_s, step, |value| {
        if value == 0.0 {
            "0".to_owned()
        } else {
            format!("{} {unit}", format::significant(value / unit_s))
        }
    })
}

/// The least step not below `rough` that divides days, hours, minutes or tens well.
fn time_step(rough: f64) -> f64 {
    const STEPS: [f64; 22] = [
        1.0,
        2.0,
        5.0,
        10.0,
        15.0,
        30.0,
        MINUTE_S,
        2.0 * MINUTE_S,
        5.0 * MINUTE_S,
        10.0 * MINUTE_S,
        15.0 * MINUTE_S,
        30.0 * MINUTE_S,
        HOUR_S,
        2.0 * HOUR_S,
        3.0 * HOUR_S,
        4.0 * HOUR_S,
        6.0 * HOUR_S,
        12.0 * HOUR_S,
        DAY_S,
        2.0 * DAY_S,
        5.0 * DAY_S,
        7.0 * DAY_S,
    ];
    if rough < STEPS[0] {
        return round_step(rough);
    }
    let found = STEPS.into_iter().find(|&step| step >= rough);
    found.unwrap_or_else(|| round_step(rough / DAY_S) * DAY_S)
}

/// The least of 1, 2, 5 × 10ⁿ that is not below `rough`.
fn round_step(rough: f64) -> f64 {
    let power = libm::pow(10.0, libm::log10(rough).floor());
    let found = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough * (1.0 - 1e-9));
    found.unwrap_or(10.0) * power
}

/// `low` to at least `high`, ending on ticks at round steps.
pub fn linear(low: f64, high: f64, most: f64, label: impl Fn(f64) -> String) -> Axis {
    let high = if high > low { high } else { low + 1.0 };
    let step = round_step((high - low) / most);
    let start = (low / step + 1e-9).floor() * step;
    let end = (high / step - 1e-9).ceil() * step;
    Axis::marked(start, end, step, label)
}

/// As [`linear`] for numbers of things: never less than a whole one between ticks.
pub fn counting(low: f64, high: f64, most: f64) -> Axis {
    let high = if high > low { high } else { low + 1.0 };
    let high = high.max(low + most.min(4.0));
    let axis = linear(low, high, most, format::number);
    // Close-up, short labels would all read 12.5 k.
    let ambiguous = axis.ticks.windows(2).any(|pair| pair[0].1 == pair[1].1);
    if ambiguous { linear(low, high, most, format::mean_count) } else { axis }
}

/// Shares from 0 to at least `high`, 1.0 where that is enough.
pub fn share(high: f64) -> Axis {
    linear(0.0, high.max(1.0), 6.0, |value| format!("{:.0} %", value * 100.0))
}

/// Durations on a logarithmic scale: positions are of log10 of seconds. Both ends positive.
pub fn log_duration(low_s: f64, high_s: f64) -> Axis {
    const MARKS: [(f64, &str); 17] = [
        (1e-6, "1 µs"),
        (1e-5, "10 µs"),
        (1e-4, "100 µs"),
        (1e-3, "1 ms"),
        (1e-2, "10 ms"),
        (0.1, "100 ms"),
        (1.0, "1 s"),
        (10.0, "10 s"),
        (MINUTE_S, "1 min"),
        (10.0 * MINUTE_S, "10 min"),
        (HOUR_S, "1 h"),
        (6.0 * HOUR_S, "6 h"),
        (DAY_S, "1 d"),
        (7.0 * DAY_S, "7 d"),
        (30.0 * DAY_S, "30 d"),
        (365.25 * DAY_S, "1 y"),
        (3_652.5 * DAY_S, "10 y"),
    ];
    let (mut low, mut high) = (libm::log10(low_s), libm::log10(high_s));
    if high - low < 1.0 {
        (low, high) = (low - 0.5, high + 0.5);
    }
    let within = MARKS
        .into_iter()
        .map(|(seconds, label)| (libm::log10(seconds), label.to_owned()))
        .filter(|(value, _)| (low..=high).contains(value));
    let ticks: Vec<_> = within.collect();
    // Long ranges would crowd their labels: every other is enough.
    let every = if ticks.len() > 9 { 2 } else { 1 };
    Axis { low, high, ticks: ticks.into_iter().step_by(every).collect() }
}

/// Availability by nines, from 0 to `high` nines.
pub fn nines(high: f64) -> Axis {
    Axis::marked(0.0, high, 1.0, |value| match value {
        v if v < 0.5 => "0 %".to_owned(),
        v if v < 1.5 => "90 %".to_owned(),
        v => format!("{:.*} %", decimals(v), 100.0 - libm::pow(10.0, 2.0 - v)),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small positive number of nines"
)]
fn decimals(nines: f64) -> usize {
    (nines - 2.0).round().max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn time_is_marked_at_the_steps_of_a_clock() {
        assert_eq!(
            labels(&time(0.0, DAY_S, 6.0)),
            ["0", "4 h", "8 h", "12 h", "16 h", "20 h", "24 h"]
        );
        assert_eq!(
            labels(&time(0.0, 29.0 * DAY_S, 6.0)),
            ["0", "5 d", "10 d", "15 d", "20 d", "25 d"]
        );
        assert_eq!(
            labels(&time(0.0, 90.0, 6.0)),
            ["0", "15 s", "30 s", "45 s", "60 s", "75 s", "90 s"]
        );
        assert_eq!(labels(&time(0.0, 3.0 * 365.0 * DAY_S, 6.0)).len(), 6);
    }

    #[test]
    fn the_labels_of_a_close_up_tell_its_ticks_apart() {
        assert_eq!(labels(&counting(12_480.0, 12_500.0, 5.0))[..2], ["12,480", "12,485"]);
        assert_eq!(labels(&counting(0.0, 200_000.0, 5.0))[1], "50 k");
    }

    #[test]
    fn a_range_of_no_length_still_has_an_axis() {
        for axis in
            [time(5.0, 5.0, 6.0), linear(3.0, 3.0, 4.0, format::number), counting(0.0, 0.0, 4.0)]
        {
            assert!(axis.high > axis.low && !axis.ticks.is_empty(), "{axis:?}");
            assert!(axis.position(axis.low) == 0.0 && axis.position(axis.high) == 1.0);
        }
        assert!(log_duration(2.0, 2.0).high > log_duration(2.0, 2.0).low);
    }

    #[test]
    fn linear_axes_end_on_round_ticks() {
        let axis = linear(0.0, 14_812.0, 5.0, format::number);
        assert_eq!(labels(&axis), ["0", "5,000", "10 k", "15 k"]);
        assert_eq!(axis.high, 15_000.0);
        assert_eq!(labels(&share(0.95)), ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]);
        assert!((share(1.12).high - 1.2).abs() < 1e-12);
        assert_eq!(labels(&counting(0.0, 1.0, 4.0)), ["0", "1", "2", "3", "4"]);
    }

    #[test]
    fn waiting_is_marked_by_powers_and_clock_units() {
        let axis = log_duration(0.05, 4_000.0);
        assert_eq!(labels(&axis), ["100 ms", "1 s", "10 s", "1 min", "10 min", "1 h"]);
    }

    #[test]
    fn availability_is_marked_by_nines() {
        assert_eq!(labels(&nines(4.0)), ["0 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
    }
}
