//! Small stories whose every figure is computed by hand in the comments. Times are in seconds.

use std::sync::Arc;

use super::stage::{GIB, Stage, config, node_spec, submit};
use crate::cluster::{Cluster, Ending, EvictionCause, NodeId, Pod, PodId, Resources, Tier};
use crate::engine::SimDuration;
use crate::metrics::{FragmentationRule, MeterConfig, RunResult};

const NO_CHECKPOINT: &dyn Fn(&Cluster, &Pod) -> Option<SimDuration> = &|_, _| None;

fn place(cluster: &mut Cluster, pod: PodId, node: u32) {
    cluster.bind(pod, NodeId(node)).unwrap();
}

/// Node a: 4 cores in pool old; node b: 8 cores in pool new. Pod p (production, 2 cores): submitted
/// 0, bound to a 10, running 20. Pod f (free, 4 cores): submitted 0, bound and running on b 10,
/// preempted 50, back on b at 60, succeeds 90. Node a fails 40, noticed 45 (p is evicted), up 70;
/// p is bound to b 55, runs 58 until the end at 100. The window begins at 0 or `warmup_s`.
fn two_nodes(warmup_s: u64) -> RunResult {
    let mut stage = Stage::with_nodes(config(warmup_s, true));
    let job = stage.cluster.workload_of_key(1);
    let p = stage.submit(0, job, Tier::Production, 2000);
    let f = stage.submit(0, stage.cluster.pod(p).new.workload, Tier::Free, 4000);
    stage.at(10, |c| {
        place(c, p, 0);
        place(c, f, 1);
        c.start(f);
    });
    stage.at(20, |c| _ = c.start(p));
    stage.at(40, |c| c.begin_node_fault(NodeId(0), NO_CHECKPOINT));
    stage.at(45, |c| {
        c.observe_readiness(NodeId(0), false);
        c.evict(p, EvictionCause::MachineFailure, None);
    });
    stage.at(50, |c| c.evict(f, EvictionCause::Preemption, Some(SimDuration::from_secs(15))));
    stage.at(55, |c| place(c, p, 1));
    stage.at(58, |c| _ = c.start(p));
    stage.at(60, |c| {
        place(c, f, 1);
        c.start(f);
    });
    stage.at(70, |c| _ = c.end_node_fault(NodeId(0), NO_CHECKPOINT));
    stage.at(90, |c| c.end(f, Ending::Succeeded));
    stage.finish(100)
}

#[test]
fn resources_of_two_nodes_are_as_computed_by_hand() {
    let result = two_nodes(0);
    let cpu = &result.resources[0];
    // Up: b 8 × 100, a 4 × 70 = 1080 core-s. Installed: 1200.
    assert_eq!((cpu.installed_mean, cpu.up_mean), (12.0, 10.8));
    // Bound: p 2 × (35 + 45) = 160, f 4 × (40 + 30) = 280, in all 440 core-s.
    assert_eq!(cpu.requested_mean, 4.4);
    assert_eq!(cpu.allocation_ratio, Some(440.0 / 1080.0));
    assert_eq!(cpu.effective_allocation_ratio, Some(440.0 / 1200.0));
    // Running: p 2 × (20 + 42) = 124, f 280; half of it is used.
    assert_eq!(cpu.utilization, Some(202.0 / 1080.0));
    // From 40 to 45 both are bound and 8 cores are up: 6/8; from 60 to 70 as well.
    assert_eq!(cpu.peak_allocation_ratio, Some(0.75));
    assert_eq!(result.work.total_core_s, 404.0);
    // p loses 20 s × 2 cores with its node, f 10 s × 4 cores since the last checkpoint at 30 s.
    assert_eq!(result.work.lost_core_s, 80.0);
    assert_eq!(result.work.goodput, Some(324.0 / 404.0));
    let lost = [("node-down".to_owned(), 40.0), ("preemption".to_owned(), 40.0)];
    assert_eq!(result.work.lost_by_cause, lost);
}

