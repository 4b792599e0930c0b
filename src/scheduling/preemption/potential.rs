//! What each node could offer if its pods up to some priority were gone: cpu and memory per
//! (priority level, node), with maxima per block of nodes, brought up to date from the change log.
//!
//! It is a filter: what passes is checked in full by the caller, what does not pass cannot fit.

use crate::cluster::{Cluster, Dimension, NodeId, PodClass, TemplateId, Version};

/// Nodes per block.
const BLOCK: usize = 64;

/// Cpu and memory.
type Offer = (i64, i64);

const NOTHING: Offer = (i64::MIN, i64::MIN);

/// Offers by level and node.
#[derive(Clone, Debug, Default)]
pub struct Potential {
    /// Distinct priorities of the templates declared so far, ascending.
    levels: Vec<i32>,
    templates: usize,
    nodes: usize,
    version: Version,
    /// Everyone up to the level gone.
    all: Vec<Offers>,
    /// Everyone up to the level gone but the production band.
    sparing: Vec<Offers>,
    /// Scratch: what is held at each level, by the production band last.
    held: Vec<[Offer; 2]>,
}

/// The offers of one level.
#[derive(Clone, Debug)]
struct Offers {
    nodes: Vec<Offer>,
    blocks: Vec<Offer>,
}

impl Offers {
    fn new(nodes: usize) -> Self {
        Self { nodes: vec![NOTHING; nodes], blocks: vec![NOTHING; nodes.div_ceil(BLOCK)] }
    }

    /// Changes one offer and the maximum of its block.
    fn set(&mut self, node: usize, offer: Offer) {
        let before = std::mem::replace(&mut self.nodes[node], offer);
        let block = node / BLOCK;
        let most = &mut self.blocks[block];
        if before.0 < most.0 && before.1 < most.1 {
            // It did not hold the maximum, so it can only raise it.
            *most = (most.0.max(offer.0), most.1.max(offer.1));
            return;
        }
        let end = self.nodes.len().min((block + 1) * BLOCK);
        *most = widest(self.nodes[block * BLOCK..end].iter().copied());
    }

    /// The first node in `from..to` that offers at least `ask`.
    fn next(&self, from: usize, to: usize, ask: Offer) -> Option<usize> {
        let mut from = from;
        while from < to {
            let block = from / BLOCK;
            let end = to.min((block + 1) * BLOCK);
            if holds(self.blocks[block], ask) {
                let found = self.nodes[from..end].iter().position(|offer| holds(*offer, ask));
                if let Some(offset) = found {
                    return Some(from + offset);
                }
            }
            from = end;
        }
        None
    }
}

fn holds(offer: Offer, ask: Offer) -> bool {
    ask.0 <= offer.0 && ask.1 <= offer.1
}

fn widest(offers: impl Iterator<Item = Offer>) -> Offer {
    offers.fold(NOTHING, |most, offer| (most.0.max(offer.0), most.1.max(offer.1)))
}

fn ask_of(class: &PodClass) -> Offer {
    (class.requests[Dimension::CPU], class.requests[Dimension::MEMORY])
}

impl Potential {
    /// The priorities of the levels, ascending.
    pub fn levels(&self) -> &[i32] {
        &self.levels
    }

    /// Number of levels whose pods a pod of `priority` may displace.
    pub fn levels_below(&self, priority: i32) -> usize {
        self.levels.partition_point(|level| *level < priority)
    }

    /// The most that any of `nodes` offers at `level`.
    pub fn most(&self, level: usize, nodes: &[NodeId]) -> Offer {
        widest(nodes.iter().map(|node| self.all[level].nodes[node.index()]))
    }

    /// True if `node` offers what `class` asks for at `level`.
    pub fn admits(&self, sparing: bool, level: usize, node: NodeId, class: &PodClass) -> bool {
        holds(self.offers(sparing)[level].nodes[node.index()], ask_of(class))
    }

    /// The first node in `from..to` that offers what `class` asks for at `level`.
    pub fn next(
        &self,
        sparing: bool,
        level: usize,
        from: usize,
        to: usize,
        class: &PodClass,
    ) -> Option<NodeId> {
        self.offers(sparing)[level].next(from, to, ask_of(class)).map(NodeId::from_index)
    }

    fn offers(&self, sparing: bool) -> &[Offers] {
        if sparing { &self.sparing } else { &self.all }
    }

    /// Brings all offers up to date.
    pub fn refresh(&mut self, cluster: &Cluster) {
        let nodes = cluster.nodes();
        let shape = (cluster.template_count(), nodes.len());
        let changed = nodes.changes().since(self.version);
        let changed = changed.filter(|_| shape == (self.templates, self.nodes));
        match changed {
            Some(changed) => {
                for node in changed {
                    self.update(cluster, *node);
                }
            }
            None => self.rebuild(cluster),
        }
        self.version = nodes.changes().version();
    }

    fn rebuild(&mut self, cluster: &Cluster) {
        self.templates = cluster.template_count();
        self.nodes = cluster.nodes().len();
        let all = (0..self.templates).map(TemplateId::from_index);
        self.levels = all.map(|template| cluster.template(template).priority).collect();
        self.levels.sort_unstable();
        self.levels.dedup();
        self.all = vec![Offers::new(self.nodes); self.levels.len()];
        self.sparing = self.all.clone();
        for node in cluster.nodes().ids() {
            self.update(cluster, node);
        }
    }

    fn update(&mut self, cluster: &Cluster, node: NodeId) {
        self.held.clear();
        self.held.resize(self.levels.len(), [(0, 0); 2]);
        for (_, pod) in cluster.pods_on(node) {
            let class = cluster.classes().get(pod.class);
            let level = self.levels_below(class.priority);
            let (cpu, memory) = ask_of(class);
            let held = &mut self.held[level][usize::from(class.tier.is_prod())];
            *held = (held.0 + cpu, held.1 + memory);
        }
        let free = cluster.nodes().free(node);
        let mut sparing = (free[Dimension::CPU], free[Dimension::MEMORY]);
        let mut all = sparing;
        for (level, [rest, prod]) in self.held.iter().enumerate() {
            sparing = (sparing.0 + rest.0, sparing.1 + rest.1);
            all = (all.0 + rest.0 + prod.0, all.1 + rest.1 + prod.1);
            self.all[level].set(node.index(), all);
            self.sparing[level].set(node.index(), sparing);
        }
    }
}
