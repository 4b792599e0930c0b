use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    Backoff, Hint, Place, PluginId, PluginSet, QueueConfig, QueueCounts, QueuePolicy, QueuedPod,
    SchedulingQueue, backoff_duration,
};
use crate::engine::{SimDuration, SimTime};

const FIT: PluginId = PluginId(0);
const AFFINITY: PluginId = PluginId(1);
const GATES: PluginId = PluginId(2);
const VOLUMES: PluginId = PluginId(3);

/// Something happened that helps pods which this plugin rejected.
type Helps = PluginId;

/// Priority, then time; some pods are held back.
#[derive(Default)]
struct Policy {
    gated: RefCell<BTreeSet<u32>>,
}

impl QueuePolicy for Policy {
    type Pod = u32;
    type Key = (Reverse<i32>, SimTime);
    type Event = Helps;

    fn sort_key(&self, pod: &QueuedPod<u32>) -> Self::Key {
        (Reverse(pod.priority), pod.timestamp)
    }

    fn gate(&self, pod: &QueuedPod<u32>) -> Option<PluginId> {
        self.gated.borrow().contains(&pod.pod).then_some(GATES)
    }

    fn hint(&self, plugin: PluginId, event: &Helps, _pod: u32) -> Hint {
        if plugin == *event { Hint::Queue } else { Hint::Skip }
    }
}

type Queue = SchedulingQueue<Policy>;

fn queue() -> (Queue, Policy) {
    (Queue::new(QueueConfig::default()), Policy::default())
}

fn at(milliseconds: u64) -> SimTime {
    SimTime(milliseconds * 1_000)
}

/// Takes the first pod and gives it back, rejected by `plugins`.
fn reject(queue: &mut Queue, policy: &Policy, plugins: &[PluginId], now: SimTime) -> Option<Place> {
    let mut pod = queue.pop().expect("a pod");
    pod.unschedulable_plugins = plugins.iter().copied().collect();
    queue.add_unschedulable(policy, pod, now)
}

#[test]
fn the_highest_priority_goes_first_and_then_who_came_first() {
    let (mut queue, policy) = queue();
    for (pod, priority, time) in [(1, 0, 0), (2, 5, 10), (3, 5, 5), (4, 0, 0)] {
        queue.add(&policy, pod, priority, at(time));
    }
    let order: Vec<u32> = queue.active().collect();
    assert_eq!(order, [3, 2, 1, 4]);
    let taken: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|pod| pod.pod).collect();
    assert_eq!(taken, order);
    assert_eq!(queue.scheduling_cycle(), 4);
    assert_eq!(queue.counts(), QueueCounts { in_flight: 4, ..QueueCounts::default() });
}

#[test]
fn back_off_doubles_up_to_its_limit() {
    let seconds: Vec<u64> = (0..7).map(|failures| backoff_duration(1, 10, failures)).collect();
    assert_eq!(seconds, [0, 1, 2, 4, 8, 10, 10]);
    assert_eq!(backoff_duration(1, u64::MAX, 64), 1 << 63);
    assert_eq!(backoff_duration(1, u64::MAX, 65), u64::MAX);
    assert_eq!(backoff_duration(5, 3, 1), 3);
}

#[test]
fn a_rejected_pod_waits_for_what_may_help_it() {
    let (mut queue, policy) = queue();
    queue.add(&policy, 1, 0, at(0));
    assert_eq!(reject(&mut queue, &policy, &[FIT], at(500)), Some(Place::Unschedulable));
    queue.move_all(&policy, &AFFINITY, at(600));
    assert_eq!(queue.place(1), Some(Place::Unschedulable));
    // The back-off of one second ends in the second that begins at 1 s.
    queue.move_all(&policy, &FIT, at(600));
    assert_eq!(queue.place(1), Some(Place::Backoff));
    assert_eq!(queue.next_flush(at(600)), Some(at(2_000)));
    queue.flush_backoff(&policy, at(1_999));
    assert_eq!(queue.place(1), Some(Place::Backoff));
    queue.flush_backoff(&policy, at(2_000));
    assert_eq!(queue.place(1), Some(Place::Active));
    assert_eq!(queue.next_flush(at(2_000)), None);
}

