//! One pod: where it could go, and what became of it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::placement::PlacementAnswer;
use super::question::PodName;
use super::run::{Replayed, Run};
use super::units::Units;
use super::{ExplainError, HistoryLine, names};
use crate::cluster::{Cluster, Ending, EvictionCause, Fact, NodeId, PodId, PodState, StopReason};
use crate::engine::{SimDuration, SimTime};
use crate::healing::Action;
use crate::metrics::Observer;
use crate::report::format;
use crate::scheduling::Decision;
use crate::simulation::{Moment, Witness};

/// What there is to say of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PodAnswer {
    /// Its name.
    pub pod: String,
    /// Its serial number in the run.
    pub serial: u64,
    /// Its tier and priority.
    pub tier: String,
    /// Its scheduling priority.
    pub priority: i32,
    /// What it asks for.
    pub asks: Vec<String>,
    /// Where it is in its life.
    pub state: String,
    /// The node that it is bound to.
    pub node: Option<String>,
    /// Where it could go; `None` where it was never tried.
    pub placement: Option<PlacementAnswer>,
    /// What became of it.
    pub history: Vec<HistoryLine>,
    /// The run.
    pub run: Replayed,
}

/// Says of the pod called `name` what there is to say at `at`, or of its last attempt.
///
/// # Errors
/// A run that fails, a pod that is not there.
pub fn explain_pod(
    run: &Run,
    name: &PodName,
    at: Option<SimTime>,
) -> Result<PodAnswer, ExplainError> {
    run.check_time(at)?;
    let story = PodStory::new(name.clone(), run.units());
    let (told, replayed) = run.replay(at, story, |story, moment| story.tell(moment, at))?;
    match told {
        Some(told) => Ok(PodAnswer { run: replayed, ..told }),
        None => Err(names::unknown_pod(run, name, at)?),
    }
}

/// What a pod is described by, kept from when it was seen last.
#[derive(Clone, Debug)]
struct Seen {
    name: String,
    serial: u64,
    tier: String,
    priority: i32,
    asks: Vec<String>,
}

/// Follows one pod.
pub struct PodStory {
    wanted: PodName,
    units: Units,
    seen: Option<Seen>,
    /// While it is alive.
    current: Option<PodId>,
    ended: Option<Ending>,
    history: Vec<HistoryLine>,
    attempt: Option<PlacementAnswer>,
    /// It was said of this wait that the pod was not placed.
    wait_told: bool,
    /// Who is about to displace whom, by serial of the victim.
    preemptors: BTreeMap<u64, String>,
    /// The controller that asked for its eviction or deletion.
    asked_by: Option<String>,
    /// How its last run went, until it is told.
    stopped: Option<(SimDuration, SimDuration)>,
}

impl PodStory {
    fn new(wanted: PodName, units: Units) -> Self {
        Self {
            wanted,
            units,
            seen: None,
            current: None,
            ended: None,
            history: Vec::new(),
            attempt: None,
            wait_told: false,
            preemptors: BTreeMap::new(),
            asked_by: None,
            stopped: None,
        }
    }

    fn is_wanted(&self, cluster: &Cluster, id: PodId) -> bool {
        let pod = cluster.pod(id);
        match &self.wanted {
            PodName::Key(workload, key) => {
                pod.new.key == *key && cluster.workload_name(pod.new.workload) == *workload
            }
            PodName::Serial(serial) => pod.serial == *serial,
            PodName::Other(_) => false,
        }
    }

    fn see(&mut self, cluster: &Cluster, id: PodId) {
        let (pod, class) = (cluster.pod(id), cluster.class_of(id));
        let mut asks = self.units.asks(class);
        asks.extend(class.apart_from.is_some().then(|| "no two on one node".to_owned()));
        self.seen = Some(Seen {
            name: cluster.pod_name(pod),
            serial: pod.serial,
            tier: class.tier.name().to_owned(),
            priority: class.priority,
            asks,
        });
    }

    fn add(&mut self, time: SimTime, event: &'static str, detail: String) {
        self.history.push(HistoryLine { time_us: time.0, event, detail });
    }

