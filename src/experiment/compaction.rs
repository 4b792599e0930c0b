//! Cell compaction: how small a cell could be and still hold what runs in it (Verma et al.,
//! EuroSys'15 §5.1, which uses it to compare policies by what matters: machines).
//!
//! Machines are taken away at random and the workload is packed anew from scratch, until it no
//! longer fits. Eleven trials in other orders of removal; the result is the 90th percentile of
//! them, the error bar their least and largest.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::cluster::{
    Cluster, DomainGraph, DomainSpec, GpuRequest, NewPod, NodeSpec, Overcommit, PodTemplate,
    Resources, WorkEnd,
};
use crate::engine::{Purpose, SimDuration, SimTime, Streams};
use crate::scenario::Plan;
use crate::scheduling::{Decision, PodAtATime, Scheduler, SchedulerConfig};
use crate::simulation::SimulationError;
use crate::workload::{Change, PodKey, PodRecord, Source, Work};

/// Trials of one compaction (EuroSys'15 §5.1).
pub const TRIALS: u32 = 11;
/// Pods in a thousand that may stay pending: the very picky ones (EuroSys'15 §5.1: 0.2 %).
const PENDING_PERMILLE: usize = 2;

/// One pod of a checkpoint.
struct PodToPack {
    template: usize,
    requests: Resources,
    gpu: GpuRequest,
    workload: u64,
}

/// A cell at one moment: its nodes, and the pods that would be running in it if nobody waited.
pub struct Checkpoint {
    nodes: Vec<Arc<NodeSpec>>,
    domains: Vec<DomainSpec>,
    overcommit: Overcommit,
    templates: Vec<Arc<PodTemplate>>,
    pods: Vec<PodToPack>,
    seed: u64,
}

/// What a compaction came to: nodes needed, one figure for each trial, least first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// Nodes needed, in ascending order.
    pub trials: Vec<usize>,
}

impl Compaction {
    /// The least number of nodes that at least nine trials in ten could do with.
    pub fn percentile_90(&self) -> usize {
        let rank = (self.trials.len() * 9).div_ceil(10).max(1);
        self.trials[rank - 1]
    }
}

impl Checkpoint {
    /// The cell of `plan` at `at`, under the scenario's own seed. Of a trace with machine events it
    /// takes every machine that was ever there.
    ///
    /// # Errors
    /// A workload that cannot be read, failure domains that make no sense.
    pub fn take(plan: &Plan, at: SimTime) -> Result<Self, SimulationError> {
        let run = plan.prepare(plan.seed, 0, false)?;
        let mut checkpoint = Self {
            nodes: run.config.nodes,
            domains: run.config.domains,
            overcommit: run.config.overcommit,
            templates: Vec::new(),
            pods: Vec::new(),
            seed: plan.seed,
        };
        DomainGraph::new(&checkpoint.domains)?;
        if let Some(source) = run.config.source {
            checkpoint.read(source, at)?;
        }
        Ok(checkpoint)
    }

    fn read(&mut self, mut source: Box<dyn Source>, at: SimTime) -> Result<(), SimulationError> {
        let mut running: BTreeMap<PodKey, (SimTime, PodRecord)> = BTreeMap::new();
        while let Some(record) = source.next_record()? {
            if record.time > at {
                break;
            }
            match record.change {
                Change::Template(template) => self.templates.push(template),
                Change::Submit(pod) => {
                    running.insert(pod.key, (record.time, pod));
                }
                Change::Work { key, work } => {
                    if let Some((_, pod)) = running.get_mut(&key) {
                        pod.work = work;
                    }
                }
                Change::Kill { key } => {
                    running.remove(&key);
                }
                Change::Resize { key, template, requests } => {
                    if let Some((_, pod)) = running.get_mut(&key) {
                        (pod.template, pod.requests) = (template, requests);
                    }
                }
                Change::NodeAdd { spec, .. } => self.nodes.push(spec),
                Change::Job { .. }
                | Change::Population(_)
                | Change::NodeRemove { .. }
                | Change::NodeUpdate { .. } => {}
            }
        }
        let still = running.into_values().filter(|(time, pod)| runs_at(pod, *time, at));
        self.pods.extend(still.map(|(_, pod)| PodToPack {
            template: pod.template.0 as usize,
            requests: pod.requests,
            gpu: pod.gpu,
            workload: pod.workload.0,
        }));
        Ok(())
    }

    /// Number of nodes that the cell has.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Number of pods that run in it.
    pub fn pods(&self) -> usize {
        self.pods.len()
    }

    /// Packs the workload into ever fewer nodes under the scheduler that `build` makes, in
    /// `trials` orders of removal, on all cores. Every scheduler meets the same orders.
    pub fn compact(&self, trials: u32, build: &(dyn Fn() -> SchedulerConfig + Sync)) -> Compaction {
        let needed = (0..trials).into_par_iter().map(|trial| self.needed(trial, build));
        let mut trials: Vec<usize> = needed.collect();
        trials.sort_unstable();
        Compaction { trials }
    }

    /// The least number of nodes, in the order of `trial`, that hold the workload.
    fn needed(&self, trial: u32, build: &(dyn Fn() -> SchedulerConfig + Sync)) -> usize {
        let order = self.order(trial);
        let fits = |count: usize| self.fits(&order, count, build());
        let mut enough = self.nodes.len().max(1);
        while !fits(enough) {
            // More room is needed than there is: the cell is cloned.
            enough *= 2;
        }
        let mut too_few = 0;
        while enough - too_few > 1 {
            let middle = usize::midpoint(enough, too_few);
            if fits(middle) {
                enough = middle;
            } else {
                too_few = middle;
            }
        }
        enough
    }