#[test]
fn a_pod_that_has_waited_long_enough_does_not_back_off() {
    let (mut queue, policy) = queue();
    queue.add(&policy, 1, 0, at(0));
    reject(&mut queue, &policy, &[FIT], at(0));
    queue.move_all(&policy, &FIT, at(2_000));
    assert_eq!(queue.place(1), Some(Place::Active));
}

#[test]
fn pods_that_back_off_are_taken_when_there_is_nothing_else() {
    let (mut queue, policy) = queue();
    for (pod, priority) in [(1, 0), (2, 7)] {
        queue.add(&policy, pod, priority, at(0));
    }
    reject(&mut queue, &policy, &[FIT], at(100));
    reject(&mut queue, &policy, &[FIT], at(50));
    queue.move_all(&policy, &FIT, at(200));
    assert_eq!(queue.counts().backoff, 2);
    // Both end in one second: the one that goes first otherwise is taken, though it failed later.
    assert_eq!(queue.pop().map(|pod| (pod.pod, pod.attempts)), Some((2, 2)));
    assert_eq!(queue.pop().map(|pod| pod.pod), Some(1));
    assert_eq!(queue.pop(), None);
}

#[test]
fn pods_that_failed_for_another_reason_sit_their_back_off_out() {
    let (mut queue, policy) = queue();
    queue.add(&policy, 1, 0, at(0));
    assert_eq!(reject(&mut queue, &policy, &[], at(0)), Some(Place::Backoff));
    assert_eq!(queue.pop(), None);
    queue.flush_backoff(&policy, at(2_000));
    assert_eq!(reject(&mut queue, &policy, &[], at(2_000)), Some(Place::Backoff));
    assert_eq!(queue.get(1).map(|pod| pod.consecutive_errors), Some(2));
    assert_eq!(queue.next_flush(at(2_000)), Some(at(5_000)));
    queue.flush_backoff(&policy, at(5_000));
    reject(&mut queue, &policy, &[FIT], at(5_000));
    let pod = queue.get(1).expect("it waits");
    assert_eq!((pod.consecutive_errors, pod.unschedulable_count, pod.attempts), (0, 1, 3));
}

#[test]
fn without_a_limit_there_is_no_back_off() {
    let backoff = Backoff { max: SimDuration::ZERO, ..Backoff::default() };
    let mut queue = Queue::new(QueueConfig { backoff, ..QueueConfig::default() });
    let policy = Policy::default();
    queue.add(&policy, 1, 0, at(0));
    assert_eq!(reject(&mut queue, &policy, &[], at(0)), Some(Place::Active));
}

#[test]
fn pods_are_left_in_back_off_where_that_is_asked_for() {
    let backoff = Backoff { pop_early: false, ..Backoff::default() };
    let mut queue = Queue::new(QueueConfig { backoff, ..QueueConfig::default() });
    let policy = Policy::default();
    queue.add(&policy, 1, 0, at(0));
    reject(&mut queue, &policy, &[FIT], at(500));
    queue.move_all(&policy, &FIT, at(600));
    assert_eq!(queue.pop(), None);
    // The back-off ends at 1.5 s, and is flushed at the next whole second.
    assert_eq!(queue.next_flush(at(600)), Some(at(2_000)));
    queue.flush_backoff(&policy, at(2_000));
    assert_eq!(queue.pop().map(|pod| pod.pod), Some(1));
}

#[test]
fn what_happens_while_a_pod_is_scheduled_counts_when_it_comes_back() {
    let (mut queue, policy) = queue();
    queue.add(&policy, 1, 0, at(0));
    queue.add(&policy, 2, 0, at(1));
    queue.move_all(&policy, &FIT, at(1));
    assert_eq!(queue.events_kept(), 0, "nobody is being scheduled");
    let mut first = queue.pop().expect("a pod");
    queue.move_all(&policy, &FIT, at(2));
    let mut second = queue.pop().expect("a pod");
    queue.move_all(&policy, &AFFINITY, at(3));
    assert_eq!(queue.events_kept(), 2);
    first.unschedulable_plugins.insert(FIT);
    second.unschedulable_plugins.insert(FIT);
    assert_eq!(queue.add_unschedulable(&policy, first, at(4)), Some(Place::Backoff));
    assert_eq!(queue.events_kept(), 1, "what came before the second pod is not needed");
    assert_eq!(queue.add_unschedulable(&policy, second, at(4)), Some(Place::Unschedulable));
    assert_eq!((queue.events_kept(), queue.counts().in_flight), (0, 0));
}

