//! Charts over virtual time. Long series are drawn as the mean of each column of the picture, with
//! a pale band between its extremes, so that nothing that happened is lost from sight.

use super::axis::{self, Axis};
use super::canvas::{Canvas, Ink, svg};
use super::frame::{Entry, Frame, draw_head};
use super::{HALF, Plot};
use crate::metrics::{Column, RunResult, Window};
use crate::report::format;

/// Most points that a line is drawn with.
const MOST_POINTS: usize = 400;
/// Most lines in one chart; more cannot be told apart.
const MOST_LINES: usize = 7;
const LEFT_MARGIN: f64 = 58.0;

/// One stretch of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub start_s: f64,
    pub end_s: f64,
    pub mean: f64,
    pub sum: f64,
    pub low: f64,
    pub high: f64,
}

/// What a reader asks who sees more than the whole taken.
const ABOVE_ONE: &str = "More than 100 %: requests are stretched by overcommit, or still held by \
                         machines that are down.";

/// What the vertical axis is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// Shares, from zero to at least one.
    Share,
    /// Numbers of things from zero.
    Count,
    /// Numbers of things; from above zero where they vary little.
    Zoomed,
    /// Events, summed over each stretch and stacked.
    Stacked,
}

/// A chart to be drawn.
struct Chart<'a> {
    name: String,
    title: String,
    scale: Scale,
    /// Name in the legend, colour, column.
    lines: Vec<(String, Ink, &'a Column)>,
}

/// All charts over time that `result` has columns for.
pub fn all(result: &RunResult) -> Vec<Plot> {
    charts(result).into_iter().filter_map(|chart| chart.plot(result)).collect()
}

fn charts(result: &RunResult) -> Vec<Chart<'_>> {
    let mut charts = per_resource(result);
    let title = "Of no use to the workload, share of what is free";
    charts.push(chart(result, "fragmentation", title, Scale::Share, &["fragmentation"], |name| {
        match name {
            "cpu" => Ink::Series(0),
            "memory" => Ink::Series(4),
            "gpu" => Ink::Series(2),
            _ => Ink::Series(7),
        }
    }));
    charts.push(chart(result, "nodes", "Nodes", Scale::Zoomed, &["nodes"], |name| match name {
        "up" => Ink::Series(2),
        _ => Ink::Series(7),
    }));
    for (name, title, ink) in
        [("running", "Running pods", Ink::Series(0)), ("pending", "Pending pods", Ink::Series(1))]
    {
        let mut one = chart(result, name, title, Scale::Count, &["pods"], |_| ink);
        one.lines.retain(|(line, _, _)| line == name);
        charts.push(one);
    }
    let name = "evictions-over-time";
    let ink = super::bars::cause_ink;
    let mut evictions = chart(result, name, "Evictions", Scale::Stacked, &["evictions"], ink);
    // A cause that never struck has no place in the legend.
    evictions.lines.retain(|(_, _, column)| column.values.iter().any(|count| *count > 0.0));
    charts.push(evictions);
    let mut ready = chart(result, "ready", "Ready pods", Scale::Count, &["ready"], |_| Ink::Text);
    for (index, line) in ready.lines.iter_mut().enumerate() {
        line.1 = Ink::Series(index);
    }
    if ready.lines.len() > MOST_LINES {
        ready.title = format!("Ready pods of the first {MOST_LINES} workloads");
        ready.lines.truncate(MOST_LINES);
    }
    charts.push(ready);
    charts
}

fn chart<'a>(
    result: &'a RunResult,
    name: &str,
    title: &str,
    scale: Scale,
    groups: &[&str],
    ink: impl Fn(&str) -> Ink,
) -> Chart<'a> {
    let columns = result.timeseries.columns.iter();
    let lines = columns
        .filter(|column| groups.contains(&column.group.as_str()))
        .map(|column| (column.name.clone(), ink(&column.name), column))
        .collect();
    Chart { name: name.to_owned(), title: title.to_owned(), scale, lines }
}

/// One chart per resource: allocation and utilization.
fn per_resource(result: &RunResult) -> Vec<Chart<'_>> {
    let mut charts: Vec<Chart<'_>> = Vec::new();
    for column in &result.timeseries.columns {
        let (label, ink) = match column.group.as_str() {
            "allocation" => ("allocated", Ink::Series(0)),
            "utilization" => ("used", Ink::Series(4)),
            _ => continue,
        };
        let title = format!("{}, share of capacity up", heading(&column.name));
        let index = charts.iter().position(|chart| chart.title == title).unwrap_or_else(|| {
            let mut name = format!("allocation-{}", super::slug(&column.name));
            // `a/b` and `a-b` would share a file.
            while charts.iter().any(|chart| chart.name == name) {
                name.push('_');
            }
            charts.push(Chart { name, title, scale: Scale::Share, lines: Vec::new() });
            charts.len() - 1
        });
        charts[index].lines.push((label.to_owned(), ink, column));
    }
    charts
}

