//! An interpreter for the programs that tests generate: arithmetic, branches, memory, functions, and
//! the helpers that give numbers or values of maps. Whatever else ends a run.

use probity_isa::{AluOp, AtomicOp, Instruction, JumpOp, Size, Source, Swap, Width, opcode::*};
use probity_program::Program;

use super::memory::{Kind, Memory};
use crate::generate::{Rng, kind};

const STACK: usize = 512;
const MAP_LOOKUP: i32 = 1;
const TAIL_CALL: i32 = 12;
const GET_SMP_PROCESSOR_ID: i32 = 8;
/// Helpers that give a number and touch no memory that programs see.
const NUMBERS: [i32; 15] = [2, 3, 5, 6, 7, 14, 15, 23, 31, 34, 46, 87, 105, 118, 134];

/// A call frame.
#[derive(Clone, Debug)]
struct Caller {
    /// The call instruction.
    callsite: usize,
    saved: [u64; 4],
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// On to the next instruction.
    Goes,
    /// The program is over.
    Ends,
    /// Something that is not interpreted.
    Stops,
    /// An access of nothing: what a verifier must exclude.
    Faults,
}

/// A machine with a program.
#[derive(Debug)]
pub struct Machine<'a> {
    program: &'a Program,
    context: Option<kind::PacketFields>,
    tracing: bool,
    /// The registers.
    pub regs: [u64; 11],
    /// The instruction to come.
    pub pc: usize,
    /// The memory.
    pub memory: Memory,
    callers: Vec<Caller>,
    rng: Rng,
}

impl<'a> Machine<'a> {
    /// At the entry, with random inputs.
    #[must_use]
    pub fn new(program: &'a Program, kind: kind::Kind, mut rng: Rng) -> Machine<'a> {
        let mut memory = Memory::default();
        let mut regs: [u64; 11] = std::array::from_fn(|_| rng.bits());
        regs[1] = memory.add(Kind::Context, 1024, &mut rng);
        let len = rng.pick(&[0, 1, 14, 34, 64, 200]);
        memory.add(Kind::Packet, len, &mut rng);
        regs[10] = memory.add(Kind::Stack(0), STACK, &mut rng) + STACK as u64;
        for (index, map) in program.maps.iter().enumerate() {
            memory.add(Kind::MapValue(index), map.value_size as usize, &mut rng);
        }
        Machine {
            program,
            context: kind.packet(),
            tracing: kind.is_tracing(),
            regs,
            pc: 0,
            memory,
            callers: Vec::new(),
            rng,
        }
    }

    /// The call instructions that lead here, outermost first.
    pub fn callsites(&self) -> impl Iterator<Item = usize> + '_ {
        self.callers.iter().map(|caller| caller.callsite)
    }

    fn operand(&self, src: Source) -> u64 {
        match src {
            Source::Reg(reg) => self.regs[usize::from(reg)],
            Source::Imm(imm) => i64::from(imm).cast_unsigned(),
        }
    }

    fn address(&self, reg: u8, off: i16) -> u64 {
        self.regs[usize::from(reg)].wrapping_add(i64::from(off).cast_unsigned())
    }

    fn set(&mut self, reg: u8, value: u64) {
        self.regs[usize::from(reg)] = value;
    }

    fn jump(&mut self, off: i64) {
        self.pc = usize::try_from(self.pc as i64 + off).expect("jumps were checked");
    }

