//! Rules about tasks.

use super::*;

/// Requests of the rows below: 0.5 cpu, 0.25 memory.
fn half() -> Resources {
    Resources::pod(5_000_000, 2_500_000)
}

#[test]
fn a_finished_task_is_a_pod_with_the_length_of_its_run() {
    let read = tasks(
        "600000000,,7,3,,0,u,2,9,0.5,0.25,0.001,0\n\
         600000010,,7,3,5,1,u,2,9,0.5,0.25,0.001,0\n\
         600000250,,7,3,5,4,u,2,9,0.5,0.25,0.001,0\n",
    );
    let pods = read.pods();
    assert_eq!(pods.len(), 1);
    let (time, pod) = pods[0];
    assert_eq!(time, 600_000_000);
    assert_eq!(pod.key, pod_key(7, 3));
    assert_eq!(pod.workload, WorkloadKey(7));
    assert_eq!(pod.requests, half());
    assert_eq!(pod.work, runs(240, Outcome::Finish));
    assert!(read.kills().is_empty() && read.works().is_empty());
}

#[test]
fn a_failed_task_fails_after_its_run_and_its_resubmission_is_a_new_attempt() {
    let read = tasks(
        "600,,7,3,,0,u,2,0,0.5,0.25,0,0\n\
         610,,7,3,5,1,u,2,0,0.5,0.25,0,0\n\
         650,,7,3,5,3,u,2,0,0.5,0.25,0,0\n\
         657,,7,3,,0,u,2,0,0.5,0.25,0,0\n\
         660,,7,3,9,1,u,2,0,0.5,0.25,0,0\n\
         900,,7,3,9,4,u,2,0,0.5,0.25,0,0\n",
    );
    let pods: Vec<_> = read.pods().iter().map(|(time, pod)| (*time, pod.key, pod.work)).collect();
    let key = pod_key(7, 3);
    assert_eq!(pods, [(600, key, runs(40, Outcome::Fail)), (657, key, runs(240, Outcome::Finish))]);
    assert!(read.pods().iter().all(|(_, pod)| pod.tracked), "a key may be named again");
}

#[test]
fn a_killed_task_is_stopped_at_the_time_of_the_trace_running_or_pending() {
    let read = tasks(
        "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
         600,,7,1,,0,u,2,0,0.5,0.25,0,0\n\
         610,,7,0,5,1,u,2,0,0.5,0.25,0,0\n\
         700,,7,0,5,5,u,2,0,0.5,0.25,0,0\n\
         701,,7,1,,5,u,2,0,0.5,0.25,0,0\n",
    );
    assert!(read.pods().iter().all(|(_, pod)| pod.work == Work::UntilStopped && pod.tracked));
    assert_eq!(read.kills(), [(700, pod_key(7, 0)), (701, pod_key(7, 1))]);
}

#[test]
fn an_eviction_and_a_loss_are_not_replayed_and_the_last_run_counts() {
    for code in [2, 6] {
        let read = tasks(&format!(
            "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
             610,,7,0,5,1,u,2,0,0.5,0.25,0,0\n\
             700,,7,0,5,{code},u,2,0,0.5,0.25,0,0\n\
             707,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
             710,,7,0,6,1,u,2,0,0.5,0.25,0,0\n\
             713,,7,0,6,4,u,2,0,0.5,0.25,0,0\n"
        ));
        let pods = read.pods();
        assert_eq!(pods.len(), 1);
        assert_eq!((pods[0].0, pods[0].1.work), (600, runs(3, Outcome::Finish)));
        assert!(read.kills().is_empty());
        assert_eq!(read.noted("EVICT or LOST not replayed"), 1);
    }
}

