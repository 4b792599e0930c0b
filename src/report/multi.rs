//! One scenario under several seeds: the mean of each key figure with its 95 % confidence
//! interval, as text, as files, as a page. Knows results, not how they were run.

use std::path::Path;

use minijinja::{Value, context};
use serde::Serialize;

use super::align::{Side, columns, wrapped};
use super::figures::{self, Figure, Kind};
use super::format::{self, NOTHING, duration, shortened};
use super::statistics::{Estimate, estimate};
use super::table::{Cell, Table, numbers, optional, whole};
use super::{ReportError, file, folder, html, json, plots, yaml};
use crate::metrics::{RunResult, SCHEMA_VERSION};

/// One key figure over all seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureOverSeeds {
    /// Stable name, as in `seeds.csv`.
    pub key: String,
    /// Name for people.
    pub label: String,
    /// How it is shown.
    pub kind: Kind,
    /// The value under each seed, in the order of the runs; `None` where the question does not
    /// arise.
    pub values: Vec<Option<f64>>,
    /// Mean and interval of the values that are there.
    pub estimate: Estimate,
}

/// The key figures of `results`, runs of one scenario under different seeds; those that no run
/// has and counts that are zero in all are left out.
///
/// # Errors
///
/// [`ReportError::NoRuns`] and [`ReportError::MixedScenarios`].
pub fn figures(results: &[RunResult]) -> Result<Vec<FigureOverSeeds>, ReportError> {
    let first = results.first().ok_or(ReportError::NoRuns)?;
    let stranger = results.iter().find(|result| result.scenario.name != first.scenario.name);
    if let Some(other) = stranger {
        return Err(ReportError::MixedScenarios {
            first: first.scenario.name.clone(),
            other: other.scenario.name.clone(),
        });
    }
    let by_seed: Vec<Vec<Figure>> = results.iter().map(figures::of).collect();
    let mut keys: Vec<&Figure> = Vec::new();
    for figure in by_seed.iter().flatten() {
        if !keys.iter().any(|known| known.key == figure.key) {
            keys.push(figure);
        }
    }
    Ok(keys.into_iter().filter_map(|figure| over_seeds(figure, &by_seed)).collect())
}

fn over_seeds(figure: &Figure, by_seed: &[Vec<Figure>]) -> Option<FigureOverSeeds> {
    let value = |run: &Vec<Figure>| run.iter().find(|other| other.key == figure.key)?.value;
    let values: Vec<Option<f64>> = by_seed.iter().map(value).collect();
    let known: Vec<f64> = values.iter().copied().flatten().collect();
    let idle = figure.kind == Kind::Count && known.iter().all(|&value| value == 0.0);
    let estimate = estimate(&known).filter(|_| !idle)?;
    Some(FigureOverSeeds {
        key: figure.key.clone(),
        label: figure.label.clone(),
        kind: figure.kind,
        values,
        estimate,
    })
}

impl FigureOverSeeds {
    fn known(&self) -> Vec<f64> {
        self.values.iter().copied().flatten().collect()
    }

    /// Mean, half width, least, most, number of seeds: as cells.
    fn cells(&self) -> [Cell; 5] {
        let known = self.known();
        let least = known.iter().copied().reduce(f64::min);
        let most = known.iter().copied().reduce(f64::max);
        let show = |value| self.kind.show(value);
        [
            optional(Some(self.estimate.mean), show),
            optional(self.estimate.half_width, |half| self.kind.show_difference(half)),
            optional(least, show),
            optional(most, show),
            whole(known.len() as u64),
        ]
    }
}

/// The table that the terminal gets, in lines of about `width` characters.
///
/// # Errors
///
/// As [`figures`].
pub fn text(results: &[RunResult], width: usize) -> Result<String, ReportError> {
    let figures = figures(results)?;
    let mut lines = heading(results, width);
    lines.push(String::new());
    let mut rows = vec![["", "mean", "± 95 %", "least", "most"].map(str::to_owned).to_vec()];
    for figure in &figures {
        let mut row = vec![shortened(&figure.label, width.saturating_sub(44).max(20))];
        row.extend(figure.cells().into_iter().take(4).map(|cell| cell.shown));
        rows.push(row);
    }
    let sides = [Side::Left, Side::Right, Side::Right, Side::Right, Side::Right];
    lines.extend(columns(&rows, &sides));
    lines.push(String::new());
    lines.extend(wrapped(INTERVAL_NOTE, width));
    Ok(lines.join("\n") + "\n")
}

const INTERVAL_NOTE: &str =
    "± 95 %: half the width of the confidence interval of the mean (Student's t over seeds).";