/// `cpu` → `CPU`, `memory` → `Memory`; other names as they are.
pub fn heading(resource: &str) -> String {
    match resource {
        "cpu" => "CPU".to_owned(),
        "gpu" => "GPU".to_owned(),
        "memory" => "Memory".to_owned(),
        other => other.to_owned(),
    }
}

impl Chart<'_> {
    fn plot(&self, result: &RunResult) -> Option<Plot> {
        let lines: Vec<(Ink, Vec<Span>)> = self
            .lines
            .iter()
            .map(|(_, ink, column)| (*ink, spans(result, &column.values)))
            .filter(|(_, spans)| !spans.is_empty())
            .collect();
        if lines.is_empty() || self.is_idle(&lines) {
            return None;
        }
        let legend: Vec<Entry> = if self.lines.len() > 1 || self.scale == Scale::Stacked {
            self.lines
                .iter()
                .map(|(name, ink, _)| Entry { name: name.clone(), ink: *ink })
                .collect()
        } else {
            Vec::new()
        };
        let frame = Frame::new(
            HALF,
            LEFT_MARGIN,
            &legend,
            axis::time(lines[0].1[0].start_s, end_of(&lines), 6.0),
            self.y_axis(&lines),
        );
        let drawing = svg(&self.title, HALF.0, HALF.1, |canvas| {
            draw_head(canvas, &self.title, &legend, HALF.0);
            shade_warm_up(canvas, &frame, &result.window);
            frame.draw_y_axis(canvas);
            if self.scale == Scale::Stacked {
                draw_stack(canvas, &frame, &lines);
            } else {
                // The first lies above the others.
                lines.iter().rev().for_each(|(ink, spans)| draw_line(canvas, &frame, *ink, spans));
            }
            frame.draw_x_axis(canvas);
        });
        let note = self.note(&frame, &lines, result.timeseries.bucket_s);
        Some(Plot {
            name: self.name.clone(),
            title: self.title.clone(),
            svg: drawing,
            wide: false,
            note,
        })
    }

    /// Evictions of which there are none are not worth a picture.
    fn is_idle(&self, lines: &[(Ink, Vec<Span>)]) -> bool {
        self.scale == Scale::Stacked
            && lines.iter().all(|(_, spans)| spans.iter().all(|span| span.sum == 0.0))
    }

    fn y_axis(&self, lines: &[(Ink, Vec<Span>)]) -> Axis {
        let spans = || lines.iter().flat_map(|(_, spans)| spans);
        let high = spans().map(|span| span.high).fold(0.0, f64::max);
        match self.scale {
            Scale::Share => axis::share(high),
            Scale::Count => axis::counting(0.0, high, 5.0),
            Scale::Zoomed => {
                let low = spans().map(|span| span.low).fold(f64::INFINITY, f64::min);
                axis::counting(if low > high / 2.0 { low } else { 0.0 }, high, 5.0)
            }
            Scale::Stacked => axis::counting(0.0, highest_stack(lines), 5.0),
        }
    }

    fn note(&self, frame: &Frame, lines: &[(Ink, Vec<Span>)], bucket_s: f64) -> Option<String> {
        let span = lines[0].1[0];
        let drawn = format::duration(span.end_s - span.start_s);
        if self.scale == Scale::Stacked {
            return Some(format!("Per {drawn}."));
        }
        let mut notes = Vec::new();
        if span.end_s - span.start_s > bucket_s * 1.5 {
            notes.push(format!("Means over {drawn}; the band shows the extremes within."));
        }
        let above_one = lines.iter().flat_map(|(_, spans)| spans).any(|span| span.mean > 1.0);
        if self.scale == Scale::Share && above_one {
            notes.push(ABOVE_ONE.to_owned());
        }
        if self.scale == Scale::Zoomed && frame.y.low > 0.0 {
            notes.push("The vertical axis does not start at zero.".to_owned());
        }
        (!notes.is_empty()).then(|| notes.join(" "))
    }
}

/// `values` over the buckets of the run, brought down to [`MOST_POINTS`]; what is not a number is
/// left out.
pub fn spans(result: &RunResult, values: &[f64]) -> Vec<Span> {
    let series = &result.timeseries;
    let end_s = |index: usize| {
        let regular = series.time_s[index] + series.bucket_s;
        let next = series.time_s.get(index + 1).copied();
        next.unwrap_or_else(|| {
            let end_s = result.window.end_s;
            if end_s > series.time_s[index] { regular.min(end_s) } else { regular }
        })
    };
    let count = series.time_s.len().min(values.len());
    let chunk = count.div_ceil(MOST_POINTS).max(1);
    let starts = (0..count).step_by(chunk);
    starts
        .filter_map(|first| {
            let buckets = first..(first + chunk).min(count);
            let parts = buckets.map(|i| (series.time_s[i], end_s(i), values[i]));
            span(parts.filter(|(_, _, value)| value.is_finite()))
        })
        .collect()
}