#[test]
fn an_eviction_that_nothing_follows_stops_the_pod_at_its_time() {
    let hours = 3_600_000_000_u64;
    let text = format!(
        "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
         610,,7,0,5,1,u,2,0,0.5,0.25,0,0\n\
         700,,7,0,5,2,u,2,0,0.5,0.25,0,0\n\
         {},,8,0,,0,u,2,0,0.5,0.25,0,0\n\
         {},,7,0,,0,u,2,0,0.5,0.25,0,0\n",
        13 * hours,
        14 * hours
    );
    let read = tasks(&text);
    assert_eq!(read.kills(), [(700, pod_key(7, 0))]);
    assert_eq!(read.noted("EVICT or LOST without a later SUBMIT"), 1);
    let submits: Vec<_> = read.pods().iter().map(|(time, pod)| (*time, pod.key)).collect();
    let late = (14 * hours, pod_key(7, 0));
    assert_eq!(submits, [(600, pod_key(7, 0)), (13 * hours, pod_key(8, 0)), late]);
}

#[test]
fn an_eviction_at_the_end_of_the_data_stops_the_pod_too() {
    let read = tasks(
        "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
         700,,7,0,,2,u,2,0,0.5,0.25,0,0\n",
    );
    assert_eq!(read.pods()[0].1.work, Work::UntilStopped);
    assert_eq!(read.kills(), [(700, pod_key(7, 0))]);
}

#[test]
fn a_kill_after_an_eviction_counts_at_the_time_of_the_kill() {
    let read = tasks(
        "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
         610,,7,0,5,1,u,2,0,0.5,0.25,0,0\n\
         700,,7,0,5,2,u,2,0,0.5,0.25,0,0\n\
         900,,7,0,,5,u,2,0,0.5,0.25,0,0\n",
    );
    assert_eq!(read.kills(), [(900, pod_key(7, 0))]);
}

#[test]
fn a_task_of_the_snapshot_runs_from_time_zero() {
    let read = tasks(
        "0,2,7,0,5,0,u,2,9,0.5,0.25,0,0\n\
         0,,7,0,5,1,u,2,9,0.5,0.25,0,0\n\
         700000000,,7,0,5,4,u,2,9,0.5,0.25,0,0\n",
    );
    assert_eq!(read.pods()[0].0, 0);
    assert_eq!(read.pods()[0].1.work, runs(700_000_000, Outcome::Finish));
    assert_eq!(read.noted("rows with missing info"), 1);
}

#[test]
fn tasks_alive_at_the_end_of_the_data_run_until_stopped() {
    let read = tasks(
        "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
         600,,7,1,,0,u,2,0,0.5,0.25,0,0\n\
         610,,7,0,5,1,u,2,0,0.5,0.25,0,0\n",
    );
    assert!(read.pods().iter().all(|(_, pod)| pod.work == Work::UntilStopped));
    assert_eq!(read.noted("tasks alive where the data end"), 2);
}

#[test]
fn an_event_after_the_window_never_happens() {
    let read = tasks(
        "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
         610,,7,0,5,1,u,2,0,0.5,0.25,0,0\n\
         9223372036854775807,,7,0,5,4,u,2,0,0.5,0.25,0,0\n",
    );
    assert_eq!(read.pods()[0].1.work, Work::UntilStopped);
    assert_eq!(read.noted("rows after the window"), 1);
}

#[test]
fn a_run_that_ends_beyond_the_horizon_is_told_later_and_times_never_go_back() {
    let text = "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
                610,,7,0,5,1,u,2,0,0.5,0.25,0,0\n\
                700,,8,0,,0,u,2,0,0.5,0.25,0,0\n\
                2000,,9,0,,0,u,2,0,0.5,0.25,0,0\n\
                2500,,7,0,5,4,u,2,0,0.5,0.25,0,0\n";
    let tables = Tables { tasks: text, ..Tables::default() };
    let read = tables.read_with(|config| config.horizon = SimDuration(1000)).unwrap();
    let works: Vec<_> = read.pods().iter().map(|(_, pod)| pod.work).collect();
    assert_eq!(works, [Work::Unknown, Work::Unknown, Work::UntilStopped]);
    let (first, second) = (pod_key(7, 0), pod_key(8, 0));
    // Told when 2000 is at the head of the window.
    assert_eq!(
        read.works(),
        [(2000, first, runs(1890, Outcome::Finish)), (2000, second, Work::UntilStopped)]
    );
    assert_eq!(read.noted("pods whose run length was not known in time"), 2);
    let wide = tables.read();
    assert_eq!(wide.pods()[0].1.work, runs(1890, Outcome::Finish));
    assert!(wide.works().is_empty());
}

