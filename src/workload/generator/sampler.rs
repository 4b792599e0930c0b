//! Draws from a distribution, millions of times: its quantile function, tabulated.
//!
//! Between 4,096 points stand straight lines; both tails, and wherever a line would be off by
//! more than a thousandth (jumps among them), the quantile function itself is asked. So a draw
//! stays a function of one uniform number, within a thousandth of the exact one, and the same on
//! every machine.

use crate::engine::{Distribution, Stream};

/// Cells of the table; a power of two, so that a uniform is split exactly.
const CELLS: usize = 4096;
/// Share of the probability in each tail that is always exact: 1/64.
const TAIL_CELLS: usize = CELLS / 64;
/// Largest error of a line, relative to the value.
const LARGEST_ERROR: f64 = 1e-3;

/// A distribution ready for many draws.
pub struct Sampler {
    distribution: Distribution,
    /// Value at the lower end of each cell, and at the end of the last; none in the tails.
    ends: Vec<f64>,
    /// A bit for each cell: set where a line will do and the quantile function need not be asked.
    lines: [u64; CELLS / 64],
}

impl Sampler {
    /// Tabulates a distribution.
    pub fn new(distribution: &Distribution) -> Self {
        // Where there is no quantile function there are no lines either.
        let at = |cell: usize, part: f64| {
            let probability = (cell as f64 + part) / CELLS as f64;
            distribution.quantile(probability).unwrap_or(f64::NAN)
        };
        let end = |cell: usize| {
            let is_tail = !(TAIL_CELLS..=CELLS - TAIL_CELLS).contains(&cell);
            if is_tail { f64::NAN } else { at(cell, 0.0) }
        };
        let ends: Vec<f64> = (0..=CELLS).map(end).collect();
        let mut lines = [0; CELLS / 64];
        for cell in TAIL_CELLS..CELLS - TAIL_CELLS {
            let (low, middle, high) = (ends[cell], at(cell, 0.5), ends[cell + 1]);
            let error = (f64::midpoint(low, high) - middle).abs();
            let is_line = error <= LARGEST_ERROR * middle.abs();
            lines[cell / 64] |= u64::from(is_line) << (cell % 64);
        }
        Self { distribution: distribution.clone(), ends, lines }
    }

    /// Draws a value.
    #[inline]
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        let probability = stream.uniform();
        let position = probability * CELLS as f64;
        let cell = position as usize;
        if self.lines[cell / 64] >> (cell % 64) & 1 == 0 {
            return self.exact(probability);
        }
        let (low, high) = (self.ends[cell], self.ends[cell + 1]);
        low + (high - low) * (position - cell as f64)
    }

    #[cold]
    fn exact(&self, probability: f64) -> f64 {
        let value = self.distribution.quantile(probability);
        value.expect("distributions of a generator have a quantile function")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Purpose, Streams};

    fn pairs(distribution: &Distribution) -> impl Iterator<Item = (f64, f64)> {
        let sampler = Sampler::new(distribution);
        let stream = || Streams { seed: 4, run: 0 }.stream(Purpose::PodDuration, 0);
        let (mut table, mut exact) = (stream(), stream());
        let distribution = distribution.clone();
        (0..100_000).map(move |_| (sampler.draw(&mut table), distribution.sample(&mut exact)))
    }

    #[test]
    fn draws_are_within_a_thousandth_of_the_exact_ones() {
        for distribution in [
            Distribution::log_normal(300.0, 1.8).unwrap(),
            Distribution::exponential(7.0).unwrap(),
            Distribution::pareto(1.0, 0.48).unwrap().clamped(1.0, 500.0).unwrap(),
        ] {
            for (table, exact) in pairs(&distribution) {
                assert!((table / exact - 1.0).abs() <= 2e-3, "{table} is not {exact}");
            }
        }
    }

    #[test]
    fn what_jumps_is_drawn_exactly() {
        let weighted = Distribution::weighted(vec![(62.0, 0.2), (125.0, 0.3), (2500.0, 0.5)]);
        for (table, exact) in pairs(&weighted.unwrap()) {
            assert_eq!(table, exact);
        }
    }
}
