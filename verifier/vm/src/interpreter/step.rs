//! The step function.

use std::sync::atomic::{Ordering, fence};

use probity_isa::Size;

use super::arithmetic::{div32, div64, mod32, mod64, sdiv32, sdiv64, smod32, smod64};
use super::decode::{Code, Insn, size, unpack};
use super::machine::Machine;
use super::memory::Memory;
use crate::run::Run;

/// Why the loop stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The program returned; r0 is its value.
    Done,
    /// The run is over: [`Run::failure`] says why.
    Left,
}

/// The registers: 11, and room so that any index fits.
pub(crate) type Regs = [u64; 16];

/// Runs the instruction at `pc` of `code`, the program that is on; gives the next slot.
#[inline(always)]
pub(crate) fn step<'u, M: Memory, const FUEL: bool>(
    machine: &mut Machine<'u, M>,
    run: &mut Run<'u>,
    regs: &mut Regs,
    code: &mut &'u [Insn],
    pc: usize,
) -> Result<usize, Stop> {
    let unit = machine.unit;
    let Some(&insn) = code.get(pc) else { return Err(machine.memory.nowhere(run, unit, pc)) };
    machine.memory.before(unit, pc, regs, run)?;
    let (dst, src) = (usize::from(insn.dst & 15), usize::from(insn.src & 15));
    let imm = insn.imm;
    let next = pc + 1;

    macro_rules! alu64 {
        ($value:expr) => {{
            regs[dst] = $value;
            Ok(next)
        }};
    }
    macro_rules! alu32 {
        ($value:expr) => {{
            regs[dst] = u64::from($value);
            Ok(next)
        }};
    }
    let (x32, y32, i32_) = (regs[dst] as u32, regs[src] as u32, imm as u32);
    let (x, y) = (regs[dst], regs[src]);
    macro_rules! jump {
        ($holds:expr) => {{
            if $holds {
                let target = insn.off.cast_unsigned() as usize;
                if FUEL && target <= pc {
                    machine.burn(run)?;
                }
                Ok(target)
            } else {
                Ok(next)
            }
        }};
    }
    macro_rules! load {
        ($size:expr, $value:ident => $extended:expr) => {{
            let address = y.wrapping_add(i64::from(insn.off).cast_unsigned());
            let $value = machine.memory.load(run, address, $size)?;
            regs[dst] = $extended;
            Ok(next)
        }};
    }
    macro_rules! store {
        ($size:expr, $value:expr) => {{
            let address = x.wrapping_add(i64::from(insn.off).cast_unsigned());
            machine.memory.store(run, address, $size, $value)?;
            Ok(next)
        }};
    }
    match insn.code {
        Code::Dead => Err(machine.memory.nowhere(run, machine.unit, pc)),
        Code::Nop => Ok(next),
        Code::Add64R => alu64!(x.wrapping_add(y)),
        Code::Add64I => alu64!(x.wrapping_add(imm)),
        Code::Sub64R => alu64!(x.wrapping_sub(y)),
        Code::Sub64I => alu64!(x.wrapping_sub(imm)),
        Code::Mul64R => alu64!(x.wrapping_mul(y)),
        Code::Mul64I => alu64!(x.wrapping_mul(imm)),
        Code::Div64R => alu64!(div64(x, y)),
        Code::Div64I => alu64!(div64(x, imm)),
        Code::Or64R => alu64!(x | y),
        Code::Or64I => alu64!(x | imm),
        Code::And64R => alu64!(x & y),
        Code::And64I => alu64!(x & imm),
        Code::Lsh64R => alu64!(x.wrapping_shl(y as u32)),
        Code::Lsh64I => alu64!(x.wrapping_shl(imm as u32)),
        Code::Rsh64R => alu64!(x.wrapping_shr(y as u32)),
        Code::Rsh64I => alu64!(x.wrapping_shr(imm as u32)),
        Code::Mod64R => alu64!(mod64(x, y)),
        Code::Mod64I => alu64!(mod64(x, imm)),
        Code::Xor64R => alu64!(x ^ y),
        Code::Xor64I => alu64!(x ^ imm),
        Code::Arsh64R => alu64!(x.cast_signed().wrapping_shr(y as u32).cast_unsigned()),
        Code::Arsh64I => alu64!(x.cast_signed().wrapping_shr(imm as u32).cast_unsigned()),
        Code::Sdiv64R => alu64!(sdiv64(x, y)),
        Code::Sdiv64I => alu64!(sdiv64(x, imm)),
        Code::Smod64R => alu64!(smod64(x, y)),
        Code::Smod64I => alu64!(smod64(x, imm)),
        Code::Add32R => alu32!(x32.wrapping_add(y32)),
        Code::Add32I => alu32!(x32.wrapping_add(i32_)),
        Code::Sub32R => alu32!(x32.wrapping_sub(y32)),
        Code::Sub32I => alu32!(x32.wrapping_sub(i32_)),
        Code::Mul32R => alu32!(x32.wrapping_mul(y32)),
        Code::Mul32I => alu32!(x32.wrapping_mul(i32_)),
        Code::Div32R => alu32!(div32(x32, y32)),
        Code::Div32I => alu32!(div32(x32, i32_)),
        Code::Or32R => alu32!(x32 | y32),
        Code::Or32I => alu32!(x32 | i32_),
        Code::And32R => alu32!(x32 & y32),
        Code::And32I => alu32!(x32 & i32_),
        Code::Lsh32R => alu32!(x32.wrapping_shl(y32)),
        Code::Lsh32I => alu32!(x32.wrapping_shl(i32_)),
        Code::Rsh32R => alu32!(x32.wrapping_shr(y32)),
        Code::Rsh32I => alu32!(x32.wrapping_shr(i32_)),
        Code::Mod32R => alu32!(mod32(x32, y32)),
        Code::Mod32I => alu32!(mod32(x32, i32_)),
        Code::Xor32R => alu32!(x32 ^ y32),
        Code::Xor32I => alu32!(x32 ^ i32_),
        Code::Arsh32R => alu32!(x32.cast_signed().wrapping_shr(y32).cast_unsigned()),
        Code::Arsh32I => alu32!(x32.cast_signed().wrapping_shr(i32_).cast_unsigned()),
        Code::Sdiv32R => alu32!(sdiv32(x32, y32)),
        Code::Sdiv32I => alu32!(sdiv32(x32, i32_)),
        Code::Smod32R => alu32!(smod32(x32, y32)),
        Code::Smod32I => alu32!(smod32(x32, i32_)),
        Code::Mov64 => alu64!(y),
        Code::Mov32 => alu32!(y32),
        Code::MovI => alu64!(imm),
        Code::Movsx8 => alu64!(i64::from(y as i8).cast_unsigned()),
        Code::Movsx16 => alu64!(i64::from(y as i16).cast_unsigned()),
        Code::Movsx32 => alu64!(i64::from(y as i32).cast_unsigned()),
        Code::Movsx8To32 => alu32!(i32::from(y as i8).cast_unsigned()),
        Code::Movsx16To32 => alu32!(i32::from(y as i16).cast_unsigned()),
        Code::Const => {
            regs[dst] = imm;
            Ok(pc + 2)
        }
        Code::Func => {
            regs[dst] = machine.function_value(insn.off.cast_unsigned());
            Ok(pc + 2)
        }
        Code::Neg64 => alu64!(x.wrapping_neg()),
        Code::Neg32 => alu32!(x32.wrapping_neg()),
        Code::Swap16 => alu64!(u64::from((x as u16).swap_bytes())),
        Code::Swap32 => alu32!(x32.swap_bytes()),
        Code::Swap64 => alu64!(x.swap_bytes()),
        Code::Cut16 => alu64!(x & 0xffff),
        Code::Cut32 => alu64!(x & 0xffff_ffff),
        Code::Load8 => load!(Size::B, value => value),
        Code::Load16 => load!(Size::H, value => value),
        Code::Load32 => load!(Size::W, value => value),
        Code::Load64 => load!(Size::Dw, value => value),
        Code::LoadS8 => load!(Size::B, value => i64::from(value as i8).cast_unsigned()),
        Code::LoadS16 => load!(Size::H, value => i64::from(value as i16).cast_unsigned()),
        Code::LoadS32 => load!(Size::W, value => i64::from(value as i32).cast_unsigned()),
        Code::Store8R => store!(Size::B, y),
        Code::Store16R => store!(Size::H, y),
        Code::Store32R => store!(Size::W, y),
        Code::Store64R => store!(Size::Dw, y),
        Code::Store8I => store!(Size::B, imm),
        Code::Store16I => store!(Size::H, imm),
        Code::Store32I => store!(Size::W, imm),
        Code::Store64I => store!(Size::Dw, imm),
        Code::Atomic => {
            let (size, op, fetch) = unpack(imm);
            let address = x.wrapping_add(i64::from(insn.off).cast_unsigned());
            let old = machine.memory.atomic(run, address, size, op, y, regs[0])?;
            match op {
                probity_isa::AtomicOp::Cmpxchg => regs[0] = old,
                _ if fetch => regs[src] = old,
                _ => {}
            }
            Ok(next)
        }
        Code::LoadAcquire => {
            let address = y.wrapping_add(i64::from(insn.off).cast_unsigned());
            regs[dst] = machine.memory.load(run, address, size(imm))?;
            fence(Ordering::Acquire);
            Ok(next)
        }
        Code::StoreRelease => {
            fence(Ordering::Release);
            store!(size(imm), y)
        }
        Code::LoadPacket => {
            let index = if insn.dst == 1 { y32 } else { 0 };
            let next = machine.load_packet(run, regs, index, insn.off, size(imm), pc);
            *code = &machine.unit.decoded.insns;
            next
        }
        Code::Ja => jump!(true),
        Code::Jeq64R => jump!(x == y),
        Code::Jeq64I => jump!(x == imm),
        Code::Jgt64R => jump!(x > y),
        Code::Jgt64I => jump!(x > imm),
        Code::Jge64R => jump!(x >= y),
        Code::Jge64I => jump!(x >= imm),
        Code::Jset64R => jump!(x & y != 0),
        Code::Jset64I => jump!(x & imm != 0),
        Code::Jne64R => jump!(x != y),
        Code::Jne64I => jump!(x != imm),
        Code::Jsgt64R => jump!(x.cast_signed() > y.cast_signed()),
        Code::Jsgt64I => jump!(x.cast_signed() > imm.cast_signed()),
        Code::Jsge64R => jump!(x.cast_signed() >= y.cast_signed()),
        Code::Jsge64I => jump!(x.cast_signed() >= imm.cast_signed()),
        Code::Jlt64R => jump!(x < y),
        Code::Jlt64I => jump!(x < imm),
        Code::Jle64R => jump!(x <= y),
        Code::Jle64I => jump!(x <= imm),
        Code::Jslt64R => jump!(x.cast_signed() < y.cast_signed()),
        Code::Jslt64I => jump!(x.cast_signed() < imm.cast_signed()),
        Code::Jsle64R => jump!(x.cast_signed() <= y.cast_signed()),
        Code::Jsle64I => jump!(x.cast_signed() <= imm.cast_signed()),
        Code::Jeq32R => jump!(x32 == y32),
        Code::Jeq32I => jump!(x32 == i32_),
        Code::Jgt32R => jump!(x32 > y32),
        Code::Jgt32I => jump!(x32 > i32_),
        Code::Jge32R => jump!(x32 >= y32),
        Code::Jge32I => jump!(x32 >= i32_),
        Code::Jset32R => jump!(x32 & y32 != 0),
        Code::Jset32I => jump!(x32 & i32_ != 0),
        Code::Jne32R => jump!(x32 != y32),
        Code::Jne32I => jump!(x32 != i32_),
        Code::Jsgt32R => jump!(x32.cast_signed() > y32.cast_signed()),
        Code::Jsgt32I => jump!(x32.cast_signed() > i32_.cast_signed()),
        Code::Jsge32R => jump!(x32.cast_signed() >= y32.cast_signed()),
        Code::Jsge32I => jump!(x32.cast_signed() >= i32_.cast_signed()),
        Code::Jlt32R => jump!(x32 < y32),
        Code::Jlt32I => jump!(x32 < i32_),
        Code::Jle32R => jump!(x32 <= y32),
        Code::Jle32I => jump!(x32 <= i32_),
        Code::Jslt32R => jump!(x32.cast_signed() < y32.cast_signed()),
        Code::Jslt32I => jump!(x32.cast_signed() < i32_.cast_signed()),
        Code::Jsle32R => jump!(x32.cast_signed() <= y32.cast_signed()),
        Code::Jsle32I => jump!(x32.cast_signed() <= i32_.cast_signed()),
        Code::MayGoto => {
            if run.loops == 0 {
                return Ok(insn.off.cast_unsigned() as usize);
            }
            run.loops -= 1;
            Ok(next)
        }
        Code::Call => {
            if FUEL {
                machine.burn(run)?;
            }
            machine.call(run, regs, insn.off.cast_unsigned(), pc)
        }
        Code::CallRegister => {
            if FUEL {
                machine.burn(run)?;
            }
            machine.call_register(run, regs, x, pc)
        }
        Code::TailCall => {
            if FUEL {
                machine.burn(run)?;
            }
            let next = machine.tail_call(run, regs, insn.off.cast_unsigned(), pc);
            *code = &machine.unit.decoded.insns;
            next
        }
        Code::CallSubprog => {
            if FUEL {
                machine.burn(run)?;
            }
            machine.call_subprog(run, regs, insn.off.cast_unsigned() as usize, pc)
        }
        Code::Exit => {
            let next = machine.exit(run, regs);
            *code = &machine.unit.decoded.insns;
            next
        }
    }
}
