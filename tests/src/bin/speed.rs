//! How fast the engine is beside the kernel: the heaviest programs of a corpus that both give the
//! same verdict on, checked by turns.
//!
//! `cargo run --release -p probity-tests --bin speed -- DIR`, as root; `--help` says the rest. Both
//! sides are measured in processor time of one thread: ours is the check of a loaded program, the
//! kernel's is the system call that loads it, without a log. The machine may be busy with other things.

use std::{io, path::PathBuf, process::ExitCode};

use clap::Parser;
use probity_tests::{
    corpus::{Corpus, File},
    kernel,
    speed::{self, Measured},
};

/// Measures the engine against the running kernel.
#[derive(Parser)]
struct Arguments {
    /// The folder of the corpus.
    dir: PathBuf,
    /// How many programs, the heaviest first by instructions processed.
    #[arg(long, default_value_t = 30)]
    count: usize,
    /// How often each is measured; medians count.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Only programs whose `FILE OBJECT PROGRAM` holds this.
    #[arg(long, value_name = "SUBSTRING")]
    only: Option<String>,
    /// Measure the engine alone.
    #[arg(long)]
    alone: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.alone && !kernel::available() {
        kernel::skip("speed");
        return ExitCode::SUCCESS;
    }
    match work(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("speed: {}: {error}", arguments.dir.display());
            ExitCode::FAILURE
        }
    }
}

fn work(arguments: &Arguments) -> io::Result<()> {
    let mut corpus = Corpus::read(&arguments.dir, &File::ALL)?;
    if let Some(part) = &arguments.only {
        corpus.only(part);
    }
    println!(
        "{:>9} {:>10} {:>10} {:>6} {:>8}  program",
        "processed", "ours ms", "kernel ms", "ratio", "peak MB"
    );
    let mut all = Vec::new();
    for candidate in speed::heaviest(&corpus) {
        if all.len() == arguments.count {
            break;
        }
        match candidate.measure(arguments.rounds, arguments.alone) {
            Ok(measured) => {
                line(&measured);
                all.push(measured);
            }
            Err(reason) => eprintln!("left out: {}: {reason}", candidate.name()),
        }
    }
    summary(&all);
    Ok(())
}

fn line(measured: &Measured) {
    let Measured { processed, ours, kernel, .. } = measured;
    let (kernel, ratio) = match kernel {
        Some(kernel) => (
            format!("{:.3}", kernel.as_secs_f64() * 1e3),
            format!("{:.2}", kernel.as_secs_f64() / ours.as_secs_f64()),
        ),
        None => ("-".into(), "-".into()),
    };
    let (ours, peak) = (ours.as_secs_f64() * 1e3, measured.peak as f64 / f64::from(1 << 20));
    println!("{processed:>9} {ours:>10.3} {kernel:>10} {ratio:>6} {peak:>8.1}  {}", measured.name);
}

fn summary(all: &[Measured]) {
    let ratios: Vec<f64> = all.iter().filter_map(Measured::ratio).collect();
    let ours: f64 = all.iter().map(|measured| measured.ours.as_secs_f64()).sum();
    let peak = all.iter().map(|measured| measured.peak).max().unwrap_or(0);
    println!(
        "{} programs, ours {:.1} ms, peak {:.1} MB",
        all.len(),
        ours * 1e3,
        peak as f64 / f64::from(1 << 20)
    );
    if !ratios.is_empty() {
        let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        println!("times as fast as the kernel: geometric mean {mean:.2}, least {least:.2}");
    }
}