    /// What there is to say at `moment`; nothing of a pod that never came.
    fn tell(&mut self, moment: Moment<'_>, at: Option<SimTime>) -> Option<PodAnswer> {
        let seen = self.seen.clone()?;
        let cluster = moment.cluster;
        let (mut state, mut node) = ("ended".to_owned(), None);
        if let Some(ending) = self.ended {
            state = ending.name().to_owned();
        }
        if let Some(id) = self.current {
            let pod = cluster.pod(id);
            (state, node) = state_of(cluster, id);
            let decided_now = self
                .attempt
                .as_ref()
                .is_some_and(|attempt| attempt.time() == cluster.now() && attempt.chosen.is_some());
            if pod.state == PodState::Pending {
                self.attempt = Some(PlacementAnswer::new(moment, id, "not-placed", None));
            } else if at.is_some() && !decided_now {
                self.attempt = Some(PlacementAnswer::new(moment, id, "asked", None));
            }
            // The state is that of the last event; nothing has happened since.
            if let (Some(at), Some(attempt)) = (at, &mut self.attempt)
                && attempt.chosen.is_none()
            {
                attempt.time_us = at.0;
            }
        }
        Some(PodAnswer {
            pod: seen.name,
            serial: seen.serial,
            tier: seen.tier,
            priority: seen.priority,
            asks: seen.asks,
            state,
            node,
            placement: self.attempt.clone(),
            history: self.history.clone(),
            run: Replayed::default(),
        })
    }

    fn evicted(
        &mut self,
        now: SimTime,
        cluster: &Cluster,
        id: PodId,
        node: &str,
        why: EvictionCause,
    ) {
        let serial = cluster.pod(id).serial;
        let by = match (self.preemptors.remove(&serial), self.asked_by.take()) {
            (Some(preemptor), _) => format!("displaced by {preemptor}"),
            (None, Some(controller)) => format!("{}, by {controller}", why.name()),
            (None, None) => why.name().to_owned(),
        };
        let lost = self.lost();
        self.add(now, "evicted", format!("evicted from {node}: {by}{lost}"));
        self.wait_told = false;
    }

    /// What was lost of the run that was stopped last.
    fn lost(&mut self) -> String {
        match self.stopped.take() {
            Some((ran, kept)) if ran > kept => {
                let length = |duration: SimDuration| format::duration(duration.as_secs_f64());
                format!("; {} of {} of work lost", length(SimDuration(ran.0 - kept.0)), length(ran))
            }
            Some(_) | None => String::new(),
        }
    }

    fn stopped(
        &mut self,
        now: SimTime,
        node: &str,
        ran: (SimDuration, SimDuration),
        why: StopReason,
    ) {
        self.stopped = Some(ran);
        match why {
            StopReason::Crashed => {
                let lost = self.lost();
                self.add(
                    now,
                    "crashed",
                    format!("crashed on {node}, to be started again there{lost}"),
                );
            }
            StopReason::NodeDown => {
                let lost = self.lost();
                let detail = format!("stopped: {node} went down, which is yet to be noticed{lost}");
                self.add(now, "node-down", detail);
            }
            StopReason::Evicted(_) | StopReason::Ended(_) => {}
        }
    }
}

/// The state of a live pod, and the node it is bound to.
fn state_of(cluster: &Cluster, id: PodId) -> (String, Option<String>) {
    let pod = cluster.pod(id);
    let state = match pod.state {
        PodState::Pending => "pending",
        PodState::Starting => "starting",
        PodState::Running => "running",
        PodState::BackingOff => "backing off after a crash",
        PodState::Stranded => "stranded: its node is down, which nobody has noticed yet",
        PodState::Ended => "ended",
    };
    let node = pod.node.is_some().then(|| cluster.nodes().spec(pod.node).name.clone());
    (state.to_owned(), node)
}

