//! The books of quota: what each user has, uses, and was refused, by band.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cluster::{Dimension, Resources, Tier};
use crate::metrics::QuotaSummary;

/// Of which resources there is quota, and what they are called.
const LIMITED: [(Dimension, &str); 3] =
    [(Dimension::CPU, "cpu"), (Dimension::MEMORY, "memory"), (Dimension::STORAGE, "storage")];

/// How much may be in the cell at a time; `None` where that is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Cpu, in millicores.
    pub cpu_milli: Option<i64>,
    /// Memory, in bytes.
    pub memory_bytes: Option<i64>,
    /// Local storage, in bytes.
    pub storage_bytes: Option<i64>,
}

impl Quota {
    fn limits(&self) -> [Option<i64>; LIMITED.len()] {
        [self.cpu_milli, self.memory_bytes, self.storage_bytes]
    }
}

/// Who has which quota. Users without an entry have that of the default for the band; without one
/// they are not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// By user and band.
    pub users: BTreeMap<(Arc<str>, Tier), Quota>,
    /// Of every other user, each for itself.
    pub defaults: BTreeMap<Tier, Quota>,
}

/// Number of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AccountId(u32);

/// What one user has at one band.
#[derive(Debug)]
struct Account {
    user: Arc<str>,
    band: Tier,
    quota: Quota,
    used: Resources,
    used_peak: Resources,
    /// Jobs and pods that were let in, and that were not.
    jobs: [u64; 2],
    pods: [u64; 2],
    /// What those that were not asked for.
    refused: Resources,
}

/// All accounts, in the order in which they were first named.
#[derive(Debug)]
pub(super) struct Accounts {
    defaults: BTreeMap<Tier, Quota>,
    list: Vec<Account>,
    by_name: BTreeMap<(Arc<str>, Tier), AccountId>,
}

impl Accounts {
    pub fn new(quotas: Quotas) -> Self {
        let mut accounts =
            Self { defaults: quotas.defaults, list: Vec::new(), by_name: BTreeMap::new() };
        for ((user, band), quota) in quotas.users {
            accounts.open(user, band, quota);
        }
        accounts
    }

    fn open(&mut self, user: Arc<str>, band: Tier, quota: Quota) -> AccountId {
        let id = AccountId(u32::try_from(self.list.len()).expect("fewer than 2^32 accounts"));
        self.by_name.insert((Arc::clone(&user), band), id);
        self.list.push(Account {
            user,
            band,
            quota,
            used: Resources::ZERO,
            used_peak: Resources::ZERO,
            jobs: [0; 2],
            pods: [0; 2],
            refused: Resources::ZERO,
        });
        id
    }

    /// The account of `user` at `band`.
    pub fn of(&mut self, user: &Arc<str>, band: Tier) -> AccountId {
        match self.by_name.get(&(Arc::clone(user), band)) {
            Some(id) => *id,
            None => {
                let quota = self.defaults.get(&band).copied().unwrap_or_default();
                self.open(Arc::clone(user), band, quota)
            }
        }
    }

    /// True if `wanted` more is within the quota.
    pub fn allows(&self, id: AccountId, wanted: &Resources) -> bool {
        let account = &self.list[id.0 as usize];
        LIMITED.iter().zip(account.quota.limits()).all(|((dimension, _), limit)| {
            wanted[*dimension] == 0
                || limit.is_none_or(|limit| account.used[*dimension] + wanted[*dimension] <= limit)
        })
    }

    pub fn take(&mut self, id: AccountId, amounts: &Resources) {
        let account = &mut self.list[id.0 as usize];
        account.used += *amounts;
        account.used_peak = account.used_peak.max(&account.used);
    }

    pub fn give(&mut self, id: AccountId, amounts: &Resources) {
        self.list[id.0 as usize].used -= *amounts;
    }

    /// Counts pods that were let in or not, and their job if it `is_new`.
    pub fn count(
        &mut self,
        id: AccountId,
        (admitted, is_new): (bool, bool),
        pods: u64,
        wanted: &Resources,
    ) {
        let account = &mut self.list[id.0 as usize];
        account.jobs[usize::from(!admitted)] += u64::from(is_new);
        account.pods[usize::from(!admitted)] += pods;
        if !admitted {
            account.refused += *wanted;
        }
    }

    /// By user and band, in their order.
    pub fn summary(&self) -> Vec<QuotaSummary> {
        let accounts = self.by_name.values().map(|id| &self.list[id.0 as usize]);
        let whole = |amount: i64| amount as f64;
        let cores = |milli: i64| milli as f64 / 1000.0;
        let summary = |account: &Account| QuotaSummary {
            user: account.user.to_string(),
            band: account.band.name().to_owned(),
            cpu: account.quota.cpu_milli.map(cores),
            memory: account.quota.memory_bytes.map(whole),
            storage: account.quota.storage_bytes.map(whole),
            cpu_used_peak: cores(account.used_peak[Dimension::CPU]),
            memory_used_peak: whole(account.used_peak[Dimension::MEMORY]),
            jobs_admitted: account.jobs[0],
            jobs_rejected: account.jobs[1],
            pods_admitted: account.pods[0],
            pods_rejected: account.pods[1],
            cpu_rejected: cores(account.refused[Dimension::CPU]),
            memory_rejected: whole(account.refused[Dimension::MEMORY]),
        };
        accounts.map(summary).collect()
    }

    /// Resources of which production and monitoring have more quota than `capacity`: name, quota,
    /// capacity.
    pub fn oversold(&self, capacity: &Resources) -> Vec<(&'static str, i64, i64)> {
        let prod = || self.list.iter().filter(|account| account.band.is_prod());
        let sold = LIMITED.iter().enumerate().map(|(index, (dimension, name))| {
            let limits = prod().filter_map(|account| account.quota.limits()[index]);
            (*name, limits.fold(0, i64::saturating_add), capacity[*dimension])
        });
        sold.filter(|(_, sold, capacity)| sold > capacity).collect()
    }
}
