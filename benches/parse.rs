//! Sources alone: from bytes, or from nothing, to records.
//!
//! Figures are per element: a row of the Google 2011 tables, a record of the native format or of
//! the generator. The real sample is read where `CELLSIM_DATA` (or `../shared`) has it.

use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::path::Path;

use cellsim::cluster::ResourceNames;
use cellsim::engine::Streams;
use cellsim::workload::generator::{Generator, GeneratorConfig, borg_like, yardstick};
use cellsim::workload::google2011::{Google2011, Google2011Config};
use cellsim::workload::native::{Compression, Native, NativeConfig, write_trace};
use cellsim::workload::{ReadAhead, Source, data_folder};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const STREAMS: Streams = Streams { seed: 1, run: 0 };

/// Reads a source to its end; the number of records keeps the work from being optimised away.
fn drain(mut source: impl Source) -> u64 {
    let mut records = 0;
    while let Some(record) = source.next_record().expect("the source is sound") {
        black_box(&record);
        records += 1;
    }
    records
}

/// Rows in the format of `task_events`: tasks that are submitted, scheduled and finish 400 µs
/// later, three rows each.
fn task_rows(tasks: u64) -> String {
    let user = "70s3v5qRyCO/1PCdI6fVXnrW8FU/w+5CKRSa72xgcIo=";
    let mut rows = String::new();
    for step in 0..tasks + 400 {
        for (code, task) in [(0, Some(step)), (1, Some(step)), (4, step.checked_sub(400))] {
            let Some(task) = task.filter(|task| *task < tasks) else { continue };
            let (time, job, index) = (600_000_000 + step, 6_000_000_000 + task / 10, task % 10);
            let machine = if code == 0 { "" } else { "4155527081" };
            writeln!(
                rows,
                "{time},,{job},{index},{machine},{code},{user},2,{},0.0{},0.0159{},0.0004244,0",
                task % 12,
                125 + task % 300,
                task % 10
            )
            .expect("a string takes everything");
        }
    }
    rows
}

fn google2011(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("task_events.csv");
    let rows = task_rows(100_000);
    let count = rows.lines().count() as u64;
    fs::write(&path, &rows).expect("the rows are written");
    let mut config = Google2011Config::new(&path, "");
    config.machine_events = None;
    let mut group = criterion.benchmark_group("google2011");
    group.throughput(Throughput::Elements(count));
    group.bench_function("plain, made rows", |bencher| {
        bencher.iter(|| drain(Google2011::open(&config).expect("the file is there")));
    });
    let sample = data_folder().map(|folder| folder.join("traces/google2011"));
    match sample.and_then(|folder| Google2011Config::in_folder(&folder).ok()) {
        None => eprintln!("no real sample: CELLSIM_DATA names no folder with traces/google2011"),
        Some(config) => {
            let open = || Google2011::open(&config).expect("the sample is there");
            let mut source = open();
            while source.next_record().expect("the sample is sound").is_some() {}
            group.throughput(Throughput::Elements(source.statistics().rows)).sample_size(10);
            group.bench_function("zst, real sample", |bencher| bencher.iter(|| drain(open())));
            group.bench_function("zst, real sample, read ahead", |bencher| {
                bencher.iter(|| drain(ReadAhead::new(open())));
            });
        }
    }
    group.finish();
}

/// A generated trace of `tasks` arrivals in the native format.
fn write_native(folder: &Path, tasks: u64, compression: Compression) -> u64 {
    let config = GeneratorConfig { tasks: Some(tasks), ..borg_like(1000) };
    let mut source = Generator::new(config, STREAMS).expect("the preset is sound");
    let written = write_trace(&mut source, folder, &ResourceNames::default(), compression);
    written.expect("the trace is written").rows
}

fn native(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("native");
    for (name, compression) in [("plain", Compression::Plain), ("zst", Compression::Zst)] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rows = write_native(folder.path(), 100_000, compression);
        let config = NativeConfig { folder: folder.path().into(), strict: false };
        group.throughput(Throughput::Elements(rows));
        group.bench_function(format!("read, {name}"), |bencher| {
            bencher.iter(|| drain(Native::open(&config).expect("the trace is there")));
        });
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    group.bench_function("generate and write, plain", |bencher| {
        bencher.iter(|| write_native(folder.path(), 100_000, Compression::Plain));
    });
    group.finish();
}

fn generator(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generator");
    let borg = GeneratorConfig { tasks: Some(1_000_000), ..borg_like(12_500) };
    for (name, config) in [("borg-like", borg), ("yardstick", yardstick(1_000_000))] {
        let make = || Generator::new(config.clone(), STREAMS).expect("the preset is sound");
        group.throughput(Throughput::Elements(drain(make()))).sample_size(10);
        group.bench_function(name, |bencher| bencher.iter(|| drain(make())));
    }
    group.finish();
}

criterion_group!(benches, google2011, native, generator);
criterion_main!(benches);
