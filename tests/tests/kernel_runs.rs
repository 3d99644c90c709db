//! Small programs in the runtime and in the running kernel: what bodies return and leave behind.

use std::{os::fd::AsFd, sync::Arc};

use probity_engine::Verdict;
use probity_isa::{Insn, opcode::*};
use probity_linux::PLATFORM;
use probity_program::{Btf, FuncInfo, Linkage, Program};
use probity_tests::{
    bodies::{Arg, Call, sequence, wide},
    generate::Rng,
    kernel::{self, btf::BtfImage},
    plain::{copy, frame, mov},
};
use probity_vm::{Executable, Input, Packet, Runtime};

const SOCKET_FILTER: u32 = 1;
const SCHED_CLS: u32 = 3;
const XDP: u32 = 6;

/// r0, and the packet afterwards with its metadata.
type Ran = (u32, Vec<u8>);

/// None when the engine does not know what the program does.
fn ours(program: &Program, packet: &[u8]) -> Option<Ran> {
    let report = probity_engine::verify(program, &PLATFORM, &PLATFORM.default_profile());
    let verified = match &report.verdict {
        Verdict::Accepted(verified) => verified,
        Verdict::Unsupported(_) => return None,
        Verdict::Rejected(finding) => panic!("{finding:?}"),
    };
    let runtime = Runtime::default();
    let executable = Executable::new(verified, Vec::new()).expect("it links");
    let mut worker = runtime.worker().expect("a slot");
    let mut packet = match program.prog_type {
        SOCKET_FILTER => Packet::behind_link_header(packet),
        _ => Packet::new(packet),
    };
    let input = Input { packet: Some(&mut packet), ..Input::default() };
    let value = executable.run(&mut worker, input).expect("it runs to its end");
    Some((value as u32, [packet.metadata(), packet.to_vec()].concat()))
}

fn kernels(program: &Program, packet: &[u8]) -> Ran {
    let verdict = kernel::load(program, &kernel::LoadOptions::default()).expect("a verdict");
    let fd = verdict.fd.unwrap_or_else(|| panic!("{}", verdict.log));
    let ran = kernel::test_run(fd.as_fd(), packet, 1).expect("it runs");
    (ran.retval, ran.data_out)
}

fn same(name: &str, program: &Program, packet: &[u8]) {
    let kernels = kernels(program, packet);
    let Some(ours) = ours(program, packet) else {
        return println!("unsupported: {name}: the kernel returns {}", kernels.0.cast_signed());
    };
    if ours != kernels {
        let listing = probity_isa::disassemble(&program.insns, &());
        panic!("{name}: ours {ours:x?}, the kernel's {kernels:x?}\n{listing}");
    }
}

fn packet(len: usize) -> Vec<u8> {
    (0..len).map(|at| at as u8).collect()
}

fn pick<T: Copy>(rng: &mut Rng, all: &[T]) -> T {
    rng.pick(all)
}

#[test]
fn text_and_checksums() {
    if !kernel::available() {
        return kernel::skip("text_and_checksums");
    }
    const PIECES: &[&str] = &[
        "0",
        "x",
        "-",
        "+",
        " ",
        "9",
        "17",
        "f",
        "0x",
        "922337203685477580",
        "7",
        "8",
        "\t",
        "z",
        "00000000",
    ];
    let mut rng = Rng::new(5);
    for _ in 0..300 {
        let text: String = (0..1 + rng.below(6)).map(|_| pick(&mut rng, PIECES)).collect();
        let stack = [&[0xaa; 8], text.as_bytes()].concat();
        let flags = pick(&mut rng, &[0, 0, 0, 8, 10, 16, 2, 1 << 32]);
        for helper in [105, 106] {
            let args = vec![Arg::Stack(8), Arg::Number(text.len() as u64), Arg::Number(flags), Arg::Stack(0)];
            let call = Call { helper, args, stack: stack.clone(), ..Call::default() };
            same(&format!("{text:?}, base {flags}"), &call.program(), &Call::packet());
        }
    }
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..200).map(|_| pick(&mut rng, &[0, 0xff, 0x5a])).collect();
        let sizes = [0, 4, 8, 12, 40, 44, 100, 3, 6];
        let (from, to) = (pick(&mut rng, &sizes), pick(&mut rng, &sizes));
        let seed = pick(&mut rng, &[0, 1, 0xffff, 0xffff_ffff, 0x1234_5678_9abc]);
        let place = |size: u64, at| if size == 0 { Arg::Number(0) } else { Arg::Stack(at) };
        let args =
            vec![place(from, 0), Arg::Number(from), place(to, 100), Arg::Number(to), Arg::Number(seed)];
        let call = Call { helper: 28, args, stack: bytes, ..Call::default() };
        same(&format!("from {from}, to {to}, seed {seed:#x}"), &call.program(), &Call::packet());
    }
}

