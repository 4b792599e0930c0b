//! The page of a run: gathers what the template shows, already put into words. The template knows
//! no results, only texts, tables and drawings; sections without content are left out.

use minijinja::{AutoEscape, Environment, Value, context};

use super::format::{self, amount, count, duration, nines, percent};
use super::plots::{self, Plot};
use super::table::{Column, Table};
use super::{ReportError, facts, tables, yaml};
use crate::metrics::RunResult;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/sort.js");
const BASE: &str = include_str!("page/base.html");
const RUN: &str = include_str!("page/run.html");
const SEEDS: &str = include_str!("page/seeds.html");
/// Most rows of a table in a page; the CSV file has all.
const MOST_ROWS: usize = 200;
/// Columns of `workloads.csv` (or their beginnings) that the page shows in a table of their own.
const RECOVERY: [&str; 5] = ["mttr_s", "mtbf_s", "crashes", "evictions", "recovery_"];
/// Most resources among the key figures.
const MOST_RESOURCES: usize = 3;

/// `report.html` of one run.
///
/// # Errors
///
/// [`ReportError::Page`], should the template not fit what it is given.
pub fn page(result: &RunResult, plots: &[Plot]) -> Result<String, ReportError> {
    let scenario = &result.scenario;
    let figures = headline(result);
    render(
        "run.html",
        context! {
            name => &scenario.name,
            title => &scenario.title,
            subtitle => subtitle(result),
            seed => scenario.seed,
            columns => figures.len().div_ceil(if figures.len() > 5 { 2 } else { 1 }),
            figures => figures,
            notices => result.notices.iter().map(Value::from).collect::<Vec<_>>(),
            warm_up => (result.window.start_s > 0.0).then(|| duration(result.window.start_s)),
            plots => plots.iter().map(plot_value).collect::<Vec<_>>(),
            sections => sections(result),
            resolved => yaml::document(&scenario.resolved),
            file => format!("{}.yaml", file_stem(&scenario.name)),
            fingerprint => &result.fingerprint,
            version => &result.cellsim_version,
        },
    )
}

/// Renders one of the pages with style and script in place.
pub fn render(template: &str, content: Value) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    for (name, source) in [("base.html", BASE), ("run.html", RUN), ("seeds.html", SEEDS)] {
        environment.add_template(name, source)?;
    }
    let style = format!("{}{}{STYLE}", plots::THEME, plots::ink_rules());
    let shell = context! { style => Value::from_safe_string(style), script => script(), ..content };
    Ok(environment.get_template(template)?.render(shell)?)
}

fn script() -> Value {
    Value::from_safe_string(SCRIPT.to_owned())
}

/// A scenario's name as a file name that every shell takes unquoted.
pub fn file_stem(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    name.chars().map(kept).collect()
}

fn plot_value(plot: &Plot) -> Value {
    context! {
        name => &plot.name,
        svg => Value::from_safe_string(plot.svg.clone()),
        wide => plot.wide,
        note => plot.note.as_deref(),
    }
}

fn subtitle(result: &RunResult) -> String {
    let (scenario, window) = (&result.scenario, &result.window);
    format!(
        "Placement {}, queue {}, seed {}. Measured from {} to {}, {} in all.",
        scenario.placement,
        scenario.queue,
        scenario.seed,
        duration(window.start_s),
        duration(window.end_s),
        duration(window.length_s),
    )
}

fn figure(label: impl Into<String>, value: impl Into<String>, detail: impl Into<String>) -> Value {
    context! { label => label.into(), value => value.into(), detail => detail.into() }
}

