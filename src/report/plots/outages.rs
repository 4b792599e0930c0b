//! The timeline of outages: a row per workload, a bar per outage. Those that would touch in the
//! picture are drawn as one, so that ten thousand of them still make a small file.

use super::axis;
use super::canvas::{Ink, svg};
use super::frame::{Frame, draw_head, head_height, names_margin};
use super::{Plot, WIDE};
use crate::metrics::RunResult;
use crate::report::format;

const ROW: f64 = 24.0;
const BAR: f64 = 12.0;
const FOOT: f64 = 26.0;
/// No outage is drawn narrower, in CSS pixels.
const LEAST_WIDTH: f64 = 2.0;
/// Most workloads in the picture.
const MOST_ROWS: usize = 30;
const TITLE: &str = "Outages";

/// One row: a workload and its outages as `(start, end)`.
struct Row<'a> {
    name: &'a str,
    outages: Vec<(f64, f64)>,
    seconds: f64,
}

/// The timeline, where there was an outage.
pub fn plot(result: &RunResult) -> Option<Plot> {
    let mut rows = rows(result);
    if rows.is_empty() {
        return None;
    }
    let left_out = rows.len().saturating_sub(MOST_ROWS);
    rows.truncate(MOST_ROWS);
    #[expect(clippy::cast_precision_loss, reason = "at most thirty")]
    let count = rows.len() as f64;
    let size = (WIDE, head_height(&[], WIDE) + count * ROW + FOOT);
    let last = rows.iter().flat_map(|row| &row.outages).map(|&(_, end)| end).fold(0.0, f64::max);
    let frame = Frame::new(
        size,
        names_margin(rows.iter().map(|row| row.name)),
        &[],
        axis::time(0.0, result.window.end_s.max(last), 10.0),
        axis::linear(0.0, count, 1.0, format::number),
    );
    let drawing = svg(TITLE, size.0, size.1, |canvas| {
        draw_head(canvas, TITLE, &[], size.0);
        frame.draw_x_grid(canvas);
        for (index, row) in (0u32..).zip(&rows) {
            let y = frame.top + ROW * (f64::from(index) + 0.5);
            frame.draw_row_name(canvas, row.name, y);
            canvas.line(&[(frame.left, y), (frame.right(), y)], Ink::Axis, 1.0, 1.0);
            for (left, right) in bars(&frame, &row.outages) {
                let place = (left, y - BAR / 2.0);
                canvas.rectangle(place, (right - left, BAR), Ink::Series(1), 1.0);
            }
        }
        frame.draw_x_axis(canvas);
    });
    let mut note = "Times in which a workload had fewer ready pods than its minimum.".to_owned();
    if left_out > 0 {
        note += &format!(" {left_out} more workloads with shorter outages are in the table.");
    }
    Some(Plot {
        name: "outages".to_owned(),
        title: TITLE.to_owned(),
        svg: drawing,
        wide: true,
        note: Some(note),
    })
}

/// The workloads with outages, the longest time in outage first.
fn rows(result: &RunResult) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    for outage in &result.outages {
        let (start, end) = (outage.start_s, outage.end_s);
        if !start.is_finite() || !end.is_finite() {
            continue;
        }
        let place = *places.entry(outage.workload.as_str()).or_insert_with(|| {
            rows.push(Row { name: &outage.workload, outages: Vec::new(), seconds: 0.0 });
            rows.len() - 1
        });
        rows[place].outages.push((start, end));
        rows[place].seconds += end - start;
    }
    rows.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    rows
}

/// Outages as `(left, right)` in pixels; those that touch are one.
fn bars(frame: &Frame, outages: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut bars: Vec<(f64, f64)> = Vec::new();
    for &(start, end) in outages {
        let left = frame.across(start);
        let right = frame.across(end).max(left + LEAST_WIDTH);
        match bars.last_mut() {
            Some(last) if left <= last.1 => last.1 = last.1.max(right),
            Some(_) | None => bars.push((left, right)),
        }
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{MAX_OUTAGES, Outage};
    use crate::report::sample;

    #[test]
    fn ten_thousand_outages_make_a_small_picture() {
        let mut result = sample::borg_day();
        result.outages = (0..MAX_OUTAGES)
            .map(|index| Outage {
                workload: "flaky".to_owned(),
                start_s: index as f64 * 8.0,
                end_s: index as f64 * 8.0 + 1.0,
                ready_min: 0,
            })
            .collect();
        let plot = plot(&result).unwrap();
        assert!(plot.svg.len() < 60_000, "{} bytes", plot.svg.len());
    }

    #[test]
    fn the_longest_outage_stands_at_the_top() {
        let drawing = plot(&sample::borg_day()).unwrap().svg;
        let place = |name: &str| drawing.find(name).unwrap();
        assert!(place("single-wordpress") < place("checkout"));
        assert!(place("checkout") < place("frontend"));
    }

    #[test]
    fn without_outages_there_is_no_timeline() {
        assert!(plot(&sample::nothing()).is_none());
    }
}
