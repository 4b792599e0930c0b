//! The generator offers the load it was asked for, the same every time, in order of time.

use super::super::record::{Change, Outcome, PodKey, PodRecord, Record, Source, Work};
use super::*;
use crate::cluster::{Dimension, Tier};
use crate::engine::{Distribution, SimDuration, SimTime, Streams};

const STREAMS: Streams = Streams { seed: 42, run: 0 };

fn generate(config: GeneratorConfig, streams: Streams) -> Vec<Record> {
    let mut source = Generator::new(config, streams).unwrap();
    let mut records: Vec<Record> = Vec::new();
    while let Some(record) = source.next_record().unwrap() {
        assert!(records.last().is_none_or(|last| last.time <= record.time), "times never go back");
        records.push(record);
    }
    records
}

fn pods(records: &[Record]) -> impl Iterator<Item = (SimTime, &PodRecord)> {
    records.iter().filter_map(|record| match &record.change {
        Change::Submit(pod) => Some((record.time, pod)),
        _ => None,
    })
}

/// One tier of a small Borg-like cell, without start and swing.
fn one_tier(tier: Tier, tasks: u64) -> GeneratorConfig {
    let mut config = borg_like(1000);
    config.tiers.retain(|mix| mix.tier == tier);
    config.initial = InitialPopulation::Empty;
    config.diurnal.amplitude = 0.0;
    config.tasks = Some(tasks);
    config
}

#[test]
fn the_same_seed_gives_the_same_records_and_another_does_not() {
    let config = || GeneratorConfig { tasks: Some(2000), ..borg_like(50) };
    assert_eq!(generate(config(), STREAMS), generate(config(), STREAMS));
    let other = generate(config(), Streams { run: 1, ..STREAMS });
    assert_ne!(generate(config(), STREAMS), other);
}

#[test]
fn a_longer_workload_begins_with_the_shorter_one() {
    let config = |tasks| {
        let mut config = GeneratorConfig { tasks: Some(tasks), ..borg_like(50) };
        // Kills of the shorter one run on after its end.
        config.tiers.iter_mut().for_each(|mix| mix.killed = 0.0);
        config
    };
    let (short, long) = (generate(config(500), STREAMS), generate(config(5000), STREAMS));
    assert_eq!(short[..], long[..short.len()]);
}

#[test]
fn every_tier_offers_the_load_that_it_was_asked_for() {
    for (tier, tasks) in
        [(Tier::Free, 400_000), (Tier::Production, 400_000), (Tier::Monitoring, 400_000)]
    {
        let config = one_tier(tier, tasks);
        let cell_cpu = config.cell_cpu() as f64;
        let want = config.allocation;
        let records = generate(config, STREAMS);
        let kills: std::collections::BTreeMap<PodKey, SimTime> = records
            .iter()
            .filter_map(|record| match record.change {
                Change::Kill { key } => Some((key, record.time)),
                _ => None,
            })
            .collect();
        let (mut work, mut span) = (0.0, 0.0);
        for (time, pod) in pods(&records) {
            let run = match pod.work {
                Work::For { run, .. } => run,
                Work::UntilStopped => kills[&pod.key] - time,
                Work::Unknown => unreachable!("the generator knows"),
            };
            work += pod.requests[Dimension::CPU] as f64 * run.as_secs_f64();
            span = time.as_secs_f64();
        }
        let found = work / (span * cell_cpu);
        assert!((found / want - 1.0).abs() < 0.05, "{}: {found} is not {want}", tier.name());
    }
}

/// Sizes of a million batch jobs of a cell of 1,000 nodes, and the cpu of the mean job against
/// what the rate of arrivals was worked out from.
fn batch_jobs(largest_job: f64) -> (Vec<u64>, f64) {
    let config = GeneratorConfig { largest_job, ..one_tier(Tier::BestEffortBatch, 0) };
    let mean_run = moments::mean_of(&config.tiers[0].run_seconds, |run| run).unwrap();
    let (populations, _) = population::populations(&config).unwrap();
    let tier = &populations[0];
    let mut draws = population::Draws::new(STREAMS);
    let (mut sizes, mut cpu) = (Vec::new(), 0.0);
    for _ in 0..1_000_000 {
        let job = tier.draw_job(&mut draws);
        cpu += (job.tasks as i64 * job.requests[Dimension::CPU]) as f64;
        sizes.push(job.tasks);
    }
    sizes.sort_unstable();
    let expected = tier.target_cpu / (tier.jobs_per_second * mean_run);
    (sizes, cpu / 1e6 / expected)
}

#[test]
fn batch_jobs_have_the_published_sizes_and_their_limit_keeps_the_load() {
    let (free, free_cpu) = batch_jobs(1e9);
    let (limited, limited_cpu) = batch_jobs(0.02);
    assert!((495..=501).contains(&free[950_000]), "{} at the 95th percentile", free[950_000]);
    assert_eq!(*free.last().unwrap(), 20_000);
    assert!(limited[950_000] < free[950_000]);
    for found in [free_cpu, limited_cpu] {
        assert!((found - 1.0).abs() < 0.04, "{found} of the expected cpu");
    }
}

#[test]
fn the_cell_starts_with_its_target_allocated_in_every_tier() {
    let config = GeneratorConfig { tasks: Some(0), ..borg_like(500) };
    let target = config.allocation * config.cell_cpu() as f64;
    let weights: Vec<_> = config.tiers.iter().map(|mix| mix.weight).collect();
    let records = generate(config, STREAMS);
    let mut cpu = vec![0.0; weights.len()];
    for (time, pod) in pods(&records) {
        assert_eq!(time, SimTime::ZERO);
        cpu[pod.template.0 as usize / 2] += pod.requests[Dimension::CPU] as f64;
    }
    for (cpu, weight) in cpu.iter().zip(&weights) {
        let share = cpu / (target * weight);
        // One task may exceed it: at most half of the largest machine.
        let most = 1.0 + 32_000.0 / (target * weight);
        assert!((1.0..=most).contains(&share), "{share} of the target");
    }
}