fn heading(results: &[RunResult], width: usize) -> Vec<String> {
    let scenario = &results[0].scenario;
    let mut lines = vec![shortened(&title(&results[0]), width)];
    let about = format!(
        "{} placement, {} queue, {}",
        scenario.placement,
        scenario.queue,
        seeds_in_words(results)
    );
    lines.extend(wrapped(&about, width));
    lines
}

fn title(result: &RunResult) -> String {
    let scenario = &result.scenario;
    if scenario.title.is_empty() {
        return scenario.name.clone();
    }
    format!("{} · {}", scenario.name, scenario.title)
}

/// `8 seeds (1 … 8)`.
fn seeds_in_words(results: &[RunResult]) -> String {
    let seeds: Vec<u64> = results.iter().map(|result| result.scenario.seed).collect();
    match seeds.as_slice() {
        [one] => format!("seed {one}"),
        [first, .., last] => format!("{} seeds ({first} … {last})", seeds.len()),
        [] => "no seeds".to_owned(),
    }
}

/// Writes the report on all seeds to `folder`, whole or not at all: `report.html`, `summary.json`
/// and `seeds.csv`.
///
/// # Errors
///
/// As [`figures`] and [`super::write`].
pub fn write(results: &[RunResult], folder: &Path) -> Result<(), ReportError> {
    let figures = figures(results)?;
    folder::check(folder)?;
    let files = [
        file("summary.json", json(&summary(results, &figures))?),
        file("seeds.csv", seeds_table(results, &figures).csv()?),
        file("report.html", page(results, &figures)?),
    ];
    folder::put(folder, &files)
}

/// The content of `summary.json`.
#[derive(Serialize)]
struct Summary<'a> {
    schema_version: u32,
    kind: &'static str,
    cellsim_version: &'a str,
    scenario: ScenarioSummary<'a>,
    runs: Vec<RunSummary<'a>>,
    figures: Vec<FigureSummary<'a>>,
}

#[derive(Serialize)]
struct ScenarioSummary<'a> {
    name: &'a str,
    title: &'a str,
    placement: &'a str,
    queue: &'a str,
    resolved: &'a serde_json::Value,
}

#[derive(Serialize)]
struct RunSummary<'a> {
    seed: u64,
    fingerprint: &'a str,
}

#[derive(Serialize)]
struct FigureSummary<'a> {
    key: &'a str,
    label: &'a str,
    values: &'a [Option<f64>],
    #[serde(flatten)]
    estimate: Estimate,
    interval: Option<(f64, f64)>,
}

fn summary<'a>(results: &'a [RunResult], figures: &'a [FigureOverSeeds]) -> Summary<'a> {
    let first = &results[0];
    let run = |result: &'a RunResult| RunSummary {
        seed: result.scenario.seed,
        fingerprint: &result.fingerprint,
    };
    let figure = |figure: &'a FigureOverSeeds| FigureSummary {
        key: &figure.key,
        label: &figure.label,
        values: &figure.values,
        estimate: figure.estimate,
        interval: figure.estimate.interval(),
    };
    Summary {
        schema_version: SCHEMA_VERSION,
        kind: "seeds",
        cellsim_version: &first.cellsim_version,
        scenario: ScenarioSummary {
            name: &first.scenario.name,
            title: &first.scenario.title,
            placement: &first.scenario.placement,
            queue: &first.scenario.queue,
            resolved: &first.scenario.resolved,
        },
        runs: results.iter().map(run).collect(),
        figures: figures.iter().map(figure).collect(),
    }
}

/// `seeds.csv`: a row per seed, a column per figure.
fn seeds_table(results: &[RunResult], figures: &[FigureOverSeeds]) -> Table {
    let mut columns = vec![numbers("seed", "Seed")];
    columns.extend(figures.iter().map(|figure| numbers(&figure.key, &figure.label)));
    let rows = results.iter().enumerate().map(|(index, result)| {
        let mut row = vec![whole(result.scenario.seed)];
        row.extend(
            figures
                .iter()
                .map(|figure| optional(figure.values[index], |value| figure.kind.show(value))),
        );
        row
    });
    Table { columns, rows: rows.collect() }
}

fn page(results: &[RunResult], figures: &[FigureOverSeeds]) -> Result<String, ReportError> {
    let first = &results[0];
    let scenario = &first.scenario;
    let runs = results.iter().map(|result| {
        context! { seed => result.scenario.seed, fingerprint => &result.fingerprint }
    });
    html::render(
        "seeds.html",
        context! {
            name => &scenario.name,
            title => &scenario.title,
            subtitle => subtitle(results),
            count => results.len(),
            rows => figures.iter().map(row_value).collect::<Vec<_>>(),
            notices => notices(results).into_iter().map(Value::from).collect::<Vec<_>>(),
            runs => runs.collect::<Vec<_>>(),
            resolved => yaml::document(&scenario.resolved),
            file => format!("{}.yaml", html::file_stem(&scenario.name)),
            version => &first.cellsim_version,
        },
    )
}

