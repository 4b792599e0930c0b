//! One pod at a time: filters, scores, and a node (`schedule_one.go` of kube-scheduler v1.35).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cache::{Cache, NodeId};
use super::fast::Fast;
use super::filters::filter_with_nominated;
use super::plugin::{Prepared, State, merge_node_names};
use super::pod::PodInfo;
use super::profile::Profile;
use super::profiles::NamedProfile;
use super::scores::{NodeScores, best, score_nodes};
use super::status::{Code, NodeStatuses, Status};

/// What plugins keep for the length of a cycle, by their place in the profile.
pub struct CycleState {
    filter: Vec<Slot>,
    score: Vec<Slot>,
}

#[derive(Default)]
struct Slot {
    state: Option<Box<dyn State>>,
    skip: bool,
}

impl Clone for Slot {
    fn clone(&self) -> Self {
        Self { state: self.state.as_ref().map(|state| (**state).clone_box()), skip: self.skip }
    }
}

impl Clone for CycleState {
    /// A copy for trying out who can be preempted; scores are no part of that.
    fn clone(&self) -> Self {
        Self { filter: self.filter.clone(), score: Vec::new() }
    }
}

impl CycleState {
    /// For a profile of so many plugins.
    pub fn new(plugins: usize) -> Self {
        let slots = || (0..plugins).map(|_| Slot::default()).collect();
        Self { filter: slots(), score: slots() }
    }

    /// What the plugin at `index` keeps for its filter.
    pub fn filter(&self, index: usize) -> Option<&dyn State> {
        self.filter[index].state.as_deref()
    }

    /// What the plugin at `index` keeps for its score.
    pub fn score(&self, index: usize) -> Option<&dyn State> {
        self.score[index].state.as_deref()
    }

    pub(super) fn skips_filter(&self, index: usize) -> bool {
        self.filter[index].skip
    }

    /// What each plugin keeps for its filter, to change.
    pub(super) fn filter_states(&mut self) -> impl Iterator<Item = Option<&mut Box<dyn State>>> {
        self.filter.iter_mut().map(|slot| slot.state.as_mut())
    }

    pub(super) fn set_score(&mut self, index: usize, state: Option<Box<dyn State>>) {
        self.score[index] = Slot { state, skip: false };
    }

    pub(super) fn skip_score(&mut self, index: usize) {
        self.score[index] = Slot { state: None, skip: true };
    }

    pub(super) fn skips_score(&self, index: usize) -> bool {
        self.score[index].skip
    }
}

/// Why nodes will not do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnosis {
    /// What filters say of each node.
    pub statuses: NodeStatuses,
    /// Who rejected the pod anywhere.
    pub unschedulable_plugins: BTreeSet<String>,
    /// Why no node at all was looked at.
    pub pre_filter_message: String,
}

impl Diagnosis {
    fn note(&mut self, status: &Status) {
        if status.is_rejected() && !status.plugin.is_empty() {
            self.unschedulable_plugins.insert(status.plugin.to_string());
        }
    }

    /// No node is looked at.
    fn reject(&mut self, status: Status) {
        self.pre_filter_message = status.message();
        self.note(&status);
        self.statuses.set_absent(status);
    }

    /// The failure in words.
    pub fn message(&self, nodes: usize) -> String {
        if self.pre_filter_message.is_empty() {
            return self.statuses.fit_error(nodes);
        }
        format!("0/{nodes} nodes are available: {}.", self.pre_filter_message)
    }
}

/// What came of a cycle.
pub struct Cycle {
    /// The nodes that will do, in the order of all nodes.
    pub feasible: Vec<NodeId>,
    /// Why others will not.
    pub diagnosis: Diagnosis,
    /// Scores, if there was more than one to choose from.
    pub scores: Option<NodeScores>,
    /// The nodes of which one is to be taken, in the order of all nodes.
    pub best: Vec<NodeId>,
    /// What plugins kept; preemption goes on from it.
    pub state: CycleState,
}