#[test]
fn packets_of_xdp() {
    if !kernel::available() {
        return kernel::skip("packets_of_xdp");
    }
    const MOVES: &[i64] = &[
        0,
        1,
        4,
        8,
        14,
        49,
        50,
        51,
        64,
        100,
        3456,
        3457,
        1 << 32,
        -1,
        -3,
        -4,
        -8,
        -36,
        -50,
        -100,
        -200,
        -208,
        -212,
        -216,
        -217,
        -220,
        -252,
        -256,
        -1000,
        i32::MIN as i64,
    ];
    const PLACES: &[u64] = &[0, 1, 8, 50, 56, 57, 63, 64, 65, 0xffff, 0x1_0000, 1 << 31, 1 << 32, u64::MAX];
    let mut rng = Rng::new(6);
    for round in 0..400 {
        let calls: Vec<(u32, Vec<Arg>)> = (0..1 + rng.below(5))
            .map(|_| match rng.below(5) {
                0 => (pick(&mut rng, &[189, 190]), {
                    let len = pick(&mut rng, &[1, 4, 8, 32]);
                    vec![Arg::Context, Arg::Number(pick(&mut rng, PLACES)), Arg::Stack(0), Arg::Number(len)]
                }),
                1 => (188, vec![Arg::Context]),
                _ => (pick(&mut rng, &[44, 54, 65]), {
                    vec![Arg::Context, Arg::Number(pick(&mut rng, MOVES).cast_unsigned())]
                }),
            })
            .collect();
        same(&format!("round {round}: {calls:?}"), &sequence(XDP, &calls), &packet(64));
    }
}

#[test]
fn packets_of_sockets() {
    if !kernel::available() {
        return kernel::skip("packets_of_sockets");
    }
    const PLACES: &[u64] = &[0, 1, 8, 50, 56, 57, 63, 64, 65, 0xffff, 0x1_0000, 1 << 31, 1 << 32, u64::MAX];
    const LENGTHS: &[u64] =
        &[0, 1, 13, 14, 63, 64, 65, 100, 2000, 4000, 16065, 20000, 1 << 32 | 64, u64::MAX];
    let mut rng = Rng::new(7);
    for round in 0..400 {
        let calls: Vec<(u32, Vec<Arg>)> = (0..1 + rng.below(4))
            .map(|_| match rng.below(5) {
                0 => (26, {
                    let len = pick(&mut rng, &[1, 4, 8, 32]);
                    vec![Arg::Context, Arg::Number(pick(&mut rng, PLACES)), Arg::Stack(0), Arg::Number(len)]
                }),
                1 => (9, {
                    let (len, flags) = (pick(&mut rng, &[1, 4, 8, 32]), pick(&mut rng, &[0, 0, 1, 2, 3, 4]));
                    let place = Arg::Number(pick(&mut rng, PLACES));
                    vec![Arg::Context, place, Arg::Stack(0), Arg::Number(len), Arg::Number(flags)]
                }),
                2 => (39, vec![Arg::Context, Arg::Number(pick(&mut rng, LENGTHS))]),
                _ => (pick(&mut rng, &[38, 43]), {
                    let flags = pick(&mut rng, &[0, 0, 0, 1]);
                    vec![Arg::Context, Arg::Number(pick(&mut rng, LENGTHS)), Arg::Number(flags)]
                }),
            })
            .collect();
        let program = sequence(SCHED_CLS, &calls);
        // A test run shows no packet that grew by more than a page.
        if ours(&program, &packet(64)).is_some_and(|(_, packet)| packet.len() <= 4096) {
            same(&format!("round {round}: {calls:?}"), &program, &packet(64));
        }
    }
}

