//! The placer: a strategy together with the indexes that serve it.

use super::fit_tree::FitTree;
use super::grid::Grid;
use super::ranking::{DEFAULT_BUDGET_BYTES, Rankings};
use super::scan::{Scanner, Task};
use super::search::Method;
use super::{Candidate, Counters, Index, Placement, Pruning, Search, Ties};
use std::sync::Arc;

use crate::cluster::{ClassId, Cluster, ConstraintId, DeviceShare, NodeId, PodClass};
use crate::engine::{Purpose, Streams};
use crate::workload::target::{Census, Shape, Target};

/// How a node is chosen among those that admit a pod.
pub enum Strategy {
    /// The best by score, the lowest number among equals.
    Scored(Box<dyn Placement>),
    /// The lowest number.
    FirstFit,
    /// The lowest number after the node that was chosen last, or else the lowest.
    RoundRobin,
    /// Any, each equally likely.
    Random,
}

/// More capacity groups than this, and policies whose bound needs the limit are served by
/// rankings: each group costs a table of 64 KiB and a look per decision.
const MOST_TABLES: usize = 64;
/// Constraints that so few nodes satisfy are served by a scan of these.
const FEW_NODES: usize = 64;

/// Chooses nodes. It reads the cluster when asked and keeps nothing but indexes, counters and the
/// place where round robin stopped.
pub struct Placer {
    strategy: Strategy,
    pub(super) index: Index,
    ties: Ties,
    pub(super) streams: Streams,
    /// Where round robin goes on.
    pub(super) cursor: NodeId,
    grid: Option<Grid>,
    pub(super) fit_tree: FitTree,
    rankings: Rankings,
    /// Where the index is a scan.
    scanner: Option<Scanner>,
    pub(super) counters: Counters,
    /// What arrived, where the strategy judges by that.
    census: Option<Census>,
}

impl Placer {
    /// A placer that draws from `streams`, where its strategy is random.
    pub fn new(strategy: Strategy, index: Index, streams: Streams) -> Self {
        let wants_target = matches!(&strategy, Strategy::Scored(policy) if policy.wants_target());
        Self {
            census: wants_target.then(Census::default),
            strategy,
            index,
            ties: Ties::default(),
            streams,
            cursor: NodeId(0),
            grid: None,
            fit_tree: FitTree::default(),
            rankings: Rankings::new(DEFAULT_BUDGET_BYTES),
            scanner: match index {
                Index::Scan(techniques) => Some(Scanner::new(techniques, streams)),
                Index::Auto | Index::Naive | Index::Ranking | Index::Grid => None,
            },
            counters: Counters::default(),
        }
    }

    /// The same with `ties` between nodes with equal scores.
    #[must_use]
    pub fn with_ties(mut self, ties: Ties) -> Self {
        self.ties = ties;
        self
    }

    /// The same with at most `budget_bytes` of memory for rankings (64 MiB unless stated).
    #[must_use]
    pub fn with_ranking_budget(mut self, budget_bytes: usize) -> Self {
        self.rankings = Rankings::new(budget_bytes);
        self
    }

    /// What it did so far.
    pub fn counters(&self) -> Counters {
        let scan = self.scanner.as_ref().map(Scanner::counts);
        let looked = scan.map_or(0, |scan| scan.evaluated + scan.cache_hits);
        Counters { examined: self.counters.examined + looked, scan, ..self.counters }
    }

    /// How it chooses.
    pub fn strategy(&self) -> &Strategy {
        &self.strategy
    }

    /// How it finds what it chooses.
    pub fn index(&self) -> Index {
        self.index
    }

    /// The node that round robin looks at next.
    pub fn cursor(&self) -> NodeId {
        self.cursor
    }

    /// Lets round robin go on at `cursor`, as in a run that is resumed.
    pub fn set_cursor(&mut self, cursor: NodeId) {
        self.cursor = cursor;
    }

    /// Reads what its indexes keep for `node`, which may change soon: see [`Cluster::touch`].
    #[inline]
    pub(in super::super) fn touch(&self, node: NodeId) {
        if let Some(grid) = &self.grid {
            grid.touch(node);
        }
    }

