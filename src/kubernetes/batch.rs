//! Jobs.

use super::object::object;
use super::{Condition, LabelSelector, ObjectMeta, PodTemplateSpec, Time};

object! {
    /// A Job.
    pub struct Job {
        pub metadata: ObjectMeta,
        pub spec: JobSpec,
        pub status: JobStatus,
    }
}

object! {
    /// `spec` of a Job.
    pub struct JobSpec {
        pub parallelism: Option<i32>,
        pub completions: Option<i32>,
        pub active_deadline_seconds: Option<i64>,
        pub pod_failure_policy: Option<PodFailurePolicy>,
        pub backoff_limit: Option<i32>,
        pub selector: Option<LabelSelector>,
        pub template: PodTemplateSpec,
        pub ttl_seconds_after_finished: Option<i32>,
        pub completion_mode: Option<String>,
        pub suspend: Option<bool>,
    }
}

object! {
    /// What to do about failed pods.
    pub struct PodFailurePolicy {
        pub rules: Vec<PodFailurePolicyRule>,
    }
}

object! {
    /// One rule: `FailJob`, `Ignore`, `Count` or `FailIndex` where it matches.
    pub struct PodFailurePolicyRule {
        pub action: String,
        pub on_exit_codes: Option<ExitCodesRequirement>,
        pub on_pod_conditions: Vec<PodConditionPattern>,
    }
}

object! {
    /// Exit codes: `In` or `NotIn`.
    pub struct ExitCodesRequirement {
        pub container_name: Option<String>,
        pub operator: String,
        pub values: Vec<i32>,
    }
}

object! {
    /// A condition of a pod, by type and status.
    pub struct PodConditionPattern {
        #[serde(rename = "type")]
        pub kind: String,
        pub status: String,
    }
}

object! {
    /// `status` of a Job.
    pub struct JobStatus {
        pub conditions: Vec<Condition>,
        pub start_time: Option<Time>,
        pub completion_time: Option<Time>,
        pub active: i32,
        pub succeeded: i32,
        pub failed: i32,
        pub ready: Option<i32>,
        pub completed_indexes: String,
        pub uncounted_terminated_pods: Option<UncountedTerminatedPods>,
    }
}

object! {
    /// Pods that ended and are not in the counts yet, by UID.
    pub struct UncountedTerminatedPods {
        pub succeeded: Vec<String>,
        pub failed: Vec<String>,
    }
}
