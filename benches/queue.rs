//! The event queue alone, by the hold model: pop one event, push one a random increment later.
//!
//! One iteration is one pop and one push, at a constant number pending, after as many holds as
//! it takes to reach the steady state. A binary heap over (time, class, sequence) is beside it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use cellsim::engine::{Event, EventClass, EventQueue, SimDuration, SimTime};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};

/// Sixteen bytes, as a simulation's own event.
#[derive(Clone, Copy)]
struct Payload {
    class: EventClass,
    entity: u32,
    detail: u64,
}

impl Event for Payload {
    fn class(&self) -> EventClass {
        self.class
    }
}

/// What the two queues have in common.
trait Queue {
    fn push(&mut self, time: SimTime, event: Payload);
    fn pop(&mut self) -> (SimTime, Payload);
}

impl Queue for EventQueue<Payload> {
    fn push(&mut self, time: SimTime, event: Payload) {
        EventQueue::push(self, time, event);
    }
    fn pop(&mut self) -> (SimTime, Payload) {
        EventQueue::pop(self).expect("the hold model never empties the queue")
    }
}

struct Entry {
    order: Reverse<(SimTime, EventClass, u64)>,
    event: Payload,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

#[derive(Default)]
struct Baseline {
    heap: BinaryHeap<Entry>,
    sequence: u64,
}

impl Queue for Baseline {
    fn push(&mut self, time: SimTime, event: Payload) {
        self.sequence += 1;
        let order = Reverse((time, event.class, self.sequence));
        self.heap.push(Entry { order, event });
    }
    fn pop(&mut self) -> (SimTime, Payload) {
        let entry = self.heap.pop().expect("the hold model never empties the queue");
        (entry.order.0.0, entry.event)
    }
}

/// How far ahead a new event is pushed. Each is drawn from a table, so that the logarithm of an
/// exponential is not what is measured.
#[derive(Clone, Copy)]
enum Increments {
    /// Mean ten minutes.
    Exponential,
    /// Nine in ten within two seconds, one in ten within ten hours.
    Bimodal,
    /// Whole minutes up to an hour: nearly all are ties.
    Ties,
}

const TABLE: usize = 1 << 10;

fn table(increments: Increments) -> Vec<SimDuration> {
    let mut bits = 0x9e37_79b9_7f4a_7c15;
    let mut uniform = || {
        bits = step(bits);
        ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let seconds = |u: f64, v: f64| match increments {
        Increments::Exponential => -600.0 * libm::log(u),
        Increments::Bimodal if v < 0.9 => 2.0 * u,
        Increments::Bimodal => 36_000.0 * u,
        Increments::Ties => 60.0 * (60.0 * u).ceil(),
    };
    (0..TABLE).map(|_| SimDuration::from_secs_f64(seconds(uniform(), uniform()))).collect()
}

/// One step of the xorshift64 generator, cheap beside a hold.
fn step(mut bits: u64) -> u64 {
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^ (bits << 17)
}

/// The hold model over any queue.
struct Hold<Q> {
    queue: Q,
    increments: Vec<SimDuration>,
    bits: u64,
    /// Added to every increment but those of ties, so that the table does not make ties.
    jitter_mask: u64,
}

impl<Q: Queue> Hold<Q> {
    fn new(queue: Q, pending: usize, increments: Increments) -> Self {
        let jitter_mask = match increments {
            Increments::Exponential | Increments::Bimodal => 0xffff,
            Increments::Ties => 0,
        };
        let increments = table(increments);
        let mut hold = Self { queue, increments, bits: 1, jitter_mask };
        for entity in 0..pending {
            let class = EventClass::ALL[entity % EventClass::ALL.len()];
            let event = Payload { class, entity: entity as u32, detail: 0 };
            hold.push(SimTime::ZERO, event);
        }
        for _ in 0..pending * 4 {
            hold.step();
        }
        hold
    }

    fn push(&mut self, now: SimTime, event: Payload) {
        self.bits = step(self.bits);
        let increment = self.increments[(self.bits >> 32) as usize % TABLE];
        let jitter = SimDuration(self.bits & self.jitter_mask);
        self.queue.push(now + increment + jitter, event);
    }

    fn step(&mut self) {
        let (now, mut event) = self.queue.pop();
        event.detail += 1;
        black_box(event.entity);
        self.push(now, event);
    }
}

fn bench<Q: Queue>(
    group: &mut BenchmarkGroup<WallTime>,
    id: &str,
    (pending, increments): (usize, Increments),
    new: impl Fn() -> Q,
) {
    let mut hold = None;
    group.bench_function(id, |bencher| {
        let hold = hold.get_or_insert_with(|| Hold::new(new(), pending, increments));
        bencher.iter(|| hold.step());
    });
}

fn queue(criterion: &mut Criterion) {
    let kinds = [
        ("exponential", Increments::Exponential),
        ("bimodal", Increments::Bimodal),
        ("ties", Increments::Ties),
    ];
    let mut group = criterion.benchmark_group("queue");
    group.throughput(Throughput::Elements(1));
    for (kind, increments) in kinds {
        for (size, pending) in [("1k", 1_000), ("100k", 100_000), ("1M", 1_000_000)] {
            let id = format!("{kind}/{size}");
            bench(&mut group, &id, (pending, increments), EventQueue::new);
            let id = format!("binary-heap/{kind}/{size}");
            bench(&mut group, &id, (pending, increments), Baseline::default);
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_secs(1));
    targets = queue
}
criterion_main!(benches);