impl Cycle {
    /// Nothing was looked at yet.
    fn new(profile: &Profile) -> Self {
        Self {
            feasible: Vec::new(),
            diagnosis: Diagnosis::default(),
            scores: None,
            best: Vec::new(),
            state: CycleState::new(profile.plugins.len()),
        }
    }

    /// How many nodes were looked at to an end.
    pub fn evaluated(&self) -> usize {
        self.feasible.len() + self.diagnosis.statuses.len()
    }

    /// The node to take if the first of equals is.
    pub fn first(&self) -> Option<NodeId> {
        self.best.first().copied()
    }
}

/// How many nodes that will do are enough, of `nodes` (`percentage` 0: it depends on their
/// number).
pub fn feasible_nodes_to_find(percentage: i32, nodes: usize) -> usize {
    const LEAST: usize = 100;
    if nodes < LEAST || percentage >= 100 {
        return nodes;
    }
    let adaptive = || 50_usize.saturating_sub(nodes / 125).max(5);
    let percentage = usize::try_from(percentage).ok().filter(|given| *given > 0);
    (nodes * percentage.unwrap_or_else(adaptive) / 100).max(LEAST)
}

/// How far a cycle looks.
#[derive(Clone, Copy)]
enum Search {
    /// In a circle from this place, until there are enough nodes that will do.
    UntilEnough { start: usize },
    /// At every node.
    Everywhere,
}

/// What the preparation of filters came to.
enum Filters {
    /// All nodes may do, or those of these names.
    Nodes(Option<BTreeSet<String>>),
    Rejected(Status),
}

/// Where a pod goes.
pub enum Placement {
    /// To this node.
    Node(NodeId),
    /// Nowhere; the cycle says why, and preemption can go on from it.
    Nowhere(Box<Cycle>),
}

/// The scheduler.
#[derive(Debug)]
pub struct Scheduler {
    /// What it knows.
    pub cache: Cache,
    /// How it decides about pods that no other profile is for.
    pub profile: Profile,
    pub(super) named: Vec<NamedProfile>,
    /// Where it goes on looking at nodes.
    pub next_start: usize,
    pub(super) fast: Option<Box<Fast>>,
}

impl Scheduler {
    /// A scheduler that decides by `profile` of what `cache` knows.
    pub fn new(cache: Cache, profile: Profile) -> Self {
        Self { cache, profile, named: Vec::new(), next_start: 0, fast: None }
    }

    /// Whether a pod may enter the queue.
    pub fn pre_enqueue(&self, pod: &PodInfo) -> Status {
        let says = |status: Status, name: &str| (!status.is_success()).then(|| status.by(name));
        self.profile_of(pod)
            .plugins
            .iter()
            .find_map(|enabled| says(enabled.plugin.pre_enqueue(pod), enabled.plugin.name()))
            .unwrap_or(Status::SUCCESS)
    }

    /// Looks for a node for `pod`, as upstream does with one worker. Nothing is changed but where
    /// the next cycle begins.
    ///
    /// # Errors
    ///
    /// If a plugin fails.
    pub fn schedule(&mut self, pod: &PodInfo) -> Result<Cycle, Status> {
        let (cycle, processed) = self.find(pod, Search::UntilEnough { start: self.next_start })?;
        if !self.cache.order().is_empty() {
            self.next_start = (self.next_start + processed) % self.cache.order().len();
        }
        self.scored(pod, cycle)
    }

    /// What a cycle comes to that a plugin outside the profile ends with `status` before nodes are
    /// looked at: in its PreFilter, after those of the profile.
    ///
    /// # Errors
    ///
    /// If a plugin of the profile fails.
    pub fn rejected(&self, pod: &PodInfo, status: Status) -> Result<Cycle, Status> {
        let mut cycle = Cycle::new(self.profile_of(pod));
        let own = self.pre_filter(pod, &mut cycle.state, &mut cycle.diagnosis)?;
        let status = match own {
            Filters::Rejected(own) if own.code == Code::UnschedulableAndUnresolvable => own,
            _ => status,
        };
        cycle.diagnosis.reject(status);
        Ok(cycle)
    }

