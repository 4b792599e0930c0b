//! The plots of a report, as SVG. Each file is one kind of chart: results in, drawing out. They
//! know nothing of the page that they stand on.

mod axis;
mod bars;
mod canvas;
mod dots;
mod frame;
mod outages;
mod series;
mod waiting;

pub use canvas::{THEME, ink_rules, standalone};
pub use dots::dots;
pub use series::heading;

use crate::metrics::RunResult;

/// Width and height of a chart that stands beside another, in CSS pixels.
const HALF: (f64, f64) = (500.0, 250.0);
/// Width of a chart that stands alone.
const WIDE: f64 = 1_020.0;

/// A finished plot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    /// Name of its file, without `.svg`.
    pub name: String,
    pub title: String,
    /// An `<svg>` element without styles of its own.
    pub svg: String,
    /// Whether it takes the full width of the page.
    pub wide: bool,
    /// A sentence to stand below it.
    pub note: Option<String>,
}

/// Every plot that `result` has something for, in the order of the page.
pub fn all(result: &RunResult) -> Vec<Plot> {
    let mut plots = series::all(result);
    plots.extend(waiting::plot(result));
    plots.extend(bars::evictions(result));
    plots.extend(bars::availability(result));
    plots.extend(outages::plot(result));
    plots
}

/// `name` as part of a file name: letters, digits and dots stay, the rest becomes `-`.
fn slug(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c } else { '-' };
    name.chars().map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_full_day_has_every_plot_under_its_own_name() {
        let names: Vec<String> =
            all(&sample::borg_day()).into_iter().map(|plot| plot.name).collect();
        let expected = [
            "allocation-cpu",
            "allocation-memory",
            "allocation-gpu",
            "fragmentation",
            "nodes",
            "running",
            "pending",
            "evictions-over-time",
            "ready",
            "waiting",
            "evictions",
            "availability",
            "outages",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn no_plot_has_a_coordinate_that_is_no_number() {
        for result in
            [sample::borg_day(), sample::one_bucket(), sample::very_long(), sample::nothing()]
        {
            for plot in all(&result) {
                assert!(!plot.svg.contains("NaN") && !plot.svg.contains("inf\""), "{}", plot.name);
            }
        }
    }

    #[test]
    fn a_file_name_cannot_leave_its_folder() {
        assert_eq!(slug("nvidia.com/gpu"), "nvidia.com-gpu");
        assert_eq!(slug("../x"), "..-x");
    }
}
