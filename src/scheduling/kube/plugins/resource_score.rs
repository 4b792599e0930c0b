//! Scores by what would be taken and what there is
//! (`noderesources/{resource_allocation,least_allocated,most_allocated,requested_to_capacity_ratio,
//! balanced_allocation}.go` of kube-scheduler v1.35).

use crate::kubernetes::ResourceList;
use crate::scheduling::kube::args::{
    ResourceSpec, ScoringStrategy, ScoringStrategyType, UtilizationShapePoint,
};
use crate::scheduling::kube::resource::{ResourceKind, kind};
use crate::scheduling::kube::{
    Cache, MAX_NODE_SCORE, NodeInfo, State, Status, Template, is_scalar, state_of,
};

/// Points of a shape are given in steps of this many to the highest score.
const SHAPE_SCALE: i64 = 10;

/// A way to score.
#[derive(Debug, Clone)]
enum Formula {
    Least,
    Most,
    /// Points of (utilization, score), both to 100.
    Shape(Vec<(i64, i64)>),
    Balanced,
}

/// A score by resources.
#[derive(Debug, Clone)]
pub struct ResourceScore {
    resources: Vec<ResourceSpec>,
    formula: Formula,
}

/// What a pod asks for of one resource.
#[derive(Debug, Clone, Copy)]
struct Amount {
    /// `None` for a resource that no node and no pod knows.
    kind: Option<ResourceKind>,
    requested: i64,
    /// Extended resources count only where they are asked for.
    scalar: bool,
}

/// What a pod asks for of each resource that is scored.
#[derive(Debug, Clone)]
pub struct Amounts(Vec<Amount>);

impl Amounts {
    /// True if it asks for none of them.
    pub fn is_best_effort(&self) -> bool {
        self.0.iter().all(|amount| amount.requested == 0)
    }
}

/// What a score by cpu and memory alone needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuickScore {
    /// True for `MostAllocated`.
    pub most: bool,
    /// True for balanced allocation.
    pub balanced: bool,
    /// Weights of cpu and memory.
    pub weights: [i64; 2],
    /// What the pod asks for of them.
    pub amounts: [i64; 2],
}

impl ResourceScore {
    /// The score of the Fit plugin.
    pub fn of_fit(strategy: &ScoringStrategy) -> Self {
        let scaled = |point: &UtilizationShapePoint| {
            (i64::from(point.utilization), i64::from(point.score) * (MAX_NODE_SCORE / SHAPE_SCALE))
        };
        let shape = strategy.requested_to_capacity_ratio.as_ref();
        let formula = match strategy.kind {
            ScoringStrategyType::LeastAllocated => Formula::Least,
            ScoringStrategyType::MostAllocated => Formula::Most,
            ScoringStrategyType::RequestedToCapacityRatio => Formula::Shape(
                shape.map_or_else(Vec::new, |shape| shape.shape.iter().map(scaled).collect()),
            ),
        };
        Self { resources: strategy.resources.clone().unwrap_or_default(), formula }
    }

    /// The score of balanced allocation.
    pub fn balanced(resources: &[ResourceSpec]) -> Self {
        Self { resources: resources.to_vec(), formula: Formula::Balanced }
    }

    /// What a score by cpu and memory alone needs; `None` if it is one by others, or by a line.
    pub fn quick(&self, amounts: &Amounts) -> Option<QuickScore> {
        let place = |name: &str| self.resources.iter().position(|one| one.name == name);
        let (cpu, memory) = (place("cpu")?, place("memory")?);
        if self.resources.len() != 2 || matches!(self.formula, Formula::Shape(_)) {
            return None;
        }
        Some(QuickScore {
            most: matches!(self.formula, Formula::Most),
            balanced: matches!(self.formula, Formula::Balanced),
            weights: [self.resources[cpu].weight, self.resources[memory].weight],
            amounts: [amounts.0[cpu].requested, amounts.0[memory].requested],
        })
    }

    /// True if there are no resources to score by.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// What a pod of `template` asks for.
    pub fn prepare(&self, template: &Template, cache: &Cache) -> Amounts {
        let list = self.requests(template);
        let amount = |resource: &ResourceSpec| {
            let quantity = list.get(&resource.name).copied().unwrap_or_default();
            Amount {
                kind: find_kind(&resource.name, cache),
                requested: if resource.name == "cpu" {
                    quantity.milli_value()
                } else {
                    quantity.value()
                },
                scalar: is_scalar(&resource.name),
            }
        };
        Amounts(self.resources.iter().map(amount).collect())
    }

