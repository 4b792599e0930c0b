use proptest::prelude::*;

use super::{Format, Quantity};

fn quantity(text: &str) -> Quantity {
    text.parse().expect(text)
}

#[test]
fn quantities_are_read() {
    let millis = |text: &str| quantity(text).milli_value();
    assert_eq!(millis("500m"), 500);
    assert_eq!(millis("0.5"), 500);
    assert_eq!(millis("+.5"), 500);
    assert_eq!(millis("1e3"), 1_000_000);
    assert_eq!(millis("100n"), 1);
    assert_eq!(millis("-1Ki"), -1_024_000);
    assert_eq!(quantity("1.5Gi").value(), 3 << 29);
    assert_eq!(quantity("9Ei").value(), i64::MAX, "capped");
    assert_eq!(quantity("12E").value(), i64::MAX, "does not fit");
}

#[test]
fn what_is_no_quantity_is_told() {
    let wrong = [
        "",
        "m",
        ".",
        "-",
        "1.2.3",
        "1x",
        "1 Gi",
        " 1",
        "1 ",
        "0x1",
        "1i",
        "0.1mi",
        "-3.01e-",
        "1+1.0M",
        "1e",
        "1e9999999999",
    ];
    for text in wrong {
        let error = text.parse::<Quantity>().expect_err(text).to_string();
        assert!(error.contains("is no quantity"), "{error}");
    }
    let long = "1".repeat(39);
    assert!(long.parse::<Quantity>().is_err());
    assert_eq!(quantity(&format!("{long}Ki")).value(), i64::MAX);
}

#[test]
fn the_canonical_form_is_written() {
    for (text, canonical) in [
        ("0", "0"),
        ("1500m", "1500m"),
        ("1000m", "1"),
        ("1.10k", "1100"),
        ("1024Ki", "1Mi"),
        ("1023Ki", "1023Ki"),
        ("0.5Ki", "512"),
        ("0.0000000001Ki", "103n"),
        ("-0.3Ki", "-307200m"),
        ("1.2e4", "12e3"),
        ("1000E", "1000E"),
        ("1e21", "1e21"),
        ("0.0000000001", "1n"),
        ("0.99999999999", "1"),
    ] {
        assert_eq!(quantity(text).to_string(), canonical, "{text}");
        assert_eq!(quantity(canonical).to_string(), canonical);
    }
}

#[test]
fn amounts_are_compared_by_their_value() {
    assert_eq!(quantity("1Ki"), quantity("1024"));
    assert!(quantity("1e30") > quantity("999999999999E"));
    assert!(quantity("-1") < quantity("0") && quantity("0") < quantity("1n"));
    assert!(quantity("-2") < quantity("-1999m"));
    assert!(quantity("99999999999999999999999999999999999999") < quantity("1e38"));
}

#[test]
fn sums_are_written_like_the_first_amount_that_is_not_nothing() {
    assert_eq!((quantity("0") + quantity("1Gi")).to_string(), "1Gi");
    assert_eq!((quantity("1Gi") + quantity("1Gi")).to_string(), "2Gi");
    assert_eq!((quantity("1") - quantity("1500m")).to_string(), "-500m");
    assert_eq!((quantity("1e3") + quantity("1Ki")).format(), Format::DecimalExponent);
}

#[test]
fn numbers_are_read_as_quantities() {
    let read = |text: &str| serde_json::from_str::<Quantity>(text);
    assert_eq!(read("2").expect("a number"), quantity("2"));
    assert_eq!(read("0.25").expect("a fraction"), quantity("250m"));
    assert_eq!(read("\"3k\"").expect("text"), quantity("3000"));
    assert!(read("true").is_err());
}

#[test]
fn products_tell_whether_they_fit() {
    let mut large = quantity("9223372036854775807");
    assert!(!large.multiply(10));
    assert_eq!(large.to_string(), "92233720368547758070");
    let mut small = quantity("1.5");
    assert!(small.multiply(-4));
    assert_eq!(small, quantity("-6"));
}

proptest! {
    #[test]
    fn written_amounts_are_read_back(digits in -1_000_000_000_000_i64..1_000_000_000_000,
                                     scale in -9..7, binary: bool) {
        let mut amount = Quantity::from_scaled(digits, scale);
        if binary {
            amount = amount.binary();
        }
        prop_assert_eq!(quantity(&amount.to_string()), amount);
    }

    #[test]
    fn arithmetic_is_that_of_numbers(a in -1_000_000_000_i64..1_000_000_000,
                                     b in -1_000_000_000_i64..1_000_000_000) {
        let (x, y) = (Quantity::from_millis(a), Quantity::from_millis(b));
        prop_assert_eq!((x + y).milli_value(), a + b);
        prop_assert_eq!((x - y).milli_value(), a - b);
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        let up = (a.abs() + 999) / 1000 * a.signum();
        prop_assert_eq!(x.value(), up);
    }
}
