//! What becomes of claims.

use serde_json::{Value, json};

use super::binding::{CONFLICT, LATER, OK, PLUGIN, ZONE, by_hand, with};
use super::{
    bound, cell, claim, claiming, class, in_zone, intern, pod, reached, text, verdict, volume,
};
use crate::scheduling::kube::{Cache, DEFAULT_PLUGINS, Profile, Scheduler};

/// The volume that a claim in `default` is bound to, and the zone from which that can be reached.
fn volume_of(cache: &Cache, claim: &str) -> (String, Option<String>) {
    let claim = cache.storage().claim("default", claim).expect("there");
    let name = claim.spec.volume_name.clone();
    let volume = cache.storage().volumes.get(&name);
    let affinity = volume.and_then(|volume| volume.spec.node_affinity.clone());
    let terms = affinity.and_then(|one| one.required).map(|one| one.node_selector_terms);
    (name, terms.map(|terms| terms[0].match_expressions[0].values[0].clone()))
}

/// Binds the claims of `pod` to volumes for the node `name`.
fn bind(cache: &mut Cache, pod: &Value, name: &str) -> usize {
    let pod = intern(cache, pod);
    let node = cache.node_id(name).expect("there");
    cache.bind_volumes(&pod, node).expect("it can be bound").len()
}

#[test]
fn the_smallest_volume_that_suits_is_taken() {
    let mut cache = cell(&with(vec![
        claim("data", "c"),
        claim("log", "c"),
        by_hand(),
        volume("large", "c", "20Gi"),
        volume("medium", "c", "10Gi"),
        reached(volume("small", "c", "5Gi"), ZONE, "z2"),
    ]));
    assert_eq!(bind(&mut cache, &claiming("new", &["data"]), "a"), 1);
    assert_eq!(volume_of(&cache, "data").0, "medium", "the small one is in the other zone");
    assert_eq!(bind(&mut cache, &claiming("new", &["data"]), "a"), 0, "it is bound for good");
    assert_eq!(bind(&mut cache, &claiming("next", &["log"]), "a"), 1);
    assert_eq!(volume_of(&cache, "log").0, "large", "the medium one is taken");
    assert_eq!(cache.storage().volumes["large"].status.phase, "Bound");
}

#[test]
fn small_claims_choose_first() {
    let mut large = claim("large", "c");
    large["spec"]["resources"]["requests"]["storage"] = "8Gi".into();
    let mut cache = cell(&with(vec![
        large,
        claim("small", "c"),
        by_hand(),
        volume("v8", "c", "8Gi"),
        volume("v6", "c", "6Gi"),
    ]));
    assert_eq!(bind(&mut cache, &claiming("new", &["large", "small"]), "a"), 2);
    assert_eq!(volume_of(&cache, "small").0, "v6");
    assert_eq!(volume_of(&cache, "large").0, "v8");
}

#[test]
fn a_volume_that_was_made_pulls_later_pods_to_its_zone() {
    let profile = || Profile::of(DEFAULT_PLUGINS).expect("they exist");
    let objects = with(vec![claim("data", "c"), class("c", "disk", LATER), in_zone("a2", "z1")]);
    let mut scheduler = Scheduler::new(cell(&objects), profile());
    let first = intern(&mut scheduler.cache, &claiming("first", &["data"]));
    let cycle = scheduler.schedule(&first).expect("no plugin fails");
    assert_eq!(cycle.feasible.len(), 3, "anywhere as long as there is no volume");
    let a = scheduler.cache.node_id("a").expect("there");
    scheduler.cache.bind_volumes(&first, a).expect("it can be bound");
    scheduler.assume(first, a);
    let (name, zone) = volume_of(&scheduler.cache, "data");
    assert_eq!((name.as_str(), zone.as_deref()), ("pvc-default-data", Some("z1")));
    let second = intern(&mut scheduler.cache, &claiming("second", &["data"]));
    let cycle = scheduler.schedule(&second).expect("no plugin fails");
    let names: Vec<_> = cycle.feasible.iter().map(|id| scheduler.cache.node(*id).name()).collect();
    assert_eq!(names, ["a", "a2"]);
    let b = scheduler.cache.node_id("b").expect("there");
    let status = cycle.diagnosis.statuses.get(b);
    assert_eq!((status.plugin.as_ref(), text(status)), (PLUGIN, CONFLICT.to_owned()));
    assert_eq!(scheduler.potential_nodes(&cycle.diagnosis.statuses), [], "nobody's leaving helps");
}

