//! Gangs: pods of one PodGroup are bound together or not at all (`pkg/coscheduling` of the
//! scheduler-plugins, built on Kubernetes v1.35).
//!
//! A pod of a group that found a node waits there (Permit) until enough of its group have found
//! one. When one fails for good, those that wait give their nodes back. This is the state of that,
//! in virtual time; who calls it carries out what it says.

mod resources;

use std::collections::{BTreeMap, BTreeSet};

pub use resources::ResourceGap;

use crate::engine::{SimDuration, SimTime};
use crate::kubernetes::{Labels, ResourceList, Time};
use crate::scheduling::kube::{Cache, PodInfo};

/// The label that names the group of a pod.
pub const POD_GROUP_LABEL: &str = "scheduling.x-k8s.io/pod-group";

/// A group by namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl GroupName {
    /// The group that labels name, if any.
    pub fn of(namespace: &str, labels: &Labels) -> Option<Self> {
        let name = labels.get(POD_GROUP_LABEL).filter(|name| !name.is_empty())?;
        Some(Self { namespace: namespace.to_owned(), name: name.clone() })
    }

    /// The group of a pod, if it names one.
    pub fn of_pod(pod: &PodInfo) -> Option<Self> {
        Self::of(&pod.template.namespace, &pod.template.labels)
    }

    fn text(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// A group (`scheduling.x-k8s.io/v1alpha1`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodGroup {
    /// So many pods have to run together.
    pub min_member: u32,
    /// What they need together; `None` if that is not checked beforehand.
    pub min_resources: Option<ResourceList>,
    /// How long a pod waits for the others; `None` for the scheduler's own limit.
    pub schedule_timeout: Option<SimDuration>,
    /// When the group was made.
    pub created: Option<Time>,
}

/// How gangs are treated (`CoschedulingArgs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GangConfig {
    /// How long a pod waits for the others of its group (`permitWaitingTimeSeconds`).
    pub permit_wait: SimDuration,
    /// How long a group is left alone after it was rejected (`podGroupBackoffSeconds`).
    pub backoff: SimDuration,
    /// A group that lacks no more than this share of its members is not rejected
    /// (`podGroupRejectPercentage`).
    pub reject_percentage: u32,
}

impl Default for GangConfig {
    fn default() -> Self {
        Self {
            permit_wait: SimDuration::from_secs(60),
            backoff: SimDuration::ZERO,
            reject_percentage: 10,
        }
    }
}

/// What decides who is first in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GangKey {
    /// Higher goes first.
    pub priority: i32,
    /// When its group was made, or, without one, when the pod could be tried for the first time.
    pub created: Option<Time>,
    /// The pod's namespace and name, `namespace/name`.
    pub pod: String,
}

impl Ord for GangKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let priority = other.priority.cmp(&self.priority);
        priority.then_with(|| (self.created, &self.pod).cmp(&(other.created, &other.pod)))
    }
}

impl PartialOrd for GangKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether a pod that found a node may be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit<P> {
    /// It is in no group: bind it.
    NotSpecified,
    /// There is no such group: it fails.
    NotFound,
    /// Its group is together: bind it, and those that wait.
    Success {
        /// Those that waited.
        allowed: Vec<P>,
    },
    /// It has to wait for others.
    Wait {
        /// Until then.
        deadline: SimTime,
        /// It is the first of its group: the others should be tried now.
        activate_siblings: bool,
    },
}

/// What follows from a pod of a group not finding a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostFilter<P> {
    /// There is no such group.
    NoGroup,
    /// The others are not concerned: there are enough, or nearly.
    Kept,
    /// The group is given up for now.
    Rejected {
        /// Those that waited: they give their nodes back.
        rejected: Vec<P>,
    },
}

/// A pod that waits on its node for the others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting<P> {
    group: GroupName,
    deadline: SimTime,
    pod: P,
}

