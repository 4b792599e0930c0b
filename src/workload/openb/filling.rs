//! Filling a cell: the pods of the list in random order, one each second, and none ever leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Change, Dimension, Pod, PodKey, PodRecord, Record, SimTime, WorkloadKey, template_of};
use crate::cluster::Tier;
use crate::engine::{Purpose, Streams};
use crate::workload::record::{PopularShape, TemplateIndex, Work};

/// How a cell is filled (Weng et al., USENIX ATC 2023, §6.2).
#[derive(Clone, Copy, Debug)]
pub struct Filling {
    /// So much is requested of GPUs in all, in permille of what the nodes have: pods are drawn from
    /// the list, each equally likely, when all of it has come; the last ones are left out where the
    /// list requests more. `None`: each pod once.
    pub inflate_permille: Option<u64>,
    /// What order and draws come from.
    pub streams: Streams,
}

/// Pods with equal templates share one.
type Templates = BTreeMap<(Tier, Vec<String>), TemplateIndex>;

impl Filling {
    /// The templates and the population, then `nodes`, then the pods.
    pub(super) fn records(&self, pods: &[Pod], nodes: Vec<Record>) -> Vec<Record> {
        let mut records = Vec::new();
        let templates = declare(pods, &mut records);
        let at_start = |change| Record { time: SimTime::ZERO, change };
        records.push(at_start(Change::Population(population(pods, &templates))));
        let gpus = nodes.iter().map(|record| match &record.change {
            Change::NodeAdd { spec, .. } => spec.allocatable[Dimension::GPU],
            _ => 0,
        });
        let limit = self
            .inflate_permille
            .map(|permille| i128::from(gpus.sum::<i64>()) * i128::from(permille) / 1000);
        records.extend(nodes);
        for (number, index) in self.order(pods, limit).into_iter().enumerate() {
            let number = number as u64;
            let change = Change::Submit(record(&pods[index], number, &templates));
            records.push(Record { time: SimTime::from_secs(number + 1), change });
        }
        records
    }

    /// Which pods come, by position in the list.
    fn order(&self, pods: &[Pod], limit: Option<i128>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..pods.len()).collect();
        let mut stream = self.streams.stream(Purpose::Arrival, 0);
        stream.shuffle(&mut order);
        let Some(limit) = limit else { return order };
        let requested = |index: &usize| i128::from(pods[*index].gpu.total_milli());
        let mut total = 0;
        let fits = |index: &usize| {
            total += requested(index);
            total <= limit
        };
        if order.iter().all(|index| requested(index) == 0) {
            return order;
        }
        let mut draws = self.streams.stream(Purpose::PodShape, 0);
        let count = pods.len() as u64;
        let drawn = std::iter::repeat_with(|| draws.below(count) as usize);
        order.into_iter().chain(drawn).take_while(fits).collect()
    }
}

/// Declares all templates, in the order of the list.
fn declare(pods: &[Pod], records: &mut Vec<Record>) -> Templates {
    let mut templates = Templates::new();
    for pod in pods {
        let next = TemplateIndex(templates.len() as u32);
        let key = (pod.tier, pod.gpu_models.clone());
        templates.entry(key).or_insert_with_key(|(tier, models)| {
            let change = Change::Template(Arc::new(template_of(*tier, models)));
            records.push(Record { time: SimTime::ZERO, change });
            next
        });
    }
    templates
}

fn template(pod: &Pod, templates: &Templates) -> TemplateIndex {
    templates[&(pod.tier, pod.gpu_models.clone())]
}

/// How many pods of each sort the list has.
fn population(pods: &[Pod], templates: &Templates) -> Arc<[PopularShape]> {
    let mut shapes: BTreeMap<_, PopularShape> = BTreeMap::new();
    for pod in pods {
        let (template, requests, gpu) = (template(pod, templates), pod.requests, pod.gpu);
        let key = (template, requests.0, gpu.devices, gpu.milli);
        let none = PopularShape { template, requests, gpu, pods: 0 };
        shapes.entry(key).or_insert(none).pods += 1;
    }
    shapes.into_values().collect()
}

fn record(pod: &Pod, number: u64, templates: &Templates) -> PodRecord {
    PodRecord {
        key: PodKey(number),
        tracked: false,
        workload: WorkloadKey(number),
        alone: true,
        template: template(pod, templates),
        requests: pod.requests,
        gpu: pod.gpu,
        work: Work::UntilStopped,
        usage_permille: None,
        alloc_index: None,
    }
}
