//! Quota: who may bring how much into the cell. Checked when a job is submitted, and only then
//! (Verma et al., EuroSys 2015, §2.5): a job that would exceed what its user has at its priority
//! band is turned away as a whole and is never pending.
//!
//! A job is asked for by what it submits at its first instant. Pods that it submits later, while it
//! is in the cell, belong to what was admitted: they are charged and not asked for; those of a job
//! that was turned away are turned away. What a pod is charged is returned when it ends; a pod that
//! is evicted keeps it. Nothing that is turned away ever enters the cell.

mod accounts;
mod jobs;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::cluster::{JobSpec, Resources, Tier};
use crate::engine::SimTime;
use crate::metrics::QuotaSummary;
use crate::workload::PodKey;

use accounts::{AccountId, Accounts};
pub use accounts::{Quota, Quotas};

/// Whom the cell lets in.
pub struct Admission {
    accounts: Accounts,
    /// Per slot of the pod table: what its pod is charged, and to whom.
    charges: Vec<Option<(AccountId, Resources)>>,
    /// Jobs that were turned away, to the end: their later pods are as well.
    refused_jobs: FxHashSet<u64>,
    /// Pods that were turned away and that later records may name.
    refused_pods: FxHashSet<PodKey>,
    /// Jobs that were declared and have submitted nothing yet.
    announced: FxHashMap<u64, Arc<JobSpec>>,
    /// What comes before is not counted.
    counted_from: SimTime,
}

impl Admission {
    /// Lets in what `quotas` allow; counts what comes from `counted_from` on.
    pub fn new(quotas: Quotas, counted_from: SimTime) -> Self {
        Self {
            accounts: Accounts::new(quotas),
            charges: Vec::new(),
            refused_jobs: FxHashSet::default(),
            refused_pods: FxHashSet::default(),
            announced: FxHashMap::default(),
            counted_from,
        }
    }

    /// What became of quota, by user and band; one entry for each that was asked for or stated.
    pub fn summary(&self) -> Vec<QuotaSummary> {
        self.accounts.summary()
    }

    /// Quota of production and monitoring together that is more than `capacity`, by resource.
    pub fn oversold(&self, capacity: &Resources) -> Vec<(&'static str, i64, i64)> {
        self.accounts.oversold(capacity)
    }

    /// Charges the pod in `slot` of the pod table for `requests`.
    fn charge(&mut self, slot: usize, account: AccountId, requests: Resources) {
        if slot >= self.charges.len() {
            self.charges.resize(slot + 1, None);
        }
        self.charges[slot] = Some((account, requests));
        self.accounts.take(account, &requests);
    }

    /// The pod in `slot` requests something else now.
    pub fn recharge(&mut self, slot: usize, requests: Resources) {
        if let Some((account, charged)) = self.charges.get_mut(slot).and_then(Option::as_mut) {
            self.accounts.give(*account, charged);
            self.accounts.take(*account, &requests);
            *charged = requests;
        }
    }

    /// The pod in `slot` has ended.
    pub fn give_back(&mut self, slot: usize) {
        if let Some((account, charged)) = self.charges.get_mut(slot).and_then(Option::take) {
            self.accounts.give(account, &charged);
        }
    }

    /// Whether `pods` (the tier and the requests of each), which a job of `user` submits together,
    /// are let in: what `settled` says, or what the quota says.
    fn ask(
        &mut self,
        user: &Arc<str>,
        pods: impl Iterator<Item = (Tier, Resources)>,
        settled: Option<bool>,
        now: SimTime,
    ) -> bool {
        let mut wanted = [Resources::ZERO; Tier::COUNT];
        let mut number = [0; Tier::COUNT];
        for (tier, requests) in pods {
            wanted[tier as usize] += requests;
            number[tier as usize] += 1;
        }
        let tiers = Tier::ALL.into_iter().filter(|tier| number[*tier as usize] > 0);
        let accounts = tiers.map(|tier| (self.accounts.of(user, tier), tier as usize));
        let accounts: Vec<(AccountId, usize)> = accounts.collect();
        let fits = |(id, tier): &(AccountId, usize)| self.accounts.allows(*id, &wanted[*tier]);
        let admitted = settled.unwrap_or_else(|| accounts.iter().all(fits));
        if now >= self.counted_from {
            let what = (admitted, settled.is_none());
            for (id, tier) in accounts {
                self.accounts.count(id, what, number[tier], &wanted[tier]);
            }
        }
        admitted
    }
}
