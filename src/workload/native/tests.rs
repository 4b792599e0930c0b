//! Whatever a source can say survives writing and reading; broken files are named.

use std::fs;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::record::{
    Change, NodeKey, Outcome, PodKey, PodRecord, Record, Source, TemplateIndex, Work, WorkloadKey,
};
use super::super::source::{SourceError, SourceStatistics};
use super::*;
use crate::cluster::*;
use crate::engine::{SimDuration, SimTime};

/// Records from memory.
struct Listed<'a>(std::slice::Iter<'a, Record>);

impl Source for Listed<'_> {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        Ok(self.0.next().cloned())
    }
    fn statistics(&self) -> SourceStatistics {
        SourceStatistics::default()
    }
}

fn names() -> ResourceNames {
    ResourceNames::with_extended(vec!["rdma".into(), "fpga".into()]).unwrap()
}

fn read(folder: &std::path::Path, strict: bool) -> Result<Vec<Record>, SourceError> {
    let mut source = Native::open(&NativeConfig { folder: folder.into(), strict })?;
    let mut records = Vec::new();
    while let Some(record) = source.next_record()? {
        records.push(record);
    }
    Ok(records)
}

fn write_and_read(records: &[Record], compression: Compression) -> Vec<Record> {
    let folder = tempfile::tempdir().unwrap();
    let mut source = Listed(records.iter());
    let written = write_trace(&mut source, folder.path(), &names(), compression).unwrap();
    assert_eq!(written.files.len(), 3);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "no temporary file is left");
    read(folder.path(), true).unwrap()
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z/.-]{0,8}", Just("a,\"b\"\nc".to_string()), Just("ä€".to_string())]
}

fn any_resources() -> impl Strategy<Value = Resources> {
    proptest::array::uniform7(0..1_i64 << 50)
        .prop_map(|a| Resources([a[0], a[1], a[2], a[3], a[4], a[5], a[6], 0]))
}

fn any_spec() -> impl Strategy<Value = Arc<NodeSpec>> {
    let map = || prop::collection::btree_map("[a-z]{1,4}", any_text(), 0..3);
    let taint = (any_text(), any_text()).prop_map(|(key, value)| Taint {
        key,
        value,
        effect: TaintEffect::NoExecute,
    });
    let lists = (prop::collection::vec(taint, 0..2), prop::collection::vec(any_text(), 0..3));
    (any_text(), any_text(), any_resources(), any::<u8>(), (map(), map()), lists).prop_map(
        |(name, pool, allocatable, gpu_devices, (labels, attributes), (taints, domains))| {
            Arc::new(NodeSpec {
                gpu_model: pool.clone(),
                name,
                pool,
                allocatable,
                gpu_devices,
                labels,
                taints,
                attributes,
                domains,
                kubernetes: None,
            })
        },
    )
}

fn any_template() -> impl Strategy<Value = PodTemplate> {
    let plain = Just(NodeConstraints::default());
    let constrained = (any_text(), any_text()).prop_map(|(name, value)| NodeConstraints {
        tolerations: vec![Toleration {
            key: name.clone(),
            operator: TolerationOperator::Exists,
            value: value.clone(),
            effect: None,
        }],
        node_selector: [(name.clone(), value.clone())].into(),
        affinity: vec![vec![LabelExpression {
            key: name.clone(),
            operator: SelectorOperator::In,
            values: vec![value.clone()],
        }]],
        attributes: vec![AttributeConstraint {
            name: name.clone(),
            operator: AttributeOperator::NotEqual,
            value: value.clone(),
        }],
        gpu_models: vec![name.clone()],
        preferences: vec![Preference {
            weight: value.len() as u16 + 1,
            labels: Vec::new(),
            attributes: vec![AttributeConstraint {
                name,
                operator: AttributeOperator::Present,
                value,
            }],
        }],
    });
    (-3..400_i32, 0..5_usize, prop_oneof![plain, constrained], any::<bool>()).prop_map(
        |(priority, tier, constraints, one_per_node)| PodTemplate {
            priority,
            tier: Tier::ALL[tier],
            constraints,
            one_per_node,
            kubernetes: None,
        },
    )
}

