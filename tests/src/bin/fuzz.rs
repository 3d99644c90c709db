//! Damaged objects for as long as one likes: no crash, no hang, no memory without end.
//!
//! `cargo run -p probity-tests --bin fuzz -- --seconds 600`. Batches run in processes of their own
//! with a limit of address space (`ulimit -v`); an input that takes too long ends its process. An
//! input that does not pass is written down, and the run goes on behind it.

use std::{
    fs,
    io::{BufRead, BufReader},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use probity_tests::fuzz::{
    input, rng, seeds,
    targets::{Surroundings, Tally, run},
};

/// Damages objects and loads them.
#[derive(Parser)]
struct Arguments {
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Inputs in a process.
    #[arg(long, default_value_t = 4000)]
    batch: u64,
    /// Kilobytes of address space of a process.
    #[arg(long, default_value_t = 1 << 18)]
    memory: u64,
    /// Where inputs that do not pass are put.
    #[arg(long, default_value = "target/fuzz")]
    save: PathBuf,
    /// One process: the inputs of `seed` from this number on.
    #[arg(long, hide = true)]
    from: Option<u64>,
}

/// The count that is no sum: the slowest input in milliseconds.
const SLOWEST: usize = 6;

/// The longest time for one input.
const LONGEST: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let seeds = seeds(&root).expect("our own objects");
    match arguments.from {
        Some(from) => work(&arguments, &seeds, from),
        None => lead(&arguments, &seeds),
    }
}

/// Runs processes until the time is over.
fn lead(arguments: &Arguments, seeds: &[Vec<u8>]) -> ExitCode {
    let (start, mut findings, mut totals) = (Instant::now(), 0, [0u64; 7]);
    let mut seed = arguments.seed;
    while start.elapsed().as_secs() < arguments.seconds {
        let mut from = 0;
        while from < arguments.batch {
            let (failed, counts) = process(arguments, seed, from);
            for (index, (total, count)) in totals.iter_mut().zip(counts).enumerate() {
                *total = if index == SLOWEST { count.max(*total) } else { *total + count };
            }
            let Some((number, reason)) = failed else { break };
            findings += 1;
            println!("finding: seed {seed} input {number}: {reason}");
            let _ = fs::create_dir_all(&arguments.save);
            let path = arguments.save.join(format!("{seed}-{number}.o"));
            if let Err(error) = fs::write(&path, input(seeds, seed, number)) {
                println!("{}: {error}", path.display());
            }
            from = number + 1;
        }
        seed += 1;
    }
    let [inputs, objects, programs, judged, types, joined, slowest] = totals;
    println!(
        "{inputs} inputs in {} s: {objects} read as objects, {types} with types, {programs} programs linked, \
         {judged} judged, {joined} joined, slowest input {slowest} ms; {findings} findings; seeds {}..{seed}",
        start.elapsed().as_secs(),
        arguments.seed,
    );
    if findings > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One process: the input that it fell over, and what it counted.
fn process(arguments: &Arguments, seed: u64, from: u64) -> (Option<(u64, String)>, Vec<u64>) {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -v $1 && shift && exec \"$@\"", "sh", &arguments.memory.to_string()])
        .arg(program)
        .args(["--from", &from.to_string(), "--seed", &seed.to_string()])
        .args(["--batch", &arguments.batch.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process");
    let (mut current, mut failed, mut counts) = (from, None, Vec::new());
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    for line in lines.map_while(Result::ok) {
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "at" => current = rest.parse().unwrap_or(current),
            "counts" => counts = rest.split(' ').filter_map(|count| count.parse().ok()).collect(),
            "failed" => failed = Some((current, rest.to_owned())),
            _ => {}
        }
    }
    let status = child.wait().expect("a process");
    if failed.is_none() && !status.success() {
        failed = Some((current, format!("the process ended: {status}")));
    }
    (failed, counts)
}

/// Goes through inputs, saying which one it is at.
fn work(arguments: &Arguments, seeds: &[Vec<u8>], from: u64) -> ExitCode {
    let around = Surroundings::of(seeds);
    let begun = Arc::new((AtomicU64::new(from), Instant::now(), AtomicU64::new(0)));
    watch(begun.clone());
    let (mut tally, mut slowest) = (Tally::default(), 0);
    let counts = |tally: &Tally, slowest: u128| {
        let Tally { inputs, objects, programs, judged, types, joined } = *tally;
        println!("counts {inputs} {objects} {programs} {judged} {types} {joined} {slowest}");
    };
    for number in from..arguments.batch {
        println!("at {number}");
        begun.0.store(number, Ordering::Relaxed);
        begun.2.store(begun.1.elapsed().as_millis() as u64, Ordering::Relaxed);
        let bytes = input(seeds, arguments.seed, number);
        let start = Instant::now();
        let mut rng = rng(arguments.seed ^ 0x5eed, number);
        let done = panic::catch_unwind(AssertUnwindSafe(|| run(&mut rng, &bytes, &around, &mut tally)));
        slowest = slowest.max(start.elapsed().as_millis());
        if let Err(fault) = done {
            let said = fault
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| fault.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            counts(&tally, slowest);
            println!("failed panic: {}", said.lines().next().unwrap_or_default());
            return ExitCode::FAILURE;
        }
    }
    counts(&tally, slowest);
    ExitCode::SUCCESS
}

/// Ends the process when an input takes too long.
fn watch(begun: Arc<(AtomicU64, Instant, AtomicU64)>) {
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_millis(500));
            let since = begun.1.elapsed().as_millis() as u64 - begun.2.load(Ordering::Relaxed);
            if u128::from(since) > LONGEST.as_millis() {
                println!("failed hang: more than {LONGEST:?}");
                std::process::exit(3);
            }
        }
    });
}
