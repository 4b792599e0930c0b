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

mod chunks;

use chunks::{Chunks, List};

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
/// Bits of one digit, chosen by `benches/queue.rs`.
const DIGIT_BITS: u32 = 8;
const DIGITS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = u64::BITS.div_ceil(DIGIT_BITS) as usize;
const WORDS: usize = DIGITS.div_ceil(64);

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

/// Events to come; see the [module](self) for the order and how it is kept.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    items: Chunks<Item<E>>,
    buckets: Vec<Bucket>,
    /// For each level, which of its buckets hold something.
    occupied: [[u64; WORDS]; LEVELS],
    /// Which levels have a bucket that holds something.
    levels: u64,
    /// The last popped time, as the key of its lowest class.
    present: u64,
    len: usize,
}

impl<E: Event> EventQueue<E> {
    /// The latest time at which an event can be: some 73,000 years after the start.
    pub const LATEST: SimTime = SimTime(u64::MAX >> CLASS_BITS);

    /// An empty queue, at the start of the run.
    pub fn new() -> Self {
        Self {
            items: Chunks::new(),
            buckets: vec![Bucket::default(); LEVELS * DIGITS],
            occupied: [[0; WORDS]; LEVELS],
            levels: 0,
            present: 0,
            len: 0,
        }
    }

    /// Adds `event`, to happen at `time`, after all that is queued for the same time and class.
    ///
    /// # Panics
    ///
    /// If `time` is before [`now`](Self::now) or after [`LATEST`](Self::LATEST).
    pub fn push(&mut self, time: SimTime, event: E) {
        assert!(time >= self.now(), "an event was pushed at {time}, before now ({})", self.now());
        assert!(time <= Self::LATEST, "an event was pushed at {time}, later than a queue can tell");
        let key = key(time, event.class());
        self.place(Item { key, event });
        self.len += 1;
    }

    /// Takes the next event, and moves [`now`](Self::now) to its time.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        let (mut level, mut digit) = self.lowest()?;
        self.len -= 1;
        if level > 0 {
            let bucket = self.buckets[index(level, digit)];
            self.present = key(time_of(bucket.least_key), EventClass::Truth);
            if !bucket.list.is_single() {
                self.deal(level, digit);
                level = 0;
                digit = digit_of(bucket.least_key, 0);
            }
        }
        let (item, rest) = self.items.take_first(self.buckets[index(level, digit)].list);
        match rest {
            Some(list) => self.buckets[index(level, digit)].list = list,
            None => self.mark_empty(level, digit),
        }
        let time = time_of(item.key);
        self.present = key(time, EventClass::Truth);
        Some((time, item.event))
    }

    /// When and of which class the next event is. Takes nothing and moves no clock: an event
    /// before it can still be pushed.
    pub fn peek(&self) -> Option<(SimTime, EventClass)> {
        let (level, digit) = self.lowest()?;
        let least_key = self.buckets[index(level, digit)].least_key;
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
        time_of(self.present)
    }

    /// The level and digit of the bucket that holds the least key.
    fn lowest(&self) -> Option<(usize, usize)> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        let words = &self.occupied[level];
        let word = words.iter().position(|word| *word != 0)?;
        Some((level, word * 64 + words[word].trailing_zeros() as usize))
    }

    /// Puts `item` at the end of the bucket it belongs to.
    fn place(&mut self, item: Item<E>) {
        let level = level_of(item.key, self.present);
        let digit = digit_of(item.key, level);
        let bucket = &mut self.buckets[index(level, digit)];
        let word = &mut self.occupied[level][digit / 64];
        let bit = 1 << (digit % 64);
        if *word & bit == 0 {
            *word |= bit;
            self.levels |= 1 << level;
            *bucket = Bucket { least_key: item.key, list: self.items.start(item) };
        } else {
            bucket.least_key = bucket.least_key.min(item.key);
            self.items.append(&mut bucket.list, item);
        }
    }

    /// Deals the items of a bucket that the present has reached to the levels below, in order.
    fn deal(&mut self, level: usize, digit: usize) {
        self.mark_empty(level, digit);
        let mut rest = Some(self.buckets[index(level, digit)].list);
        while let Some(list) = rest {
            let (item, others) = self.items.take_first(list);
            self.place(item);
            rest = others;
        }
    }

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

const fn key(time: SimTime, class: EventClass) -> u64 {
    time.0 << CLASS_BITS | class as u64
}

const fn time_of(key: u64) -> SimTime {
    SimTime(key >> CLASS_BITS)
}

fn class_of(key: u64) -> EventClass {
    EventClass::ALL[key as usize & ((1 << CLASS_BITS) - 1)]
}

/// The highest digit in which `key` differs from `present`.
const fn level_of(key: u64, present: u64) -> usize {
    (((key ^ present) | 1).ilog2() / DIGIT_BITS) as usize
}

const fn digit_of(key: u64, level: usize) -> usize {
    (key >> (level as u32 * DIGIT_BITS)) as usize % DIGITS
}

const fn index(level: usize, digit: usize) -> usize {
    level * DIGITS + digit
}

#[cfg(test)]
mod tests;
