//! `quantity.*`: reading, writing, rounding and multiplying amounts.

use cellsim::kubernetes::Quantity;
use serde_json::Value;

use crate::families::Runner;
use crate::support::{read, same};

pub fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "quantity.cmp" => compare,
        "quantity.mul" => multiply,
        "quantity.parse" => parse,
        "quantity.round_up" => round_up,
        "quantity.scaled_value" => scaled_value,
        _ => return None,
    })
}

fn compare(case: &Value) -> Result<(), String> {
    let (x, y): (Quantity, Quantity) = (read(case, "/input/x")?, read(case, "/input/y")?);
    same("order", &(x.cmp(&y) as i64), &read(case, "/expected/expect")?)
}

fn multiply(case: &Value) -> Result<(), String> {
    let mut product: Quantity = read(case, "/input/a")?;
    let fits = product.multiply(read(case, "/input/b")?);
    same("product", &product.to_string(), &read(case, "/expected/expected")?)?;
    same("fits", &fits, &read(case, "/expected/ok")?)
}

fn parse(case: &Value) -> Result<(), String> {
    let text: String = read(case, "/input/input")?;
    let expected: Value = read(case, "/expected/expect")?;
    match text.parse::<Quantity>() {
        Ok(quantity) => same("canonical form", &Value::from(quantity.to_string()), &expected),
        Err(_) if expected.get("error").is_some() => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn round_up(case: &Value) -> Result<(), String> {
    let mut rounded: Quantity = read(case, "/input/in")?;
    let exact = rounded.round_up(read(case, "/input/scale")?);
    same("rounded", &rounded.to_string(), &read(case, "/expected/expect")?)?;
    same("exact", &exact, &read(case, "/expected/ok")?)
}

fn scaled_value(case: &Value) -> Result<(), String> {
    let quantity = Quantity::from_scaled(1, read(case, "/input/fromScale")?);
    let value = quantity.scaled_value(read(case, "/input/toScale")?);
    same("value", &value, &read(case, "/expected/expected")?)
}
