//! One figure over several seeds, small enough for a cell of a table: a dot per seed, the mean as
//! a stroke, its confidence interval as a band.

use super::canvas::{Ink, svg};
use crate::report::statistics::Estimate;

const WIDTH: f64 = 260.0;
const HEIGHT: f64 = 26.0;
const MARGIN: f64 = 8.0;

/// The drawing of `values`, on a scale of their own; `title` is for those who cannot see it.
pub fn dots(title: &str, values: &[f64], estimate: &Estimate) -> String {
    let (band_low, band_high) = estimate.interval().unwrap_or((estimate.mean, estimate.mean));
    let low = values.iter().copied().fold(band_low, f64::min);
    let high = values.iter().copied().fold(band_high, f64::max);
    let place = |value: f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        MARGIN + share * (WIDTH - 2.0 * MARGIN)
    };
    let middle = HEIGHT / 2.0;
    svg(title, WIDTH, HEIGHT, |canvas| {
        canvas.line(&[(MARGIN, middle), (WIDTH - MARGIN, middle)], Ink::Grid, 1.0, 1.0);
        let (left, right) = (place(band_low), place(band_high));
        canvas.rectangle((left, middle - 6.0), (right - left, 12.0), Ink::Series(0), 0.25);
        for &value in values {
            canvas.circle((place(value), middle), 3.0, Ink::Series(0), 0.75);
        }
        let mean = place(estimate.mean);
        canvas.rectangle((mean - 1.0, middle - 10.0), (2.0, 20.0), Ink::Series(1), 1.0);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::statistics::estimate;

    #[test]
    fn there_is_a_dot_for_every_seed() {
        for values in [vec![1.0, 2.0, 4.0], vec![3.0], vec![5.0; 4]] {
            let drawing = dots("x", &values, &estimate(&values).unwrap());
            assert_eq!(drawing.matches("<circle").count(), values.len());
            assert!(!drawing.contains("NaN"));
        }
    }
}
