//! What programs do with maps, in both interpreters beside the running kernel: random sequences of
//! calls on a map, whose results are summed up in r0.

use std::os::fd::AsFd;

use probity_engine::{Verdict, verify};
use probity_isa::{Insn, opcode::*};
use probity_linux::PLATFORM;
use probity_platform::{Intrinsic, MapBody};
use probity_program::{MapDef, Program};
use probity_tests::generate::Rng;
use probity_tests::kernel::{self, LoadOptions};
use probity_tests::plain::{call, copy, frame, map_address, mov};
use probity_vm::{CheckedProgram, Executable, Input, Packet, Runtime, RuntimeOptions};

const XDP: u32 = 6;
/// Where keys, values and dynptrs are, from the end of the stack.
const KEY: i16 = -8;
const VALUE: i16 = -24;
const DYNPTR: i16 = -40;

fn number(body: MapBody) -> u32 {
    PLATFORM.map_types.iter().find(|row| row.body == Some(body)).expect("a type for each body").number
}

fn helper(intrinsic: Intrinsic) -> Insn {
    let row = PLATFORM.callables.iter().find(|row| row.body == Some(intrinsic));
    call(row.expect("a helper for each").number)
}

/// A word of the stack is set.
fn set(insns: &mut Vec<Insn>, offset: i16, value: u64) {
    let value = value.cast_signed();
    insns.push(Insn::new(BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, value as i32));
    insns.push(Insn::new(0, 0, 0, 0, (value >> 32) as i32));
    insns.push(Insn::new(BPF_STX | BPF_MEM | BPF_DW, 10, 1, offset, 0));
}

/// `r7 = r7 * 31 + src`
fn sum(insns: &mut Vec<Insn>, src: u8) {
    insns.push(Insn::new(BPF_ALU64 | BPF_MUL, 7, 0, 0, 31));
    insns.push(Insn::new(BPF_ALU64 | BPF_ADD | BPF_X, 7, src, 0, 0));
}

/// r0 is an address or null: the value is summed up and increased.
fn touch(insns: &mut Vec<Insn>) {
    insns.push(Insn::new(BPF_JMP | BPF_JEQ, 0, 0, 5, 0));
    insns.push(Insn::new(BPF_LDX | BPF_MEM | BPF_DW, 1, 0, 0, 0));
    sum(insns, 1);
    insns.push(Insn::new(BPF_ALU64 | BPF_ADD, 1, 0, 0, 1));
    insns.push(Insn::new(BPF_STX | BPF_MEM | BPF_DW, 0, 1, 0, 0));
    insns.push(Insn::new(BPF_ALU64 | BPF_ADD, 7, 0, 0, 13));
}

fn value(insns: &mut Vec<Insn>, rng: &mut Rng) {
    set(insns, VALUE, rng.below(1000) as u64);
    set(insns, VALUE + 8, rng.below(1000) as u64);
}

/// A call on a map with keys.
fn keyed(insns: &mut Vec<Insn>, rng: &mut Rng, body: MapBody) {
    let key = match body {
        MapBody::LpmTrie => {
            let bytes = rng.pick(&[0u64, 0x80, 0x8080, 0xff]);
            bytes << 32 | rng.below(34) as u64
        }
        _ => rng.below(9) as u64,
    };
    set(insns, KEY, key);
    let deletes = !matches!(body, MapBody::Array | MapBody::PercpuArray);
    match rng.below(6) {
        0 | 1 => {
            value(insns, rng);
            insns.extend(map_address(1));
            insns.extend(frame(2, KEY.into()));
            insns.extend(frame(3, VALUE.into()));
            insns.push(mov(4, rng.pick(&[0, 0, 0, 1, 2, 3, 4, 8])));
            insns.push(helper(Intrinsic::MapUpdate));
            sum(insns, 0);
        }
        2 if deletes => {
            insns.extend(map_address(1));
            insns.extend(frame(2, KEY.into()));
            insns.push(helper(Intrinsic::MapDelete));
            sum(insns, 0);
        }
        _ => {
            insns.extend(map_address(1));
            insns.extend(frame(2, KEY.into()));
            insns.push(helper(Intrinsic::MapLookup));
            touch(insns);
        }
    }
}