/// Groups, and what is going on in them; `P` names pods.
#[derive(Debug, Clone)]
pub struct Gangs<P> {
    config: GangConfig,
    groups: BTreeMap<GroupName, PodGroup>,
    /// Groups whose resources were found to be there, until when that holds.
    permitted: BTreeMap<GroupName, SimTime>,
    backed_off: BTreeMap<GroupName, SimTime>,
    waiting: BTreeMap<P, Waiting<P>>,
    deadlines: BTreeSet<(SimTime, P)>,
}

impl<P: Copy + Ord> Gangs<P> {
    /// No groups yet.
    pub fn new(config: GangConfig) -> Self {
        Self {
            config,
            groups: BTreeMap::new(),
            permitted: BTreeMap::new(),
            backed_off: BTreeMap::new(),
            waiting: BTreeMap::new(),
            deadlines: BTreeSet::new(),
        }
    }

    /// Sets a group.
    pub fn set_group(&mut self, name: GroupName, group: PodGroup) {
        self.groups.insert(name, group);
    }

    /// Takes a group away. Those that wait go on waiting until their time is over.
    pub fn remove_group(&mut self, name: &GroupName) {
        self.groups.remove(name);
    }

    /// A group.
    pub fn group(&self, name: &GroupName) -> Option<&PodGroup> {
        self.groups.get(name)
    }

    /// What decides where a pod is in the queue (QueueSort).
    pub fn key(&self, pod: &PodInfo, initial_attempt: Option<Time>) -> GangKey {
        let group = GroupName::of_pod(pod).and_then(|name| self.groups.get(&name));
        GangKey {
            priority: pod.priority(),
            created: group.map_or(initial_attempt, |group| group.created),
            pod: format!("{}/{}", pod.template.namespace, pod.name),
        }
    }

    /// How many pods of a group have a node: bound, or waiting to be.
    pub fn assigned(name: &GroupName, cache: &Cache) -> u32 {
        let members = cache.nodes().flat_map(|(_, node)| &node.pods).filter(|pod| {
            pod.template.namespace == name.namespace
                && pod.template.labels.get(POD_GROUP_LABEL) == Some(&name.name)
        });
        u32::try_from(members.count()).unwrap_or(u32::MAX)
    }

    /// Whether it makes sense to look for a node (PreFilter). `members` is how many pods of the
    /// group there are that no gate holds back, with this one.
    ///
    /// # Errors
    ///
    /// If the group was rejected a short time ago, has too few pods, or needs more than there is.
    pub fn pre_filter(
        &mut self,
        pod: &PodInfo,
        members: u32,
        cache: &Cache,
        now: SimTime,
    ) -> Result<(), String> {
        let Some(name) = GroupName::of_pod(pod) else { return Ok(()) };
        let Some(group) = self.groups.get(&name) else { return Ok(()) };
        if self.backed_off.get(&name).is_some_and(|until| now < *until) {
            return Err(format!("podGroup {} failed recently", name.text()));
        }
        if members < group.min_member {
            return Err(format!(
                "pre-filter pod {} cannot find enough sibling pods, current pods number: \
                 {members}, minMember of group: {}",
                pod.name, group.min_member,
            ));
        }
        let Some(resources) = &group.min_resources else { return Ok(()) };
        if self.permitted.get(&name).is_some_and(|until| now < *until) {
            return Ok(());
        }
        let mut gap = ResourceGap::new(resources);
        gap.set_pods(i64::from(group.min_member));
        gap.fill(cache, &name).map_err(|gap| gap.to_string())?;
        self.permitted.insert(name, now.saturating_add(self.config.permit_wait));
        Ok(())
    }