    /// All that will come is known: strategies may judge by it.
    pub fn declare_population(&mut self, population: &[(Shape, u64)]) {
        if let Some(census) = &mut self.census {
            census.declare(population);
        }
    }

    /// A pod of `class` arrived: strategies may judge by what comes.
    #[inline]
    pub fn note_arrival(&mut self, cluster: &Cluster, class: &PodClass) {
        if let Some(census) = &mut self.census {
            census.add(Shape::of(class, cluster.nodes().overcommit().is_uniform()), 1);
        }
    }

    /// Lets the strategy know the target workload, where there is a new one.
    fn renew_target(&mut self) {
        let (Some(census), Strategy::Scored(policy)) = (&mut self.census, &mut self.strategy)
        else {
            return;
        };
        if census.is_due() {
            policy.set_target(&Arc::new(Target::new(&census.renew())));
            self.rankings.clear();
            if let Some(scanner) = &mut self.scanner {
                scanner.clear();
            }
        }
    }

    /// The GPU devices for a pod of class `class` on `node`, which admits it, where the strategy
    /// has an opinion. `entity` is as for [`Placer::choose`].
    pub fn devices(
        &self,
        cluster: &Cluster,
        class: ClassId,
        node: NodeId,
        entity: u64,
    ) -> Option<DeviceShare> {
        let class = cluster.classes().get(class);
        if class.gpu.devices == 0 {
            return None;
        }
        let view = cluster.node_view(node);
        match &self.strategy {
            Strategy::Scored(policy) => policy.devices(class, view),
            Strategy::Random if class.gpu.devices == 1 => {
                let fits = |(_, free): &(usize, &u16)| **free >= class.gpu.milli;
                let fitting = || view.gpu_free_milli().iter().enumerate().filter(fits);
                let mut stream = self.streams.stream(Purpose::Device, entity);
                let drawn = stream.below(fitting().count().max(1) as u64) as usize;
                let (device, _) = fitting().nth(drawn)?;
                Some(DeviceShare { devices: 1 << device, milli: class.gpu.milli })
            }
            Strategy::Random | Strategy::FirstFit | Strategy::RoundRobin => None,
        }
    }

    /// The node for a pod of class `class`, or `None` if no node admits it. `entity` is what
    /// random draws are keyed by: the serial number of the pod.
    pub fn choose(&mut self, cluster: &Cluster, class: ClassId, entity: u64) -> Option<NodeId> {
        self.renew_target();
        let node = match (&self.strategy, &mut self.scanner) {
            (Strategy::Scored(policy), Some(scanner)) => {
                let (policy, ties) = (policy.as_ref(), self.ties);
                let class = cluster.classes().get(class);
                scanner.choose(Task { cluster, class, policy, entity, ties })
            }
            (Strategy::Scored(_), None) => self
                .best(cluster, class)
                .map(|best| self.drawn_among_equals(cluster, class, entity, best)),
            (Strategy::FirstFit, _) => self.first(cluster, class),
            (Strategy::RoundRobin, _) => self.next_in_turn(cluster, class),
            (Strategy::Random, _) => self.any(cluster, class, entity),
        };
        self.counters.decisions += 1;
        self.counters.unplaced += u64::from(node.is_none());
        node
    }

    /// As [`Placer::choose`], but only among `nodes`, in order of their numbers: by a look at each.
    pub fn choose_among(
        &mut self,
        cluster: &Cluster,
        class: ClassId,
        entity: u64,
        nodes: &[NodeId],
    ) -> Option<NodeId> {
        let content = cluster.classes().get(class);
        self.counters.decisions += 1;
        self.counters.examined += nodes.len() as u64;
        let admitting = || nodes.iter().copied().filter(|node| cluster.admits(content, *node));
        let preferred = |node: &NodeId| cluster.nodes().preferred(content.constraints, *node);
        let most = match self.strategy {
            Strategy::Scored(_) => 0,
            _ => admitting().map(|node| preferred(&node)).max().unwrap_or(0),
        };
        let wanted = || admitting().filter(|node| preferred(node) == most);
        let node = match &self.strategy {
            Strategy::Scored(policy) => {
                let mut examined = 0;
                let mut look = |node| {
                    let (class, examined) = (content, &mut examined);
                    policy.search(Search::only(cluster, class, node, examined))
                };
                let better = |a: Candidate, b: Candidate| if b.beats(a) { b } else { a };
                admitting().filter_map(&mut look).reduce(better).map(|best| best.node)
            }
            Strategy::FirstFit => wanted().next(),
            Strategy::RoundRobin => {
                let later = wanted().find(|node| *node >= self.cursor);
                later.or_else(|| wanted().next())
            }
            Strategy::Random => {
                let mut stream = self.streams.stream(Purpose::Placement, entity);
                let count = wanted().count() as u64;
                if count > 0 { wanted().nth(stream.below(count) as usize) } else { None }
            }
        };
        if let (Strategy::RoundRobin, Some(node)) = (&self.strategy, node) {
            self.cursor = NodeId(node.0 + 1);
        }
        self.counters.unplaced += u64::from(node.is_none());
        node
    }

