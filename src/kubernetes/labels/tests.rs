use super::{Labels, Operator, Requirement, Selector};
use crate::kubernetes::{LabelSelector, LabelSelectorRequirement};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn written(text: &str) -> String {
    text.parse::<Selector>().expect(text).to_string()
}

#[test]
fn selectors_are_read_and_written() {
    for (text, canonical) in [
        ("", ""),
        (" \t x ", "x"),
        ("!x", "!x"),
        ("! x , y", "!x,y"),
        ("y=b,x=a", "x=a,y=b"),
        ("x==a", "x==a"),
        ("x!=a", "x!=a"),
        ("x= ,z= ", "x=,z="),
        ("x=,y", "x=,y"),
        ("x>1,z<5", "x>1,z<5"),
        ("x > 1", "x>1"),
        ("x in (c,b,a)", "x in (a,b,c)"),
        ("x in (a,)", "x in (,a)"),
        ("x in (,)", "x in ()"),
        ("x notin (in,notin)", "x notin (in,notin)"),
        ("in in (in)", "in in (in)"),
        ("notin", "notin"),
        ("example.com/a.b_c in (x)", "example.com/a.b_c in (x)"),
    ] {
        assert_eq!(written(text), canonical, "{text}");
        assert_eq!(written(canonical), canonical);
    }
}

#[test]
fn what_is_no_selector_is_told() {
    for text in [
        "x=a||y=b",
        "x==a==b",
        "!x=a",
        "!!x",
        "x<a",
        "x>1.5",
        "x,",
        ",",
        "x=a,,y",
        "x y",
        "x in a",
        "x in (a",
        "x in (a b)",
        "x in a)",
        "x in )",
        "=a",
        "x in (a in (b)",
        "a/b/c",
        "/a",
        "a/",
        "A.com/a",
        "-x",
        "x=-a",
        "x notin ((a)",
        "!",
        "x!",
        "x =! a",
        "(x)",
        "é",
    ] {
        assert!(text.parse::<Selector>().is_err(), "{text}");
    }
    let long = "a".repeat(64);
    assert!(long.parse::<Selector>().is_err());
    assert!(format!("x={long}").parse::<Selector>().is_err());
    assert!("a".repeat(63).parse::<Selector>().is_ok());
}

#[test]
fn selectors_match_labels() {
    let set = labels(&[("x", "foo"), ("y", ""), ("n", "10")]);
    let matches = |text: &str| text.parse::<Selector>().expect(text).matches(&set);
    for text in [
        "",
        "x",
        "x=foo",
        "x==foo",
        "x!=bar",
        "z!=bar",
        "!z",
        "y=",
        "y in ()",
        "x in (foo,bar)",
        "z notin (a)",
        "n>9",
        "n<11",
        "x=foo,y",
    ] {
        assert!(matches(text), "{text}");
    }
    for text in ["z", "!x", "x=bar", "x!=foo", "x notin (foo)", "n>10", "x>1", "z<1", "x,z"] {
        assert!(!matches(text), "{text}");
    }
}

#[test]
fn an_absent_selector_selects_nothing_and_an_empty_one_everything() {
    let set = labels(&[("x", "foo")]);
    assert!(!Selector::new(None).expect("valid").matches(&set));
    assert!(Selector::new(Some(&LabelSelector::default())).expect("valid").matches(&set));
    assert!(!Selector::nothing().and([]).matches(&set));
}

#[test]
fn selectors_of_objects_are_checked() {
    let expression = |operator: &str, values: &[&str]| LabelSelector {
        match_labels: labels(&[("b", "1")]),
        match_expressions: vec![LabelSelectorRequirement {
            key: "a".to_owned(),
            operator: operator.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }],
    };
    let compiled = Selector::new(Some(&expression("NotIn", &["z", "y"]))).expect("valid");
    assert_eq!(compiled.to_string(), "a notin (y,z),b=1");
    for (operator, values) in
        [("In", &[][..]), ("Exists", &["x"]), ("Gt", &["1"]), ("", &[]), ("in", &["x"])]
    {
        assert!(Selector::new(Some(&expression(operator, values))).is_err(), "{operator}");
    }
}

#[test]
fn the_number_of_values_suits_the_operator() {
    let values = |count: usize| vec!["1".to_owned(); count];
    for (operator, allowed) in [
        (Operator::In, [false, true, true]),
        (Operator::Equals, [false, true, false]),
        (Operator::NotEquals, [false, true, false]),
        (Operator::Exists, [true, false, false]),
        (Operator::Gt, [false, true, false]),
    ] {
        for (count, allowed) in allowed.into_iter().enumerate() {
            assert_eq!(Requirement::new("x", operator, values(count)).is_ok(), allowed);
        }
    }
}
