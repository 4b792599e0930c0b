//! The series over time of the made-up results.

use super::DAY_S;
use crate::metrics::{Column, TimeSeries};

const BUCKET_S: f64 = 300.0;

/// A number in `[0, 1)` that depends on `index` and `stream` alone (the finaliser of splitmix64).
pub fn noise(stream: u64, index: usize) -> f64 {
    let mut bits = (index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (stream << 32);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A line of a plot.
pub fn column(group: &str, name: &str, values: Vec<f64>) -> Column {
    Column { group: group.to_owned(), name: name.to_owned(), values }
}

/// A load that follows the day, with the rack of [`super::borg_day`] missing for an hour and a half.
pub fn timeseries(seed: u64, buckets: usize) -> TimeSeries {
    let time_s: Vec<f64> = (0..buckets).map(|index| index as f64 * BUCKET_S).collect();
    let each = |value: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
        time_s.iter().enumerate().map(|(index, &t)| value(index, t)).collect()
    };
    // Fills up in the first hour, then follows the day; the rack takes its share away.
    let load = |t: f64| {
        let filling = (t / 3_600.0).min(1.0);
        filling * (0.85 - 0.11 * libm::cos(t / DAY_S * std::f64::consts::TAU))
    };
    let rack = |t: f64| if (50_400.0..55_800.0).contains(&t) { 40.0 } else { 0.0 };
    let random = |stream: u64, index: usize| noise(seed ^ stream, index);
    let pending = |i: usize, t: f64| {
        let burst =
            if (50_400.0..52_200.0).contains(&t) { 1_500.0 - (t - 50_400.0) * 0.8 } else { 0.0 };
        20.0 * random(3, i) + burst + if i.is_multiple_of(41) { 180.0 } else { 0.0 }
    };
    let up = |i: usize, t: f64| 1_000.0 - rack(t) - (2.0 * random(4, i)).floor();
    let ready = |wanted: f64, lost: f64, i: usize, t: f64| {
        wanted - if rack(t) > 0.0 && t < 50_900.0 { lost } else { (random(5, i) * 1.1).floor() }
    };
    let columns = vec![
        column("allocation", "cpu", each(&|i, t| load(t) + 0.02 * random(1, i))),
        column("allocation", "memory", each(&|i, t| load(t) * 0.9 + 0.01 * random(2, i))),
        column("allocation", "gpu", each(&|_, t| load(t) * 0.74)),
        column("utilization", "cpu", each(&|i, t| load(t) * 0.46 + 0.03 * random(6, i))),
        column("utilization", "memory", each(&|i, t| load(t) * 0.66 + 0.01 * random(7, i))),
        column("fragmentation", "cpu", each(&|i, t| 0.2 + load(t) * 0.3 + 0.02 * random(11, i))),
        column("fragmentation", "memory", each(&|_, t| 0.2 + load(t) * 0.2)),
        column("fragmentation", "gpu", each(&|_, t| 0.1 + load(t) * 0.5)),
        column("nodes", "up", each(&up)),
        column("nodes", "present", each(&|_, _| 1_000.0)),
        column("pods", "pending", each(&pending)),
        column("pods", "running", each(&|i, t| load(t) * 15_000.0 + 90.0 * random(8, i))),
        column("evictions", "preemption", each(&|i, t| (load(t) * 14.0 * random(9, i)).floor())),
        column(
            "evictions",
            "machine-failure",
            each(&|i, t| {
                if (50_400.0..50_700.0).contains(&t) {
                    431.0
                } else {
                    (random(10, i) * 1.2).floor()
                }
            }),
        ),
        column("ready", "frontend", each(&|i, t| ready(120.0, 24.0, i, t))),
        column("ready", "checkout", each(&|i, t| ready(24.0, 7.0, i, t))),
    ];
    TimeSeries { bucket_s: BUCKET_S, time_s, columns }
}
