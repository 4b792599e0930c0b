//! Who holds what: resources that are offered to a framework are nobody else's until it answers.
//!
//! An offer is of everything that nobody holds. So at any time at most one framework holds *the
//! bulk*, whatever of the cell is held by none of the others; what became free since it was offered
//! is kept by node, and so is what the others hold. An offer costs what changed, not a copy of the
//! cell.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, NodeId, Resources};

/// Amounts by node.
type Amounts = BTreeMap<NodeId, Resources>;

/// What a framework holds.
#[derive(Clone, Debug)]
pub(super) enum Hold {
    /// Whatever is free and neither held by another nor loose.
    Bulk,
    /// These amounts.
    Some(Amounts),
}

/// Who holds what.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Per framework.
    holds: Vec<Option<Hold>>,
    /// What became free since the bulk was offered; empty while nobody holds the bulk, because
    /// then everything that nobody holds is loose.
    loose: Amounts,
}

impl Ledger {
    /// Nothing is held by any of so many frameworks.
    pub fn new(frameworks: usize) -> Self {
        Self { holds: vec![None; frameworks], loose: Amounts::new() }
    }

    fn bulk_is_held(&self) -> bool {
        self.holds.iter().any(|hold| matches!(hold, Some(Hold::Bulk)))
    }

    /// True if there is something to offer.
    pub fn has_loose(&self) -> bool {
        !self.bulk_is_held() || self.loose.values().any(is_worth_offering)
    }

    /// Offers to `framework` all that nobody holds.
    pub fn offer(&mut self, framework: usize) {
        self.holds[framework] = Some(if self.bulk_is_held() {
            let (offered, kept) = std::mem::take(&mut self.loose)
                .into_iter()
                .partition(|(_, amount)| is_worth_offering(amount));
            self.loose = kept;
            Hold::Some(offered)
        } else {
            Hold::Bulk
        });
    }

    /// What `framework` holds.
    pub fn hold(&self, framework: usize) -> Option<&Hold> {
        self.holds[framework].as_ref()
    }

    /// What is held by others than `framework`, by node: not what it was offered in bulk.
    pub fn held_by_others(&self, framework: usize) -> Amounts {
        let mut sum = Amounts::new();
        for (other, hold) in self.holds.iter().enumerate() {
            if let Some(Hold::Some(amounts)) = hold
                && other != framework
            {
                add(&mut sum, amounts.iter());
            }
        }
        sum
    }

    /// `framework` answered, and uses none of what it still holds.
    pub fn give_back(&mut self, framework: usize) {
        match self.holds[framework].take() {
            Some(Hold::Bulk) => self.loose.clear(),
            Some(Hold::Some(amounts)) if self.bulk_is_held() => {
                add(&mut self.loose, amounts.iter())
            }
            Some(Hold::Some(_)) | None => {}
        }
    }

    /// `framework` launches something on `node` that takes `amount` of what it holds.
    pub fn use_up(&mut self, framework: usize, node: NodeId, amount: &Resources) {
        if let Some(Hold::Some(amounts)) = &mut self.holds[framework]
            && let Some(held) = amounts.get_mut(&node)
        {
            *held -= *amount;
        }
    }

    /// `amount` became free on `node`.
    pub fn freed(&mut self, node: NodeId, amount: &Resources) {
        if self.bulk_is_held() {
            *self.loose.entry(node).or_default() += *amount;
        }
    }

    /// `amount` was taken on `node` by a pod that grew there.
    pub fn taken(&mut self, node: NodeId, amount: &Resources) {
        if self.bulk_is_held() {
            *self.loose.entry(node).or_default() -= *amount;
        }
    }

    /// `node` joined the cell, or came back to it: what is free there is loose.
    pub fn joined(&mut self, cluster: &Cluster, node: NodeId) {
        if !self.bulk_is_held() {
            return;
        }
        let mut free = *cluster.nodes().free(node);
        for hold in self.holds.iter().flatten() {
            if let Hold::Some(amounts) = hold {
                free -= amounts.get(&node).copied().unwrap_or_default();
            }
        }
        self.loose.insert(node, free);
    }
}

fn is_worth_offering(amount: &Resources) -> bool {
    amount.is_non_negative() && *amount != Resources::ZERO
}

fn add<'a>(sum: &mut Amounts, amounts: impl Iterator<Item = (&'a NodeId, &'a Resources)>) {
    for (node, amount) in amounts {
        *sum.entry(*node).or_default() += *amount;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(cpu: i64) -> Resources {
        Resources::pod(cpu, cpu)
    }

    #[test]
    fn whoever_holds_the_bulk_leaves_the_rest_what_becomes_free() {
        let mut ledger = Ledger::new(3);
        assert!(ledger.has_loose());
        ledger.offer(0);
        assert!(matches!(ledger.hold(0), Some(Hold::Bulk)) && !ledger.has_loose());
        ledger.freed(NodeId(4), &amount(10));
        ledger.freed(NodeId(4), &amount(5));
        ledger.offer(1);
        let Some(Hold::Some(held)) = ledger.hold(1) else { panic!("it gets what became free") };
        assert_eq!(held[&NodeId(4)].0[0], 15);
        assert!(!ledger.has_loose());
        ledger.use_up(1, NodeId(4), &amount(6));
        ledger.give_back(1);
        ledger.offer(2);
        let Some(Hold::Some(held)) = ledger.hold(2) else { panic!("it gets what is left") };
        assert_eq!(held[&NodeId(4)].0[0], 9);
        ledger.give_back(0);
        ledger.offer(0);
        assert!(matches!(ledger.hold(0), Some(Hold::Bulk)));
        assert_eq!(ledger.held_by_others(0)[&NodeId(4)].0[0], 9);
    }
}
