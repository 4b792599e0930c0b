//! Expectations of distributions that have no closed form for them (clamped, rounded), and draws
//! from what is running at a random instant. Quadrature over the quantile function, on a grid
//! that is finer towards the upper tail.

use crate::engine::{Distribution, Stream};

/// The tail is cut at 1 − 10^−TAIL_DECADES; what lies beyond is ignored.
const TAIL_DECADES: i32 = 10;

/// Probabilities and widths of the cells of a grid: as many cells for the first nine tenths, for
/// the next nine hundredths, and so on.
fn grid(cells_per_decade: u32) -> impl Iterator<Item = (f64, f64)> {
    (0..TAIL_DECADES).flat_map(move |decade| {
        let above = (0..decade).fold(1.0, |above, _| above / 10.0);
        let width = 0.9 * above / f64::from(cells_per_decade);
        (0..cells_per_decade).map(move |cell| (1.0 - above + f64::from(cell) * width, width))
    })
}

/// The values in the middle of the cells with the widths of these; `None` without a quantile
/// function.
fn points(distribution: &Distribution, cells_per_decade: u32) -> Option<Vec<(f64, f64)>> {
    grid(cells_per_decade)
        .map(|(low, width)| Some((distribution.quantile(low + width / 2.0)?, width)))
        .collect()
}

/// The mean of `value` of a draw; `None` without a quantile function.
pub fn mean_of(distribution: &Distribution, value: impl Fn(f64) -> f64) -> Option<f64> {
    let points = points(distribution, 4096)?;
    Some(points.iter().map(|(x, width)| value(*x) * width).sum())
}

/// The mean of `value` of a pair of independent draws.
pub fn mean_of_pair(
    first: &Distribution,
    second: &Distribution,
    value: impl Fn(f64, f64) -> f64,
) -> Option<f64> {
    let (first, second) = (points(first, 64)?, points(second, 64)?);
    let row = |x: f64| -> f64 { second.iter().map(|(y, width)| value(x, *y) * width).sum() };
    Some(first.iter().map(|(x, width)| row(*x) * width).sum())
}

/// What is left of a run that is going on at a random instant: the run is drawn in proportion to
/// its length, and the instant falls anywhere in it.
pub struct Residual {
    distribution: Distribution,
    /// Lower probability and width of each cell, and the share of running time up to its end.
    cells: Vec<(f64, f64, f64)>,
}

impl Residual {
    /// Prepares the draws; `None` without a quantile function.
    pub fn new(distribution: &Distribution) -> Option<Self> {
        let values = points(distribution, 512)?;
        let total: f64 = values.iter().map(|(x, width)| x * width).sum();
        let mut sum = 0.0;
        let cells = grid(512).zip(values).map(|((low, width), (x, _))| {
            sum += x * width;
            (low, width, sum / total)
        });
        Some(Self { distribution: distribution.clone(), cells: cells.collect() })
    }

    /// Draws what is left, in the unit of the distribution.
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        let share = stream.uniform();
        let cell = self.cells.partition_point(|(.., end)| *end < share).min(self.cells.len() - 1);
        let (low, width, _) = self.cells[cell];
        let probability = low + width * stream.uniform();
        let run = self.distribution.quantile(probability);
        run.expect("it had a quantile function when this was made") * stream.uniform()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Purpose, Streams};

    fn assert_close(found: f64, want: f64, share: f64) {
        assert!((found / want - 1.0).abs() < share, "{found} is not {want}");
    }

    #[test]
    fn quadrature_agrees_with_closed_forms() {
        let log_normal = Distribution::log_normal(300.0, 1.8).unwrap();
        assert_close(mean_of(&log_normal, |x| x).unwrap(), log_normal.mean().unwrap(), 1e-4);
        let clamped = Distribution::pareto(1.0, 0.5).unwrap().clamped(0.0, 10_000.0).unwrap();
        // The mean of min(X, c) is the integral of (1/x)^α from 1 to c, plus 1.
        assert_close(mean_of(&clamped, |x| x).unwrap(), 199.0, 1e-3);
        let uniform = Distribution::uniform(0.0, 1.0).unwrap();
        let product = mean_of_pair(&clamped, &uniform, |x, y| x * y).unwrap();
        assert_close(product, 99.5, 1e-2);
    }

    #[test]
    fn the_residual_life_has_the_mean_of_renewal_theory() {
        // E[residual] = E[X²] / 2 E[X]; for an exponential its own mean, for a uniform on 0..1
        // a third.
        let mut stream = Streams { seed: 5, run: 0 }.stream(Purpose::PodDuration, 0);
        for (distribution, want) in [
            (Distribution::exponential(7.0).unwrap(), 7.0),
            (Distribution::uniform(0.0, 1.0).unwrap(), 1.0 / 3.0),
        ] {
            let residual = Residual::new(&distribution).unwrap();
            let count = 200_000;
            let sum: f64 = (0..count).map(|_| residual.draw(&mut stream)).sum();
            assert_close(sum / f64::from(count), want, 0.01);
        }
    }
}
