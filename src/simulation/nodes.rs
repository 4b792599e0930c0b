//! Nodes and failure domains fail, are repaired, and are noticed to be so.

use super::pods::checkpoint;
use super::{Event, Simulation};
use crate::cluster::{DomainId, NodeId};
use crate::engine::{Purpose, SimDuration, SimTime, Stream};
use crate::failure::{FailureProcess, FailureTarget, ProcessClock, ScriptedFault, Target};

/// Failure processes with their clocks, and scripted faults.
pub struct Faults {
    processes: Vec<FailureProcess>,
    clocks: Vec<ProcessClock>,
    script: Vec<ScriptedFault>,
    /// What each scripted fault holds down at the moment.
    held: Vec<Vec<Target>>,
    /// Per node, the stream of its detection delays.
    detection: Vec<Option<Stream>>,
    /// Nodes that have their clocks.
    known_nodes: usize,
}

impl Faults {
    /// No clock runs yet.
    pub fn new(processes: Vec<FailureProcess>, script: Vec<ScriptedFault>) -> Self {
        let held = vec![Vec::new(); script.len()];
        Self { processes, clocks: Vec::new(), script, held, detection: Vec::new(), known_nodes: 0 }
    }
}

impl Simulation {
    /// Starts the clocks of every failure domain.
    pub(super) fn start_domain_clocks(&mut self) {
        for index in 0..self.faults.processes.len() {
            let FailureTarget::Domains { kind } = &self.faults.processes[index].target else {
                continue;
            };
            let domains = self.cluster.domains();
            let all = (0..domains.len()).map(DomainId::from_index);
            let of_kind: Vec<DomainId> = all.filter(|d| domains.kind(*d) == kind).collect();
            for domain in of_kind {
                self.start_clock(index, Target::Domain(domain));
            }
        }
    }

    /// Starts the clocks of a node that joined; one that comes back has them already.
    pub(super) fn start_node_clocks(&mut self, node: NodeId) {
        if node.index() < self.faults.known_nodes {
            return;
        }
        self.faults.known_nodes = node.index() + 1;
        for index in 0..self.faults.processes.len() {
            let pool = &self.cluster.nodes().spec(node).pool;
            let concerned = match &self.faults.processes[index].target {
                FailureTarget::Nodes { pool: Some(wanted) } => wanted == pool,
                FailureTarget::Nodes { pool: None } => true,
                FailureTarget::Domains { .. } => false,
            };
            if concerned {
                self.start_clock(index, Target::Node(node));
            }
        }
    }

    fn start_clock(&mut self, process: usize, target: Target) {
        let number = u32::try_from(process).expect("a scenario has fewer than 2^32 processes");
        let mut clock = ProcessClock::new(&self.streams, number, target);
        let delay = clock.time_to_failure(&self.faults.processes[process]);
        let id = u32::try_from(self.faults.clocks.len()).expect("fewer than 2^32 clocks");
        self.faults.clocks.push(clock);
        self.push_after(delay, Event::ClockFails(id));
    }

    pub(super) fn clock_fails(&mut self, id: u32) {
        let clock = &mut self.faults.clocks[id as usize];
        let delay = clock.time_to_repair(&self.faults.processes[clock.process as usize]);
        let target = clock.target;
        self.begin_fault(target);
        self.push_after(delay, Event::ClockRepairs(id));
    }

    pub(super) fn clock_repairs(&mut self, id: u32) {
        let clock = &mut self.faults.clocks[id as usize];
        let delay = clock.time_to_failure(&self.faults.processes[clock.process as usize]);
        let target = clock.target;
        self.end_fault(target);
        self.push_after(delay, Event::ClockFails(id));
    }

    /// Queues the scripted faults.
    pub(super) fn schedule_faults(&mut self) {
        for (number, fault) in (0u32..).zip(&self.faults.script) {
            if fault.at < self.end.unwrap_or(SimTime::MAX) {
                self.queue.push(fault.at, Event::FaultBegins(number));
            }
        }
    }

    pub(super) fn fault_begins(&mut self, number: u32) {
        let fault = self.faults.script[number as usize].clone();
        let targets = self.find_targets(&fault);
        for target in &targets {
            self.begin_fault(*target);
        }
        self.faults.held[number as usize] = targets;
        if fault.lasts != SimDuration::MAX {
            self.push_after(fault.lasts, Event::FaultEnds(number));
        }
    }

    pub(super) fn fault_ends(&mut self, number: u32) {
        for target in std::mem::take(&mut self.faults.held[number as usize]) {
            self.end_fault(target);
        }
    }

    /// What a scripted fault names; nodes of a trace may have come only by now.
    fn find_targets(&mut self, fault: &ScriptedFault) -> Vec<Target> {
        let mut targets = Vec::new();
        for name in &fault.domains {
            match self.cluster.domains().find(name) {
                Some(domain) => targets.push(Target::Domain(domain)),
                None => self.note_unknown_target("failure domain", name, fault.at),
            }
        }
        for name in &fault.nodes {
            let nodes = self.cluster.nodes();
            match nodes.ids().find(|node| nodes.spec(*node).name == *name) {
                Some(node) => targets.push(Target::Node(node)),
                None => self.note_unknown_target("node", name, fault.at),
            }
        }
        targets
    }

    fn note_unknown_target(&mut self, what: &str, name: &str, at: SimTime) {
        self.notices
            .push(format!("The fault at {at} names the {what} \"{name}\", which is not there."));
    }

    fn begin_fault(&mut self, target: Target) {
        let tiers = &self.tiers;
        let save = |cluster: &_, pod: &_| checkpoint(tiers, cluster, pod);
        match target {
            Target::Node(node) => self.cluster.begin_node_fault(node, &save),
            Target::Domain(domain) => self.cluster.begin_domain_fault(domain, &save),
        }
    }

    fn end_fault(&mut self, target: Target) {
        let tiers = &self.tiers;
        let save = |cluster: &_, pod: &_| checkpoint(tiers, cluster, pod);
        let revived = match target {
            Target::Node(node) => self.cluster.end_node_fault(node, &save),
            Target::Domain(domain) => self.cluster.end_domain_fault(domain, &save),
        };
        // Nobody noticed that these were gone: their kubelet starts them where they are.
        for pod in revived {
            self.begin_start(pod);
        }
    }

    /// Truth changed: the control plane will notice after a while.
    pub(super) fn expect_notice(&mut self, node: NodeId, ready: bool) {
        if self.faults.detection.len() <= node.index() {
            self.faults.detection.resize(node.index() + 1, None);
        }
        let streams = &self.streams;
        let stream = self.faults.detection[node.index()]
            .get_or_insert_with(|| streams.stream(Purpose::Detection, u64::from(node.0)));
        let delay = if ready {
            self.control_plane.recovery_detection.sample_duration(stream)
        } else {
            self.control_plane.detection.sample_duration(stream)
        };
        let incarnation = self.cluster.nodes().condition(node).incarnation;
        self.push_after(delay, Event::NodeNoticed { node, incarnation, ready });
    }

    pub(super) fn node_noticed(&mut self, node: NodeId, incarnation: u32, ready: bool) {
        if self.cluster.nodes().condition(node).incarnation == incarnation {
            self.cluster.observe_readiness(node, ready);
        }
    }
}
