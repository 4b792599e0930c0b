//! The comparison of the cell with its shadow: row by row for what an event touched, or for all.

use super::super::Cluster;
use super::super::ids::{ClassId, ConstraintId, DomainId, NodeId, PodId, WorkloadId};
use super::super::pod::PodState;
use super::auditor::Auditor;
use super::shadow::row;
use super::{Violation, ensure};
use crate::engine::SimTime;

impl Auditor {
    /// Compares what the last event touched, and the totals.
    pub(super) fn compare_touched(&mut self, cluster: &Cluster) -> Result<(), Violation> {
        let touched = std::mem::take(&mut self.touched);
        let counted = self.count_classes(&touched.pods, cluster);
        let compared = self.compare_new_constraints(cluster).and_then(|()| {
            touched.pods.iter().try_for_each(|pod| self.compare_pod(*pod, cluster))?;
            touched.nodes.iter().try_for_each(|node| self.compare_node(*node, cluster))?;
            touched.allocs.iter().try_for_each(|alloc| self.compare_alloc(*alloc, cluster))?;
            touched.changed_nodes.iter().try_for_each(|node| {
                self.spent += cluster.nodes().constraint_count() as u64;
                cluster.audit_eligibility(*node)
            })?;
            touched.workloads.iter().try_for_each(|id| self.compare_workload(*id, cluster))?;
            touched.domains.iter().try_for_each(|id| self.compare_domain(*id, cluster))?;
            self.compare_classes(counted, cluster)?;
            self.compare_totals(cluster)
        });
        self.touched = touched;
        compared
    }

    /// Compares everything.
    pub(super) fn compare_all(&mut self, cluster: &Cluster) -> Result<(), Violation> {
        let spent = self.spent;
        (0..cluster.pods.slots())
            .try_for_each(|slot| self.compare_pod(PodId::from_index(slot), cluster))?;
        cluster.nodes().ids().try_for_each(|node| self.compare_node(node, cluster))?;
        cluster.allocs().bound().try_for_each(|alloc| self.compare_alloc(alloc, cluster))?;
        (0..cluster.workloads().slots())
            .try_for_each(|slot| self.compare_workload(WorkloadId::from_index(slot), cluster))?;
        (0..cluster.domains().len())
            .try_for_each(|index| self.compare_domain(DomainId::from_index(index), cluster))?;
        let classes = (0..cluster.classes().slots()).map(ClassId::from_index).collect();
        self.compare_classes(classes, cluster)?;
        self.spent = spent;
        self.compare_totals(cluster)
    }

    fn compare_pod(&mut self, id: PodId, cluster: &Cluster) -> Result<(), Violation> {
        self.spent += 1;
        let (shadow, pod) = (self.shadow.pod(id), cluster.pod(id));
        let serial = pod.serial;
        if !shadow.live {
            let gone = pod.state == PodState::Ended;
            return ensure(gone, || format!("pod {serial} is {:?} and has ended", pod.state));
        }
        let disagrees = |what: &str| format!("{what} of pod {serial} is not what happened to it");
        ensure(!shadow.is_adrift(), || format!("pod {serial} was unbound for no reason"))?;
        let same = pod.serial == shadow.serial && pod.new.workload == shadow.workload;
        ensure(same && pod.state != PodState::Ended, || disagrees("the slot"))?;
        ensure(pod.node == shadow.node && pod.alloc == shadow.alloc, || disagrees("the place"))?;
        let running = pod.state == PodState::Running;
        ensure(running == shadow.running, || disagrees("the state"))?;
        let started = if running { pod.started_at } else { SimTime::MAX };
        ensure(started == shadow.started_at, || disagrees("the start"))?;
        ensure(pod.done == shadow.done, || disagrees("the work done"))?;
        if pod.node.is_some() {
            let requests = cluster.classes().get(pod.class).requests;
            ensure(requests == shadow.requests, || disagrees("the class"))?;
        }
        // That its node lists it follows where that node is compared.
        cluster.audit_pod(id, pod, pod.state.is_bound())
    }

