//! Section `admission`.

use std::sync::Arc;

use crate::cluster::Tier;
use crate::scenario::document::Path;
use crate::scenario::error::ErrorCode;
use crate::scenario::problems::Problems;
use crate::scenario::types::{self, Quantity, TierName};
use crate::simulation::{Quota, Quotas};

/// Who has which quota; `None` where nobody is limited.
pub fn quotas(given: &types::Admission, problems: &mut Problems<'_>) -> Option<Quotas> {
    let mut quotas = Quotas::default();
    for (index, entry) in given.quota.iter().enumerate() {
        let path = Path::of(&["admission", "quota"]).index(index);
        let band = Tier::from(entry.band);
        if entry.band == TierName::Free {
            let message = "there is no quota at the band \"free\": its quota is infinite";
            let help = "leave the entry out (EuroSys'15 §2.5)";
            problems.add_with_help(ErrorCode::Contradiction, &path.key("band"), message, help);
        }
        if entry.cpu.is_none() && entry.memory.is_none() && entry.storage.is_none() {
            let message = "a quota needs cpu, memory or storage";
            problems.add(ErrorCode::MissingField, &path, message);
        }
        let quota = Quota {
            cpu_milli: entry.cpu.as_ref().map(Quantity::amount),
            memory_bytes: entry.memory.as_ref().map(Quantity::amount),
            storage_bytes: entry.storage.as_ref().map(Quantity::amount),
        };
        let (whose, earlier) = match &entry.user {
            Some(user) => {
                let name: Arc<str> = user.as_str().into();
                (format!("user \"{user}\""), quotas.users.insert((name, band), quota))
            }
            None => ("everybody else".to_owned(), quotas.defaults.insert(band, quota)),
        };
        if earlier.is_some() {
            let message = format!("there are two quotas of {whose} at {}", band.name());
            problems.add(ErrorCode::DuplicateName, &path, message);
        }
    }
    (quotas != Quotas::default()).then_some(quotas)
}