    /// `best`, or one of those that are worth as much, if these are drawn from.
    fn drawn_among_equals(
        &self,
        cluster: &Cluster,
        id: ClassId,
        entity: u64,
        best: Candidate,
    ) -> NodeId {
        let (Ties::Random, Strategy::Scored(policy)) = (self.ties, &self.strategy) else {
            return best.node;
        };
        let class = cluster.classes().get(id);
        let equals = self.rankings.equals(id, class, best.worth()).unwrap_or_else(|| {
            let mut examined = 0;
            let mut is_equal = |node: &NodeId| {
                let only = Search::only(cluster, class, *node, &mut examined);
                policy.search(only).is_some_and(|found| found.worth() == best.worth())
            };
            cluster.nodes().ids().filter(&mut is_equal).collect()
        });
        let mut stream = self.streams.stream(Purpose::Placement, entity);
        equals[stream.below(equals.len() as u64) as usize]
    }

    fn best(&mut self, cluster: &Cluster, id: ClassId) -> Option<Candidate> {
        let Strategy::Scored(policy) = &self.strategy else {
            unreachable!("only scores have a best");
        };
        let policy = policy.as_ref();
        let class = cluster.classes().get(id);
        let way = self.way(cluster, class, policy.pruning());
        let examined = &mut self.counters.examined;
        let method = match way {
            Way::Scan => Method::Scan,
            Way::Among => Method::Among(cluster.nodes().matching(class.constraints)),
            Way::Ranking => match self.rankings.best(cluster, id, class, policy, examined) {
                Ok(best) => return best,
                Err(_) => Method::Scan,
            },
            Way::Grid { by_capacity } => {
                let grid = self.grid.get_or_insert_with(|| Grid::new(by_capacity));
                grid.refresh(cluster);
                let levels = cluster.nodes().preference_levels(class.constraints);
                return levels.iter().find_map(|level| {
                    let level = (levels.len() > 1).then_some(*level);
                    let method = Method::Grid(grid);
                    policy.search(Search { cluster, class, examined, method, level })
                });
            }
        };
        policy.search(Search { cluster, class, examined, method, level: None })
    }

    fn way(&self, cluster: &Cluster, class: &PodClass, pruning: Pruning) -> Way {
        let constrained = class.constraints != ConstraintId(0);
        let by_capacity = matches!(pruning, Pruning::ByFreeAndLimit(_));
        let has_grid = !by_capacity || cluster.nodes().groups().len() <= MOST_TABLES;
        match self.index {
            Index::Naive | Index::Scan(_) => Way::Scan,
            Index::Ranking => Way::Ranking,
            Index::Grid if has_grid => Way::Grid { by_capacity },
            Index::Grid => Way::Ranking,
            // A ranking tells which nodes are equal.
            Index::Auto if self.ties == Ties::Random => Way::Ranking,
            Index::Auto => {
                if constrained && cluster.nodes().matching(class.constraints).count() <= FEW_NODES {
                    Way::Among
                } else if has_grid && pruning != Pruning::None {
                    Way::Grid { by_capacity }
                } else {
                    Way::Ranking
                }
            }
        }
    }
}

/// How one decision is made.
enum Way {
    Scan,
    Among,
    Ranking,
    Grid { by_capacity: bool },
}
