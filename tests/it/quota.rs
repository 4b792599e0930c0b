//! Quota: jobs over it are turned away when they are submitted, as a whole, and what was charged
//! comes back when pods end (Borg, EuroSys'15 §2.5).

use std::collections::BTreeMap;
use std::sync::Arc;

use cellsim::cluster::{GpuRequest, JobSpec, PodTemplate, Resources, Tier};
use cellsim::engine::{SimDuration, SimTime};
use cellsim::metrics::{QuotaSummary, RunResult};
use cellsim::simulation::{Quota, Quotas};
use cellsim::workload::{
    Change, NodeKey, Outcome, PodKey, PodRecord, Record, TemplateIndex, Work, WorkloadKey,
};
use proptest::prelude::*;

use crate::support::{ListSource, at, config, node, run, scheduler};

const TIERS: [Tier; 3] = [Tier::Free, Tier::BestEffortBatch, Tier::Production];

/// Equal pods that come together.
#[derive(Clone, Copy, Debug)]
struct Batch {
    at_s: u64,
    job: u64,
    /// First key of its pods.
    first: u64,
    pods: u64,
    /// Position in [`TIERS`].
    tier: u32,
    cores: i64,
    /// 0: until it is stopped.
    run_s: u64,
}

fn batch(at_s: u64, job: u64, pods: u64, cores: i64, run_s: u64) -> Batch {
    Batch { at_s, job, first: job * 100, pods, tier: 2, cores, run_s }
}

fn pods_of(batch: Batch) -> impl Iterator<Item = Record> {
    let run = SimDuration::from_secs(batch.run_s);
    (0..batch.pods).map(move |number| {
        let pod = PodRecord {
            key: PodKey(batch.first + number),
            tracked: true,
            workload: WorkloadKey(batch.job),
            alone: false,
            template: TemplateIndex(batch.tier),
            requests: Resources::pod(batch.cores * 1000, 1),
            gpu: GpuRequest::default(),
            work: match batch.run_s {
                0 => Work::UntilStopped,
                _ => Work::For { run, outcome: Outcome::Finish },
            },
            usage_permille: None,
            alloc_index: None,
        };
        at(SimTime::from_secs(batch.at_s), Change::Submit(pod))
    })
}

fn declared(at_s: u64, job: u64, spec: JobSpec) -> Record {
    let spec = Arc::new(spec);
    at(SimTime::from_secs(at_s), Change::Job { key: WorkloadKey(job), spec })
}

fn of_user(user: &str, pods: u64) -> JobSpec {
    JobSpec { pods: pods as u32, queue: user.into(), ..JobSpec::default() }
}

fn cores(cores: i64) -> Quota {
    Quota { cpu_milli: Some(cores * 1000), ..Quota::default() }
}

/// Ten cores for everybody in production and in batch.
fn ten_each() -> Quotas {
    let defaults = [Tier::BestEffortBatch, Tier::Production].map(|tier| (tier, cores(10)));
    Quotas { defaults: defaults.into(), ..Quotas::default() }
}

/// A run of a hundred seconds on a cell of a thousand cores, audited.
fn play(quotas: Quotas, records: impl IntoIterator<Item = Record>) -> RunResult {
    let mut config = config(1, scheduler("best-fit"));
    config.check = true;
    config.end = Some(SimTime::from_secs(100));
    config.nodes = vec![node("node", 1_000_000, 1 << 40, 10_000)];
    config.quotas = Some(quotas);
    let templates = TIERS.map(|tier| PodTemplate { tier, ..PodTemplate::default() });
    let templates = templates.map(|t| at(SimTime::ZERO, Change::Template(Arc::new(t))));
    config.source = Some(Box::new(ListSource(templates.into_iter().chain(records).collect())));
    run(config)
}

fn of<'a>(result: &'a RunResult, user: &str, band: Tier) -> &'a QuotaSummary {
    let found = result.admission.iter().find(|q| q.user == user && q.band == band.name());
    found.unwrap_or_else(|| panic!("{user} at {} is not in the summary", band.name()))
}

/// Jobs admitted and rejected, pods admitted and rejected.
fn counts(quota: &QuotaSummary) -> [u64; 4] {
    [quota.jobs_admitted, quota.jobs_rejected, quota.pods_admitted, quota.pods_rejected]
}

