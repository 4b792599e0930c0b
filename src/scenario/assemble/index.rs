//! `scheduler.index`: how nodes are looked for.

use std::num::NonZeroU32;

use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::types::{IndexName, Ratio};
use crate::scheduling::placement::{Index, Techniques};

/// The index, for a scheduler that compares nodes by score or does not.
pub fn index(given: &IndexName, compares: bool, problems: &mut Problems<'_>) -> Index {
    let path = Path::of(&["scheduler", "index"]);
    match given {
        IndexName::Auto => Index::Auto,
        IndexName::Naive => Index::Naive,
        IndexName::Grid => Index::Grid,
        IndexName::Ranking => Index::Ranking,
        IndexName::Scan {
            score_cache,
            ignore_changes_below,
            equivalence_classes,
            relaxed_randomization,
        } => {
            let path = path.key("scan");
            if !compares {
                let message = "there is nothing to scan for: the scheduler or its placement \
                               policy compares no nodes by score";
                let help = "choose a policy with scores, such as best-fit or borg-hybrid";
                problems.add_with_help(ErrorCode::Contradiction, &path, message, help);
            }
            let ignored = threshold(ignore_changes_below.as_ref(), *score_cache, &path, problems);
            Index::Scan(Techniques {
                score_cache: score_cache.then_some(ignored),
                equivalence_classes: *equivalence_classes,
                relaxed_randomization: relaxed_randomization
                    .as_ref()
                    .and_then(|relaxed| NonZeroU32::new(relaxed.enough)),
            })
        }
    }
}

/// Changes below this are ignored, in permille.
fn threshold(
    given: Option<&Ratio>,
    score_cache: bool,
    path: &Path,
    problems: &mut Problems<'_>,
) -> u32 {
    let Some(share) = given.map(Ratio::amount) else { return 0 };
    let path = path.key("ignoreChangesBelow");
    if !score_cache {
        let message = "without a score cache there is nothing that a change could leave alone";
        problems.add_with_help(ErrorCode::Contradiction, &path, message, "add `scoreCache: true`");
    }
    let permille = (share * 1000.0).round();
    if (permille / 1000.0 - share).abs() > 1e-9 {
        let message = "the smallest step of the threshold is 0.1%";
        problems.add(ErrorCode::OutOfRange, &path, message);
    }
    permille as u32
}
