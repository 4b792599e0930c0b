//! Choosing a node for a class: once per group what is set off against others, then one look at
//! every node.

use super::class::{Class, Group};
use super::local::{FIXED, NEVER};
use super::parts::Parts;
use super::table::{Kind, MISSING, Table};
use crate::scheduling::kube::cache::Cache;
use crate::scheduling::kube::plugin::MAX_NODE_SCORE;
use crate::scheduling::kube::plugins::spread_out;
use crate::scheduling::kube::plugins::spread_score::{raw, reversed, weight};

/// Added to the scores of nodes whose group will not do; far below every score.
const OUT: i32 = -(1 << 20);

/// So many nodes are looked at together.
const CHUNK: usize = 64;

/// What was chosen among how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The place of the node in the order of nodes.
    pub place: usize,
    /// How many nodes had the highest total.
    pub ties: usize,
    /// That total; 0 if only one node would do.
    pub total: i64,
    /// How many nodes would do.
    pub feasible: usize,
    /// How many nodes were looked at.
    pub processed: usize,
}

/// Room that is used again and again.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Per group: whether it will do.
    fits: Vec<bool>,
    /// Per group: how many candidates.
    candidates: Vec<u32>,
    /// Per group: raw scores of soft constraints and of terms.
    soft: Vec<i64>,
    terms: Vec<i64>,
    /// Per group: what is added to the scores of its nodes.
    added: Vec<i32>,
    domains: Vec<bool>,
    /// Stretches of nodes with the highest total of each.
    chunks: Vec<(Stretch, i32)>,
}

/// A stretch of places.
type Stretch = std::ops::Range<usize>;

impl Table {
    /// The value of a table for a group; `None` if its nodes lack the label.
    fn of_group(&self, kept: i32) -> Option<i64> {
        if kept == MISSING {
            return None;
        }
        let by_domain = || self.values[usize::try_from(kept).unwrap_or(0)];
        Some(if self.fine { i64::from(kept) } else { by_domain() })
    }
}

/// Per table: what is asked of its values.
fn group_fits(class: &Class, group: &Group, leasts: &[i64], alone: bool) -> bool {
    let mut near = true;
    for (index, table) in class.tables.iter().enumerate() {
        let value = table.of_group(group.tuple[index + FIXED]);
        match table.kind {
            Kind::Hard(number) => {
                let constraint = &class.rules.hard[number];
                let own = i64::from(constraint.selector.matches(&class.template.labels));
                match value {
                    Some(count) if count + own - leasts[index] <= constraint.max_skew => {}
                    _ => return false,
                }
            }
            Kind::Affinity => match value {
                None => return false,
                Some(count) => near &= count > 0,
            },
            Kind::Anti | Kind::Existing if value.is_some_and(|count| count > 0) => return false,
            _ => {}
        }
    }
    near || alone
}

/// True if no pod anywhere meets the required terms, and the class itself does: the first of a
/// group of pods that want to be together may go anywhere.
fn is_first_of_its_kind(class: &Class, cache: &Cache) -> bool {
    let template = &class.template;
    let namespace = cache.namespaces().get(&template.namespace);
    let affinity = class.tables.iter().filter(|table| table.kind == Kind::Affinity);
    affinity.map(|table| table.sum).sum::<i64>() == 0
        && template.affinity.required.iter().all(|term| term.means(template, namespace))
}

/// Chooses a node for `class`; `None` if none will do. `pick` says which of equals.
pub fn choose(
    class: &Class,
    parts: &Parts,
    cache: &Cache,
    start: usize,
    enough: usize,
    scratch: &mut Scratch,
    pick: &mut dyn FnMut(usize) -> usize,
) -> Option<Choice> {
    let leasts: Vec<i64> = class
        .tables
        .iter()
        .map(|table| match table.kind {
            Kind::Hard(number) => table.least(class.rules.hard[number].min_domains),
            _ => 0,
        })
        .collect();
    let alone = is_first_of_its_kind(class, cache);
    scratch.fits.clear();
    scratch.fits.extend(
        class
            .groups
            .iter()
            .map(|group| group.members > 0 && group_fits(class, group, &leasts, alone)),
    );
    let nodes = class.local.len();
    let (feasible, processed, stretches) = if enough >= nodes {
        scratch.candidates.clear();
        scratch.candidates.extend(
            class
                .groups
                .iter()
                .zip(&scratch.fits)
                .map(|(group, fits)| if *fits { group.members } else { 0 }),
        );
        let feasible = scratch.candidates.iter().map(|count| *count as usize).sum();
        (feasible, nodes, [0..nodes, 0..0])
    } else {
        window(class, start, enough, scratch)
    };
    match feasible {
        0 => return None,
        1 => scratch.added = vec![0; class.groups.len()],
        _ => add_up(class, parts, feasible, scratch),
    }
    for (added, candidates) in scratch.added.iter_mut().zip(&scratch.candidates) {
        if *candidates == 0 {
            *added = OUT;
        }
    }
    let (place, ties, total) =
        best_of(class, &scratch.added, &stretches, &mut scratch.chunks, pick)?;
    let total = if feasible == 1 { 0 } else { i64::from(total) };
    Some(Choice { place, ties, total, feasible, processed })
}