#[test]
fn pods_of_two_nodes_are_as_computed_by_hand() {
    let result = two_nodes(0);
    let pods = result.pods;
    assert_eq!((pods.submitted, pods.bound, pods.started, pods.evicted), (2, 4, 4, 2));
    assert_eq!((pods.succeeded, pods.failed, pods.killed, pods.deleted), (1, 0, 0, 0));
    assert_eq!((pods.running_at_end, pods.pending_at_end, pods.waiting_on_node_at_end), (1, 0, 0));
    assert_eq!(pods.live_peak, 2);
    // Pending: p 10 + 10, f 10 + 10.
    assert_eq!((result.scheduler.pending_mean, result.scheduler.pending_peak), (0.4, 2));
    assert_eq!(result.scheduler.attempts, 5);
    // In the cell: p 100, f 90.
    assert_eq!(result.littles_law.pods_mean, 1.9);
    assert_eq!(result.littles_law.pods_from_sojourn, 1.9);
    let [all, free, production] = &result.waiting[..] else { panic!("two tiers had pods") };
    assert_eq!((all.from_submit.count, all.from_submit.mean_s), (2, 15.0));
    assert_eq!((all.from_eviction.count, all.from_eviction.mean_s), (2, 11.5));
    assert_eq!((free.from_submit.max_s, production.from_submit.max_s), (10.0, 20.0));
    // f was 90 s in the cell for 60 useful ones: 30 kept of the first run and 30 of the second.
    assert_eq!((all.slowdown_mean, production.slowdown_mean), (Some(1.5), None));
    let rates: Vec<_> = result.evictions.iter().map(|e| (&*e.tier, &*e.cause, e.count)).collect();
    assert_eq!(rates, [("free", "preemption", 1), ("production", "machine-failure", 1)]);
    // One eviction in 70 s of running.
    assert_eq!(result.evictions[0].per_task_week, Some(1.0 / 70e6 * 7.0 * 86_400e6));
    assert_eq!(result.jobs.ended, 0);
    assert_eq!(result.jobs.makespan_s, 90.0);
}

#[test]
fn groups_and_nodes_of_two_nodes_are_as_computed_by_hand() {
    let result = two_nodes(0);
    let [free, production] = &result.tiers[..] else { panic!("two tiers had pods") };
    assert_eq!((free.running_mean, free.running_share), (0.7, Some(70.0 / 90.0)));
    assert_eq!(production.running_share, Some(0.62));
    assert_eq!(production.allocation_ratio[0], Some(160.0 / 1080.0));
    let [old, new] = &result.pools[..] else { panic!("there are two pools") };
    // On a: p from 10 to 45, running from 20 to 40, while 280 core-s were up.
    assert_eq!((old.pods, old.running_mean, old.running_share), (1, 0.2, Some(20.0 / 35.0)));
    assert_eq!(old.allocation_ratio[0], Some(70.0 / 280.0));
    assert_eq!((new.pods, new.allocation_ratio[0]), (3, Some(370.0 / 800.0)));
    let nodes = &result.nodes;
    assert_eq!((nodes.present_at_end, nodes.present_mean, nodes.up_mean), (2, 2.0, 1.7));
    assert_eq!((nodes.up_min, nodes.availability), (1, Some(0.85)));
    assert_eq!((nodes.failures, nodes.repairs, nodes.added, nodes.removed), (1, 1, 0, 0));
    let times = (nodes.mttf_s, nodes.mttr_s, nodes.mtbf_s);
    assert_eq!(times, (Some(170.0), Some(30.0), Some(200.0)));
    assert_eq!((nodes.detection.count, nodes.detection.mean_s), (1, 5.0));
}