fn subtitle(results: &[RunResult]) -> String {
    let (scenario, window) = (&results[0].scenario, &results[0].window);
    format!(
        "Placement {}, queue {}, {}. Measured from {} to {}, {} in all.",
        scenario.placement,
        scenario.queue,
        seeds_in_words(results),
        duration(window.start_s),
        duration(window.end_s),
        duration(window.length_s),
    )
}

fn row_value(figure: &FigureOverSeeds) -> Value {
    let half = figure.estimate.half_width.map(|half| figure.kind.show_difference(half));
    let mean = figure.kind.show(figure.estimate.mean);
    let title =
        format!("{}: mean {mean} ± {}", figure.label, half.unwrap_or_else(|| NOTHING.to_owned()));
    let cells = figure.cells();
    let cells = cells.iter().map(|cell| {
        context! { shown => &cell.shown, key => cell.value.sort_key() }
    });
    context! {
        label => &figure.label,
        cells => cells.collect::<Vec<_>>(),
        svg => Value::from_safe_string(plots::dots(&title, &figure.known(), &figure.estimate)),
    }
}

/// The notices of all runs, each once, with the number of runs that have it where not all do.
fn notices(results: &[RunResult]) -> Vec<String> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for notice in results.iter().flat_map(|result| &result.notices) {
        match counted.iter_mut().find(|(known, _)| known == notice) {
            Some((_, count)) => *count += 1,
            None => counted.push((notice, 1)),
        }
    }
    let words = |(notice, count): (&str, usize)| {
        if count >= results.len() {
            return notice.to_owned();
        }
        format!("{notice} ({} of {} seeds)", format::exact(count as u64), results.len())
    };
    counted.into_iter().map(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn runs() -> Vec<RunResult> {
        (1..=5).map(sample::borg_day_with_seed).collect()
    }

    #[test]
    fn figures_over_seeds_have_the_mean_of_the_runs() {
        let runs = runs();
        let figures = figures(&runs).unwrap();
        let evictions = figures.iter().find(|figure| figure.key == "evictions").unwrap();
        let mean = runs.iter().map(|run| run.pods.evicted as f64).sum::<f64>() / 5.0;
        assert_eq!(evictions.estimate.mean, mean);
        assert_eq!(evictions.estimate.count, 5);
        assert!(figures.iter().all(|figure| figure.key != "evictions_other"), "never happened");
    }

    #[test]
    fn a_figure_that_one_seed_lacks_is_the_mean_of_the_others() {
        let mut runs = runs();
        runs[2].nodes.mttf_s = None;
        let figures = figures(&runs).unwrap();
        let mttf = figures.iter().find(|figure| figure.key == "node_mttf_s").unwrap();
        assert_eq!(mttf.estimate.count, 4);
        assert_eq!(mttf.values[2], None);
    }

    #[test]
    fn no_runs_and_mixed_scenarios_are_refused() {
        assert!(matches!(figures(&[]), Err(ReportError::NoRuns)));
        let mixed = [sample::borg_day(), sample::nothing()];
        assert!(matches!(figures(&mixed), Err(ReportError::MixedScenarios { .. })));
        assert!(text(&[], 80).is_err());
    }

    #[test]
    fn the_table_for_the_terminal_reads_like_this() {
        insta::assert_snapshot!(text(&runs(), 80).unwrap());
    }

    #[test]
    fn the_folder_holds_page_summary_and_seeds() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("seeds");
        write(&runs(), &folder).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(read("seeds.csv").lines().count(), 6);
        let page = read("report.html");
        assert!(!page.contains("NaN") && page.contains("<circle"));
        assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("http"));
        let summary: serde_json::Value = serde_json::from_str(&read("summary.json")).unwrap();
        assert_eq!(summary["kind"], "seeds");
        assert_eq!(summary["runs"].as_array().unwrap().len(), 5);
        let figure = &summary["figures"][0];
        let keys: Vec<&String> = figure.as_object().unwrap().keys().collect();
        insta::assert_debug_snapshot!(keys);
    }

    #[test]
    fn one_seed_makes_a_report_without_intervals() {
        let one = [sample::borg_day()];
        let text = text(&one, 80).unwrap();
        assert!(text.contains("seed 42") && text.contains(NOTHING));
        write(&one, &tempfile::tempdir().unwrap().path().join("one")).unwrap();
    }
}
