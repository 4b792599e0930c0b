//! `tolerations.*`: which taints are tolerated.

use cellsim::kubernetes::tolerations::{
    NO_EXECUTE, NO_SCHEDULE, PREFER_NO_SCHEDULE, find_untolerated, forbids_scheduling, tolerates,
};
use cellsim::kubernetes::{Taint, Toleration};
use serde_json::Value;

use crate::families::Runner;
use crate::support::{read, read_or_default, same};

pub fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "tolerations.compare_numeric" => compare_numeric,
        "tolerations.find_untolerated" => untolerated,
        "tolerations.tolerates" => tolerates_taint,
        "helper.do_not_schedule_taint" => forbids,
        _ => return None,
    })
}

/// Upstream calls the comparison alone; an operator that compares nothing must not match there.
fn compare_numeric(case: &Value) -> Result<(), String> {
    let operator: String = read(case, "/input/operator")?;
    let toleration = Toleration {
        operator: operator.clone(),
        value: read(case, "/input/tolerationVal")?,
        ..Toleration::default()
    };
    let taint = Taint { value: read(case, "/input/taintVal")?, ..Taint::default() };
    let holds = cellsim::kubernetes::tolerations::compares(&toleration, &taint);
    same(&operator, &holds, &read(case, "/expected/expectedResult")?)
}

fn untolerated(case: &Value) -> Result<(), String> {
    let taints: Vec<Taint> = read_or_default(case, "/input/taints")?;
    let tolerations: Vec<Toleration> = read_or_default(case, "/input/tolerations")?;
    let comparison: bool = read_or_default(case, "/input/enableComparisonOperatorsFG")?;
    let filter: String = read(case, "/input/taint_filter")?;
    let concerns: fn(&Taint) -> bool = match filter.as_str() {
        "every_taint" => |_| true,
        "no_taint" => |_| false,
        "effect_NoExecute" => |taint| taint.effect == NO_EXECUTE,
        "effect_NoSchedule" => |taint| taint.effect == NO_SCHEDULE,
        "effect_PreferNoSchedule" => |taint| taint.effect == PREFER_NO_SCHEDULE,
        other => return Err(format!("the filter of taints `{other}` is not known")),
    };
    let found = find_untolerated(&taints, &tolerations, concerns, comparison);
    same("tolerated", &found.is_none(), &read(case, "/expected/expectTolerated")?)
}

fn tolerates_taint(case: &Value) -> Result<(), String> {
    let toleration: Toleration = read(case, "/input/toleration")?;
    let taint: Taint = read(case, "/input/taint")?;
    let comparison: bool =
        read_or_default(case, "/input/enableTaintTolerationComparisonOperatorsFG")?;
    let tolerated = tolerates(&toleration, &taint, comparison);
    same("tolerated", &tolerated, &read(case, "/expected/expectTolerated")?)
}

fn forbids(case: &Value) -> Result<(), String> {
    let taint: Taint = read(case, "/input/taint")?;
    same("looked at", &forbids_scheduling(&taint), &read(case, "/expected/value")?)
}
