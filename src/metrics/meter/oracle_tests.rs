//! Random histories of a small cell: every figure of the meter against a naive oracle that recounts
//! the whole cell between any two instants.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::history::{Deed, World, act};
use super::stage::{Stage, config, context, node_spec};
use crate::cluster::{
    Cluster, Dimension, Fact, NodeId, Pod, PodId, PodState, Resources, WorkloadId,
};
use crate::engine::SimTime;
use crate::metrics::RunResult;

const STEP_US: u64 = 300_000;
const DIMENSIONS: [Dimension; 2] = [Dimension::CPU, Dimension::MEMORY];

/// What the cell looks like between two instants, counted from scratch, times how long.
#[derive(Default)]
struct Oracle {
    window: u64,
    sums: BTreeMap<String, i128>,
    peaks: BTreeMap<String, f64>,
    up_min: Option<u64>,
    /// Start, end and fewest ready of outages, by workload.
    outages: BTreeMap<WorkloadId, Vec<(u64, u64, u32)>>,
    /// (from, to, millicores) of the present run, by serial of the pod.
    runs: BTreeMap<u64, Vec<(u64, u64, i128)>>,
    buckets: BTreeMap<(&'static str, u64), i128>,
    /// Requests of all pods that arrived, and of those that are in the target workload.
    arrived: Vec<Resources>,
    target: Vec<Resources>,
    /// Integrals of what is free and what is usable of cpu and memory.
    rooms: [(f64, f64); 2],
}

impl Oracle {
    fn add(&mut self, what: impl Into<String>, amount: i128) {
        *self.sums.entry(what.into()).or_default() += amount;
    }

    fn sum(&self, what: impl AsRef<str>) -> f64 {
        self.sums.get(what.as_ref()).copied().unwrap_or(0) as f64
    }

    fn peak(&mut self, what: String, value: f64) {
        let peak = self.peaks.entry(what).or_insert(value);
        *peak = peak.max(value);
    }

    /// The state of `cluster` lasts from `from` to `to`.
    fn pass(&mut self, cluster: &Cluster, from: u64, to: u64) {
        for (_, pod) in cluster.pods().iter().filter(|(_, pod)| pod.state == PodState::Running) {
            let cpu = i128::from(cluster.classes().get(pod.class).requests[Dimension::CPU]);
            self.runs.entry(pod.serial).or_default().push((from, to, cpu));
        }
        self.fill_buckets(cluster, from, to);
        if from < to {
            self.renew_target();
        }
        let from = from.max(self.window);
        if from < to {
            self.pass_pods(cluster, i128::from(to - from));
            self.pass_nodes(cluster, i128::from(to - from));
            self.pass_rooms(cluster, (to - from) as f64);
            self.pass_workloads(cluster, from, to);
        }
    }

    fn pass_pods(&mut self, cluster: &Cluster, us: i128) {
        let (mut requested, mut pending, mut live) = ([0i128; 2], 0, 0);
        for (_, pod) in cluster.pods().iter() {
            let class = cluster.classes().get(pod.class);
            let tier = class.tier.name();
            live += 1;
            self.add(format!("live {tier}"), us);
            if !pod.state.is_bound() {
                pending += 1;
                continue;
            }
            let pool = cluster.nodes().pools()[cluster.nodes().pool(pod.node).index()].clone();
            self.add(format!("bound {pool}"), us);
            for (d, dimension) in DIMENSIONS.iter().enumerate() {
                let amount = i128::from(class.requests[*dimension]);
                requested[d] += amount;
                self.add(format!("requested {d} {tier}"), amount * us);
                self.add(format!("requested {d} {pool}"), amount * us);
                if pod.state == PodState::Running {
                    let used = amount * i128::from(pod.new.usage_permille[d]);
                    self.add(format!("usage {d}"), used * us);
                }
            }
            if pod.state == PodState::Running {
                self.add(format!("running {tier}"), us);
                self.add(format!("running {pool}"), us);
                self.add("work", i128::from(class.requests[Dimension::CPU]) * us);
            }
        }
        self.peak("live".to_owned(), f64::from(live));
        self.peak("pending".to_owned(), f64::from(pending));
        self.add("pending", i128::from(pending) * us);
        for (d, requested) in requested.into_iter().enumerate() {
            self.add(format!("requested {d}"), requested * us);
            let up: i128 = up_nodes(cluster).map(|node| capacity(cluster, node, d)).sum();
            if up > 0 {
                self.peak(format!("ratio {d}"), requested as f64 / up as f64);
            }
        }
    }

