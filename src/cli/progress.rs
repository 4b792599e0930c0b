//! How far the runs are, on stderr, where that is a terminal.

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::SimTime;
use crate::simulation::Progress;
use crate::workload::ReadProgress;

/// Steps of the bar for each run.
const STEPS: u64 = 10_000;

/// The bar, and how far each run is.
pub struct ProgressDisplay {
    bar: ProgressBar,
    runs: Mutex<Vec<RunState>>,
}

#[derive(Clone, Default)]
struct RunState {
    reading: Option<ReadProgress>,
    steps: u64,
    events: u64,
    pods: u64,
    time: SimTime,
}

impl ProgressDisplay {
    /// For `runs` runs; without a bar if `quiet` or where stderr is no terminal.
    pub fn new(runs: u32, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(
            Some(STEPS * u64::from(runs)),
            if quiet || !std::io::stderr().is_terminal() {
                ProgressDrawTarget::hidden()
            } else {
                ProgressDrawTarget::stderr_with_hz(10)
            },
        );
        let style = "{bar:30} {percent:>3} %  {msg}  {elapsed}, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is well-formed"));
        Self { bar, runs: Mutex::new(vec![RunState::default(); runs as usize]) }
    }

    /// Run `index` begins.
    pub fn started(&self, index: usize, reading: Option<ReadProgress>) {
        self.with(|runs| runs[index].reading = reading);
    }

    /// Run `index` has come this far.
    pub fn progress(&self, index: usize, progress: Progress) {
        self.with(|runs| {
            let run = &mut runs[index];
            (run.events, run.pods, run.time) = (progress.events, progress.pods, progress.time);
            run.steps = run.steps.max(steps(progress, run.reading.as_ref()));
            self.show(runs);
        });
    }

    /// Run `index` is over.
    pub fn finished(&self, index: usize) {
        self.with(|runs| {
            runs[index].steps = STEPS;
            self.show(runs);
        });
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn with(&self, change: impl FnOnce(&mut Vec<RunState>)) {
        change(&mut self.runs.lock().expect("nobody panics while holding the lock"));
    }

    fn show(&self, runs: &[RunState]) {
        let events: u64 = runs.iter().map(|run| run.events).sum();
        let seconds = self.bar.elapsed().as_secs_f64().max(1e-3);
        let pods = HumanCount(runs.iter().map(|run| run.pods).sum());
        let over = runs.iter().filter(|run| run.steps == STEPS).count();
        let where_to = match runs {
            [only] => format!("at {}", only.time),
            several => format!("{over} of {} runs", several.len()),
        };
        let rate = events as f64 / seconds / 1e6;
        self.bar.set_message(format!("{where_to}, {pods} pods, {rate:.1} M events/s"));
        self.bar.set_position(runs.iter().map(|run| run.steps).sum());
    }
}

/// How far a run is: by its time where its end is known, else by what it has read.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of the steps is between zero and all of them"
)]
fn steps(progress: Progress, reading: Option<&ReadProgress>) -> u64 {
    let share = match (progress.end, reading) {
        (Some(end), _) => progress.time.as_secs_f64() / end.as_secs_f64().max(1e-6),
        (None, Some(reading)) => reading.done_bytes() as f64 / reading.total_bytes().max(1) as f64,
        (None, None) => 0.0,
    };
    (share.clamp(0.0, 1.0) * STEPS as f64) as u64
}