/// A call on a queue or a stack.
fn queued(insns: &mut Vec<Insn>, rng: &mut Rng) {
    value(insns, rng);
    insns.extend(map_address(1));
    insns.extend(frame(2, VALUE.into()));
    match rng.below(4) {
        0 | 1 => {
            insns.push(mov(3, rng.pick(&[0, 0, 2, 1, 3])));
            insns.push(helper(Intrinsic::MapPush));
        }
        2 => insns.push(helper(Intrinsic::MapPop)),
        _ => insns.push(helper(Intrinsic::MapPeek)),
    }
    sum(insns, 0);
    insns.push(Insn::new(BPF_LDX | BPF_MEM | BPF_DW, 1, 10, VALUE, 0));
    sum(insns, 1);
}

/// A call on a ring buffer.
fn ringed(insns: &mut Vec<Insn>, rng: &mut Rng, dynptrs: bool) {
    let len = rng.pick(&[0, 1, 7, 8, 9, 16, 100, 500, 1000, 2000, 3000, 4080, 4088, 4096]);
    let flags = rng.pick(&[0, 1, 2]);
    let ends = |rng: &mut Rng, one, two| helper(if rng.below(2) == 0 { one } else { two });
    // Dynptrs in every other program only: the engine need not model them.
    match rng.below(if dynptrs { 4 } else { 3 }) {
        0 => {
            value(insns, rng);
            insns.extend(map_address(1));
            insns.extend(frame(2, VALUE.into()));
            insns.push(mov(3, len.min(16)));
            insns.push(mov(4, rng.pick(&[0, 1, 2, 3, 4])));
            insns.push(helper(Intrinsic::RingbufOutput));
            sum(insns, 0);
        }
        1 => {
            insns.extend(map_address(1));
            insns.push(mov(2, len.max(8)));
            insns.push(mov(3, 0));
            insns.push(helper(Intrinsic::RingbufReserve));
            insns.push(Insn::new(BPF_JMP | BPF_JEQ, 0, 0, 5, 0));
            insns.push(Insn::new(BPF_ST | BPF_MEM | BPF_DW, 0, 0, 0, 7));
            insns.push(Insn::new(BPF_ALU64 | BPF_ADD, 7, 0, 0, 17));
            insns.push(copy(1, 0));
            insns.push(mov(2, flags));
            insns.push(ends(rng, Intrinsic::RingbufSubmit, Intrinsic::RingbufDiscard));
        }
        3 => {
            insns.extend(map_address(1));
            insns.push(mov(2, len));
            insns.push(mov(3, rng.pick(&[0, 0, 0, 1])));
            insns.extend(frame(4, DYNPTR.into()));
            insns.push(helper(Intrinsic::RingbufReserveDynptr));
            sum(insns, 0);
            insns.extend(frame(1, DYNPTR.into()));
            insns.push(mov(2, flags));
            insns.push(ends(rng, Intrinsic::RingbufSubmitDynptr, Intrinsic::RingbufDiscardDynptr));
        }
        _ => {
            insns.extend(map_address(1));
            insns.push(mov(2, rng.below(5) as i32));
            insns.push(helper(Intrinsic::RingbufQuery));
            sum(insns, 0);
        }
    }
}