    fn requests<'a>(&self, template: &'a Template) -> &'a ResourceList {
        match self.formula {
            Formula::Balanced => &template.request_list,
            _ => &template.score_list,
        }
    }

    /// The score of a node; `state` holds the amounts if they were prepared.
    ///
    /// # Errors
    ///
    /// If there are no resources to score by.
    pub fn score(
        &self,
        state: Option<&dyn State>,
        cache: &Cache,
        template: &Template,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        if self.resources.is_empty() {
            return Err(Status::error("resources not found"));
        }
        Ok(match state_of::<Amounts>(state) {
            Some(amounts) => self.score_of(amounts, node),
            None => self.score_of(&self.prepare(template, cache), node),
        })
    }

    /// The score of a node for a pod that asks for `amounts`.
    pub fn score_of(&self, amounts: &Amounts, node: &NodeInfo) -> i64 {
        let real = matches!(self.formula, Formula::Balanced);
        let weights = self.resources.iter().map(|resource| resource.weight);
        let totals = amounts.0.iter().map(|amount| totals(amount, node, real));
        let parts = totals.zip(weights).filter(|((allocatable, _), _)| *allocatable != 0);
        match &self.formula {
            Formula::Least => mean(parts.map(|((total, used), weight)| {
                (if used > total { 0 } else { share(total - used, total) }, weight)
            })),
            Formula::Most => {
                mean(parts.map(|((total, used), weight)| (share(used.min(total), total), weight)))
            }
            Formula::Shape(shape) => rounded_mean(parts.map(|((total, used), weight)| {
                let utilization = if used > total { MAX_NODE_SCORE } else { share(used, total) };
                (broken_linear(shape, utilization), weight)
            })),
            Formula::Balanced => balance(parts.map(|((total, used), _)| (used, total))),
        }
    }
}

fn find_kind(name: &str, cache: &Cache) -> Option<ResourceKind> {
    let find = |name: &str| cache.symbols().find(name);
    kind(name, find)
}

/// What there is, and what would be taken with the pod.
fn totals(amount: &Amount, node: &NodeInfo, real: bool) -> (i64, i64) {
    if amount.scalar && amount.requested == 0 {
        return (0, 0);
    }
    let (all, used) = (&node.allocatable, &node.requested);
    let (total, taken) = match amount.kind {
        None => return (0, 0),
        Some(ResourceKind::Cpu) => {
            (all.milli_cpu, if real { used.milli_cpu } else { node.non_zero_requested[0] })
        }
        Some(ResourceKind::Memory) => {
            (all.memory, if real { used.memory } else { node.non_zero_requested[1] })
        }
        Some(ResourceKind::EphemeralStorage) => (all.ephemeral_storage, used.ephemeral_storage),
        Some(ResourceKind::Scalar(name)) => scalar(all.scalar(name), used.scalar(name)),
    };
    (total, taken + amount.requested)
}

fn scalar(all: Option<i64>, used: Option<i64>) -> (i64, i64) {
    all.map_or((0, 0), |all| (all, used.unwrap_or(0)))
}

/// `part` of `total` in hundredths, rounded down.
fn share(part: i64, total: i64) -> i64 {
    // An i64 of bytes times 100 may not fit; the quotient always does.
    i64::try_from(i128::from(part) * i128::from(MAX_NODE_SCORE) / i128::from(total)).unwrap_or(0)
}

fn sums(parts: impl Iterator<Item = (i64, i64)>) -> (i64, i64) {
    parts.fold((0, 0), |(score, weights), (part, weight)| (score + part * weight, weights + weight))
}

fn mean(parts: impl Iterator<Item = (i64, i64)>) -> i64 {
    let (score, weights) = sums(parts);
    if weights == 0 { 0 } else { score / weights }
}

/// The mean of what is worth anything.
fn rounded_mean(parts: impl Iterator<Item = (i64, i64)>) -> i64 {
    let (score, weights) = sums(parts.filter(|(score, _)| *score > 0));
    if weights == 0 { 0 } else { libm::round(score as f64 / weights as f64) as i64 }
}

/// The height at `x` of a line through `points`, which goes on level at both ends.
pub fn broken_linear(points: &[(i64, i64)], x: i64) -> i64 {
    let Some(next) = points.iter().position(|(at, _)| x <= *at) else {
        return points.last().map_or(0, |(_, score)| *score);
    };
    let (x1, y1) = points[next];
    if next == 0 {
        return y1;
    }
    let (x0, y0) = points[next - 1];
    y0 + (y1 - y0) * (x - x0) / (x1 - x0)
}

/// 100 where all resources are used to the same share, less by the deviation.
fn balance(parts: impl Iterator<Item = (i64, i64)>) -> i64 {
    let fractions: Vec<f64> =
        parts.map(|(used, total)| (used as f64 / total as f64).min(1.0)).collect();
    let deviation = match fractions.as_slice() {
        [] | [_] => 0.0,
        [first, second] => ((first - second) / 2.0).abs(),
        many => {
            let count = many.len() as f64;
            let mean = many.iter().sum::<f64>() / count;
            let squares = many.iter().fold(0.0, |sum, one| sum + (one - mean) * (one - mean));
            libm::sqrt(squares / count)
        }
    };
    ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64
}