    /// Whether a pod that found a node may be bound (Permit). `assigned` is how many others of its
    /// group have a node.
    pub fn permit(&mut self, id: P, pod: &PodInfo, assigned: u32, now: SimTime) -> Permit<P> {
        let Some(name) = GroupName::of_pod(pod) else { return Permit::NotSpecified };
        let Some(group) = self.groups.get(&name) else { return Permit::NotFound };
        if assigned.saturating_add(1) >= group.min_member {
            return Permit::Success { allowed: self.release(&name) };
        }
        let timeout = group.schedule_timeout.filter(|timeout| *timeout > SimDuration::ZERO);
        let deadline = now.saturating_add(timeout.unwrap_or(self.config.permit_wait));
        self.stop_waiting(id);
        self.deadlines.insert((deadline, id));
        self.waiting.insert(id, Waiting { group: name, deadline, pod: id });
        Permit::Wait { deadline, activate_siblings: assigned == 0 }
    }

    /// A pod found no node, and nobody could be preempted for it (PostFilter). `assigned` is how
    /// many others of its group have a node, `members` how many pods the group has.
    pub fn post_filter(
        &mut self,
        pod: &PodInfo,
        assigned: u32,
        members: u32,
        now: SimTime,
    ) -> (PostFilter<P>, String) {
        let named = GroupName::of_pod(pod);
        let group = named.as_ref().and_then(|name| Some((name, self.groups.get(name)?)));
        let Some((name, group)) = group else {
            return (PostFilter::NoGroup, "can not find pod group".to_owned());
        };
        let needed = group.min_member;
        let missing = u64::from(needed.saturating_sub(assigned));
        let tolerated = u64::from(self.config.reject_percentage) * u64::from(needed);
        if missing * 100 <= tolerated || missing == 0 {
            return (PostFilter::Kept, String::new());
        }
        let name = name.clone();
        let rejected = self.release(&name);
        if members >= needed {
            self.back_off(&name, now);
        }
        self.permitted.remove(&name);
        let text = format!(
            "PodGroup {} gets rejected due to Pod {} is unschedulable even after PostFilter",
            name.text(),
            pod.name
        );
        (PostFilter::Rejected { rejected }, text)
    }

    /// Lets a group back off, if groups do. A back-off that runs is not extended.
    pub fn back_off(&mut self, name: &GroupName, now: SimTime) {
        if self.config.backoff == SimDuration::ZERO {
            return;
        }
        let until = now.saturating_add(self.config.backoff);
        let current = self.backed_off.entry(name.clone()).or_insert(until);
        if *current <= now {
            *current = until;
        }
    }

    /// A pod that had a node is not bound after all (Unreserve): the others of its group that wait
    /// give theirs back too.
    pub fn unreserve(&mut self, id: P, pod: &PodInfo) -> Vec<P> {
        self.stop_waiting(id);
        let Some(name) = GroupName::of_pod(pod) else { return Vec::new() };
        if !self.groups.contains_key(&name) {
            return Vec::new();
        }
        self.permitted.remove(&name);
        self.release(&name)
    }

    /// The pods whose time is over: each is to be rejected, and with it (through
    /// [`Self::unreserve`]) the others of its group.
    pub fn timed_out(&mut self, now: SimTime) -> Vec<P> {
        let mut late = Vec::new();
        while let Some((deadline, pod)) = self.deadlines.first().copied()
            && deadline <= now
        {
            self.stop_waiting(pod);
            late.push(pod);
        }
        late
    }

    /// When the next pod's time is over.
    pub fn next_deadline(&self) -> Option<SimTime> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// True if a pod waits for others.
    pub fn is_waiting(&self, pod: P) -> bool {
        self.waiting.contains_key(&pod)
    }

    /// A pod waits no longer: it was allowed, rejected or deleted.
    pub fn stop_waiting(&mut self, pod: P) {
        if let Some(waiting) = self.waiting.remove(&pod) {
            self.deadlines.remove(&(waiting.deadline, waiting.pod));
        }
    }

    /// Those of a group that wait; they wait no longer.
    fn release(&mut self, name: &GroupName) -> Vec<P> {
        let members: Vec<P> = self
            .waiting
            .values()
            .filter(|waiting| waiting.group == *name)
            .map(|waiting| waiting.pod)
            .collect();
        members.iter().for_each(|pod| self.stop_waiting(*pod));
        members
    }
}

#[cfg(test)]
mod tests;