    fn pass_nodes(&mut self, cluster: &Cluster, us: i128) {
        let nodes = cluster.nodes();
        for node in nodes.ids().filter(|node| nodes.condition(*node).present) {
            self.add("present", us);
            for d in 0..2 {
                self.add(format!("installed {d}"), capacity(cluster, node, d) * us);
            }
        }
        for node in up_nodes(cluster) {
            self.add("up", us);
            let pool = &nodes.pools()[nodes.pool(node).index()];
            for d in 0..2 {
                self.add(format!("up {d}"), capacity(cluster, node, d) * us);
                self.add(format!("up {d} {pool}"), capacity(cluster, node, d) * us);
            }
        }
        let up = up_nodes(cluster).count() as u64;
        self.up_min = Some(self.up_min.map_or(up, |least| least.min(up)));
    }

    /// An instant is over: a new shape, or an eighth more pods, make a new target.
    fn renew_target(&mut self) {
        let is_new = |requests: &Resources| !self.target.contains(requests);
        let since = self.arrived.len() - self.target.len();
        if self.arrived.iter().any(is_new) || 8 * since > self.target.len() {
            self.target.clone_from(&self.arrived);
        }
    }

    fn pass_rooms(&mut self, cluster: &Cluster, us: f64) {
        if self.target.is_empty() {
            return;
        }
        let nodes = cluster.nodes();
        for node in up_nodes(cluster) {
            let free = nodes.free(node);
            let is_open = nodes.condition(node).ready;
            let fitting = self.target.iter().filter(|ask| is_open && ask.fits_in(free)).count();
            for (room, dimension) in self.rooms.iter_mut().zip(DIMENSIONS) {
                let free = free[dimension].max(0) as f64 * us;
                room.0 += free;
                room.1 += free * fitting as f64 / self.target.len() as f64;
            }
        }
    }

    fn pass_workloads(&mut self, cluster: &Cluster, from: u64, to: u64) {
        for (id, workload) in cluster.workloads().declared() {
            let mine = |pod: &Pod| pod.new.workload == id && pod.state == PodState::Running;
            let ready = cluster.pods().iter().filter(|(_, pod)| mine(pod)).count() as u32;
            let us = i128::from(to - from);
            self.add(format!("served {}", id.0), i128::from(ready.min(workload.wanted)) * us);
            self.add(format!("wanted {}", id.0), i128::from(workload.wanted) * us);
            self.add(format!("watched {}", id.0), us);
            if ready >= workload.minimum_ready {
                continue;
            }
            let outages = self.outages.entry(id).or_default();
            match outages.last_mut() {
                Some((_, end, least)) if *end == from => (*end, *least) = (to, ready.min(*least)),
                _ => outages.push((from, to, ready)),
            }
        }
    }

    fn fill_buckets(&mut self, cluster: &Cluster, from: u64, to: u64) {
        let pending = |(_, pod): &(PodId, &Pod)| !pod.state.is_bound();
        let pending = cluster.pods().iter().filter(pending).count() as i128;
        let up = up_nodes(cluster).count() as i128;
        for bucket in from / 1_000_000..=to / 1_000_000 {
            let begin = from.max(bucket * 1_000_000);
            let us = i128::from(to.min((bucket + 1) * 1_000_000).saturating_sub(begin));
            *self.buckets.entry(("pending", bucket)).or_default() += pending * us;
            *self.buckets.entry(("up", bucket)).or_default() += up * us;
        }
    }

