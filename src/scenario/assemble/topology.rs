//! Section `topology`: the failure domains, and which of them each node hangs on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cluster::PoolNodes;
use crate::cluster::{DomainError, DomainGraph, DomainSpec, NodeSpec};
use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::types::{Cluster, Level, Order, Scenario, Topology};

/// The failure domains and the nodes that hang on them.
pub struct Cell {
    /// The domains.
    pub domains: Vec<DomainSpec>,
    /// The nodes.
    pub nodes: Vec<Arc<NodeSpec>>,
    /// The domains over which nodes that a trace brings are dealt out in turn, level by level.
    pub for_trace_nodes: Vec<Vec<String>>,
}

/// Builds the domains and hangs the nodes of all pools on them.
pub fn cell(
    scenario: &Scenario,
    pools: Vec<PoolNodes>,
    trace_brings_nodes: bool,
    problems: &mut Problems<'_>,
) -> Cell {
    let (topology, cluster) = (&scenario.topology, &scenario.cluster);
    let domains = domains(topology, problems);
    let known: BTreeSet<&str> = domains.iter().map(|domain| domain.name.as_str()).collect();
    check_pool_domains(cluster, &known, problems);
    let hung = hang(topology, cluster, pools, problems);
    if !trace_brings_nodes {
        check_levels_are_filled(topology, hung.len(), problems);
    }
    let for_trace_nodes = leaves(topology)
        .filter(|level| level.pools.is_empty())
        .map(|level| (0..level.count).map(|index| name_of(level, index)).collect())
        .collect();
    Cell { nodes: hung.into_iter().map(Arc::new).collect(), domains, for_trace_nodes }
}

fn name_of(level: &Level, index: u32) -> String {
    format!("{}-{index}", level.kind)
}

/// The place of thing `index` of `things` when they are dealt out over `places`.
fn dealt(order: Order, index: u32, things: u32, places: u32) -> u32 {
    match order {
        Order::RoundRobin => index % places,
        Order::Contiguous => {
            let place = u64::from(index) * u64::from(places) / u64::from(things.max(1));
            u32::try_from(place).expect("below the number of places")
        }
    }
}

/// The levels that no other level is within.
fn leaves(topology: &Topology) -> impl Iterator<Item = &Level> {
    let is_leaf = |level: &&Level| {
        !topology.levels.iter().any(|other| other.within.names().contains(&level.kind))
    };
    topology.levels.iter().filter(is_leaf)
}

fn domains(topology: &Topology, problems: &mut Problems<'_>) -> Vec<DomainSpec> {
    let mut domains = level_domains(topology, problems);
    let path = Path::of(&["topology", "domains"]);
    for domain in &topology.domains {
        domains.push(DomainSpec {
            name: domain.name.clone(),
            kind: domain.kind.clone(),
            parents: domain.parents.clone(),
        });
    }
    check_names(topology, &domains, &path, problems);
    if let Err(DomainError::Cycle(name)) = DomainGraph::new(&domains) {
        let explicit = topology.domains.iter().position(|domain| domain.name == name);
        let level = topology
            .levels
            .iter()
            .position(|level| name.rsplit_once('-').is_some_and(|(kind, _)| kind == level.kind));
        let at = match (explicit, level) {
            (Some(index), _) => path.index(index).key("parents"),
            (None, Some(index)) => Path::of(&["topology", "levels"]).index(index).key("within"),
            (None, None) => path,
        };
        problems.add(ErrorCode::Cycle, &at, format!("failure domain \"{name}\" contains itself"));
    }
    domains
}

fn level_domains(topology: &Topology, problems: &mut Problems<'_>) -> Vec<DomainSpec> {
    let mut domains = Vec::new();
    let counts: BTreeMap<&str, u32> =
        topology.levels.iter().map(|level| (level.kind.as_str(), level.count)).collect();
    for (position, level) in topology.levels.iter().enumerate() {
        let path = Path::of(&["topology", "levels"]).index(position);
        if topology.levels[..position].iter().any(|earlier| earlier.kind == level.kind) {
            let message = format!("there are two levels of kind \"{}\"", level.kind);
            problems.add(ErrorCode::DuplicateName, &path.key("kind"), message);
            continue;
        }
        let mut above = Vec::new();
        for kind in level.within.names() {
            match counts.get(kind.as_str()) {
                Some(count) => above.push((kind, *count)),
                None => {
                    let known = counts.keys().copied();
                    problems.unknown_name(&path.key("within"), "level", kind, known);
                }
            }
        }
        for index in 0..level.count {
            let parent = |(kind, count): &(&String, u32)| {
                format!("{kind}-{}", dealt(level.spread, index, level.count, *count))
            };
            domains.push(DomainSpec {
                name: name_of(level, index),
                kind: level.kind.clone(),
                parents: above.iter().map(parent).collect(),
            });
        }
    }
    domains
}