#[test]
fn buckets_hold_exact_means() {
    let result = two_nodes(0);
    let series = &result.timeseries;
    assert_eq!((series.bucket_s, series.time_s.len()), (1.0, 100));
    let values = |group: &str, name: &str| {
        let found = series.columns.iter().find(|c| c.group == group && c.name == name);
        found.unwrap().values.clone()
    };
    assert_eq!(values("nodes", "up")[39..41], [2.0, 1.0]);
    assert_eq!(values("allocation", "cpu")[40], 0.75);
    assert_eq!(values("utilization", "cpu")[10], 2.0 / 12.0);
    assert_eq!(values("evictions", "preemption")[49..51], [0.0, 1.0]);
    assert_eq!(values("evictions", "preemption").iter().sum::<f64>(), 1.0);
    assert_eq!(values("pods", "pending")[9..11], [2.0, 0.0]);
}

#[test]
fn a_warm_up_cuts_everything_but_the_time_series() {
    let result = two_nodes(48);
    assert_eq!((result.window.start_s, result.window.length_s), (48.0, 52.0));
    let cpu = &result.resources[0];
    // Up: b 8 × 52, a 4 × 30. Bound: p 2 × 45, f 4 × (2 + 30).
    assert_eq!(cpu.allocation_ratio, Some(218.0 / 536.0));
    assert_eq!(cpu.peak_allocation_ratio, Some(0.75));
    assert_eq!((result.pods.submitted, result.pods.evicted, result.pods.started), (0, 1, 2));
    // f loses the 10 s before 50, of which 2 lie in the window.
    assert_eq!(result.work.lost_core_s, 8.0);
    assert_eq!(result.work.total_core_s, 2.0 * 42.0 + 4.0 * 32.0);
    assert_eq!((result.nodes.failures, result.nodes.repairs, result.nodes.up_min), (0, 1, 1));
    assert_eq!(result.nodes.mttf_s, None);
    assert_eq!(result.littles_law.pods_mean, 94.0 / 52.0);
    assert_eq!(result.littles_law.relative_difference, 0.0);
    assert_eq!(result.timeseries, two_nodes(0).timeseries);
}

#[test]
fn a_window_of_no_length_has_no_ratios() {
    for warmup_s in [100, 1000] {
        let result = two_nodes(warmup_s);
        assert_eq!(result.window.length_s, 0.0);
        let cpu = &result.resources[0];
        let ratios = [cpu.allocation_ratio, cpu.utilization, cpu.peak_allocation_ratio];
        assert_eq!(ratios, [None; 3]);
        assert_eq!((cpu.up_mean, result.littles_law.relative_difference), (0.0, 0.0));
        assert_eq!((result.nodes.availability, result.work.goodput), (None, None));
        let text = serde_json::to_value(&result).unwrap();
        let back: RunResult = serde_json::from_value(text).unwrap();
        assert_eq!(back, result, "no figure is lost as NaN");
    }
}

/// A service that wants 2 pods and needs 1, declared at 10; pods bound 12, running 15. Node a with
/// the first one fails 30, node b with the second 40; noticed 50. Both are back at 60, pods bound
/// 60 and running 64. One crashes at 80 and another one starts at the same instant.
fn service(warmup_s: u64) -> RunResult {
    let mut stage = Stage::with_nodes(config(warmup_s, false));
    let template = stage.templates[Tier::Production as usize];
    let mut pods = [PodId::NONE; 2];
    stage.at(10, |c| {
        let web = c.scale_workload(7, &Arc::from("web"), 2, 1);
        pods = [submit(c, web, template, 1000), submit(c, web, template, 1000)];
    });
    stage.at(12, |c| [0, 1].into_iter().for_each(|i| place(c, pods[i], i as u32)));
    stage.at(15, |c| pods.iter().for_each(|pod| _ = c.start(*pod)));
    stage.at(30, |c| c.begin_node_fault(NodeId(0), NO_CHECKPOINT));
    stage.at(40, |c| c.begin_node_fault(NodeId(1), NO_CHECKPOINT));
    stage
        .at(50, |c| pods.iter().for_each(|pod| c.evict(*pod, EvictionCause::MachineFailure, None)));
    stage.at(60, |c| {
        [0, 1].into_iter().for_each(|node| _ = c.end_node_fault(NodeId(node), NO_CHECKPOINT));
        pods.iter().for_each(|pod| place(c, *pod, 1));
    });
    stage.at(64, |c| pods.iter().for_each(|pod| _ = c.start(*pod)));
    stage.at(70, |c| c.crash(pods[0], None, false));
    stage.at(80, |c| c.crash(pods[1], None, false));
    stage.at(80, |c| _ = c.start(pods[0]));
    stage.finish(100)
}

