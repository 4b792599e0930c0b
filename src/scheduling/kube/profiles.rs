//! Several profiles over one cache: every pod is scheduled by the one that its `spec.schedulerName`
//! names (`profile.Map`, `frameworkForPod` of kube-scheduler v1.35). They share the cache, and where
//! the circle of nodes begins.

use super::cache::Cache;
use super::cycle::Scheduler;
use super::fast::Fast;
use super::pod::PodInfo;
use super::profile::Profile;

/// A profile that pods choose by its name.
#[derive(Debug)]
pub struct NamedProfile {
    name: String,
    profile: Profile,
    fast: Option<Box<Fast>>,
}

impl Scheduler {
    /// Adds a profile for the pods whose `spec.schedulerName` is `name`.
    pub fn add_profile(&mut self, name: &str, profile: Profile) {
        self.named.push(NamedProfile { name: name.to_owned(), profile, fast: None });
    }

    fn place_of(&self, pod: &PodInfo) -> Option<usize> {
        let name = pod.scheduler_name();
        self.named.iter().position(|one| one.name == name)
    }

    /// The profile that decides about a pod.
    pub fn profile_of(&self, pod: &PodInfo) -> &Profile {
        self.place_of(pod).map_or(&self.profile, |place| &self.named[place].profile)
    }

    /// The fast path of the profile for a pod, the share of nodes that it scores, and the cache.
    pub(super) fn fast_of(&mut self, pod: &PodInfo) -> (&mut Fast, i32, &Cache) {
        let place = self.place_of(pod);
        let (profile, fast) = match place.map(|place| &mut self.named[place]) {
            Some(NamedProfile { profile, fast, .. }) => (&*profile, fast),
            None => (&self.profile, &mut self.fast),
        };
        let fast = fast.get_or_insert_with(|| Box::new(Fast::new(profile)));
        (fast, profile.percentage_of_nodes_to_score, &self.cache)
    }

    /// Tells the fast paths of all profiles what has changed in the cache.
    pub(super) fn catch_up(&mut self) {
        let Self { cache, profile, named, fast, .. } = self;
        let main = fast.get_or_insert_with(|| Box::new(Fast::new(profile)));
        let others = named.iter_mut().map(|NamedProfile { profile, fast, .. }| {
            &mut **fast.get_or_insert_with(|| Box::new(Fast::new(profile)))
        });
        Fast::catch_up(std::iter::once(&mut **main).chain(others), cache);
    }
}

#[cfg(test)]
mod tests {
    use crate::kubernetes::{DEFAULT_SCHEDULER, Pod};
    use crate::scheduling::kube::{Cache, Profile, Scheduler};

    #[test]
    fn a_pod_that_names_no_scheduler_has_the_profile_of_the_default_one() {
        let share =
            |percentage| Profile { percentage_of_nodes_to_score: percentage, ..Profile::default() };
        let mut scheduler = Scheduler::new(Cache::new(), share(10));
        scheduler.add_profile(DEFAULT_SCHEDULER, share(20));
        scheduler.add_profile("other", share(30));
        for (name, wanted) in [("", 20), (DEFAULT_SCHEDULER, 20), ("other", 30), ("first", 10)] {
            let mut pod = Pod::default();
            name.clone_into(&mut pod.spec.scheduler_name);
            let pod = scheduler.cache.intern(&pod);
            assert_eq!(scheduler.profile_of(&pod).percentage_of_nodes_to_score, wanted, "{name}");
        }
    }
}
