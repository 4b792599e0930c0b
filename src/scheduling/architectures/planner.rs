//! Plans: where the pods of a job are to go, found on a draft of the cell as it is when the decision
//! begins.

use super::jobs::{Ticket, Tickets};
use crate::cluster::{ClassId, Cluster, Draft, NodeId, PodClass, ResourceNames};
use crate::engine::Streams;
use crate::scheduling::placement::{Counters, Index, Placer, Strategy};

/// A pod and the node that it is to go to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    /// The pod.
    pub ticket: Ticket,
    /// Its class.
    pub class: ClassId,
    /// The node.
    pub node: NodeId,
}

/// Where the pods of a job are to go.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// The pods with a place.
    pub claims: Vec<Claim>,
    /// The pods without one, and their classes.
    pub lacking: Vec<(Ticket, ClassId)>,
}

/// Makes plans by the policy of the scenario. One planner serves all schedulers of a run: a plan is
/// made in no time, and nothing of it stays in the draft.
pub(super) struct Planner {
    draft: Draft,
    placer: Placer,
}

impl Planner {
    /// A planner with the policy `strategy`.
    pub fn new(strategy: Strategy, index: Index, streams: Streams) -> Self {
        Self { draft: Draft::default(), placer: Placer::new(strategy, index, streams) }
    }

    /// Plans for the pods of a job that is tried for the `attempt`-th time, from 0. Each pod sees
    /// what those before it claimed.
    pub fn plan(
        &mut self,
        cluster: &Cluster,
        tickets: &Tickets,
        pods: &[Ticket],
        attempt: u64,
    ) -> Plan {
        self.draft.refresh(cluster);
        let plan = self.plan_on_draft(cluster, tickets, pods, attempt, None);
        self.draft.withdraw();
        plan
    }

    /// The same on the draft as it stands, on the nodes in `among` only, if any are given. What was
    /// claimed and shown stays.
    pub fn plan_on_draft(
        &mut self,
        cluster: &Cluster,
        tickets: &Tickets,
        pods: &[Ticket],
        attempt: u64,
        among: Option<&[NodeId]>,
    ) -> Plan {
        let mut plan = Plan::default();
        let mut known: Vec<ClassId> = Vec::new();
        // Claims only take room away: what fits nowhere once will not fit later in the same plan.
        let mut hopeless: Vec<ClassId> = Vec::new();
        for ticket in pods {
            let Some(pod) = tickets.pending(cluster, *ticket) else { continue };
            let class = pod.class;
            if !known.contains(&class) {
                known.push(class);
                self.draft.introduce(cluster, class);
            }
            if hopeless.contains(&class) {
                plan.lacking.push((*ticket, class));
                continue;
            }
            // Another attempt draws anew where the policy is random.
            let entity = pod.serial.wrapping_add(attempt.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let shown = self.draft.cluster();
            let node = match among {
                Some(nodes) => self.placer.choose_among(shown, class, entity, nodes),
                None => self.placer.choose(shown, class, entity),
            };
            match node.filter(|node| self.draft.claim(class, *node)) {
                Some(node) => plan.claims.push(Claim { ticket: *ticket, class, node }),
                None => {
                    hopeless.push(class);
                    plan.lacking.push((*ticket, class));
                }
            }
        }
        plan
    }

    /// A node for one pod of `class` as the cell is now.
    pub fn choose(&mut self, cluster: &Cluster, class: ClassId, entity: u64) -> Option<NodeId> {
        self.draft.refresh(cluster);
        self.draft.introduce(cluster, class);
        self.placer.choose(self.draft.cluster(), class, entity)
    }

    /// How many of `claims`, made one after the other, the cell as it is now has no room for.
    pub fn conflicts(&mut self, cluster: &Cluster, claims: &[Claim]) -> usize {
        self.draft.refresh(cluster);
        claims.iter().for_each(|claim| self.draft.introduce(cluster, claim.class));
        let refused =
            claims.iter().filter(|claim| !self.draft.claim(claim.class, claim.node)).count();
        self.draft.withdraw();
        refused
    }

    /// The draft, to show on it what a scheduler is to see.
    pub fn draft(&mut self) -> &mut Draft {
        &mut self.draft
    }

    /// The work of looking for nodes.
    pub fn counters(&self) -> Counters {
        self.placer.counters()
    }

    /// Why no node takes pods of `class`.
    pub fn rejections(&self, cluster: &Cluster, class: &PodClass, names: &ResourceNames) -> String {
        self.placer.rejections(cluster, class, names).to_string()
    }
}