/// The key figures at the head of the page.
fn headline(result: &RunResult) -> Vec<Value> {
    let mut figures = Vec::new();
    for resource in result.resources.iter().filter(|resource| resource.resource != "pods") {
        let Some(ratio) = resource.allocation_ratio else { continue };
        if figures.len() == MOST_RESOURCES {
            break;
        }
        let used = resource.utilization.map(|used| format!("{} used, ", percent(used)));
        let up = amount(resource.up_mean, &resource.unit);
        let detail = format!("{}of {up} up", used.unwrap_or_default());
        let label = format!("{} allocated", plots::heading(&resource.resource));
        figures.push(figure(label, percent(ratio), detail));
    }
    let pods = &result.pods;
    if pods.submitted + pods.started > 0 {
        let detail =
            format!("{} submitted, {} succeeded", count(pods.submitted), count(pods.succeeded));
        figures.push(figure("Pods started", count(pods.started), detail));
        figures.push(figure("Evictions", count(pods.evicted), main_cause(result)));
    }
    if let Some(all) = result.waiting.iter().find(|summary| summary.name == "all") {
        let waits = &all.from_submit;
        if waits.count > 0 {
            let detail =
                format!("mean {}, longest {}", duration(waits.mean_s), duration(waits.max_s));
            figures.push(figure("Waiting, median", duration(waits.p50_s), detail));
            let detail = format!("p99.9 {}", duration(waits.p999_s));
            figures.push(figure("Waiting, p99", duration(waits.p99_s), detail));
        }
    }
    figures.extend(node_figure(result));
    figures.extend(service_figure(result));
    figures
}

fn main_cause(result: &RunResult) -> String {
    let mut causes: Vec<(&str, u64)> = Vec::new();
    for cell in &result.evictions {
        match causes.iter_mut().find(|(cause, _)| *cause == cell.cause) {
            Some((_, count)) => *count += cell.count,
            None => causes.push((&cell.cause, cell.count)),
        }
    }
    let most = causes.into_iter().max_by_key(|&(_, count)| count);
    most.map_or_else(String::new, |(cause, number)| format!("{} by {cause}", count(number)))
}

fn node_figure(result: &RunResult) -> Option<Value> {
    let nodes = &result.nodes;
    let share = nodes.availability?;
    let mttr = nodes.mttr_s.map(|seconds| format!(", MTTR {}", duration(seconds)));
    let detail = format!("{} failures{}", count(nodes.failures), mttr.unwrap_or_default());
    Some(figure("Node availability", format::availability(share), detail))
}

fn service_figure(result: &RunResult) -> Option<Value> {
    let rated = result.workloads.iter().filter_map(|w| Some((w, w.service_availability?)));
    let (worst, share) = rated.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let value = if worst.nines.is_some() { nines(worst.nines) } else { "no outage".to_owned() };
    let detail = if result.workloads.len() == 1 {
        format!("{}, {}", worst.name, format::availability(share))
    } else {
        format!(
            "worst of {}: {}, {}",
            result.workloads.len(),
            worst.name,
            format::availability(share)
        )
    };
    Some(figure("Service availability", value, detail))
}

/// The tables of the page under their headings.
fn sections(result: &RunResult) -> Vec<Value> {
    let workloads = tables::workloads(&result.workloads);
    let tables = [
        ("resources", "Resources", tables::resources(result)),
        ("workloads", "Workloads", workloads.without(&RECOVERY)),
        ("recovery", "Recovery of workloads", workloads.only(&["name"], &RECOVERY)),
        ("allocs", "Allocs", tables::allocs(result)),
        ("tiers", "Tiers", tables::groups(result, &result.tiers)),
        ("pools", "Node pools", tables::groups(result, &result.pools)),
        ("waiting", "Waiting", tables::waiting(result)),
        ("evictions", "Evictions", tables::evictions(result)),
        ("outages", "Outages", tables::outages(result)),
        ("pods", "Pods", facts::pods(result)),
        (
            "quota",
            "Quota (what was rejected never entered the cell)",
            tables::quota(&result.admission),
        ),
        ("nodes", "Nodes", facts::nodes(result)),
        (
            "worst-nodes",
            "Nodes that failed most (nodes.csv has all that failed)",
            tables::nodes(&result.reliability.worst),
        ),
        ("domains", "Failure domains", facts::domains(result)),
        ("work", "Work and jobs", facts::work(result)),
        ("scheduler", "Scheduler", facts::scheduler(result)),
        ("source", "Source of the workload", facts::source(result)),
    ];
    let shown = tables.into_iter().filter(|(_, _, table)| !table.rows.is_empty());
    shown.map(|(id, heading, table)| section(id, heading, &table)).collect()
}