#[test]
fn when_what_a_plugin_waited_for_comes_the_pod_is_tried_at_once() {
    let (mut queue, policy) = queue();
    queue.add(&policy, 1, 0, at(0));
    let mut pod = queue.pop().expect("a pod");
    pod.unschedulable_plugins.insert(FIT);
    pod.pending_plugins.insert(VOLUMES);
    queue.move_all(&policy, &FIT, at(1));
    queue.move_all(&policy, &VOLUMES, at(1));
    assert_eq!(queue.add_unschedulable(&policy, pod, at(2)), Some(Place::Active));
    let mut pod = queue.pop().expect("a pod");
    pod.pending_plugins.insert(VOLUMES);
    assert_eq!(queue.add_unschedulable(&policy, pod, at(3)), Some(Place::Unschedulable));
    queue.move_all(&policy, &VOLUMES, at(4));
    assert_eq!(queue.place(1), Some(Place::Active));
}

#[test]
fn pods_can_be_activated_wherever_they_are() {
    let (mut queue, policy) = queue();
    for pod in 1..=3 {
        queue.add(&policy, pod, 0, at(u64::from(pod)));
    }
    reject(&mut queue, &policy, &[FIT], at(10));
    reject(&mut queue, &policy, &[], at(10));
    let mut third = queue.pop().expect("a pod");
    queue.activate(&policy, &[1, 2, 3, 99], at(20));
    assert_eq!((queue.place(1), queue.place(2)), (Some(Place::Active), Some(Place::Active)));
    assert_eq!(queue.place(99), None);
    third.unschedulable_plugins.insert(AFFINITY);
    assert_eq!(queue.add_unschedulable(&policy, third, at(30)), Some(Place::Backoff));
}

#[test]
fn a_gate_keeps_a_pod_out_until_it_is_taken_off() {
    let (mut queue, policy) = queue();
    policy.gated.borrow_mut().insert(1);
    queue.add(&policy, 1, 0, at(0));
    assert_eq!(queue.counts(), QueueCounts { gated: 1, ..QueueCounts::default() });
    assert_eq!(queue.get(1).and_then(|pod| pod.gating_plugin), Some(GATES));
    queue.move_all(&policy, &FIT, at(1));
    queue.activate(&policy, &[1], at(1));
    assert_eq!(queue.counts().gated, 1);
    policy.gated.borrow_mut().clear();
    queue.update(&policy, 1, 0, &[AFFINITY], at(2));
    assert_eq!(queue.place(1), Some(Place::Unschedulable), "another change does not help");
    queue.update(&policy, 1, 0, &[GATES], at(3));
    assert_eq!(queue.place(1), Some(Place::Active), "it never failed, so it does not back off");
    assert_eq!(queue.counts().gated, 0);
    assert_eq!(queue.get(1).and_then(|pod| pod.initial_attempt), Some(at(3)));
}

#[test]
fn gates_are_asked_before_a_pod_backs_off() {
    let (mut queue, policy) = queue();
    queue.add(&policy, 1, 0, at(0));
    let pod = queue.pop().expect("a pod");
    policy.gated.borrow_mut().insert(1);
    assert_eq!(queue.add_unschedulable(&policy, pod, at(0)), Some(Place::Unschedulable));
    assert_eq!(queue.counts().gated, 1);
}

#[test]
fn unschedulable_pods_are_tried_again_after_five_minutes() {
    let (mut queue, policy) = queue();
    queue.add(&policy, 1, 0, at(0));
    reject(&mut queue, &policy, &[FIT], at(10_000));
    assert_eq!(queue.next_flush(at(10_000)), Some(at(330_000)));
    queue.flush_unschedulable(&policy, at(310_000));
    assert_eq!(queue.place(1), Some(Place::Unschedulable), "five minutes are not over");
    queue.flush_unschedulable(&policy, at(330_000));
    assert_eq!(queue.place(1), Some(Place::Active));
}

