//! A controller in another language: a child process that is asked whenever it is woken.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::controller::{Action, Actions, Controller, Observed, PodTriggers, Trigger, Triggers};
use crate::cluster::{Cluster, EvictionCause, PodId, ResourceNames, WorkloadId};
use crate::engine::Streams;
use crate::protocol::{Conversation, Mirror, ProcessSpec, Role, Turn, WakeOn, WorkloadMessage};

/// A controller that is a child process.
#[derive(Debug)]
pub struct ProcessController {
    /// Its name in the scenario.
    label: String,
    spec: ProcessSpec,
    /// `None` before the run begins, and once it failed.
    conversation: Option<Conversation>,
    wake_on: Vec<WakeOn>,
    failure: Option<String>,
    mirror: Mirror,
    /// What it was told of declared workloads.
    workloads: Vec<WorkloadMessage>,
}

/// One thing that the child asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Asked {
    Evict(Evict),
    Delete(OnePod),
    Create(Create),
    Cordon(OneNode),
    Uncordon(OneNode),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Evict {
    pod: u64,
    cause: Option<EvictionCause>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnePod {
    pod: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneNode {
    node: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    workload: u32,
}

impl ProcessController {
    /// A controller called `label` that will be started when the run begins.
    pub fn new(label: String, spec: ProcessSpec) -> Self {
        Self {
            label,
            spec,
            conversation: None,
            wake_on: Vec::new(),
            failure: None,
            mirror: Mirror::default(),
            workloads: Vec::new(),
        }
    }

    fn ask(&mut self, cluster: &Cluster, actions: &mut Actions) -> Result<(), String> {
        let turn = self.tell(cluster);
        let Some(conversation) = &mut self.conversation else { return Ok(()) };
        let reply = conversation.turn(cluster.now(), &turn)?;
        if let Some(time) = reply.wake_at() {
            actions.wake_at(time);
        }
        // Whoever is evicted or deleted once cannot be a second time.
        let mut touched = BTreeSet::new();
        for (position, asked) in reply.actions.into_iter().enumerate() {
            let action = check(&asked, cluster, &self.mirror, &mut touched)
                .map_err(|reason| conversation.wrong_action(position, &reason))?;
            actions.push(action);
        }
        Ok(())
    }

    /// What changed since the last turn.
    fn tell(&mut self, cluster: &Cluster) -> Turn {
        let mut turn = self.mirror.turn(cluster);
        for (index, (id, _)) in cluster.workloads().declared().enumerate() {
            let message = WorkloadMessage::of(cluster, id);
            if self.workloads.get(index) != Some(&message) {
                turn.workloads.push(WorkloadMessage::of(cluster, id));
            }
            match self.workloads.get_mut(index) {
                Some(known) => *known = message,
                None => self.workloads.push(message),
            }
        }
        turn
    }
}

/// The action that `asked` comes to, or why it cannot be carried out.
fn check(
    asked: &Asked,
    cluster: &Cluster,
    mirror: &Mirror,
    touched: &mut BTreeSet<u64>,
) -> Result<Action, String> {
    let mut pod = |serial: u64| -> Result<PodId, String> {
        let found = mirror.pod(cluster, serial);
        let (id, _) = found.ok_or_else(|| format!("there is no pod {serial}"))?;
        let fresh = touched.insert(serial);
        fresh.then_some(id).ok_or_else(|| format!("pod {serial} was named before in this reply"))
    };
    let node =
        |number: u32| mirror.node(number).ok_or_else(|| format!("there is no node {number}"));
    Ok(match asked {
        Asked::Evict(Evict { pod: serial, cause }) => {
            let id = pod(*serial)?;
            if !cluster.pod(id).state.is_bound() {
                return Err(format!("pod {serial} is not bound to a node"));
            }
            Action::Evict { pod: id, cause: cause.unwrap_or(EvictionCause::Other) }
        }
        Asked::Delete(OnePod { pod: serial }) => Action::Delete { pod: pod(*serial)? },
        Asked::Create(Create { workload }) => {
            let known = cluster.workloads().declared().any(|(id, _)| id.0 == *workload);
            if !known {
                return Err(format!("there is no declared workload {workload}"));
            }
            Action::CreateReplica { workload: WorkloadId(*workload) }
        }
        Asked::Cordon(OneNode { node: number }) => {
            Action::Cordon { node: node(*number)?, cordoned: true }
        }
        Asked::Uncordon(OneNode { node: number }) => {
            Action::Cordon { node: node(*number)?, cordoned: false }
        }
    })
}

impl Controller for ProcessController {
    fn name(&self) -> &'static str {
        "process"
    }

    fn begin(&mut self, names: &ResourceNames, streams: Streams) {
        self.mirror = Mirror::new(names.iter().count());
        let name = format!("the controller process \"{}\"", self.label);
        match Conversation::begin(&name, Role::Controller, &self.spec, names, streams) {
            Ok((conversation, wake_on)) => {
                self.conversation = Some(conversation);
                self.wake_on = wake_on.unwrap_or_else(|| vec![WakeOn::Nodes, WakeOn::Workloads]);
            }
            Err(reason) => self.failure = Some(reason),
        }
    }

    fn failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    fn follows_pods(&self) -> PodTriggers {
        let woken = self.wake_on.contains(&WakeOn::Pods);
        if woken { PodTriggers::Woken } else { PodTriggers::Told }
    }

    fn note_pod(&mut self, observed: &Observed<'_>, pod: PodId) {
        self.mirror.note_pod(observed.cluster(), pod);
    }

    fn triggers(&self) -> Triggers {
        Triggers {
            nodes: self.wake_on.contains(&WakeOn::Nodes),
            workloads: self.wake_on.contains(&WakeOn::Workloads),
        }
    }

    fn reconcile(&mut self, observed: &Observed<'_>, _: &[Trigger], actions: &mut Actions) {
        if let Err(reason) = self.ask(observed.cluster(), actions) {
            self.failure = Some(reason);
            self.conversation = None;
            // Nothing of a reply that is wrong is carried out.
            actions.take();
        }
    }
}