fn program(rng: &mut Rng, body: MapBody) -> Program {
    let mut insns = vec![mov(7, 0)];
    let dynptrs = rng.below(2) == 0;
    for _ in 0..40 {
        match body {
            MapBody::Queue | MapBody::Stack => queued(&mut insns, rng),
            MapBody::Ringbuf => ringed(&mut insns, rng, dynptrs),
            _ => keyed(&mut insns, rng, body),
        }
    }
    insns.push(copy(0, 7));
    insns.push(Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    let (key, value, entries) = match body {
        MapBody::Queue | MapBody::Stack => (0, 16, 3),
        MapBody::Ringbuf => (0, 0, 4096),
        MapBody::LpmTrie | MapBody::PercpuHash => (8, 16, 5),
        MapBody::LruHash | MapBody::LruPercpuHash => (8, 16, 1000),
        _ => (4, 16, 5),
    };
    let mut program = Program::from_insns(XDP, insns);
    program.license = "GPL".to_owned();
    program.maps = vec![MapDef::new(number(body), key, value, entries)];
    program.maps[0].flags = u32::from(body == MapBody::LpmTrie);
    program
}

/// r0 of some runs in a row, on the same maps.
type Runs = Vec<u32>;
const RUNS: usize = 4;

fn in_checked(program: &Program, runtime: &Runtime) -> Runs {
    let map = runtime.map(&PLATFORM, &program.maps[0]).expect("a map");
    let checked = CheckedProgram::new(program, &PLATFORM, &PLATFORM.default_profile(), vec![map]);
    let checked = checked.expect("it links");
    let mut worker = runtime.worker().expect("a slot");
    let mut run = |_| {
        let mut packet = Packet::new(&[0; 64]);
        let input = Input { packet: Some(&mut packet), fuel: Some(1_000_000), ..Input::default() };
        checked.run(&mut worker, input).expect("no fault") as u32
    };
    (0..RUNS).map(&mut run).collect()
}

/// None where the engine does not model what the program does.
fn in_verified(program: &Program, runtime: &Runtime) -> Option<Runs> {
    let verified = match verify(program, &PLATFORM, &PLATFORM.default_profile()).verdict {
        Verdict::Accepted(verified) => verified,
        Verdict::Unsupported(_) => return None,
        Verdict::Rejected(finding) => panic!("rejected: {finding:?}"),
    };
    let map = runtime.map(&PLATFORM, &program.maps[0]).expect("a map");
    let executable = Executable::new(&verified, vec![map]).expect("it links");
    let mut worker = runtime.worker().expect("a slot");
    let mut run = |_| {
        let mut packet = Packet::new(&[0; 64]);
        let input = Input { packet: Some(&mut packet), ..Input::default() };
        executable.run(&mut worker, input).expect("it ends") as u32
    };
    Some((0..RUNS).map(&mut run).collect())
}

const BODIES: &[MapBody] = &[
    MapBody::Array,
    MapBody::PercpuArray,
    MapBody::Hash,
    MapBody::PercpuHash,
    MapBody::LruHash,
    MapBody::LruPercpuHash,
    MapBody::LpmTrie,
    MapBody::Queue,
    MapBody::Stack,
    MapBody::Ringbuf,
];

#[test]
fn calls_give_what_the_kernel_gives() {
    let asks = kernel::available();
    if !asks {
        kernel::skip("calls_give_what_the_kernel_gives");
    }
    let runtime = Runtime::new(RuntimeOptions { slots: 2, ..RuntimeOptions::default() });
    let mut lines = Vec::new();
    for &body in BODIES {
        for seed in 1..20 {
            let program = program(&mut Rng::new(seed), body);
            let checked = in_checked(&program, &runtime);
            let verified = in_verified(&program, &runtime);
            if verified.as_ref().is_some_and(|verified| checked != *verified) {
                lines.push(format!("{body:?} {seed}: checked {checked:x?}, verified {verified:x?}"));
            }
            // Runs on another processor find other values.
            if !asks || matches!(body, MapBody::PercpuArray | MapBody::PercpuHash | MapBody::LruPercpuHash) {
                continue;
            }
            let loaded = kernel::load(&program, &LoadOptions::default()).expect("an answer");
            let fd = loaded.fd.unwrap_or_else(|| panic!("{body:?} {seed}: {}", loaded.log));
            let mut run = |_| kernel::test_run(fd.as_fd(), &[0; 64], 1).expect("it runs").retval;
            let theirs: Runs = (0..RUNS).map(&mut run).collect();
            if theirs != checked {
                lines.push(format!("{body:?} {seed}: ours {checked:x?}, the kernel's {theirs:x?}"));
            }
        }
    }
    assert!(lines.is_empty(), "{} differ:\n{}", lines.len(), lines.join("\n"));
}
