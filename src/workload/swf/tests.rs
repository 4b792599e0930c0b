//! Logs become jobs as the format says; broken lines are named or counted.

use std::fs;
use std::io::Write;

use super::super::data_folder;
use super::*;

const HEAD: &str = "; Version: 2.2\n; MaxNodes: 4\n; MaxProcs: 8\n";

fn read_with(
    text: &str,
    adjust: impl Fn(&mut SwfConfig),
) -> Result<(Vec<Record>, SourceStatistics), SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.swf");
    fs::write(&log, text).unwrap();
    let mut config = SwfConfig { strict: true, ..SwfConfig::new(log) };
    adjust(&mut config);
    let mut source = Swf::open(&config)?;
    let mut records = Vec::new();
    while let Some(record) = source.next_record()? {
        records.push(record);
    }
    Ok((records, source.statistics()))
}

fn read(text: &str) -> Vec<Record> {
    read_with(text, |_| {}).unwrap().0
}

fn jobs(records: &[Record]) -> Vec<(u64, u64, JobSpec)> {
    let jobs = records.iter().filter_map(|record| match &record.change {
        Change::Job { key, spec } => Some((record.time.0 / 1_000_000, key.0, (**spec).clone())),
        _ => None,
    });
    jobs.collect()
}

fn pods(records: &[Record]) -> Vec<&PodRecord> {
    let pods = records.iter().filter_map(|record| match &record.change {
        Change::Submit(pod) => Some(pod),
        _ => None,
    });
    pods.collect()
}

#[test]
fn a_job_becomes_a_gang_of_one_core_pods_after_the_nodes_of_the_header() {
    let records = read(&format!("{HEAD}  7 100 -1 60 3 -1 -1 -1 120 -1 1 5 2 -1 1 -1 -1 -1\n"));
    let nodes: Vec<i64> = records
        .iter()
        .filter_map(|record| match &record.change {
            Change::NodeAdd { spec, .. } => Some(spec.allocatable[Dimension::CPU]),
            _ => None,
        })
        .collect();
    assert_eq!(nodes, [2000; 4]);
    let (time, key, spec) = jobs(&records).remove(0);
    assert_eq!((time, key), (0, 7), "time begins with the first job");
    assert_eq!((spec.pods, spec.gang, &*spec.queue), (3, 3, "user-5"));
    assert_eq!(spec.estimate, Some(SimDuration::from_secs(120)));
    let pods = pods(&records);
    assert_eq!(pods.len(), 3);
    let run = SimDuration::from_secs(60);
    for pod in pods {
        assert_eq!(pod.work, Work::For { run, outcome: Outcome::Finish });
        assert_eq!(pod.requests, Resources::pod(1000, 0));
        assert_eq!(pod.workload, WorkloadKey(7));
    }
}

#[test]
fn options_change_pods_gangs_memory_and_tenants() {
    let text = format!("{HEAD}1 0 -1 60 5 -1 -1 6 120 2 0 5 2 -1 9 -1 -1 -1\n");
    let (records, _) = read_with(&text, |config| {
        config.cores_per_pod = 4;
        config.memory = true;
        config.gang = false;
        config.tenant = Tenant::Queue;
        config.exact_estimates = true;
        config.nodes = false;
    })
    .unwrap();
    let (_, _, spec) = jobs(&records).remove(0);
    assert_eq!((spec.pods, spec.gang, &*spec.queue), (2, 1, "queue-9"));
    assert_eq!(spec.estimate, Some(SimDuration::from_secs(60)));
    let requests: Vec<(i64, i64)> = pods(&records)
        .iter()
        .map(|pod| (pod.requests[Dimension::CPU], pod.requests[Dimension::MEMORY]))
        .collect();
    assert_eq!(requests, [(4000, 8192), (2000, 4096)], "requested 6, allocated 5");
    let failed = Work::For { run: SimDuration::from_secs(60), outcome: Outcome::Fail };
    assert!(pods(&records).iter().all(|pod| pod.work == failed));
    assert!(!records.iter().any(|record| matches!(record.change, Change::NodeAdd { .. })));
}

#[test]
fn dependencies_lead_to_jobs_that_are_there() {
    let text = format!(
        "{HEAD}1 0 -1 60 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1\n\
         2 10 -1 60 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 1 30\n\
         3 20 -1 60 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 99 30\n"
    );
    let (records, statistics) = read_with(&text, |_| {}).unwrap();
    let jobs = jobs(&records);
    assert!(jobs[0].2.followed && !jobs[1].2.followed);
    assert_eq!((&jobs[1].2.after[..], jobs[1].2.delay), (&[1][..], SimDuration::from_secs(30)));
    assert_eq!(jobs[2].2.after, [0_u64; 0]);
    assert_eq!(statistics.noted.values().sum::<u64>(), 4, "{statistics:?}");
    let (without, _) = read_with(&text, |config| config.dependencies = false).unwrap();
    assert!(super::tests::jobs(&without).iter().all(|(_, _, spec)| spec.after.is_empty()));
}

