//! What tests of the meter share: a cell, its meter, and how events are told. Times are in seconds.

use std::sync::Arc;

use crate::cluster::{
    Cluster, Dimension, DomainGraph, DomainSpec, GpuRequest, NewPod, NodeSpec, Overcommit, PodId,
    PodTemplate, ResourceNames, Resources, TemplateId, Tier, Touched, WorkEnd, WorkloadId,
};
use crate::engine::{SimDuration, SimTime};
use crate::metrics::{
    FragmentationRule, Meter, MeterAuditor, MeterConfig, MeteredResource, Observer, RunContext,
    RunResult, ScenarioInfo, SchedulerSummary,
};
use crate::workload::SourceStatistics;

pub(super) const GIB: i64 = 1 << 30;

/// A cell and its meter.
pub(super) struct Stage {
    pub(super) cluster: Cluster,
    pub(super) meter: Meter,
    pub(super) auditor: MeterAuditor,
    pub(super) templates: [TemplateId; Tier::COUNT],
}

pub(super) fn config(warmup_s: u64, usage_known: bool) -> MeterConfig {
    let names = ResourceNames::default();
    let used = [Dimension::CPU, Dimension::MEMORY];
    MeterConfig {
        warmup: SimTime::from_secs(warmup_s),
        duration: None,
        resources: used.map(|dimension| MeteredResource::usual(dimension, &names)).into(),
        usage_known,
        fragmentation: FragmentationRule::Always,
        objectives: vec![("web".to_owned(), 0.9)],
    }
}

pub(super) fn context() -> RunContext {
    RunContext {
        scenario: ScenarioInfo {
            name: String::new(),
            title: String::new(),
            seed: 1,
            architecture: "pod-at-a-time".to_owned(),
            placement: String::new(),
            queue: String::new(),
            resolved: serde_json::Value::Null,
        },
        notices: Vec::new(),
        source: SourceStatistics::default(),
        fingerprint: String::new(),
        admission: Vec::new(),
        scheduler: SchedulerSummary { attempts: 5, ..SchedulerSummary::default() },
    }
}

pub(super) fn node_spec(name: &str, pool: &str, cpu_milli: i64) -> Arc<NodeSpec> {
    let allocatable = Resources([cpu_milli, 8 * GIB, 0, 100, 0, 0, 0, 0]);
    let (name, pool) = (name.to_owned(), pool.to_owned());
    let domains = vec!["rack".to_owned()];
    Arc::new(NodeSpec { name, pool, allocatable, domains, ..NodeSpec::default() })
}

impl Stage {
    pub(super) fn new(config: MeterConfig) -> Self {
        let rack =
            DomainSpec { name: "rack".to_owned(), kind: "rack".to_owned(), parents: Vec::new() };
        let domains = DomainGraph::new(&[rack]).unwrap();
        let mut cluster = Cluster::new(domains, Overcommit::default());
        let of_tier = |tier| PodTemplate { tier, ..PodTemplate::default() };
        let templates = Tier::ALL.map(|tier| cluster.declare_template(&of_tier(tier)));
        let meter = Meter::new(config, &cluster);
        let auditor = MeterAuditor::new(&meter);
        Self { cluster, meter, auditor, templates }
    }

    pub(super) fn with_nodes(config: MeterConfig) -> Self {
        let mut stage = Self::new(config);
        stage.cluster.add_node(node_spec("a", "old", 4000));
        stage.cluster.add_node(node_spec("b", "new", 8000));
        stage.tell();
        stage
    }

    /// One event at `seconds`.
    pub(super) fn at(&mut self, seconds: u64, event: impl FnOnce(&mut Cluster)) {
        self.advance_to(SimTime::from_secs(seconds));
        event(&mut self.cluster);
        self.tell();
    }

    /// Time moves on to `time`, or stands still.
    pub(super) fn advance_to(&mut self, time: SimTime) {
        if time > self.cluster.now() {
            self.meter.end_instant(&self.cluster);
        }
        self.cluster.advance_to(time);
    }

    pub(super) fn tell(&mut self) {
        for fact in self.cluster.facts() {
            self.meter.observe(self.cluster.now(), fact, &self.cluster);
        }
        self.meter.check(&self.cluster).unwrap();
        let everything = Touched::all(&self.cluster);
        self.auditor.audit(&self.meter, &everything, &self.cluster).unwrap();
        self.cluster.settle();
        self.cluster.audit().unwrap();
    }

    pub(super) fn submit(
        &mut self,
        seconds: u64,
        workload: WorkloadId,
        tier: Tier,
        cpu_milli: i64,
    ) -> PodId {
        let template = self.templates[tier as usize];
        let mut pod = PodId::NONE;
        self.at(seconds, |cluster| pod = submit(cluster, workload, template, cpu_milli));
        pod
    }

    pub(super) fn finish(mut self, seconds: u64) -> RunResult {
        self.meter.end_instant(&self.cluster);
        self.meter.finish(SimTime::from_secs(seconds), &self.cluster, context())
    }
}

pub(super) fn submit(
    cluster: &mut Cluster,
    workload: WorkloadId,
    template: TemplateId,
    cpu_milli: i64,
) -> PodId {
    let new = NewPod {
        key: 0,
        workload,
        work: SimDuration::from_secs(1),
        work_end: WorkEnd::Succeeds,
        usage_permille: [500, 250],
    };
    cluster.submit(new, template, Resources::pod(cpu_milli, 2 * GIB), GpuRequest::default())
}