    /// Runs one instruction.
    pub fn step(&mut self) -> Outcome {
        let raw = self.program.insns[self.pc];
        let wide = raw.code == BPF_LD | BPF_IMM | BPF_DW;
        let Ok(instruction) = probity_isa::decode(&self.program.insns, self.pc) else {
            return Outcome::Stops;
        };
        let here = self.pc;
        self.pc += if wide { 2 } else { 1 };
        match instruction {
            Instruction::Alu { width, op, dst, src } => {
                let value = alu(width, op, self.regs[usize::from(dst)], self.operand(src));
                self.set(dst, value);
            }
            Instruction::Mov { width, dst, src, sign_extend } => {
                let value = self.operand(src);
                let value = sign_extend.map_or(value, |size| extend(value, size));
                self.set(dst, cut(width, value));
            }
            Instruction::Neg { width, dst } => {
                let value = self.regs[usize::from(dst)].wrapping_neg();
                self.set(dst, cut(width, value));
            }
            Instruction::End { swap, bits, dst } => {
                let value = self.regs[usize::from(dst)];
                let unused = 64 - u32::from(bits);
                let value = match swap {
                    Swap::ToLe => value << unused >> unused,
                    _ => value.swap_bytes() >> unused,
                };
                self.set(dst, value);
            }
            Instruction::Load { size, sign_extend, dst, src, off } => {
                return self.load(size, sign_extend, dst, src, off);
            }
            Instruction::Store { size, dst, off, src } => {
                let (address, value) = (self.address(dst, off), self.operand(src));
                return self.written(address, size, value);
            }
            Instruction::Atomic { size, op, fetch, dst, src, off } => {
                return self.atomic(size, op, fetch, dst, src, off);
            }
            Instruction::LoadAcquire { size, dst, src, off } => return self.load(size, false, dst, src, off),
            Instruction::StoreRelease { size, dst, src, off } => {
                let (address, value) = (self.address(dst, off), self.regs[usize::from(src)]);
                return self.written(address, size, value);
            }
            Instruction::LoadImm64 { dst, imm, next_imm, .. } => {
                return self.load_imm(raw.src, dst, imm, next_imm);
            }
            Instruction::Ja { off } => self.jump(i64::from(off)),
            Instruction::Jump { width, op, dst, src, off } => {
                if jumps(width, op, self.regs[usize::from(dst)], self.operand(src)) {
                    self.jump(i64::from(off));
                }
            }
            Instruction::CallHelper { id } => return self.call_helper(id),
            Instruction::CallSubprog { off } => {
                let saved = [6, 7, 8, 9].map(|reg| self.regs[reg]);
                self.callers.push(Caller { callsite: here, saved });
                let depth = self.callers.len();
                let base = self.memory.add(Kind::Stack(depth), STACK, &mut self.rng);
                self.set(10, base + STACK as u64);
                self.jump(i64::from(off));
            }
            Instruction::Exit => {
                let depth = self.callers.len();
                let Some(Caller { callsite, saved }) = self.callers.pop() else { return Outcome::Ends };
                self.memory.regions.retain(|region| region.kind != Kind::Stack(depth));
                self.pc = callsite + 1;
                self.regs[6..10].copy_from_slice(&saved);
                let frame = self.memory.find(Kind::Stack(depth - 1)).map_or(0, |region| region.base);
                self.set(10, frame + STACK as u64);
                self.clobber();
            }
            _ => return Outcome::Stops,
        }
        Outcome::Goes
    }

    /// r1 to r5 hold anything.
    fn clobber(&mut self) {
        for reg in 1..6 {
            self.regs[reg] = self.rng.bits();
        }
    }

    fn load(&mut self, size: Size, sign_extend: bool, dst: u8, src: u8, off: i16) -> Outcome {
        let address = self.address(src, off);
        let bytes = size.bytes() as usize;
        let Some((region, at)) = self.memory.locate(address, bytes) else { return Outcome::Faults };
        if self.memory.regions[region].kind == Kind::Context {
            let packet = self.memory.find(Kind::Packet).map(|packet| (packet.base, packet.bytes.len()));
            if let (Some(fields), Some((base, len))) = (self.context, packet) {
                if at == fields.data as usize {
                    self.set(dst, base);
                    return Outcome::Goes;
                }
                if at == fields.data_end as usize {
                    self.set(dst, base + len as u64);
                    return Outcome::Goes;
                }
            }
        }
        if self.memory.regions[region].kind == Kind::Context && size == Size::Dw && !self.tracing {
            // Other fields of that size are pointers.
            return Outcome::Stops;
        }
        self.loaded(size, sign_extend, dst, address)
    }

    fn loaded(&mut self, size: Size, sign_extend: bool, dst: u8, address: u64) -> Outcome {
        let Some(value) = self.memory.read(address, size.bytes() as usize) else { return Outcome::Faults };
        self.set(dst, if sign_extend { extend(value, size) } else { value });
        Outcome::Goes
    }

    fn written(&mut self, address: u64, size: Size, value: u64) -> Outcome {
        match self.memory.write(address, size.bytes() as usize, value) {
            Some(()) => Outcome::Goes,
            None => Outcome::Faults,
        }
    }

    fn atomic(&mut self, size: Size, op: AtomicOp, fetch: bool, dst: u8, src: u8, off: i16) -> Outcome {
        let address = self.address(dst, off);
        let Some(old) = self.memory.read(address, size.bytes() as usize) else { return Outcome::Faults };
        let operand = self.regs[usize::from(src)];
        let same = old == if size == Size::W { self.regs[0] & 0xffff_ffff } else { self.regs[0] };
        let new = match op {
            AtomicOp::Add => old.wrapping_add(operand),
            AtomicOp::Or => old | operand,
            AtomicOp::And => old & operand,
            AtomicOp::Xor => old ^ operand,
            AtomicOp::Xchg => operand,
            AtomicOp::Cmpxchg if same => operand,
            AtomicOp::Cmpxchg => old,
        };
        match op {
            AtomicOp::Cmpxchg => self.set(0, old),
            _ if fetch => self.set(src, old),
            _ => {}
        }
        self.written(address, size, new)
    }

