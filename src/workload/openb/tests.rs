//! Nodes, pods, broken rows, and the counts of the real lists.

use std::fs;

use super::*;
use crate::engine::Streams;
use crate::workload::data_folder;

const NODE_HEADER: &str = "sn,cpu_milli,memory_mib,gpu,model\n";
const POD_HEADER: &str = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,\
                          creation_time,deletion_time,scheduled_time\n";

fn read(
    nodes: &str,
    pods: &str,
    strict: bool,
) -> Result<(Vec<Record>, SourceStatistics), SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let (node_path, pod_path) = (folder.path().join("n.csv"), folder.path().join("p.csv"));
    fs::write(&node_path, format!("{NODE_HEADER}{nodes}")).unwrap();
    fs::write(&pod_path, format!("{POD_HEADER}{pods}")).unwrap();
    let config =
        OpenbConfig { nodes: Some(node_path), pods: Some(pod_path), strict, filling: None };
    let mut source = Openb::open(&config)?;
    let mut records = Vec::new();
    while let Some(record) = source.next_record()? {
        records.push(record);
    }
    Ok((records, source.statistics()))
}

fn pods(records: &[Record]) -> Vec<(u64, PodRecord)> {
    let pod = |record: &Record| match &record.change {
        Change::Submit(pod) => Some((record.time.0, pod.clone())),
        _ => None,
    };
    records.iter().filter_map(pod).collect()
}

fn templates(records: &[Record]) -> Vec<Arc<PodTemplate>> {
    let template = |record: &Record| match &record.change {
        Change::Template(template) => Some(Arc::clone(template)),
        _ => None,
    };
    records.iter().filter_map(template).collect()
}

