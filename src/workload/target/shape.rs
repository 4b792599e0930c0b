//! Shapes: what matters of a pod for the question where there would be room for it.

use crate::cluster::{
    AllocRole, ConstraintId, DIMENSIONS, Dimension, GpuRequest, PodClass, Resources, TemplateId,
    Tier, WHOLE_MILLI, WorkloadId,
};

/// What matters of a pod for the question where there would be room for it: not whose it is, how
/// urgent it is, or what it has to be apart from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// What it reserves.
    pub requests: Resources,
    /// What it asks of GPU devices.
    pub gpu: GpuRequest,
    /// Its node constraints.
    pub constraints: ConstraintId,
    /// Its tier, where tiers are overcommitted differently; otherwise the default one.
    pub tier: Tier,
}

impl Shape {
    /// The shape of pods of `class`; `uniform` where all tiers are overcommitted alike.
    pub fn of(class: &PodClass, uniform: bool) -> Self {
        let tier = if uniform { Tier::default() } else { class.tier };
        Self { requests: class.requests, gpu: class.gpu, constraints: class.constraints, tier }
    }

    /// A class of pods of this shape.
    pub fn class(&self) -> PodClass {
        PodClass {
            requests: self.requests,
            gpu: self.gpu,
            template: TemplateId::NONE,
            constraints: self.constraints,
            apart_from: WorkloadId::NONE,
            priority: 0,
            tier: self.tier,
            alloc: AllocRole::None,
        }
    }

    /// The same with amounts rounded down to `digits` significant binary digits.
    pub(super) fn rounded(mut self, digits: u32) -> Self {
        for amount in &mut self.requests.0 {
            *amount = round_down(*amount, digits);
        }
        if self.gpu.milli < WHOLE_MILLI {
            self.gpu.milli = round_down(self.gpu.milli.into(), digits) as u16;
        }
        self.requests[Dimension::GPU] = match self.gpu.devices {
            0 => self.requests[Dimension::GPU],
            _ => self.gpu.total_milli(),
        };
        self
    }

    /// What shapes are ordered by.
    pub(super) fn key(&self) -> ([i64; DIMENSIONS], u8, u16, u32, u8) {
        let Self { requests, gpu, constraints, tier } = self;
        (requests.0, gpu.devices, gpu.milli, constraints.0, *tier as u8)
    }
}

fn round_down(amount: i64, digits: u32) -> i64 {
    let length = i64::BITS - amount.max(0).leading_zeros();
    let cut = length.saturating_sub(digits);
    (amount >> cut) << cut
}

#[cfg(test)]
mod tests {
    use super::round_down;

    #[test]
    fn rounding_keeps_the_leading_binary_digits() {
        assert_eq!(round_down(0b101_1011, 3), 0b101_0000);
        assert_eq!(round_down(7, 3), 7);
        assert_eq!(round_down(0, 1), 0);
        assert_eq!(round_down(i64::MAX, 1), 1 << 62);
    }

    #[test]
    fn rounding_in_steps_is_rounding_at_once() {
        for amount in 0..5000 {
            assert_eq!(round_down(round_down(amount, 4), 2), round_down(amount, 2));
        }
    }
}
