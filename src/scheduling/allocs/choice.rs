//! Which instance of its alloc set a pod goes into, whom it displaces there, and why it cannot.
//!
//! Of the instances that admit it (all, or those of the number that it asks for): the one with the
//! fewest pods of its job, so that a job is spread over the set as a job is over nodes; then the
//! one whose room it fills best, by what is left of cpu and memory as shares of the reservation;
//! then the lowest number. How Borg chooses is not published.
//!
//! Where none admits it and preemption is on, victims are taken as on a node (EuroSys'15 §3.2):
//! lowest priority first, newest first among equals, until it fits; in the instance whose highest
//! victim has the lowest priority, then with the fewest victims, then of the lowest number.

use crate::cluster::{
    Cluster, Dimension, Pod, PodClass, PodId, ResourceNames, Resources, satisfies,
};
use crate::scheduling::config::PreemptionRule;
use crate::scheduling::explanation::Explanation;
use crate::scheduling::placement::{Reason, Rejection};

const RULE: &str = "inside of an alloc: the one with the fewest pods of the job wins, then the one \
                    that is filled best, then the lowest number";

/// Where `pod`, of an alloc set with key `set`, goes now, and whom it displaces there.
pub fn choose(
    cluster: &Cluster,
    id: PodId,
    set: u64,
    rule: PreemptionRule,
) -> Option<(PodId, Vec<PodId>)> {
    let pod = cluster.pod(id);
    let class = cluster.classes().get(pod.class);
    let free =
        candidates(cluster, pod, set).filter(|(_, alloc)| cluster.admits_inside(class, *alloc));
    let best = free.min_by_key(|(number, alloc)| {
        let of_job = cluster.pods_inside(*alloc);
        let of_job = of_job.filter(|(_, other)| other.new.workload == pod.new.workload).count();
        (of_job, left(cluster, class, *alloc), *number, *alloc)
    });
    if let Some((_, alloc)) = best {
        return Some((alloc, Vec::new()));
    }
    if rule == PreemptionRule::Never {
        return None;
    }
    let cleared = candidates(cluster, pod, set).filter_map(|(number, alloc)| {
        let victims = victims(cluster, class, alloc, rule)?;
        let priority = |victim: &PodId| cluster.class_of(*victim).priority;
        let highest = victims.iter().map(priority).max();
        Some(((highest, victims.len(), number), alloc, victims))
    });
    let (_, alloc, victims) = cleared.min_by_key(|(cost, alloc, _)| (*cost, *alloc))?;
    Some((alloc, victims))
}

/// The bound instances that `pod` may ask for, with their numbers.
fn candidates(cluster: &Cluster, pod: &Pod, set: u64) -> impl Iterator<Item = (u32, PodId)> {
    let wanted = pod.alloc_number;
    cluster.allocs().of_set(set).filter(move |(number, _)| wanted.is_none_or(|one| one == *number))
}

/// What is left of an instance once a pod of `class` is in it: shares of cpu and memory in permille,
/// added up.
fn left(cluster: &Cluster, class: &PodClass, alloc: PodId) -> i128 {
    let reserved = &cluster.class_of(alloc).requests;
    let Some(room) = cluster.room_inside(alloc) else { return i128::MAX };
    let share = |dimension: Dimension| {
        let left = i128::from(room[dimension]) - i128::from(class.requests[dimension]);
        if reserved[dimension] > 0 { left * 1000 / i128::from(reserved[dimension]) } else { 0 }
    };
    share(Dimension::CPU) + share(Dimension::MEMORY)
}

/// Whom a pod of `class` displaces inside of `alloc`, in order; `None` where that is of no help.
fn victims(
    cluster: &Cluster,
    class: &PodClass,
    alloc: PodId,
    rule: PreemptionRule,
) -> Option<Vec<PodId>> {
    let node = cluster.pod(alloc).node;
    if !cluster.nodes().is_eligible(class.constraints, node) || cluster.is_kept_apart(class, node) {
        return None;
    }
    let spares = rule == PreemptionRule::BorgBands && class.tier.is_prod();
    let may_go = |pod: &Pod| {
        let other = cluster.classes().get(pod.class);
        other.priority < class.priority && !(spares && other.tier.is_prod())
    };
    let mut lower: Vec<PodId> =
        cluster.pods_inside(alloc).filter(|(_, pod)| may_go(pod)).map(|(id, _)| id).collect();
    let serial = |id: &PodId| std::cmp::Reverse(cluster.pod(*id).serial);
    lower.sort_by_key(|id| (cluster.class_of(*id).priority, serial(id)));
    let mut room = cluster.room_inside(alloc)?;
    let mut devices = *cluster.allocs().envelope(alloc)?.devices();
    for (count, victim) in lower.iter().enumerate() {
        room += cluster.class_of(*victim).requests;
        devices.give(cluster.pod(*victim).devices);
        if lacking(class, &room).is_none() && devices.fits(class.gpu) {
            lower.truncate(count + 1);
            return Some(lower);
        }
    }
    None
}