fn section(id: &str, heading: &str, table: &Table) -> Value {
    let table = table.without_empty_columns();
    let more = table.rows.len().saturating_sub(MOST_ROWS);
    let note =
        (more > 0).then(|| format!("{} more rows are in {id}.csv.", format::exact(more as u64)));
    context! { id => id, heading => heading, table => table_value(&table), note => note }
}

/// A table as the template takes it.
pub fn table_value(table: &Table) -> Value {
    let columns: Vec<Value> = table.columns.iter().map(column_value).collect();
    let rows: Vec<Value> = table
        .rows
        .iter()
        .take(MOST_ROWS)
        .map(|row| {
            let cells = row.iter().zip(&table.columns).map(|(cell, column)| {
                context! {
                    shown => &cell.shown,
                    key => cell.value.sort_key(),
                    numeric => column.numeric,
                }
            });
            Value::from(cells.collect::<Vec<_>>())
        })
        .collect();
    context! { columns => columns, rows => rows }
}

fn column_value(column: &Column) -> Value {
    context! { heading => &column.heading, numeric => column.numeric }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn page_of(result: &RunResult) -> String {
        page(result, &plots::all(result)).unwrap()
    }

    #[test]
    fn a_full_page_has_every_section() {
        let page = page_of(&sample::borg_day());
        for id in [
            "figures",
            "notices",
            "plots",
            "resources",
            "workloads",
            "recovery",
            "tiers",
            "pools",
            "waiting",
            "evictions",
            "outages",
            "pods",
            "nodes",
            "worst-nodes",
            "domains",
            "work",
            "scheduler",
            "source",
            "scenario",
            "reproduce",
        ] {
            assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
        }
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        assert_eq!(page.matches("<svg").count(), 13);
        assert!(page.contains("cellsim run borg-day.yaml --seed 42"));
    }

    #[test]
    fn a_page_of_nothing_has_no_empty_section() {
        let page = page_of(&sample::nothing());
        for id in ["figures", "notices", "plots", "resources", "workloads", "waiting", "nodes"] {
            assert!(!page.contains(&format!("id=\"{id}\"")), "{id}");
        }
        assert!(page.contains("id=\"reproduce\""));
    }

    #[test]
    fn no_page_says_nan_or_needs_a_network() {
        for result in
            [sample::borg_day(), sample::nothing(), sample::one_bucket(), sample::very_long()]
        {
            let page = page_of(&result);
            assert!(!page.contains("NaN") && !page.contains(">inf<"));
            let rest = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            for reference in ["http://", "https://", "src=", "@import", "url(", "<link"] {
                assert!(!rest.contains(reference), "{reference}");
            }
        }
    }

    #[test]
    fn names_from_a_scenario_cannot_become_markup() {
        let mut result = sample::borg_day();
        result.scenario.title = "<script>alert(1)</script>".to_owned();
        result.notices = vec!["<b>bold</b>".to_owned()];
        result.workloads[0].name = "</td><img>".to_owned();
        result.scenario.name = "a b; rm -rf \"x\"".to_owned();
        let page = page_of(&result);
        for markup in ["<script>alert", "<b>bold", "</td><img>"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert!(page.contains("cellsim run a-b--rm--rf--x-.yaml --seed 42"));
    }

    #[test]
    fn a_long_table_names_the_file_that_has_the_rest() {
        let mut result = sample::borg_day();
        result.outages = vec![result.outages[0].clone(); 1_500];
        let page = page_of(&result);
        assert!(page.contains("1,300 more rows are in outages.csv."));
    }
}