#[test]
fn a_job_over_its_quota_is_turned_away_until_another_has_ended() {
    let jobs = [
        batch(0, 1, 1, 4, 50),
        batch(1, 2, 2, 3, 50),
        // Nothing is left of ten cores; then the first has ended.
        batch(2, 3, 1, 1, 50),
        batch(50, 4, 1, 4, 10),
    ];
    let result = play(ten_each(), jobs.into_iter().flat_map(pods_of));
    let quota = of(&result, "", Tier::Production);
    assert_eq!(counts(quota), [3, 1, 4, 1]);
    assert_eq!((quota.cpu, quota.cpu_used_peak, quota.cpu_rejected), (Some(10.0), 10.0, 1.0));
    // What was turned away is in no other figure.
    let pods = &result.pods;
    assert_eq!((pods.submitted, pods.started, pods.succeeded, pods.rejected), (4, 4, 4, 0));
    assert_eq!((result.jobs.ended, result.scheduler.pending_peak), (3, 0));
}

#[test]
fn a_job_is_admitted_as_a_whole_or_not_at_all_and_others_have_quota_of_their_own() {
    let mut records = Vec::new();
    for (job, user, pods) in [(1, "a", 3), (2, "b", 2), (3, "a", 2)] {
        records.push(declared(0, job, of_user(user, pods)));
        records.extend(pods_of(batch(0, job, pods, 4, 10)));
    }
    let result = play(ten_each(), records);
    assert_eq!(counts(of(&result, "a", Tier::Production)), [1, 1, 2, 3]);
    assert_eq!(counts(of(&result, "b", Tier::Production)), [1, 0, 2, 0]);
    assert_eq!(result.pods.submitted, 4);
}

#[test]
fn each_band_has_its_own_quota_and_free_is_infinite() {
    let tiers = [0, 1, 2].map(|tier| Batch { tier, ..batch(0, tier.into(), 1, 11, 10) });
    let result = play(ten_each(), tiers.into_iter().flat_map(pods_of));
    assert_eq!(counts(of(&result, "", Tier::Free)), [1, 0, 1, 0]);
    assert_eq!(counts(of(&result, "", Tier::BestEffortBatch)), [0, 1, 0, 1]);
    assert_eq!(counts(of(&result, "", Tier::Production)), [0, 1, 0, 1]);
}

#[test]
fn an_entry_of_the_user_counts_for_more_than_the_default() {
    let mut quotas = ten_each();
    quotas.users.insert(("a".into(), Tier::Production), cores(20));
    let mut records = vec![declared(0, 1, of_user("a", 1)), declared(0, 2, of_user("b", 1))];
    records.extend([1, 2].into_iter().flat_map(|job| pods_of(batch(0, job, 1, 15, 10))));
    let result = play(quotas, records);
    assert_eq!(counts(of(&result, "a", Tier::Production)), [1, 0, 1, 0]);
    assert_eq!(counts(of(&result, "b", Tier::Production)), [0, 1, 0, 1]);
}

#[test]
fn later_pods_go_with_their_job() {
    let later = |job, cores| Batch { first: job * 100 + 50, ..batch(5, job, 1, cores, 0) };
    let jobs = [
        batch(0, 1, 1, 6, 0),
        // Over quota, and so is what it submits later, however little.
        batch(0, 2, 1, 5, 0),
        // More of an admitted job is charged, and not asked for.
        later(1, 6),
        later(2, 1),
        batch(6, 3, 1, 1, 0),
    ];
    let mut records: Vec<Record> = jobs.into_iter().flat_map(pods_of).collect();
    // Its user stops a pod that never came: that is no record about somebody unknown.
    records.push(at(SimTime::from_secs(7), Change::Kill { key: PodKey(200) }));
    records.push(at(SimTime::from_secs(8), Change::Kill { key: PodKey(150) }));
    records.extend(pods_of(batch(9, 4, 1, 4, 0)));
    let result = play(ten_each(), records);
    let quota = of(&result, "", Tier::Production);
    assert_eq!(counts(quota), [2, 2, 3, 3]);
    assert_eq!(quota.cpu_used_peak, 12.0);
    assert!(!result.notices.iter().any(|notice| notice.contains("named a pod")));
}