#[test]
fn a_volume_is_made_where_the_driver_says() {
    let csi_node = |keys: Value| {
        json!({
            "kind": "CSINode",
            "metadata": { "name": "a" },
            "spec": { "drivers": [{ "name": "disk", "nodeID": "a", "topologyKeys": keys }] },
        })
    };
    let made_with = |keys: Value| {
        let mut cache =
            cell(&with(vec![claim("data", "c"), class("c", "disk", LATER), csi_node(keys)]));
        bind(&mut cache, &claiming("new", &["data"]), "a");
        volume_of(&cache, "data").1
    };
    assert_eq!(made_with(json!([ZONE])).as_deref(), Some("z1"));
    assert_eq!(made_with(json!([])), None, "it can be reached from everywhere");
    assert_eq!(made_with(json!(["rack"])), None, "the node has no such label");
}

#[test]
fn claims_that_do_not_wait_are_bound_at_once() {
    let mut elsewhere = claim("elsewhere", "slow");
    elsewhere["spec"]["volumeName"] = "mine".into();
    let mut reserved = volume("reserved", "later", "5Gi");
    reserved["spec"]["claimRef"] = json!({ "namespace": "default", "name": "early" });
    let mut cache = cell(&with(vec![
        class("fast", "disk", "Immediate"),
        class("later", "disk", LATER),
        class("slow", "kubernetes.io/no-provisioner", "Immediate"),
        claim("data-db-0", "fast"),
        claim("data-db-1", "fast"),
        claim("early", "later"),
        elsewhere,
        claim("found", "slow"),
        bound("lost", "vanished"),
        claim("none", "slow"),
        claim("waits", "later"),
        volume("free", "slow", "5Gi"),
        volume("mine", "slow", "1Gi"),
        volume("other", "later", "5Gi"),
        reserved,
    ]));
    cache.settle_volumes();
    let of = |claim: &str| volume_of(&cache, claim).0;
    assert_eq!(of("found"), "free");
    assert_eq!(of("none"), "", "there is none left");
    assert_eq!(of("elsewhere"), "mine", "named by hand");
    assert_eq!(of("early"), "reserved", "reserved by hand, although its class waits");
    assert_eq!(of("waits"), "");
    assert_eq!(cache.storage().claim("default", "lost").expect("there").status.phase, "Lost");
    let zones = ["data-db-0", "data-db-1"].map(|claim| volume_of(&cache, claim).1);
    assert_ne!(zones[0], zones[1], "a StatefulSet is spread over the zones");
}

#[test]
fn the_claims_of_ephemeral_volumes_come_and_go_with_the_pod() {
    let spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "c",
        "resources": { "requests": { "storage": "1Gi" } },
    });
    let volumes =
        json!([{ "name": "tmp", "ephemeral": { "volumeClaimTemplate": { "spec": spec } } }]);
    let mut cache = cell(&with(vec![class("c", "disk", LATER)]));
    let pod = intern(&mut cache, &pod("new", &volumes));
    assert_eq!(
        verdict(PLUGIN, &cache, &pod),
        ["UnschedulableAndUnresolvable: waiting for ephemeral volume controller to create the \
          persistentvolumeclaim \"new-tmp\""]
    );
    cache.add_ephemeral_claims(&pod);
    assert_eq!(verdict(PLUGIN, &cache, &pod), [OK, OK]);
    let b = cache.node_id("b").expect("there");
    assert_eq!(cache.bind_volumes(&pod, b).map(|claims| claims.len()), Ok(1));
    assert_eq!(volume_of(&cache, "new-tmp").1.as_deref(), Some("z2"));
    assert_eq!(verdict(PLUGIN, &cache, &pod), [CONFLICT, OK]);
    cache.storage_mut().delete_ephemeral_claims(&pod);
    assert!(cache.storage().claims.is_empty());
    assert!(cache.storage().volumes.is_empty(), "what was made for it is deleted with it");
    let mut kept = volume("kept", "c", "1Gi");
    kept["spec"]["persistentVolumeReclaimPolicy"] = "Retain".into();
    let mut cache = cell(&with(vec![class("c", "disk", LATER), kept]));
    cache.add_ephemeral_claims(&pod);
    let a = cache.node_id("a").expect("there");
    cache.bind_volumes(&pod, a).expect("it can be bound");
    cache.storage_mut().delete_ephemeral_claims(&pod);
    assert_eq!(cache.storage().volumes["kept"].status.phase, "Released");
}