    /// What the scheduler says of every node, however many it would look at.
    ///
    /// # Errors
    ///
    /// If a plugin fails.
    pub fn evaluate(&self, pod: &PodInfo) -> Result<Cycle, Status> {
        let (cycle, _) = self.find(pod, Search::Everywhere)?;
        self.scored(pod, cycle)
    }

    /// How many nodes that will do are enough, of `nodes`.
    fn enough(profile: &Profile, nodes: usize) -> usize {
        let scores = profile.plugins.iter().any(|enabled| enabled.plugin.scores());
        let percentage = profile.percentage_of_nodes_to_score;
        if scores { feasible_nodes_to_find(percentage, nodes) } else { 1 }
    }

    /// Scores the nodes that will do, where there is more than one.
    fn scored(&self, pod: &PodInfo, mut cycle: Cycle) -> Result<Cycle, Status> {
        match cycle.feasible.as_slice() {
            [] => {}
            [only] => cycle.best = vec![*only],
            many => {
                let profile = self.profile_of(pod);
                let scores = score_nodes(profile, &self.cache, &mut cycle.state, pod, many)?;
                cycle.best = best(&scores.totals).into_iter().map(|place| many[place]).collect();
                cycle.scores = Some(scores);
            }
        }
        Ok(cycle)
    }

    /// Chooses a node for `pod`: as [`Scheduler::schedule`], mostly without looking at everything
    /// anew. `pick` says which of so many equals is taken, in the order of all nodes.
    ///
    /// # Errors
    ///
    /// If a plugin fails.
    pub fn place(
        &mut self,
        pod: &PodInfo,
        pick: &mut dyn FnMut(usize) -> usize,
    ) -> Result<Placement, Status> {
        self.catch_up();
        let start = self.next_start;
        let (fast, percentage, cache) = self.fast_of(pod);
        if let Some((node, choice)) = fast.choose(cache, pod, start, percentage, pick) {
            self.next_start = (self.next_start + choice.processed) % self.cache.order().len();
            return Ok(Placement::Node(node));
        }
        let cycle = self.schedule(pod)?;
        if cycle.best.is_empty() {
            return Ok(Placement::Nowhere(Box::new(cycle)));
        }
        let chosen = if cycle.best.len() == 1 { 0 } else { pick(cycle.best.len()) };
        Ok(Placement::Node(cycle.best[chosen.min(cycle.best.len() - 1)]))
    }

    /// Puts `pod` on `node` at once, so that the next cycle counts it.
    pub fn assume(&mut self, pod: Arc<PodInfo>, node: NodeId) {
        self.cache.add_pod(pod, node);
    }

    /// The nodes that will do, and how many were looked at in the circle of all nodes.
    fn find(&self, pod: &PodInfo, search: Search) -> Result<(Cycle, usize), Status> {
        let mut cycle = Cycle::new(self.profile_of(pod));
        let diagnosis = &mut cycle.diagnosis;
        let names = match self.pre_filter(pod, &mut cycle.state, diagnosis)? {
            Filters::Rejected(status) => {
                diagnosis.reject(status);
                return Ok((cycle, 0));
            }
            Filters::Nodes(names) => names,
        };
        if let Search::UntilEnough { .. } = search
            && let Some(node) = self.cache.node_id(&pod.nominated_node)
        {
            let alone = Search::UntilEnough { start: 0 };
            let (feasible, _) = self.filter_all(pod, &cycle.state, &[node], alone, diagnosis)?;
            if !feasible.is_empty() {
                cycle.feasible = feasible;
                return Ok((cycle, 0));
            }
        }
        let nodes = match &names {
            None => self.cache.order().to_vec(),
            Some(names) => {
                diagnosis.statuses.set_absent(Status::unresolvable(outside(diagnosis)));
                let mut nodes: Vec<_> =
                    names.iter().filter_map(|name| self.cache.node_id(name)).collect();
                nodes.sort_unstable_by_key(|node| self.cache.position(*node));
                nodes
            }
        };
        let (feasible, processed) =
            self.filter_all(pod, &cycle.state, &nodes, search, diagnosis)?;
        cycle.feasible = feasible;
        Ok((cycle, processed))
    }

