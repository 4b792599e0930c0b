//! What a plugin says of a pod and a node, and how failures are worded
//! (`framework.Status`, `framework.FitError` of kube-scheduler v1.35).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::cache::NodeId;

/// A reason: mostly a constant text.
pub type Reason = Cow<'static, str>;

/// The kind of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Code {
    /// All is well.
    #[default]
    Success,
    /// Something is wrong with the pod or the configuration.
    Error,
    /// It does not fit; preemption may help.
    Unschedulable,
    /// It does not fit, whoever is preempted.
    UnschedulableAndUnresolvable,
    /// The pod has to wait.
    Wait,
    /// The plugin has nothing to say.
    Skip,
    /// The plugin waits for something outside.
    Pending,
}

impl Code {
    /// Its name upstream.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Error => "Error",
            Self::Unschedulable => "Unschedulable",
            Self::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
            Self::Wait => "Wait",
            Self::Skip => "Skip",
            Self::Pending => "Pending",
        }
    }
}

/// What a plugin says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The kind.
    pub code: Code,
    /// Who says it; empty if the framework does.
    pub plugin: Cow<'static, str>,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Status {
    /// All is well.
    pub const SUCCESS: Self =
        Self { code: Code::Success, plugin: Cow::Borrowed(""), reasons: Vec::new() };

    /// A status with one reason.
    pub fn new(code: Code, reason: impl Into<Reason>) -> Self {
        Self { code, plugin: Cow::Borrowed(""), reasons: vec![reason.into()] }
    }

    /// The pod does not fit; preemption may help.
    pub fn unschedulable(reason: impl Into<Reason>) -> Self {
        Self::new(Code::Unschedulable, reason)
    }

    /// The pod does not fit, whoever is preempted.
    pub fn unresolvable(reason: impl Into<Reason>) -> Self {
        Self::new(Code::UnschedulableAndUnresolvable, reason)
    }

    /// Something is wrong.
    pub fn error(reason: impl Into<Reason>) -> Self {
        Self::new(Code::Error, reason)
    }

    /// The same, said by `plugin`.
    #[must_use]
    pub fn by(mut self, plugin: &str) -> Self {
        self.plugin = Cow::Owned(plugin.to_owned());
        self
    }

    /// True if all is well.
    pub fn is_success(&self) -> bool {
        self.code == Code::Success
    }

    /// True if the pod does not fit; false for errors.
    pub fn is_rejected(&self) -> bool {
        matches!(
            self.code,
            Code::Unschedulable | Code::UnschedulableAndUnresolvable | Code::Pending
        )
    }

    /// The reasons in one line.
    pub fn message(&self) -> String {
        self.reasons.join(", ")
    }
}

/// The statuses of all nodes: some by node, one for all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatuses {
    explicit: BTreeMap<NodeId, Status>,
    absent: Status,
}

impl Default for NodeStatuses {
    fn default() -> Self {
        let absent = Status { code: Code::UnschedulableAndUnresolvable, ..Status::SUCCESS };
        Self { explicit: BTreeMap::new(), absent }
    }
}

impl NodeStatuses {
    /// Says what holds for nodes without a status of their own.
    pub fn set_absent(&mut self, status: Status) {
        self.absent = status;
    }

    /// What holds for nodes without a status of their own.
    pub fn absent(&self) -> &Status {
        &self.absent
    }

    /// Sets the status of a node.
    pub fn set(&mut self, node: NodeId, status: Status) {
        self.explicit.insert(node, status);
    }

    /// The status of a node.
    pub fn get(&self, node: NodeId) -> &Status {
        self.explicit.get(&node).unwrap_or(&self.absent)
    }

    /// The status of a node, if it has one of its own.
    pub fn explicit(&self, node: NodeId) -> Option<&Status> {
        self.explicit.get(&node)
    }

    /// How many nodes have a status of their own.
    pub fn len(&self) -> usize {
        self.explicit.len()
    }

    /// True if no node has a status of its own.
    pub fn is_empty(&self) -> bool {
        self.explicit.is_empty()
    }

    /// Why none of `nodes` nodes will do: `0/5 nodes are available: 5 Insufficient cpu.`
    pub fn fit_error(&self, nodes: usize) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in self.explicit.values().flat_map(|status| &status.reasons) {
            *counts.entry(reason).or_default() += 1;
        }
        if self.explicit.len() < nodes {
            for reason in &self.absent.reasons {
                *counts.entry(reason).or_default() += nodes - self.explicit.len();
            }
        }
        let mut parts: Vec<String> =
            counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        parts.sort();
        let mut text = format!("0/{nodes} nodes are available:");
        if !parts.is_empty() {
            text.push_str(&format!(" {}.", parts.join(", ")));
        }
        text
    }
}
