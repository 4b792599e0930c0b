//! What will be free, and when: a step function of time, exact to the microsecond.

use crate::cluster::Resources;
use crate::engine::{SimDuration, SimTime};

/// Free resources from now on, as far as running and reserved jobs are known.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Free from each time to the next; the last lasts for ever. There is always one, times rise,
    /// and neighbours differ.
    steps: Vec<(SimTime, Resources)>,
}

impl Profile {
    /// `free` from `now` on for ever.
    pub fn new(now: SimTime, free: Resources) -> Self {
        Self { steps: vec![(now, free)] }
    }

    /// What is free at the beginning.
    pub fn free_now(&self) -> &Resources {
        &self.steps[0].1
    }

    /// Forgets what was before `now`.
    pub fn advance(&mut self, now: SimTime) {
        let past = self.steps.partition_point(|(time, _)| *time <= now);
        if past > 0 {
            self.steps.drain(..past - 1);
            self.steps[0].0 = self.steps[0].0.max(now);
        }
    }

    /// `need` is taken from `from` to `to`; more than there is makes it negative.
    pub fn take(&mut self, from: SimTime, to: SimTime, need: &Resources) {
        self.change(from, to, |free| *free -= *need);
    }

    /// `need` is given back from `from` to `to`.
    pub fn give(&mut self, from: SimTime, to: SimTime, need: &Resources) {
        self.change(from, to, |free| *free += *need);
    }

    fn change(&mut self, from: SimTime, to: SimTime, change: impl Fn(&mut Resources)) {
        let from = from.max(self.steps[0].0);
        if from >= to {
            return;
        }
        let first = self.step_at(from);
        // What lasts to the end of time has no step after it.
        let last = if to == SimTime::MAX { self.steps.len() } else { self.step_at(to) };
        self.steps[first..last].iter_mut().for_each(|(_, free)| change(free));
        self.join(last);
        self.join(first);
    }

    /// Position of the step that begins at `time`, made if there is none.
    fn step_at(&mut self, time: SimTime) -> usize {
        let position = self.steps.partition_point(|(known, _)| *known < time);
        if self.steps.get(position).is_none_or(|(known, _)| *known != time) {
            let free = self.steps[position - 1].1;
            self.steps.insert(position, (time, free));
        }
        position
    }

    /// Removes the step at `position` if it changes nothing.
    fn join(&mut self, position: usize) {
        if position > 0
            && position < self.steps.len()
            && self.steps[position].1 == self.steps[position - 1].1
        {
            self.steps.remove(position);
        }
    }

    /// The earliest time at which `need` is free for `duration` at a stretch; [`SimTime::MAX`] if
    /// it never is.
    pub fn earliest(&self, duration: SimDuration, need: &Resources) -> SimTime {
        let mut start = self.steps[0].0;
        let mut open = false;
        for (time, free) in &self.steps {
            if open && *time >= start.saturating_add(duration) {
                return start;
            }
            if !need.fits_in(free) {
                open = false;
            } else if !open {
                (start, open) = (*time, true);
            }
        }
        if open { start } else { SimTime::MAX }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cores(count: i64) -> Resources {
        Resources([count, 0, 0, 0, 0, 0, 0, 0])
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    /// Free cores at each second, the slow way.
    #[derive(Clone, Debug)]
    struct Slow(Vec<i64>);

    impl Slow {
        fn earliest(&self, from: usize, duration: usize, need: i64) -> Option<usize> {
            // What is beyond the end stays as it is at the end.
            let free = |second: usize| self.0[second.min(self.0.len() - 1)];
            (from..self.0.len()).find(|start| (*start..start + duration).all(|s| free(s) >= need))
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_count_second_by_second(
            takes in prop::collection::vec((0..40_u64, 1..20_u64, 1..5_i64, any::<bool>()), 0..30),
            now in 0..30_u64,
            asks in prop::collection::vec((1..15_u64, 1..12_i64), 1..6),
        ) {
            let mut profile = Profile::new(at(0), cores(10));
            let mut slow = Slow(vec![10; 70]);
            for (from, length, count, back) in takes {
                profile.take(at(from), at(from + length), &cores(count));
                (from..from + length).for_each(|s| slow.0[s as usize] -= count);
                if back {
                    profile.give(at(from), at(from + length), &cores(count));
                    (from..from + length).for_each(|s| slow.0[s as usize] += count);
                }
            }
            profile.advance(at(now));
            prop_assert_eq!(profile.free_now(), &cores(slow.0[now as usize]));
            for (duration, count) in asks {
                let found = profile.earliest(SimDuration::from_secs(duration), &cores(count));
                let slow = slow.earliest(now as usize, duration as usize, count);
                prop_assert_eq!(found, slow.map_or(SimTime::MAX, |s| at(s as u64)));
            }
            prop_assert!(profile.steps.is_sorted_by(|a, b| a.0 < b.0));
            prop_assert!(profile.steps.windows(2).all(|pair| pair[0].1 != pair[1].1));
        }
    }

    #[test]
    fn what_never_ends_is_taken_for_ever() {
        let mut profile = Profile::new(at(0), cores(4));
        profile.take(at(5), SimTime::MAX, &cores(3));
        assert_eq!(profile.earliest(SimDuration::from_secs(5), &cores(2)), at(0));
        assert_eq!(profile.earliest(SimDuration::from_secs(6), &cores(2)), SimTime::MAX);
        assert_eq!(profile.earliest(SimDuration::MAX, &cores(1)), at(0));
        profile.give(at(7), SimTime::MAX, &cores(3));
        assert_eq!(profile.earliest(SimDuration::from_secs(6), &cores(2)), at(7));
    }
}
