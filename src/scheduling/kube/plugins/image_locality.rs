//! ImageLocality: nodes that have the images already are preferred.

use crate::scheduling::kube::{
    Cache, MAX_NODE_SCORE, NodeInfo, Part, Plugin, PodInfo, State, Status, Template,
};

const MIB: i64 = 1 << 20;
/// Less than this in all is worth nothing.
const LEAST: i64 = 23 * MIB;
/// More than this per container is worth no more.
const MOST_PER_CONTAINER: i64 = 1_000 * MIB;

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImageLocality;

impl ImageLocality {
    /// The score of a node for a pod of `template`.
    pub fn score_of(cache: &Cache, template: &Template, node: &NodeInfo) -> i64 {
        let total = cache.order().len();
        let worth = |(size, nodes): (i64, usize)| {
            // Spread images count in full, so that one node with an image does not attract all.
            (size as f64 * (nodes as f64 / total as f64)) as i64
        };
        let held = template.images.iter().filter(|image| node.images.binary_search(image).is_ok());
        let sum: i64 = held.filter_map(|image| cache.image(*image)).map(worth).sum();
        let containers = i64::try_from(template.images.len()).unwrap_or(i64::MAX);
        let most = MOST_PER_CONTAINER * containers;
        let bounded = if sum < LEAST { LEAST } else { sum.min(most) };
        MAX_NODE_SCORE * (bounded - LEAST) / (most - LEAST)
    }
}

impl Plugin for ImageLocality {
    fn name(&self) -> &'static str {
        "ImageLocality"
    }

    fn part(&self) -> Part {
        Part::Images
    }

    fn scores(&self) -> bool {
        true
    }

    fn score(
        &self,
        _state: Option<&dyn State>,
        cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        Ok(Self::score_of(cache, &pod.template, node))
    }
}