/// The first resource that `room` has too little of; pod slots are not counted inside.
fn lacking(class: &PodClass, room: &Resources) -> Option<Dimension> {
    let counted = Dimension::all().filter(|dimension| *dimension != Dimension::PODS);
    counted.into_iter().find(|dimension| class.requests[*dimension] > room[*dimension])
}

/// Why `alloc` does not admit a pod of `class`, if it does not.
fn rejection(cluster: &Cluster, class: &PodClass, alloc: PodId) -> Option<Rejection> {
    let (nodes, node) = (cluster.nodes(), cluster.pod(alloc).node);
    if !nodes.is_open(node) {
        return Some(Rejection::NotReady);
    }
    if !nodes.is_eligible(class.constraints, node) {
        let constraints = nodes.constraints(class.constraints);
        let held =
            nodes.condition(node).cordoned && satisfies(constraints, nodes.spec(node), false);
        return Some(if held { Rejection::Cordoned } else { Rejection::Constraints });
    }
    let room = cluster.room_inside(alloc).unwrap_or(Resources::ZERO);
    if let Some(dimension) = lacking(class, &room) {
        return Some(Rejection::Insufficient(dimension));
    }
    if !cluster.allocs().envelope(alloc)?.devices().fits(class.gpu) {
        return Some(Rejection::DevicesFragmented);
    }
    cluster.is_kept_apart(class, node).then_some(Rejection::KeptApart)
}

/// What people call the instances that a pod may go into.
fn wanted(cluster: &Cluster, pod: &Pod, set: u64) -> (String, Option<u32>) {
    let known = cluster.workloads().find(set);
    let name = known.map_or_else(|| set.to_string(), |id| cluster.workload_name(id));
    (name, pod.alloc_number)
}

/// Why no instance of `set` takes the pod `id`, in a sentence.
pub fn why_not(cluster: &Cluster, id: PodId, set: u64, names: &ResourceNames) -> String {
    let pod = cluster.pod(id);
    let class = cluster.classes().get(pod.class);
    let mut counted = std::collections::BTreeMap::<String, usize>::new();
    let mut instances = 0;
    for (_, alloc) in candidates(cluster, pod, set) {
        instances += 1;
        if let Some(reason) = rejection(cluster, class, alloc) {
            *counted.entry(reason.phrase(names)).or_default() += 1;
        }
    }
    let (name, number) = wanted(cluster, pod, set);
    let reasons: Vec<String> =
        counted.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    match (instances, number) {
        (0, None) => format!("Alloc set {name} has no running alloc."),
        (0, Some(number)) => format!("Alloc {number} of set {name} is not running."),
        (_, None) => {
            format!("No alloc of set {name} has room, of {instances}: {}.", reasons.join(", "))
        }
        (_, Some(number)) => {
            format!("Alloc {number} of set {name} has no room: {}.", reasons.join(", "))
        }
    }
}

/// Where the pod `id` could go and why not elsewhere.
pub fn explain(cluster: &Cluster, id: PodId, names: &ResourceNames) -> Explanation {
    let pod = cluster.pod(id);
    let class = cluster.classes().get(pod.class);
    let set = cluster.alloc_set_of(pod.new.workload).unwrap_or_default();
    let (name, number) = wanted(cluster, pod, set);
    let nothing = match number {
        None => format!("node(s) held no alloc of set {name}"),
        Some(number) => format!("node(s) did not hold alloc {number} of set {name}"),
    };
    let instances: Vec<PodId> = candidates(cluster, pod, set).map(|(_, alloc)| alloc).collect();
    Explanation::of_nodes(cluster, names, RULE.to_owned(), |node| {
        let mut reason = Some(Rejection::Policy(Reason(nothing.clone().into())));
        for alloc in instances.iter().filter(|alloc| cluster.pod(**alloc).node == node) {
            reason = Some(rejection(cluster, class, *alloc)?);
        }
        reason
    })
}
