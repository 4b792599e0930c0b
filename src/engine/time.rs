//! Virtual time: integer microseconds, the unit of the Google traces. No floats, no epsilons.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// A point in virtual time, in microseconds since the start of the run.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SimTime(pub u64);

/// A length of virtual time, in microseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SimDuration(pub u64);

impl SimTime {
    /// The start of every run.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens.
    pub const MAX: Self = Self(u64::MAX);

    /// The time `seconds` whole seconds after the start.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * 1_000_000)
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub const fn since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }

    /// `self + duration`, or [`SimTime::MAX`] where that cannot be held.
    pub const fn saturating_add(self, duration: SimDuration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }

    /// Seconds since the start, for display and statistics.
    #[expect(clippy::cast_precision_loss, reason = "for display; runs are far below 2^53 µs")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// For ever.
    pub const MAX: Self = Self(u64::MAX);

    /// `seconds` whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * 1_000_000)
    }

    /// The nearest whole microsecond to `seconds`; negative and NaN become zero, too large
    /// becomes [`SimDuration::MAX`].
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float-to-integer cast saturates, which is what is documented"
    )]
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * 1e6 + 0.5) as u64)
    }

    /// Seconds, for display and statistics.
    #[expect(clippy::cast_precision_loss, reason = "for display; runs are far below 2^53 µs")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Add<SimDuration> for SimTime {
    type Output = Self;
    fn add(self, duration: SimDuration) -> Self {
        Self(self.0 + duration.0)
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, duration: SimDuration) {
        self.0 += duration.0;
    }
}

impl Sub for SimTime {
    type Output = SimDuration;
    fn sub(self, earlier: Self) -> SimDuration {
        SimDuration(self.0 - earlier.0)
    }
}

impl Add for SimDuration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for SimDuration {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SimDuration(self.0).fmt(f)
    }
}

impl fmt::Display for SimDuration {
    /// The two largest units that say it: `3d4h`, `2h5m`, `41s`, `120ms`, `7us`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 6] = [
            (86_400_000_000, "d"),
            (3_600_000_000, "h"),
            (60_000_000, "m"),
            (1_000_000, "s"),
            (1_000, "ms"),
            (1, "us"),
        ];
        let Some(first) = UNITS.iter().position(|(unit, _)| self.0 >= *unit) else {
            return f.write_str("0s");
        };
        let mut rest = self.0;
        for (unit, name) in UNITS.iter().skip(first).take(2) {
            if rest / unit > 0 {
                write!(f, "{}{}", rest / unit, name)?;
            }
            rest %= unit;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_in_its_two_largest_units() {
        for (microseconds, text) in [
            (0, "0s"),
            (7, "7us"),
            (120_000, "120ms"),
            (1_000_001, "1s"),
            (41_000_000, "41s"),
            (7_500_000_000, "2h5m"),
            (273_600_000_000, "3d4h"),
            (86_400_000_000, "1d"),
            (86_460_000_000, "1d"),
            (u64::MAX, "213503982d8h"),
        ] {
            assert_eq!(SimDuration(microseconds).to_string(), text);
            assert_eq!(SimTime(microseconds).to_string(), text);
        }
    }

    #[test]
    fn seconds_become_the_nearest_microsecond() {
        for (seconds, microseconds) in [
            (0.0, 0),
            (1.5, 1_500_000),
            (0.000_000_4, 0),
            (0.000_000_6, 1),
            (-3.0, 0),
            (f64::NAN, 0),
            (f64::INFINITY, u64::MAX),
        ] {
            assert_eq!(SimDuration::from_secs_f64(seconds), SimDuration(microseconds), "{seconds}");
        }
        assert!((SimDuration(1_500_000).as_secs_f64() - 1.5).abs() < f64::EPSILON);
        assert!((SimTime(250_000).as_secs_f64() - 0.25).abs() < f64::EPSILON);
    }

    #[test]
    fn times_and_durations_add_up_and_saturate_only_where_they_say_so() {
        let noon = SimTime::from_secs(43_200);
        let hour = SimDuration::from_secs(3_600);
        assert_eq!(noon + hour - noon, hour);
        assert_eq!((noon + hour).since(noon), hour);
        assert_eq!(noon.since(noon + hour), SimDuration::ZERO);
        assert_eq!(noon.saturating_add(SimDuration::MAX), SimTime::MAX);
        assert_eq!(hour + hour - hour, hour);
        let mut time = SimTime::ZERO;
        time += hour;
        assert_eq!(time, SimTime::from_secs(3_600));
    }

    #[test]
    #[should_panic(expected = "overflow")]
    fn a_difference_that_goes_back_is_an_error() {
        let _ = SimTime::ZERO - SimTime::from_secs(1);
    }
}
