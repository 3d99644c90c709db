//! A small platform, and programs on it in both engines.
#![allow(dead_code)] // Each test uses a part of it.

use probity_engine::{Verdict, Verified, verify};
use probity_isa::Insn;
use probity_jit::{Features, Options, compile, opt};
use probity_program::Program;
use probity_vm::{Context, Executable, Input, RunError, Runtime};

/// Sixteen numbers to read and write, and a few callables.
pub(crate) mod machine {
    probity::spec! {
        platform machine;
        use core::{ scalars, memory, context, functions };
        policy { allow pointer_leaks, uninit_stack, atomics, loops, unaligned; }
        view input size 128 { words: [u64; 16] read write; }
        /// The run slot.
        helper slot = 1 { proto () -> RET_INTEGER; body processor_id; }
        /// Nobody does it: a run that gets here is over.
        helper nobody = 2 { proto () -> RET_INTEGER; }
        prog_type compute = 1 { ctx input; helpers all; section "compute"; }
    }
}

/// The numbers that a program begins with.
pub(crate) type Words = [u64; 16];

/// What a run gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// r0, or why there is none.
    pub result: Result<u64, RunError>,
    /// The numbers.
    pub words: Vec<u64>,
}

/// Verifies a program; why not, when it is refused.
pub(crate) fn verified(insns: Vec<Insn>) -> Result<Verified, String> {
    let program = Program::from_insns(machine::prog_types::COMPUTE, insns);
    let report = verify(&program, &machine::PLATFORM, &machine::PLATFORM.default_profile());
    match report.verdict {
        Verdict::Accepted(proof) => Ok(proof),
        Verdict::Rejected(finding) => Err(finding.last_line().to_owned()),
        Verdict::Unsupported(finding) => Err(finding.rejection.message),
    }
}

/// The ways in which code is made.
pub(crate) fn all_options() -> Vec<Options> {
    let mut all = Vec::new();
    for fuel in [false, true] {
        for features in [Features::BASE, Features::detect()] {
            all.push(Options { fuel, features, ..Options::default() });
        }
    }
    all
}

/// Runs a program.
pub(crate) fn run(executable: &Executable, words: &Words, fuel: Option<u64>, interpreted: bool) -> Outcome {
    let runtime = Runtime::default();
    let mut worker = runtime.worker().expect("a slot");
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let mut context = Context::from_bytes(executable.unit().view(), &bytes);
    let input = Input { context: Some(&mut context), fuel, interpreted, ..Input::default() };
    let result = executable.run(&mut worker, input);
    let words = context.to_vec().as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word)).collect();
    Outcome { result, words }
}

/// A program in the interpreter, and as machine code of all kinds.
pub(crate) struct Engines {
    verified: Verified,
    interpreter: Executable,
    native: Vec<(Options, Executable)>,
}

impl Engines {
    /// Verifies and compiles a program; why not, when it is refused.
    pub(crate) fn new(insns: Vec<Insn>) -> Result<Engines, String> {
        let verified = verified(insns)?;
        let link = || Executable::new(&verified, Vec::new()).expect("it is linked");
        let native = all_options().into_iter().map(|options| {
            let executable = link();
            assert!(compile(&executable, &options).expect("it is compiled").install());
            (options, executable)
        });
        let mut native: Vec<(Options, Executable)> = native.collect();
        for options in all_options() {
            let executable = link();
            match opt::compile(&executable, &options) {
                Ok(code) => assert!(code.install()),
                Err(opt::OptError::Unhandled(_)) => continue,
                Err(error) => panic!("{error}"),
            }
            native.push((options, executable));
        }
        let interpreter = link();
        Ok(Engines { verified, interpreter, native })
    }

    /// Assembles, verifies and compiles a program.
    #[track_caller]
    pub(crate) fn of(text: &str) -> Engines {
        let insns = probity_isa::assemble(text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
        Engines::new(insns).unwrap_or_else(|why| panic!("{why}\n{text}"))
    }

    /// Runs it in all engines, and gives what they agree on. Code that does not count is left out where
    /// there is a limit.
    #[track_caller]
    pub(crate) fn agree(&self, words: &Words, fuel: Option<u64>) -> Outcome {
        let expected = run(&self.interpreter, words, fuel, true);
        for (options, executable) in &self.native {
            if fuel.is_some() && !options.fuel {
                continue;
            }
            let found = run(executable, words, fuel, false);
            if found != expected {
                panic!(
                    "{options:?} with {words:x?} gives\n{found:x?}\nnot\n{expected:x?}\n{}",
                    self.listing(*options)
                );
            }
        }
        expected
    }

    fn listing(&self, options: Options) -> String {
        let executable = Executable::new(&self.verified, Vec::new()).expect("it is linked");
        let options = Options { listing: true, ..options };
        let code = compile(&executable, &options).expect("it is compiled");
        code.listing().unwrap_or_default().to_owned()
    }
}
