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
    concrete::{
        check::misfit,
        machine::{Machine, Outcome},
        record::Record,
    },
    generate::{Rng, generate, generate_structured, kind::Kind},
};
use rayon::prelude::*;

/// Longer walks are left out.
const MAX_STEPS: usize = 4000;
/// Longer runs end.
const MAX_RUN: usize = 2000;

fn kind(program: &Program) -> Kind {
    let of = |kind: &&Kind| kind.number() == program.prog_type;
    *Kind::ALL.iter().find(of).expect("generated programs are of these types")
}

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

/// Runs an accepted program on inputs; what the machine comes through that no state allows.
fn run(program: &Program, record: &Record, rng: Rng, total: &mut Total) -> Result<(), String> {
    let mut machine = Machine::new(program, kind(program), rng);
    let mut matching: Vec<usize> = Vec::new();
    let mut from = None;
    for _ in 0..MAX_RUN {
        let pc = machine.pc;
        let mut why = "no path leads here".to_owned();
        let callsites: Vec<usize> = machine.callsites().collect();
        let fits: Vec<usize> = record
            .after(&matching, from, pc)
            .filter(|&index| {
                let state = &record.steps[index].state;
                if !state.callsites().eq(callsites.iter().copied()) {
                    return false;
                }
                match misfit(&machine, state) {
                    None => true,
                    Some(misfit) => {
                        why = misfit;
                        false
                    }
                }
            })
            .collect();
        if fits.is_empty() {
            return Err(format!("at {pc}: {why}"));
        }
        total.steps += 1;
        match machine.step() {
            Outcome::Goes => (matching, from) = (fits, Some(pc)),
            Outcome::Ends => {
                total.ended += 1;
                return Ok(());
            }
            Outcome::Stops => return Ok(()),
            Outcome::Faults => return Err(format!("at {pc}: an access of nothing")),
        }
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