/// One stretch out of buckets `(start, end, value)`.
fn span(mut buckets: impl Iterator<Item = (f64, f64, f64)>) -> Option<Span> {
    let (start_s, end_s, value) = buckets.next()?;
    let mut whole = Span { start_s, end_s, mean: value, sum: value, low: value, high: value };
    let mut weight = end_s - start_s;
    let mut area = value * weight;
    for (start_s, end_s, value) in buckets {
        whole.end_s = end_s;
        whole.sum += value;
        whole.low = whole.low.min(value);
        whole.high = whole.high.max(value);
        weight += end_s - start_s;
        area += value * (end_s - start_s);
    }
    if weight > 0.0 {
        whole.mean = area / weight;
    }
    Some(whole)
}

fn end_of(lines: &[(Ink, Vec<Span>)]) -> f64 {
    let ends = lines.iter().filter_map(|(_, spans)| spans.last());
    ends.map(|span| span.end_s).fold(0.0, f64::max)
}

fn shade_warm_up(canvas: &Canvas<'_>, frame: &Frame, window: &Window) {
    let width = frame.across(window.start_s) - frame.left;
    if window.start_s <= frame.x.low || width < 1.0 {
        return;
    }
    canvas.rectangle((frame.left, frame.top), (width, frame.height), Ink::Shade, 1.0);
}

fn draw_line(canvas: &Canvas<'_>, frame: &Frame, ink: Ink, spans: &[Span]) {
    let steps = |value: fn(&Span) -> f64| -> Vec<(f64, f64)> {
        let step = |span: &Span| {
            let y = frame.up(value(span));
            [(frame.across(span.start_s), y), (frame.across(span.end_s), y)]
        };
        spans.iter().flat_map(step).collect()
    };
    if spans.iter().any(|span| span.low < span.high) {
        let mut band = steps(|span| span.low);
        band.extend(steps(|span| span.high).into_iter().rev());
        canvas.area(&band, ink, 0.22);
    }
    canvas.line(&steps(|span| span.mean), ink, 1.6, 1.0);
}

fn highest_stack(lines: &[(Ink, Vec<Span>)]) -> f64 {
    let longest = lines.iter().map(|(_, spans)| spans.len()).max().unwrap_or(0);
    let total = |index: usize| -> f64 {
        lines.iter().filter_map(|(_, spans)| spans.get(index)).map(|span| span.sum).sum()
    };
    (0..longest).map(total).fold(0.0, f64::max)
}

/// Bars, the causes upon one another.
fn draw_stack(canvas: &Canvas<'_>, frame: &Frame, lines: &[(Ink, Vec<Span>)]) {
    let longest = lines.iter().map(|(_, spans)| spans.len()).max().unwrap_or(0);
    for index in 0..longest {
        let mut base = 0.0;
        for (ink, spans) in lines {
            let Some(span) = spans.get(index).filter(|span| span.sum > 0.0) else { continue };
            let (left, right) = (frame.across(span.start_s), frame.across(span.end_s));
            let (top, bottom) = (frame.up(base + span.sum), frame.up(base));
            canvas.rectangle((left, top), (right - left, bottom - top), *ink, 1.0);
            base += span.sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_long_series_keeps_its_mean_and_its_extremes() {
        let mut result = sample::very_long();
        let values = &mut result.timeseries.columns[0].values;
        values[123_456] = 3.0;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let spans = spans(&result, &result.timeseries.columns[0].values);
        assert!(spans.len() <= MOST_POINTS);
        let low = spans.iter().map(|span| span.low).fold(f64::INFINITY, f64::min);
        assert_eq!(low, 3.0);
        let seconds: f64 = spans.iter().map(|span| span.end_s - span.start_s).sum();
        let area: f64 = spans.iter().map(|span| span.mean * (span.end_s - span.start_s)).sum();
        assert!((area / seconds - mean).abs() < 1e-9);
        assert_eq!(seconds, 1_000_000.0);
    }

    #[test]
    fn what_is_not_a_number_leaves_a_gap_and_no_trace() {
        let mut result = sample::borg_day();
        result.timeseries.columns[0].values[5] = f64::NAN;
        result.timeseries.columns[1].values[6] = f64::INFINITY;
        for plot in all(&result) {
            assert!(!plot.svg.contains("NaN") && !plot.svg.contains("inf"), "{}", plot.name);
        }
        let spans = spans(&result, &result.timeseries.columns[0].values);
        assert!(spans.iter().all(|span| span.mean.is_finite()));
    }

    #[test]
    fn one_bucket_makes_charts_and_no_bucket_makes_none() {
        assert!(all(&sample::one_bucket()).iter().any(|plot| plot.name == "nodes"));
        assert!(all(&sample::nothing()).is_empty());
    }
}
