//! The checked interpreter takes anything: what is wrong is a fault with its place and reason.

use probity::vm::{CheckedProgram, Fault, Input, Packet, RunError, Runtime};
use probity_isa::{Insn, assemble};
use probity_linux::PLATFORM;
use probity_program::{MapDef, Program};
use probity_tests::generate::Rng;

const XDP: u32 = 6;
const ARRAY: u32 = 2;
const RINGBUF: u32 = 27;

/// Runs instructions as an XDP program on a packet of 64 zeros.
fn run(insns: Vec<Insn>, fuel: u64) -> Result<u64, RunError> {
    let mut program = Program::from_insns(XDP, insns);
    program.maps = vec![MapDef::new(ARRAY, 4, 8, 1), MapDef::new(RINGBUF, 0, 0, 4096)];
    let runtime = Runtime::default();
    let maps = program.maps.iter().map(|map| runtime.map(&PLATFORM, map).expect("an array")).collect();
    let profile = PLATFORM.default_profile();
    let checked = match CheckedProgram::new(&program, &PLATFORM, &profile, maps) {
        Ok(checked) => checked,
        // Nothing that the runtime could run, and it says so.
        Err(_) => return Ok(0),
    };
    let mut worker = runtime.worker().expect("a slot");
    let mut packet = Packet::new(&[0; 64]);
    checked.run(&mut worker, Input { packet: Some(&mut packet), fuel: Some(fuel), ..Input::default() })
}

fn text(source: &str) -> Result<u64, RunError> {
    run(assemble(source, &()).expect("it assembles"), 1_000_000)
}

#[track_caller]
fn faults(source: &str, pc: usize, wanted: &str) {
    match text(source) {
        Err(RunError::Fault { pc: at, fault }) => {
            assert_eq!((at, fault.to_string().contains(wanted)), (pc, true), "{source}: {fault}");
        }
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn what_is_allowed_runs() {
    assert_eq!(text("r0 = 7\nexit"), Ok(7));
    assert_eq!(text("r1 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r1 +63)\nexit"), Ok(0));
    assert_eq!(text("*(u64 *)(r10 -8) = 5\nr0 = *(u64 *)(r10 -8)\nexit"), Ok(5));
    assert_eq!(text("r2 = *(u32 *)(r1 +4)\nr1 = *(u32 *)(r1 +0)\nr0 = r2\nr0 -= r1\nexit"), Ok(64));
}

#[test]
fn faults_have_place_and_reason() {
    faults("exit", 0, "r0 was never written");
    faults("r0 = r3\nexit", 0, "r3 was never written");
    faults("r10 = 1\nexit", 0, "r10 can't be used so");
    faults("r0 = 0\nr1 = *(u64 *)(r0 +0)\nexit", 1, "null");
    faults("r0 = *(u64 *)(r10 +0)\nexit", 0, "no memory of the program");
    faults("r0 = *(u64 *)(r10 -520)\nexit", 0, "no memory of the program");
    faults("*(u64 *)(r10 -513) = 0\nr0 = 0\nexit", 0, "no memory of the program");
    faults("r0 = *(u64 *)(r1 +0)\nexit", 0, "no such field");
    faults("*(u32 *)(r1 +0) = 0\nr0 = 0\nexit", 0, "no such field");
    faults("r1 = *(u32 *)(r1 +0)\nr0 = *(u64 *)(r1 +57)\nexit", 1, "no memory of the program");
    faults("r0 = 0", 1, "goes on at 1");
    faults("goto +5\nr0 = 0\nexit", 6, "goes on at 6");
    faults("call 9999\nexit", 0, "helper 9999");
    faults("r1 = 5\nr2 = 5\ncall 1\nexit", 2, "no map of the program");
}

#[test]
fn what_was_given_back_is_no_memory() {
    let reserve = "r1 = map[1] ll\nr2 = 8\nr3 = 0\ncall 131\nr6 = r0\n*(u64 *)(r6 +0) = 7\n";
    let submit = "r1 = r6\nr2 = 0\ncall 132\n";
    assert_eq!(text(&format!("{reserve}r0 = *(u64 *)(r6 +0)\nexit")), Ok(7));
    faults(&format!("{reserve}{submit}r0 = *(u64 *)(r6 +0)\nexit"), 10, "no memory of the program");
}

#[test]
fn calls_keep_their_frames_apart() {
    assert_eq!(text("r1 = 3\nr6 = 4\ncall pc+2\nr0 += r6\nexit\nr0 = r1\nr0 *= 2\nexit"), Ok(10));
    faults("r6 = 4\ncall pc+1\nexit\nr0 = r6\nexit", 3, "r6 was never written");
    faults("call pc+0\nr0 = 0\ncall pc-3\nexit", 2, "call frames");
}

#[test]
fn fuel_ends_what_would_not_end() {
    assert_eq!(text("goto -1\nexit"), Err(RunError::Fuel));
    assert_eq!(run(assemble("r0 = 1\nexit", &()).expect("it assembles"), 0), Ok(1));
}

#[test]
fn frames_are_limited() {
    let endless = text("r0 = 0\ncall pc+1\nexit\nr0 = 0\ncall pc-2\nexit");
    assert!(matches!(endless, Err(RunError::Fault { fault: Fault::Frames(8), .. })), "{endless:?}");
}

/// Whatever the instructions, a run ends, and nothing but the program's own memory was touched: the
/// run under Miri and the sanitizers would say.
#[test]
fn random_instructions_end() {
    let codes: Vec<u8> = (0..=255).collect();
    let mut ended = 0;
    for seed in 0..60_000 {
        let mut rng = Rng::new(seed);
        let insns = (0..1 + rng.below(24))
            .map(|_| {
                let plausible = rng.chance(80);
                let (reg, imm) = if plausible { (11, 16) } else { (16, 1 << 20) };
                Insn::new(
                    rng.pick(&codes),
                    rng.below(reg) as u8,
                    rng.below(reg) as u8,
                    if plausible { rng.below(24) as i16 - 12 } else { rng.bits() as i16 },
                    if plausible { rng.below(imm) as i32 } else { rng.bits() as i32 },
                )
            })
            .collect();
        ended += usize::from(run(insns, 1000).is_ok());
    }
    assert!(ended > 100, "{ended} of them ended well");
}
