//! The public vectors of ISA conformance: all of them in the checked interpreter; those that the
//! engine accepts in the verified interpreter and as machine code too. They run on the platform
//! that the command's plugin for them has.

use std::{collections::BTreeMap, path::Path};

use probity_engine::{Verdict, verify};
use probity_platform::View;
use probity_program::Program;
use probity_tests::conformance::{Expected, Vector, vector};
use probity_tests::native;
use probity_vm::{CheckedProgram, Context, Executable, Fault, Input, RunError, Runtime, Worker};

mod memory {
    probity::platform!("../verifier/cli/src/run/conformance.bpfspec");
}

use memory::PLATFORM;

/// How many vectors there are.
const VECTORS: usize = 313;

/// The vectors that the engine does not accept, and its message.
const NOT_VERIFIED: &[(&str, &str)] = &[
    // Shifts by more than the width: RFC 9669 masks them, Linux refuses them.
    ("arsh32-imm-high", "invalid shift 48"),
    ("arsh32-imm-neg", "invalid shift -16"),
    ("arsh64-imm-high", "invalid shift 124"),
    ("arsh64-imm-neg", "invalid shift -4"),
    ("lsh32-imm-high", "invalid shift 60"),
    ("lsh32-imm-neg", "invalid shift -4"),
    ("lsh64-imm-high", "invalid shift 68"),
    ("lsh64-imm-neg", "invalid shift -60"),
    ("rsh32-imm-high", "invalid shift 40"),
    ("rsh32-imm-neg", "invalid shift -24"),
    ("rsh64-imm-high", "invalid shift 68"),
    ("rsh64-imm-neg", "invalid shift -60"),
    // A call by a number in a register: no part of RFC 9669.
    ("callx", "unknown opcode 8d"),
];

/// More back edges and calls than any vector takes.
const FUEL: u64 = 100_000;

fn vectors(test: &str) -> Option<Vec<Vector>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance/tests");
    if !folder.exists() {
        println!("skipped: {test}: there are no vectors at {}", folder.display());
        return None;
    }
    let vectors = vector::read(&folder).expect("the vectors are well-formed");
    assert_eq!(vectors.len(), VECTORS);
    Some(vectors)
}

fn program(vector: &Vector) -> Program {
    Program::from_insns(PLATFORM.prog_types[0].number, vector.insns.clone())
}

fn view() -> &'static View {
    &PLATFORM.views[usize::from(PLATFORM.prog_types[0].ctx)]
}

/// What a run ended with, as vectors say it; empty when it is what was expected.
fn difference(expected: &Expected, result: &Result<u64, RunError>) -> String {
    match (expected, result) {
        (Expected::Value(wanted), Ok(value)) if wanted == value => String::new(),
        (Expected::Refused(_), Err(RunError::Fault { .. })) => String::new(),
        (Expected::Value(wanted), Ok(value)) => format!("r0 is {value:#x}, not {wanted:#x}"),
        (Expected::Value(_), Err(error)) => error.to_string(),
        (Expected::Refused(why), Ok(value)) => format!("r0 is {value:#x}, not refused ({why})"),
        (Expected::Refused(_), Err(error)) => format!("not refused but ended: {error}"),
    }
}

fn checked(worker: &mut Worker, vector: &Vector) -> Result<u64, RunError> {
    let profile = PLATFORM.default_profile();
    let program = CheckedProgram::new(&program(vector), &PLATFORM, &profile, Vec::new());
    let program = program.expect("the vectors refer to nothing");
    let mut context = Context::from_bytes(view(), &vector.memory);
    program.run(worker, Input { context: Some(&mut context), fuel: Some(FUEL), ..Input::default() })
}

fn verified(
    worker: &mut Worker,
    vector: &Vector,
    executable: &Executable,
    interpreted: bool,
) -> Result<u64, RunError> {
    let mut context = Context::from_bytes(view(), &vector.memory);
    executable.run(worker, Input { context: Some(&mut context), interpreted, ..Input::default() })
}

