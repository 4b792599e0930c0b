//! The event queue: what will happen, in the exact order (time, class, sequence of insertion).
//!
//! It never learns what an event means, and never searches: what has become stale is recognised
//! by whoever pops it (see [`Incarnation`](super::Incarnation)).
//!
//! A simulation never schedules into its past, so the queue is a radix heap: a bucket holds the
//! events whose key, (time, class) in one integer, first differs from the present in a certain
//! digit. When the present reaches a bucket, its events are dealt to the buckets of the lower
//! digits in the order in which they stand, so that equal keys stay in the order of insertion
//! and the sequence need not be stored. Buckets of the lowest digit hold one key each, so an
//! event of a low class pushed at the present instant leaves before the higher ones that wait.
//! A bucket of few events is not dealt any further but sorted into the front, an array of those
//! that come next.
//!
//! Digits of 8 bits with chunks of 32 events were the fastest of 6 to 10 bits and 8 to 64 events,
//! from a thousand to a million pending (`benches/queue.rs`).

mod chunks;
mod front;

use chunks::{Chunks, List};
use front::Front;

use super::SimTime;

/// What a thing must tell to be queued. Events are copied about: keep them small.
pub trait Event: Copy {
    /// The rank of this event among those of the same instant.
    fn class(&self) -> EventClass;
}

/// The rank of an event among those of the same instant; the lowest happens first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EventClass {
    /// Ends, repairs and failures: room is freed before it is asked for.
    Truth = 0,
    /// What the control plane notices, and the controllers it wakes.
    Observation = 1,
    /// Pods that come in.
    Arrival = 2,
    /// Decisions of schedulers.
    Scheduling = 3,
    /// Looking at the outcome.
    Sampling = 4,
}

impl EventClass {
    /// Every class, in order: each stands at the index that is its number.
    pub const ALL: [Self; 5] =
        [Self::Truth, Self::Observation, Self::Arrival, Self::Scheduling, Self::Sampling];
}

/// Bits of a key below the time: the class.
const CLASS_BITS: u32 = 3;
/// Bits of one digit.
const DIGIT_BITS: u32 = 8;
const DIGITS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = u64::BITS.div_ceil(DIGIT_BITS) as usize;
const WORDS: usize = DIGITS.div_ceil(64);

/// Most events of a bucket that are shown as near when the present reaches it.
const NEAR: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Item<E> {
    key: u64,
    event: E,
}

/// A bucket that holds something; what an empty one contains means nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    least_key: u64,
    list: List,
}

/// Events to come, in the order of time, then class, then insertion.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    front: Front<E>,
    items: Chunks<Item<E>>,
    buckets: Vec<Bucket>,
    /// For each level, which of its buckets hold something.
    occupied: [[u64; WORDS]; LEVELS],
    /// Which levels have a bucket that holds something.
    levels: u64,
    /// What the levels are counted from. No queued key is below it, nor is the present.
    base: u64,
    /// The last popped time.
    now: SimTime,
    len: usize,
}

impl<E: Event> EventQueue<E> {
    /// The latest time at which an event can be: some 73,000 years after the start.
    pub const LATEST: SimTime = SimTime(u64::MAX >> CLASS_BITS);

    /// An empty queue, at the start of the run.
    pub fn new() -> Self {
        Self {
            front: Front::new(),
            items: Chunks::new(),
            buckets: vec![Bucket::default(); LEVELS * DIGITS],
            occupied: [[0; WORDS]; LEVELS],
            levels: 0,
            base: 0,
            now: SimTime::ZERO,
            len: 0,
        }
    }

    /// Adds `event`, to happen at `time`, after all that is queued for the same time and class.
    ///
    /// # Panics
    ///
    /// If `time` is before [`now`](Self::now) or after [`LATEST`](Self::LATEST).
    #[inline]
    pub fn push(&mut self, time: SimTime, event: E) {
        assert!(time >= self.now(), "an event was pushed at {time}, before now ({})", self.now());
        assert!(time <= Self::LATEST, "an event was pushed at {time}, later than a queue can tell");
        let item = Item { key: key(time, event.class()), event };
        self.len += 1;
        if self.front.covers(item.key) {
            if !self.front.is_full() {
                return self.front.insert(item);
            }
            self.spill_front();
        }
        self.items.prepare(&item);
        let slot = self.reserve(item.key);
        self.items.set(slot, item);
    }

