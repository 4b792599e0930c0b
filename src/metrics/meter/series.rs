//! The time series: means over equal buckets of the whole run. What is kept is the integral of each
//! column at each bucket boundary, so a bucket costs one sample, and buckets are merged in pairs by
//! forgetting every second boundary.

use crate::engine::{SimDuration, SimTime};

/// Buckets aimed at where the length of the run is known.
const BUCKETS_WANTED: u64 = 500;
/// At so many buckets they are merged in pairs.
const BUCKETS_MOST: usize = 1000;
/// Bucket lengths that read well, in µs; longer ones are whole days.
const LENGTHS_US: [u64; 20] = [
    1_000,
    10_000,
    100_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    15_000_000,
    30_000_000,
    60_000_000,
    120_000_000,
    300_000_000,
    600_000_000,
    900_000_000,
    1_800_000_000,
    3_600_000_000,
    7_200_000_000,
    14_400_000_000,
    21_600_000_000,
    43_200_000_000,
];
const DAY_US: u64 = 86_400_000_000;

/// Integrals (or counts) of some columns since the start of the run, at bucket boundaries.
#[derive(Clone, Debug)]
pub(super) struct Series {
    bucket: SimDuration,
    /// Per column, at the end of each bucket.
    sums: Vec<Vec<i128>>,
    /// Per column: what was forgotten when the integrals restarted.
    base: Vec<i128>,
    /// Bucket boundaries so far.
    boundaries: usize,
    /// End of a last, shorter bucket.
    tail_end: Option<SimTime>,
}

impl Series {
    /// For a run of `duration`, or one whose length is not known.
    pub(super) fn new(duration: Option<SimDuration>) -> Self {
        let bucket = duration.map_or(SimDuration::from_secs(1), bucket_for);
        Self { bucket, sums: Vec::new(), base: Vec::new(), boundaries: 0, tail_end: None }
    }

    /// Length of a bucket.
    pub(super) fn bucket(&self) -> SimDuration {
        self.bucket
    }

    /// When the next sample is due.
    pub(super) fn next_boundary(&self) -> SimTime {
        SimTime(self.bucket.0.saturating_mul(self.boundaries as u64 + 1))
    }

    /// Takes the sample due at [`Series::next_boundary`]: integrals up to it since they were last
    /// restarted. Columns may be added at the end as time goes by; they were zero before.
    pub(super) fn sample(&mut self, integrals: &[i128]) {
        self.push(integrals);
        if self.boundaries == BUCKETS_MOST {
            self.merge_pairs();
        }
    }

    fn push(&mut self, integrals: &[i128]) {
        self.widen(integrals.len());
        self.boundaries += 1;
        for ((sums, base), integral) in self.sums.iter_mut().zip(&self.base).zip(integrals) {
            sums.push(base + integral);
        }
    }

    fn widen(&mut self, columns: usize) {
        while self.sums.len() < columns {
            self.sums.push(vec![0; self.boundaries]);
            self.base.push(0);
        }
    }

    fn merge_pairs(&mut self) {
        for sums in &mut self.sums {
            let mut position = 0;
            sums.retain(|_| {
                position += 1;
                position % 2 == 0
            });
        }
        self.boundaries /= 2;
        self.bucket = SimDuration(self.bucket.0 * 2);
    }

    /// The integrals are about to restart from zero.
    pub(super) fn restart(&mut self, integrals: &[i128]) {
        self.widen(integrals.len());
        self.base.iter_mut().zip(integrals).for_each(|(base, integral)| *base += integral);
    }

    /// The run ends; the last bucket may be a shorter one.
    pub(super) fn finish(&mut self, end: SimTime, integrals: &[i128]) {
        if end.0 > self.bucket.0 * self.boundaries as u64 {
            self.push(integrals);
            self.tail_end = Some(end);
        }
    }

    /// Start of each bucket.
    pub(super) fn starts(&self) -> Vec<SimTime> {
        (0..self.boundaries as u64).map(|i| SimTime(i * self.bucket.0)).collect()
    }

    /// Length of each bucket, in µs.
    pub(super) fn lengths_us(&self) -> Vec<i128> {
        let ends = (1..=self.boundaries as u64).map(|i| SimTime(i * self.bucket.0));
        let cut = |end: SimTime| self.tail_end.map_or(end, |tail| tail.min(end));
        let starts = self.starts().into_iter();
        starts.zip(ends).map(|(start, end)| i128::from((cut(end) - start).0)).collect()
    }

    /// What was added to column `column` in each bucket; a column that came after the last sample
    /// was zero throughout.
    pub(super) fn increments(&self, column: usize) -> Vec<i128> {
        let Some(sums) = self.sums.get(column) else { return vec![0; self.boundaries] };
        let before = std::iter::once(&0).chain(sums);
        sums.iter().zip(before).map(|(sum, before)| sum - before).collect()
    }
}

/// The shortest length that reads well and gives at most [`BUCKETS_WANTED`] buckets.
fn bucket_for(duration: SimDuration) -> SimDuration {
    let enough = |length: &u64| duration.0.div_ceil(*length) <= BUCKETS_WANTED;
    let days = || duration.0.div_ceil(BUCKETS_WANTED).div_ceil(DAY_US) * DAY_US;
    SimDuration(LENGTHS_US.into_iter().find(enough).unwrap_or_else(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_buckets_of_two_hours() {
        assert_eq!(bucket_for(SimDuration::from_secs(30 * 86_400)).0, 7_200_000_000);
    }

    #[test]
    fn any_duration_has_at_most_five_hundred_buckets() {
        for duration in [1, 999, 10_000_000, 86_400_000_000, 400 * DAY_US, 5000 * DAY_US] {
            let bucket = bucket_for(SimDuration(duration)).0;
            assert!(duration.div_ceil(bucket) <= BUCKETS_WANTED, "{duration} / {bucket}");
        }
    }

    #[test]
    fn merging_keeps_what_was_counted() {
        let mut series = Series::new(None);
        let boundaries = 2500u64;
        // The integral of the identity, in bucket lengths of one second.
        while series.next_boundary() <= SimTime::from_secs(boundaries) {
            let at = i128::from(series.next_boundary().0 / 1_000_000);
            series.sample(&[at * at]);
        }
        series.finish(SimTime::from_secs(2501), &[2501 * 2501]);
        assert_eq!(series.bucket(), SimDuration::from_secs(4));
        assert_eq!(series.increments(0).iter().sum::<i128>(), 2501 * 2501);
        assert_eq!(series.increments(0)[1], 64 - 16);
        assert_eq!(*series.lengths_us().last().unwrap(), 1_000_000);
    }

    #[test]
    fn a_column_that_comes_late_was_zero_before() {
        let mut series = Series::new(None);
        series.sample(&[5]);
        series.sample(&[7, 3]);
        assert_eq!(series.increments(1), [0, 3]);
        assert_eq!(series.increments(2), [0, 0]);
    }

    #[test]
    fn a_restart_is_not_seen_in_the_buckets() {
        let mut series = Series::new(None);
        series.sample(&[10]);
        series.restart(&[14]);
        series.sample(&[6]);
        assert_eq!(series.increments(0), [10, 10]);
    }
}
