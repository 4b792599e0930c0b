//! Alloc sets in a generated workload: some jobs become reservations with pods inside.
//!
//! A job that is chosen becomes an alloc set: its tasks are the instances, with the requests and
//! the end that were drawn for them. Into each go pods of jobs inside, as many as there are jobs,
//! each with an equal part of what is reserved and the usage that was drawn; they run until their
//! instance ends. So nothing but the choice is drawn, and the load of nodes stays as it was.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::record::{
    Change, PodKey, PodRecord, Record, Source, TemplateIndex, Work, WorkloadKey,
};
use super::super::source::{SourceError, SourceStatistics};
use super::config::AllocSetMix;
use crate::cluster::{Dimension, GpuRequest, JobAlloc, JobSpec, PodTemplate, Resources};
use crate::engine::{Purpose, SimTime, Streams};

/// Keys of jobs and pods inside begin here: a generator numbers its own from 0.
const FIRST_INSIDE: u64 = 1 << 62;

/// A source whose jobs come one after the other, some of them turned into alloc sets.
pub struct AllocSets<S> {
    inner: S,
    mix: AllocSetMix,
    streams: Streams,
    /// Templates so far, to tell tiers and to find one without `one_per_node`.
    templates: Vec<Arc<PodTemplate>>,
    /// The job whose pods come at present, and the number of its next instance if it is a set.
    job: Option<(WorkloadKey, Option<u32>)>,
    /// What was declared of the job that comes next.
    declared: Option<Arc<JobSpec>>,
    ready: VecDeque<Record>,
    sets: u64,
}

impl<S: Source> AllocSets<S> {
    /// Turns jobs of `inner` into alloc sets as `mix` says.
    pub fn new(inner: S, mix: AllocSetMix, streams: Streams) -> Self {
        Self {
            inner,
            mix,
            streams,
            templates: Vec::new(),
            job: None,
            declared: None,
            ready: VecDeque::new(),
            sets: 0,
        }
    }

    fn template(&self, index: TemplateIndex) -> &PodTemplate {
        &self.templates[index.0 as usize]
    }

    /// True if the job of `pod` is to be an alloc set: drawn from a stream of its own, so that the
    /// share of sets moves nothing else.
    fn is_chosen(&self, pod: &PodRecord) -> bool {
        let mut stream = self.streams.stream(Purpose::AllocSet, pod.workload.0);
        self.template(pod.template).tier.is_prod() && stream.uniform() < self.mix.share
    }

    /// A pod comes: as it is, or as an instance with what is inside.
    fn submit(&mut self, time: SimTime, pod: PodRecord) {
        if self.job.is_none_or(|(job, _)| job != pod.workload) {
            let declared = self.declared.take();
            let chosen = self.is_chosen(&pod);
            self.job = Some((pod.workload, chosen.then_some(0)));
            self.sets += u64::from(chosen);
            self.declare(time, pod.workload, declared, chosen);
        }
        let Some((_, Some(number))) = &mut self.job else {
            self.ready.push_back(Record { time, change: Change::Submit(pod) });
            return;
        };
        let alloc_index = Some(*number);
        *number += 1;
        let inside = (0..self.mix.pods).map(|which| self.inside(&pod, which, alloc_index));
        let inside: Vec<PodRecord> = inside.collect();
        let instance = PodRecord { alone: false, alloc_index, ..pod };
        let pods = std::iter::once(instance).chain(inside);
        self.ready.extend(pods.map(|pod| Record { time, change: Change::Submit(pod) }));
    }

    /// Declares a job, and for an alloc set those inside.
    fn declare(
        &mut self,
        time: SimTime,
        key: WorkloadKey,
        declared: Option<Arc<JobSpec>>,
        chosen: bool,
    ) {
        let mut push = |key, spec| {
            self.ready.push_back(Record { time, change: Change::Job { key, spec } });
        };
        if !chosen {
            declared.into_iter().for_each(|spec| push(key, spec));
            return;
        }
        let spec = declared.map_or_else(JobSpec::default, |spec| (*spec).clone());
        let queue = Arc::clone(&spec.queue);
        push(key, Arc::new(JobSpec { alloc: JobAlloc::Set, ..spec }));
        for which in 0..self.mix.pods {
            let alloc = JobAlloc::Inside(key.0);
            let spec = JobSpec { alloc, queue: Arc::clone(&queue), ..JobSpec::default() };
            push(WorkloadKey(self.mix.key(key.0, which)), Arc::new(spec));
        }
    }

