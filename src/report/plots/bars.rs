//! Bars in rows: evictions of each tier by cause, availability of each workload by its nines.

use super::axis;
use super::canvas::{Anchor, Canvas, Ink, svg, text_width};
use super::frame::{Entry, Frame, LABEL, draw_head, head_height, names_margin};
use super::{HALF, Plot, WIDE};
use crate::cluster::EvictionCause;
use crate::metrics::{EvictionSummary, RunResult, WorkloadSummary};
use crate::report::format;

/// Height of a row.
const ROW: f64 = 26.0;
/// Thickness of a bar.
const BAR: f64 = 14.0;
/// Height of the axis below the rows.
const FOOT: f64 = 26.0;
/// Most workloads in the picture; the table has all.
const MOST_WORKLOADS: usize = 30;

/// The colour of a cause of eviction, the same in every chart.
pub fn cause_ink(cause: &str) -> Ink {
    let place = EvictionCause::ALL.iter().position(|known| known.name() == cause);
    match place {
        Some(0) => Ink::Series(0),
        Some(1) => Ink::Series(1),
        Some(2) => Ink::Series(4),
        Some(3) => Ink::Series(3),
        Some(_) | None => Ink::Series(7),
    }
}

/// Evictions of each tier by cause, per task-week where that is known of all, else counted.
pub fn evictions(result: &RunResult) -> Option<Plot> {
    let cells: Vec<&EvictionSummary> =
        result.evictions.iter().filter(|cell| cell.count > 0).collect();
    let rated = cells.iter().all(|cell| cell.per_task_week.is_some_and(f64::is_finite));
    #[expect(clippy::cast_precision_loss, reason = "a picture shows three digits")]
    let value = |cell: &EvictionSummary| match cell.per_task_week {
        Some(rate) if rated => rate,
        Some(_) | None => cell.count as f64,
    };
    let tiers = unique(cells.iter().map(|cell| cell.tier.as_str()));
    let mut causes = unique(cells.iter().map(|cell| cell.cause.as_str()));
    let order = |cause: &str| EvictionCause::ALL.iter().position(|known| known.name() == cause);
    causes.sort_by_key(|cause| order(cause).unwrap_or(EvictionCause::COUNT));
    let total = |tier: &str| -> f64 {
        cells.iter().filter(|cell| cell.tier == tier).map(|cell| value(cell)).sum()
    };
    let high = tiers.iter().map(|tier| total(tier)).fold(0.0, f64::max);
    if high <= 0.0 {
        return None;
    }
    let title = if rated { "Evictions per task-week" } else { "Evictions" };
    let legend: Vec<Entry> = causes
        .iter()
        .map(|&cause| Entry { name: cause.to_owned(), ink: cause_ink(cause) })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "there are five tiers")]
    let rows = tiers.len() as f64;
    let size = (HALF.0, (head_height(&legend, HALF.0) + rows * ROW + FOOT).max(HALF.1));
    let x = axis::linear(0.0, high * 1.12, 5.0, format::number);
    let margin = names_margin(tiers.iter().copied());
    let frame = Frame::new(size, margin, &legend, x, axis::linear(0.0, rows, 1.0, format::number));
    let drawing = svg(title, size.0, size.1, |canvas| {
        draw_head(canvas, title, &legend, size.0);
        frame.draw_x_grid(canvas);
        let row = frame.height / rows;
        for (index, &tier) in (0u32..).zip(&tiers) {
            let y = frame.top + row * (f64::from(index) + 0.5);
            frame.draw_row_name(canvas, tier, y);
            let mut base = 0.0;
            for cell in cells.iter().filter(|cell| cell.tier == tier) {
                let (left, right) = (frame.across(base), frame.across(base + value(cell)));
                let place = ((left, y - BAR / 2.0), (right - left, BAR));
                canvas.rectangle(place.0, place.1, cause_ink(&cell.cause), 1.0);
                base += value(cell);
            }
            let end = (frame.across(base) + 6.0, y);
            canvas.text(&format::number(base), end, Anchor::Start, LABEL, Ink::Muted);
        }
        frame.draw_x_axis(canvas);
    });
    let note = rated.then(|| "Evictions per week of running time of the tier's pods.".to_owned());
    Some(Plot {
        name: "evictions".to_owned(),
        title: title.to_owned(),
        svg: drawing,
        wide: false,
        note,
    })
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut kept = Vec::new();
    for name in names {
        if !kept.contains(&name) {
            kept.push(name);
        }
    }
    kept
}

