//! Runs the measured probes through the engine and writes those that it judges in condensed form.
//!
//! `cargo run -p probity-tests --bin probes -- ../shared/probes/probes.jsonl tests/data/probes`

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use probity_tests::probes::{condense, record};

/// Condenses probes; what the engine judges otherwise than the kernel is printed, and nothing is
/// written then.
#[derive(Parser)]
struct Arguments {
    /// The records, `probes.jsonl`.
    records: PathBuf,
    /// The folder that is written to.
    folder: PathBuf,
}

fn main() -> io::Result<ExitCode> {
    let Arguments { records, folder } = Arguments::parse();
    let mut out = io::stdout().lock();
    match condense::files(record::read(&records)?) {
        Err(different) => {
            for one in &different {
                writeln!(out, "{one}")?;
            }
            writeln!(out, "{} differ", different.len())?;
            Ok(ExitCode::FAILURE)
        }
        Ok(files) => {
            fs::create_dir_all(&folder)?;
            for (name, text) in files {
                writeln!(out, "{name}: {} bytes", text.len())?;
                fs::write(folder.join(name), text)?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
