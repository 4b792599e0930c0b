//! The search in a grid: row by row, cell by cell, leaving out what the bound rules out.

use std::ops::Bound;

use super::super::region::INDEXED;
use super::super::{Candidate, Order, Placement, Pruning, Region, Score, Search};
use super::axis::STEPS;
use super::bucket::{Bucket, Entry};
use super::{Grid, Table};
use crate::cluster::{NodeId, Resources};

/// Entries with the same amounts that are passed over one by one before the rest of them is
/// jumped.
const STEPS_BEFORE_JUMP: u32 = 8;

impl Grid {
    /// Finds the best node for `policy`; `best` is what was found before, if anything.
    pub(in super::super) fn search<P: Placement + ?Sized>(
        &self,
        search: &mut Search<'_>,
        policy: &P,
        best: &mut Option<Candidate>,
    ) {
        let order = match policy.pruning() {
            Pruning::None => Order::TightestFirst,
            Pruning::ByFree(order) | Pruning::ByFreeAndLimit(order) => order,
        };
        let class = search.class;
        for table in self.tables.iter().filter(|table| table.rows != 0) {
            let demand = class.requests.plus(&table.reserve[class.tier as usize]);
            if demand.fits_in(&table.limit) {
                let buckets = &self.buckets;
                let mut walk = Walk { table, buckets, demand, order, policy, search, best };
                walk.rows();
            }
        }
    }
}

/// A search in one table of a grid.
struct Walk<'w, 's, P: ?Sized> {
    table: &'w Table,
    buckets: &'w [Bucket],
    demand: Resources,
    order: Order,
    policy: &'w P,
    search: &'w mut Search<'s>,
    best: &'w mut Option<Candidate>,
}

impl<P: Placement + ?Sized> Walk<'_, '_, P> {
    fn rows(&mut self) {
        let need = INDEXED.map(|dimension| self.demand[dimension]);
        let limit = INDEXED.map(|dimension| self.table.limit[dimension]);
        let first = [0, 1].map(|axis| self.table.axes[axis].step(need[axis]));
        let allowed = u128::MAX << first[1];
        let mut rows = self.table.rows & (u128::MAX << first[0]);
        let most_memory = self.most_memory(rows, limit[1]);
        while let Some(row) = take(&mut rows, self.order) {
            let columns = self.table.columns[row] & allowed;
            if columns == 0 {
                continue;
            }
            let cpu = self.interval(0, row, need[0]);
            if !self.is_ruled_out(cpu, self.extent(columns, need[1])) {
                self.cells(row, columns, cpu, need[1]);
                continue;
            }
            // All that is left lies on the far side of this row.
            let rest = match self.order {
                Order::TightestFirst => [cpu[0], limit[0]],
                Order::LoosestFirst => [need[0], cpu[1]],
            };
            if self.is_ruled_out(rest, [need[1], most_memory]) {
                return;
            }
        }
    }

    /// At least what is free of memory on any node in `rows`. Only a search that starts from
    /// there needs it to be close.
    fn most_memory(&self, rows: u128, limit: i64) -> i64 {
        match self.order {
            Order::TightestFirst => limit,
            Order::LoosestFirst => {
                let columns = Members(rows).fold(0, |all, row| all | self.table.columns[row]);
                if columns == 0 { limit } else { self.table.axes[1].high(last(columns)) }
            }
        }
    }

    /// The interval of what is free of memory in `columns`, of which there are some.
    #[inline]
    fn extent(&self, columns: u128, need: i64) -> [i64; 2] {
        let lowest = self.interval(1, columns.trailing_zeros() as usize, need);
        let highest = self.interval(1, last(columns), need);
        [lowest[0], highest[1]]
    }

    /// Looks into the cells of one row, between `cpu` amounts.
    fn cells(&mut self, row: usize, mut columns: u128, cpu: [i64; 2], memory_need: i64) {
        loop {
            let before = columns;
            let Some(column) = take(&mut columns, self.order) else { return };
            let memory = self.interval(1, column, memory_need);
            let bound = self.best.map(|_| self.bound([cpu[0], memory[0]], [cpu[1], memory[1]]));
            if let (Some(score), Some(best)) = (bound, *self.best)
                && score < best.score
            {
                if self.is_ruled_out(cpu, self.extent(before, memory_need)) {
                    return;
                }
                continue;
            }
            let bucket = &self.buckets[self.table.bucket_of[row * STEPS + column] as usize];
            let most = bound.map(|score| self.candidate(score, bucket.lowest()));
            if most.zip(*self.best).is_none_or(|(most, best)| most.beats(best)) {
                self.bucket(bucket);
            }
        }
    }

