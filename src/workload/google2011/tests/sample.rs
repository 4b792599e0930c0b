//! The real sample, where it is there: its counts are those of the reference notes.

use std::collections::BTreeSet;

use super::super::super::data_folder;
use super::*;

/// The folder of the sample; says so where it is not there.
fn sample() -> Option<std::path::PathBuf> {
    let folder = data_folder().map(|folder| folder.join("traces/google2011"));
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED: no traces/google2011 under CELLSIM_DATA or ../shared");
    }
    found
}

#[test]
fn the_machines_of_the_sample_are_all_there() {
    let Some(folder) = sample() else { return };
    let config =
        Google2011Config { task_events: None, ..Google2011Config::in_folder(&folder).unwrap() };
    let mut source = Google2011::open(&Google2011Config { strict: true, ..config }).unwrap();
    let (mut keys, mut at_zero, mut adds, mut removes) = (BTreeSet::new(), 0, 0, 0);
    let (mut cpu, mut memory) = (0, 0);
    while let Some(record) = source.next_record().unwrap() {
        match record.change {
            Change::NodeAdd { key, spec } => {
                keys.insert(key);
                adds += 1;
                if record.time == SimTime::ZERO {
                    at_zero += 1;
                    cpu += spec.allocatable[Dimension::CPU];
                    memory += spec.allocatable[Dimension::MEMORY];
                }
            }
            Change::NodeRemove { .. } => removes += 1,
            _ => {}
        }
    }
    let statistics = source.statistics();
    assert_eq!(statistics.rows, 37_780);
    assert_eq!((keys.len(), at_zero, adds, removes), (12_583, 12_477, 21_443, 8_957));
    assert_eq!(statistics.noted["machine events without capacity"], 32);
    // 6,603.25 cpu and 5,862.75 memory in units of the largest machine.
    assert_eq!(cpu, 66_032_500_000);
    assert_eq!(memory / 100_000, 586_275);
}

#[test]
fn the_tasks_of_the_sample_are_all_there() {
    let Some(folder) = sample() else { return };
    let mut config = Google2011Config::in_folder(&folder).unwrap();
    config.strict = true;
    let mut source = Google2011::open(&config).unwrap();
    let mut keys = BTreeSet::new();
    let (mut pods, mut kills, mut finishes, mut fails) = (0, 0, 0, 0);
    let (mut unknown, mut last) = (BTreeSet::new(), SimTime::ZERO);
    while let Some(record) = source.next_record().unwrap() {
        assert!(record.time >= last);
        last = record.time;
        let (key, work) = match record.change {
            Change::Submit(pod) => {
                keys.insert(pod.key);
                pods += 1;
                (pod.key, pod.work)
            }
            Change::Work { key, work } => {
                assert!(unknown.remove(&key), "only what is unknown is told");
                (key, work)
            }
            Change::Kill { .. } => {
                kills += 1;
                continue;
            }
            _ => continue,
        };
        match work {
            Work::For { outcome: Outcome::Finish, .. } => finishes += 1,
            Work::For { outcome: Outcome::Fail, .. } => fails += 1,
            Work::UntilStopped => {}
            Work::Unknown => assert!(unknown.insert(key)),
        }
    }
    assert!(unknown.is_empty(), "everything unknown was told");
    let noted = source.statistics().noted;
    assert_eq!(keys.len(), 614_019);
    // Every SUBMIT is a pod, but for those that follow an eviction.
    assert_eq!(noted["task events SUBMIT"], 144_339 + 791_843);
    let given_up = noted["EVICT or LOST without a later SUBMIT"];
    assert_eq!(noted["EVICT or LOST not replayed"], 219_839);
    assert_eq!(pods, 144_339 + 791_843 - (219_839 - given_up));
    assert_eq!((finishes, fails), (330_742, 18_604));
    assert_eq!(kills, 213_308 + given_up);
    assert_eq!(noted["task events SCHEDULE"], 132_982 + 757_535);
    assert_eq!(noted["rows with missing info"], 308);
    assert_eq!(noted["tasks alive where the data end"], 137_578 + 16_111);
    assert!(source.statistics().skipped.is_empty());
}
