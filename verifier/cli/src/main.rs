//! The command `probity`: verifies eBPF objects offline, and runs them.
//!
//! | module | subject |
//! |---|---|
//! | [`args`] | the command line |
//! | [`check`] | `probity check` |
//! | [`list`] | `probity list` |
//! | [`disasm`] | `probity disasm` |
//! | [`run`] | `probity run` |
//! | [`spec`] | `probity spec check` |
//! | [`spec_fmt`] | `probity spec fmt` |
//! | [`spec_out`] | `probity spec header`, `doc`, `list`, `probes` and `diff` |
//! | [`input`] | files in |
//! | [`target`] | the kernel to load into: types and configuration |
//! | [`platforms`] | spec files, and the platform that is built in |
//! | [`output`] | text out, exit codes |
//! | [`source`] | C lines of files beside objects |
//! | [`spec_text`] | the text of the Linux spec, to quote from |

mod args;
mod check;
mod disasm;
mod input;
mod list;
mod output;
mod platforms;
mod run;
mod source;
mod spec;
mod spec_fmt;
mod spec_out;
mod spec_text;
mod target;

use std::process::ExitCode;

use clap::Parser;
use probity::Platform;

use crate::args::{Args, Command, SpecCommand};

/// The platform that objects are checked against.
static PLATFORM: &Platform = &probity::linux::PLATFORM;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Check(args) => check::run(&args),
        Command::List(args) => list::run(&args),
        Command::Disasm(args) => disasm::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Spec(command) => match command {
            SpecCommand::Check(args) => spec::run(&args),
            SpecCommand::Fmt(args) => spec_fmt::run(&args),
            SpecCommand::Header(args) => spec_out::header(&args),
            SpecCommand::Doc(args) => spec_out::doc(&args),
            SpecCommand::List(args) => spec_out::list(&args),
            SpecCommand::Probes(args) => spec_out::probes(&args),
            SpecCommand::Diff(args) => spec_out::diff(&args),
        },
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}
