//! Failure domains: a directed acyclic graph of things that fail as one, with the nodes that hang
//! on them.

use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, Reversed};
use rustc_hash::FxHashMap;

use super::ids::{DomainId, NodeId};

/// A failure domain as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSpec {
    /// Unique name.
    pub name: String,
    /// What it is: `rack`, `power`, `zone`, …
    pub kind: String,
    /// Names of the domains that take it down when they fail.
    pub parents: Vec<String>,
}

/// Why a set of domains makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// Two domains have one name.
    #[error("failure domain \"{0}\" is declared twice")]
    Duplicate(String),
    /// A parent that nobody declares.
    #[error("failure domain \"{domain}\" names an unknown parent \"{parent}\"")]
    UnknownParent {
        /// The domain.
        domain: String,
        /// The parent that it names.
        parent: String,
    },
    /// A domain that contains itself.
    #[error("failure domain \"{0}\" contains itself")]
    Cycle(String),
}

/// One domain and what is below it.
#[derive(Clone, Debug)]
struct Domain {
    name: String,
    kind: String,
    nodes: Vec<NodeId>,
    faults: u16,
}

/// All failure domains. Edges go from what contains to what is contained.
#[derive(Clone, Debug, Default)]
pub struct DomainGraph {
    graph: DiGraph<Domain, ()>,
    by_name: FxHashMap<String, NodeIndex>,
}

impl DomainGraph {
    /// Builds the graph; ids are positions in `specs`.
    ///
    /// # Errors
    /// Duplicate names, unknown parents, cycles.
    pub fn new(specs: &[DomainSpec]) -> Result<Self, DomainError> {
        let mut domains = Self::default();
        for spec in specs {
            domains.insert(&spec.name, &spec.kind)?;
        }
        for spec in specs {
            let child = domains.by_name[&spec.name];
            for parent in &spec.parents {
                let unknown = || DomainError::UnknownParent {
                    domain: spec.name.clone(),
                    parent: parent.clone(),
                };
                let parent = *domains.by_name.get(parent).ok_or_else(unknown)?;
                domains.graph.update_edge(parent, child, ());
            }
        }
        match toposort(&domains.graph, None) {
            Ok(_) => Ok(domains),
            Err(cycle) => Err(DomainError::Cycle(domains.graph[cycle.node_id()].name.clone())),
        }
    }

    fn insert(&mut self, name: &str, kind: &str) -> Result<NodeIndex, DomainError> {
        if self.by_name.contains_key(name) {
            return Err(DomainError::Duplicate(name.to_owned()));
        }
        let domain =
            Domain { name: name.to_owned(), kind: kind.to_owned(), nodes: Vec::new(), faults: 0 };
        let index = self.graph.add_node(domain);
        self.by_name.insert(name.to_owned(), index);
        Ok(index)
    }

    /// Number of domains: ids are below this.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// True without domains.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The domain called `name`.
    pub fn find(&self, name: &str) -> Option<DomainId> {
        self.by_name.get(name).map(|index| DomainId::from_index(index.index()))
    }

    /// Name of `domain`.
    pub fn name(&self, domain: DomainId) -> &str {
        &self.graph[index(domain)].name
    }

    /// Kind of `domain`.
    pub fn kind(&self, domain: DomainId) -> &str {
        &self.graph[index(domain)].kind
    }

    /// Number of faults that hold `domain` down now, those of what contains it not counted.
    pub fn faults(&self, domain: DomainId) -> u16 {
        self.graph[index(domain)].faults
    }

    /// The domains that contain `domain` directly.
    pub fn parents(&self, domain: DomainId) -> impl Iterator<Item = DomainId> {
        let parents = self.graph.neighbors_directed(index(domain), Direction::Incoming);
        parents.map(|parent| DomainId::from_index(parent.index()))
    }

    /// All nodes that go down with `domain`, by id, each once.
    pub fn nodes_below(&self, domain: DomainId) -> Vec<NodeId> {
        let mut below = Vec::new();
        let mut walk = Dfs::new(&self.graph, index(domain));
        while let Some(contained) = walk.next(&self.graph) {
            below.extend_from_slice(&self.graph[contained].nodes);
        }
        below.sort_unstable();
        below.dedup();
        below
    }

    /// Hangs `node` on the domains called `names`; unknown names become domains of kind `other`.
    /// Returns the number of faults, in these domains and what contains them, that hold it down.
    pub(super) fn attach(&mut self, node: NodeId, names: &[String]) -> u16 {
        let mut above = Vec::new();
        for name in names {
            let known = self.by_name.get(name).copied();
            let domain = known.unwrap_or_else(|| {
                self.insert(name, "other").expect("a name that is not known is not a duplicate")
            });
            if !self.graph[domain].nodes.contains(&node) {
                self.graph[domain].nodes.push(node);
            }
            let mut walk = Dfs::new(Reversed(&self.graph), domain);
            while let Some(container) = walk.next(Reversed(&self.graph)) {
                above.push(container);
            }
        }
        above.sort_unstable();
        above.dedup();
        above.iter().map(|domain| self.graph[*domain].faults).sum()
    }

    /// One fault more (or fewer) holds `domain` down.
    pub(super) fn count_fault(&mut self, domain: DomainId, begins: bool) {
        let faults = &mut self.graph[index(domain)].faults;
        *faults = if begins { *faults + 1 } else { *faults - 1 };
    }
}

fn index(domain: DomainId) -> NodeIndex {
    NodeIndex::new(domain.index())
}
