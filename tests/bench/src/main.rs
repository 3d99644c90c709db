//! The benchmark as a command: see the library's page.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use probity_bench::{
    Source, Workshop, contenders,
    measure::{Measured, measure},
    table,
    targets::targets,
};

/// Measures how fast verified programs run, beside their peers.
#[derive(Parser)]
struct Arguments {
    /// Only programs whose name holds this; may be given more than once.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How often each is timed; medians count.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match work(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn work(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let Some(workshop) = Workshop::open()? else {
        println!("skipped: there is no clang-22");
        return Ok(ExitCode::SUCCESS);
    };
    let contenders = contenders();
    let roles = contenders.iter().map(|contender| contender.role()).collect();
    let mut measured = Measured { roles, rows: Vec::new() };
    let mut refused = Vec::new();
    let wanted = |source: &Source| {
        arguments.only.is_empty() || arguments.only.iter().any(|part| source.name.contains(part.as_str()))
    };
    for source in Source::all()?.iter().filter(|source| wanted(source)) {
        eprintln!("{}: {}", source.name, source.about);
        match measure(&workshop, source, &contenders, arguments.rounds) {
            Ok(row) => measured.rows.push(row),
            Err(failure) => refused.push(failure.to_string()),
        }
    }
    let targets = targets(&measured);
    let mut failures = measured.failures();
    failures.extend(refused);
    if arguments.json {
        let all = serde_json::json!({ "measured": measured, "targets": targets, "failures": failures });
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        print!("{}{}", table::table(&measured), table::verdicts(&targets));
        failures.iter().for_each(|line| println!("FAILED       {line}"));
    }
    let missed = targets.iter().any(|target| target.holds() == Some(false));
    Ok(if missed || !failures.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
