//! As the runner of bpf_conformance calls its plugins: the memory as the first argument and the
//! program on stdin, both as hexadecimal bytes; r0 in hexadecimal on stdout and exit code 0, or what
//! went wrong on stderr and another exit code.

use std::io::{self, Read as _};
use std::path::Path;

use probity::engine::verify;
use probity::isa::Insn;
use probity::program::Program;
use probity::vm::{CheckedProgram, Context, Executable, Input};
use probity::{LoadError, Verdict};

use super::engine::{Engine, jit};
use super::hex;
use super::trouble::Trouble;
use crate::args::RunArgs;
use crate::output::{Exit, Failure, complain_lines, print};

mod conformance {
    probity::platform!("src/run/conformance.bpfspec");
}

use conformance::PLATFORM;

/// The longest text of a program.
const LONGEST: u64 = 1 << 26;

pub(super) fn run(args: &RunArgs) -> Result<Exit, Failure> {
    match r0(args) {
        Ok(r0) => {
            print(&format!("{r0:x}\n"))?;
            Ok(Exit::Accepted)
        }
        Err(trouble) if trouble.exit == Exit::Usage => Err(trouble.into_failure()),
        Err(trouble) => {
            complain_lines(&trouble.text());
            Ok(trouble.exit)
        }
    }
}

fn r0(args: &RunArgs) -> Result<u64, Trouble> {
    if args.elf {
        return Err(Trouble::unsupported("programs as ELF objects (--elf)")
            .help("without its --elf_format the runner gives bare instructions"));
    }
    let memory =
        args.inputs.iter().map(|part| part.to_str().and_then(hex::parse)).collect::<Option<Vec<_>>>();
    let memory = memory.ok_or_else(|| Trouble::usage("the memory is no text of hexadecimal bytes"))?.concat();
    let row = &PLATFORM.prog_types[0];
    let view = &PLATFORM.views[usize::from(row.ctx)];
    if memory.len() > view.size as usize {
        return Err(Trouble::usage(format!("the memory has {} bytes; at most {}", memory.len(), view.size)));
    }
    let mut text = String::new();
    let read = io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| Trouble::unreadable(format!("stdin: {error}")))?;
    let bytes = hex::parse(&text)
        .ok_or_else(|| Trouble::unreadable("stdin: the program is no text of hexadecimal bytes"))?;
    let insns = Insn::parse_slice(&bytes).map_err(|error| Trouble::unreadable(format!("stdin: {error}")))?;
    let mut program = Program::from_insns(row.number, insns);
    program.name = "main".into();
    let runtime = super::runtime();
    let mut worker = runtime.worker().map_err(|error| Trouble::unreadable(error.to_string()))?;
    let mut context = Context::from_bytes(view, &memory);
    let input = Input { context: Some(&mut context), fuel: args.fuel, ..Input::default() };
    let profile = PLATFORM.default_profile();
    let link = |error| LoadError::Link { program: program.name.clone(), error };
    let here = Path::new("stdin");
    let troubled = |error: LoadError| Trouble::of_load(&error, &program, here);
    let result = match Engine::of(args.jit, args.checked) {
        Engine::Checked => {
            let checked = CheckedProgram::new(&program, &PLATFORM, &profile, Vec::new());
            checked.map_err(|error| troubled(link(error)))?.run(&mut worker, input)
        }
        engine => {
            let verified = match verify(&program, &PLATFORM, &profile).verdict {
                Verdict::Accepted(verified) => verified,
                Verdict::Rejected(finding) | Verdict::Unsupported(finding) => {
                    let finding = Box::new(finding);
                    let error =
                        LoadError::NotVerified { program: program.name.clone(), unsupported: false, finding };
                    let mut trouble = troubled(error);
                    trouble.help = Some("--checked runs it all the same, with every access checked".into());
                    return Err(trouble);
                }
            };
            let executable = Executable::new(&verified, Vec::new()).map_err(|error| troubled(link(error)))?;
            if engine == Engine::Jit {
                jit(&executable, args.fuel)?;
            }
            executable.run(&mut worker, input)
        }
    };
    result.map_err(|error| Trouble::of_run(&error, &program, here))
}
