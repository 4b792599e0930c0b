//! When to audit what: after every event what it touched, now and then everything.

use super::super::Cluster;
use super::super::alloc::AllocRole;
use super::super::changes::Version;
use super::super::fact::Fact;
use super::super::ids::{DomainId, NodeId, PodId, WorkloadId};
use super::Violation;
use super::shadow::Shadow;

/// Cells of at most so many rows are recounted after every event: it costs no more than to find
/// out what was touched.
const SMALL: u64 = 1_000;

/// A full recount is due when so many times the rows that it takes have been looked at: then all
/// recounts together cost a share of what the rest costs.
const PATIENCE: u64 = 4;

/// What the last event touched, each once and in order of the ids.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// Pods, those that ended included.
    pub pods: Vec<PodId>,
    /// Nodes.
    pub nodes: Vec<NodeId>,
    /// Alloc instances that pods went into or came out of, and those that came or went.
    pub(super) allocs: Vec<PodId>,
    /// Workloads.
    pub workloads: Vec<WorkloadId>,
    /// Everything was recounted.
    pub everything: bool,
    /// Nodes of `nodes` whose condition or description changed.
    pub(super) changed_nodes: Vec<NodeId>,
    pub(super) domains: Vec<DomainId>,
}

/// Follows a run and audits it. It has to be shown every event from the first one on.
#[derive(Clone, Debug)]
pub struct Auditor {
    pub(super) shadow: Shadow,
    pub(super) touched: Touched,
    /// How far it has read the log of changed nodes.
    version: Version,
    /// Sets of constraints that it has seen.
    pub(super) constraints: usize,
    /// Rows looked at since the last full recount.
    pub(super) spent: u64,
    small: u64,
    recounts: u64,
}

impl Default for Auditor {
    fn default() -> Self {
        Self::with_small(SMALL)
    }
}

impl Auditor {
    /// An auditor that recounts cells of at most `small` rows after every event.
    pub fn with_small(small: u64) -> Self {
        Self {
            shadow: Shadow::default(),
            touched: Touched::default(),
            version: Version::default(),
            constraints: 0,
            spent: 0,
            small,
            recounts: 0,
        }
    }

    /// What the last event touched.
    pub fn touched(&self) -> &Touched {
        &self.touched
    }

    /// Number of full recounts so far.
    pub fn recounts(&self) -> u64 {
        self.recounts
    }

    /// Audits the event whose facts `cluster` holds: after observers have seen them, before they
    /// are settled.
    ///
    /// # Errors
    /// The first promise found broken.
    pub fn audit(&mut self, cluster: &Cluster) -> Result<(), Violation> {
        self.follow(cluster)?;
        self.compare_touched(cluster)?;
        let size = size(cluster);
        if self.touched.everything || size <= self.small || self.spent >= PATIENCE * size {
            self.recount(cluster)?;
        }
        Ok(())
    }

    /// Recounts everything: at the end of a run, when no facts are left.
    ///
    /// # Errors
    /// The first promise found broken.
    pub fn finish(&mut self, cluster: &Cluster) -> Result<(), Violation> {
        self.touched.clear();
        self.recount(cluster)
    }

    fn recount(&mut self, cluster: &Cluster) -> Result<(), Violation> {
        (self.spent, self.touched.everything) = (0, true);
        self.recounts += 1;
        cluster.audit()?;
        self.compare_all(cluster)
    }

    /// Folds the facts of the event and notes whom they name.
    fn follow(&mut self, cluster: &Cluster) -> Result<(), Violation> {
        self.touched.clear();
        for fact in cluster.facts() {
            if let Fact::PodUnbound { pod, .. } = *fact {
                self.touched.allocs.extend(self.shadow.alloc_of(pod));
            }
            self.shadow.fold(fact, cluster)?;
            self.note(fact, cluster);
        }
        let changes = cluster.nodes().changes();
        let logged = changes.since(self.version);
        self.touched.everything = logged.is_none();
        self.touched.note_logged(logged.unwrap_or(&[]));
        self.version = changes.version();
        self.spent += cluster.facts().len() as u64;
        self.touched.tidy();
        Ok(())
    }

