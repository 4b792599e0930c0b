//! How pods of a shared cluster are held back, held together and displaced: Coscheduling and
//! CapacityScheduling, profile by profile. What is decided by rules alone is in
//! [`gang`](crate::scheduling::gang) and [`elastic_quota`](crate::scheduling::elastic_quota); this
//! keeps their books and carries out what they say.

mod gangs;
mod quotas;
mod resting;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use resting::Resting;

use super::book::{Known, api_time};
use crate::cluster::PodRef;
use crate::engine::{SimDuration, SimTime};
use crate::kubernetes::{PodGroup as GroupObject, Time};
use crate::scheduling::elastic_quota::{ElasticQuota, ElasticQuotas};
use crate::scheduling::gang::{GangConfig, Gangs, GroupName, PodGroup};
use crate::scheduling::kube::args::CoschedulingArgs;
use crate::scheduling::kube::configuration::{Extension, Extensions};
use crate::scheduling::kube::queue::{PluginId, QueuedPod};
use crate::scheduling::kube::{Cache, NodeId as KubeNode, PodInfo, Status};
use crate::workload::kubernetes::KubernetesCell;

/// Coscheduling among the plugins that rejected a pod; those of a profile are counted from 0.
pub const COSCHEDULING: PluginId = PluginId(62);
/// CapacityScheduling, likewise.
pub const CAPACITY: PluginId = PluginId(63);

/// The shortest back-off of a group. Decisions take no time here: without any, a group that was
/// rejected would be tried again and again at one instant.
const SHORTEST_BACKOFF: SimDuration = SimDuration(1);

/// Higher priority first, then by time in nanoseconds, then, where groups count, by namespace and
/// name. (Comparing empty strings instead of none takes half of the time of a run.)
pub type SortKey = (Reverse<i32>, i64, Option<Box<str>>);

/// What a profile does beside filtering and scoring.
pub struct Seat {
    /// Plugins by the point at which they are asked.
    pub extensions: Extensions,
    gangs: Gangs<PodRef>,
}

/// What scenarios say of it.
pub struct SharingOptions {
    /// What each profile does, by its name. The only one is everyone's.
    pub profiles: Vec<(String, Extensions)>,
    /// Whether Coscheduling orders the queue.
    pub sorts_by_group: bool,
}

/// A pod that waits on a node for the others of its group.
struct Held {
    queued: QueuedPod<PodRef>,
    slot: KubeNode,
    /// The pod as it was without a node.
    info: Arc<PodInfo>,
}

/// Gangs and quotas, and the pods that they concern.
pub struct Sharing {
    seats: Vec<(String, Seat)>,
    sorts_by_group: bool,
    quotas: ElasticQuotas,
    /// The pods of each group that the scheduler knows.
    members: BTreeMap<GroupName, BTreeSet<PodRef>>,
    held: BTreeMap<PodRef, Held>,
    /// Why a group was rejected the last time.
    why: BTreeMap<GroupName, String>,
    resting: Resting,
    /// Counts what happened that may let a group succeed that failed before.
    news: u64,
    /// Somebody failed while pods of another group held room.
    failed_beside: bool,
}

fn config(args: &CoschedulingArgs) -> GangConfig {
    let seconds = |value: i64| SimDuration::from_secs(u64::try_from(value).unwrap_or(0));
    GangConfig {
        permit_wait: seconds(args.permit_waiting_time_seconds),
        backoff: seconds(args.pod_group_backoff_seconds).max(SHORTEST_BACKOFF),
        reject_percentage: u32::try_from(args.pod_group_reject_percentage).unwrap_or(0),
    }
}

/// A group as its object says it. Objects were made before the run began; which of them first is as
/// they say.
fn group(object: &GroupObject, youngest: i64) -> PodGroup {
    let created = object.metadata.creation_timestamp.map_or(0, |time| time.0 - youngest);
    let timeout = object.spec.schedule_timeout_seconds.and_then(|time| u64::try_from(time).ok());
    PodGroup {
        min_member: u32::try_from(object.spec.min_member).unwrap_or(0),
        min_resources: object.spec.min_resources.clone(),
        schedule_timeout: timeout.map(SimDuration::from_secs),
        created: Some(Time(created)),
    }
}

impl Sharing {
    /// No pods yet; groups and quotas are those of `cell`.
    pub fn new(options: SharingOptions, cell: Option<&KubernetesCell>) -> Self {
        let mut seats: Vec<(String, Seat)> = Vec::new();
        for (name, extensions) in options.profiles {
            let gangs = Gangs::new(config(&extensions.coscheduling));
            seats.push((name, Seat { extensions, gangs }));
        }
        let mut quotas = ElasticQuotas::default();
        for object in cell.into_iter().flat_map(|cell| &cell.objects.elastic_quotas) {
            let (namespace, spec) = (&object.metadata.namespace, &object.spec);
            let used = BTreeMap::new();
            quotas.set(ElasticQuota::new(namespace, spec.min.as_ref(), spec.max.as_ref(), &used));
        }
        let objects = cell.map_or(&[][..], |cell| &cell.objects.pod_groups);
        let stamps = objects.iter().filter_map(|object| object.metadata.creation_timestamp);
        let youngest = stamps.map(|time| time.0).max().unwrap_or(0);
        for object in objects {
            let (namespace, name) =
                (object.metadata.namespace.clone(), object.metadata.name.clone());
            for (_, seat) in &mut seats {
                let name = GroupName { namespace: namespace.clone(), name: name.clone() };
                seat.gangs.set_group(name, group(object, youngest));
            }
        }
        Self {
            seats,
            sorts_by_group: options.sorts_by_group,
            quotas,
            members: BTreeMap::new(),
            held: BTreeMap::new(),
            why: BTreeMap::new(),
            resting: Resting::default(),
            news: 1,
            failed_beside: false,
        }
    }