#[test]
fn a_pod_given_up_after_it_went_out_is_told_to_run_until_stopped_and_killed() {
    let text = "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
                610,,7,0,5,1,u,2,0,0.5,0.25,0,0\n\
                1700,,7,0,5,2,u,2,0,0.5,0.25,0,0\n\
                5000,,9,0,,0,u,2,0,0.5,0.25,0,0\n";
    let tables = Tables { tasks: text, ..Tables::default() };
    let read = tables.read_with(|config| config.horizon = SimDuration(1000)).unwrap();
    assert_eq!(read.pods()[0].1.work, Work::Unknown);
    assert_eq!(read.works(), [(1700, pod_key(7, 0), Work::UntilStopped)]);
    assert_eq!(read.kills(), [(1700, pod_key(7, 0))]);
}

#[test]
fn updates_resize_the_pod_where_they_change_something() {
    let read = tasks(
        "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
         605,,7,0,,7,u,2,0,0.75,0.25,0,0\n\
         610,,7,0,5,1,u,2,0,0.75,0.25,0,0\n\
         615,,7,0,5,8,u,1,0,0.75,0.25,0,0\n\
         620,,7,0,5,8,u,2,9,0.75,0.25,0,0\n",
    );
    let grown = Resources::pod(7_500_000, 2_500_000);
    assert_eq!(read.resizes(), [(605, TemplateIndex(0), grown), (620, TemplateIndex(1), grown)]);
    assert_eq!(read.noted("updates without change"), 1, "a scheduling class is not modelled");
    assert_eq!(read.templates()[1].tier, Tier::Production);
}

#[test]
fn a_resubmission_with_other_requests_resizes_the_pod() {
    let read = tasks(
        "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
         610,,7,0,5,1,u,2,0,0.5,0.25,0,0\n\
         700,,7,0,5,2,u,2,0,0.5,0.25,0,0\n\
         707,,7,0,,0,u,2,0,0.125,0.25,0,0\n",
    );
    assert_eq!(read.pods().len(), 1);
    assert_eq!(read.resizes()[0].0, 707);
    assert_eq!(read.noted("SUBMIT after EVICT with other requests"), 1);
}

#[test]
fn blank_requests_are_those_of_the_job_or_zero() {
    let read = tasks(
        "0,2,7,0,5,0,u,2,9,,,,\n\
         0,,7,1,5,0,u,2,9,0.5,0.25,0,0\n\
         0,2,7,2,5,0,u,2,9,,,,\n\
         600,,7,2,5,8,u,2,9,0.125,,,\n",
    );
    let requests: Vec<_> = read.pods().iter().map(|(_, pod)| pod.requests).collect();
    assert_eq!(requests, [Resources::pod(0, 0), half(), half()]);
    assert_eq!(read.resizes()[0].2, Resources::pod(1_250_000, 2_500_000));
    assert_eq!(read.noted("rows without requests"), 3);
}

#[test]
fn a_task_first_seen_when_it_is_scheduled_counts_as_submitted_then() {
    let read = tasks(
        "600,1,7,0,5,1,u,2,0,0.5,0.25,0,0\n\
         640,,7,0,5,4,u,2,0,0.5,0.25,0,0\n",
    );
    assert_eq!((read.pods()[0].0, read.pods()[0].1.work), (600, runs(40, Outcome::Finish)));
    assert_eq!(read.noted("SCHEDULE or update without SUBMIT"), 1);
}

