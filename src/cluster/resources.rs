//! Resource amounts: integer vectors with a fixed small number of dimensions.

use std::ops::{AddAssign, Index, IndexMut, SubAssign};

use serde::{Deserialize, Serialize};

/// Number of dimensions of a [`Resources`] vector; eight `i64` are as long as a cache line. (The
/// vector is not *aligned* to one: that would send every boxed record through the slow path of
/// the allocator, which costs more than the second line.)
pub const DIMENSIONS: usize = 8;

/// One dimension of a [`Resources`] vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dimension(pub u8);

impl Dimension {
    /// CPU, in millicores.
    pub const CPU: Self = Self(0);
    /// Memory, in bytes.
    pub const MEMORY: Self = Self(1);
    /// Local (ephemeral) storage, in bytes.
    pub const STORAGE: Self = Self(2);
    /// Pod slots.
    pub const PODS: Self = Self(3);
    /// GPUs of a node taken together, in milli-GPU; shares of single devices are tracked apart.
    pub const GPU: Self = Self(4);
    /// The first of the extended resources that a scenario names.
    pub const FIRST_EXTENDED: Self = Self(5);

    /// All dimensions in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..DIMENSIONS as u8).map(Self)
    }
}

/// Amounts of every resource: a request, a capacity, or what is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resources(pub [i64; DIMENSIONS]);

impl Resources {
    /// Nothing of anything.
    pub const ZERO: Self = Self([0; DIMENSIONS]);

    /// A vector of CPU (millicores) and memory (bytes), one pod slot, nothing else: a plain pod.
    pub const fn pod(cpu_milli: i64, memory_bytes: i64) -> Self {
        Self([cpu_milli, memory_bytes, 0, 1, 0, 0, 0, 0])
    }

    /// True if `self` is at most `free` in every dimension.
    #[inline]
    pub fn fits_in(&self, free: &Self) -> bool {
        self.0.iter().zip(&free.0).all(|(ask, free)| ask <= free)
    }

    /// True if no dimension is below zero.
    pub fn is_non_negative(&self) -> bool {
        self.0.iter().all(|amount| *amount >= 0)
    }

    /// The first dimension in which `self` exceeds `free`, if any.
    pub fn first_lacking(&self, free: &Self) -> Option<Dimension> {
        Dimension::all().find(|dimension| self[*dimension] > free[*dimension])
    }

    /// `self + other`, dimension by dimension.
    #[inline]
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self += *other;
        self
    }

    /// `self − other`, dimension by dimension.
    #[inline]
    #[must_use]
    pub fn minus(mut self, other: &Self) -> Self {
        self -= *other;
        self
    }

    /// The larger of the two in each dimension.
    #[must_use]
    pub fn max(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a = (*a).max(*b));
        self
    }

    /// Each dimension times `permille / 1000`, rounded down.
    #[must_use]
    pub fn scaled_permille(&self, permille: &[i64; DIMENSIONS]) -> Self {
        let mut scaled = *self;
        for (amount, factor) in scaled.0.iter_mut().zip(permille) {
            *amount = scale_permille(*amount, *factor);
        }
        scaled
    }
}

/// `amount × permille / 1000`, rounded down, without overflow on the way.
fn scale_permille(amount: i64, permille: i64) -> i64 {
    let scaled = i128::from(amount) * i128::from(permille) / 1000;
    i64::try_from(scaled).unwrap_or(i64::MAX)
}

impl Index<Dimension> for Resources {
    type Output = i64;
    #[inline]
    fn index(&self, dimension: Dimension) -> &i64 {
        &self.0[usize::from(dimension.0)]
    }
}

impl IndexMut<Dimension> for Resources {
    #[inline]
    fn index_mut(&mut self, dimension: Dimension) -> &mut i64 {
        &mut self.0[usize::from(dimension.0)]
    }
}

impl AddAssign for Resources {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a += *b);
    }
}

impl SubAssign for Resources {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a -= *b);
    }
}

/// What the dimensions are called in scenarios and reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceNames {
    extended: Vec<String>,
}

/// Names of the dimensions that every cell has.
const BUILT_IN: [&str; 5] = ["cpu", "memory", "storage", "pods", "gpu"];

impl ResourceNames {
    /// Names the extended resources, in order; at most [`DIMENSIONS`] − 5 of them.
    ///
    /// Returns `None` where there are too many or a name is taken.
    pub fn with_extended(extended: Vec<String>) -> Option<Self> {
        let taken = |i: usize, name: &String| {
            BUILT_IN.contains(&name.as_str()) || extended[..i].contains(name)
        };
        let valid = extended.len() <= DIMENSIONS - BUILT_IN.len()
            && extended.iter().enumerate().all(|(i, name)| !taken(i, name));
        valid.then_some(Self { extended })
    }

    /// The names in use, in order of their dimension.
    pub fn iter(&self) -> impl Iterator<Item = (Dimension, &str)> {
        let names = BUILT_IN.iter().copied().chain(self.extended.iter().map(String::as_str));
        Dimension::all().zip(names)
    }

    /// The dimension called `name`.
    pub fn dimension(&self, name: &str) -> Option<Dimension> {
        self.iter().find(|(_, known)| *known == name).map(|(dimension, _)| dimension)
    }

    /// What `dimension` is called.
    pub fn name(&self, dimension: Dimension) -> &str {
        self.iter().find(|(known, _)| *known == dimension).map_or("unnamed", |(_, name)| name)
    }
}