#[test]
fn lines_that_are_no_jobs_are_left_out_and_told_of() {
    let text = format!(
        "{HEAD}1 0 -1 60 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1\n\n\
         2 5 -1 -1 1 -1 -1 -1 -1 -1 5 5 2 -1 1 -1 -1 -1\n\
         3 5 -1 60 -1 -1 -1 0 -1 -1 1 5 2 -1 1 -1 -1 -1\n\
         4 6 -1 60 1 -1 -1 -1 -1 -1 2 5 2 -1 1 -1 -1 -1\n\
         ; a comment between\n\
         5 4 -1 60 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1 more columns\n\
         5 7 -1 60 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1\n"
    );
    let (records, statistics) = read_with(&text, |_| {}).unwrap();
    let found: Vec<(u64, u64)> = jobs(&records).iter().map(|job| (job.0, job.1)).collect();
    assert_eq!(found, [(0, 1), (4, 5), (7, (1 << 62) + 2)]);
    for what in ["cancelled", "processors", "swapped", "18 columns", "number another has"] {
        assert!(statistics.noted.keys().any(|note| note.contains(what)), "{what}: {statistics:?}");
    }
}

#[test]
fn broken_lines_are_refused_with_their_place_or_skipped_by_reason() {
    for (line, column, reason) in [
        ("1 0 -1 60 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1", 0, "18 columns expected, 17 found"),
        ("x 0 -1 60 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1", 1, "job number: not a number"),
        ("1 -1 -1 60 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1", 2, "submit time: value missing"),
        ("1 0 -1 -1.36e9 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1", 4, "run time: negative"),
        ("1 0 -1 NaN 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1", 4, "run time: not a number"),
        ("1 0 -1 1e40 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1", 4, "run time: number too large"),
        ("1 0 -1 60 -5 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1", 5, "processors: negative"),
        ("1 0 -1 60 1 -1 -1 99999999999 -1 -1 1 5 2 -1 1 -1 -1 -1", 8, "too large"),
        ("1 0 -1 60 1 -1 -1 -1 -7 -1 1 5 2 -1 1 -1 -1 -1", 9, "requested time: negative"),
        ("1 0 -1 60 1 -1 -1 -1 -1 -1 8 5 2 -1 1 -1 -1 -1", 11, "status: unknown code"),
        ("1 0 -1 60 1 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -3 -1", 17, "preceding job: negative"),
    ] {
        let text = format!("{HEAD}{line}\n");
        let error = read_with(&text, |_| {}).unwrap_err().to_string();
        assert!(error.contains(&format!("log.swf:4:{column}: ")), "{line}: {error}");
        assert!(error.contains(reason), "{line}: {error}");
        let (records, statistics) = read_with(&text, |config| config.strict = false).unwrap();
        assert!(jobs(&records).is_empty());
        assert_eq!(statistics.skipped.values().sum::<u64>(), 1, "{line}");
    }
}

#[test]
fn packed_logs_read_the_same_and_a_machine_that_is_not_told_of_is_an_error() {
    let text = format!("{HEAD}1 0 -1 60 2 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1\n");
    let folder = tempfile::tempdir().unwrap();
    let zst = folder.path().join("log.swf.zst");
    fs::write(&zst, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
    let gz = folder.path().join("log.swf.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(fs::File::create(&gz).unwrap(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
    for log in [zst, gz] {
        let mut source = Swf::open(&SwfConfig::new(log)).unwrap();
        let mut records = Vec::new();
        while let Some(record) = source.next_record().unwrap() {
            records.push(record);
        }
        assert_eq!(records, read(&text));
    }
    let error = read_with("1 0 -1 60 2 -1 -1 -1 -1 -1 1 5 2 -1 1 -1 -1 -1\n", |_| {}).unwrap_err();
    assert!(error.to_string().contains("MaxProcs"), "{error}");
}

/// The figures of the archive and of a count by hand.
#[test]
fn the_real_logs_hold_the_jobs_that_they_are_known_for() {
    let Some(folder) = data_folder().map(|folder| folder.join("traces/swf")) else {
        eprintln!("SKIPPED: no traces/swf under CELLSIM_DATA or ../shared");
        return;
    };
    for (log, lines, skipped) in
        [("NASA-iPSC-1993-3.1-cln.swf.gz", 18_239, 0), ("wagap-2013.swf.zst", 17_900, 2)]
    {
        let log = folder.join(log);
        if !log.is_file() {
            eprintln!("SKIPPED: no {}", log.display());
            continue;
        }
        let mut source = Swf::open(&SwfConfig { nodes: false, ..SwfConfig::new(&log) }).unwrap();
        let mut records = Vec::new();
        while let Some(record) = source.next_record().unwrap() {
            records.push(record);
        }
        let statistics = source.statistics();
        assert_eq!(statistics.rows, lines, "{}", log.display());
        assert_eq!(statistics.skipped.values().sum::<u64>(), skipped, "{statistics:?}");
        assert_eq!(jobs(&records).len() as u64, lines - skipped, "{statistics:?}");
        let whole: u32 = jobs(&records).iter().map(|(_, _, spec)| spec.pods).sum();
        assert_eq!(pods(&records).len(), whole as usize);
        assert!(records.is_sorted_by_key(|record| record.time));
    }
}