#[test]
fn legacy_loads() {
    if !kernel::available() {
        return kernel::skip("legacy_loads");
    }
    const PLACES: &[i32] =
        &[0, 1, 48, 49, 50, 60, 62, 63, 64, 100, 1 << 20, i32::MAX, -1, -0x1000, -0x2000, i32::MIN];
    const BASES: &[i32] = &[0, -0x10_0000, -0x20_0000, -0x30_0000];
    for prog_type in [SOCKET_FILTER, SCHED_CLS] {
        for size in [BPF_B, BPF_H, BPF_W] {
            for (&place, &base) in PLACES.iter().flat_map(|place| BASES.iter().map(move |base| (place, base)))
            {
                let insns = vec![
                    copy(6, 1),
                    mov(7, base),
                    Insn::new(BPF_LD | BPF_IND | size, 0, 7, 0, place),
                    Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
                ];
                let program = Program::from_insns(prog_type, insns);
                let ours = ours(&program, &packet(64)).map(|(value, _)| value);
                assert_eq!(
                    ours,
                    Some(kernels(&program, &packet(64)).0),
                    "type {prog_type}, size {size:#x}, {place} from {base}"
                );
            }
        }
    }
}

/// BTF of a function and of a static one.
fn two_functions(program: &mut Program, second: usize) {
    let mut image = BtfImage::new(Vec::new(), vec![0]);
    let mut name = |text| image.string(text);
    const FUNC: u32 = 12 << 24;
    let int = [name("int"), 1 << 24, 4, 1 << 24 | 32];
    let words =
        [&int[..], &[0, 13 << 24, 1], &[name("first"), FUNC | 1, 2], &[name("second"), FUNC, 2]].concat();
    let types = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let bytes = image.with_types(types).to_bytes();
    program.btf = Some(Arc::new(Btf::parse(&bytes).expect("BTF")));
    let function = |pc, name: &str, btf_id, linkage| FuncInfo { pc, name: name.to_owned(), btf_id, linkage };
    program.funcs =
        vec![function(0, "first", 3, Linkage::Global), function(second, "second", 4, Linkage::Static)];
}