impl Observer for PodStory {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster) {
        if let Fact::PodSubmitted { pod } = *fact
            && self.is_wanted(cluster, pod)
        {
            self.see(cluster, pod);
            (self.current, self.ended, self.wait_told) = (Some(pod), None, false);
            self.add(now, "submitted", "submitted".to_owned());
            return;
        }
        let Some(current) = self.current else { return };
        let name = |node: NodeId| cluster.nodes().spec(node).name.as_str();
        match *fact {
            Fact::PodBound { pod, node, .. } if pod == current => {
                self.add(now, "bound", format!("bound to {}", name(node)));
            }
            Fact::PodEnteredAlloc { pod, alloc } if pod == current => {
                let host = cluster.pod_name(cluster.pod(alloc));
                self.add(now, "entered-alloc", format!("went inside of {host}"));
            }
            Fact::PodStarted { pod, node } if pod == current => {
                self.add(now, "started", format!("began to run on {}", name(node)));
            }
            Fact::PodStopped { pod, node, ran, kept, reason } if pod == current => {
                self.stopped(now, name(node), (ran, kept), reason);
            }
            Fact::PodEvicted { pod, node, cause } if pod == current => {
                self.evicted(now, cluster, pod, name(node), cause);
            }
            Fact::PodResized { pod } if pod == current => {
                self.see(cluster, pod);
                let asks = self.units.asks(cluster.class_of(pod)).join(", ");
                self.add(now, "resized", format!("asks for {asks} from now on"));
            }
            Fact::PodEnded { pod, ending } if pod == current => {
                let by = self.asked_by.take().map_or(String::new(), |by| format!(" by {by}"));
                self.add(now, "ended", format!("{}{by}", ending.name()));
                (self.current, self.ended) = (None, Some(ending));
            }
            _ => {}
        }
    }
}

impl Witness for PodStory {
    fn decides(&mut self, moment: Moment<'_>, decision: &Decision) {
        let Some(current) = self.current else { return };
        let name = |id: PodId| moment.cluster.pod_name(moment.cluster.pod(id));
        match decision {
            Decision::Bind { pod, .. } if *pod == current => {
                self.attempt = Some(PlacementAnswer::new(moment, current, "bound", Some(decision)));
            }
            Decision::Enter { pod, victims, .. } if *pod == current && victims.is_empty() => {
                self.attempt = Some(PlacementAnswer::new(moment, current, "bound", Some(decision)));
            }
            Decision::Preempt { pod, victims, .. } | Decision::Enter { pod, victims, .. }
                if *pod == current =>
            {
                let attempt = PlacementAnswer::new(moment, current, "preempts", Some(decision));
                let victims: Vec<String> = victims.iter().map(|id| name(*id)).collect();
                let detail = format!("{} Displaces {}", attempt.rejections, victims.join(", "));
                self.attempt = Some(attempt);
                self.add(moment.cluster.now(), "preempts", detail);
            }
            Decision::Preempt { pod, victims, .. } | Decision::Enter { pod, victims, .. }
                if victims.contains(&current) =>
            {
                let serial = moment.cluster.pod(current).serial;
                self.preemptors.insert(serial, name(*pod));
            }
            Decision::Bind { .. }
            | Decision::Preempt { .. }
            | Decision::Enter { .. }
            | Decision::Evict { .. }
            | Decision::Reject { .. } => {}
        }
    }

    fn pass_ends(&mut self, moment: Moment<'_>) {
        let Some(current) = self.current else { return };
        if self.wait_told || moment.cluster.pod(current).state != PodState::Pending {
            return;
        }
        // Its eviction in this pass has not been told yet.
        if self.preemptors.contains_key(&moment.cluster.pod(current).serial) {
            return;
        }
        self.wait_told = true;
        let attempt = PlacementAnswer::new(moment, current, "not-placed", None);
        self.add(moment.cluster.now(), "not-placed", format!("not placed: {}", attempt.rejections));
        self.attempt = Some(attempt);
    }

    fn acts(&mut self, _cluster: &Cluster, controller: &str, action: &Action) {
        let (Action::Evict { pod, .. } | Action::Delete { pod }) = action else { return };
        if self.current == Some(*pod) {
            self.asked_by = Some(controller.to_owned());
        }
    }
}
