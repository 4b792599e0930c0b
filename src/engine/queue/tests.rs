//! The queue against a list that is kept sorted by (time, class, sequence).

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbered {
    class: EventClass,
    sequence: u64,
}

impl Event for Numbered {
    fn class(&self) -> EventClass {
        self.class
    }
}

/// The naive queue: looks through everything for the least (time, class, sequence).
#[derive(Default)]
struct Oracle {
    pending: Vec<(SimTime, EventClass, u64)>,
}

impl Oracle {
    fn peek(&self) -> Option<(SimTime, EventClass, u64)> {
        self.pending.iter().min().copied()
    }
    fn pop(&mut self) -> Option<(SimTime, EventClass, u64)> {
        let least = self.peek()?;
        self.pending.retain(|entry| *entry != least);
        Some(least)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push {
        ahead: u64,
        class: usize,
    },
    /// Pushes between now and the next event, as an arrival from a trace does.
    PushBeforeNext {
        share: u64,
        class: usize,
    },
    Pop {
        times: usize,
    },
}

/// Increments of every magnitude, many of them zero or equal.
fn ahead() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => Just(0_u64),
        3 => 0_u64..4,
        2 => (0_u64..8).prop_map(|n| n * 60_000_000),
        2 => (0_u32..50).prop_flat_map(|bits| 0..1_u64 << bits),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (ahead(), 0_usize..5).prop_map(|(ahead, class)| Step::Push { ahead, class }),
        1 => (1_u64..5, 0_usize..5)
            .prop_map(|(share, class)| Step::PushBeforeNext { share, class }),
        3 => (1_usize..4).prop_map(|times| Step::Pop { times }),
    ]
}

/// Both queues, compared after every step.
#[derive(Default)]
struct Pair {
    queue: EventQueue<Numbered>,
    oracle: Oracle,
    sequence: u64,
}

impl Pair {
    fn push(&mut self, time: SimTime, class: usize) {
        let event = Numbered { class: EventClass::ALL[class], sequence: self.sequence };
        self.sequence += 1;
        self.queue.push(time, event);
        self.oracle.pending.push((time, event.class, event.sequence));
    }

    fn pop(&mut self) -> bool {
        let now = self.queue.now();
        let popped = self.queue.pop();
        assert_eq!(popped.map(|(t, e)| (t, e.class, e.sequence)), self.oracle.pop());
        assert_eq!(self.queue.now(), popped.map_or(now, |(time, _)| time));
        popped.is_some()
    }

    fn apply(&mut self, step: Step) {
        let now = self.queue.now();
        match step {
            Step::Push { ahead, class } => self.push(SimTime(now.0 + ahead), class),
            Step::PushBeforeNext { share, class } => {
                let next = self.queue.peek().map_or(now, |(time, _)| time);
                self.push(SimTime(now.0 + next.since(now).0 / share), class);
            }
            Step::Pop { times } => (0..times).for_each(|_| {
                self.pop();
            }),
        }
        assert_eq!(self.queue.peek(), self.oracle.peek().map(|(time, class, _)| (time, class)));
        assert_eq!(self.queue.len(), self.oracle.pending.len());
        assert_eq!(self.queue.is_empty(), self.oracle.pending.is_empty());
    }
}

proptest! {
    #[test]
    fn events_leave_by_time_then_class_then_order_of_insertion(
        steps in prop::collection::vec(step(), 0..400)
    ) {
        let mut pair = Pair::default();
        steps.into_iter().for_each(|step| pair.apply(step));
        while pair.pop() {}
    }
}

/// Mostly pushes, close together: the front overflows, and so do single buckets.
fn crowding_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u64..2_000, 0_usize..5).prop_map(|(ahead, class)| Step::Push { ahead, class }),
        2 => (1_u64..3, 0_usize..5)
            .prop_map(|(share, class)| Step::PushBeforeNext { share, class }),
        3 => (1_usize..3).prop_map(|times| Step::Pop { times }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_crowd_of_events_leaves_in_the_same_order(
        steps in prop::collection::vec(crowding_step(), 1500..2500)
    ) {
        let mut pair = Pair::default();
        steps.into_iter().for_each(|step| pair.apply(step));
        while pair.pop() {}
    }
}

