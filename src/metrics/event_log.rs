//! The event log: one CSV line per fact, for people and for other tools. Names are looked up here,
//! so it is slow compared with the other observers and off unless asked for.

use std::fmt::Write as _;
use std::io;

use crate::cluster::{Cluster, Fact, NodeId, PodId, StopReason, WorkloadId};
use crate::engine::SimTime;

use super::Observer;

/// The columns. `pod` is the serial of the pod in the run, `key` what its source calls it,
/// `workload` a name or, for a trace's job, its key; `ran_us` and `kept_us` go with `pod-stopped`.
/// With `pod-entered-alloc`, `cause` is the serial of the alloc instance.
const COLUMNS: [&str; 10] =
    ["time_us", "fact", "pod", "key", "workload", "node", "domain", "cause", "ran_us", "kept_us"];

/// Writes facts as CSV, buffered.
#[derive(Debug)]
pub struct EventLog<W: io::Write> {
    writer: csv::Writer<W>,
    line: Line,
    failure: Option<csv::Error>,
}

/// The fields of one line, in the order of [`COLUMNS`]; their buffers are used again.
#[derive(Debug, Default)]
struct Line {
    fields: [String; COLUMNS.len()],
}

impl<W: io::Write> EventLog<W> {
    /// A log on `writer`; writes the header.
    ///
    /// # Errors
    /// The header cannot be written.
    pub fn new(writer: W) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(writer);
        writer.write_record(COLUMNS)?;
        Ok(Self { writer, line: Line::default(), failure: None })
    }

    /// Writes what is buffered and gives the writer back.
    ///
    /// # Errors
    /// The first line that could not be written; nothing was written after it.
    pub fn finish(self) -> io::Result<W> {
        if let Some(failure) = self.failure {
            return Err(failure.into());
        }
        self.writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }
}

impl<W: io::Write> Observer for EventLog<W> {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        if self.failure.is_none() {
            self.line.describe(now, fact, cluster);
            self.failure = self.writer.write_record(&self.line.fields).err();
        }
    }
}

impl Line {
    fn describe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        self.fields.iter_mut().for_each(String::clear);
        self.number(0, now.0);
        self.text(1, name(fact));
        match *fact {
            Fact::PodSubmitted { pod } | Fact::PodResized { pod } => self.pod(pod, cluster),
            Fact::PodBound { pod, node, class: _ }
            | Fact::PodStarted { pod, node }
            | Fact::PodUnbound { pod, node, class: _ } => {
                self.pod(pod, cluster);
                self.node(node, cluster);
            }
            Fact::PodEnteredAlloc { pod, alloc } => {
                self.pod(pod, cluster);
                self.number(7, cluster.pod(alloc).serial);
            }
            Fact::PodStopped { pod, node, ran, kept, reason } => {
                self.pod(pod, cluster);
                self.node(node, cluster);
                self.text(7, reason_name(reason));
                self.number(8, ran.0);
                self.number(9, kept.0);
            }
            Fact::PodEvicted { pod, node, cause } => {
                self.pod(pod, cluster);
                self.node(node, cluster);
                self.text(7, cause.name());
            }
            Fact::PodEnded { pod, ending } => {
                self.pod(pod, cluster);
                self.text(7, ending.name());
            }
            Fact::NodeAdded { node }
            | Fact::NodeRemoved { node }
            | Fact::NodeResizing { node }
            | Fact::NodeResized { node }
            | Fact::NodeDown { node }
            | Fact::NodeUp { node }
            | Fact::NodeNotReady { node }
            | Fact::NodeReady { node }
            | Fact::NodeCordoned { node, cordoned: _ } => self.node(node, cluster),
            Fact::DomainDown { domain } | Fact::DomainUp { domain } => {
                self.text(6, cluster.domains().name(domain));
            }
            Fact::WorkloadScaled { workload } | Fact::WorkloadEnded { workload } => {
                self.workload(workload, cluster);
            }
        }
    }

    fn pod(&mut self, pod: PodId, cluster: &Cluster) {
        let record = cluster.pod(pod);
        self.number(2, record.serial);
        self.number(3, record.new.key);
        self.workload(record.new.workload, cluster);
    }

    fn workload(&mut self, workload: WorkloadId, cluster: &Cluster) {
        let record = cluster.workloads().get(workload);
        match &record.name {
            Some(name) => self.text(4, name),
            None => self.number(4, record.key),
        }
    }

    fn node(&mut self, node: NodeId, cluster: &Cluster) {
        self.text(5, &cluster.nodes().spec(node).name);
    }

    fn text(&mut self, column: usize, text: &str) {
        self.fields[column].push_str(text);
    }

    fn number(&mut self, column: usize, number: u64) {
        write!(self.fields[column], "{number}").expect("writing to a string does not fail");
    }
}