    /// Takes the next event, and moves [`now`](Self::now) to its time.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.pop_showing(|_| {})
    }

    /// The same, and shows `near` events that will be popped soon: some of them more than once,
    /// some not at all, a bucket of them at a time. Whoever reads there and then what these events
    /// are about waits for memory once and not once for each.
    #[inline]
    pub fn pop_showing(&mut self, near: impl FnMut(&E)) -> Option<(SimTime, E)> {
        if self.front.is_empty() {
            self.refill_front(near);
        }
        let item = self.front.pop()?;
        self.len -= 1;
        self.now = time_of(item.key);
        Some((self.now, item.event))
    }

    /// When and of which class the next event is. Takes nothing and moves no clock: an event
    /// before it can still be pushed.
    #[inline]
    pub fn peek(&self) -> Option<(SimTime, EventClass)> {
        let least_key = match self.front.least_key() {
            Some(key) => key,
            None => {
                let (level, digit) = self.lowest()?;
                self.buckets[index(level, digit)].least_key
            }
        };
        Some((time_of(least_key), class_of(least_key)))
    }

    /// Whether the next event comes before everything of `class` at `time`.
    pub fn comes_before(&self, time: SimTime, class: EventClass) -> bool {
        self.peek().is_some_and(|next| next < (time, class))
    }

    /// The number of events queued.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The time of the last popped event; zero before the first.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The level and digit of the bucket that holds the least key.
    #[inline]
    fn lowest(&self) -> Option<(usize, usize)> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        let words = &self.occupied[level];
        let word = words.iter().position(|word| *word != 0)?;
        Some((level, word * 64 + words[word].trailing_zeros() as usize))
    }

    /// Moves the next event, and what is close to it, from the buckets to the front, which is
    /// empty. Only for [`pop`](Self::pop), which takes that event.
    fn refill_front(&mut self, mut near: impl FnMut(&E)) {
        while let Some((level, digit)) = self.lowest() {
            let bucket = &mut self.buckets[index(level, digit)];
            if level == 0 {
                self.front.insert(*self.items.get(bucket.list.head));
                match self.items.drop_first(bucket.list) {
                    Some(rest) => bucket.list = rest,
                    None => self.mark_empty(level, digit),
                }
                return;
            }
            let Bucket { least_key, list } = *bucket;
            self.mark_empty(level, digit);
            self.items.iter(list).take(NEAR).for_each(|item| near(&item.event));
            if list.is_short() {
                self.front.cover(end_of(least_key, level));
                for item in self.items.take_short(list) {
                    self.front.insert(*item);
                }
                return;
            }
            // The next event is popped at once, so that nothing can be pushed below the new base.
            self.base = key(time_of(least_key), EventClass::Truth);
            self.deal(list);
        }
    }

    /// Gives the events at the front back to the buckets, which become finer for it.
    ///
    /// The base moves to the present, not to the next event: one may still be pushed before it.
    #[cold]
    fn spill_front(&mut self) {
        self.base = key(self.now, EventClass::Truth);
        self.front.cover(0);
        while let Some(item) = self.front.pop() {
            let slot = self.reserve(item.key);
            self.items.set(slot, item);
        }
    }

    /// Reserves a slot at the end of the bucket that `key` belongs to.
    #[inline]
    fn reserve(&mut self, key: u64) -> u32 {
        let level = level_of(key, self.base);
        let digit = digit_of(key, level);
        let bucket = &mut self.buckets[index(level, digit)];
        let word = &mut self.occupied[level][digit / 64];
        let bit = 1 << (digit % 64);
        if *word & bit == 0 {
            *word |= bit;
            self.levels |= 1 << level;
            let list = self.items.start();
            *bucket = Bucket { least_key: key, list };
            return list.head;
        }
        bucket.least_key = bucket.least_key.min(key);
        self.items.append(&mut bucket.list)
    }

    /// Deals the items of a bucket that the base has reached to the levels below, in order.
    fn deal(&mut self, list: List) {
        let mut rest = Some(list);
        while let Some(list) = rest {
            let slot = self.reserve(self.items.get(list.head).key);
            self.items.copy(list.head, slot);
            rest = self.items.drop_first(list);
        }
    }

    #[inline]
    fn mark_empty(&mut self, level: usize, digit: usize) {
        let words = &mut self.occupied[level];
        words[digit / 64] &= !(1 << (digit % 64));
        if words.iter().all(|word| *word == 0) {
            self.levels &= !(1 << level);
        }
    }
}

impl<E: Event> Default for EventQueue<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[inline]
const fn key(time: SimTime, class: EventClass) -> u64 {
    time.0 << CLASS_BITS | class as u64
}

#[inline]
const fn time_of(key: u64) -> SimTime {
    SimTime(key >> CLASS_BITS)
}

#[inline]
fn class_of(key: u64) -> EventClass {
    EventClass::ALL[key as usize & ((1 << CLASS_BITS) - 1)]
}

/// The end of the range of keys that share a bucket of `level` with `key`.
#[inline]
const fn end_of(key: u64, level: usize) -> u64 {
    (key | ((1 << (level as u32 * DIGIT_BITS)) - 1)).saturating_add(1)
}

/// The highest digit in which `key` differs from `base`.
#[inline]
const fn level_of(key: u64, base: u64) -> usize {
    (((key ^ base) | 1).ilog2() / DIGIT_BITS) as usize
}

#[inline]
const fn digit_of(key: u64, level: usize) -> usize {
    (key >> (level as u32 * DIGIT_BITS)) as usize % DIGITS
}

#[inline]
const fn index(level: usize, digit: usize) -> usize {
    level * DIGITS + digit
}

#[cfg(test)]
mod tests;
