//! Wakes the controllers and carries out what they ask for.

use super::{Event, Simulation};
use crate::cluster::{Ending, NodeId, PodId, PodState, ResourceNames, WorkloadId};
use crate::engine::{SimTime, Streams};
use crate::healing::{Action, Actions, Controller, Observed, PodTriggers, Trigger};

/// The controllers, what they have been woken by, and when they asked to be woken.
pub struct Controllers {
    list: Vec<Attached>,
    /// Some of them are told of pods.
    pub follow_pods: bool,
    actions: Actions,
}

struct Attached {
    controller: Box<dyn Controller>,
    woken_by: Vec<Trigger>,
    queued: bool,
    pods: PodTriggers,
    /// When its timer rings next.
    timer: Option<SimTime>,
}

impl Controllers {
    /// Nobody is woken yet.
    pub fn new(controllers: Vec<Box<dyn Controller>>) -> Self {
        let attach = |controller| Attached {
            controller,
            woken_by: Vec::new(),
            queued: false,
            pods: PodTriggers::None,
            timer: None,
        };
        Self {
            list: controllers.into_iter().map(attach).collect(),
            follow_pods: false,
            actions: Actions::default(),
        }
    }

    /// Tells them that the run begins.
    ///
    /// # Errors
    /// Why one of them cannot go on.
    pub fn begin(&mut self, names: &ResourceNames, streams: Streams) -> Result<(), String> {
        for attached in &mut self.list {
            attached.controller.begin(names, streams);
            attached.pods = attached.controller.follows_pods();
            self.follow_pods |= attached.pods != PodTriggers::None;
            attached.controller.failure().map_or(Ok(()), Err)?;
        }
        Ok(())
    }
}

impl Simulation {
    /// Lets every controller look at the cell as it is at the start.
    pub(super) fn wake_all_controllers(&mut self) {
        for number in 0..self.controllers.list.len() {
            self.wake(number);
        }
    }

    pub(super) fn trigger_node(&mut self, node: NodeId) {
        self.trigger(Trigger::Node(node));
    }

    pub(super) fn trigger_workload(&mut self, workload: WorkloadId) {
        self.trigger(Trigger::Workload(workload));
    }

    /// Tells the controllers that follow pods of one that changed.
    pub(super) fn tell_of_pod(&mut self, pod: PodId) {
        for number in 0..self.controllers.list.len() {
            let attached = &mut self.controllers.list[number];
            if attached.pods != PodTriggers::None {
                attached.controller.note_pod(&Observed::new(&self.cluster), pod);
            }
            if attached.pods == PodTriggers::Woken {
                self.wake(number);
            }
        }
    }

    fn trigger(&mut self, trigger: Trigger) {
        for number in 0..self.controllers.list.len() {
            let attached = &mut self.controllers.list[number];
            let triggers = attached.controller.triggers();
            let wanted = match trigger {
                Trigger::Node(_) => triggers.nodes,
                Trigger::Workload(_) => triggers.workloads,
            };
            if wanted {
                attached.woken_by.push(trigger);
                self.wake(number);
            }
        }
    }

    fn wake(&mut self, number: usize) {
        let attached = &mut self.controllers.list[number];
        if !std::mem::replace(&mut attached.queued, true) {
            let number = u32::try_from(number).expect("fewer than 2^32 controllers");
            self.queue.push(self.cluster.now(), Event::Reconcile(number));
        }
    }

    pub(super) fn reconcile(&mut self, number: u32) {
        let attached = &mut self.controllers.list[number as usize];
        attached.queued = false;
        attached.timer = attached.timer.filter(|time| *time > self.cluster.now());
        let mut woken_by = std::mem::take(&mut attached.woken_by);
        woken_by.sort_unstable();
        woken_by.dedup();
        let observed = Observed::new(&self.cluster);
        attached.controller.reconcile(&observed, &woken_by, &mut self.controllers.actions);
        self.policy_failure = attached.controller.failure();
        let name = attached.controller.name();
        let (actions, wake_at) = self.controllers.actions.take();
        if let Some(time) = wake_at {
            self.set_timer(number, time);
        }
        for action in actions {
            self.show_action(name, &action);
            self.act(action);
        }
    }

    /// Wakes a controller at `time`, unless its timer rings before.
    fn set_timer(&mut self, number: u32, time: SimTime) {
        let time = time.max(self.cluster.now());
        let attached = &mut self.controllers.list[number as usize];
        if attached.timer.is_some_and(|earlier| earlier <= time) || !self.is_in_run(time) {
            return;
        }
        self.controllers.list[number as usize].timer = Some(time);
        self.queue.push(time, Event::Reconcile(number));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Evict { pod, cause } => {
                if self.cluster.pod(pod).state.is_bound() {
                    self.evict(pod, cause);
                }
            }
            Action::CreateReplica { workload } => self.create_replica(workload),
            Action::Delete { pod } => {
                if self.cluster.pod(pod).state != PodState::Ended {
                    self.end(pod, Ending::Deleted);
                }
            }
            Action::Cordon { node, cordoned } => {
                self.cluster.cordon(node, cordoned);
            }
        }
    }
}