#[test]
fn transitions_that_cannot_be_are_noted_and_the_reader_goes_on() {
    let read = tasks(
        "600,,1,0,5,4,u,2,0,0.5,0.25,0,0\n\
         600,,2,0,,0,u,2,0,0.5,0.25,0,0\n\
         601,,2,0,,0,u,2,0,0.5,0.25,0,0\n\
         602,,2,0,5,1,u,2,0,0.5,0.25,0,0\n\
         603,,2,0,5,1,u,2,0,0.5,0.25,0,0\n\
         604,,2,0,,0,u,2,0,0.5,0.25,0,0\n\
         605,,2,0,,4,u,2,0,0.5,0.25,0,0\n\
         606,,2,0,,2,u,2,0,0.5,0.25,0,0\n\
         607,,3,0,,0,u,2,0,0.5,0.25,0,0\n\
         608,,3,0,,2,u,2,0,0.5,0.25,0,0\n\
         609,,3,0,,6,u,2,0,0.5,0.25,0,0\n\
         610,,3,0,7,1,u,2,0,0.5,0.25,0,0\n\
         615,,3,0,7,4,u,2,0,0.5,0.25,0,0\n",
    );
    for (note, count) in [
        ("rows about tasks that are not alive", 3),
        ("SUBMIT of a pending task", 1),
        ("SCHEDULE of a running task", 1),
        ("SUBMIT of a running task", 1),
        ("FINISH or FAIL of a task that does not run", 1),
        ("SCHEDULE or update without SUBMIT", 1),
    ] {
        assert_eq!(read.noted(note), count, "{note}");
    }
    assert_eq!(read.kills(), [(605, pod_key(2, 0))]);
    assert_eq!(read.pods()[1].1.work, runs(5, Outcome::Finish));
}

#[test]
fn priorities_fall_into_the_bands_of_the_format() {
    let tiers: Vec<_> = (0..12).map(tier_of_priority).collect();
    let mut want = vec![Tier::Free; 2];
    want.extend([Tier::Mid; 7]);
    want.extend([Tier::Production, Tier::Monitoring, Tier::Production]);
    assert_eq!(tiers, want);
    let read = tasks("600,,7,0,,0,u,2,11,0.5,0.25,0,0\n600,,7,1,,0,u,2,11,0.5,0.25,0,0\n");
    assert_eq!(read.templates().len(), 1, "a template is declared once");
    assert_eq!(read.templates()[0].priority, 11);
}

#[test]
fn the_different_machines_flag_keeps_pods_of_a_job_apart() {
    let read = tasks("600,,7,0,,0,u,2,0,0.5,0.25,0,1\n");
    assert!(read.templates()[0].one_per_node);
}

#[test]
fn disk_is_read_only_where_asked_for() {
    let text = "600,,7,0,,0,u,2,0,0.5,0.25,0.0004244,0\n";
    let tables = Tables { tasks: text, machines: "0,5,0,p,1,1\n", ..Tables::default() };
    let without = tables.read();
    assert_eq!(without.pods()[0].1.requests[Dimension::STORAGE], 0);
    let with = tables.read_with(|config| config.disk = true).unwrap();
    assert_eq!(with.pods()[0].1.requests[Dimension::STORAGE], 4_244);
    let node = with.nodes()[0].3.unwrap();
    assert!(with.pods()[0].1.requests.fits_in(&node.allocatable));
}

#[test]
fn constraints_belong_to_the_task_event_of_their_time_job_and_index() {
    let tables = Tables {
        tasks: "600,,7,0,,0,u,2,0,0.5,0.25,0,0\n\
                600,,7,1,,0,u,2,0,0.5,0.25,0,0\n\
                700,,7,0,,7,u,2,0,0.5,0.25,0,0\n",
        constraints: "500,7,0,0,early,1\n\
                      600,7,1,3,zone,4\n\
                      600,7,1,0,kind,\n\
                      600,9,1,0,stranger,x\n\
                      700,7,0,1,kind,a\n\
                      800,7,0,1,late,a\n",
        ..Tables::default()
    };
    let read = tables.read();
    assert!(read.templates()[0].constraints.attributes.is_empty());
    let second: Vec<_> = read.templates()[1]
        .constraints
        .attributes
        .iter()
        .map(|c| (c.name.as_str(), c.operator, c.value.as_str()))
        .collect();
    let want =
        [("kind", AttributeOperator::Equal, ""), ("zone", AttributeOperator::GreaterThan, "4")];
    assert_eq!(second, want);
    assert_eq!(read.resizes(), [(700, TemplateIndex(2), half())]);
    assert_eq!(read.noted("constraints without a task event"), 3);
}
