//! Runs a corpus of programs through the engine and compares with the kernel's recorded verdicts.
//!
//! `cargo run --release -p probity-tests --bin corpus -- DIR`; `--help` says the rest.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use clap::{Parser, ValueEnum};
use probity_tests::{
    corpus::{
        Answer, Corpus, File, Outcome, Totals,
        logs::{self, LogTotals, Parting},
        run,
        totals::{self},
    },
    kernel,
};

/// Runs the programs of a corpus and compares with the kernel's verdicts.
#[derive(Parser)]
struct Arguments {
    /// The folder: raw.jsonl, selftests.jsonl, realworld.jsonl, with the objects beside them.
    dir: PathBuf,
    /// Print all results as one JSON document.
    #[arg(long)]
    json: bool,
    /// Print one line for each such program, before the totals. May be given more than once.
    #[arg(long, value_enum)]
    list: Vec<List>,
    /// Only programs whose `FILE OBJECT PROGRAM` holds this.
    #[arg(long, value_name = "SUBSTRING")]
    only: Option<String>,
    /// Only these files.
    #[arg(long, value_enum)]
    file: Vec<FileArgument>,
    /// Compare our logs with those of the running kernel instead; print the first difference of
    /// each.
    #[arg(long)]
    logs: bool,
    /// Count the reasons of `unsupported`.
    #[arg(long)]
    unsupported_summary: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum List {
    /// Accepted by us, rejected by the kernel.
    FalseAccept,
    /// Rejected by us, accepted by the kernel.
    FalseReject,
    /// Without a verdict of ours.
    Unsupported,
    /// Accepted by both, with another count of instructions.
    Processed,
    /// Rejected by both, with another message.
    Message,
    /// Accepted by both, with other counts of states.
    States,
    /// Accepted by both, with another stack depth.
    Stack,
    /// Panics, and programs over the time limit.
    Crash,
    /// Every program.
    All,
}

#[derive(Clone, Copy, ValueEnum)]
enum FileArgument {
    Raw,
    Selftests,
    Realworld,
}

impl From<FileArgument> for File {
    fn from(file: FileArgument) -> File {
        match file {
            FileArgument::Raw => File::Raw,
            FileArgument::Selftests => File::Selftests,
            FileArgument::Realworld => File::Realworld,
        }
    }
}

impl List {
    fn has(self, outcome: &Outcome) -> bool {
        match self {
            List::FalseAccept => outcome.is_false_accept(),
            List::FalseReject => outcome.is_false_reject(),
            List::Unsupported => outcome.answer == Answer::Unsupported,
            List::Processed => outcome.both_accept() && outcome.processed != outcome.kernel.processed,
            List::Message => outcome.both_reject() && !outcome.message_equal(),
            List::States => outcome.both_accept() && !outcome.states_equal(),
            List::Stack => {
                let expected = outcome.kernel.stack_depth.as_ref();
                outcome.both_accept() && expected.is_some_and(|depth| *depth != outcome.stack_depth)
            }
            List::Crash => outcome.answer == Answer::Crash || outcome.is_slow(),
            List::All => true,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match work(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader went away: `| head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("corpus: {}: {error}", arguments.dir.display());
            ExitCode::FAILURE
        }
    }
}

fn work(arguments: &Arguments) -> io::Result<()> {
    let files: Vec<File> = match arguments.file.as_slice() {
        [] => File::ALL.to_vec(),
        files => files.iter().copied().map(File::from).collect(),
    };
    let mut corpus = Corpus::read(&arguments.dir, &files)?;
    if let Some(part) = &arguments.only {
        corpus.only(part);
    }
    if arguments.logs {
        return compare_logs(&corpus);
    }
    let start = Instant::now();
    let outcomes = run(&corpus);
    let elapsed = start.elapsed().as_secs_f64();
    let mut out = io::BufWriter::new(io::stdout().lock());
    if arguments.json {
        json(&mut out, &outcomes)?;
    } else {
        text(&mut out, arguments, &outcomes)?;
        writeln!(out, "wall clock {elapsed:.2} s")?;
    }
    out.flush()
}

fn compare_logs(corpus: &Corpus) -> io::Result<()> {
    if !kernel::available() {
        println!("no logs to compare with: bpf() is not allowed here");
        return Ok(());
    }
    let outcomes = logs::compare(corpus);
    let mut out = io::BufWriter::new(io::stdout().lock());
    for outcome in &outcomes {
        let (file, object, program) = (outcome.file, &outcome.object, &outcome.program);
        if let Some(Parting { line, kernel, ours }) = &outcome.parting {
            writeln!(out, "{file} {object} {program} line {line}\n  kernel: {kernel}\n  ours:   {ours}")?;
        }
        let found = outcome.expectations;
        if found.in_ours < found.in_kernel {
            let missing = found.in_kernel - found.in_ours;
            writeln!(out, "{file} {object} {program}: {missing} expected messages are missing")?;
        }
    }
    for file in File::ALL {
        let part: Vec<_> = outcomes.iter().filter(|outcome| outcome.file == file).collect();
        if !part.is_empty() {
            write!(out, "{file}\n{}", LogTotals::of(part))?;
        }
    }
    out.flush()
}

fn json(out: &mut impl Write, outcomes: &[Outcome]) -> io::Result<()> {
    let document = serde_json::json!({ "totals": Totals::of(outcomes), "programs": outcomes });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn text(out: &mut impl Write, arguments: &Arguments, outcomes: &[Outcome]) -> io::Result<()> {
    for outcome in outcomes.iter().filter(|outcome| arguments.list.iter().any(|list| list.has(outcome))) {
        line(out, outcome)?;
    }
    let notable = |outcome: &&Outcome| outcome.answer == Answer::Crash || outcome.is_slow();
    for outcome in outcomes.iter().filter(notable) {
        let what = if outcome.is_slow() { "slow" } else { "crash" };
        let seconds = outcome.time.as_secs_f64();
        writeln!(
            out,
            "{what}: {} {} ({seconds:.1} s): {}",
            outcome.object, outcome.program, outcome.message
        )?;
    }
    if arguments.unsupported_summary {
        writeln!(out, "unsupported: programs, of them accepted by the kernel, reason")?;
        for (reason, programs, accepted) in totals::reasons(outcomes) {
            writeln!(out, "  {programs:>5} {accepted:>5}  {reason}")?;
        }
    }
    let mut parts = 0;
    for file in File::ALL {
        let totals = Totals::of(outcomes.iter().filter(|outcome| outcome.file == file));
        if totals.programs > 0 {
            parts += 1;
            write!(out, "{file}\n{totals}")?;
        }
    }
    if parts > 1 {
        write!(out, "total\n{}", Totals::of(outcomes))?;
    }
    Ok(())
}

/// One line: the program, both answers with their counts or reasons, and where.
fn line(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    let kernel = &outcome.kernel;
    write!(out, "{} {} {} | kernel: ", outcome.file, outcome.object, outcome.program)?;
    if kernel.accepted {
        let max = kernel.max_states_per_insn.map_or_else(|| "?".into(), |max| max.to_string());
        let depth = kernel.stack_depth.as_deref().unwrap_or("?");
        let counts = (kernel.processed, kernel.total_states, kernel.peak_states, max.as_str(), depth);
        accepted(out, counts)?;
    } else {
        write!(out, "reject {}: {}", kernel.errno, kernel.message)?;
    }
    write!(out, " | ours: ")?;
    match outcome.answer {
        Answer::Accept => {
            let max = outcome.max_states_per_insn.to_string();
            let counts = (outcome.processed, outcome.total_states, outcome.peak_states, max.as_str());
            accepted(out, (counts.0, counts.1, counts.2, counts.3, &outcome.stack_depth))?;
        }
        Answer::Reject => {
            let code = outcome.code.unwrap_or_default();
            write!(
                out,
                "reject {} [{code}] after {}: {}",
                outcome.errno, outcome.processed, outcome.message
            )?;
        }
        Answer::Unsupported => write!(out, "unsupported: {}", outcome.message)?,
        Answer::Crash => write!(out, "crash: {}", outcome.message)?,
    }
    if let Some(pc) = outcome.pc {
        write!(out, " | pc {pc}")?;
    }
    if let Some(source) = &outcome.source {
        write!(out, " | {source}")?;
    }
    writeln!(out)
}

type Counts<'a> = (u64, u64, u64, &'a str, &'a str);

fn accepted(out: &mut impl Write, (processed, total, peak, max, depth): Counts<'_>) -> io::Result<()> {
    write!(out, "accept processed {processed} total {total} peak {peak} max {max} stack {depth}")
}
