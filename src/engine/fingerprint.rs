//! The fingerprint of a run: a 128-bit hash over every state transition, in order.
//!
//! It knows words, not facts; what a fact's words are is decided where facts are. It is the
//! same on every machine, depends on the order and the number of words, and is no protection
//! against someone who wants two runs to collide.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What the hash begins with: the first 128 bits of the fraction of pi.
const START: u128 = 0x243f_6a88_85a3_08d3_1319_8a2e_0370_7344;

/// An odd multiplier whose multiples spread well (that of the 128-bit generators of the PCG
/// family).
const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// A hash that words are absorbed into.
///
/// Two words at a time are added (exclusive or) to the state, which is then sent through a
/// bijection: multiplication carries each bit upwards, the shift carries it down again. So runs
/// of equal length that differ in one pair of words never collide, however long they go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    state: u128,
    /// The first word of a pair, where the number of words is odd; otherwise zero.
    held: u64,
    words: u64,
}

impl Fingerprint {
    /// The fingerprint of nothing.
    pub const fn new() -> Self {
        Self { state: START, held: 0, words: 0 }
    }

    /// Absorbs one word.
    #[inline]
    pub fn absorb(&mut self, word: u64) {
        if self.words.is_multiple_of(2) {
            self.held = word;
        } else {
            self.state = mix(self.state ^ pair(self.held, word));
            self.held = 0;
        }
        self.words += 1;
    }

    /// Absorbs four words: the same as one after the other, but faster.
    #[inline]
    pub fn absorb4(&mut self, words: [u64; 4]) {
        let [first, second, third, fourth] = words;
        if self.words.is_multiple_of(2) {
            self.state = mix(self.state ^ pair(first, second));
            self.state = mix(self.state ^ pair(third, fourth));
        } else {
            self.state = mix(self.state ^ pair(self.held, first));
            self.state = mix(self.state ^ pair(second, third));
            self.held = fourth;
        }
        self.words += 4;
    }

    /// The hash of all that was absorbed so far. More can be absorbed afterwards.
    pub const fn value(&self) -> u128 {
        let with_last = mix(self.state ^ pair(self.held, self.words));
        // Each bit has to reach every other: it takes three passes up and down.
        mix(mix(mix(with_last)))
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FingerprintValue(self.value()).fmt(f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FingerprintValue(self.value()).serialize(serializer)
    }
}

/// A bijection of 128 bits.
#[inline]
const fn mix(state: u128) -> u128 {
    let product = state.wrapping_mul(MULTIPLIER);
    product ^ (product >> 64)
}

#[inline]
const fn pair(low: u64, high: u64) -> u128 {
    (high as u128) << 64 | low as u128
}

/// The value of a finished [`Fingerprint`], as results keep it: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FingerprintValue(pub u128);

impl From<&Fingerprint> for FingerprintValue {
    fn from(fingerprint: &Fingerprint) -> Self {
        Self(fingerprint.value())
    }
}

impl fmt::Display for FingerprintValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Said of a text that is not the 32 hexadecimal digits of a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 32 hexadecimal digits, not \"{0}\"")]
pub struct NotAFingerprint(String);

impl FromStr for FingerprintValue {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let error = || NotAFingerprint(text.to_owned());
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(error());
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| error())
    }
}

impl Serialize for FingerprintValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FingerprintValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[u64]) -> u128 {
        let mut fingerprint = Fingerprint::new();
        words.iter().for_each(|word| fingerprint.absorb(*word));
        fingerprint.value()
    }

    #[test]
    fn the_values_never_change() {
        // From a second implementation, in another language. A change here changes every
        // fingerprint there is.
        assert_eq!(of(&[]), 0xacb7fc90_9293444a_799b5dde_810f5607);
        assert_eq!(of(&[0]), 0x4c462d25_59fed084_8a89128b_49753793);
        assert_eq!(of(&[1, 2, 3]), 0x075dfc0f_86d5f007_eb77fed0_449ab58a);
        assert_eq!(of(&[u64::MAX, 0, u64::MAX, 7]), 0xa94bf688_e259fb8c_c98ecd5d_9f92a9df);
    }

    #[test]
    fn four_words_at_once_are_four_words_one_by_one_wherever_they_begin() {
        for before in 0..3 {
            let mut at_once = Fingerprint::new();
            (0..before).for_each(|word| at_once.absorb(word));
            at_once.absorb4([10, 11, 12, 13]);
            at_once.absorb(14);
            let words: Vec<u64> = (0..before).chain(10..15).collect();
            assert_eq!(at_once.value(), of(&words));
        }
    }

    #[test]
    fn order_and_number_of_words_matter() {
        let texts: [&[u64]; 9] =
            [&[], &[0], &[0, 0], &[0, 0, 0], &[1, 2], &[2, 1], &[1, 2, 3], &[2, 1, 3], &[1, 3, 2]];
        let mut values: Vec<u128> = texts.map(of).to_vec();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), texts.len());
    }

    #[test]
    fn every_bit_of_every_word_turns_about_half_of_the_value() {
        // Binomial with 128 trials: 35 and 93 are more than five standard deviations away.
        let base = [3, 1 << 40, 99, 5, 0];
        for word in 0..base.len() {
            for bit in 0..64 {
                let mut other = base;
                other[word] ^= 1 << bit;
                let turned = (of(&base) ^ of(&other)).count_ones();
                assert!((35..=93).contains(&turned), "word {word} bit {bit}: {turned} bits");
            }
        }
    }

    #[test]
    fn each_bit_of_the_value_is_turned_by_about_half_of_the_bits_of_the_words() {
        let base: [u64; 16] = std::array::from_fn(|i| i as u64);
        let mut turned = [0_u32; 128];
        for flip in 0..1024 {
            let mut other = base;
            other[flip / 64] ^= 1 << (flip % 64);
            let difference = of(&base) ^ of(&other);
            (0..128).for_each(|bit| turned[bit] += (difference >> bit & 1) as u32);
        }
        // Binomial with 1024 trials: six standard deviations of 16.
        assert!(turned.iter().all(|n| (416..=608).contains(n)), "{turned:?}");
    }

    #[test]
    fn a_value_is_written_as_32_digits_and_read_back() {
        let value = FingerprintValue(0xabc);
        assert_eq!(value.to_string(), "00000000000000000000000000000abc");
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(json, "\"00000000000000000000000000000abc\"");
        assert_eq!(serde_json::from_str::<FingerprintValue>(&json).unwrap(), value);
        let fingerprint = Fingerprint::new();
        assert_eq!(fingerprint.to_string().parse(), Ok(FingerprintValue::from(&fingerprint)));
    }

    #[test]
    fn a_text_that_is_no_fingerprint_is_refused() {
        for text in ["", "abc", "+0000000000000000000000000000abc", &"g".repeat(32)] {
            let error = text.parse::<FingerprintValue>().unwrap_err();
            assert!(error.to_string().contains("32 hexadecimal digits"), "{error}");
        }
    }
}
