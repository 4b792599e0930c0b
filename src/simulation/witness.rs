//! Whoever wants to know why: sees decisions at the moment at which they are made, before they are
//! carried out. It never influences the run.

use super::Simulation;
use crate::cluster::{Cluster, PodId, ResourceNames};
use crate::healing::Action;
use crate::scheduling::{Decision, Explanation, Scheduler};

/// The cell and its scheduler at one moment.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The cell.
    pub cluster: &'a Cluster,
    /// What resources are called.
    pub names: &'a ResourceNames,
    scheduler: &'a dyn Scheduler,
}

impl Moment<'_> {
    /// Where `pod` could go now, and why not elsewhere.
    pub fn explain(&self, pod: PodId) -> Explanation {
        let told = self.scheduler.explain(self.cluster, pod, self.names);
        told.unwrap_or_else(|| {
            Explanation::of_admission(self.cluster, self.cluster.class_of(pod), self.names)
        })
    }
}

/// Sees decisions and actions as they are made. Facts are seen by a
/// [`metrics::Observer`](crate::metrics::Observer), after the event.
pub trait Witness {
    /// The scheduler has decided; nothing is done yet.
    fn decides(&mut self, moment: Moment<'_>, decision: &Decision);

    /// A pass of the scheduler is over; the facts of its decisions have not been seen yet.
    fn pass_ends(&mut self, _moment: Moment<'_>) {}

    /// A controller has asked for an action; it is not carried out yet.
    fn acts(&mut self, _cluster: &Cluster, _controller: &str, _action: &Action) {}
}

impl Simulation {
    /// Lets `witness` see what is decided from now on.
    pub fn watch(&mut self, witness: Box<dyn Witness>) {
        self.witness = Some(witness);
    }

    /// Lets go of the witness and of all observers.
    pub fn forget_watchers(&mut self) {
        self.witness = None;
        self.observers.clear();
    }

    /// The cell and its scheduler as they are between two events.
    pub fn moment(&self) -> Moment<'_> {
        Moment { cluster: &self.cluster, names: &self.resource_names, scheduler: &self.scheduler }
    }

    pub(super) fn show_decision(&mut self, decision: &Decision) {
        if let Some(mut witness) = self.witness.take() {
            witness.decides(self.moment(), decision);
            self.witness = Some(witness);
        }
    }

    pub(super) fn show_end_of_pass(&mut self) {
        if let Some(mut witness) = self.witness.take() {
            witness.pass_ends(self.moment());
            self.witness = Some(witness);
        }
    }

    pub(super) fn show_action(&mut self, controller: &str, action: &Action) {
        if let Some(witness) = &mut self.witness {
            witness.acts(&self.cluster, controller, action);
        }
    }
}
