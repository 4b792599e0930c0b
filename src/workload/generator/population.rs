//! The tiers of a generator made ready to draw from: rates worked out, templates numbered.

use std::sync::Arc;

use super::super::record::{Outcome, TemplateIndex, Work};
use super::config::{GeneratorConfig, GeneratorError, TierMix};
use super::moments::{Residual, mean_of, mean_of_pair};
use super::sampler::Sampler;
use crate::cluster::{NodeConstraints, PodTemplate, Resources};
use crate::engine::{Purpose, SimDuration, Stream, Streams};

/// Longer runs than this, some 36,500 years, are cut: heavy tails overflow nothing.
const LONGEST_RUN: SimDuration = SimDuration(1 << 60);

/// One stream per purpose, advanced from task to task: seeding one per task would cost more than
/// the draws, and nothing but the generator draws from them.
pub struct Draws {
    /// Gaps between jobs, and their thinning.
    pub arrival: Stream,
    /// Tier of a job.
    pub tier: Stream,
    /// Tasks of a job, and whether they are spread.
    pub size: Stream,
    /// Requests of a job.
    pub shape: Stream,
    /// Usage of a job.
    pub usage: Stream,
    /// Run of a task.
    pub duration: Stream,
    /// How a task ends.
    pub fate: Stream,
}

impl Draws {
    /// The streams of a run.
    pub fn new(streams: Streams) -> Self {
        let stream = |purpose| streams.stream(purpose, 0);
        Self {
            arrival: stream(Purpose::Arrival),
            tier: stream(Purpose::JobTier),
            size: stream(Purpose::JobSize),
            shape: stream(Purpose::PodShape),
            usage: stream(Purpose::Usage),
            duration: stream(Purpose::PodDuration),
            fate: stream(Purpose::PodCrash),
        }
    }
}

/// What the tasks of a job have in common.
#[derive(Clone, Debug)]
pub struct Job {
    /// Number of its tier among the tiers.
    pub tier: usize,
    /// Its template.
    pub template: TemplateIndex,
    /// Requests of each task.
    pub requests: Resources,
    /// Usage of each task.
    pub usage_permille: Option<[u16; 2]>,
    /// Number of tasks that are left.
    pub tasks: u64,
    /// It has one task from the start.
    pub is_single: bool,
}

/// A tier with what follows from it.
pub struct Population {
    /// Its description.
    pub mix: TierMix,
    /// Jobs per second, in the mean.
    pub jobs_per_second: f64,
    /// Cpu that it is to have allocated.
    pub target_cpu: f64,
    /// Mean cpu of a task.
    pub mean_cpu: f64,
    /// What is left of its runs at the start.
    residual: Residual,
    job_tasks: Sampler,
    cpu: Sampler,
    memory: Sampler,
    usage_permille: Option<[Sampler; 2]>,
    run_seconds: Sampler,
    /// Template of its jobs; that of jobs that are spread is the next.
    first_template: u32,
    /// Largest cpu of a job.
    largest_cpu: f64,
    number: usize,
}

/// The tiers with a weight, ready to draw from, and their templates.
pub fn populations(
    config: &GeneratorConfig,
) -> Result<(Vec<Population>, Vec<Arc<PodTemplate>>), GeneratorError> {
    config.check()?;
    let cell_cpu = config.cell_cpu() as f64;
    let weight: f64 = config.tiers.iter().map(|tier| tier.weight).sum();
    let mut populations: Vec<Population> = Vec::new();
    let mut templates = Vec::new();
    for mix in config.tiers.iter().filter(|tier| tier.weight > 0.0) {
        let target_cpu = config.allocation * cell_cpu * mix.weight / weight;
        let largest_cpu = config.largest_job * cell_cpu;
        let (number, first_template) = (populations.len(), templates.len() as u32);
        populations.push(Population::new(mix, target_cpu, largest_cpu, number, first_template)?);
        let preferences = mix.preferences.clone();
        let constraints = NodeConstraints { preferences, ..NodeConstraints::default() };
        for one_per_node in [false, true] {
            let constraints = constraints.clone();
            templates.push(Arc::new(PodTemplate {
                priority: mix.priority,
                tier: mix.tier,
                one_per_node,
                constraints,
                ..PodTemplate::default()
            }));
        }
    }
    Ok((populations, templates))
}

