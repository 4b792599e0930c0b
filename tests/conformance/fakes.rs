//! The plugins that upstream's tests make up.

use std::borrow::Cow;
use std::cell::Cell;

use cellsim::scheduling::kube::{Cache, Code, NodeInfo, Plugin, PodInfo, Scores, State, Status};
use serde_json::Value;

/// The filter that is put before all others, to count how often filters are run.
pub const COUNTED: &str = "FakeFilter";

thread_local! {
    /// How often the filter `COUNTED` was asked.
    pub static FILTER_CALLS: Cell<u64> = const { Cell::new(0) };
}

enum Fake {
    Filter(fn(&PodInfo, &NodeInfo) -> bool),
    /// Always says this.
    Always(Code),
    Score(fn(&str) -> i64),
    /// As `Score`, turned round.
    Reversed(fn(&str) -> i64),
}

struct FakePlugin {
    name: String,
    fake: Fake,
}

/// What a node is worth by its name.
fn number(name: &str) -> i64 {
    name.parse().unwrap_or(0)
}

fn code(name: &str) -> Code {
    [Code::Success, Code::Error, Code::Unschedulable, Code::UnschedulableAndUnresolvable]
        .into_iter()
        .find(|code| code.name() == name)
        .unwrap_or(Code::Unschedulable)
}

/// The made-up plugin of a name.
pub fn by_name(name: &str, input: &Value) -> Option<Box<dyn Plugin>> {
    let fake = match name {
        "TrueFilter" => Fake::Always(Code::Success),
        "FalseFilter" => Fake::Always(Code::Unschedulable),
        COUNTED => Fake::Always(code(input["fake_filter_code"].as_str().unwrap_or(""))),
        "MatchFilter" => Fake::Filter(|pod, node| pod.name == node.name()),
        "NoPodsFilter" => Fake::Filter(|_, node| node.pods.is_empty()),
        "NumericMap" => Fake::Score(number),
        "ReverseNumericMap" => Fake::Reversed(number),
        "Node2Prioritizer" => Fake::Score(|name| if name == "node2" { 100 } else { 10 }),
        _ => return None,
    };
    Some(Box::new(FakePlugin { name: name.to_owned(), fake }))
}

impl Plugin for FakePlugin {
    fn name(&self) -> &str {
        &self.name
    }

    fn filters(&self) -> bool {
        matches!(self.fake, Fake::Filter(_) | Fake::Always(_))
    }

    fn scores(&self) -> bool {
        matches!(self.fake, Fake::Score(_) | Fake::Reversed(_))
    }

    fn filter(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Status {
        let code = match self.fake {
            Fake::Filter(holds) if !holds(pod, node) => Code::Unschedulable,
            Fake::Always(code) => {
                if self.name == COUNTED {
                    FILTER_CALLS.set(FILTER_CALLS.get() + 1);
                }
                code
            }
            _ => Code::Success,
        };
        let reasons = if code == Code::Success {
            Vec::new()
        } else {
            vec![Cow::Borrowed("Nodes failed the fake plugin")]
        };
        Status { code, reasons, ..Status::SUCCESS }
    }

    fn score(
        &self,
        _state: Option<&dyn State>,
        _cache: &Cache,
        _pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<i64, Status> {
        match self.fake {
            Fake::Score(of) | Fake::Reversed(of) => Ok(of(node.name())),
            _ => Ok(0),
        }
    }

    fn normalize(&self, _state: Option<&dyn State>, scores: Scores<'_>) {
        if matches!(self.fake, Fake::Reversed(_)) {
            let most = scores.iter().map(|(_, score)| *score).max().unwrap_or(0);
            let least = scores.iter().map(|(_, score)| *score).min().unwrap_or(0);
            for (_, score) in scores {
                *score = most + least - *score;
            }
        }
    }
}
