//! What a scheduler says of one pod: where it could go, how the nodes compare, what keeps it from
//! the others.

use super::placement::{Placer, Rejection, Rejections, Score, Strategy, rejection};
use crate::cluster::{Cluster, NodeId, PodClass, ResourceNames};

/// A node that takes the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The node.
    pub node: NodeId,
    /// What the scheduler compares nodes by, the highest wins; `None` where it does not score.
    pub score: Option<Score>,
    /// What the score is made of, one part for each of [`Explanation::parts`].
    pub parts: Vec<Score>,
}

/// Where a pod could go and why not elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// How one of several nodes is chosen, in a sentence.
    pub rule: String,
    /// Names of what scores are made of (plugins); empty where they are made of one piece.
    pub parts: Vec<String>,
    /// The nodes that take the pod, best first.
    pub choices: Vec<Choice>,
    /// The nodes that do not, with their first reason, by number.
    pub rejected: Vec<(NodeId, Rejection)>,
    /// The same counted, as kube-scheduler words it.
    pub rejections: Rejections,
}

impl Explanation {
    /// Asks `of` why each node of the cell does not take the pod; those that do become choices
    /// without a score, by number.
    pub fn of_nodes(
        cluster: &Cluster,
        names: &ResourceNames,
        rule: String,
        of: impl Fn(NodeId) -> Option<Rejection>,
    ) -> Self {
        let present = cluster.nodes().ids().filter(|id| cluster.nodes().condition(*id).present);
        let (mut choices, mut rejected) = (Vec::new(), Vec::new());
        for node in present {
            match of(node) {
                Some(reason) => rejected.push((node, reason)),
                None => choices.push(Choice { node, score: None, parts: Vec::new() }),
            }
        }
        let rejections = Rejections::counted(&rejected, choices.len(), names);
        Self { rule, parts: Vec::new(), choices, rejected, rejections }
    }

    /// What can be said where the scheduler says nothing: which nodes admit a pod of `class`.
    pub fn of_admission(cluster: &Cluster, class: &PodClass, names: &ResourceNames) -> Self {
        let rule = "the scheduler does not say how it chooses".to_owned();
        Self::of_nodes(cluster, names, rule, |node| rejection(cluster, class, node))
    }

    /// Puts the best choice first: the highest score, the lowest number among equals.
    pub fn sort_by_score(&mut self) {
        self.choices.sort_by_key(|choice| (std::cmp::Reverse(choice.score), choice.node));
    }
}

impl Placer {
    /// Where a pod of `class` could go and why not elsewhere. It looks at every node.
    pub fn explain(
        &self,
        cluster: &Cluster,
        class: &PodClass,
        names: &ResourceNames,
    ) -> Explanation {
        let rule = match self.strategy() {
            Strategy::Scored(_) => "the highest score wins, the lowest number among equals",
            Strategy::FirstFit => "the lowest number wins",
            Strategy::RoundRobin => "the first after the node chosen last wins",
            Strategy::Random => "one of them is drawn, each equally likely",
        };
        let of = |node| self.rejection(cluster, class, node);
        let mut told = Explanation::of_nodes(cluster, names, rule.to_owned(), of);
        match self.strategy() {
            Strategy::Scored(policy) => {
                for choice in &mut told.choices {
                    let view = cluster.node_view(choice.node);
                    choice.score = Some(policy.score(class, view).max(Score::MIN + 1));
                }
                told.sort_by_score();
            }
            Strategy::RoundRobin => {
                let cursor = self.cursor();
                told.choices.sort_by_key(|choice| (choice.node < cursor, choice.node));
            }
            Strategy::FirstFit | Strategy::Random => {}
        }
        let nodes = cluster.nodes();
        if nodes.preference_weight(class.constraints) > 0 {
            let preferred = |node| nodes.preferred(class.constraints, node);
            told.choices.sort_by_key(|choice| std::cmp::Reverse(preferred(choice.node)));
            let most = "the most of what the pod prefers wins; of these";
            told.rule = format!("{most} {}", told.rule);
        }
        told
    }
}
