//! Random streams, one for each (seed, run, purpose, entity).
//!
//! No generator is shared, so a draw depends on its key and on how often its own stream was
//! drawn from, never on who else drew or in which order streams were made: two policies under
//! one seed meet the same weather. It must never draw from the clock or the machine.

use std::convert::Infallible;

use rand::TryRng;
use rand_pcg::Pcg64Mcg;

/// What a stream is drawn from for. The numbers are part of every result: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// When a node fails.
    NodeFailure,
    /// How long a node takes to be repaired.
    NodeRepair,
    /// When a failure domain fails.
    DomainFailure,
    /// How long a failure domain takes to be repaired.
    DomainRepair,
    /// When a pod crashes by itself.
    PodCrash,
    /// How long it takes to notice a failure.
    Detection,
    /// When pods arrive.
    Arrival,
    /// What a pod requests.
    PodShape,
    /// How long a pod works.
    PodDuration,
    /// How many pods a job has.
    JobSize,
    /// Choices among nodes.
    Placement,
    /// How long a pod takes to start.
    StartDelay,
    /// What a pod uses of what it requests.
    Usage,
    /// What kind of fault a failure is.
    FaultKind,
    /// Which tier or priority a job has.
    JobTier,
    /// Whose a job is, and what else is declared of it.
    JobTenant,
    /// Which jobs are alloc sets.
    AllocSet,
    /// In which order machines are taken away when a cell is compacted.
    Compaction,
    /// Which device of a node a pod gets.
    Device,
    /// How long a scheduler takes to decide.
    DecisionTime,
    /// Which nodes a scheduler probes.
    Probe,
    /// In which order a scan looks at nodes.
    ScanOrder,
    /// For experiments and for authors of policies, each under a number of its own.
    Custom(u32),
}

impl Purpose {
    /// The number that stands for this purpose in the key of a stream.
    const fn number(self) -> u64 {
        match self {
            Self::NodeFailure => 1,
            Self::NodeRepair => 2,
            Self::DomainFailure => 3,
            Self::DomainRepair => 4,
            Self::PodCrash => 5,
            Self::Detection => 6,
            Self::Arrival => 7,
            Self::PodShape => 8,
            Self::PodDuration => 9,
            Self::JobSize => 10,
            Self::Placement => 11,
            Self::StartDelay => 12,
            Self::Usage => 13,
            Self::FaultKind => 14,
            Self::JobTier => 15,
            Self::Device => 16,
            Self::Compaction => 17,
            Self::JobTenant => 18,
            Self::AllocSet => 19,
            Self::DecisionTime => 40,
            Self::Probe => 41,
            Self::ScanOrder => 42,
            Self::Custom(number) => 1 << 32 | number as u64,
        }
    }
}

/// The source of all streams of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    /// What the experiment was seeded with.
    pub seed: u64,
    /// Which replication of the experiment this is.
    pub run: u64,
}

impl Streams {
    /// The stream for `purpose` and `entity`, at its beginning.
    ///
    /// The 128 bits that seed it are two words of a chain: from zero, each word of the key
    /// (seed, run, purpose, entity) is added and the sum sent through the finaliser of
    /// splitmix64; the words are the chain after the entity and one step further. The finaliser
    /// is a bijection, so within one run and purpose no two entities share their first word.
    pub fn stream(&self, purpose: Purpose, entity: u64) -> Stream {
        let chain = [self.seed, self.run, purpose.number(), entity].into_iter().fold(0, absorb);
        let low = absorb(chain, 0);
        Stream { generator: Pcg64Mcg::new(u128::from(chain) << 64 | u128::from(low)) }
    }
}

/// One step of the chain that mixes the words of a key.
const fn absorb(chain: u64, word: u64) -> u64 {
    splitmix64(chain.wrapping_add(GOLDEN_GAMMA).wrapping_add(word))
}

/// The increment of splitmix64: 2^64 over the golden ratio, odd.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of splitmix64 (Steele, Lea and Flood, 2014, with Stafford's variant 13).
const fn splitmix64(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A random stream, of 16 bytes: small enough to keep one for each entity.
///
/// The generator is PCG XSL 128/64 MCG, whose values are the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    generator: Pcg64Mcg,
}

impl Stream {
    /// A number in the open interval (0, 1): a multiple of 2^-53, of which zero counts as the
    /// first, so that a quantile function can take it, and its complement, as they are.
    pub fn uniform(&mut self) -> f64 {
        open_unit(self.word())
    }

    /// Puts `items` into an order of which each is equally likely (Fisher and Yates).
    #[expect(clippy::cast_possible_truncation, reason = "the draw is below a length")]
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// A whole number in `0..n`, each equally likely (Lemire's multiply and reject, 2019).
    ///
    /// # Panics
    ///
    /// If `n` is zero.
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a product are taken apart")]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "there is no whole number below zero to draw");
        loop {
            let product = u128::from(self.word()) * u128::from(n);
            let low = product as u64;
            // Of the 2^64 words, those with a low half under 2^64 mod n are in excess.
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 64) as u64;
            }
        }
    }

    fn word(&mut self) -> u64 {
        let Ok(word) = self.generator.try_next_u64();
        word
    }
}

