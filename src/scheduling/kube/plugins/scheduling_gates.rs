//! SchedulingGates: pods wait until their gates are gone.

use crate::scheduling::kube::{Part, Plugin, PodInfo, Status};

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct SchedulingGates;

impl Plugin for SchedulingGates {
    fn name(&self) -> &'static str {
        "SchedulingGates"
    }

    fn part(&self) -> Part {
        Part::Nothing
    }

    fn pre_enqueue(&self, pod: &PodInfo) -> Status {
        let gates = &pod.template.spec.scheduling_gates;
        if gates.is_empty() {
            return Status::SUCCESS;
        }
        let names: Vec<&str> = gates.iter().map(|gate| gate.name.as_str()).collect();
        Status::unresolvable(format!("waiting for scheduling gates: [{}]", names.join(" ")))
    }
}
