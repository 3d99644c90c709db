//! The instructions that give a register a value: everything that starts with a register.

use super::line::{Line, Range, sized};
use super::statement::{Parsed, Statement, atomic, operand, unsigned_place};
use super::{Field, Target};
use crate::instruction::{Instruction, Source, Swap};
use crate::op::{AluOp, AtomicOp, Size, Width};
use crate::opcode::*;

/// The rest of a line after a register.
pub(super) fn assignment(line: &mut Line, width: Width, dst: u8) -> Parsed<Statement> {
    if let Some(op) = line.choice(AluOp::from_sign) {
        let src = operand(line, width, immediate_range(width))?;
        return Ok(Statement::Plain(Instruction::Alu { width, op, dst, src }));
    }
    if !line.eat("=") {
        return line.expected("`=` or an operator as `+=`");
    }
    if let Ok(reg) = line.register(width) {
        return Ok(Statement::Plain(mov(width, dst, Source::Reg(reg), None)));
    }
    if line.eat("(") {
        return sign_extension(line, width, dst).map(Statement::Plain);
    }
    if let Some(instruction) = negation(line, width, dst)? {
        return Ok(Statement::Plain(instruction));
    }
    if width == Width::W32 {
        let imm = line.immediate(Range::Either)?;
        return Ok(Statement::Plain(mov(width, dst, Source::Imm(imm), None)));
    }
    wide_assignment(line, dst)
}

/// Which immediates an arithmetic instruction takes.
fn immediate_range(width: Width) -> Range {
    match width {
        Width::W32 => Range::Either,
        Width::W64 => Range::Signed,
    }
}

fn mov(width: Width, dst: u8, src: Source, sign_extend: Option<Size>) -> Instruction {
    Instruction::Mov { width, dst, src, sign_extend }
}

/// `s8)r2`: the rest of a move with sign extension.
fn sign_extension(line: &mut Line, width: Width, dst: u8) -> Parsed<Instruction> {
    let narrower = |word: &str| match (sized(word)?, width) {
        ((true, size @ (Size::B | Size::H)), _) | ((true, size @ Size::W), Width::W64) => Some(size),
        _ => None,
    };
    let Some(size) = line.word(narrower) else {
        return line.expected("a size `s8` or `s16`, or with 64 bits `s32`");
    };
    line.sign(")")?;
    let src = line.register(width)?;
    Ok(mov(width, dst, Source::Reg(src), Some(size)))
}

/// `-r1`, if that is next; the register is the same on both sides.
fn negation(line: &mut Line, width: Width, dst: u8) -> Parsed<Option<Instruction>> {
    if !line.negated_word() {
        return Ok(None);
    }
    same_register(line, width, dst)?;
    Ok(Some(Instruction::Neg { width, dst }))
}

/// The register that is also on the left.
fn same_register(line: &mut Line, width: Width, dst: u8) -> Parsed<()> {
    let start = line.mark();
    if line.register(width)? == dst {
        return Ok(());
    }
    let letter = match width {
        Width::W32 => 'w',
        Width::W64 => 'r',
    };
    line.expected_at(start, &format!("`{letter}{dst}`, as on the left"))
}

/// What only a 64-bit register can be given: everything but moves and negation.
fn wide_assignment(line: &mut Line, dst: u8) -> Parsed<Statement> {
    if line.eat("*") {
        return load(line, dst).map(Statement::Plain);
    }
    if let Some((swap, bits)) = line.word(byte_swap) {
        same_register(line, Width::W64, dst)?;
        return Ok(Statement::Plain(Instruction::End { swap, bits, dst }));
    }
    if line.eat_word("addr_space_cast") {
        return address_space_cast(line, dst).map(Statement::Plain);
    }
    if line.eat_word("load_acquire") {
        line.sign("(")?;
        let place = unsigned_place(line)?;
        line.sign(")")?;
        return Ok(Statement::Plain(Instruction::LoadAcquire {
            size: place.size,
            dst,
            src: place.reg,
            off: place.off,
        }));
    }
    if let Some((size, op)) = line.word(fetching) {
        return fetch(line, dst, size, op).map(Statement::Plain);
    }
    if line.eat_word("func") {
        return function(line, dst);
    }
    if let Some((pseudo, offset)) = line.word(pseudo_source) {
        let (imm, next_imm) = object(line, offset)?;
        return Ok(Statement::Plain(Instruction::LoadImm64 { dst, pseudo, imm, next_imm }));
    }
    number(line, dst).map(Statement::Plain)
}

/// `5`, or `0x123456789 ll`.
fn number(line: &mut Line, dst: u8) -> Parsed<Instruction> {
    let start = line.mark();
    if let Some(value) = line.wide()
        && line.eat_word("ll")
    {
        return Ok(Instruction::LoadImm64 {
            dst,
            pseudo: 0,
            imm: value as i32,
            next_imm: (value >> 32) as i32,
        });
    }
    line.restore(start);
    if !line.is_number() {
        return line.expected("a value: a register, a number, memory or an operation");
    }
    let imm = line.immediate(Range::Signed)?;
    Ok(mov(Width::W64, dst, Source::Imm(imm), None))
}