/// The upper 53 bits of `word` as a number in the open interval (0, 1).
#[expect(clippy::cast_precision_loss, reason = "53 bits are exactly what a double holds")]
pub(super) fn open_unit(word: u64) -> f64 {
    const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;
    (word >> 11).max(1) as f64 * UNIT
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.generator.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.generator.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.generator.try_fill_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_words(seed: u64, run: u64, purpose: Purpose, entity: u64) -> [u64; 2] {
        let mut stream = Streams { seed, run }.stream(purpose, entity);
        [stream.word(), stream.word()]
    }

    #[test]
    fn the_values_of_a_stream_never_change() {
        // From a second implementation, in another language, of the mixing and the generator.
        // A change here changes every result there is.
        assert_eq!(
            first_words(0, 0, Purpose::NodeFailure, 0),
            [1_754_367_805_113_673_360, 3_769_735_060_082_778_481]
        );
        assert_eq!(
            first_words(1, 0, Purpose::NodeFailure, 0),
            [162_937_366_321_618_880, 12_157_865_689_588_743_745]
        );
        assert_eq!(
            first_words(42, 7, Purpose::Custom(3), u64::MAX),
            [12_790_588_841_637_955_407, 5_315_036_838_565_204_441]
        );
        let mut stream = Streams { seed: 42, run: 0 }.stream(Purpose::Placement, 5);
        assert_eq!(stream.uniform().to_bits(), 4_606_443_792_843_958_847);
        assert_eq!(
            [stream.below(10), stream.below(1000), stream.below(u64::MAX)],
            [6, 717, 2_841_177_130_335_929_119]
        );
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let base = first_words(1, 1, Purpose::NodeFailure, 1);
        assert_ne!(base, first_words(2, 1, Purpose::NodeFailure, 1));
        assert_ne!(base, first_words(1, 2, Purpose::NodeFailure, 1));
        assert_ne!(base, first_words(1, 1, Purpose::NodeRepair, 1));
        assert_ne!(base, first_words(1, 1, Purpose::NodeFailure, 2));
        // A word that moves from one part of the key to the next is another key.
        assert_ne!(
            first_words(5, 0, Purpose::NodeFailure, 0),
            first_words(0, 5, Purpose::NodeFailure, 0)
        );
    }

    #[test]
    fn a_custom_purpose_is_none_of_the_named_ones() {
        assert_ne!(Purpose::Custom(1).number(), Purpose::NodeFailure.number());
        assert_ne!(
            first_words(1, 1, Purpose::Custom(1), 1),
            first_words(1, 1, Purpose::NodeFailure, 1)
        );
    }

    #[test]
    fn a_uniform_is_never_zero_nor_one_even_from_the_extreme_words() {
        for word in [0, u64::MAX] {
            let uniform = open_unit(word);
            assert!(uniform > 0.0 && uniform < 1.0, "{uniform}");
        }
    }

    #[test]
    fn neighbouring_entities_are_independent() {
        // First draws of a million neighbours: mean 1/2 and no serial correlation, each within
        // five standard errors (1/sqrt(12 n) and 1/(12 sqrt n)).
        let streams = Streams { seed: 3, run: 0 };
        let draws: Vec<f64> =
            (0..1_000_000).map(|e| streams.stream(Purpose::PodCrash, e).uniform() - 0.5).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let lag = draws.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n;
        assert!(mean.abs() < 5.0 / (12.0 * n).sqrt(), "mean {mean}");
        assert!(lag.abs() < 5.0 / (12.0 * n.sqrt()), "correlation {lag}");
    }

    #[test]
    fn below_draws_every_number_equally_often() {
        let mut stream = Streams { seed: 9, run: 0 }.stream(Purpose::Placement, 0);
        let mut counts = [0_u32; 7];
        for _ in 0..700_000 {
            counts[stream.below(7) as usize] += 1;
        }
        // Chi-square with 6 degrees of freedom; 22.46 is its 99.9 % quantile.
        let chi = counts.iter().map(|c| libm::pow(f64::from(*c) - 1e5, 2.0) / 1e5).sum::<f64>();
        assert!(chi < 22.46, "chi-square {chi}, counts {counts:?}");
    }

    #[test]
    fn below_one_is_zero_and_below_a_huge_number_stays_below() {
        let mut stream = Streams { seed: 9, run: 1 }.stream(Purpose::Placement, 0);
        let n = (1 << 63) + 1;
        for _ in 0..1000 {
            assert_eq!(stream.below(1), 0);
            assert!(stream.below(n) < n);
        }
    }
}
