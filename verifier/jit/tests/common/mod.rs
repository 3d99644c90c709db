//! A small platform, and programs on it in both engines.
#![allow(dead_code)] // Each test uses a part of it.

pub(crate) mod random;

use std::sync::Arc;

use probity::host::{Errno, HostRun};
use probity_engine::{Verdict, Verified, verify};
use probity_isa::Insn;
use probity_jit::{Features, Options, compile, opt};
use probity_platform::Platform;
use probity_program::btf::Btf;
use probity_program::{FuncInfo, Linkage, MapDef, Program};
use probity_vm::{Context, Executable, Input, Map, RunError, Runtime};

/// Sixteen numbers to read and write, and a few callables.
pub(crate) mod machine {
    probity::spec! {
        platform machine;
        use core::{ scalars, memory, context, functions, maps::{ hash, array, helpers } };
        policy { allow pointer_leaks, uninit_stack, atomics, loops, unaligned; }
        view input size 128 { words: [u64; 16] read write; }
        /// The run slot.
        helper slot = 101 { proto () -> RET_INTEGER; body processor_id; }
        /// The host ends the run.
        helper nobody = 102 { proto () -> RET_INTEGER; }
        /// Calls a function of the program.
        helper repeat = 103 {
            proto (times: ARG_SCALAR, round: ARG_PTR_TO_FUNC, with: ARG_PTR_TO_STACK | PTR_MAYBE_NULL, flags: ARG_ANYTHING) -> RET_INTEGER;
            precise times;
            precise flags;
            calls round as round up_to times.umax;
            body loop;
        }
        /// Goes on with another program.
        helper go_on = 104 {
            proto (ctx: ARG_PTR_TO_CTX, programs: ARG_CONST_MAP_PTR, index: ARG_ANYTHING) -> RET_VOID;
            where programs.type == programs else "an array of programs";
            tail_call programs, index;
            invalidates packet;
            body tail_call;
        }
        callback round { sync; r1 = SCALAR_VALUE; r2 = caller.with; returns 0..=1; }
        /// Programs.
        map_type programs = 3 { key 4; value 4; programs; used_by { go_on } body prog_array; }
        /// A value for each slot.
        map_type slots = 6 { key 4; value 1..=64; indexed; per_cpu; body percpu_array; }
        prog_type compute = 1 { ctx input; helpers all; section "compute"; }
    }
}

/// The host, which does nothing but end runs.
#[derive(Debug)]
pub(crate) struct Nobody;

impl machine::Host for Nobody {
    fn nobody(&mut self, run: &mut HostRun<'_>) -> Result<i64, Errno> {
        run.end("nobody does it");
        Ok(0)
    }
}

/// Links a program.
pub(crate) fn link(verified: &Verified, maps: Vec<Arc<Map>>) -> Executable {
    let bindings = machine::bindings::<Nobody>().link().expect("they are generated");
    Executable::with_host(verified, maps, &bindings).expect("it is linked")
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
pub(crate) fn verified(insns: Vec<Insn>, maps: Vec<MapDef>) -> Result<Verified, String> {
    verified_for(&machine::PLATFORM, insns, maps)
}

/// As [`verified`], for a platform's program type 1.
pub(crate) fn verified_for(
    platform: &'static Platform,
    insns: Vec<Insn>,
    maps: Vec<MapDef>,
) -> Result<Verified, String> {
    let mut program = Program::from_insns(1, insns);
    program.maps = maps;
    describe(&mut program);
    let report = verify(&program, platform, &platform.default_profile());
    match report.verdict {
        Verdict::Accepted(proof) => Ok(proof),
        Verdict::Rejected(finding) => Err(finding.last_line().to_owned()),
        Verdict::Unsupported(finding) => Err(finding.rejection.message),
    }
}

/// Gives a program types that say that its functions return `int`.
fn describe(program: &mut Program) {
    const KIND: u32 = 24;
    const INT: [u32; 4] = [1, 1 << KIND, 4, 1 << KIND | 32];
    const PROTO: [u32; 3] = [0, 13 << KIND, 1];
    const FUNC: [u32; 3] = [5, 12 << KIND, 2];
    const STRINGS: &[u8] = b"\0int\0f\0\0";
    let types: Vec<u32> = [&INT[..], &PROTO, &FUNC].concat();
    let types_len = 4 * types.len() as u32;
    let header = [0x0001_eb9f, 24, 0, types_len, types_len, STRINGS.len() as u32];
    let mut bytes: Vec<u8> = header.iter().chain(&types).flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend(STRINGS);
    program.btf = Some(Arc::new(Btf::parse(&bytes).expect("types")));
    // Calls, and addresses of functions.
    let names = |insn: &Insn| matches!((insn.code, insn.src), (0x85, 1) | (0x18, 4));
    let named = program.insns.iter().enumerate().filter(|(_, insn)| names(insn));
    let mut starts: Vec<usize> =
        named.map(|(pc, insn)| (pc as i64 + 1 + i64::from(insn.imm)) as usize).collect();
    starts.extend([0]);
    starts.sort_unstable();
    starts.dedup();
    let function = |pc| FuncInfo { pc, name: "f".to_owned(), btf_id: 3, linkage: Linkage::Static };
    program.funcs = starts.into_iter().map(function).collect();
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
    let host: Option<&mut dyn std::any::Any> = Some(&mut Nobody);
    let input = Input { context: Some(&mut context), fuel, interpreted, host, ..Input::default() };
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
        let verified = verified(insns, Vec::new())?;
        let link = || link(&verified, Vec::new());
        let native = all_options().into_iter().map(|options| {
            let executable = link();
            compile(&executable, &options).expect("it is compiled").install().expect("it has none");
            (options, executable)
        });
        let mut native: Vec<(Options, Executable)> = native.collect();
        for options in all_options() {
            let executable = link();
            match opt::compile(&executable, &options) {
                Ok(code) => code.install().expect("it has none"),
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
        let executable = link(&self.verified, Vec::new());
        let options = Options { listing: true, ..options };
        let code = compile(&executable, &options).expect("it is compiled");
        code.listing().unwrap_or_default().to_owned()
    }
}
