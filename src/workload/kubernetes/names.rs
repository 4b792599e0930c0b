//! Names of objects that controllers make: the same for the same input.

use std::collections::BTreeSet;

/// Characters of generated names: no vowels and no digits that look like some
/// (`k8s.io/apimachinery/pkg/util/rand`).
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// Generated names end in so many of them.
const SUFFIX: usize = 5;

/// FNV-1a of 64 bits (Fowler, Noll, Vo).
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A short word that stands for `text`; controllers put such a word into the names of ReplicaSets.
pub(super) fn word(text: &str, length: usize) -> String {
    let mut rest = hash(text);
    let base = SAFE.len() as u64;
    (0..length)
        .map(|_| {
            let character = SAFE[usize::try_from(rest % base).unwrap_or(0)];
            rest /= base;
            char::from(character)
        })
        .collect()
}

/// A name that begins with `prefix` and is not in `taken`, where it is put.
pub(super) fn unique(prefix: &str, taken: &mut BTreeSet<String>) -> String {
    let mut attempt = taken.len() as u64;
    loop {
        let name = format!("{prefix}{}", word(&format!("{prefix}{attempt}"), SUFFIX));
        if taken.insert(name.clone()) {
            return name;
        }
        attempt += 1;
    }
}
