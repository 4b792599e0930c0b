//! The full recount: everything that the verbs keep up to date, counted anew from the pods alone.

use super::super::bits::BitSet;
use super::super::ids::{ClassId, ConstraintId, NodeId, PodId};
use super::super::matching;
use super::super::pod::{Pod, PodState};
use super::super::resources::{Dimension, Resources};
use super::super::spec::Tier;
use super::super::{Cluster, Devices, MAX_DEVICES};
use super::{Violation, broken, ensure};

/// What the pods on one node add up to.
pub(super) struct Load {
    pub reserved: Resources,
    pub devices: Devices,
    /// Pods by how they use GPUs (`DeviceShare::way`).
    pub ways: [u16; MAX_DEVICES + 1],
    pub pods: u32,
}

impl Load {
    fn take_devices(&mut self, pod: &Pod) -> Result<(), Violation> {
        let share = pod.devices;
        for (i, free) in self.devices.free_milli().iter().enumerate() {
            let taken = share.devices & (1 << i) != 0;
            ensure(!taken || *free >= share.milli, || {
                format!("device {i} of the node of pod {} is oversubscribed", pod.serial)
            })?;
        }
        self.devices.take(share);
        Ok(())
    }
}

impl Cluster {
    /// Checks that nothing is oversubscribed, that each pod is in one state and one place, that
    /// free resources, devices, counts and eligibility agree with a recount.
    ///
    /// # Errors
    /// The first promise found broken.
    pub fn audit(&self) -> Result<(), Violation> {
        let mut seen = BitSet::default();
        for node in self.nodes.ids() {
            self.audit_node(node, &mut seen)?;
        }
        if self.allocs.is_used() {
            self.audit_allocs(&mut seen)?;
        }
        for (id, pod) in self.pods.iter() {
            self.audit_pod(id, pod, seen.contains(id.index()))?;
        }
        self.audit_counts()
    }

    fn audit_node(&self, node: NodeId, seen: &mut BitSet) -> Result<(), Violation> {
        let load = self.load_of(node, &mut |id, pod| {
            let is_new = !seen.contains(id.index());
            seen.set(id.index(), true);
            ensure(is_new, || format!("pod {} is listed on two nodes", pod.serial))
        })?;
        self.audit_load(node, &load)?;
        self.audit_condition(node, load.pods)?;
        self.audit_eligibility(node)
    }

    /// Walks the list of `node`, shows each pod to `visit` and adds up what they hold.
    pub(super) fn load_of(
        &self,
        node: NodeId,
        visit: &mut dyn FnMut(PodId, &Pod) -> Result<(), Violation>,
    ) -> Result<Load, Violation> {
        let mut load = Load {
            reserved: Resources::ZERO,
            devices: Devices::new(self.nodes.devices(node).free_milli().len() as u8),
            ways: [0; MAX_DEVICES + 1],
            pods: 0,
        };
        let mut previous = PodId::NONE;
        for (id, pod) in self.pods_on(node) {
            // A list that runs in a circle meets a pod whose neighbour is another one.
            let listed = pod.node == node && self.pods.links(id).previous == previous;
            ensure(listed, || format!("pod {} is listed on a wrong node", pod.serial))?;
            visit(id, pod)?;
            let class = self.classes.get(pod.class);
            let held = pod.devices.devices.count_ones() == u32::from(class.gpu.devices)
                && (class.gpu.devices == 0 || pod.devices.milli == class.gpu.milli);
            ensure(held, || format!("pod {} holds other devices than it asked for", pod.serial))?;
            load.reserved += class.requests;
            if pod.devices.devices != 0 {
                load.take_devices(pod)?;
                load.ways[pod.devices.way()] += 1;
            }
            load.pods += 1;
            previous = id;
        }
        Ok(load)
    }

    /// Holds what is kept of `node` against what its pods add up to.
    pub(super) fn audit_load(&self, node: NodeId, load: &Load) -> Result<(), Violation> {
        let spec = self.nodes.spec(node);
        let name = &spec.name;
        let limit = self.nodes.limit(node);
        for dimension in Dimension::all() {
            let factors = Tier::ALL.map(|tier| self.nodes.overcommit().permille(tier, dimension));
            let widest = i128::from(factors.into_iter().max().unwrap_or(1000));
            let most = i128::from(spec.allocatable[dimension]) * widest / 1000;
            ensure(i128::from(limit[dimension]) == most.min(i64::MAX.into()), || {
                format!("the limit of node {name} is not what its description says")
            })?;
        }
        if limit.minus(&load.reserved) != *self.nodes.free(node) {
            return broken(format!("free resources of node {name} disagree with its pods"));
        }
        if !self.nodes.free(node).is_non_negative() && !self.nodes.was_resized(node) {
            return broken(format!("node {name} is oversubscribed beyond policy"));
        }
        if load.devices != *self.nodes.devices(node) || load.pods != self.nodes.pod_count(node) {
            return broken(format!("devices or pod count of node {name} disagree with its pods"));
        }
        ensure(load.ways == self.nodes.gpu_pods[node.index()], || {
            format!("uses of GPUs on node {name} are counted wrongly")
        })?;
        Ok(())
    }

