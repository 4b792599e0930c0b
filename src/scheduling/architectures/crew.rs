//! The schedulers that work side by side, and which of them a job goes to: by the tier of the job,
//! and among equals by a hash of its workload.

use serde_json::{Value, json};

use super::options::{DecisionTime, Options};
use crate::cluster::Tier;

/// The options of one group of schedulers.
const KNOWN: [&str; 5] = ["name", "count", "tiers", "job", "task"];
/// Most schedulers that work side by side.
const MOST: u64 = 1000;

/// One scheduler.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Its name.
    pub name: String,
    /// What its decisions take.
    pub time: DecisionTime,
}

/// All schedulers, and who is in charge of which tier.
#[derive(Clone, Debug)]
pub(super) struct Crew {
    /// The schedulers.
    pub members: Vec<Member>,
    /// Per tier: the first of those in charge, and how many they are.
    in_charge: [(usize, usize); Tier::COUNT],
}

impl Crew {
    /// A single scheduler for everything.
    pub fn single(name: &str, time: DecisionTime) -> Self {
        let members = vec![Member { name: name.to_owned(), time }];
        Self { members, in_charge: [(0, 1); Tier::COUNT] }
    }

    /// Reads the option `schedulers`: a list of groups. The default is that of Omega's simulator: a
    /// scheduler for batch and one for services.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn read(options: &Options<'_>) -> Result<Self, String> {
        let usual = json!([
            {"name": "batch", "tiers": ["free", "best-effort-batch", "mid"]},
            {"name": "service", "tiers": ["production", "monitoring"]},
        ]);
        let given = options.list("schedulers")?;
        let usual = usual.as_array().map(Vec::as_slice).unwrap_or_default();
        Self::of_groups(if given.is_empty() { usual } else { given })
            .map_err(|reason| format!("`schedulers`: {reason}"))
    }

    fn of_groups(groups: &[Value]) -> Result<Self, String> {
        let mut members: Vec<Member> = Vec::new();
        let mut in_charge: [Option<(usize, usize)>; Tier::COUNT] = [None; Tier::COUNT];
        let mut rest = None;
        for (number, group) in groups.iter().enumerate() {
            let options = Options::new(group, &KNOWN)?;
            let name = options.text("name")?.map_or(format!("scheduler-{number}"), str::to_owned);
            if members.iter().any(|member| member.name == name) {
                return Err(format!("`name`: there are two called \"{name}\""));
            }
            let count = options.whole("count", 1..=MOST, 1)? as usize;
            let time = DecisionTime::read(&options, &DecisionTime::omega())?;
            let here = (members.len(), count);
            match options.tiers("tiers")? {
                None if rest.is_some() => {
                    return Err("two groups without `tiers`: who is in charge?".to_owned());
                }
                None => rest = Some(here),
                Some(tiers) => {
                    for tier in tiers {
                        if in_charge[tier as usize].replace(here).is_some() {
                            return Err(format!("`tiers`: two are in charge of `{}`", tier.name()));
                        }
                    }
                }
            }
            members.extend((0..count).map(|i| {
                let name = if count == 1 { name.clone() } else { format!("{name}-{i}") };
                Member { name, time: time.clone() }
            }));
        }
        let mut all = [(0, 1); Tier::COUNT];
        for tier in Tier::ALL {
            let Some(found) = in_charge[tier as usize].or(rest) else {
                return Err(format!("`tiers`: nobody is in charge of `{}`", tier.name()));
            };
            all[tier as usize] = found;
        }
        Ok(Self { members, in_charge: all })
    }

    /// Number of the scheduler for a job of `tier` whose workload is called `key`.
    pub fn in_charge(&self, tier: Tier, key: u64) -> usize {
        let (first, count) = self.in_charge[tier as usize];
        first + spread(key, count)
    }
}

/// `key` on one of `count` places, as good as at random (Fibonacci hashing).
pub(super) fn spread(key: u64, count: usize) -> usize {
    let mixed = (key ^ (key >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((u128::from(mixed) * count as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crew(schedulers: &Value) -> Result<Crew, String> {
        let value = json!({ "schedulers": schedulers });
        Crew::read(&Options::new(&value, &["schedulers"]).expect("it is known"))
    }

    #[test]
    fn every_tier_has_somebody_in_charge() {
        let usual = crew(&Value::Null).expect("the default");
        assert_eq!(usual.members.len(), 2);
        assert_eq!(usual.in_charge(Tier::Free, 7), 0);
        assert_eq!(usual.in_charge(Tier::Production, 7), 1);
        let many = crew(&json!([{"name": "batch", "count": 8}])).expect("one group for all");
        let mut jobs = [0; 8];
        (0..8000).for_each(|key| jobs[many.in_charge(Tier::Mid, key)] += 1);
        assert!(jobs.iter().all(|jobs| (900..1100).contains(jobs)), "{jobs:?}");
        assert_eq!(many.members[3].name, "batch-3");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let wrong = [
            (json!([{"tiers": ["free"]}]), "nobody is in charge of"),
            (json!([{}, {}]), "two groups without"),
            (json!([{"tiers": ["free"]}, {}, {"tiers": ["free"]}]), "two are in charge"),
            (json!([{"tiers": ["fre"]}]), "tiers are"),
            (json!([{"count": 0}]), "from 1 to 1000"),
            (json!([{"name": "a"}, {"name": "a", "tiers": ["mid"]}]), "two called"),
            (json!([{"jobs": "1s"}]), "did you mean `job`"),
        ];
        for (value, reason) in wrong {
            let error = crew(&value).expect_err("it makes no sense");
            assert!(error.contains(reason), "{value}: {error}");
        }
    }
}