#[test]
fn nodes_have_their_devices_and_their_model_as_pool() {
    let rows = "a,32000,262144,0,\nb,96000,786432,8,V100M32\n";
    let (records, _) = read(rows, "", true).unwrap();
    let specs: Vec<_> = records
        .iter()
        .map(|record| match &record.change {
            Change::NodeAdd { spec, .. } => spec,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((specs[0].pool.as_str(), specs[0].gpu_devices), ("cpu", 0));
    assert_eq!((specs[1].pool.as_str(), specs[1].gpu_devices), ("V100M32", 8));
    assert_eq!(specs[1].allocatable.0[..5], [96_000, 786_432 << 20, 0, 110, 8_000]);
}

#[test]
fn pods_come_in_order_of_creation_and_run_from_schedule_to_deletion() {
    let rows = "late,1000,1,1,460,T4|A10,BE,Failed,50,90,60\n\
                early,2000,2,0,0,,LS,Pending,10,25,\n\
                whole,2000,2,8,1000,,Guaranteed,Running,50,51,50\n";
    let (records, statistics) = read("", rows, true).unwrap();
    let pods = pods(&records);
    let runs: Vec<_> = pods.iter().map(|(time, pod)| (*time, pod.work)).collect();
    let work = |run, outcome| Work::For { run: SimDuration::from_secs(run), outcome };
    assert_eq!(
        runs,
        [
            (10_000_000, work(15, Outcome::Finish)),
            (50_000_000, work(30, Outcome::Fail)),
            (50_000_000, work(1, Outcome::Finish)),
        ]
    );
    assert_eq!(pods[1].1.requests[Dimension::GPU], 460);
    assert_eq!(pods[2].1.gpu, GpuRequest { devices: 8, milli: 1000 });
    let templates = templates(&records);
    assert_eq!(templates[1].constraints.gpu_models, ["A10", "T4"]);
    assert_eq!(templates[1].tier, Tier::BestEffortBatch);
    assert_eq!(pods[2].1.template, pods[0].1.template, "guaranteed and LS are one tier");
    assert_eq!(statistics.noted.values().sum::<u64>(), 1);
}

#[test]
fn broken_pods_are_skipped_or_refused_with_their_place() {
    for (row, column, reason) in [
        ("p,x,1,0,0,,LS,Running,1,2,1", 2, "not a number"),
        ("p,1000,-1,0,0,,LS,Running,1,2,1", 3, "negative number"),
        ("p,1000,1,256,0,,LS,Running,1,2,1", 4, "number too large"),
        ("p,1000,1,1,1001,,LS,Running,1,2,1", 5, "number too large"),
        ("p,1000,1,2,500,,LS,Running,1,2,1", 5, "a share of several GPUs"),
        ("p,1000,1,0,0,,Gold,Running,1,2,1", 7, "unknown code"),
        ("p,1000,1,0,0,,LS,Lost,1,2,1", 8, "unknown code"),
        ("p,1000,1,0,0,,LS,Running,NaN,2,1", 9, "not a number"),
        ("p,1000,1,0,0,,LS,Running,1,2,3", 10, "ends before it starts"),
        ("p,1000,1,0,0,,LS,Running,1", 0, "columns"),
    ] {
        let (records, statistics) = read("", &format!("{row}\n"), false).unwrap();
        assert!(records.is_empty(), "{row}");
        let found = statistics.skipped.keys().next().unwrap();
        assert!(found.contains(reason), "{row}: {found}");
        let error = read("", &format!("{row}\n"), true).unwrap_err().to_string();
        assert!(error.contains(&format!("p.csv:2:{column}")), "{row}: {error}");
        assert!(error.contains(reason), "{row}: {error}");
    }
}

#[test]
fn a_missing_column_or_an_empty_file_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.csv");
    let config =
        OpenbConfig { nodes: None, pods: Some(path.clone()), strict: false, filling: None };
    for (content, expected) in [("name,cpu_milli\n", "memory_mib"), ("", "empty")] {
        fs::write(&path, content).unwrap();
        let error = Openb::open(&config).err().unwrap().to_string();
        assert!(error.contains("p.csv") && error.contains(expected), "{error}");
    }
}

#[test]
fn the_real_lists_have_the_published_counts() {
    let folder = data_folder().map(|folder| folder.join("traces/alibaba-gpu-v2023"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        eprintln!("SKIPPED: no traces/alibaba-gpu-v2023 under CELLSIM_DATA or ../shared");
        return;
    };
    let config = OpenbConfig {
        nodes: Some(folder.join("openb_node_list_all_node.csv.zst")),
        pods: Some(folder.join("openb_pod_list_default.csv.zst")),
        strict: true,
        filling: None,
    };
    let mut source = Openb::open(&config).unwrap();
    let (mut nodes, mut gpus, mut cores, mut pods, mut fails) = (0, 0, 0, 0, 0);
    while let Some(record) = source.next_record().unwrap() {
        match record.change {
            Change::NodeAdd { spec, .. } => {
                nodes += 1;
                gpus += i64::from(spec.gpu_devices);
                cores += spec.allocatable[Dimension::CPU] / 1000;
            }
            Change::Submit(pod) => {
                pods += 1;
                fails += i32::from(matches!(pod.work, Work::For { outcome: Outcome::Fail, .. }));
            }
            _ => {}
        }
    }
    assert_eq!((nodes, gpus, cores), (1_523, 6_212, 125_514));
    assert_eq!((pods, fails), (8_152, 1_870));
    let noted = source.statistics().noted;
    assert_eq!(noted.values().copied().collect::<Vec<_>>(), [897]);
}

fn filled(inflate_permille: Option<u64>, seed: u64) -> Vec<Record> {
    let folder = tempfile::tempdir().unwrap();
    let (node_path, pod_path) = (folder.path().join("n.csv"), folder.path().join("p.csv"));
    fs::write(&node_path, format!("{NODE_HEADER}a,96000,786432,8,T4\n")).unwrap();
    let rows = "a,1000,1,1,500,T4|A10,BE,Failed,50,90,60\nb,2000,2,0,0,,LS,Pending,10,25,\n\
                c,2000,2,2,1000,,LS,Running,50,51,50\nd,2000,2,2,1000,,LS,Running,99,99,99\n";
    fs::write(&pod_path, format!("{POD_HEADER}{rows}")).unwrap();
    let streams = Streams { seed, run: 0 };
    let filling = Some(Filling { inflate_permille, streams });
    let config =
        OpenbConfig { nodes: Some(node_path), pods: Some(pod_path), strict: true, filling };
    let mut source = Openb::open(&config).unwrap();
    std::iter::from_fn(|| source.next_record().unwrap()).collect()
}

#[test]
fn a_cell_is_filled_with_the_pods_in_random_order_that_never_leave() {
    let orders: Vec<Vec<i64>> = (0..40)
        .map(|seed| {
            let records = filled(None, seed);
            let pods = pods(&records);
            let times: Vec<u64> = pods.iter().map(|(time, _)| time / 1_000_000).collect();
            assert_eq!(times, [1, 2, 3, 4]);
            assert!(pods.iter().all(|(_, pod)| pod.work == Work::UntilStopped));
            pods.iter().map(|(_, pod)| pod.requests[Dimension::GPU]).collect()
        })
        .collect();
    let once = orders.iter().map(|order| {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted
    });
    assert!(once.into_iter().all(|sorted| sorted == [0, 500, 2000, 2000]));
    assert!(orders.iter().any(|order| order != &orders[0]), "the order is that of the seed");
    assert_eq!(pods(&filled(None, 7)), pods(&filled(None, 7)));
}

#[test]
fn the_population_of_a_filled_cell_is_known_before_its_pods() {
    let records = filled(Some(1300), 1);
    let first_pod = records.iter().position(|r| matches!(r.change, Change::Submit(_))).unwrap();
    let population = records[..first_pod].iter().find_map(|record| match &record.change {
        Change::Population(shapes) => Some(shapes.clone()),
        _ => None,
    });
    let mut counts: Vec<u64> = population.unwrap().iter().map(|shape| shape.pods).collect();
    counts.sort_unstable();
    assert_eq!(
        counts,
        [1, 1, 2],
        "two pods are alike, and each counts once however often it comes"
    );
}

#[test]
fn a_filled_cell_is_asked_for_as_much_as_is_wanted() {
    for (permille, most) in [(100, 800), (1300, 10_400), (5000, 40_000)] {
        let requested: i64 = pods(&filled(Some(permille), 3))
            .iter()
            .map(|(_, pod)| pod.requests[Dimension::GPU])
            .sum();
        assert!(requested <= most && requested + 2000 > most, "{requested} of {most}");
    }
}