/// The words that stand before `[…] ll`, and whether an offset may follow.
fn pseudo_source(word: &str) -> Option<(u8, bool)> {
    match word {
        "map" => Some((BPF_PSEUDO_MAP_FD, false)),
        "map_value" => Some((BPF_PSEUDO_MAP_VALUE, true)),
        "btf" => Some((BPF_PSEUDO_BTF_ID, true)),
        "map_idx" => Some((BPF_PSEUDO_MAP_IDX, false)),
        "map_idx_value" => Some((BPF_PSEUDO_MAP_IDX_VALUE, true)),
        _ => None,
    }
}

/// `[0] + 8 ll`: the two immediates.
fn object(line: &mut Line, offset: bool) -> Parsed<(i32, i32)> {
    line.sign("[")?;
    let imm = line.immediate(Range::Either)?;
    line.sign("]")?;
    let next_imm = if offset { addend(line)? } else { 0 };
    line.keyword("ll")?;
    Ok((imm, next_imm))
}

/// `+ 8`, `+ -8`, `- 8` or nothing.
fn addend(line: &mut Line) -> Parsed<i32> {
    if line.is_number() {
        return line.immediate(Range::Either);
    }
    if line.eat("+") {
        return line.immediate(Range::Either);
    }
    Ok(0)
}

/// `[name] ll` or `[pc+5] ll`, after `func`.
fn function(line: &mut Line, dst: u8) -> Parsed<Statement> {
    line.sign("[")?;
    let (target, at) = line.target()?;
    line.sign("]")?;
    let next_imm = addend(line)?;
    line.keyword("ll")?;
    let load = |imm| Instruction::LoadImm64 { dst, pseudo: BPF_PSEUDO_FUNC, imm, next_imm };
    Ok(match target {
        Target::Offset(offset) => Statement::Plain(load(offset)),
        Target::Label(label) => Statement::Jump { instruction: load(0), field: Field::Imm, label, at },
    })
}

/// `(u32 *)(r2 +4)` or `(u32 *)skb[…]`, after the star.
fn load(line: &mut Line, dst: u8) -> Parsed<Instruction> {
    let start = line.mark();
    let (signed, size) = line.pointer()?;
    if signed && size == Size::Dw {
        return line.expected_at(start + 1, "a size `s8` to `s32` or `u8` to `u64`");
    }
    if !line.eat_word("skb") {
        let place = line.place_after(signed, size)?;
        return Ok(Instruction::Load {
            size,
            sign_extend: place.signed,
            dst,
            src: place.reg,
            off: place.off,
        });
    }
    if signed || size == Size::Dw || dst != 0 {
        return line.expected_at(start + 1, "`u8`, `u16` or `u32`, and `r0` on the left");
    }
    line.sign("[")?;
    let register = line.register(Width::W64).ok();
    let imm = if register.is_some() { addend(line)? } else { line.immediate(Range::Either)? };
    line.sign("]")?;
    Ok(match register {
        Some(src) => Instruction::LoadInd { size, src, imm },
        None => Instruction::LoadAbs { size, imm },
    })
}

/// `be16`, `le32`, `bswap64` and the like.
fn byte_swap(word: &str) -> Option<(Swap, u8)> {
    let swaps = [("le", Swap::ToLe), ("be", Swap::ToBe), ("bswap", Swap::Unconditional)];
    let find = |(name, swap)| Some((swap, word.strip_prefix(name)?));
    let (swap, bits) = swaps.into_iter().find_map(find)?;
    match bits {
        "16" => Some((swap, 16)),
        "32" => Some((swap, 32)),
        "64" => Some((swap, 64)),
        _ => None,
    }
}

/// `(r2, 0, 1)`.
fn address_space_cast(line: &mut Line, dst: u8) -> Parsed<Instruction> {
    line.sign("(")?;
    let src = line.register(Width::W64)?;
    line.sign(",")?;
    let to = line.integer("an address space of 16 bits")?;
    line.sign(",")?;
    let from = line.integer("an address space of 16 bits")?;
    line.sign(")")?;
    Ok(Instruction::AddrSpaceCast { dst, src, to, from })
}

/// `atomic64_fetch_add`, `atomic_xchg` and the like.
fn fetching(word: &str) -> Option<(Size, AtomicOp)> {
    let (size, name) = match word.strip_prefix("atomic64_") {
        Some(name) => (Size::Dw, name),
        None => (Size::W, word.strip_prefix("atomic_")?),
    };
    let op = match name.strip_prefix("fetch_") {
        Some(name) => AtomicOp::from_name(name).filter(|op| !op.sign().is_empty()),
        None => AtomicOp::from_name(name).filter(|op| op.sign().is_empty()),
    };
    Some((size, op?))
}

/// `((u64 *)(r1 +0), r2)`, for compare and exchange `((u64 *)(r1 +0), r0, r2)`.
fn fetch(line: &mut Line, dst: u8, size: Size, op: AtomicOp) -> Parsed<Instruction> {
    line.sign("(")?;
    let start = line.mark();
    let place = unsigned_place(line)?;
    if place.size != size {
        let bits = size.bits();
        return line.expected_at(start + 1, &format!("the size of the operation, `u{bits}`"));
    }
    line.sign(",")?;
    let src = if op == AtomicOp::Cmpxchg {
        same_register(line, Width::W64, dst)?;
        if dst != 0 {
            return line.expected_at(start, "`r0` on the left: the old value goes there");
        }
        line.sign(",")?;
        line.register(Width::W64)?
    } else {
        same_register(line, Width::W64, dst)?;
        dst
    };
    line.sign(")")?;
    Ok(atomic(place, op, true, src))
}