/// Looks at nodes in a circle until there are enough; the one too many ends it.
fn window(
    class: &Class,
    start: usize,
    enough: usize,
    scratch: &mut Scratch,
) -> (usize, usize, [Stretch; 2]) {
    let nodes = class.local.len();
    scratch.candidates.clear();
    scratch.candidates.resize(class.groups.len(), 0);
    let (mut feasible, mut processed) = (0, nodes);
    for step in 0..nodes {
        let place = (start + step) % nodes;
        let group = usize::from(class.group[place]);
        if class.local[place] != NEVER && scratch.fits[group] {
            if feasible == enough {
                processed = step;
                break;
            }
            feasible += 1;
            scratch.candidates[group] += 1;
        }
    }
    let end = start + processed;
    let wrapped = end.saturating_sub(nodes);
    (feasible, processed, [0..wrapped, start..end.min(nodes)])
}

/// Per group: what taints, affinity, spreading and other pods add to the totals.
fn add_up(class: &Class, parts: &Parts, feasible: usize, scratch: &mut Scratch) {
    let groups = &class.groups;
    let there = |scratch: &Scratch, group: usize| scratch.candidates[group] > 0;
    let highest = |column: usize, scratch: &Scratch| {
        let raws = (0..groups.len()).filter(|group| there(scratch, *group));
        raws.map(|group| i64::from(groups[group].tuple[column])).max().unwrap_or(0)
    };
    let (taints, affinity) = (highest(0, scratch), highest(1, scratch));
    scratch.added.clear();
    for (number, group) in groups.iter().enumerate() {
        if scratch.candidates[number] == 0 {
            scratch.added.push(OUT);
            continue;
        }
        let mut added = i64::from(group.tuple[2]);
        if let Some(((), weight)) = parts.taints {
            let scaled = |raw: i32| MAX_NODE_SCORE * i64::from(raw) / taints;
            let worse = if taints == 0 { 0 } else { scaled(group.tuple[0]) };
            added += weight * (MAX_NODE_SCORE - worse);
        }
        if let Some((_, weight)) = &parts.affinity
            && affinity != 0
        {
            added += weight * (MAX_NODE_SCORE * i64::from(group.tuple[1]) / affinity);
        }
        scratch.added.push(i32::try_from(added).unwrap_or(OUT));
    }
    if let Some((_, weight)) = &parts.spread
        && !class.rules.soft.is_empty()
    {
        add_spread(class, *weight, feasible, scratch);
    }
    if let Some((_, weight)) = &parts.pods {
        add_terms(class, *weight, scratch);
    }
}

fn is_soft(table: &Table) -> bool {
    matches!(table.kind, Kind::Soft(_) | Kind::Host(_))
}

fn add_spread(class: &Class, plugin_weight: i64, feasible: usize, scratch: &mut Scratch) {
    let ignored = |group: &Group| {
        class.rules.all_keys
            && class
                .tables
                .iter()
                .zip(&group.tuple[FIXED..])
                .any(|(table, kept)| is_soft(table) && *kept == MISSING)
    };
    let left_out: usize = class
        .groups
        .iter()
        .zip(&scratch.candidates)
        .filter(|(group, count)| **count > 0 && ignored(group))
        .map(|(_, count)| *count as usize)
        .sum();
    let weights: Vec<f64> = class
        .tables
        .iter()
        .enumerate()
        .map(|(index, table)| match table.kind {
            Kind::Host(_) => weight(feasible - left_out),
            Kind::Soft(_) => weight(domains(class, index, &ignored, scratch)),
            _ => 0.0,
        })
        .collect();
    scratch.soft.clear();
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    for (number, group) in class.groups.iter().enumerate() {
        if scratch.candidates[number] == 0 || ignored(group) {
            scratch.soft.push(i64::MIN);
            continue;
        }
        let score = soft_score(class, group, &weights);
        least = least.min(score);
        most = most.max(score);
        scratch.soft.push(score);
    }
    for (score, added) in scratch.soft.iter().zip(&mut scratch.added) {
        if *score != i64::MIN && *added != OUT {
            let share = plugin_weight * reversed(*score, least, most);
            *added += i32::try_from(share).unwrap_or(0);
        }
    }
}