#[test]
fn a_pod_that_is_changed_keeps_its_place_and_takes_its_turn() {
    let (mut queue, policy) = queue();
    queue.add(&policy, 1, 0, at(0));
    queue.add(&policy, 2, 1, at(0));
    queue.update(&policy, 1, 2, &[], at(1));
    assert_eq!(queue.active().collect::<Vec<_>>(), [1, 2]);
    queue.update(&policy, 3, 9, &[], at(2));
    assert_eq!(queue.active().next(), Some(3), "a pod that is not there comes new");
    let mut pod = queue.pop().expect("a pod");
    queue.update(&policy, 3, 9, &[FIT], at(3));
    assert!(queue.is_in_flight(3) && queue.place(3).is_none());
    pod.unschedulable_plugins.insert(FIT);
    assert_eq!(queue.add_unschedulable(&policy, pod, at(3)), Some(Place::Backoff));
}

#[test]
fn deleted_pods_are_gone() {
    let (mut queue, policy) = queue();
    for pod in 1..=2 {
        queue.add(&policy, pod, 0, at(0));
    }
    reject(&mut queue, &policy, &[FIT], at(0));
    queue.delete(1);
    queue.delete(2);
    queue.delete(3);
    assert_eq!(queue.counts(), QueueCounts::default());
    queue.add(&policy, 4, 0, at(0));
    queue.pop().expect("a pod");
    queue.move_all(&policy, &FIT, at(1));
    queue.done(4);
    assert_eq!((queue.counts(), queue.events_kept()), (QueueCounts::default(), 0));
}

#[test]
fn a_pod_is_in_the_queue_once() {
    let (mut queue, policy) = queue();
    queue.add(&policy, 1, 0, at(0));
    let pod = queue.pop().expect("a pod");
    queue.add(&policy, 1, 0, at(1));
    assert_eq!(queue.place(1), None, "it is being scheduled");
    queue.done(1);
    queue.add(&policy, 1, 0, at(2));
    assert_eq!(queue.add_unschedulable(&policy, pod, at(3)), None);
    assert_eq!(queue.counts(), QueueCounts { active: 1, ..QueueCounts::default() });
}

#[test]
fn sets_of_plugins_hold_what_was_put_in() {
    let set: PluginSet = [FIT, VOLUMES, PluginId(63)].into_iter().collect();
    assert_eq!(set.iter().collect::<Vec<_>>(), [FIT, VOLUMES, PluginId(63)]);
    assert!(!set.contains(GATES) && !set.contains(PluginId(200)));
}

proptest! {
    /// Whatever is done, a pod is in one place, and none is lost.
    #[test]
    fn no_pod_is_lost(steps in prop::collection::vec((0_u8..8, 0_u32..6, 0_u64..4_000), 0..120)) {
        let (mut queue, policy) = queue();
        let mut now = at(0);
        let mut alive = BTreeSet::new();
        let mut taken: Vec<QueuedPod<u32>> = Vec::new();
        for (step, pod, pause) in steps {
            now += SimDuration(pause * 1_000);
            let plugin = PluginId(u8::try_from(pod % 3).expect("small"));
            match step {
                0 => {
                    queue.add(&policy, pod, i32::try_from(pod % 2).expect("small"), now);
                    alive.insert(pod);
                }
                1 => taken.extend(queue.pop()),
                2 => queue.move_all(&policy, &plugin, now),
                3 => queue.flush_backoff(&policy, now),
                4 => queue.flush_unschedulable(&policy, now),
                5 => queue.activate(&policy, &[pod], now),
                6 if !taken.is_empty() => {
                    let mut back = taken.swap_remove(0);
                    if pause % 2 == 0 {
                        back.unschedulable_plugins.insert(plugin);
                    }
                    prop_assert!(queue.add_unschedulable(&policy, back, now).is_some());
                }
                _ => {
                    if taken.iter().all(|one| one.pod != pod) {
                        queue.delete(pod);
                        alive.remove(&pod);
                    }
                }
            }
            let counts = queue.counts();
            let waiting = counts.active + counts.backoff + counts.unschedulable + counts.gated;
            prop_assert_eq!(counts.in_flight, taken.len());
            prop_assert_eq!(waiting + taken.len(), alive.len());
            if let Some(next) = queue.next_flush(now) {
                prop_assert!(next > now);
            }
        }
    }
}
