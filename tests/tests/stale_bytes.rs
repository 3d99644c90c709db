//! What a program may read and never wrote is zero: its stack, which others used before, where a
//! helper was to write and did not; records of a ring buffer that others wrote. In all three engines,
//! for a loader to which the platform allows no reads of uninitialised stack.

use std::sync::Arc;

use probity::vm::{CheckedProgram, Executable, Input, Map, Packet, RingConsumer, Runtime, Worker};
use probity_engine::{Verdict, Verified, verify};
use probity_linux::PLATFORM;
use probity_platform::Profile;
use probity_program::{MapDef, Program};

const XDP: u32 = 6;
const QUEUE: u32 = 22;
const RINGBUF: u32 = 27;

/// Leaves its mark all over the stack.
const MARKS: &str = "r1 = 0x55555555\n*(u64 *)(r10 -8) = r1\n*(u64 *)(r10 -16) = r1\n*(u64 *)(r10 -24) = r1\n\
    *(u64 *)(r10 -32) = r1\nr0 = *(u64 *)(r10 -32)\nexit";
/// Takes from a queue that is empty, and returns what is where the value would be.
const POPS: &str = "r1 = map[0] ll\nr2 = r10\nr2 += -16\ncall 88\nr0 = *(u64 *)(r10 -16)\nexit";
/// Returns what is in a new record, and leaves its mark there.
const RESERVES: &str = "r1 = map[1] ll\nr2 = 64\nr3 = 0\ncall 131\nif r0 != 0x0 goto pc+2\nr0 = 1\nexit\n\
    r6 = *(u64 *)(r0 +8)\nr1 = 0x55555555\n*(u64 *)(r0 +8) = r1\nr1 = r0\nr2 = 0\ncall 133\nr0 = r6\nexit";

fn profile() -> Profile {
    let mut profile = PLATFORM.default_profile();
    profile.caps.retain(|cap| cap != "CAP_PERFMON" && cap != "CAP_SYS_ADMIN");
    profile
}

fn program(text: &str) -> Program {
    let insns = probity_isa::assemble(text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let mut program = Program::from_insns(XDP, insns);
    program.maps = vec![MapDef::new(QUEUE, 0, 16, 4), MapDef::new(RINGBUF, 0, 0, 4096)];
    program
}

fn verified(program: &Program) -> Verified {
    match verify(program, &PLATFORM, &profile()).verdict {
        Verdict::Accepted(proof) => proof,
        verdict => panic!("{verdict:?}"),
    }
}

/// How a program is run.
#[derive(Clone, Copy, Debug)]
enum Engine {
    Checked,
    Interpreted,
    Native,
}

fn run(engine: Engine, text: &str, maps: &[Arc<Map>], worker: &mut Worker) -> u64 {
    let program = program(text);
    let mut packet = Packet::new(&[0; 64]);
    let input = Input { packet: Some(&mut packet), ..Input::default() };
    let result = match engine {
        Engine::Checked => {
            let checked = CheckedProgram::new(&program, &PLATFORM, &profile(), maps.to_vec());
            checked.expect("it is linked").run(worker, input)
        }
        Engine::Interpreted | Engine::Native => {
            let executable = Executable::new(&verified(&program), maps.to_vec()).expect("it is linked");
            if let Engine::Native = engine {
                let code = probity_jit::compile(&executable, &probity_jit::Options::default());
                code.expect("it is compiled").install().expect("it has none");
            }
            executable.run(worker, input)
        }
    };
    result.unwrap_or_else(|error| panic!("{engine:?}: {error}\n{text}"))
}

#[test]
fn stale_bytes_are_zero() {
    for engine in [Engine::Checked, Engine::Interpreted, Engine::Native] {
        let runtime = Runtime::default();
        let mut worker = runtime.worker().expect("a slot");
        let defined = program(POPS).maps;
        let maps: Vec<_> =
            defined.iter().map(|map| runtime.map(&PLATFORM, map).expect("a small map")).collect();
        assert_eq!(run(engine, MARKS, &maps, &mut worker), 0x5555_5555, "{engine:?}");
        assert_eq!(run(engine, POPS, &maps, &mut worker), 0, "{engine:?}: the stack");
        // Some rounds through the ring: records that were given up are passed by its reader.
        let reader = RingConsumer::new(maps[1].clone()).expect("a ring buffer");
        for round in 0..200 {
            assert_eq!(reader.next(), None, "nothing was handed on");
            assert_eq!(run(engine, RESERVES, &maps, &mut worker), 0, "{engine:?}: record {round}");
        }
    }
}
