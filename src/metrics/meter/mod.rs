mod config;
use super::*;
use crate::cluster::*;
use crate::engine::*;
pub use config::*;
#[derive(Debug)]
pub struct Meter;
impl Meter {
    pub fn new(_c: MeterConfig) -> Self {
        Self
    }
    pub fn observe(&mut self, _n: SimTime, _f: &Fact, _c: &Cluster) {}
    pub fn check(&self, _c: &Cluster) -> Result<(), String> {
        Ok(())
    }
    pub fn finish(self, _e: SimTime, _c: &Cluster, _x: RunContext) -> RunResult {
        todo!()
    }
}
#[derive(Default)]
pub struct FingerprintObserver;
impl FingerprintObserver {
    pub fn observe(&mut self, _n: SimTime, _f: &Fact, _c: &Cluster) {}
    pub fn value(&self) -> u128 {
        0
    }
}
pub trait Observer {
    fn observe(&mut self, now: SimTime, fact: &Fact, cluster: &Cluster);
}
