//! `nodeselector.*`: which nodes selectors and affinities mean.

use cellsim::kubernetes::node_selector::{NodeMatcher, PreferredNodes, RequiredNodes, selector};
use cellsim::kubernetes::{
    Node, NodeSelector, NodeSelectorRequirement, Pod, PreferredSchedulingTerm,
};
use serde_json::Value;

use crate::families::Runner;
use crate::support::{read, read_or_default, same};

pub fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "nodeselector.match" => match_node,
        "nodeselector.match_terms" => match_terms,
        "nodeselector.pod_matches" => pod_matches,
        "nodeselector.preferred_score" => preferred_score,
        "nodeselector.requirements_as_selector" => requirements_as_selector,
        _ => return None,
    })
}

/// Upstream compiles the selector and must refuse a malformed one before it is used.
fn match_node(case: &Value) -> Result<(), String> {
    let matcher = NodeMatcher::new(&read::<NodeSelector>(case, "/input/nodeSelector")?);
    let wants_error = !read::<Value>(case, "/expected/wantErr")?.is_null();
    same("refused", &!matcher.errors().is_empty(), &wants_error)?;
    if wants_error {
        return Ok(());
    }
    let node: Option<Node> = read(case, "/input/node")?;
    let matches = match node {
        Some(node) => matcher.matches(&node.metadata.labels, &node.metadata.name)?,
        None => false,
    };
    same("match", &matches, &read(case, "/expected/wantMatch")?)
}

/// Here an error only means that nothing matches.
fn match_terms(case: &Value) -> Result<(), String> {
    let node: Node = read_or_default(case, "/input/args/node")?;
    let terms: NodeSelector = read_or_default(case, "/input/args/nodeSelector")?;
    let matcher = NodeMatcher::new(&terms);
    let matches = matcher.matches(&node.metadata.labels, &node.metadata.name);
    same("match", &matches.unwrap_or(false), &read(case, "/expected/want")?)
}

fn pod_matches(case: &Value) -> Result<(), String> {
    let pod: Pod = read(case, "/input/pod")?;
    let labels = read_or_default(case, "/input/labels")?;
    let name: String = read_or_default(case, "/input/nodeName")?;
    let matches = RequiredNodes::new(&pod.spec).matches(&labels, &name).unwrap_or(false);
    same("match", &matches, &read(case, "/expected/want")?)
}

fn preferred_score(case: &Value) -> Result<(), String> {
    let terms: Vec<PreferredSchedulingTerm> = read_or_default(case, "/input/prefSchedTerms")?;
    let wants_error = !read::<Value>(case, "/expected/wantErr")?.is_null();
    match PreferredNodes::new(&terms) {
        Err(error) => same(&format!("refused ({error})"), &true, &wants_error),
        Ok(_) if wants_error => Err("accepted, expected an error".to_owned()),
        Ok(preferred) => {
            let node: Node = read_or_default(case, "/input/node")?;
            let score = preferred.score(&node.metadata.labels, &node.metadata.name);
            same("score", &score, &read(case, "/expected/wantScore")?)
        }
    }
}

fn requirements_as_selector(case: &Value) -> Result<(), String> {
    let requirements: Vec<NodeSelectorRequirement> = read_or_default(case, "/input/in")?;
    let wants_error = !read::<Value>(case, "/expected/wantErr")?.is_null();
    match selector(&requirements) {
        Err(error) => same(&format!("refused ({error})"), &true, &wants_error),
        Ok(_) if wants_error => Err("accepted, expected an error".to_owned()),
        Ok(selector) => {
            let expected: String = read_or_default(case, "/expected/out/selector")?;
            same("selector", &selector.to_string(), &expected)
        }
    }
}