    pub(super) fn audit_condition(&self, node: NodeId, pods: u32) -> Result<(), Violation> {
        let condition = self.nodes.condition(node);
        let name = &self.nodes.spec(node).name;
        if !condition.present && pods > 0 {
            return broken(format!("node {name} left the cell and holds {pods} pods"));
        }
        let open = condition.present && condition.ready;
        ensure(open == self.nodes.is_open(node), || {
            format!("whether node {name} is open is out of date")
        })
    }

    /// Holds the eligibility of `node` against all sets of constraints.
    pub(super) fn audit_eligibility(&self, node: NodeId) -> Result<(), Violation> {
        let all = (0..self.nodes.constraint_count()).map(ConstraintId::from_index);
        all.into_iter().try_for_each(|id| self.audit_match(id, node))
    }

    /// Holds the eligibility of `node` against one set of constraints.
    pub(super) fn audit_match(&self, id: ConstraintId, node: NodeId) -> Result<(), Violation> {
        let (spec, condition) = (self.nodes.spec(node), self.nodes.condition(node));
        let wanted = matching::satisfies(self.nodes.constraints(id), spec, condition.cordoned);
        let eligible = wanted && condition.present && condition.ready;
        let right = wanted == self.nodes.is_matching(id, node)
            && eligible == self.nodes.is_eligible(id, node);
        ensure(right, || format!("eligibility of node {} is out of date", spec.name))?;
        let preferred = matching::preferred(self.nodes.constraints(id), spec);
        ensure(preferred == self.nodes.preferred(id, node), || {
            format!("what is preferred of node {} is out of date", spec.name)
        })
    }

    pub(super) fn audit_pod(&self, id: PodId, pod: &Pod, listed: bool) -> Result<(), Violation> {
        let serial = pod.serial;
        if pod.state.is_bound() != pod.node.is_some() || pod.state.is_bound() != listed {
            return broken(format!("pod {serial} is {:?} but its place says otherwise", pod.state));
        }
        self.audit_role(id, pod)?;
        if !pod.node.is_some() {
            return Ok(());
        }
        let up = self.nodes.condition(pod.node).is_up();
        if up == (pod.state == PodState::Stranded) {
            return broken(format!("pod {serial} is {:?} on a node with up = {up}", pod.state));
        }
        if pod.state == PodState::Running && pod.started_at > self.now {
            return broken(format!("pod {serial} runs from the future"));
        }
        let class = self.classes.get(pod.class);
        if class.apart_from.is_some() && !self.is_kept_apart(class, pod.node) {
            return broken(format!("pod {serial} has to be alone and its node is not marked"));
        }
        if class.apart_from.is_some() && self.has_double(id, pod, class.apart_from) {
            return broken(format!("pod {serial} shares a node with a pod it is kept apart from"));
        }
        Ok(())
    }

    fn audit_counts(&self) -> Result<(), Violation> {
        let mut of_class = vec![0u32; self.classes.slots()];
        let mut of_workload = vec![(0u32, 0u32); self.workloads.slots()];
        let mut alone = vec![0; self.workloads.slots()];
        for (_, pod) in self.pods.iter() {
            of_class[pod.class.index()] += 1;
            let counts = &mut of_workload[pod.new.workload.index()];
            counts.0 += 1;
            counts.1 += u32::from(pod.state == PodState::Running);
            let keeps_apart = self.classes.get(pod.class).apart_from.is_some();
            alone[pod.new.workload.index()] += usize::from(keeps_apart && pod.node.is_some());
        }
        for class in self.leaving_classes() {
            of_class[class.index()] += 1;
        }
        for (_, pod) in self.pods.iter() {
            let workload = self.workloads.get(pod.new.workload);
            if of_workload[pod.new.workload.index()] != (workload.pods, workload.ready) {
                return broken(format!("pod counts of workload {} are wrong", workload.key));
            }
            if alone[pod.new.workload.index()] != workload.apart_count() {
                return broken(format!("workload {} has marked wrong nodes", workload.key));
            }
            if of_class[pod.class.index()] != self.classes.pods(pod.class) {
                return broken(format!("class of pod {} is counted wrongly", pod.serial));
            }
        }
        let (live, found) = (self.pods.live(), self.pods.iter().count());
        ensure(live == found, || format!("{live} pods are said to be alive and {found} are"))
    }

    /// Classes that will be counted down, once for each time, when the event is settled.
    pub(super) fn leaving_classes(&self) -> impl Iterator<Item = ClassId> {
        let ended = self.pods.retired().iter().map(|id| self.pods.get(*id).class);
        ended.chain(self.retired_classes.iter().copied())
    }
}
