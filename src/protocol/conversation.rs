//! A conversation with a child: hello, then turns, each with the words for what goes wrong.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::child::{Child, shortened};
use super::messages::{Hello, HelloLine, ReadyLine, TurnLine};
use super::{MOST_TURNS_AT_ONCE, ProcessSpec, Turn, VERSION};
use crate::cluster::{Dimension, ResourceNames};
use crate::engine::{SimTime, Streams};

/// What a child is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Decides where pods go.
    Scheduler,
    /// Keeps the cell as it should be.
    Controller,
}

/// What wakes a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WakeOn {
    /// A node came or went, is (not) ready, is cordoned or described anew.
    Nodes,
    /// A declared workload has or wants another number of pods.
    Workloads,
    /// A pod came or went, was bound or evicted.
    Pods,
}

/// A reply to a turn.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Reply<T> {
    turn: u64,
    /// What is to be done, in order.
    #[serde(rename = "do", default = "Vec::new")]
    pub actions: Vec<T>,
    /// When to be asked again, in microseconds.
    wake_at: Option<u64>,
}

impl<T> Reply<T> {
    /// When to be asked again.
    pub fn wake_at(&self) -> Option<SimTime> {
        self.wake_at.map(SimTime)
    }
}

/// A conversation that has begun.
#[derive(Debug)]
pub struct Conversation {
    child: Child,
    /// How messages call the child.
    name: String,
    /// Lines that it wrote.
    lines: u64,
    turns: u64,
    /// The instant of the last turn, and how many there were at it.
    last: (SimTime, u64),
}

impl Conversation {
    /// Starts the child and says hello; `name` is how messages call it. Also returns what wakes
    /// it, where it says so.
    ///
    /// # Errors
    /// The child cannot be started, ends at once, or speaks another protocol.
    pub fn begin(
        name: &str,
        role: Role,
        spec: &ProcessSpec,
        names: &ResourceNames,
        streams: Streams,
    ) -> Result<(Self, Option<Vec<WakeOn>>), String> {
        let name = format!("{name} ({})", spec.words());
        let child = Child::start(spec).map_err(|reason| format!("{name}: {reason}"))?;
        let mut begun = Self { child, name, lines: 0, turns: 0, last: (SimTime::ZERO, 0) };
        let role_name = match role {
            Role::Scheduler => "scheduler",
            Role::Controller => "controller",
        };
        let hello = Hello {
            protocol: VERSION,
            cellsim: env!("CARGO_PKG_VERSION"),
            role: role_name,
            seed: streams.seed,
            run: streams.run,
            resources: names.iter().map(|(_, name)| name).collect(),
            units: names.iter().map(|(dimension, _)| unit(dimension)).collect(),
            options: &spec.options,
        };
        let line = begun.ask(text_of(&HelloLine { hello }), "the hello")?;
        let ready: ReadyLine = begun.parse(&line, r#"{"ready": {"protocol": 1}}"#)?;
        if ready.ready.protocol != VERSION {
            let reason = format!(
                "it speaks version {} of the protocol, this is version {VERSION}",
                ready.ready.protocol
            );
            return Err(begun.wrong(&reason));
        }
        if ready.ready.wake_on.is_some() && role == Role::Scheduler {
            return Err(begun.wrong("`wakeOn` is for controllers"));
        }
        Ok((begun, ready.ready.wake_on))
    }

    /// One turn at `now`: tells `turn`, returns the reply.
    ///
    /// # Errors
    /// The child has ended, does not answer, or answers with something else than a reply to this
    /// turn.
    pub fn turn<T: DeserializeOwned>(
        &mut self,
        now: SimTime,
        turn: &Turn,
    ) -> Result<Reply<T>, String> {
        self.turns += 1;
        self.last = if self.last.0 == now { (now, self.last.1 + 1) } else { (now, 1) };
        if self.last.1 > MOST_TURNS_AT_ONCE {
            return Err(format!(
                "{}: it was asked {MOST_TURNS_AT_ONCE} times at {now} and still changes things",
                self.name
            ));
        }
        let number = self.turns;
        let asked = text_of(&TurnLine { turn: number, time: now.0, changes: turn });
        let line = self.ask(asked, &format!("turn {number}"))?;
        let reply: Reply<T> =
            self.parse(&line, r#"{"turn": 1, "do": [...], "wakeAt": 60000000}"#)?;
        if reply.turn != number {
            return Err(self.wrong(&format!("it answers turn {}, not turn {number}", reply.turn)));
        }
        if reply.wake_at().is_some_and(|time| time <= now) {
            let reason = format!("`wakeAt` must be after the time of the turn, {}", now.0);
            return Err(self.wrong(&reason));
        }
        Ok(reply)
    }

    /// The message for a reply whose `position`-th action (from 0) is wrong.
    pub fn wrong_action(&self, position: usize, reason: &str) -> String {
        self.wrong(&format!("do[{position}]: {reason}"))
    }

    /// The message for the last line of the child, which is wrong.
    pub fn wrong(&self, reason: &str) -> String {
        format!("{}: line {} of its output: {reason}", self.name, self.lines)
    }

    fn ask(&mut self, line: String, what: &str) -> Result<String, String> {
        let reply = self.child.ask(line);
        let reply =
            reply.map_err(|reason| format!("{}: asked with {what}, it {reason}", self.name))?;
        self.lines += 1;
        Ok(reply)
    }

    fn parse<T: DeserializeOwned>(&self, line: &str, expected: &str) -> Result<T, String> {
        serde_json::from_str(line).map_err(|error| {
            let said = error.to_string();
            let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
            let place = format!("column {}", error.column());
            let quoted = shortened(line);
            self.wrong(&format!("{said} ({place}); expected like {expected}; it wrote {quoted}"))
        })
    }
}

fn text_of(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("messages are plain data")
}

/// In what amounts of `dimension` are counted.
fn unit(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::CPU | Dimension::GPU => "milli",
        Dimension::MEMORY | Dimension::STORAGE => "bytes",
        _ => "1",
    }
}