/// Duplicate names and unknown parents among the domains named one by one.
fn check_names(
    topology: &Topology,
    domains: &[DomainSpec],
    path: &Path,
    problems: &mut Problems<'_>,
) {
    let generated = domains.len() - topology.domains.len();
    let mut seen: BTreeSet<&str> =
        domains[..generated].iter().map(|domain| domain.name.as_str()).collect();
    let all: BTreeSet<&str> = domains.iter().map(|domain| domain.name.as_str()).collect();
    for (index, domain) in topology.domains.iter().enumerate() {
        if !seen.insert(&domain.name) {
            let message = format!("there are two failure domains called \"{}\"", domain.name);
            problems.add(ErrorCode::DuplicateName, &path.index(index).key("name"), message);
        }
        for (position, parent) in domain.parents.iter().enumerate() {
            if !all.contains(parent.as_str()) {
                let at = path.index(index).key("parents").index(position);
                problems.unknown_name(&at, "failure domain", parent, all.iter().copied());
            }
        }
    }
}

fn check_pool_domains(cluster: &Cluster, known: &BTreeSet<&str>, problems: &mut Problems<'_>) {
    for (index, pool) in cluster.pools.iter().enumerate() {
        let path = Path::of(&["cluster", "pools"]).index(index);
        for (field, names) in [("domains", &pool.domains), ("spreadOver", &pool.spread_over)] {
            for (position, name) in names.iter().enumerate() {
                if !known.contains(name.as_str()) {
                    let at = path.key(field).index(position);
                    problems.unknown_name(&at, "failure domain", name, known.iter().copied());
                }
            }
        }
    }
}

/// All nodes by name, each with the domains it hangs on.
fn hang(
    topology: &Topology,
    cluster: &Cluster,
    pools: Vec<PoolNodes>,
    problems: &mut Problems<'_>,
) -> Vec<NodeSpec> {
    let mut nodes = Vec::new();
    for pool in pools {
        let given = cluster.pools.iter().find(|given| given.name == pool.spec.pool);
        let over = given.map_or(&[][..], |given| &given.spread_over);
        for index in 0..pool.count {
            let mut node = pool.spec.clone();
            node.name = format!("{}-{index}", pool.spec.pool);
            node.domains.extend(over.get(index as usize % over.len().max(1)).cloned());
            nodes.push(node);
        }
    }
    for (position, level) in topology.levels.iter().enumerate() {
        let path = Path::of(&["topology", "levels"]).index(position).key("pools");
        for (index, pool) in level.pools.iter().enumerate() {
            if !cluster.pools.iter().any(|known| known.name == *pool) {
                let known = cluster.pools.iter().map(|pool| pool.name.as_str());
                problems.unknown_name(&path.index(index), "pool", pool, known);
            }
        }
    }
    for level in leaves(topology) {
        let mut members: Vec<&mut NodeSpec> = nodes
            .iter_mut()
            .filter(|node| level.pools.is_empty() || level.pools.contains(&node.pool))
            .collect();
        let things = u32::try_from(members.len()).unwrap_or(u32::MAX);
        for (index, node) in (0..things).zip(&mut members) {
            node.domains.push(name_of(level, dealt(level.nodes, index, things, level.count)));
        }
    }
    hang_by_name(topology, &mut nodes, problems);
    nodes
}

fn hang_by_name(topology: &Topology, nodes: &mut [NodeSpec], problems: &mut Problems<'_>) {
    let by_name: BTreeMap<String, usize> =
        nodes.iter().enumerate().map(|(index, node)| (node.name.clone(), index)).collect();
    for (position, domain) in topology.domains.iter().enumerate() {
        for (index, name) in domain.nodes.iter().enumerate() {
            let Some(node) = by_name.get(name) else {
                let path = Path::of(&["topology", "domains"]).index(position).key("nodes");
                let known = by_name.keys().map(String::as_str);
                problems.unknown_name(&path.index(index), "node", name, known);
                continue;
            };
            nodes[*node].domains.push(domain.name.clone());
        }
    }
}

/// A rack without nodes would fail all by itself and dilute every figure about racks.
fn check_levels_are_filled(topology: &Topology, nodes: usize, problems: &mut Problems<'_>) {
    for (position, level) in topology.levels.iter().enumerate() {
        if level.count as usize > nodes {
            let path = Path::of(&["topology", "levels"]).index(position).key("count");
            let message = format!(
                "{} domains of kind \"{}\" for {nodes} nodes: some would hold none",
                level.count, level.kind
            );
            problems.add(ErrorCode::Contradiction, &path, message);
        }
    }
}
