//! The verb that changes what a pod requests.

use super::Cluster;
use super::alloc::{AllocRole, is_within};
use super::class::PodClass;
use super::fact::Fact;
use super::ids::{ClassId, PodId, TemplateId};
use super::resources::Resources;

impl Cluster {
    /// Changes template and requests of a pod. A bound pod keeps its place if the node has room
    /// for the difference and nothing it now has to be apart from; otherwise nothing changes and `false` is returned. GPU requests stay.
    pub fn resize(&mut self, pod: PodId, template: TemplateId, requests: Resources) -> bool {
        let record = self.pods.get(pod);
        let (old, node, devices) = (record.class, record.node, record.devices);
        let gpu = self.classes.get(old).gpu;
        let class = self.class(template, requests, gpu, record.new.workload);
        if !node.is_some() {
            self.reclassify(pod, old, &class);
            return true;
        }
        let alone_before = self.classes.get(old).apart_from.is_some();
        let apart = !alone_before && self.is_kept_apart(&class, node);
        if apart || !self.has_room_to_grow(pod, &class) {
            return false;
        }
        if class.alloc == AllocRole::Inside {
            let alloc = self.pods.get(pod).alloc;
            self.leave(pod);
            self.reclassify(pod, old, &class);
            self.enter(pod, alloc, devices);
            return true;
        }
        let inside = self.close_alloc(pod);
        self.unlink(pod, node, old);
        self.reclassify(pod, old, &class);
        self.reserve(pod, node, devices);
        self.refill_alloc(pod, inside);
        true
    }

    /// True if a bound pod that is of `class` from now on fits where it is, and what is inside of
    /// it still fits as well.
    fn has_room_to_grow(&self, pod: PodId, class: &PodClass) -> bool {
        let record = self.pods.get(pod);
        let grown = class.requests.minus(&self.classes.get(record.class).requests);
        if class.alloc == AllocRole::Inside {
            return self.room_inside(record.alloc).is_some_and(|room| is_within(&grown, &room));
        }
        let group = self.nodes.group(record.node);
        let room = self.nodes.demand(&PodClass { requests: grown, ..*class }, group);
        let inside = self.allocs.envelope(pod).map(|envelope| *envelope.used());
        inside.is_none_or(|used| is_within(&used, &class.requests))
            && room.fits_in(self.nodes.free(record.node))
    }

    fn reclassify(&mut self, pod: PodId, old: ClassId, class: &PodClass) {
        self.pods.get_mut(pod).class = self.classes.acquire(class);
        self.retired_classes.push(old);
        self.facts.push(Fact::PodResized { pod });
    }
}
