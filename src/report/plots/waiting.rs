//! The distribution of waiting times: how many pods waited at most so long, time on a logarithmic
//! scale.

use super::axis;
use super::canvas::{Ink, svg};
use super::frame::{Entry, Frame, draw_head};
use super::{HALF, Plot};
use crate::metrics::{RunResult, WaitingSummary};
use crate::report::format;

const TITLE: &str = "Waiting from submission to running";

/// A line: its place among the summaries, the summary, its points.
type Line<'a> = (usize, &'a WaitingSummary, Vec<(f64, f64)>);

/// The chart, where any pod waited at all.
pub fn plot(result: &RunResult) -> Option<Plot> {
    let shown: Vec<Line<'_>> = result
        .waiting
        .iter()
        .enumerate()
        .map(|(index, summary)| (index, summary, points(summary)))
        .filter(|(_, _, points)| !points.is_empty())
        .collect();
    let times = || shown.iter().flat_map(|(_, _, points)| points).map(|&(seconds, _)| seconds);
    let low = times().filter(|&seconds| seconds > 0.0).fold(f64::INFINITY, f64::min);
    let high = times().fold(0.0, f64::max);
    if !low.is_finite() || high <= 0.0 {
        return None;
    }
    let x = axis::log_duration(low.max(1e-6), high);
    let legend: Vec<Entry> = shown
        .iter()
        .map(|&(index, summary, _)| Entry { name: summary.name.clone(), ink: ink(index) })
        .collect();
    let frame = Frame::new(HALF, 58.0, &legend, x, axis::share(1.0));
    let drawing = svg(TITLE, HALF.0, HALF.1, |canvas| {
        draw_head(canvas, TITLE, &legend, HALF.0);
        frame.draw_y_axis(canvas);
        // The first, all pods, comes last and lies above.
        for (index, _, points) in shown.iter().rev() {
            let places: Vec<(f64, f64)> = points
                .iter()
                .map(|&(seconds, share)| {
                    let position = if seconds > 0.0 { libm::log10(seconds) } else { frame.x.low };
                    (frame.across(position), frame.up(share))
                })
                .collect();
            let width = if *index == 0 { 2.6 } else { 1.5 };
            canvas.line(&places, ink(*index), width, 1.0);
        }
        frame.draw_x_axis(canvas);
    });
    let note = Some(format!("Share of pods that waited at most so long.{}", at_once(result)));
    Some(Plot {
        name: "waiting".to_owned(),
        title: TITLE.to_owned(),
        svg: drawing,
        wide: false,
        note,
    })
}

fn ink(index: usize) -> Ink {
    if index == 0 { Ink::Text } else { Ink::Series(index - 1) }
}

fn points(summary: &WaitingSummary) -> Vec<(f64, f64)> {
    let finite = |&&(seconds, share): &&(f64, f64)| seconds.is_finite() && share.is_finite();
    summary.distribution.iter().filter(finite).copied().collect()
}

/// A sentence on those that did not wait, who have no place on a logarithmic scale.
fn at_once(result: &RunResult) -> String {
    let first = result.waiting.first().and_then(|all| all.distribution.first());
    match first {
        Some(&(seconds, share)) if seconds <= 0.0 && share > 0.0 => {
            format!(" {} did not wait at all.", format::percent(share))
        }
        Some(_) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn pods_that_did_not_wait_are_said_to() {
        let plot = plot(&sample::borg_day()).unwrap();
        assert!(plot.note.unwrap().contains("10.0 % did not wait at all."));
    }

    #[test]
    fn there_is_no_chart_where_nobody_waited() {
        let mut result = sample::borg_day();
        for summary in &mut result.waiting {
            summary.distribution = vec![(0.0, 1.0)];
        }
        assert!(plot(&result).is_none());
        assert!(plot(&sample::nothing()).is_none());
    }

    #[test]
    fn one_waiting_time_is_enough_for_a_chart() {
        let mut result = sample::borg_day();
        for summary in &mut result.waiting {
            summary.distribution = vec![(2.0, 1.0)];
        }
        assert!(!plot(&result).unwrap().svg.contains("NaN"));
    }
}