    fn note(&mut self, fact: &Fact, cluster: &Cluster) {
        let touched = &mut self.touched;
        match *fact {
            Fact::PodSubmitted { pod }
            | Fact::PodStarted { pod, .. }
            | Fact::PodStopped { pod, .. }
            | Fact::PodEvicted { pod, .. }
            | Fact::PodResized { pod }
            | Fact::PodEnded { pod, .. } => touched.note_pod(pod, cluster),
            Fact::PodEnteredAlloc { pod, alloc } => {
                touched.note_pod(pod, cluster);
                touched.allocs.push(alloc);
            }
            Fact::PodBound { pod, node, class } | Fact::PodUnbound { pod, node, class } => {
                touched.note_pod(pod, cluster);
                match cluster.classes().get(class).alloc {
                    AllocRole::None => touched.nodes.push(node),
                    AllocRole::Instance => {
                        touched.nodes.push(node);
                        touched.allocs.push(pod);
                    }
                    AllocRole::Inside => {}
                }
            }
            Fact::NodeAdded { node }
            | Fact::NodeRemoved { node }
            | Fact::NodeNotReady { node }
            | Fact::NodeReady { node }
            | Fact::NodeCordoned { node, .. } => touched.changed_nodes.push(node),
            // What becomes of the pods there is for them to tell; that nobody was forgotten is not.
            Fact::NodeResized { node }
            | Fact::NodeResizing { node }
            | Fact::NodeDown { node }
            | Fact::NodeUp { node } => {
                touched.changed_nodes.push(node);
                let there = cluster.nodes().pod_count(node) as usize;
                for (pod, _) in cluster.pods_on(node).take(there) {
                    touched.note_pod(pod, cluster);
                    cluster
                        .pods_inside(pod)
                        .take(cluster.pods().live())
                        .for_each(|(inside, _)| touched.note_pod(inside, cluster));
                }
            }
            Fact::DomainDown { domain } | Fact::DomainUp { domain } => {
                touched.domains.push(domain);
                touched.nodes.extend(cluster.domains().nodes_below(domain));
            }
            Fact::WorkloadScaled { workload } | Fact::WorkloadEnded { workload } => {
                touched.workloads.push(workload);
            }
        }
    }
}

impl Touched {
    /// As if an event had touched all there is.
    pub fn all(cluster: &Cluster) -> Self {
        Self {
            pods: (0..cluster.pods.slots()).map(PodId::from_index).collect(),
            nodes: cluster.nodes.ids().collect(),
            allocs: cluster.allocs.bound().collect(),
            workloads: (0..cluster.workloads.slots()).map(WorkloadId::from_index).collect(),
            everything: true,
            changed_nodes: cluster.nodes.ids().collect(),
            domains: (0..cluster.domains.len()).map(DomainId::from_index).collect(),
        }
    }

    fn clear(&mut self) {
        self.pods.clear();
        self.nodes.clear();
        self.allocs.clear();
        self.workloads.clear();
        self.changed_nodes.clear();
        self.domains.clear();
        self.everything = false;
    }

    fn note_pod(&mut self, pod: PodId, cluster: &Cluster) {
        self.pods.push(pod);
        self.workloads.push(cluster.pod(pod).new.workload);
    }

    /// Takes in what the log of changes says. A node that no fact names has been described anew.
    fn note_logged(&mut self, logged: &[NodeId]) {
        tidy(&mut self.nodes);
        let named = self.nodes.len();
        for node in logged {
            if self.nodes[..named].binary_search(node).is_err() {
                self.changed_nodes.push(*node);
            }
        }
        self.nodes.extend_from_slice(&self.changed_nodes);
    }

    fn tidy(&mut self) {
        tidy(&mut self.pods);
        tidy(&mut self.nodes);
        tidy(&mut self.allocs);
        tidy(&mut self.workloads);
        tidy(&mut self.changed_nodes);
        tidy(&mut self.domains);
    }
}

fn tidy<T: Ord>(ids: &mut Vec<T>) {
    ids.sort_unstable();
    ids.dedup();
}

/// Rows that a full recount looks at.
fn size(cluster: &Cluster) -> u64 {
    let nodes = cluster.nodes.len() * (1 + cluster.nodes.constraint_count());
    let pods = cluster.pods.slots() + cluster.workloads.slots() + cluster.classes.slots();
    (nodes + pods) as u64
}