#[test]
fn arrivals_follow_the_day() {
    let mut config = one_tier(Tier::Free, 0);
    config.tasks = None;
    config.duration = Some(SimDuration::from_secs(10 * 86_400));
    config.pools.iter_mut().for_each(|pool| pool.count = 1);
    config.diurnal.amplitude = 0.5;
    let records = generate(config, STREAMS);
    // Jobs in the half of the day with a positive sine over all: 1/2 + amplitude / π.
    let mut last = None;
    let (mut day, mut all) = (0.0, 0.0);
    for (time, pod) in pods(&records) {
        if last != Some(pod.workload) {
            last = Some(pod.workload);
            all += 1.0;
            day += f64::from(u8::from(time.0 % 86_400_000_000 < 43_200_000_000));
        }
    }
    let want = 0.5 + 0.5 / std::f64::consts::PI;
    let error = 4.0 * (want * (1.0 - want) / all).sqrt();
    assert!((day / all - want).abs() < error, "{} is not {want} ± {error}", day / all);
}

#[test]
fn the_shares_of_killed_and_failing_tasks_are_as_told() {
    let records = generate(one_tier(Tier::Free, 100_000), STREAMS);
    let count = |wanted: fn(&Work) -> bool| pods(&records).filter(|(_, p)| wanted(&p.work)).count();
    let killed = count(|work| *work == Work::UntilStopped);
    let failing = count(|work| matches!(work, Work::For { outcome: Outcome::Fail, .. }));
    assert!(killed.abs_diff(38_000) < 700 && failing.abs_diff(3_000) < 250, "{killed} {failing}");
    let kills = records.iter().filter(|r| matches!(r.change, Change::Kill { .. })).count();
    assert_eq!(kills, killed);
    assert!(pods(&records).all(|(_, pod)| pod.tracked == (pod.work == Work::UntilStopped)));
}

#[test]
fn the_yardstick_is_what_the_notes_say() {
    let config = yardstick(100_000);
    assert_eq!(config.pools.iter().map(|pool| pool.count).sum::<u64>(), 12_500);
    assert_eq!(config.cell_cpu(), 66_152_500);
    let source = Generator::new(config.clone(), STREAMS).unwrap();
    // 124,566 tasks of a mean run of 300 s × exp(1.8² / 2).
    let rate = 0.8 * 66_152_500.0 / 424.85 / (300.0 * libm::exp(1.62));
    assert!((source.jobs_per_second() / rate - 1.0).abs() < 1e-9);
    let records = generate(config, STREAMS);
    let initial = pods(&records).filter(|(time, _)| *time == SimTime::ZERO).count();
    assert_eq!(initial, 124_566);
    assert_eq!(pods(&records).count(), 124_566 + 100_000);
    let memory: Vec<_> = pods(&records).map(|(_, pod)| pod.requests[Dimension::MEMORY]).collect();
    assert!(memory.iter().all(|memory| (1..=2400).contains(memory)));
    let below = memory.iter().filter(|memory| **memory < 180).count() as f64;
    assert!((below / memory.len() as f64 - 0.5).abs() < 0.01);
    let span = records.last().unwrap().time.as_secs_f64();
    assert!((100_000.0 / span / rate - 1.0).abs() < 0.02);
}

#[test]
fn descriptions_that_cannot_be_are_refused() {
    type Breakage = fn(&mut GeneratorConfig);
    let broken: [(Breakage, &str); 9] = [
        (|c| c.pools.clear(), "no cpu"),
        (|c| c.tiers.clear(), "no tier"),
        (|c| c.allocation = f64::NAN, "allocation"),
        (|c| c.allocation = -1.0, "allocation"),
        (|c| c.diurnal.amplitude = 2.0, "amplitude"),
        (|c| c.tiers[0].killed = 1.5, "killed"),
        (|c| c.tiers[0].failing = 0.9, "ended"),
        (|c| c.tiers[0].run_seconds = Distribution::gamma(1.0, 1.0).unwrap(), "quantile"),
        (|c| c.tiers[0].cpu = Distribution::constant(0.0).unwrap(), "mean 0"),
    ];
    for (change, expected) in broken {
        let mut config = borg_like(10);
        change(&mut config);
        let error = Generator::new(config, STREAMS).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_plain_queue_has_its_servers_its_rate_and_its_service() {
    let config = PoissonConfig {
        servers: 3,
        tasks: 1,
        rate_per_second: 2.0,
        service: Distribution::exponential(1.25).unwrap(),
        requests: crate::cluster::Resources::pod(1, 1),
        count: 100_000,
    };
    let mut source = Poisson::new(config, STREAMS);
    let (mut servers, mut count, mut service, mut last) = (0, 0.0, 0.0, SimTime::ZERO);
    while let Some(record) = source.next_record().unwrap() {
        assert!(record.time >= last);
        last = record.time;
        match record.change {
            Change::NodeAdd { spec, .. } => {
                servers += 1;
                assert_eq!(spec.allocatable[Dimension::PODS], 1);
            }
            Change::Submit(pod) => {
                let Work::For { run, .. } = pod.work else { unreachable!("it runs for a time") };
                count += 1.0;
                service += run.as_secs_f64();
            }
            _ => {}
        }
    }
    assert_eq!((servers, count), (3, 100_000.0));
    assert!((service / count / 1.25 - 1.0).abs() < 0.02);
    assert!((count / last.as_secs_f64() / 2.0 - 1.0).abs() < 0.02);
}