    /// The nodes as they stay in the cell: the last is taken away first.
    fn order(&self, trial: u32) -> Vec<usize> {
        let streams = Streams { seed: self.seed, run: u64::from(trial) };
        let mut stream = streams.stream(Purpose::Compaction, 0);
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        stream.shuffle(&mut order);
        order
    }

    /// True if the first `count` nodes of `order` hold all pods but the very picky ones.
    fn fits(&self, order: &[usize], count: usize, config: SchedulerConfig) -> bool {
        let domains =
            DomainGraph::new(&self.domains).expect("checked when the checkpoint was taken");
        let mut cluster = Cluster::new(domains, self.overcommit.clone());
        for place in 0..count {
            let spec = &self.nodes[order[place % order.len()]];
            cluster.add_node(self.clone_of(spec, place / order.len()));
        }
        let streams = Streams { seed: self.seed, run: 0 };
        let mut scheduler = PodAtATime::new(config, streams);
        self.submit_all(&mut cluster, &mut scheduler);
        while let Some(decision) = scheduler.decide(&cluster) {
            if let Decision::Bind { pod, node, devices } = decision {
                cluster
                    .bind_to(pod, node, devices)
                    .expect("the scheduler chose a node that admits the pod");
                cluster.settle();
            }
        }
        let pending = self.pods.len() - scheduler.counts().placed as usize;
        pending * 1000 <= self.pods.len() * PENDING_PERMILLE
    }

    fn submit_all(&self, cluster: &mut Cluster, scheduler: &mut PodAtATime) {
        let templates: Vec<_> =
            self.templates.iter().map(|template| cluster.declare_template(template)).collect();
        for (key, pod) in self.pods.iter().enumerate() {
            let new = NewPod {
                key: key as u64,
                workload: cluster.workload_of_key(pod.workload),
                work: SimDuration::ZERO,
                work_end: WorkEnd::Never,
                usage_permille: [1000, 1000],
            };
            let id = cluster.submit(new, templates[pod.template], pod.requests, pod.gpu);
            scheduler.enqueue(cluster, id);
        }
        cluster.settle();
    }

    /// `spec` itself, or the node that stands for it in the `copy`-th clone of the cell.
    fn clone_of(&self, spec: &Arc<NodeSpec>, copy: usize) -> Arc<NodeSpec> {
        if copy == 0 {
            return Arc::clone(spec);
        }
        Arc::new(NodeSpec { name: format!("{}-clone-{copy}", spec.name), ..(**spec).clone() })
    }
}

/// True if `pod`, submitted at `submitted`, would be running at `at` had it not waited.
fn runs_at(pod: &PodRecord, submitted: SimTime, at: SimTime) -> bool {
    match pod.work {
        Work::For { run, .. } => submitted.saturating_add(run) > at,
        Work::UntilStopped | Work::Unknown => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Registry, parse};

    fn checkpoint(workload: &str) -> Checkpoint {
        let text = format!(
            "duration: 1h\ncluster: {{pools: [{{name: n, count: 20, cpu: 10, memory: 10Gi}}]}}\n\
             workload: {workload}\n"
        );
        let loaded = parse("s.yaml", &text, &[], "".into()).unwrap();
        let plan = Plan::new(&loaded, &Registry::default()).unwrap();
        Checkpoint::take(&plan, SimTime::ZERO).unwrap()
    }

    fn with_pods(pods: usize, cpu: i64) -> Checkpoint {
        let mut checkpoint = checkpoint("{generator: {allocation: 1%}}");
        checkpoint.templates = vec![Arc::new(PodTemplate::default())];
        let requests = Resources::pod(cpu, 1 << 20);
        let pod =
            |workload| PodToPack { template: 0, requests, gpu: GpuRequest::default(), workload };
        checkpoint.pods = (0..pods as u64).map(pod).collect();
        checkpoint
    }

    #[test]
    fn equal_pods_need_as_many_nodes_as_division_says() {
        // Three pods of 3 cores to a node of 10: 60 pods need 20 nodes; 31 pods need 11.
        let twenty = with_pods(60, 3000).compact(3, &SchedulerConfig::default);
        assert_eq!(twenty.trials, [20, 20, 20]);
        let eleven = with_pods(31, 3000).compact(3, &SchedulerConfig::default);
        assert_eq!(eleven.trials, [11, 11, 11]);
    }

    #[test]
    fn a_cell_that_is_too_small_is_cloned() {
        let needed = with_pods(90, 3000).compact(1, &SchedulerConfig::default);
        assert_eq!(needed.trials, [30]);
    }

    #[test]
    fn two_pods_in_a_thousand_may_be_too_picky() {
        let mut checkpoint = with_pods(1000, 1000);
        checkpoint.pods[0].requests = Resources::pod(1_000_000, 1);
        checkpoint.pods[1].requests = Resources::pod(1_000_000, 1);
        assert_eq!(checkpoint.compact(1, &SchedulerConfig::default).trials, [100]);
    }

    #[test]
    fn the_result_is_the_90th_percentile() {
        let of = |trials: Vec<usize>| Compaction { trials }.percentile_90();
        assert_eq!(of((1..=11).collect()), 10);
        assert_eq!(of(vec![7]), 7);
    }
}