/// What a kind of fact is called in the log.
fn name(fact: &Fact) -> &'static str {
    match fact {
        Fact::PodSubmitted { .. } => "pod-submitted",
        Fact::PodBound { .. } => "pod-bound",
        Fact::PodEnteredAlloc { .. } => "pod-entered-alloc",
        Fact::PodStarted { .. } => "pod-started",
        Fact::PodStopped { .. } => "pod-stopped",
        Fact::PodUnbound { .. } => "pod-unbound",
        Fact::PodEvicted { .. } => "pod-evicted",
        Fact::PodEnded { .. } => "pod-ended",
        Fact::PodResized { .. } => "pod-resized",
        Fact::NodeAdded { .. } => "node-added",
        Fact::NodeRemoved { .. } => "node-removed",
        Fact::NodeResizing { .. } => "node-resizing",
        Fact::NodeResized { .. } => "node-resized",
        Fact::NodeDown { .. } => "node-down",
        Fact::NodeUp { .. } => "node-up",
        Fact::NodeNotReady { .. } => "node-not-ready",
        Fact::NodeReady { .. } => "node-ready",
        Fact::NodeCordoned { cordoned: true, .. } => "node-cordoned",
        Fact::NodeCordoned { cordoned: false, .. } => "node-uncordoned",
        Fact::DomainDown { .. } => "domain-down",
        Fact::DomainUp { .. } => "domain-up",
        Fact::WorkloadScaled { .. } => "workload-scaled",
        Fact::WorkloadEnded { .. } => "workload-ended",
    }
}

fn reason_name(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Ended(ending) => ending.name(),
        StopReason::Crashed => "crash",
        StopReason::NodeDown => "node-down",
        StopReason::Evicted(cause) => cause.name(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cluster::{
        DomainGraph, Ending, GpuRequest, NewPod, NodeSpec, Overcommit, PodTemplate, Resources,
        WorkEnd,
    };
    use crate::engine::SimDuration;

    fn cell_with_a_finished_pod() -> Cluster {
        let mut cluster = Cluster::new(DomainGraph::default(), Overcommit::default());
        let allocatable = Resources::pod(4000, 1 << 30);
        let spec = NodeSpec { name: "n,1".to_owned(), allocatable, ..NodeSpec::default() };
        let node = cluster.add_node(Arc::new(spec));
        let template = cluster.declare_template(&PodTemplate::default());
        let workload = cluster.workload_of_key(7);
        let new = NewPod {
            key: 42,
            workload,
            work: SimDuration::ZERO,
            work_end: WorkEnd::Never,
            usage_permille: [0, 0],
        };
        let requests = Resources::pod(1000, 1 << 20);
        let pod = cluster.submit(new, template, requests, GpuRequest::default());
        cluster.bind(pod, node).unwrap();
        cluster.start(pod);
        cluster.end(pod, Ending::Killed);
        cluster
    }

    #[test]
    fn a_pod_is_told_from_submission_to_end() {
        let cluster = cell_with_a_finished_pod();
        let mut log = EventLog::new(Vec::new()).unwrap();
        for fact in cluster.facts() {
            log.observe(SimTime(5), fact, &cluster);
        }
        let text = String::from_utf8(log.finish().unwrap()).unwrap();
        let expected = "\
            time_us,fact,pod,key,workload,node,domain,cause,ran_us,kept_us\n\
            5,node-added,,,,\"n,1\",,,,\n\
            5,pod-submitted,0,42,7,,,,,\n\
            5,pod-bound,0,42,7,\"n,1\",,,,\n\
            5,pod-started,0,42,7,\"n,1\",,,,\n\
            5,pod-stopped,0,42,7,\"n,1\",,killed,0,0\n\
            5,pod-unbound,0,42,7,\"n,1\",,,,\n\
            5,pod-ended,0,42,7,,,killed,,\n\
            5,workload-ended,,,7,,,,,\n";
        assert_eq!(text, expected);
    }

    /// A disk that is full after some bytes.
    #[derive(Debug)]
    struct Full(usize);

    impl io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes.len() > self.0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0 -= bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_reported_at_the_end() {
        let cluster = cell_with_a_finished_pod();
        let mut log = EventLog::new(Full(10_000)).unwrap();
        for fact in cluster.facts().iter().cycle().take(2000) {
            log.observe(SimTime(5), fact, &cluster);
        }
        assert!(log.finish().is_err());
    }
}
