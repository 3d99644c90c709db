//! The prelude's parts on a platform of an embedder's own: small programs that call what the parts
//! bring, verified and run, each with a twin that does it wrongly and is refused.

use std::sync::{Arc, Mutex};

use probity::vm::{
    Executable, Input, ManualClock, Map, Packet, RingConsumer, Runtime, RuntimeOptions, Sink, Worker,
};
use probity_engine::{Verdict, Verified, verify};
use probity_platform::Code;
use probity_program::{MapDef, Program};
use probity_tests::special::{self, LOCK, NUMBER};

mod parts {
    probity::spec! {
        platform parts;
        use core;
        policy { allow loops; }

        /// A packet, as a program has it.
        view frame size 16 {
            length: u32;
            at 8 data: u32 -> PTR_TO_PACKET;
            data_end: u32 -> PTR_TO_PACKET_END;
        }

        prog_type run = 1 { ctx frame; helpers all; kfuncs all; packet read, write; section "run"; }
    }
}

use parts::map_types::*;

const RECORDS: usize = 1;
const PROGRAMS: usize = 4;

/// What programs refer to by number: an array of values with a lock, a ring buffer, a queue, a hash, an array of
/// programs, a stack, a hash with values for each processor.
fn others() -> Vec<MapDef> {
    vec![
        MapDef::new(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096),
        MapDef::new(BPF_MAP_TYPE_QUEUE, 0, 8, 4),
        MapDef::new(BPF_MAP_TYPE_HASH, 4, 8, 4),
        MapDef::new(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2),
        MapDef::new(BPF_MAP_TYPE_STACK, 0, 8, 4),
        MapDef::new(BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 4),
    ]
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Sink for Lines {
    fn line(&self, text: &str) {
        self.0.lock().expect("nobody panics with it").push(text.to_owned());
    }
}

fn program(text: &str) -> Program {
    let mut program = special::program(text, BPF_MAP_TYPE_ARRAY, true);
    program.prog_type = parts::prog_types::RUN;
    program.maps.extend(others());
    program.kfuncs = ["new", "next", "destroy"].map(|name| format!("bpf_iter_num_{name}")).to_vec();
    program
}

#[track_caller]
fn verified(text: &str) -> Verified {
    match verify(&program(text), &parts::PLATFORM, &parts::PLATFORM.default_profile()).verdict {
        Verdict::Accepted(proof) => proof,
        other => panic!("{other:?}\n{text}"),
    }
}

#[track_caller]
fn refused(text: &str, code: Code) {
    match verify(&program(text), &parts::PLATFORM, &parts::PLATFORM.default_profile()).verdict {
        Verdict::Rejected(finding) => {
            assert_eq!(finding.rejection.code, code, "{}\n{text}", finding.last_line());
        }
        other => panic!("{other:?}\n{text}"),
    }
}

/// A runtime with the maps.
struct Host {
    maps: Vec<Arc<Map>>,
    worker: Worker,
    lines: Arc<Lines>,
    packet: Packet,
}

impl Host {
    fn new() -> Host {
        let (clock, lines) = (Arc::new(ManualClock::default()), Arc::new(Lines::default()));
        clock.set(77);
        let sink = Arc::clone(&lines);
        let runtime =
            Runtime::new(RuntimeOptions { clock, sink, seed: Some(1), ..RuntimeOptions::default() });
        let maps = program("r0 = 0\nexit").maps;
        let maps = maps.iter().map(|map| runtime.map(&parts::PLATFORM, map).expect("a map")).collect();
        let worker = runtime.worker().expect("a slot");
        Host { maps, worker, lines, packet: Packet::with_room(&[1, 2, 3, 4, 5, 6, 7, 8], 256, 256) }
    }

    #[track_caller]
    fn linked(&self, text: &str) -> Executable {
        Executable::new(&verified(text), self.maps.clone()).expect("it links")
    }

    #[track_caller]
    fn run(&mut self, text: &str) -> i64 {
        let linked = self.linked(text);
        let input = Input { packet: Some(&mut self.packet), ..Input::default() };
        linked.run(&mut self.worker, input).expect("it ends").cast_signed()
    }
}

#[test]
fn values_are_stored_looked_up_and_deleted() {
    // The value under key 5 of a map; `last` follows a lookup that found it.
    let keep = |map: u32, last: &str| {
        format!(
            "*(u32 *)(r10 -4) = 5\n*(u64 *)(r10 -16) = 42\nr1 = map[{map}] ll\nr2 = r10\nr2 += -4\n\
             r3 = r10\nr3 += -16\nr4 = 0\ncall 2\nr1 = map[{map}] ll\nr2 = r10\nr2 += -4\ncall 1\n\
             {last}\nr6 = *(u64 *)(r0 +0)\nr1 = map[{map}] ll\nr2 = r10\nr2 += -4\ncall 3\nr6 += r0\n\
             r1 = map[{map}] ll\nr2 = r10\nr2 += -4\ncall 3\nr6 += r0\nout: r0 = r6\nexit"
        )
    };
    for map in [3, 6] {
        // The second time nothing is there: -ENOENT.
        assert_eq!(Host::new().run(&keep(map, "r6 = 0\nif r0 == 0 goto out")), 42 - 2);
        refused(&keep(map, "r6 = 0"), Code::MaybeNull);
    }
}

#[test]
fn queues_and_stacks_keep_their_order() {
    let pushed = |map: u32, helper: u32| {
        format!(
            "*(u64 *)(r10 -8) = 7\nr1 = map[{map}] ll\nr2 = r10\nr2 += -8\nr3 = 0\ncall 87\n\
             *(u64 *)(r10 -8) = 9\nr1 = map[{map}] ll\nr2 = r10\nr2 += -8\nr3 = 0\ncall 87\n\
             r1 = map[{map}] ll\nr2 = r10\nr2 += -16\ncall {helper}\nr0 = *(u64 *)(r10 -16)\nexit"
        )
    };
    for helper in [88, 89] {
        assert_eq!(Host::new().run(&pushed(2, helper)), 7);
        assert_eq!(Host::new().run(&pushed(5, helper)), 9);
    }
    refused(&pushed(3, 88), Code::MapType);
    // Nor has a queue keys.
    refused(&pushed(2, 88).replacen("r3 = 0\ncall 87", "r3 = r2\nr4 = 0\ncall 2", 1), Code::ArgumentSize);
    // An array of programs has keys; its values are for tail calls alone.
    refused("*(u32 *)(r10 -4) = 0\nr1 = map[4] ll\nr2 = r10\nr2 += -4\ncall 1\nr0 = 0\nexit", Code::MapType);
}

#[test]
fn records_are_handed_on() {
    let record = |last: &str| {
        format!(
            "r1 = map[1] ll\nr2 = 8\nr3 = 0\ncall 131\nif r0 == 0 goto out\nr6 = r0\ncall 5\n\
             *(u64 *)(r6 +0) = r0\nr1 = r6\nr2 = 0\n{last}\nout: r0 = 0\nexit"
        )
    };
    let mut host = Host::new();
    host.run(&record("call 133"));
    host.run(&record("call 132"));
    let reader = RingConsumer::new(Arc::clone(&host.maps[RECORDS])).expect("a ring buffer");
    assert_eq!(reader.next(), Some(77_u64.to_ne_bytes().to_vec()));
    assert_eq!(reader.next(), None);
    refused(&record(""), Code::ReferenceLeak);
    refused(&record("call 132\n*(u64 *)(r6 +0) = 1"), Code::UninitializedRegister);
    refused(&record("call 132").replace("+0) = r0", "+8) = r0"), Code::OutOfBounds);
    // A record is memory like other memory.
    let copied =
        "*(u64 *)(r6 +0) = 3\nr1 = map[1] ll\nr2 = r6\nr3 = 8\nr4 = 0\ncall 130\nr1 = r6\nr2 = 0\ncall 133";
    host.run(&record(copied));
    assert_eq!(reader.next(), Some(3_u64.to_ne_bytes().to_vec()));
    assert_eq!(host.run("r1 = map[1] ll\nr2 = 1\ncall 134\nexit"), 4096);
}

#[test]
fn a_program_runs_another_in_its_place() {
    let mut host = Host::new();
    let other = host.linked("r0 = 5\nexit");
    host.maps[PROGRAMS].set_program(1, &other).expect("it fits");
    let hop = |map: u32, index: u32| format!("r2 = map[{map}] ll\nr3 = {index}\ncall 12\nr0 = 6\nexit");
    assert_eq!((host.run(&hop(4, 1)), host.run(&hop(4, 0))), (5, 6));
    refused(&hop(3, 1), Code::ArgumentCondition);
}

#[test]
fn functions_are_called_back() {
    let rounds = |returns: u32| {
        format!(
            "*(u64 *)(r10 -8) = 0\nr1 = 4\nr2 = func[add] ll\nr3 = r10\nr3 += -8\nr4 = 0\ncall 181\n\
             r0 = *(u64 *)(r10 -8)\nexit\n\
             add:\nr3 = *(u64 *)(r2 +0)\nr3 += r1\n*(u64 *)(r2 +0) = r3\nr0 = {returns}\nexit"
        )
    };
    assert_eq!(Host::new().run(&rounds(0)), 6);
    refused(&rounds(2), Code::ExitRange);
    let walk = |map: u32| {
        format!(
            "*(u64 *)(r10 -8) = 0\nr1 = map[{map}] ll\nr2 = func[add] ll\nr3 = r10\nr3 += -8\nr4 = 0\ncall 164\n\
             r0 = *(u64 *)(r10 -8)\nexit\n\
             add:\nr3 = *(u64 *)(r3 +0)\nr5 = *(u64 *)(r4 +0)\nr5 += r3\n*(u64 *)(r4 +0) = r5\nr0 = 0\nexit"
        )
    };
    let mut host = Host::new();
    host.maps[3].update(&1_u32.to_ne_bytes(), &30_u64.to_ne_bytes(), 0).expect("room");
    host.maps[3].update(&2_u32.to_ne_bytes(), &12_u64.to_ne_bytes(), 0).expect("room");
    assert_eq!(host.run(&walk(3)), 42);
    refused(&walk(2), Code::MapType);
}

#[test]
fn walks_over_numbers_end() {
    let walk = |last: &str| {
        format!(
            "r6 = 0\nr1 = r10\nr1 += -8\nr2 = 1\nr3 = 5\ncall kfunc 0\nagain:\nr1 = r10\nr1 += -8\ncall kfunc 1\n\
             if r0 == 0 goto end\nr1 = *(u32 *)(r0 +0)\nr6 += r1\ngoto again\nend:\n{last}\nr0 = r6\nexit"
        )
    };
    assert_eq!(Host::new().run(&walk("r1 = r10\nr1 += -8\ncall kfunc 2")), 10);
    refused(&walk(""), Code::ReferenceLeak);
}

#[test]
fn the_host_tells_its_time_and_takes_lines() {
    let mut host = Host::new();
    assert_eq!(host.run("call 5\nexit"), 77);
    assert_eq!(host.run("call 8\nexit"), 0);
    assert_eq!(host.run("call 7\nr0 >>= 32\nexit"), 0);
    assert_ne!(host.run("call 7\nexit"), host.run("call 7\nexit"));
    // "a=%d" and its end.
    let print = |size: u32| {
        format!(
            "r1 = 0x64253d61\n*(u32 *)(r10 -8) = r1\n*(u8 *)(r10 -4) = 0\nr1 = r10\nr1 += -8\nr2 = {size}\nr3 = 8\ncall 6\nr0 = 0\nexit"
        )
    };
    host.run(&print(5));
    assert_eq!(*host.lines.0.lock().expect("nobody panics with it"), ["a=8"]);
    refused(&print(8), Code::UninitializedStack);
}

#[test]
fn packets_are_read_written_and_moved() {
    let store = "r6 = r1\nr2 = 2\nr3 = r10\nr3 += -4\n*(u32 *)(r10 -4) = 0\nr4 = 4\ncall 190\n";
    let load = "r1 = r6\nr2 = 6\nr3 = r10\nr3 += -2\nr4 = 2\ncall 189\nr0 = *(u16 *)(r10 -2)\nexit";
    let mut host = Host::new();
    assert_eq!(host.run(&format!("{store}{load}")), i64::from(u16::from_ne_bytes([7, 8])));
    assert_eq!(host.packet.to_vec(), [1, 2, 0, 0, 0, 0, 7, 8]);
    assert_eq!(host.run("call 188\nexit"), 8);
    // Beyond the packet.
    assert!(host.run("r2 = 7\nr3 = r10\nr3 += -2\nr4 = 2\ncall 189\nexit") < 0);

    // One byte of the packet once its start has moved; the pointers loaded anew, or not.
    let moved = |again: &str| {
        let pointers = "r7 = *(u32 *)(r6 +8)\nr8 = *(u32 *)(r6 +12)\n";
        format!(
            "r6 = r1\n{pointers}r2 = -14\ncall 44\n{}r1 = r7\nr1 += 14\nr0 = 0\nif r1 > r8 goto out\n\
             *(u8 *)(r7 +0) = 9\nout: exit",
            again.replace("anew", pointers)
        )
    };
    let mut host = Host::new();
    host.packet = Packet::with_room(&[5; 20], 256, 256);
    assert_eq!(host.run(&moved("anew")), 0);
    let bytes = host.packet.to_vec();
    assert_eq!((bytes.len(), bytes[0], bytes[14]), (34, 9, 5));
    refused(&moved(""), Code::UninitializedRegister);
    assert_eq!(host.run("r2 = -14\ncall 65\nexit"), 0);
    assert_eq!(host.run("call 188\nexit"), 20);
}

#[test]
fn locks_are_given_back() {
    let found =
        "*(u32 *)(r10 -4) = 1\nr1 = map[0] ll\nr2 = r10\nr2 += -4\ncall 1\nif r0 == 0 goto out\nr6 = r0\n";
    let locked = |inside: &str, last: &str| {
        format!(
            "{found}r1 = r6\nr1 += {LOCK}\ncall 93\nr2 = *(u32 *)(r6 +{NUMBER})\nr2 += 1\n\
             *(u32 *)(r6 +{NUMBER}) = r2\n{inside}r1 = r6\nr1 += {LOCK}\n{last}\n\
             r0 = *(u32 *)(r6 +{NUMBER})\nout: exit"
        )
    };
    let mut host = Host::new();
    assert_eq!((host.run(&locked("", "call 94")), host.run(&locked("", "call 94"))), (1, 2));
    refused(&locked("", ""), Code::LockHeld);
    refused(&locked("call 5\n", "call 94"), Code::CallUnderLock);
    // The lock's own bytes are no number.
    refused(&format!("{found}r0 = *(u32 *)(r6 +{LOCK})\nout: exit"), Code::SpecialField);
}