    fn count(&mut self, now: u64, fact: &Fact, cluster: &Cluster) {
        if let Fact::PodStopped { pod, ran, kept, .. } = *fact {
            let run = self.runs.remove(&cluster.pod(pod).serial).unwrap_or_default();
            let lost_from = (now - (ran.0 - kept.0)).max(self.window);
            for (from, to, cpu) in run {
                self.add("lost", cpu * i128::from(to.saturating_sub(from.max(lost_from))));
            }
        }
        if let Fact::PodSubmitted { pod } = *fact {
            self.arrived.push(cluster.class_of(pod).requests);
        }
        let counted = match fact {
            Fact::PodSubmitted { .. } => "submitted",
            Fact::PodStarted { .. } => "started",
            Fact::PodEvicted { .. } => "evicted",
            _ => return,
        };
        self.add(counted, i128::from(now >= self.window));
    }
}

fn up_nodes(cluster: &Cluster) -> impl Iterator<Item = NodeId> {
    cluster.nodes().ids().filter(|node| cluster.nodes().condition(*node).is_up())
}

fn capacity(cluster: &Cluster, node: NodeId, d: usize) -> i128 {
    cluster.nodes().allocatable(node)[DIMENSIONS[d]].into()
}

/// Plays a history; the meter checks itself after each event.
fn play(history: &[(u8, Vec<Deed>)], warmup_s: u64, rest: u8) -> (RunResult, Oracle, Cluster) {
    let mut stage = Stage::new(config(warmup_s, true));
    let mut oracle = Oracle { window: warmup_s * 1_000_000, ..Oracle::default() };
    let mut world = World::default();
    for (name, pool) in [("a", "old"), ("b", "new"), ("c", "old")] {
        stage.cluster.add_node(node_spec(name, pool, 4000));
    }
    stage.tell();
    let mut now = 0;
    for (wait, deeds) in history {
        let next = now + u64::from(*wait) * STEP_US;
        oracle.pass(&stage.cluster, now, next);
        now = next;
        stage.advance_to(SimTime(now));
        deeds.iter().for_each(|deed| act(&mut stage, &mut world, *deed));
        for fact in stage.cluster.facts() {
            oracle.count(now, fact, &stage.cluster);
        }
        stage.tell();
    }
    let end = now + u64::from(rest) * STEP_US;
    oracle.pass(&stage.cluster, now, end);
    stage.meter.end_instant(&stage.cluster);
    let Stage { cluster, meter, .. } = stage;
    (meter.finish(SimTime(end), &cluster, context()), oracle, cluster)
}

fn near(measured: f64, expected: f64, what: &str) {
    let scale = expected.abs().max(1e-9);
    assert!((measured - expected).abs() <= 1e-9 * scale, "{what}: {measured}, not {expected}");
}

fn near_ratio(measured: Option<f64>, part: f64, whole: f64, what: &str) {
    match measured {
        Some(measured) => near(measured, part / whole, what),
        None => assert!(whole == 0.0, "{what}: nothing measured of {part} / {whole}"),
    }
}

fn compare(result: &RunResult, oracle: &Oracle, cluster: &Cluster) {
    let us = result.window.length_s * 1e6;
    let mean = |what: &str| if us > 0.0 { oracle.sum(what) / us } else { 0.0 };
    for (d, resource) in result.resources.iter().enumerate() {
        let [requested, up] = ["requested", "up"].map(|what| oracle.sum(format!("{what} {d}")));
        near_ratio(resource.allocation_ratio, requested, up, "allocation");
        let installed = oracle.sum(format!("installed {d}"));
        near_ratio(resource.effective_allocation_ratio, requested, installed, "effective");
        let usage = oracle.sum(format!("usage {d}")) / 1000.0;
        near_ratio(resource.utilization, usage, up, "utilization");
        let peak = oracle.peaks.get(&format!("ratio {d}")).copied();
        let (free, usable) = oracle.rooms[d];
        match resource.fragmentation {
            Some(measured) => {
                // What is usable of a node is rounded down to 1/256 of a unit.
                let excess = measured * free - (free - usable);
                let rounding = cluster.nodes().len() as f64 * us / 256.0;
                let noise = 1e-9 * free;
                assert!((-noise..=rounding + noise).contains(&excess), "{measured}, off {excess}");
            }
            None => assert!(free == 0.0, "{free} is free and nothing was measured"),
        }
        assert_eq!(resource.peak_allocation_ratio, peak, "peak of {}", resource.resource);
    }
    for (group, whole) in
        result.tiers.iter().map(|t| (t, "live")).chain(result.pools.iter().map(|p| (p, "bound")))
    {
        let running = oracle.sum(format!("running {}", group.name));
        near(group.running_mean * us, running, "running");
        let whole = oracle.sum(format!("{whole} {}", group.name));
        near_ratio(group.running_share, running, whole, "running share");
        for d in 0..2 {
            let requested = oracle.sum(format!("requested {d} {}", group.name));
            let is_pool = result.pools.iter().any(|pool| std::ptr::eq(pool, group));
            let up = if is_pool { format!("up {d} {}", group.name) } else { format!("up {d}") };
            near_ratio(group.allocation_ratio[d], requested, oracle.sum(up), "share of capacity");
        }
    }
    let peak = |what: &str| oracle.peaks.get(what).copied().unwrap_or(0.0);
    near(result.scheduler.pending_mean, mean("pending"), "pending");
    assert_eq!(result.scheduler.pending_peak as f64, peak("pending"));
    assert_eq!(result.pods.live_peak as f64, peak("live"));
    near(result.nodes.up_mean, mean("up"), "nodes up");
    near(result.nodes.present_mean, mean("present"), "nodes present");
    assert_eq!(result.nodes.up_min, oracle.up_min.unwrap_or(up_nodes(cluster).count() as u64));
    near(result.work.total_core_s, oracle.sum("work") / 1e9, "work");
    near(result.work.lost_core_s, oracle.sum("lost") / 1e9, "lost work");
    let lost: f64 = result.work.lost_by_cause.iter().map(|(_, core_s)| core_s).sum();
    near(lost, result.work.lost_core_s, "lost work by cause");
    assert_eq!(result.littles_law.relative_difference, 0.0);
    let counts = [result.pods.submitted, result.pods.started, result.pods.evicted];
    let expected = ["submitted", "started", "evicted"].map(|what| oracle.sum(what) as u64);
    assert!(counts == expected || us == 0.0, "counted {counts:?}, not {expected:?}");
    assert_eq!(result.evictions.iter().map(|e| e.count).sum::<u64>(), result.pods.evicted);
    compare_buckets(result, oracle);
    compare_workloads(result, oracle, cluster);
}

fn compare_buckets(result: &RunResult, oracle: &Oracle) {
    let series = &result.timeseries;
    for name in ["up", "pending"] {
        let column = series.columns.iter().find(|column| column.name == name).unwrap();
        for (start_s, value) in series.time_s.iter().zip(&column.values) {
            let length_s = (result.window.end_s - start_s).min(series.bucket_s);
            let sum = oracle.buckets[&(name, *start_s as u64)] as f64;
            near(value * length_s * 1e6, sum, "a bucket");
        }
    }
}

fn compare_workloads(result: &RunResult, oracle: &Oracle, cluster: &Cluster) {
    let mut outages = 0;
    for (id, workload) in cluster.workloads().declared() {
        let of_name =
            |w: &&crate::metrics::WorkloadSummary| Some(&*w.name) == workload.name.as_deref();
        let measured = result.workloads.iter().find(of_name).unwrap();
        let [served, wanted, watched] =
            ["served", "wanted", "watched"].map(|what| oracle.sum(format!("{what} {}", id.0)));
        near_ratio(measured.pod_availability, served, wanted, "pod availability");
        let expected = oracle.outages.get(&id).cloned().unwrap_or_default();
        let lengths = expected.iter().map(|(start, end, _)| end - start);
        near(measured.outage_s * 1e6, lengths.clone().sum::<u64>() as f64, "outage");
        near(measured.longest_outage_s * 1e6, lengths.max().unwrap_or(0) as f64, "longest outage");
        let down = expected.iter().map(|(start, end, _)| end - start).sum::<u64>() as f64;
        near_ratio(measured.service_availability, watched - down, watched, "availability");
        assert_eq!(measured.outages, expected.len() as u64);
        outages += expected.len();
        let listed = result.outages.iter().filter(|o| o.workload == measured.name);
        let spans: Vec<_> = listed.map(|o| (o.start_s * 1e6, o.end_s * 1e6, o.ready_min)).collect();
        for ((start, end, least), span) in expected.iter().zip(&spans) {
            near(span.0, *start as f64, "start of an outage");
            near(span.1, *end as f64, "end of an outage");
            assert_eq!(span.2, *least);
        }
    }
    assert_eq!(result.outages.len(), outages);
    assert!(result.outages.is_sorted_by(|a, b| a.start_s <= b.start_s));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_integral_agrees_with_a_recount_between_all_instants(
        history in prop::collection::vec(
            (0u8..4, prop::collection::vec((0u8..25, any::<u16>(), any::<u16>()), 1..4)),
            1..120,
        ),
        warmup_s in 0u64..40,
        rest in 0u8..5,
    ) {
        let (result, oracle, cluster) = play(&history, warmup_s, rest);
        compare(&result, &oracle, &cluster);
    }
}