#[test]
fn outages_of_a_service_are_as_computed_by_hand() {
    let result = service(0);
    let web = &result.workloads[0];
    assert_eq!((web.outages, web.outage_s, web.longest_outage_s), (2, 29.0, 24.0));
    let spans: Vec<_> = result.outages.iter().map(|o| (o.start_s, o.end_s, o.ready_min)).collect();
    assert_eq!(spans, [(10.0, 15.0, 0), (40.0, 64.0, 0)], "the dip at 80 lasts no time");
    // Of the 90 s since its declaration.
    assert_eq!(web.service_availability, Some(61.0 / 90.0));
    assert_eq!((web.mttr_s, web.mtbf_s), (Some(14.5), Some(45.0)));
    // Ready: 2 × 15 + 10 + 2 × 6 + 10 + 20 = 82 of 180 wanted.
    assert_eq!(web.pod_availability, Some(82.0 / 180.0));
    assert_eq!((web.crashes, web.evictions), (2, 2));
    let burned = web.budget_burned.unwrap();
    assert!((burned - 29.0 / 90.0 / 0.1).abs() < 1e-12);
    assert!((web.nines.unwrap() + libm::log10(29.0 / 90.0)).abs() < 1e-12);
    let parts: Vec<_> = web.recovery.iter().map(|(part, s)| (&**part, *s)).collect();
    assert_eq!(parts, [("detect", 15.0), ("place", 10.0), ("start", 4.0)]);
}

#[test]
fn an_outage_under_way_at_the_end_of_the_warm_up_begins_there() {
    let result = service(50);
    let web = &result.workloads[0];
    assert_eq!((web.outages, web.outage_s), (1, 14.0));
    assert_eq!((result.outages[0].start_s, result.outages[0].end_s), (50.0, 64.0));
    assert_eq!(web.service_availability, Some(36.0 / 50.0));
    assert_eq!(service(64).workloads[0].outages, 0, "it is over when the window opens");
    assert_eq!(service(64).workloads[0].nines, None);
}

#[test]
fn a_resized_run_loses_what_it_requested_at_the_time() {
    let mut stage = Stage::with_nodes(config(0, true));
    let job = stage.cluster.workload_of_key(1);
    let pod = stage.submit(0, job, Tier::Free, 1000);
    stage.at(0, |c| {
        place(c, pod, 0);
        c.start(pod);
    });
    let production = stage.templates[Tier::Production as usize];
    let requests = Resources::pod(3000, 2 * GIB);
    stage.at(10, |c| assert!(c.resize(pod, production, requests)));
    stage.at(20, |c| c.crash(pod, Some(SimDuration::from_secs(5)), false));
    stage.at(20, |c| _ = c.start(pod));
    stage.at(28, |c| c.crash(pod, None, false));
    stage.at(28, |c| c.evict(pod, EvictionCause::Other, None));
    let free = stage.templates[Tier::Free as usize];
    stage.at(28, |c| assert!(c.resize(pod, free, requests)));
    stage.at(29, |c| place(c, pod, 1));
    let result = stage.finish(30);
    // 10 s of 1 core and 10 of 3, all kept at the checkpoint; then 8 s of 3 cores for nothing.
    assert_eq!((result.work.total_core_s, result.work.lost_core_s), (64.0, 24.0));
    assert_eq!((result.pods.bound, result.pods.crashed, result.pods.pending_at_end), (2, 2, 0));
    let free = &result.tiers[0];
    assert_eq!((free.running_mean, free.running_share), (10.0 / 30.0, Some(10.0 / 12.0)));
}

