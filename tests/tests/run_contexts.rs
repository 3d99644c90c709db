//! The contexts of our runs are those of the kernel's test runs: every field that a program may
//! read as a number is read by a program of two instructions, on the running kernel and here.

use std::os::fd::AsFd;

use probity_engine::{Verdict, verify};
use probity_isa::{Insn, opcode::*};
use probity_linux::{PLATFORM, prog_types::*};
use probity_platform::{Behaviour, ProgType, View};
use probity_program::Program;
use probity_tests::{
    inputs::{self, TestInput},
    kernel,
};
use probity_vm::{Executable, Runtime};

/// Numbers that differ from run to run.
const RANDOM: &[&str] = &["hash"];

/// `r0` = 32 bits of the context at an offset, or one of them.
fn program(prog_type: &ProgType, size: u8, off: i16, shift: i32, bit: bool) -> Program {
    let mut insns = vec![
        Insn::new(BPF_LDX | BPF_MEM | size, 0, 1, off, 0),
        Insn::new(BPF_ALU64 | BPF_RSH, 0, 0, 0, shift),
    ];
    if bit {
        insns.push(Insn::new(BPF_ALU64 | BPF_AND, 0, 0, 0, 1));
    }
    insns.push(Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    let mut program = Program::from_insns(prog_type.number, insns);
    // The last one: XDP programs of the first are for devices that test runs do not have.
    program.attach_type = prog_type.attach.last().map_or(0, |attach| attach.number);
    program
}

fn packets() -> Vec<Vec<u8>> {
    let zeros = vec![0; 64];
    let mut ipv4 = vec![0; 64];
    ipv4[12..14].copy_from_slice(&[0x08, 0x00]);
    ipv4[14] = 0x45;
    ipv4[26..34].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
    let mut ipv6 = vec![0; 80];
    ipv6[0] = 0xff;
    ipv6[12..14].copy_from_slice(&[0x86, 0xdd]);
    ipv6[14] = 0x60;
    for (index, byte) in ipv6[22..54].iter_mut().enumerate() {
        *byte = 0x5a ^ index as u8;
    }
    let llc = [vec![0x33; 12], vec![0, 50], vec![0xff; 50]].concat();
    let other = [vec![0x32; 12], vec![0x12; 86]].concat();
    let all = vec![0xff; 64];
    vec![zeros, ipv4, ipv6, llc, other, all]
}

#[test]
fn fields() {
    if !kernel::available() {
        return kernel::skip("fields");
    }
    let (mut compared, mut differences) = (0, String::new());
    for number in inputs::prog_types() {
        let prog_type = PLATFORM.prog_type(number).expect("a program type of Linux");
        let view: &View = &PLATFORM.views[usize::from(prog_type.ctx)];
        if number == BPF_PROG_TYPE_SYSCALL {
            continue;
        }
        for field in view.fields {
            let Some(rule) = field.access.first() else { continue };
            let number = PLATFORM.kind(rule.yields.kind).behaviour == Behaviour::Scalar;
            if !number || RANDOM.contains(&field.name) {
                continue;
            }
            let (size, wide) = match field.element {
                1 => (BPF_B, false),
                2 => (BPF_H, false),
                4 => (BPF_W, false),
                8 => (BPF_DW, true),
                _ => continue,
            };
            for element in 0..field.size / field.element {
                let off = (field.offset + element * field.element) as i16;
                let bits = (0..if wide { 64 } else { 32 }).map(|bit| (bit, true));
                let whole = (0..=i32::from(wide)).map(|half| (32 * half, false));
                let parts: Vec<(i32, bool)> = if prog_type.exit.iter().any(|row| row.range.is_some()) {
                    bits.collect()
                } else {
                    whole.collect()
                };
                for (shift, bit) in parts {
                    let program = program(prog_type, size, off, shift, bit);
                    let Some(lines) = compare(&program, prog_type) else { continue };
                    compared += 1;
                    for line in lines {
                        differences +=
                            &format!("{} {}[{element}] >> {shift}: {line}\n", prog_type.name, field.name);
                    }
                }
            }
        }
    }
    println!("{compared} programs on each of {} packets", packets().len());
    assert!(differences.is_empty(), "{differences}");
    assert!(compared >= 100, "{compared} programs");
}

/// Where r0 differs; None when a program can't be loaded.
fn compare(program: &Program, prog_type: &ProgType) -> Option<Vec<String>> {
    let report = verify(program, &PLATFORM, &PLATFORM.default_profile());
    let Verdict::Accepted(proof) = &report.verdict else { return None };
    let executable = Executable::new(proof, Vec::new()).expect("it only reads its context");
    let verdict = kernel::load(program, &kernel::LoadOptions::default()).expect("the kernel can be asked");
    let fd = verdict.fd?;
    let mut worker = Runtime::default().worker().expect("a slot");
    let mut lines = Vec::new();
    for (index, packet) in packets().iter().enumerate() {
        let kernel = match kernel::test_run(fd.as_fd(), packet, 1) {
            Ok(run) => run.retval,
            Err(error) => {
                lines.push(format!("packet {index}: {error}"));
                continue;
            }
        };
        let mut input = TestInput::new(prog_type, packet).expect("it is modelled");
        let ours = executable.run(&mut worker, input.input()).expect("it ends") as u32;
        if kernel != ours {
            lines.push(format!("packet {index}: the kernel has {kernel:#x}, we have {ours:#x}"));
        }
    }
    Some(lines)
}