    fn load_imm(&mut self, pseudo: u8, dst: u8, imm: i32, next_imm: i32) -> Outcome {
        let number = u64::from(imm.cast_unsigned()) | u64::from(next_imm.cast_unsigned()) << 32;
        let value = match pseudo {
            0 => number,
            // A map: any address that is none of ours.
            BPF_PSEUDO_MAP_FD => 0xffff_c900_0000_0000 + number * 0x1000,
            BPF_PSEUDO_MAP_VALUE => {
                let base = self.memory.find(Kind::MapValue(imm as usize)).map_or(0, |region| region.base);
                base + u64::from(next_imm.cast_unsigned())
            }
            _ => return Outcome::Stops,
        };
        self.set(dst, value);
        Outcome::Goes
    }

    fn call_helper(&mut self, id: i32) -> Outcome {
        let result = match id {
            MAP_LOOKUP => match self.look_up() {
                Some(value) => value,
                None => return Outcome::Stops,
            },
            // How many processors there are is known.
            GET_SMP_PROCESSOR_ID => 0,
            // There is no such program.
            TAIL_CALL if self.callers.is_empty() => self.rng.bits(),
            id if NUMBERS.contains(&id) => match self.rng.below(4) {
                0 => 0,
                1 => self.rng.below(100) as u64,
                2 => u64::from(self.rng.bits() as u32),
                _ => self.rng.bits(),
            },
            _ => return Outcome::Stops,
        };
        self.set(0, result);
        self.clobber();
        Outcome::Goes
    }

    /// The value of a key: that of an array when it is in, otherwise by chance.
    fn look_up(&mut self) -> Option<u64> {
        const ARRAY: u32 = 2;
        const OF_MAPS: [u32; 2] = [12, 13];
        let index = (self.regs[1].checked_sub(0xffff_c900_0000_0000)? / 0x1000) as usize;
        let map = self.program.maps.get(index)?;
        if OF_MAPS.contains(&map.map_type) {
            return None;
        }
        let base = self.memory.find(Kind::MapValue(index))?.base;
        let per_cpu_array = 6;
        if map.map_type == ARRAY || map.map_type == per_cpu_array {
            let key = self.memory.read(self.regs[2], 4)?;
            return Some(if key < u64::from(map.max_entries) { base } else { 0 });
        }
        Some(if self.rng.chance(50) { base } else { 0 })
    }
}

fn cut(width: Width, value: u64) -> u64 {
    if width == Width::W32 { value & 0xffff_ffff } else { value }
}

fn extend(value: u64, size: Size) -> u64 {
    let unused = 64 - size.bits();
    ((value << unused).cast_signed() >> unused).cast_unsigned()
}

fn alu(width: Width, op: AluOp, a: u64, b: u64) -> u64 {
    let narrow = width == Width::W32;
    let (a, b) = (cut(width, a), cut(width, b));
    let signed = |x: u64| if narrow { i64::from(x as u32 as i32) } else { x.cast_signed() };
    let amount = (b % u64::from(width.bits())) as u32;
    let result = match op {
        AluOp::Add => a.wrapping_add(b),
        AluOp::Sub => a.wrapping_sub(b),
        AluOp::Mul => a.wrapping_mul(b),
        AluOp::Or => a | b,
        AluOp::And => a & b,
        AluOp::Xor => a ^ b,
        AluOp::Lsh => a << amount,
        AluOp::Rsh => a >> amount,
        AluOp::Arsh => (signed(a) >> amount).cast_unsigned(),
        AluOp::Div => a.checked_div(b).unwrap_or(0),
        AluOp::Mod => a.checked_rem(b).unwrap_or(a),
        AluOp::Sdiv if b == 0 => 0,
        AluOp::Sdiv => signed(a).wrapping_div(signed(b)).cast_unsigned(),
        AluOp::Smod if b == 0 => a,
        AluOp::Smod => signed(a).wrapping_rem(signed(b)).cast_unsigned(),
    };
    cut(width, result)
}

fn jumps(width: Width, op: JumpOp, a: u64, b: u64) -> bool {
    let (a, b) = (cut(width, a), cut(width, b));
    let signed = |x: u64| if width == Width::W32 { i64::from(x as u32 as i32) } else { x.cast_signed() };
    match op {
        JumpOp::Jeq => a == b,
        JumpOp::Jne => a != b,
        JumpOp::Jset => a & b != 0,
        JumpOp::Jgt => a > b,
        JumpOp::Jge => a >= b,
        JumpOp::Jlt => a < b,
        JumpOp::Jle => a <= b,
        JumpOp::Jsgt => signed(a) > signed(b),
        JumpOp::Jsge => signed(a) >= signed(b),
        JumpOp::Jslt => signed(a) < signed(b),
        JumpOp::Jsle => signed(a) <= signed(b),
    }
}