    /// Runs the preparation of all filters.
    fn pre_filter(
        &self,
        pod: &PodInfo,
        state: &mut CycleState,
        diagnosis: &mut Diagnosis,
    ) -> Result<Filters, Status> {
        let mut names: Option<BTreeSet<String>> = None;
        let mut rejected = None;
        for (index, enabled) in self.profile_of(pod).plugins.iter().enumerate() {
            let plugin = &enabled.plugin;
            if !plugin.filters() {
                continue;
            }
            match plugin.pre_filter(&self.cache, pod) {
                Prepared::Skip => state.filter[index].skip = true,
                Prepared::State(prepared) => state.filter[index].state = prepared,
                Prepared::Only(prepared, only) => {
                    state.filter[index].state = prepared;
                    diagnosis.unschedulable_plugins.insert(plugin.name().to_owned());
                    names = merge_node_names(names, Some(only));
                    if names.as_ref().is_some_and(BTreeSet::is_empty) {
                        return Ok(Filters::Rejected(Status::unresolvable(none_left(diagnosis))));
                    }
                }
                Prepared::Rejected(status) => match status.code {
                    Code::UnschedulableAndUnresolvable => {
                        diagnosis.unschedulable_plugins.clear();
                        return Ok(Filters::Rejected(status.by(plugin.name())));
                    }
                    Code::Unschedulable => rejected = Some(status.by(plugin.name())),
                    _ => return Err(status.by(plugin.name())),
                },
            }
        }
        Ok(rejected.map_or(Filters::Nodes(names), Filters::Rejected))
    }

    /// Filters `nodes` in a circle as `search` says. Returns those that will do, in the order of all
    /// nodes, and how many were looked at.
    fn filter_all(
        &self,
        pod: &PodInfo,
        state: &CycleState,
        nodes: &[NodeId],
        search: Search,
        diagnosis: &mut Diagnosis,
    ) -> Result<(Vec<NodeId>, usize), Status> {
        let profile = self.profile_of(pod);
        let (start, enough) = match search {
            Search::UntilEnough { start } => (start, Self::enough(profile, nodes.len())),
            Search::Everywhere => (0, nodes.len()),
        };
        let mut feasible = Vec::new();
        for place in 0..nodes.len() {
            let id = nodes[(start + place) % nodes.len()];
            let status =
                filter_with_nominated(profile, &self.cache, state, pod, self.cache.node(id));
            if status.is_success() {
                // The one too many ends the search; it is not counted.
                if feasible.len() == enough {
                    break;
                }
                feasible.push(id);
            } else if status.is_rejected() {
                diagnosis.note(&status);
                diagnosis.statuses.set(id, status);
            } else {
                return Err(status);
            }
        }
        feasible.sort_unstable_by_key(|node| self.cache.position(*node));
        let processed = feasible.len() + diagnosis.statuses.len();
        Ok((feasible, processed))
    }
}

fn list(plugins: &BTreeSet<String>) -> String {
    plugins.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// What is said of nodes whose names the preparation ruled out.
fn outside(diagnosis: &Diagnosis) -> String {
    format!("node(s) didn't satisfy plugin(s) [{}]", list(&diagnosis.unschedulable_plugins))
}

/// What is said if plugins ruled out all names together.
fn none_left(diagnosis: &Diagnosis) -> String {
    let plugins = &diagnosis.unschedulable_plugins;
    match plugins.first() {
        Some(only) if plugins.len() == 1 => format!("node(s) didn't satisfy plugin {only}"),
        _ => format!("node(s) didn't satisfy plugin(s) [{}] simultaneously", list(plugins)),
    }
}