fn any_work() -> impl Strategy<Value = Work> {
    let run = (0..1_u64 << 50).prop_map(SimDuration);
    prop_oneof![
        run.clone().prop_map(|run| Work::For { run, outcome: Outcome::Finish }),
        run.prop_map(|run| Work::For { run, outcome: Outcome::Fail }),
        Just(Work::UntilStopped),
    ]
}

/// A change whose template is still given in full.
#[derive(Clone, Debug)]
enum Draft {
    Submit(PodTemplate, PodRecord),
    Resize(PodTemplate, u64, Resources),
    Plain(Change),
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let key = || 0..20_u64;
    let gpu = prop_oneof![
        Just(GpuRequest::default()),
        (1..=1000_u16).prop_map(|milli| GpuRequest { devices: 1, milli }),
        Just(GpuRequest { devices: 8, milli: 1000 }),
    ];
    let work = prop_oneof![any_work(), Just(Work::Unknown)];
    let usage = prop::option::of(proptest::array::uniform2(any::<u16>()));
    let submit = (any_template(), key(), any::<bool>(), any_resources(), gpu, work, usage)
        .prop_map(|(template, key, tracked, requests, gpu, work, usage_permille)| {
            let pod = PodRecord {
                key: PodKey(key),
                tracked,
                workload: WorkloadKey(key / 2),
                alone: false,
                template: TemplateIndex(0),
                requests,
                gpu,
                work,
                usage_permille,
                alloc_index: (key % 3 > 0).then_some(key as u32 % 9),
            };
            Draft::Submit(template, pod)
        });
    let job = (0..20_u64, any_text(), (0..9_u32, 0..9_u32), prop::option::of(0..1_u64 << 50))
        .prop_map(|(key, queue, (pods, gang), estimate)| {
            let spec = JobSpec {
                pods,
                gang,
                queue: queue.into(),
                estimate: estimate.map(SimDuration),
                after: (0..key).step_by(7).collect(),
                delay: SimDuration(key / 3),
                followed: pods > 4,
                alloc: match gang % 3 {
                    0 => JobAlloc::None,
                    1 => JobAlloc::Set,
                    _ => JobAlloc::Inside(key / 2),
                },
            };
            Draft::Plain(Change::Job { key: WorkloadKey(100 + key), spec: Arc::new(spec) })
        });
    let node = (0..3_u8, key(), any_spec()).prop_map(|(kind, key, spec)| {
        let key = NodeKey(key);
        Draft::Plain(match kind {
            0 => Change::NodeAdd { key, spec },
            1 => Change::NodeUpdate { key, spec },
            _ => Change::NodeRemove { key },
        })
    });
    prop_oneof![
        3 => submit,
        1 => (any_template(), key(), any_resources()).prop_map(|(t, k, r)| Draft::Resize(t, k, r)),
        1 => key().prop_map(|key| Draft::Plain(Change::Kill { key: PodKey(key) })),
        1 => (key(), any_work())
            .prop_map(|(key, work)| Draft::Plain(Change::Work { key: PodKey(key), work })),
        2 => node,
        1 => job,
    ]
}

/// Gives drafts times and templates as a source would: each declared right before its first use.
fn records(drafts: Vec<(u64, Draft)>) -> Vec<Record> {
    let mut templates: Vec<PodTemplate> = Vec::new();
    let mut records = Vec::new();
    let mut time = SimTime::ZERO;
    for (step, draft) in drafts {
        time += SimDuration(step);
        let mut intern = |template: PodTemplate, records: &mut Vec<Record>| {
            let known = templates.iter().position(|known| *known == template);
            TemplateIndex(known.unwrap_or_else(|| {
                templates.push(template.clone());
                records.push(Record { time, change: Change::Template(Arc::new(template)) });
                templates.len() - 1
            }) as u32)
        };
        let change = match draft {
            Draft::Plain(change) => change,
            Draft::Submit(template, pod) => {
                let template = intern(template, &mut records);
                Change::Submit(PodRecord { template, ..pod })
            }
            Draft::Resize(template, key, requests) => {
                let template = intern(template, &mut records);
                Change::Resize { key: PodKey(key), template, requests }
            }
        };
        records.push(Record { time, change });
    }
    records
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_written_is_read_back(
        drafts in prop::collection::vec((0..3_u64, any_draft()), 0..40),
        packed in 0..3_usize,
    ) {
        let records = records(drafts);
        let compression = [Compression::Plain, Compression::Gz, Compression::Zst][packed];
        prop_assert_eq!(write_and_read(&records, compression), records);
    }
}