#[test]
fn who_waits_for_a_job_that_was_turned_away_waits_for_nothing() {
    let first = JobSpec { followed: true, ..of_user("a", 1) };
    let second = JobSpec { after: vec![1], ..of_user("a", 1) };
    let mut records = vec![declared(0, 1, first), declared(0, 2, second)];
    records.extend(pods_of(batch(0, 2, 1, 3, 10)));
    records.extend(pods_of(batch(1, 1, 1, 11, 10)));
    let result = play(ten_each(), records);
    assert_eq!(counts(of(&result, "a", Tier::Production)), [1, 1, 1, 1]);
    assert_eq!(result.pods.succeeded, 1);
}

#[test]
fn an_evicted_pod_keeps_its_quota() {
    let mut records: Vec<Record> = pods_of(batch(0, 1, 1, 8, 0)).collect();
    let spec = node("second", 8000, 1 << 40, 10);
    records.insert(0, at(SimTime::ZERO, Change::NodeAdd { key: NodeKey(7), spec }));
    records.push(at(SimTime::from_secs(5), Change::NodeRemove { key: NodeKey(7) }));
    records.extend(pods_of(batch(6, 2, 1, 3, 10)));
    let result = play(ten_each(), records);
    // Best fit had put it on the small node.
    assert_eq!(result.pods.evicted, 1);
    assert_eq!(counts(of(&result, "", Tier::Production)), [1, 1, 1, 1]);
}

#[test]
fn more_production_quota_than_the_cell_has_is_noticed() {
    let oversold = |cores_each: i64| {
        let users = ["a", "b"].map(|user| ((user.into(), Tier::Production), cores(cores_each)));
        let result = play(Quotas { users: users.into(), ..Quotas::default() }, []);
        result.notices.iter().any(|notice| notice.contains("may not fit"))
    };
    assert!(oversold(501) && !oversold(500));
}

/// What a list of jobs comes to by the definition: those that were let in and have not ended are
/// added up for each one that asks.
fn by_definition(jobs: &[(usize, Batch)]) -> BTreeMap<usize, [u64; 4]> {
    let mut admitted: Vec<(usize, Batch)> = Vec::new();
    let mut told: BTreeMap<usize, [u64; 4]> = BTreeMap::new();
    for (user, job) in jobs {
        let live = admitted.iter().filter(|(other, earlier)| {
            other == user && earlier.tier == job.tier && earlier.at_s + earlier.run_s > job.at_s
        });
        let used: i64 = live.map(|(_, earlier)| earlier.pods as i64 * earlier.cores).sum();
        let fits = job.tier == 0 || used + job.pods as i64 * job.cores <= 10;
        let counts = told.entry(user * 3 + job.tier as usize).or_default();
        counts[usize::from(!fits)] += 1;
        counts[2 + usize::from(!fits)] += job.pods;
        if fits {
            admitted.push((*user, *job));
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whoever_is_admitted_is_so_by_the_definition(
        drawn in prop::collection::vec((0..2_usize, 0..4_u64, 1..4_u64, 0..3_u32, 1..6_i64, 1..30_u64), 1..40),
    ) {
        let mut now = 0;
        let mut jobs = Vec::new();
        for (number, (user, gap, pods, tier, cores, run_s)) in drawn.into_iter().enumerate() {
            now = (now + gap).min(69);
            jobs.push((user, Batch { tier, ..batch(now, number as u64, pods, cores, run_s) }));
        }
        let records = jobs.iter().flat_map(|(user, job)| {
            let spec = of_user(["a", "b"][*user], job.pods);
            std::iter::once(declared(job.at_s, job.job, spec)).chain(pods_of(*job))
        });
        let result = play(ten_each(), records);
        for (place, expected) in by_definition(&jobs) {
            let quota = of(&result, ["a", "b"][place / 3], TIERS[place % 3]);
            prop_assert_eq!(counts(quota), expected);
            prop_assert!(place % 3 == 0 || quota.cpu_used_peak <= 10.0);
        }
        let rejected: u64 = result.admission.iter().map(|quota| quota.pods_rejected).sum();
        let all: u64 = jobs.iter().map(|(_, job)| job.pods).sum();
        prop_assert_eq!(result.pods.submitted + rejected, all);
        prop_assert_eq!(result.pods.succeeded, result.pods.submitted);
    }
}