/// How many domains the candidates are in; those without the label are one.
fn domains(
    class: &Class,
    index: usize,
    ignored: &impl Fn(&Group) -> bool,
    scratch: &mut Scratch,
) -> usize {
    let table = &class.tables[index];
    scratch.domains.clear();
    scratch.domains.resize(table.values.len() + 1, false);
    for (group, count) in class.groups.iter().zip(&scratch.candidates) {
        if *count > 0 && !ignored(group) {
            let kept = group.tuple[index + FIXED];
            let domain = usize::try_from(kept).unwrap_or(table.values.len());
            scratch.domains[domain] = true;
        }
    }
    scratch.domains.iter().filter(|there| **there).count()
}

/// Constraints are added up in their order, as floats do not forgive another one.
fn soft_score(class: &Class, group: &Group, weights: &[f64]) -> i64 {
    let mut score = 0.0;
    for (index, table) in class.tables.iter().enumerate() {
        if let (Kind::Soft(number) | Kind::Host(number), Some(count)) =
            (table.kind, table.of_group(group.tuple[index + FIXED]))
        {
            score += raw(count, class.rules.soft[number].0.max_skew, weights[index]);
        }
    }
    libm::round(score) as i64
}

fn add_terms(class: &Class, plugin_weight: i64, scratch: &mut Scratch) {
    if !class.tables.iter().any(|table| table.kind == Kind::Score) {
        return;
    }
    scratch.terms.clear();
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    for (number, group) in class.groups.iter().enumerate() {
        if scratch.candidates[number] == 0 {
            scratch.terms.push(0);
            continue;
        }
        let values = class.tables.iter().zip(&group.tuple[FIXED..]).map(|(table, kept)| {
            if table.kind == Kind::Score { table.of_group(*kept).unwrap_or(0) } else { 0 }
        });
        let score = values.sum();
        least = least.min(score);
        most = most.max(score);
        scratch.terms.push(score);
    }
    for (score, added) in scratch.terms.iter().zip(&mut scratch.added) {
        if *added != OUT {
            let share = plugin_weight * spread_out(*score, least, most);
            *added += i32::try_from(share).unwrap_or(0);
        }
    }
}

/// The total of each node of a stretch.
fn totals<'a>(
    class: &'a Class,
    added: &'a [i32],
    stretch: Stretch,
) -> impl Iterator<Item = i32> + 'a {
    let groups = class.group[stretch.clone()].iter();
    let locals = class.local[stretch].iter();
    locals.zip(groups).map(|(score, group)| i32::from(*score) + added[usize::from(*group)])
}

/// The highest total of a stretch.
fn highest_of(class: &Class, added: &[i32], same: Option<i32>, stretch: Stretch) -> i32 {
    let highest = match same {
        Some(added) => class.local[stretch].iter().max().map(|score| i32::from(*score) + added),
        None => totals(class, added, stretch).max(),
    };
    highest.unwrap_or(i32::MIN)
}

/// The highest total of the candidates: the place that `pick` says, how many have it, and it.
fn best_of(
    class: &Class,
    added: &[i32],
    stretches: &[Stretch; 2],
    chunks: &mut Vec<(Stretch, i32)>,
    pick: &mut dyn FnMut(usize) -> usize,
) -> Option<(usize, usize, i32)> {
    // With one group beside that of nodes that will not do, it need not be looked up.
    let same = (added.len() == 2).then(|| added[1]);
    chunks.clear();
    for stretch in stretches {
        for begin in stretch.clone().step_by(CHUNK) {
            let chunk = begin..(begin + CHUNK).min(stretch.end);
            let highest = highest_of(class, added, same, chunk.clone());
            chunks.push((chunk, highest));
        }
    }
    let highest = chunks.iter().map(|(_, highest)| *highest).max()?;
    if highest < 0 {
        return None;
    }
    let tied = || {
        let best = chunks.iter().filter(|(_, best)| *best == highest);
        best.flat_map(|(chunk, _)| chunk.clone().zip(totals(class, added, chunk.clone())))
            .filter(|(_, total)| *total == highest)
    };
    let ties = tied().count();
    let chosen = if ties == 1 { 0 } else { pick(ties).min(ties - 1) };
    tied().nth(chosen).map(|(place, _)| (place, ties, highest))
}