    /// A list in which every pod is one that the facts put there, none twice, and which is as long
    /// as they say, holds exactly these.
    fn compare_node(&mut self, node: NodeId, cluster: &Cluster) -> Result<(), Violation> {
        let shadow = self.shadow.node(node);
        let name = || &cluster.nodes().spec(node).name;
        let mut listed = 0;
        let load = cluster.load_of(node, &mut |id, pod| {
            listed += 1;
            let there = self.shadow.pod(id).node == node && listed <= shadow.pods;
            ensure(there, || format!("pod {} is listed on node {}", pod.serial, name()))
        })?;
        self.spent += 1 + u64::from(load.pods);
        let complete = load.pods == shadow.pods && load.reserved == shadow.reserved;
        ensure(complete, || format!("pods of node {} are not those bound to it", name()))?;
        cluster.audit_load(node, &load)?;
        let condition = cluster.nodes().condition(node);
        let same = condition.present == shadow.present
            && condition.is_up() == shadow.up
            && condition.ready == shadow.ready
            && condition.cordoned == shadow.cordoned;
        ensure(same, || {
            format!("node {} is {condition:?}, which is not what happened to it", name())
        })?;
        cluster.audit_condition(node, load.pods)
    }

    fn compare_workload(&mut self, id: WorkloadId, cluster: &Cluster) -> Result<(), Violation> {
        self.spent += 1;
        let (shadow, workload) = (self.shadow.workload(id), cluster.workloads().get(id));
        let same = (workload.pods, workload.ready) == (shadow.pods, shadow.ready);
        ensure(same, || format!("pod counts of workload {} are wrong", workload.key))?;
        ensure(workload.apart_count() == shadow.apart, || {
            format!("workload {} has marked wrong nodes", workload.key)
        })
    }

    fn compare_domain(&mut self, domain: DomainId, cluster: &Cluster) -> Result<(), Violation> {
        self.spent += 1;
        let faults = self.shadow.domain_faults.get(domain.index()).copied().unwrap_or(0);
        ensure(cluster.domains().faults(domain) == faults, || {
            format!("faults of domain {} are not those it had", cluster.domains().name(domain))
        })
    }

    /// Brings the count of classes up to date for `pods`; returns the classes concerned.
    fn count_classes(&mut self, pods: &[PodId], cluster: &Cluster) -> Vec<ClassId> {
        let mut concerned = Vec::with_capacity(2 * pods.len());
        for id in pods {
            let Some(shadow) = self.shadow.pods.get_mut(id.index()) else { continue };
            let class = cluster.pod(*id).class;
            let now = if shadow.live { class } else { ClassId::NONE };
            let before = std::mem::replace(&mut shadow.class, now);
            if before.is_some() {
                *row(&mut self.shadow.classes, before.index(), 0) -= 1;
                concerned.push(before);
            }
            if now.is_some() {
                *row(&mut self.shadow.classes, now.index(), 0) += 1;
            }
            concerned.push(class);
        }
        concerned.sort_unstable();
        concerned.dedup();
        concerned
    }

    /// A class counts its pods and those that will leave it when the event is settled.
    fn compare_classes(
        &mut self,
        classes: Vec<ClassId>,
        cluster: &Cluster,
    ) -> Result<(), Violation> {
        let mut leaving: Vec<ClassId> = cluster.leaving_classes().collect();
        leaving.sort_unstable();
        for class in classes {
            let counted = self.shadow.classes.get(class.index()).copied().unwrap_or(0) as usize;
            let first = leaving.partition_point(|other| *other < class);
            let end = leaving.partition_point(|other| *other <= class);
            let pods = cluster.classes().pods(class) as usize;
            ensure(pods == counted + (end - first), || {
                format!("class {} counts {pods} pods and there are {counted}", class.0)
            })?;
        }
        Ok(())
    }

    /// New sets of constraints have been evaluated on every node.
    fn compare_new_constraints(&mut self, cluster: &Cluster) -> Result<(), Violation> {
        let known = std::mem::replace(&mut self.constraints, cluster.nodes().constraint_count());
        for id in (known..self.constraints).map(ConstraintId::from_index) {
            self.spent += cluster.nodes().len() as u64;
            cluster.nodes().ids().try_for_each(|node| cluster.audit_match(id, node))?;
        }
        Ok(())
    }

    fn compare_totals(&self, cluster: &Cluster) -> Result<(), Violation> {
        let (live, submitted) = (cluster.pods().live(), cluster.pods().submitted());
        ensure(live == self.shadow.live && submitted == self.shadow.submitted, || {
            format!("{live} pods are said to be alive of {submitted} that came")
        })
    }
}