/// Calls back until the index is `stop`; r0 tells what was returned and the sum of the indexes.
fn looping(rounds: u64, flags: u64, stop: i32) -> Program {
    const FUNCTION: u8 = 4;
    let mut insns = vec![Insn::new(BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, 0)];
    insns.extend(wide(1, rounds));
    let at = insns.len();
    insns.extend([Insn::new(BPF_LD | BPF_IMM | BPF_DW, 2, FUNCTION, 0, 0), Insn::new(0, 0, 0, 0, 0)]);
    insns.extend(frame(3, -8));
    insns.extend(wide(4, flags));
    insns.push(Insn::new(BPF_JMP | BPF_CALL, 0, 0, 0, 181));
    insns.push(Insn::new(BPF_ALU64 | BPF_MUL, 0, 0, 0, 1000));
    insns.push(Insn::new(BPF_LDX | BPF_MEM | BPF_DW, 1, 10, -8, 0));
    insns.push(Insn::new(BPF_ALU64 | BPF_ADD | BPF_X, 0, 1, 0, 0));
    insns.push(Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    let second = insns.len();
    insns[at].imm = (second - at - 1) as i32;
    insns.extend([
        Insn::new(BPF_LDX | BPF_MEM | BPF_DW, 3, 2, 0, 0),
        Insn::new(BPF_ALU64 | BPF_ADD | BPF_X, 3, 1, 0, 0),
        Insn::new(BPF_STX | BPF_MEM | BPF_DW, 2, 3, 0, 0),
        mov(0, 0),
        Insn::new(BPF_JMP | BPF_JNE, 1, 0, 1, stop),
        mov(0, 1),
        Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    ]);
    let mut program = Program::from_insns(SCHED_CLS, insns);
    program.license = "GPL".to_owned();
    two_functions(&mut program, second);
    program
}

#[test]
fn loops() {
    if !kernel::available() {
        return kernel::skip("loops");
    }
    let cases = [
        (0, 0, -1),
        (1, 0, -1),
        (10, 0, -1),
        (10, 0, 3),
        (10, 0, 9),
        (10, 1, -1),
        (8 << 20, 0, 5),
        ((8 << 20) + 1, 0, 5),
        (u64::from(u32::MAX), 0, 5),
        (1 << 32 | 7, 0, -1),
        (u64::MAX, 1, -1),
        (5, 1 << 32, -1),
    ];
    for (rounds, flags, stop) in cases {
        same(&format!("{rounds} rounds, flags {flags}"), &looping(rounds, flags, stop), &packet(64));
    }
}

/// The numbers from `start` to `end`: r0 is the bits of what the constructor returned, from `shift` on,
/// and the numbers' sum.
fn counting(start: i32, end: i32, shift: i32) -> Program {
    const KFUNC: u8 = 2;
    let call = |index| Insn::new(BPF_JMP | BPF_CALL, 0, KFUNC, 0, index);
    let mut insns = frame(1, -8).to_vec();
    insns.extend([mov(2, start), mov(3, end), call(0), copy(6, 0), mov(7, 0)]);
    insns.extend(frame(1, -8));
    insns.extend([
        call(1),
        Insn::new(BPF_JMP | BPF_JEQ, 0, 0, 3, 0),
        Insn::new(BPF_LDX | BPF_MEM | BPF_W, 1, 0, 0, 0),
        Insn::new(BPF_ALU64 | BPF_ADD | BPF_X, 7, 1, 0, 0),
        Insn::new(BPF_JMP | BPF_JA, 0, 0, -7, 0),
    ]);
    insns.extend(frame(1, -8));
    insns.extend([
        call(2),
        copy(0, 6),
        Insn::new(BPF_ALU64 | BPF_RSH, 0, 0, 0, shift),
        Insn::new(BPF_ALU64 | BPF_ADD | BPF_X, 0, 7, 0, 0),
        Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    ]);
    let mut program = Program::from_insns(SCHED_CLS, insns);
    program.license = "GPL".to_owned();
    program.kfuncs =
        ["bpf_iter_num_new", "bpf_iter_num_next", "bpf_iter_num_destroy"].map(str::to_owned).to_vec();
    program
}

#[test]
fn iterators() {
    if !kernel::available() {
        return kernel::skip("iterators");
    }
    let cases = [
        (0, 0),
        (0, 10),
        (-5, 5),
        (5, -5),
        (7, 8),
        (i32::MIN, i32::MIN + 3),
        (i32::MAX - 3, i32::MAX),
        (i32::MAX, i32::MAX),
        (i32::MIN, i32::MIN),
        (i32::MIN, i32::MAX),
        (0, (8 << 20) + 1),
        (-1, 8 << 20),
        (i32::MIN, 0),
        (0, i32::MIN),
    ];
    for (start, end) in cases {
        for shift in [0, 32] {
            same(&format!("{start} to {end}"), &counting(start, end, shift), &packet(64));
        }
    }
}