#[test]
fn the_assembler_makes_what_raw_says() {
    let Some(vectors) = vectors("the_assembler_makes_what_raw_says") else { return };
    for vector in vectors {
        if let Some(assembled) = &vector.assembled {
            assert_eq!(*assembled, vector.insns, "{}", vector.name);
        }
    }
}

#[test]
fn checked_interpreter() {
    let Some(vectors) = vectors("checked_interpreter") else { return };
    let mut worker = Runtime::default().worker().expect("a slot");
    let mut failures = String::new();
    for vector in &vectors {
        let difference = difference(&vector.expected, &checked(&mut worker, vector));
        if !difference.is_empty() {
            failures += &format!("{}: {difference}\n", vector.name);
        }
    }
    assert!(failures.is_empty(), "of {} vectors:\n{failures}", vectors.len());
    println!("{} vectors in the checked interpreter", vectors.len());
}

#[test]
fn verified_interpreter_and_machine_code() {
    let Some(vectors) = vectors("verified_interpreter_and_machine_code") else { return };
    let mut worker = Runtime::default().worker().expect("a slot");
    let profile = PLATFORM.default_profile();
    let mut refused = BTreeMap::new();
    let (mut failures, mut interpreted, mut compiled) = (String::new(), 0, 0);
    for vector in &vectors {
        let report = verify(&program(vector), &PLATFORM, &profile);
        let proof = match &report.verdict {
            Verdict::Accepted(proof) => proof,
            Verdict::Rejected(finding) | Verdict::Unsupported(finding) => {
                refused.insert(vector.name.as_str(), finding.last_line().to_owned());
                continue;
            }
        };
        let executable = Executable::new(proof, Vec::new()).expect("the runtime has all of it");
        let mut note = |how: &str, result: &Result<u64, RunError>| {
            let difference = difference(&vector.expected, result);
            if !difference.is_empty() {
                failures += &format!("{}, {how}: {difference}\n", vector.name);
            }
        };
        note("interpreted", &verified(&mut worker, vector, &executable, true));
        interpreted += 1;
        if native::native(&executable) {
            note("compiled", &verified(&mut worker, vector, &executable, false));
            let executable = Executable::new(proof, Vec::new()).expect("the runtime has all of it");
            assert!(native::one_pass(&executable), "{}: only one compiler takes it", vector.name);
            note("compiled in one pass", &verified(&mut worker, vector, &executable, false));
            compiled += 1;
        }
    }
    assert!(failures.is_empty(), "{failures}");
    let listed: BTreeMap<&str, String> =
        NOT_VERIFIED.iter().map(|&(name, why)| (name, why.to_owned())).collect();
    assert_eq!(refused, listed, "the vectors that the engine does not accept");
    println!("{interpreted} vectors in the verified interpreter");
    if compiled == 0 {
        native::skip("verified_interpreter_and_machine_code");
    } else {
        assert_eq!(compiled, interpreted, "vectors as machine code");
    }
}

/// What the checked interpreter says of programs that no verifier accepts.
#[test]
fn faults_are_errors() {
    let mut worker = Runtime::default().worker().expect("a slot");
    let mut run = |text: &str| {
        let vector = vector::parse("fault", &format!("-- asm\n{text}\n-- mem\n01 02\n-- result\n0\n"));
        checked(&mut worker, &vector.expect("a vector"))
    };
    let fault = |pc: usize, fault: Fault| Err(RunError::Fault { pc, fault });
    assert_eq!(run("mov %r0, %r3\nexit"), fault(0, Fault::Register(3)));
    assert_eq!(run("mov %r0, 0\nja 4\nexit"), fault(6, Fault::OutOfProgram(6)));
    assert_eq!(run("exit"), fault(0, Fault::Register(0)));
    assert_eq!(run("mov %r10, 0\nexit"), fault(0, Fault::NoRegister(10)));
    assert!(matches!(
        run("ldxb %r0, [%r1-1]\nexit"),
        Err(RunError::Fault { pc: 0, fault: Fault::Access { verb: "read", size: 1, .. } })
    ));
    assert_eq!(run("mov %r0, 0\nl:\nja l"), Err(RunError::Fuel));
}