#[test]
fn a_pod_needs_no_more_than_a_time_and_a_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pods.csv"), "pod,time_us,cpu_milli,run_us\n7,5,100,60\n")
        .unwrap();
    let records = read(folder.path(), true).unwrap();
    let Change::Submit(pod) = &records[1].change else { panic!("{records:?}") };
    assert_eq!(pod.workload, WorkloadKey(7));
    assert_eq!(pod.work, Work::For { run: SimDuration(60), outcome: Outcome::Finish });
    assert!(pod.tracked);
}

#[test]
fn constraints_of_a_job_hold_for_all_of_its_pods() {
    let folder = tempfile::tempdir().unwrap();
    let text = "time_us,event,pod,workload,constraints\n\
        0,job,,5,\"{\"\"attributes\"\":[{\"\"name\"\":\"\"os\"\",\"\"operator\"\":\"\"present\"\",\"\"value\"\":\"\"\"\"}],\
        \"\"preferences\"\":[{\"\"weight\"\":7,\"\"labels\"\":[{\"\"key\"\":\"\"disk\"\",\"\"operator\"\":\"\"Exists\"\",\"\"values\"\":[]}]}]}\"\n\
        0,submit,1,5,\n\
        0,submit,2,5,\"{\"\"gpu_models\"\":[\"\"T4\"\"]}\"\n\
        0,submit,3,6,\n\
        1,resize,3,5,\n";
    fs::write(folder.path().join("pods.csv"), text).unwrap();
    let records = read(folder.path(), true).unwrap();
    let mut templates: Vec<Arc<PodTemplate>> = Vec::new();
    let mut seen = Vec::new();
    for record in &records {
        match &record.change {
            Change::Template(template) => templates.push(Arc::clone(template)),
            Change::Submit(PodRecord { template, .. }) | Change::Resize { template, .. } => {
                let asked = &templates[template.0 as usize].constraints;
                let models = asked.gpu_models.len();
                seen.push((asked.attributes.len(), asked.preference_weight(), models));
            }
            _ => {}
        }
    }
    assert_eq!(seen, [(1, 7, 0), (1, 7, 1), (0, 0, 0), (1, 7, 0)]);
    let wrong = "time_us,event,pod,workload,constraints\n0,job,,5,\"{\"\"gpu_models\"\":[]}\"\n";
    fs::write(folder.path().join("pods.csv"), wrong).unwrap();
    let error = read(folder.path(), true).unwrap_err().to_string();
    assert!(error.contains("pods.csv:2:5") && error.contains("not the JSON"), "{error}");
}

