//! GPU devices of a node: what is free of each, in milli-GPU.

use serde::{Deserialize, Serialize};

use super::spec::GpuRequest;

/// Most devices that a node can have.
pub const MAX_DEVICES: usize = 16;
/// A whole device.
pub const WHOLE_MILLI: u16 = 1000;

/// What is free of each device of one node, in milli-GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Devices {
    free_milli: [u16; MAX_DEVICES],
    count: u8,
}

/// The devices that a pod holds: a bit each, and the share it has of every one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeviceShare {
    /// Bit `i` stands for device `i`.
    pub devices: u16,
    /// Share of each, in milli-GPU.
    pub milli: u16,
}

impl DeviceShare {
    /// In which way a pod uses devices: 0 for a share of one, else the number of whole ones.
    pub(super) fn way(self) -> usize {
        if self.milli < WHOLE_MILLI { 0 } else { self.devices.count_ones() as usize }
    }
}

impl Devices {
    /// `count` devices, all free; counts above [`MAX_DEVICES`] are cut (sources check them).
    pub fn new(count: u8) -> Self {
        let count = count.min(MAX_DEVICES as u8);
        let mut devices = Self { free_milli: [0; MAX_DEVICES], count };
        devices.free_milli[..usize::from(count)].fill(WHOLE_MILLI);
        devices
    }

    /// Of `count` devices, what a pod that holds `held` can pass on.
    pub(super) fn of_share(held: DeviceShare, count: usize) -> Self {
        let mut devices = Self { count: count.min(MAX_DEVICES) as u8, ..Self::default() };
        devices.give(held);
        devices
    }

    /// What is free of each device, in milli-GPU.
    pub fn free_milli(&self) -> &[u16] {
        &self.free_milli[..usize::from(self.count)]
    }

    /// True if `request` can be met by single devices.
    pub fn fits(&self, request: GpuRequest) -> bool {
        request.devices == 0
            || self.free_milli().iter().filter(|free| **free >= request.milli).count()
                >= usize::from(request.devices)
    }

    /// The devices `request` would get: those with the least free share that holds it, the lower
    /// number first among equals. `None` where it does not fit.
    pub fn choose(&self, request: GpuRequest) -> Option<DeviceShare> {
        let mut share = DeviceShare { devices: 0, milli: request.milli };
        for _ in 0..request.devices {
            let fitting =
                |i: &usize| share.devices & (1 << i) == 0 && self.free_milli[*i] >= request.milli;
            let device = (0..usize::from(self.count))
                .filter(fitting)
                .min_by_key(|i| (self.free_milli[*i], *i))?;
            share.devices |= 1 << device;
        }
        Some(share)
    }

    /// True if `share` is what `request` asks for, and free.
    pub fn can_give(&self, request: GpuRequest, share: DeviceShare) -> bool {
        let is_free = |i: usize| self.free_milli().get(i).is_some_and(|free| *free >= share.milli);
        share.milli == request.milli
            && share.devices.count_ones() == u32::from(request.devices)
            && (0..MAX_DEVICES).filter(|i| share.devices & (1 << i) != 0).all(is_free)
    }

    /// Takes `share` out of what is free.
    #[inline]
    pub fn take(&mut self, share: DeviceShare) {
        self.each(share, |free| *free -= share.milli);
    }

    /// Gives `share` back.
    #[inline]
    pub fn give(&mut self, share: DeviceShare) {
        self.each(share, |free| *free += share.milli);
    }

    #[inline]
    fn each(&mut self, share: DeviceShare, change: impl Fn(&mut u16)) {
        // Most pods hold none, and what nodes have is not in the cache then.
        if share.devices == 0 {
            return;
        }
        let held = |i: &usize| share.devices & (1 << i) != 0;
        (0..usize::from(self.count)).filter(held).for_each(|i| change(&mut self.free_milli[i]));
    }
}
