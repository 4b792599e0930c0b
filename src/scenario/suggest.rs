//! "Did you mean": the known name that is nearest to one that is not known.

/// How alike two names must be, between 0 (nothing) and 1 (equal): low enough for a swapped or
/// missing letter in a short word, high enough not to propose what has nothing to do with it.
const ALIKE: f64 = 0.8;

/// The best match for `word` among `known`.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|name| (likeness(word, name), name));
    let best = scored.fold(None, |best: Option<(f64, &str)>, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        Some(_) | None => Some(next),
    });
    best.filter(|(score, _)| *score >= ALIKE).map(|(_, name)| name)
}

/// `; did you mean "…"?`, or nothing.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}

/// The names in quotes with commas, at most a dozen.
pub fn listed<'a>(known: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = known.into_iter().collect();
    let shown: Vec<&str> = names.iter().copied().take(12).collect();
    let rest = if names.len() > shown.len() { ", …" } else { "" };
    format!("{}{rest}", shown.join(", "))
}

/// How alike two names are, from 0 (nothing) to 1 (equal but for case and dashes).
pub fn likeness(a: &str, b: &str) -> f64 {
    let (a, b) = (folded(a), folded(b));
    let (a, b) = (a.as_str(), b.as_str());
    if a == b {
        return 1.0;
    }
    let slip = a.len() > 2 && strsim::damerau_levenshtein(a, b) == 1;
    let part = a.len() > 3 && b.contains(a);
    let floor = if slip || part { ALIKE } else { 0.0 };
    strsim::jaro_winkler(a, b).max(strsim::normalized_damerau_levenshtein(a, b)).max(floor)
}

/// Case, dashes and underscores make no difference.
fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_proposed() {
        let known = ["best-fit", "worst-fit", "first-fit", "random"];
        assert_eq!(nearest("bestfit", known), Some("best-fit"));
        assert_eq!(nearest("BestFit", known), Some("best-fit"));
        assert_eq!(nearest("randm", known), Some("random"));
        assert_eq!(nearest("pooles", ["pools", "overcommit"]), Some("pools"));
        assert_eq!(nearest("wbe", ["database", "web"]), Some("web"));
        assert_eq!(nearest("batch", ["free", "best-effort-batch"]), Some("best-effort-batch"));
    }

    #[test]
    fn what_is_like_nothing_gets_no_proposal() {
        assert_eq!(nearest("zebra", ["best-fit", "random"]), None);
        assert_eq!(nearest("x", []), None);
    }
}