#[test]
fn a_node_that_leaves_while_down_is_not_repaired() {
    let mut stage = Stage::with_nodes(config(0, false));
    stage.at(10, |c| c.begin_node_fault(NodeId(0), NO_CHECKPOINT));
    stage.at(20, |c| c.remove_node(NodeId(0), EvictionCause::MachineShutdown, NO_CHECKPOINT));
    stage.at(30, |c| _ = c.end_node_fault(NodeId(0), NO_CHECKPOINT));
    stage.at(40, |c| c.return_node(NodeId(0), node_spec("a", "new", 16_000)));
    stage.at(50, |c| c.update_node(NodeId(0), node_spec("a", "old", 2000)));
    let nodes = &stage.finish(100);
    let cpu = &nodes.resources[0];
    // Up: b 8 × 100, a 4 × 10 + 16 × 10 + 2 × 50; a was installed for 10 s more.
    assert_eq!((cpu.up_mean, cpu.installed_mean), (11.0, 11.4));
    let counts =
        (nodes.nodes.failures, nodes.nodes.repairs, nodes.nodes.added, nodes.nodes.removed);
    assert_eq!(counts, (1, 0, 1, 1));
    assert_eq!((nodes.nodes.mttr_s, nodes.nodes.up_min), (None, 1));
    assert_eq!(nodes.resources[0].peak_allocation_ratio, Some(0.0));
}

#[test]
fn a_rack_fails_once_however_many_faults_overlap() {
    let mut stage = Stage::with_nodes(config(0, false));
    let rack = stage.cluster.domains().find("rack").unwrap();
    stage.at(10, |c| c.begin_domain_fault(rack, NO_CHECKPOINT));
    stage.at(20, |c| c.begin_domain_fault(rack, NO_CHECKPOINT));
    stage.at(25, |c| _ = c.add_node(node_spec("c", "old", 1000)));
    stage.at(30, |c| _ = c.end_domain_fault(rack, NO_CHECKPOINT));
    stage.at(40, |c| _ = c.end_domain_fault(rack, NO_CHECKPOINT));
    let result = stage.finish(100);
    let domain = &result.domains[0];
    assert_eq!((&*domain.kind, domain.count, domain.failures), ("rack", 1, 1));
    assert_eq!((domain.mttf_s, domain.mttr_s), (Some(70.0), Some(30.0)));
    assert_eq!(result.nodes.failures, 2, "the node that came into the dark did not fail");
    assert_eq!((result.nodes.up_min, result.nodes.repairs), (0, 3));
}

#[test]
fn a_job_is_over_with_its_last_pod() {
    let mut stage = Stage::with_nodes(config(0, false));
    let mut pods = Vec::new();
    for seconds in [5, 10] {
        let template = stage.templates[0];
        stage.at(seconds, |c| {
            let job = c.workload_of_key(3);
            pods.push(submit(c, job, template, 1000));
        });
    }
    stage.at(20, |c| c.end(pods[1], Ending::Killed));
    stage.at(45, |c| c.end(pods[0], Ending::Failed));
    let result = stage.finish(50);
    assert_eq!((result.jobs.ended, result.jobs.completion.mean_s), (1, 40.0));
    assert_eq!((result.jobs.makespan_s, result.pods.killed, result.pods.failed), (45.0, 1, 1));
    assert_eq!(result.work.goodput, None);
}

#[test]
fn the_check_notices_a_fact_that_was_not_seen() {
    let mut stage = Stage::with_nodes(config(0, false));
    stage.cluster.begin_node_fault(NodeId(1), NO_CHECKPOINT);
    stage.cluster.settle();
    let wrong = stage.meter.check(&stage.cluster).unwrap_err().to_string();
    assert!(wrong.contains("nodes up"), "{wrong}");
}