    /// The pod of the job inside with this number that goes into the instance `alloc`.
    fn inside(&self, alloc: &PodRecord, which: u32, alloc_index: Option<u32>) -> PodRecord {
        let part = i64::from(self.mix.pods);
        let mut requests = Resources::ZERO;
        for dimension in Dimension::all() {
            requests[dimension] = alloc.requests[dimension] / part;
        }
        requests[Dimension::PODS] = 1;
        let own = self.template(alloc.template);
        let like = self.templates.iter().position(|template| {
            !template.one_per_node && (template.tier, template.priority) == (own.tier, own.priority)
        });
        PodRecord {
            key: PodKey(self.mix.key(alloc.key.0, which)),
            tracked: false,
            workload: WorkloadKey(self.mix.key(alloc.workload.0, which)),
            alone: false,
            template: like.map_or(alloc.template, |index| TemplateIndex(index as u32)),
            requests,
            gpu: GpuRequest::default(),
            work: Work::UntilStopped,
            usage_permille: alloc.usage_permille,
            alloc_index,
        }
    }
}

impl AllocSetMix {
    /// Key of what is inside of `key`.
    fn key(&self, key: u64, which: u32) -> u64 {
        FIRST_INSIDE + key * u64::from(self.pods) + u64::from(which)
    }
}

impl<S: Source> Source for AllocSets<S> {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Ok(Some(record));
            }
            let Some(record) = self.inner.next_record()? else { return Ok(None) };
            match record.change {
                Change::Submit(pod) => self.submit(record.time, pod),
                // Its first pod follows, which tells its tier.
                Change::Job { spec, .. } => self.declared = Some(spec),
                Change::Template(template) => {
                    self.templates.push(Arc::clone(&template));
                    let change = Change::Template(template);
                    return Ok(Some(Record { change, ..record }));
                }
                _ => return Ok(Some(record)),
            }
        }
    }

    fn statistics(&self) -> SourceStatistics {
        let mut statistics = self.inner.statistics();
        statistics.noted.insert("alloc sets generated".to_owned(), self.sets);
        statistics
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Generator, GeneratorConfig, borg_like};
    use super::*;

    const STREAMS: Streams = Streams { seed: 5, run: 0 };

    fn records(source: &mut dyn Source) -> Vec<Record> {
        std::iter::from_fn(|| source.next_record().expect("it goes on")).collect()
    }

    fn config() -> GeneratorConfig {
        GeneratorConfig { tasks: Some(3_000), ..borg_like(50) }
    }

    fn with_sets(share: f64) -> Vec<Record> {
        let generator = Generator::new(config(), STREAMS).expect("it can be");
        records(&mut AllocSets::new(generator, AllocSetMix { share, pods: 3 }, STREAMS))
    }

    #[test]
    fn without_a_share_nothing_changes() {
        let mut plain = Generator::new(config(), STREAMS).expect("it can be");
        assert_eq!(with_sets(0.0), records(&mut plain));
    }

    #[test]
    fn what_nodes_are_asked_for_is_the_same_and_what_is_inside_fits() {
        let mut plain = Generator::new(config(), STREAMS).expect("it can be");
        let plain: i64 = pods(&records(&mut plain)).map(cpu).sum();
        let all = with_sets(0.5);
        let mut roles = BTreeMap::new();
        for record in &all {
            if let Change::Job { key, spec } = &record.change {
                roles.insert(*key, spec.alloc);
            }
        }
        let role = |pod: &&PodRecord| roles.get(&pod.workload).copied().unwrap_or_default();
        let inside = |pod: &&PodRecord| matches!(role(pod), JobAlloc::Inside(_));
        let of_nodes: i64 = pods(&all).filter(|pod| !inside(pod)).map(cpu).sum();
        assert_eq!(of_nodes, plain);
        let mut left: BTreeMap<(u64, Option<u32>), i64> = BTreeMap::new();
        for pod in pods(&all) {
            match role(&pod) {
                JobAlloc::None => {}
                JobAlloc::Set => drop(left.insert((pod.workload.0, pod.alloc_index), cpu(pod))),
                JobAlloc::Inside(set) => {
                    let room = left.get_mut(&(set, pod.alloc_index));
                    *room.expect("the instance comes first") -= cpu(pod);
                }
            }
        }
        assert!(left.len() > 100, "{} instances", left.len());
        assert!(left.values().all(|left| (0..3).contains(left)), "three equal parts, rounded down");
    }

    fn pods(records: &[Record]) -> impl Iterator<Item = &PodRecord> {
        records.iter().filter_map(|record| match &record.change {
            Change::Submit(pod) => Some(pod),
            _ => None,
        })
    }

    fn cpu(pod: &PodRecord) -> i64 {
        pod.requests[Dimension::CPU]
    }
}