fn event(class: EventClass, sequence: u64) -> Numbered {
    Numbered { class, sequence }
}

#[test]
fn a_lower_class_pushed_at_the_present_instant_overtakes_those_that_wait() {
    let mut queue = EventQueue::new();
    let noon = SimTime::from_secs(43_200);
    queue.push(noon, event(EventClass::Observation, 0));
    queue.push(noon, event(EventClass::Sampling, 1));
    queue.push(noon, event(EventClass::Scheduling, 2));
    assert_eq!(queue.pop(), Some((noon, event(EventClass::Observation, 0))));
    queue.push(noon, event(EventClass::Truth, 3));
    queue.push(noon, event(EventClass::Scheduling, 4));
    let rest: Vec<u64> =
        std::iter::from_fn(|| queue.pop()).map(|(_, event)| event.sequence).collect();
    assert_eq!(rest, [3, 2, 4, 1]);
}

#[test]
fn a_peek_leaves_room_for_an_earlier_event() {
    let mut queue = EventQueue::new();
    queue.push(SimTime(1_000_000), event(EventClass::Truth, 0));
    queue.push(SimTime(1_000_001), event(EventClass::Truth, 1));
    assert_eq!(queue.peek(), Some((SimTime(1_000_000), EventClass::Truth)));
    assert_eq!(queue.now(), SimTime::ZERO);
    queue.push(SimTime(7), event(EventClass::Arrival, 2));
    assert_eq!(queue.pop(), Some((SimTime(7), event(EventClass::Arrival, 2))));
}

#[test]
fn what_comes_before_is_decided_by_time_and_then_by_class() {
    let mut queue = EventQueue::new();
    let at = SimTime(5);
    assert!(!queue.comes_before(at, EventClass::Sampling));
    queue.push(at, event(EventClass::Arrival, 0));
    assert!(queue.comes_before(SimTime(6), EventClass::Truth));
    assert!(queue.comes_before(at, EventClass::Scheduling));
    assert!(!queue.comes_before(at, EventClass::Arrival));
    assert!(!queue.comes_before(SimTime(4), EventClass::Sampling));
}

#[test]
fn the_latest_time_there_is_can_be_queued() {
    let mut queue = EventQueue::new();
    let latest = EventQueue::<Numbered>::LATEST;
    queue.push(latest, event(EventClass::Sampling, 0));
    queue.push(SimTime::ZERO, event(EventClass::Truth, 1));
    assert_eq!(queue.pop(), Some((SimTime::ZERO, event(EventClass::Truth, 1))));
    assert_eq!(queue.pop(), Some((latest, event(EventClass::Sampling, 0))));
    assert_eq!(queue.pop(), None);
}

#[test]
#[should_panic(expected = "before now (10us)")]
fn an_event_in_the_past_is_refused() {
    let mut queue = EventQueue::new();
    queue.push(SimTime(10), event(EventClass::Truth, 0));
    queue.pop();
    queue.push(SimTime(9), event(EventClass::Truth, 1));
}

#[test]
#[should_panic(expected = "later than a queue can tell")]
fn an_event_at_the_end_of_time_is_refused() {
    EventQueue::new().push(SimTime::MAX, event(EventClass::Truth, 0));
}

#[test]
fn memory_follows_the_number_pending_not_the_number_that_passed() {
    const PENDING: u64 = 20_000;
    let mut queue = EventQueue::new();
    for sequence in 0..PENDING {
        queue.push(SimTime(sequence * 977), event(EventClass::Truth, sequence));
    }
    for sequence in 0..1_000_000 {
        let (now, _) = queue.pop().expect("all that is popped is pushed again");
        let ahead = SimTime(now.0 + sequence * 7_919 % 40_000_000);
        queue.push(ahead, event(EventClass::Truth, sequence));
    }
    let slots = queue.items.slots() as u64;
    assert!(slots < 2 * PENDING, "{slots} slots for {PENDING} events");
}