    /// What can be free in `step` of an axis on a node that has what the pod needs.
    #[inline]
    fn interval(&self, axis: usize, step: usize, need: i64) -> [i64; 2] {
        let steps = &self.table.axes[axis];
        [steps.low(step).max(need), steps.high(step)]
    }

    fn bucket(&mut self, bucket: &Bucket) {
        for entry in &bucket.few {
            self.entry(entry);
        }
        if !bucket.many.is_empty() {
            self.crowd(bucket);
        }
    }

    #[inline]
    fn entry(&mut self, entry: &Entry) {
        let fits = INDEXED.iter().zip(&entry.free).all(|(d, free)| self.demand[*d] <= *free);
        if fits && !self.is_beaten_at(entry.free, entry.node) {
            self.search.consider(self.policy, entry.node, self.best);
        }
    }

    /// Looks at an ordered bucket. Once the best is as good as the bound at a point, the nodes
    /// there with higher numbers are passed over.
    fn crowd(&mut self, bucket: &Bucket) {
        let mut entries = bucket.many.range(..);
        let mut passed = 0;
        while let Some(entry) = entries.next() {
            let fits = INDEXED.iter().zip(&entry.free).all(|(d, free)| self.demand[*d] <= *free);
            if fits && !self.is_beaten_at(entry.free, entry.node) {
                self.search.consider(self.policy, entry.node, self.best);
                passed = 0;
                continue;
            }
            passed += 1;
            if passed == STEPS_BEFORE_JUMP {
                let end = Entry { node: NodeId::NONE, ..*entry };
                entries = bucket.many.range((Bound::Excluded(end), Bound::Unbounded));
                passed = 0;
            }
        }
    }

    /// True if a node with exactly `free` cannot replace the best.
    #[inline]
    fn is_beaten_at(&self, free: [i64; 2], node: NodeId) -> bool {
        let Some(best) = *self.best else { return false };
        !self.candidate(self.bound(free, free), node).beats(best)
    }

    /// The best that `node` can be: whatever is met here, all nodes looked at meet the same.
    #[inline]
    fn candidate(&self, score: Score, node: NodeId) -> Candidate {
        Candidate { preferred: self.search.level.unwrap_or(0), score, node }
    }

    /// True if no node with free amounts in these intervals can replace the best.
    #[inline]
    fn is_ruled_out(&self, cpu: [i64; 2], memory: [i64; 2]) -> bool {
        let Some(best) = *self.best else { return false };
        self.bound([cpu[0], memory[0]], [cpu[1], memory[1]]) < best.score
    }

    #[inline]
    fn bound(&self, free_low: [i64; 2], free_high: [i64; 2]) -> Score {
        let region = Region {
            limit: &self.table.limit,
            own_scale: &self.table.own_scale,
            scale: self.search.cluster.nodes().scale(),
            free_low,
            free_high,
        };
        self.policy.bound(self.search.class, &region).max(Score::MIN + 1)
    }
}

/// The members of a bitmap, in order.
struct Members(u128);

impl Iterator for Members {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        take(&mut self.0, Order::TightestFirst)
    }
}

/// The last member of a bitmap that has one.
#[inline]
fn last(bits: u128) -> usize {
    (u128::BITS - 1 - bits.leading_zeros()) as usize
}

/// Takes the next member out of a bitmap.
#[inline]
fn take(bits: &mut u128, order: Order) -> Option<usize> {
    if *bits == 0 {
        return None;
    }
    match order {
        Order::TightestFirst => {
            let index = bits.trailing_zeros() as usize;
            *bits &= *bits - 1;
            Some(index)
        }
        Order::LoosestFirst => {
            let index = last(*bits);
            *bits &= !(1 << index);
            Some(index)
        }
    }
}
