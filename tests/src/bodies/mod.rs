//! One call of one helper as a program: what it is given stands in the stack or in frozen data, and
//! what it leaves behind is copied into the packet, where a test run shows it.

use probity_isa::{Insn, opcode::*};
use probity_program::{MapDef, Program};

use crate::plain::{copy, frame, mov};

/// The frame that the helper works in.
const FRAME: i32 = 512;
/// How much of it the call may use: behind that is r0.
pub const ROOM: usize = 488;
/// Where the packet shows the frame.
const SHOWN: usize = 14;

const SCHED_CLS: u32 = 3;
const ARRAY: u32 = 2;
const RDONLY_PROG: u32 = 1 << 7;
const STORE_BYTES: i32 = 9;
const PSEUDO_VALUE: u8 = 2;

/// An argument.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    /// A number.
    Number(u64),
    /// The context.
    Context,
    /// The address of a byte of the stack, counted from its lowest.
    Stack(usize),
    /// The address of a byte of the frozen data.
    Data(usize),
}

/// A call.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The helper's number.
    pub helper: u32,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// The stack before it, from its lowest byte on; zeros behind.
    pub stack: Vec<u8>,
    /// Words of the stack that are addresses: where, and of what.
    pub pointers: Vec<(usize, Arg)>,
    /// Frozen data.
    pub data: Vec<u8>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// r0.
    pub r0: u64,
    /// The stack.
    pub stack: Vec<u8>,
}

/// `dst = value`.
#[must_use]
pub fn wide(dst: u8, value: u64) -> [Insn; 2] {
    let low = (value as u32).cast_signed();
    let high = ((value >> 32) as u32).cast_signed();
    [Insn::new(BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, low), Insn::new(0, 0, 0, 0, high)]
}

fn load(insns: &mut Vec<Insn>, dst: u8, arg: Arg) {
    match arg {
        Arg::Number(value) if value <= i32::MAX as u64 => insns.push(mov(dst, value as i32)),
        Arg::Number(value) => insns.extend(wide(dst, value)),
        Arg::Context => insns.push(copy(dst, 6)),
        Arg::Stack(at) => insns.extend(frame(dst, at as i32 - FRAME)),
        Arg::Data(at) => {
            insns.push(Insn::new(BPF_LD | BPF_IMM | BPF_DW, dst, PSEUDO_VALUE, 0, 0));
            insns.push(Insn::new(0, 0, 0, 0, at as i32));
        }
    }
}

impl Call {
    /// The program.
    #[must_use]
    pub fn program(&self) -> Program {
        let mut insns = vec![copy(6, 1)];
        let mut stack = self.stack.clone();
        assert!(stack.len() <= ROOM, "no room for r0");
        stack.resize(ROOM, 0);
        for (at, word) in (0..).step_by(8).zip(stack.chunks(8)) {
            let off = at - FRAME as i16;
            let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
            match i32::try_from(word.cast_signed()) {
                Ok(imm) => insns.push(Insn::new(BPF_ST | BPF_MEM | BPF_DW, 10, 0, off, imm)),
                Err(_) => {
                    insns.extend(wide(0, word));
                    insns.push(Insn::new(BPF_STX | BPF_MEM | BPF_DW, 10, 0, off, 0));
                }
            }
        }
        for &(at, arg) in &self.pointers {
            load(&mut insns, 0, arg);
            insns.push(Insn::new(BPF_STX | BPF_MEM | BPF_DW, 10, 0, at as i16 - FRAME as i16, 0));
        }
        for (register, &arg) in (1..).zip(&self.args) {
            load(&mut insns, register, arg);
        }
        insns.push(Insn::new(BPF_JMP | BPF_CALL, 0, 0, 0, self.helper.cast_signed()));
        insns.push(Insn::new(BPF_STX | BPF_MEM | BPF_DW, 10, 0, ROOM as i16 - FRAME as i16, 0));
        insns.push(copy(1, 6));
        insns.push(mov(2, SHOWN as i32));
        insns.extend(frame(3, -FRAME));
        insns.extend([mov(4, ROOM as i32 + 8), mov(5, 0)]);
        insns.push(Insn::new(BPF_JMP | BPF_CALL, 0, 0, 0, STORE_BYTES));
        insns.push(Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
        let mut program = Program::from_insns(SCHED_CLS, insns);
        program.license = "GPL".to_owned();
        if !self.data.is_empty() {
            program.maps.push(frozen(&self.data));
        }
        program
    }

    /// A packet to run it on.
    #[must_use]
    pub fn packet() -> Vec<u8> {
        vec![0; SHOWN + ROOM + 8]
    }

    /// What the packet shows afterwards.
    #[must_use]
    pub fn left(packet: &[u8]) -> Left {
        let frame = &packet[SHOWN..];
        let r0 = u64::from_le_bytes(frame[ROOM..ROOM + 8].try_into().expect("eight bytes"));
        Left { r0, stack: frame[..ROOM].to_vec() }
    }
}

/// Calls one after the other in a program of a type. r0 tells what they returned, and what was at the
/// lowest 8 bytes of the stack after each; they may use 64 bytes there.
#[must_use]
pub fn sequence(prog_type: u32, calls: &[(u32, Vec<Arg>)]) -> Program {
    let mut insns = vec![copy(6, 1), mov(7, 0)];
    let off = |at: i16| at - FRAME as i16;
    insns.extend(
        (0..64).step_by(8).map(|at| Insn::new(BPF_ST | BPF_MEM | BPF_DW, 10, 0, off(at), 77 + i32::from(at))),
    );
    let add = |insns: &mut Vec<Insn>| {
        insns.push(Insn::new(BPF_ALU64 | BPF_MUL, 7, 0, 0, 31));
        insns.push(Insn::new(BPF_ALU64 | BPF_ADD | BPF_X, 7, 0, 0, 0));
    };
    for (helper, args) in calls {
        for (register, &arg) in (1..).zip(args) {
            load(&mut insns, register, arg);
        }
        insns.push(Insn::new(BPF_JMP | BPF_CALL, 0, 0, 0, helper.cast_signed()));
        add(&mut insns);
        insns.push(Insn::new(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, off(0), 0));
        add(&mut insns);
    }
    insns.extend([copy(0, 7), Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)]);
    let mut program = Program::from_insns(prog_type, insns);
    program.license = "GPL".to_owned();
    program
}

/// Data that neither programs nor user space can change.
#[must_use]
pub fn frozen(bytes: &[u8]) -> MapDef {
    let mut map = MapDef::new(ARRAY, 4, bytes.len() as u32, 1);
    map.flags = RDONLY_PROG;
    map.contents = Some(bytes.to_vec());
    map.frozen = true;
    map
}
