//! Rules about machines.

use super::*;

#[test]
fn machines_come_go_and_come_back() {
    let read = machines("0,5,0,p,0.5,0.2493\n700,5,1,p,0.5,0.2493\n900,5,0,p,0.5,0.2493\n");
    let events: Vec<_> = read.nodes().iter().map(|(time, what, ..)| (*time, *what)).collect();
    assert_eq!(events, [(0, "add"), (700, "remove"), (900, "add")]);
    let node = read.nodes()[0].3.unwrap();
    assert_eq!(node.name, "5");
    assert_eq!(node.allocatable[Dimension::CPU], 5_000_000);
    assert_eq!(node.allocatable[Dimension::MEMORY], 2_493_000);
    assert_eq!(node.allocatable[Dimension::PODS], UNLIMITED_PODS);
}

#[test]
fn pools_are_platforms_in_the_order_of_their_first_appearance() {
    let read = machines("0,5,0,zeta,1,1\n0,6,0,alpha,1,1\n0,7,0,zeta,1,1\n");
    let nodes: Vec<_> = read.nodes().iter().map(|node| node.3.unwrap()).collect();
    let pools: Vec<_> = nodes.iter().map(|node| node.pool.as_str()).collect();
    assert_eq!(pools, ["platform-0", "platform-1", "platform-0"]);
    assert_eq!(nodes[1].labels["platform"], "platform-1");
    assert_eq!(nodes[1].attributes["platform"], "alpha");
}

#[test]
fn an_update_counts_where_it_changes_something_and_blanks_keep_what_was() {
    let read = machines(
        "0,5,0,p,0.5,0.5\n\
         700,5,2,p,0.5,0.5\n\
         800,5,2,p,,\n\
         900,5,2,p,0.5,0.25\n",
    );
    let events: Vec<_> = read.nodes().iter().map(|(time, what, ..)| (*time, *what)).collect();
    assert_eq!(events, [(0, "add"), (900, "update")]);
    assert_eq!(read.nodes()[1].3.unwrap().allocatable[Dimension::MEMORY], 2_500_000);
    assert_eq!(read.noted("machine events without change"), 2);
    assert_eq!(read.noted("machine events without capacity"), 1);
}

#[test]
fn machine_events_that_cannot_be_are_noted() {
    let read = machines("0,5,0,p,1,1\n1,5,0,p,1,1\n2,6,1,p,1,1\n3,6,2,p,1,1\n");
    assert_eq!(read.nodes().len(), 1);
    assert_eq!(read.noted("ADD of a machine that is there"), 1);
    assert_eq!(read.noted("REMOVE or UPDATE of a machine that is not there"), 2);
}

#[test]
fn a_machine_comes_with_its_attributes_and_is_updated_once_per_instant() {
    let tables = Tables {
        machines: "0,5,0,p,1,1\n",
        attributes: "0,5,kernel,3,0\n\
                     0,5,ssd,1,0\n\
                     700,5,kernel,4,0\n\
                     700,5,ssd,,1\n",
        ..Tables::default()
    };
    let read = tables.read();
    let nodes = read.nodes();
    assert_eq!(nodes.len(), 2);
    let added = &nodes[0].3.unwrap().attributes;
    assert_eq!((added["kernel"].as_str(), added["ssd"].as_str()), ("3", "1"));
    assert_eq!((nodes[1].0, nodes[1].1), (700, "update"));
    let updated = &nodes[1].3.unwrap().attributes;
    assert_eq!(updated["kernel"], "4");
    assert!(!updated.contains_key("ssd"), "a deleted attribute is gone");
}

#[test]
fn a_machine_that_is_down_keeps_its_attributes_for_its_return() {
    let tables = Tables {
        machines: "0,5,0,p,1,1\n600,5,1,p,1,1\n800,5,0,p,1,1\n",
        attributes: "0,5,kernel,3,0\n700,5,kernel,4,0\n",
        ..Tables::default()
    };
    let read = tables.read();
    let events: Vec<_> = read.nodes().iter().map(|(time, what, ..)| (*time, *what)).collect();
    assert_eq!(events, [(0, "add"), (600, "remove"), (800, "add")]);
    assert_eq!(read.nodes()[2].3.unwrap().attributes["kernel"], "4");
}

#[test]
fn at_equal_times_machines_come_before_tasks() {
    let tables = Tables {
        tasks: "0,,7,0,,0,u,2,0,0.5,0.25,0,0\n600,,7,1,,0,u,2,0,0.5,0.25,0,0\n",
        machines: "0,5,0,p,1,1\n600,6,0,p,1,1\n9223372036854775807,6,1,p,1,1\n",
        ..Tables::default()
    };
    let read = tables.read();
    let order: Vec<_> = read
        .records
        .iter()
        .filter(|record| !matches!(record.change, Change::Template(_)))
        .map(|record| (record.time.0, matches!(record.change, Change::NodeAdd { .. })))
        .collect();
    assert_eq!(order, [(0, true), (0, false), (600, true), (600, false)]);
    assert_eq!(read.noted("rows after the window"), 1);
}
