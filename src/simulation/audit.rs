//! `--check`: the auditors of the cell and of the meter, after every event and at the end.

use super::{Simulation, SimulationError};
use crate::cluster;
use crate::metrics::{Meter, MeterAuditor};

/// Both auditors.
pub(super) struct Auditor {
    cell: cluster::Auditor,
    meter: MeterAuditor,
}

impl Auditor {
    /// Auditors of an empty cell and its meter.
    pub(super) fn new(meter: &Meter) -> Self {
        Self { cell: cluster::Auditor::default(), meter: MeterAuditor::new(meter) }
    }
}

impl Simulation {
    /// Audits the event whose facts have just been seen.
    #[inline]
    pub(super) fn audit(&mut self) -> Result<(), SimulationError> {
        if self.auditor.is_some() { self.audit_with(cluster::Auditor::audit) } else { Ok(()) }
    }

    /// Recounts everything at the end of the run.
    pub(super) fn audit_end(&mut self) -> Result<(), SimulationError> {
        self.audit_with(cluster::Auditor::finish)
    }

    #[cold]
    fn audit_with(
        &mut self,
        audit: fn(&mut cluster::Auditor, &cluster::Cluster) -> Result<(), cluster::Violation>,
    ) -> Result<(), SimulationError> {
        let Some(auditor) = &mut self.auditor else { return Ok(()) };
        let cell = audit(&mut auditor.cell, &self.cluster).map_err(|found| found.to_string());
        let touched = auditor.cell.touched();
        let audited = cell.and_then(|()| {
            let meter = auditor.meter.audit(&self.meter, touched, &self.cluster);
            meter.map_err(|found| found.to_string())
        });
        audited.map_err(|violation| SimulationError::Audit {
            time: self.cluster.now(),
            events: self.events,
            violation,
        })
    }
}