#[test]
fn broken_rows_are_refused_with_their_place_or_skipped_by_reason() {
    let header = "time_us,event,pod,priority,tier,constraints,cpu_milli,gpu_devices,\
                  gpu_share_milli,run_us,outcome,cpu_usage_permille\n";
    for (row, column, reason) in [
        ("x,submit,1,,,,,,,,,", 1, "not a number"),
        ("4,submit,1,,,,,,,,,", 1, "time goes backwards"),
        ("6,explode,1,,,,,,,,,", 2, "unknown code"),
        ("6,submit,,,,,,,,,,", 3, "value missing"),
        ("6,submit,1,99999999999,,,,,,,,", 4, "number too large"),
        ("6,submit,1,,gold,,,,,,,", 5, "unknown code"),
        ("6,submit,1,,,{oops},,,,,,", 6, "not the JSON"),
        ("6,submit,1,,,,-5,,,,,", 7, "negative"),
        ("6,submit,1,,,,NaN,,,,,", 7, "not a number"),
        ("6,submit,1,,,,9223372036854775807,,,,,", 7, "number too large"),
        ("6,submit,1,,,,,2,500,,,", 9, "a share of several GPUs"),
        ("6,submit,1,,,,,,,,finish,", 10, "value missing"),
        ("6,submit,1,,,,,,,5,until-stopped,", 11, "unknown code"),
        ("6,work,1,,,,,,,,unknown,", 2, "value missing"),
        ("6,submit,1,,,,,,,,,70000", 12, "number too large"),
        ("6,submit,1", 0, "columns"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{header}5,submit,1,,,,,,,,,\n{row}\n");
        fs::write(folder.path().join("pods.csv"), text).unwrap();
        let error = read(folder.path(), true).unwrap_err().to_string();
        assert!(error.contains(&format!("pods.csv:3:{column}")), "{row}: {error}");
        assert!(error.contains(reason), "{row}: {error}");
        let config = NativeConfig { folder: folder.path().into(), strict: false };
        let mut source = Native::open(&config).unwrap();
        while source.next_record().unwrap().is_some() {}
        let skipped = source.statistics().skipped;
        assert!(skipped.keys().all(|key| key.contains(reason)) && skipped.len() == 1, "{row}");
    }
}

#[test]
fn what_rows_say_of_allocs_is_read_or_refused() {
    let header = "time_us,event,pod,workload,alloc_set,in_alloc_set,alloc_index\n";
    let read_rows = |rows: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pods.csv"), format!("{header}{rows}")).unwrap();
        read(folder.path(), true)
    };
    let records = read_rows("0,,1,1,true,,3\n0,,2,2,,1,\n0,,3,2,,,7\n").unwrap();
    let jobs = records.iter().filter_map(|record| match &record.change {
        Change::Job { key, spec } => Some((key.0, spec.alloc)),
        _ => None,
    });
    assert_eq!(jobs.collect::<Vec<_>>(), [(1, JobAlloc::Set), (2, JobAlloc::Inside(1))]);
    let numbers = records.iter().filter_map(|record| match &record.change {
        Change::Submit(pod) => Some(pod.alloc_index),
        _ => None,
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [Some(3), None, Some(7)]);
    for (row, expected) in [
        ("0,,1,1,true,1,\n", "pods.csv:2:6: in_alloc_set: an alloc set inside of an alloc set"),
        ("0,,1,1,maybe,,\n", "pods.csv:2:5: alloc_set: unknown code"),
        ("0,,1,1,,set,\n", "pods.csv:2:6: in_alloc_set: not a number"),
        ("0,,1,1,,,2147483648\n", "pods.csv:2:7: alloc_index: number too large"),
    ] {
        let error = read_rows(row).unwrap_err().to_string();
        assert!(error.contains(expected), "{row}: {error}");
    }
}

#[test]
fn folders_that_hold_no_trace_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = read(folder.path(), false).unwrap_err().to_string();
    assert!(error.contains("pods.csv"), "{error}");
    let missing = folder.path().join("missing");
    assert!(read(&missing, false).unwrap_err().to_string().contains("no such"));
    let path = |name| folder.path().join(name);
    for (name, content, expected) in [
        ("pods.csv", "", "empty"),
        ("pods.csv", "time_us\n", "\"pod\" is missing"),
        ("pods.csv", "time_us,pod,resource:cpu\n", "taken"),
        ("nodes.csv", "name,pool\n", "\"node\" is missing"),
        ("node_events.csv", "node,event\n", "\"time_us\" is missing"),
    ] {
        fs::write(path(name), content).unwrap();
        let error = read(folder.path(), false).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{name}: {error}");
        fs::remove_file(path(name)).unwrap();
    }
    fs::write(path("pods.csv"), "time_us,pod\n").unwrap();
    fs::write(path("pods.csv.gz"), "").unwrap();
    assert!(read(folder.path(), false).unwrap_err().to_string().contains("plain and packed"));
}