    fn place(&self, pod: &PodInfo) -> usize {
        let wanted = pod.scheduler_name();
        self.seats.iter().position(|(name, _)| name == wanted).unwrap_or(0)
    }

    /// What the profile of a pod does.
    pub fn seat(&self, pod: &PodInfo) -> &Seat {
        &self.seats[self.place(pod)].1
    }

    fn gangs_of(&mut self, pod: &PodInfo) -> &mut Gangs<PodRef> {
        let place = self.place(pod);
        &mut self.seats[place].1.gangs
    }

    /// What decides where a pod is in the queue.
    pub fn sort_key(&self, pod: &QueuedPod<PodRef>, known: &PodInfo) -> SortKey {
        if !self.sorts_by_group {
            return (Reverse(pod.priority), api_time(pod.timestamp).0, None);
        }
        let key = self.seat(known).gangs.key(known, pod.initial_attempt.map(api_time));
        (Reverse(key.priority), key.created.map_or(i64::MIN, |time| time.0), Some(key.pod.into()))
    }

    /// The scheduler has come to know a pod.
    pub fn note(&mut self, known: &Known) {
        if let Some(group) = GroupName::of_pod(&known.info) {
            self.members.entry(group).or_default().insert(known.reference);
        }
    }

    /// It knows a pod no more.
    pub fn forget(&mut self, known: &Known) {
        self.resting.remove(known.reference);
        let Some(group) = GroupName::of_pod(&known.info) else { return };
        if let Some(members) = self.members.get_mut(&group) {
            members.remove(&known.reference);
            if members.is_empty() {
                self.members.remove(&group);
            }
        }
    }

    /// Something happened in the cell: who failed may succeed now.
    pub fn hear_news(&mut self) {
        self.news += 1;
    }

    /// True if a group that backs off failed before something happened.
    pub fn is_waiting_with_news(&self) -> bool {
        self.resting.oldest().is_some_and(|news| news < self.news)
    }

    /// A pod is on a node (Reserve), or was put there by others.
    pub fn put(&mut self, pod: &PodInfo) {
        self.quotas.add_pod(pod);
    }

    /// A pod left its node, or is not bound to it after all (Unreserve).
    pub fn take(&mut self, pod: &PodInfo) {
        self.quotas.remove_pod(pod);
    }

    /// When the time of the next pod that waits for others is over.
    pub fn next_deadline(&self) -> Option<SimTime> {
        self.seats.iter().filter_map(|(_, seat)| seat.gangs.next_deadline()).min()
    }

    /// True if pods hold room on nodes without being bound.
    pub fn holds_room(&self) -> bool {
        !self.held.is_empty()
    }

    /// True for a pod of a group that its scheduler minds.
    pub fn is_in_gang(&self, pod: &PodInfo) -> bool {
        !self.seat(pod).extensions.permit.is_empty()
            && GroupName::of_pod(pod)
                .is_some_and(|name| self.seat(pod).gangs.group(&name).is_some())
    }

    /// Whether groups and quotas let a pod be tried (PreFilter): who rejects it, and why.
    /// `members` is how many pods of its group no gate holds back.
    fn pre_filter(
        &mut self,
        pod: &PodInfo,
        members: u32,
        cache: &Cache,
        now: SimTime,
    ) -> Option<Status> {
        let place = self.place(pod);
        let Seat { extensions, gangs } = &mut self.seats[place].1;
        pre_filter(&extensions.pre_filter, gangs, &self.quotas, pod, members, cache, now)
    }

    /// The same, without remembering anything.
    fn would_reject(
        &self,
        pod: &PodInfo,
        members: u32,
        cache: &Cache,
        now: SimTime,
    ) -> Option<Status> {
        let Seat { extensions, gangs } = self.seat(pod);
        let mut gangs = gangs.clone();
        pre_filter(&extensions.pre_filter, &mut gangs, &self.quotas, pod, members, cache, now)
    }
}

fn pre_filter(
    extensions: &[Extension],
    gangs: &mut Gangs<PodRef>,
    quotas: &ElasticQuotas,
    pod: &PodInfo,
    members: u32,
    cache: &Cache,
    now: SimTime,
) -> Option<Status> {
    let mut rejected = None;
    for extension in extensions {
        let status = match extension {
            Extension::Preemption => Status::SUCCESS,
            Extension::Coscheduling => match gangs.pre_filter(pod, members, cache, now) {
                Ok(()) => Status::SUCCESS,
                // Nobody is preempted for it.
                Err(why) => return Some(Status::unresolvable(why).by(extension.name())),
            },
            Extension::Capacity => quotas.verdict(pod, cache.nominator.pods()),
        };
        if !status.is_success() {
            rejected = Some(status.by(extension.name()));
        }
    }
    rejected
}
