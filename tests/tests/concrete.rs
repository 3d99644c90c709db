//! Random programs executed on random inputs: each state that the machine comes through is a member
//! of an abstract state of the path that it takes. The walk does not prune here, so that there is
//! such a state for every step; that pruning changes no verdict is the subject of `pruning.rs`.
//!
//! Linux is wrong about one thing, and the engine with it: a sign-extending load from the stack
//! keeps its link to the register that was stored (see `the_known_exception`). Programs with such
//! loads are left out.

use probity_engine::verify::verify_unpruned;
use probity_isa::{Insn, opcode::*};
use probity_linux::PLATFORM;
use probity_program::Program;
use probity_tests::{
    concrete::{inputs, monitor::Monitor, record::Record},
    generate::{Rng, generate, generate_structured, kind::Kind},
};
use probity_vm::{CheckedProgram, Fault, Input, RunError, Runtime, RuntimeOptions};
use rayon::prelude::*;

/// Longer walks are left out.
const MAX_STEPS: usize = 4000;
/// Longer runs end: back edges and calls.
const MAX_RUN: u64 = 400;

/// A load from the stack that extends the sign: through fp or, not known from the instruction, through a copy.
fn extends_sign(insn: &Insn) -> bool {
    insn.code & BPF_CLASS_MASK == BPF_LDX && insn.code & BPF_MODE_MASK == BPF_MEMSX
}

/// What came of a program.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    programs: usize,
    runs: usize,
    ended: usize,
    steps: usize,
}

/// Runs an accepted program on random inputs; what the run comes through that no state allows.
fn run(program: &Program, record: &Record, mut rng: Rng, total: &mut Total) -> Result<(), String> {
    let runtime = Runtime::new(RuntimeOptions { seed: Some(rng.bits()), ..RuntimeOptions::default() });
    let maps: Result<Vec<_>, _> = program.maps.iter().map(|map| runtime.map(&PLATFORM, map)).collect();
    let Ok(maps) = maps else { return Ok(()) };
    for map in &maps {
        inputs::fill(&mut rng, map);
    }
    let profile = PLATFORM.default_profile();
    let Ok(checked) = CheckedProgram::new(program, &PLATFORM, &profile, maps) else { return Ok(()) };
    let mut worker = runtime.worker().expect("a slot");
    let mut context = inputs::context(&mut rng, checked.unit().prog_type());
    let mut packet = inputs::packet(&mut rng);
    let mut monitor = Monitor::new(record);
    let input = Input {
        context: Some(&mut context),
        packet: Some(&mut packet),
        fuel: Some(MAX_RUN),
        ..Input::default()
    };
    let result = checked.watched(&mut worker, input, Some(&mut monitor));
    total.steps += monitor.steps;
    if let Some(violation) = monitor.violation {
        return Err(violation);
    }
    match result {
        Ok(_) => total.ended += 1,
        // What the runtime has no body for ends a run.
        Err(RunError::Fuel | RunError::Fault { fault: Fault::Call(_) | Fault::Unsupported(_), .. }) => {}
        Err(error) => return Err(error.to_string()),
    }
    Ok(())
}

fn check(program: &Program, seed: u64, inputs: u64) -> Total {
    let mut total = Total::default();
    if program.insns.iter().any(extends_sign) {
        return total;
    }
    let mut record = Record::default();
    let accepted = verify_unpruned(program, &PLATFORM, &PLATFORM.default_profile(), &mut record).is_ok();
    if !accepted || record.steps.len() > MAX_STEPS {
        return total;
    }
    total.programs = 1;
    for input in 0..inputs {
        total.runs += 1;
        if let Err(message) = run(program, &record, Rng::new(seed << 16 | input), &mut total) {
            let listing = probity_isa::disassemble(&program.insns, &());
            panic!("seed {seed}, input {input}: {message}\n{listing}");
        }
    }
    total
}

fn check_all(name: &str, generator: fn(u64) -> Program, seeds: u64, inputs: u64) -> Total {
    let total = (0..seeds).into_par_iter().map(|seed| check(&generator(seed), seed, inputs)).reduce(
        Total::default,
        |a, b| Total {
            programs: a.programs + b.programs,
            runs: a.runs + b.runs,
            ended: a.ended + b.ended,
            steps: a.steps + b.steps,
        },
    );
    println!("{name}: {total:?}");
    total
}

#[test]
fn concrete_states_are_members() {
    let scalars = check_all("arithmetic", generate, 2000, 40);
    let structured = check_all("structured", generate_structured, 2000, 40);
    assert!(scalars.steps + structured.steps >= 1_000_000, "too few steps");
    assert!(structured.ended > 1000, "too few runs to the end");
}

/// The kernel takes the loaded, sign-extended value for equal to what was stored. Parity needs the
/// same of the engine; here it is caught at it, so that a repair on either side is noticed.
#[test]
fn the_known_exception() {
    let insn = Insn::new;
    let program = Program::from_insns(
        Kind::SocketFilter.number(),
        vec![
            insn(BPF_LDX | BPF_MEM | BPF_W, 6, 1, 0, 0),
            insn(BPF_ALU64 | BPF_AND, 6, 0, 0, 0xff),
            insn(BPF_STX | BPF_MEM | BPF_DW, 10, 6, -8, 0),
            insn(BPF_LDX | BPF_MEMSX | BPF_B, 1, 10, -8, 0),
            insn(BPF_JMP | BPF_JSGT, 1, 0, 1, -1),
            insn(BPF_ALU64 | BPF_MOV | BPF_X, 0, 6, 0, 0),
            insn(BPF_ALU64 | BPF_MOV, 0, 0, 0, 0),
            insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
        ],
    );
    let mut record = Record::default();
    verify_unpruned(&program, &PLATFORM, &PLATFORM.default_profile(), &mut record).expect("it is accepted");
    let mut total = Total::default();
    let failed = (0..64).any(|input| run(&program, &record, Rng::new(input), &mut total).is_err());
    assert!(failed, "the engine does not follow the kernel any more");
}