impl Population {
    fn new(
        mix: &TierMix,
        target_cpu: f64,
        largest_cpu: f64,
        number: usize,
        first_template: u32,
    ) -> Result<Self, GeneratorError> {
        let tier = mix.tier.name();
        let sound = |what: &'static str, mean: Option<f64>| match mean {
            None => Err(GeneratorError::NoQuantile { what, tier }),
            Some(mean) if mean > 0.0 && mean.is_finite() => Ok(mean),
            Some(mean) => Err(GeneratorError::BadMean { what, tier, mean }),
        };
        let mean_or = |distribution: &crate::engine::Distribution| {
            distribution.mean().or_else(|| mean_of(distribution, |x| x))
        };
        let mean_cpu = sound("the cpu", mean_or(&mix.cpu))?;
        let mean_run = sound("the run", mean_or(&mix.run_seconds))?;
        sound("the memory", mean_or(&mix.memory).map(|mean| mean + 1.0))?;
        let largest_task = mix.cpu.quantile(1.0 - 1e-9).unwrap_or(f64::MAX);
        let largest_size = mix.job_tasks.quantile(1.0 - 1e-9).unwrap_or(f64::MAX);
        // Where no job can exceed the limit, sizes and shapes are independent.
        let job_cpu = if whole_tasks(largest_size) * largest_task <= largest_cpu {
            mean_of(&mix.job_tasks, whole_tasks).map(|tasks| tasks * mean_cpu)
        } else {
            mean_of_pair(&mix.job_tasks, &mix.cpu, |tasks, cpu| {
                limited(whole_tasks(tasks), cpu, largest_cpu) * cpu
            })
        };
        let job_cpu = sound("the cpu of a job", job_cpu)?;
        let usage = mix.usage_permille.iter().flatten();
        for distribution in usage.chain([&mix.cpu, &mix.memory, &mix.job_tasks]) {
            let what = "a shape or a usage";
            distribution.quantile(0.5).ok_or(GeneratorError::NoQuantile { what, tier })?;
        }
        let residual = Residual::new(&mix.run_seconds);
        Ok(Self {
            residual: residual.ok_or(GeneratorError::NoQuantile { what: "the run", tier })?,
            job_tasks: Sampler::new(&mix.job_tasks),
            cpu: Sampler::new(&mix.cpu),
            memory: Sampler::new(&mix.memory),
            usage_permille: mix
                .usage_permille
                .as_ref()
                .map(|both| both.each_ref().map(Sampler::new)),
            run_seconds: Sampler::new(&mix.run_seconds),
            mix: mix.clone(),
            jobs_per_second: target_cpu / (job_cpu * mean_run),
            target_cpu,
            mean_cpu,
            first_template,
            largest_cpu,
            number,
        })
    }

    /// Draws a job.
    pub fn draw_job(&self, draws: &mut Draws) -> Job {
        let cpu = self.cpu.draw(&mut draws.shape);
        let memory = self.memory.draw(&mut draws.shape);
        let tasks = whole_tasks(self.job_tasks.draw(&mut draws.size));
        // Drawn in any case, so that a change of the share moves no other draw.
        let spread = draws.size.uniform() < self.mix.spread;
        let usage_permille = self.usage_permille.as_ref().map(|[cpu, memory]| {
            let permille = |x: f64| whole(x).min(i64::from(u16::MAX)) as u16;
            let cpu = permille(cpu.draw(&mut draws.usage));
            [cpu, permille(memory.draw(&mut draws.usage))]
        });
        let tasks = limited(tasks, cpu, self.largest_cpu) as u64;
        Job {
            tier: self.number,
            template: TemplateIndex(self.first_template + u32::from(spread)),
            requests: Resources::pod(whole(cpu), whole(memory)),
            usage_permille,
            tasks,
            is_single: tasks == 1,
        }
    }

    /// Draws the length of an uninterrupted run.
    pub fn draw_run(&self, draws: &mut Draws) -> SimDuration {
        SimDuration::from_secs_f64(self.run_seconds.draw(&mut draws.duration)).min(LONGEST_RUN)
    }

    /// Draws what is left of a run that goes on at the start.
    pub fn draw_residual(&self, draws: &mut Draws) -> SimDuration {
        SimDuration::from_secs_f64(self.residual.draw(&mut draws.duration)).min(LONGEST_RUN)
    }

    /// Draws how the run of a task ends: its work, and when its user stops it, counted from its
    /// arrival.
    pub fn draw_work(&self, run: SimDuration, draws: &mut Draws) -> (Work, Option<SimDuration>) {
        let fate = draws.fate.uniform();
        if fate < self.mix.killed {
            return (Work::UntilStopped, Some(run));
        }
        let fails = fate < self.mix.killed + self.mix.failing;
        (Work::For { run, outcome: if fails { Outcome::Fail } else { Outcome::Finish } }, None)
    }
}

/// A drawn number of tasks: whole, at least one.
fn whole_tasks(tasks: f64) -> f64 {
    libm::floor(tasks).max(1.0)
}

/// The nearest whole amount.
fn whole(amount: f64) -> i64 {
    (amount + 0.5) as i64
}

/// The tasks of a job that requests no more than `largest_cpu`, at least one.
fn limited(tasks: f64, cpu: f64, largest_cpu: f64) -> f64 {
    if tasks * cpu <= largest_cpu { tasks } else { whole_tasks(largest_cpu / cpu).min(tasks) }
}