#[test]
fn a_job_that_becomes_declared_keeps_its_ready_pods() {
    let mut stage = Stage::with_nodes(config(0, false));
    let job = stage.cluster.workload_of_key(7);
    let pod = stage.submit(0, job, Tier::Production, 1000);
    stage.at(1, |c| {
        place(c, pod, 0);
        c.start(pod);
    });
    stage.at(10, |c| _ = c.scale_workload(7, &Arc::from("web"), 1, 1));
    let result = stage.finish(20);
    assert_eq!(result.workloads[0].service_availability, Some(1.0));
    assert_eq!(result.workloads[0].pod_availability, Some(1.0));
}

#[test]
fn what_no_pod_could_use_is_fragmented() {
    // Both pods ask for 2 GiB; node a has 4 cores, node b 8, each 8 GiB.
    let mut stage = Stage::with_nodes(config(0, false));
    let job = stage.cluster.workload_of_key(1);
    let small = stage.submit(0, job, Tier::Mid, 1000);
    let _large = stage.submit(0, job, Tier::Mid, 5000);
    // 3 cores and 6 GiB are left on a: of use to half of the pods; all of b is of use to both.
    stage.at(0, |cluster| cluster.bind(small, NodeId(0)).unwrap());
    // For the second half, b is down: nothing of it counts.
    stage.at(10, |cluster| cluster.begin_node_fault(NodeId(1), &|_, _| None));
    let result = stage.finish(20);
    let target = result.target_workload.unwrap();
    assert_eq!((target.pods, target.shapes, target.significant_bits), (2, 2, None));
    let cpu = &result.resources[0];
    assert_eq!(cpu.fragmented_mean, Some(1.5));
    assert_eq!(cpu.fragmentation, Some(1.5 * 20.0 / (3.0 * 20.0 + 8.0 * 10.0)));
    let column = |name| result.timeseries.columns.iter().find(|column| column.group == name);
    let cpu = &column("fragmentation").unwrap().values;
    assert_eq!((cpu[0], cpu[19]), (1.5 / 11.0, 0.5));
}

#[test]
fn fragmentation_is_left_out_where_shapes_are_too_many() {
    let with = |rule| {
        let mut stage = Stage::with_nodes(MeterConfig { fragmentation: rule, ..config(0, false) });
        let job = stage.cluster.workload_of_key(1);
        for cpu_milli in 1..400 {
            stage.submit(0, job, Tier::Mid, cpu_milli);
        }
        let result = stage.finish(10);
        (result.target_workload, result.resources[0].fragmentation)
    };
    assert_eq!(with(FragmentationRule::WhereExact), (None, None));
    assert_eq!(with(FragmentationRule::Never), (None, None));
    let (target, fragmentation) = with(FragmentationRule::Always);
    assert_eq!(target.unwrap().significant_bits, Some(4));
    assert_eq!(fragmentation, Some(0.0));
}

#[test]
fn a_cell_that_is_filled_tells_what_was_allocated_at_full_demand() {
    // Of 12 cores, 4 + 5 are bound when 4 + 5 + 4 have been asked for; then 4 more fit nowhere.
    let filled = |leaves: bool| {
        let mut stage = Stage::with_nodes(config(0, false));
        let job = stage.cluster.workload_of_key(1);
        let first = stage.submit(1, job, Tier::Mid, 4000);
        stage.at(1, |cluster| place(cluster, first, 0));
        let second = stage.submit(2, job, Tier::Mid, 5000);
        stage.at(2, |cluster| place(cluster, second, 1));
        if leaves {
            stage.at(3, |cluster| cluster.end(first, Ending::Killed));
        }
        stage.submit(4, job, Tier::Mid, 4000);
        stage.submit(5, job, Tier::Mid, 4000);
        stage.finish(10).resources[0].allocation_at_full_demand
    };
    assert_eq!(filled(false), Some(9.0 / 12.0));
    assert_eq!(filled(true), None);
}
