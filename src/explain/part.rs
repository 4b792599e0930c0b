//! Where two runs part: the first decision that differs.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;

use super::ExplainError;
use super::decisions::{NamedDecision, Snapshot, Tape};
use super::placement::PlacementAnswer;
use super::run::Run;
use crate::engine::SimTime;
use crate::simulation::Simulation;

/// Where two runs part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartAnswer {
    /// What the two runs are called.
    pub runs: [String; 2],
    /// Decisions that are the same in both.
    pub same: u64,
    /// The first that is not; `None` where the runs decide the same to the end.
    pub parting: Option<Parting>,
}

/// The first decision that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parting {
    /// When the earlier one of the two is made, in microseconds.
    pub time_us: u64,
    /// The pod that it is about.
    pub pod: String,
    /// What each run decides; `None` for one that decides nothing more.
    pub decisions: [Option<NamedDecision>; 2],
    /// Where the pod could go in each run just before; `None` where it is not in that run then.
    pub placements: [Option<PlacementAnswer>; 2],
}

/// Runs `first` and `second` in step up to the first decision that differs.
///
/// # Errors
/// A run that fails.
pub fn find_part(first: &Run, second: &Run) -> Result<PartAnswer, ExplainError> {
    let runs = [first.label(), second.label()];
    let (mut one, mut other) = (Taped::new(first)?, Taped::new(second)?);
    let mut same = 0;
    let decisions = loop {
        let pair = [one.next()?, other.next()?];
        match &pair {
            [None, None] => return Ok(PartAnswer { runs, same, parting: None }),
            [a, b] if a == b => same += 1,
            _ => break pair,
        }
    };
    // The earlier decision is the one to ask about; of two at once that of the first run.
    let earlier = match &decisions {
        [Some(a), Some(b)] => {
            if b.time_us < a.time_us {
                b
            } else {
                a
            }
        }
        [Some(only), None] | [None, Some(only)] => only,
        [None, None] => unreachable!("that is no difference"),
    };
    let (time, pod) = (SimTime(earlier.time_us), earlier.pod.clone());
    let placements = [explain(first, &pod, same, time)?, explain(second, &pod, same, time)?];
    let parting = Parting { time_us: time.0, pod, decisions, placements };
    Ok(PartAnswer { runs, same, parting: Some(parting) })
}

/// A run that yields its decisions.
struct Taped {
    simulation: Simulation,
    tape: Rc<RefCell<Tape>>,
}

impl Taped {
    fn new(run: &Run) -> Result<Self, ExplainError> {
        let tape = Rc::new(RefCell::new(Tape::default()));
        Ok(Self { simulation: run.begin(&tape)?, tape })
    }

    /// The next decision; `None` at the end.
    fn next(&mut self) -> Result<Option<NamedDecision>, ExplainError> {
        loop {
            let fresh = self.tape.borrow_mut().fresh.pop_front();
            if fresh.is_some() || !self.simulation.step()? {
                return Ok(fresh);
            }
        }
    }
}

/// Where `pod` could go in `run` just before its decision `number`, or at `time` where that
/// decision comes later.
fn explain(
    run: &Run,
    pod: &str,
    number: u64,
    time: SimTime,
) -> Result<Option<PlacementAnswer>, ExplainError> {
    let snapshot = Snapshot { pod: pod.to_owned(), number, time, seen: 0, taken: None };
    let snapshot = Rc::new(RefCell::new(snapshot));
    let mut simulation = run.begin(&snapshot)?;
    while simulation.next_time().is_some_and(|next| next <= time)
        && snapshot.borrow().seen <= number
    {
        simulation.step()?;
    }
    let mut snapshot = snapshot.borrow_mut();
    let moment = simulation.moment();
    let then = snapshot.find(moment.cluster);
    Ok(snapshot.taken.take().or_else(|| {
        let mut told = PlacementAnswer::new(moment, then?, "not-placed", None);
        told.time_us = time.0;
        Some(told)
    }))
}