/// Service availability of each declared workload on a scale of nines, the worst first.
pub fn availability(result: &RunResult) -> Option<Plot> {
    let mut shown: Vec<(&WorkloadSummary, f64)> = result
        .workloads
        .iter()
        .filter_map(|workload| Some((workload, workload.service_availability?)))
        .filter(|(_, share)| share.is_finite())
        .collect();
    if shown.is_empty() {
        return None;
    }
    shown.sort_by(|a, b| a.1.total_cmp(&b.1));
    let left_out = shown.len().saturating_sub(MOST_WORKLOADS);
    shown.truncate(MOST_WORKLOADS);
    let title = "Service availability";
    let legend = availability_legend(&shown);
    #[expect(clippy::cast_precision_loss, reason = "at most thirty")]
    let rows = shown.len() as f64;
    let size = (WIDE, head_height(&legend, WIDE) + rows * ROW + FOOT);
    let names = shown.iter().map(|(workload, _)| workload.name.as_str());
    let x = axis::nines(most_nines(&shown));
    let mut frame = Frame::new(
        size,
        names_margin(names),
        &legend,
        x,
        axis::linear(0.0, rows, 1.0, format::number),
    );
    // Room for the figures at the right of the bars.
    frame.width -= 150.0;
    let drawing = svg(title, size.0, size.1, |canvas| {
        draw_head(canvas, title, &legend, size.0);
        frame.draw_x_grid(canvas);
        for (index, (workload, share)) in (0u32..).zip(&shown) {
            let y = frame.top + ROW * (f64::from(index) + 0.5);
            draw_availability(canvas, &frame, workload, *share, y);
        }
        frame.draw_x_axis(canvas);
    });
    let mut note = "Each step to the right is one nine more.".to_owned();
    if left_out > 0 {
        note += &format!(" {left_out} more workloads with better figures are in the table.");
    }
    Some(Plot {
        name: "availability".to_owned(),
        title: title.to_owned(),
        svg: drawing,
        wide: true,
        note: Some(note),
    })
}

/// Whether the objective is met, for colours.
fn met(workload: &WorkloadSummary, share: f64) -> Option<bool> {
    workload.objective.map(|objective| share >= objective)
}

fn verdict_ink(verdict: Option<bool>) -> Ink {
    match verdict {
        Some(true) => Ink::Series(2),
        Some(false) => Ink::Series(1),
        None => Ink::Series(0),
    }
}

fn availability_legend(shown: &[(&WorkloadSummary, f64)]) -> Vec<Entry> {
    let kinds =
        [(Some(true), "objective met"), (Some(false), "objective missed"), (None, "no objective")];
    let present = kinds.into_iter().filter(|(verdict, _)| {
        shown.iter().any(|(workload, share)| met(workload, *share) == *verdict)
    });
    let mut legend: Vec<Entry> = present
        .map(|(verdict, name)| Entry { name: name.to_owned(), ink: verdict_ink(verdict) })
        .collect();
    if shown.iter().any(|(workload, _)| workload.objective.is_some()) {
        legend.push(Entry { name: "objective (mark)".to_owned(), ink: Ink::Text });
    }
    legend
}

/// `−log10(1 − share)`; infinite where there was no outage.
fn nines(share: f64) -> f64 {
    if share >= 1.0 { f64::INFINITY } else { -libm::log10(1.0 - share.max(0.0)) }
}

fn most_nines(shown: &[(&WorkloadSummary, f64)]) -> f64 {
    let objectives = shown.iter().filter_map(|(workload, _)| workload.objective);
    let all = shown.iter().map(|(_, share)| *share).chain(objectives).map(nines);
    all.filter(|value| value.is_finite()).fold(3.0, f64::max).min(9.0).ceil()
}

fn draw_availability(
    canvas: &Canvas<'_>,
    frame: &Frame,
    workload: &WorkloadSummary,
    share: f64,
    y: f64,
) {
    frame.draw_row_name(canvas, &workload.name, y);
    let value = nines(share).max(0.0);
    let end = frame.across(value.min(frame.x.high));
    let ink = verdict_ink(met(workload, share));
    // Without an outage there is no last nine: the bar runs on, paler.
    let opacity = if value.is_finite() { 1.0 } else { 0.45 };
    let length = (end - frame.left).max(1.5);
    canvas.rectangle((frame.left, y - BAR / 2.0), (length, BAR), ink, opacity);
    let mut label = (end + 8.0).max(frame.left + 8.0);
    if let Some(objective) = workload.objective.filter(|objective| objective.is_finite()) {
        let mark = frame.across(nines(objective).clamp(0.0, frame.x.high));
        canvas.rectangle((mark - 1.25, y - BAR / 2.0 - 3.0), (2.5, BAR + 6.0), Ink::Text, 1.0);
        let text = text_width("99.9999 %  9.9 nines", LABEL);
        // A mark just right of the bar would stand in its figures.
        if mark > end - 4.0 && mark < end + text {
            label = mark + 8.0;
        }
    }
    let shown = if value.is_finite() {
        format!("{}, {value:.1} nines", format::availability(share))
    } else {
        "100 %, no outage".to_owned()
    };
    canvas.text(&shown, (label, y), Anchor::Start, LABEL, Ink::Muted);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn evictions_are_counted_where_a_rate_is_not_known() {
        let mut result = sample::borg_day();
        assert_eq!(evictions(&result).unwrap().title, "Evictions per task-week");
        result.evictions[0].per_task_week = None;
        assert_eq!(evictions(&result).unwrap().title, "Evictions");
        assert!(evictions(&sample::nothing()).is_none());
    }

    #[test]
    fn the_worst_workload_comes_first() {
        let drawing = availability(&sample::borg_day()).unwrap().svg;
        let place = |name: &str| drawing.find(name).unwrap();
        assert!(place("single-wordpress") < place("checkout"));
        assert!(place("checkout") < place("search-index"));
        assert!(drawing.contains("no outage"));
    }

    #[test]
    fn every_cause_has_a_colour_of_its_own() {
        let inks = EvictionCause::ALL.map(|cause| cause_ink(cause.name()));
        for (index, ink) in inks.iter().enumerate() {
            assert!(!inks[..index].contains(ink), "{ink:?}");
        }
    }
}
