//! `framework.*`: amounts and host ports as the scheduler counts them.

use cellsim::kubernetes::ResourceList;
use cellsim::kubernetes::amounts::Amounts;
use cellsim::kubernetes::ports::{HostPort, HostPorts};
use serde_json::Value;

use crate::families::Runner;
use crate::support::{read, read_or_default, same};

pub fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "framework.host_ports" => host_ports,
        "framework.resource" => resource,
        _ => return None,
    })
}

/// Amounts by the names of Go; `null` is `None`.
pub fn amounts(case: &Value, pointer: &str) -> Result<Option<Amounts>, String> {
    let fields: Value = read(case, pointer)?;
    if fields.is_null() {
        return Ok(None);
    }
    let number = |name: &str| read_or_default::<i64>(&fields, &format!("/{name}"));
    Ok(Some(Amounts {
        milli_cpu: number("MilliCPU")?,
        memory: number("Memory")?,
        ephemeral_storage: number("EphemeralStorage")?,
        pods: number("AllowedPodNumber")?,
        scalars: read_or_default(&fields, "/ScalarResources")?,
    }))
}

/// What is done is told by the name of upstream's test: amounts are read from a list, raised to
/// one, copied, or added to.
fn resource(case: &Value) -> Result<(), String> {
    let mut resource = amounts(case, "/input/resource")?.unwrap_or_default();
    let list = || read_or_default::<ResourceList>(case, "/input/resourceList");
    match case.pointer("/upstream/func").and_then(Value::as_str).unwrap_or_default() {
        "TestNewResource" => resource = Amounts::new(&list()?),
        "TestResourceClone" => resource = resource.clone(),
        "TestSetMaxResource" => resource.raise_to(&list()?),
        "TestResourceAddScalar" => {
            let name: String = read(case, "/input/scalarName")?;
            resource.add_scalar(&name, read(case, "/input/scalarQuantity")?);
        }
        other => return Err(format!("no way to run `{other}`")),
    }
    same("amounts", &Some(resource), &amounts(case, "/expected/expected")?)
}

fn port(value: &Value) -> Result<Option<HostPort>, String> {
    let text = |name: &str| read_or_default::<String>(value, &format!("/{name}"));
    Ok(HostPort::on(&text("ip")?, &text("protocol")?, read(value, "/port")?))
}

fn host_ports(case: &Value) -> Result<(), String> {
    let mut taken = HostPorts::default();
    for value in read_or_default::<Vec<Value>>(case, "/input/added")? {
        if let Some(port) = port(&value)? {
            taken.add(port);
        }
    }
    for value in read_or_default::<Vec<Value>>(case, "/input/removed")? {
        if let Some(port) = port(&value)? {
            taken.remove(&port);
        }
    }
    if let Some(length) = read::<Option<usize>>(case, "/expected/length")? {
        same("ports taken", &taken.len(), &length)?;
    }
    match read::<Option<Value>>(case, "/input/check")? {
        None => Ok(()),
        Some(check) => {
            let conflict = port(&check)?.is_some_and(|port| taken.conflicts(&port));
            same("conflict", &conflict, &read(case, "/expected/expect")?)
        }
    }
}
