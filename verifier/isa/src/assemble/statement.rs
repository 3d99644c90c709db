//! One instruction of the text.

use super::line::{Line, Place, Range};
use super::{AssembleError, Field, Position, Problem, Target, value};
use crate::insn::Insn;
use crate::instruction::{Instruction, Source};
use crate::op::{AtomicOp, JumpOp, Size, Width};
use crate::opcode::*;

/// What a line says.
pub(super) enum Statement {
    /// An instruction that is complete.
    Plain(Instruction),
    /// A slot given field by field.
    Raw(Insn),
    /// An instruction in which the distance to a label is missing.
    Jump { instruction: Instruction, field: Field, label: String, at: Position },
}

/// What a piece of a line gives.
pub(super) type Parsed<T> = Result<T, AssembleError>;

/// Reads the instruction that the line holds.
pub(super) fn parse(line: &mut Line) -> Parsed<Statement> {
    if let Some((width, dst)) = line.any_register() {
        return value::assignment(line, width, dst);
    }
    if line.eat("*") {
        return store(line).map(Statement::Plain);
    }
    if line.eat_word("if") {
        return conditional(line);
    }
    if line.eat_word("goto") {
        return jump(line, |off| Instruction::Ja { off: off.into() });
    }
    if line.eat_word("may_goto") {
        return jump(line, |off| Instruction::MayGoto { off });
    }
    if line.eat_word("gotol") {
        return long_jump(line);
    }
    if line.eat_word("call") {
        return call(line);
    }
    if line.eat_word("exit") {
        return Ok(Statement::Plain(Instruction::Exit));
    }
    if line.eat_word("lock") {
        return lock(line).map(Statement::Plain);
    }
    if line.eat_word("store_release") {
        return store_release(line).map(Statement::Plain);
    }
    if line.eat_word("raw") {
        return raw(line).map(Statement::Raw);
    }
    line.expected("an instruction")
}

/// `raw code dst src off imm`.
fn raw(line: &mut Line) -> Parsed<Insn> {
    let code = line.integer("a code of 8 bits")?;
    let dst = line.integer("a register number")?;
    let src = line.integer("a register number")?;
    let off = line.integer("an offset of 16 bits")?;
    let imm = line.immediate(Range::Either)?;
    Ok(Insn::new(code, dst, src, off, imm))
}

/// A jump with an offset of 16 bits.
fn jump(line: &mut Line, make: impl Fn(i16) -> Instruction) -> Parsed<Statement> {
    match line.target()? {
        (Target::Label(label), at) => {
            Ok(Statement::Jump { instruction: make(0), field: Field::Off, label, at })
        }
        (Target::Offset(offset), at) => match i16::try_from(offset) {
            Ok(offset) => Ok(Statement::Plain(make(offset))),
            Err(_) => Err(at.error(Problem::Expected {
                expected: "an offset of 16 bits".to_owned(),
                found: format!("`{offset}`"),
            })),
        },
    }
}

/// `gotol`, in class JMP32 whatever the distance.
fn long_jump(line: &mut Line) -> Parsed<Statement> {
    let slot = |imm| Insn::new(BPF_JMP32 | BPF_JA, 0, 0, 0, imm);
    match line.target()? {
        (Target::Offset(offset), _) => Ok(Statement::Raw(slot(offset))),
        // Any distance over 16 bits makes the long form.
        (Target::Label(label), at) => Ok(Statement::Jump {
            instruction: Instruction::Ja { off: i32::MAX },
            field: Field::Imm,
            label,
            at,
        }),
    }
}

/// `if r1 > 5 goto …`, after `if`.
fn conditional(line: &mut Line) -> Parsed<Statement> {
    let Some((width, dst)) = line.any_register() else {
        return line.expected("a register");
    };
    let Some(op) = line.choice(JumpOp::from_sign) else {
        return line.expected("a condition as `==`, `s<` or `&`");
    };
    let range = match width {
        Width::W32 => Range::Either,
        Width::W64 => Range::SignedOrHex,
    };
    let src = operand(line, width, range)?;
    line.keyword("goto")?;
    jump(line, |off| Instruction::Jump { width, op, dst, src, off })
}

/// A register of this width or a number.
pub(super) fn operand(line: &mut Line, width: Width, range: Range) -> Parsed<Source> {
    if let Ok(reg) = line.register(width) {
        return Ok(Source::Reg(reg));
    }
    line.immediate(range).map(Source::Imm)
}

/// `call …`, after `call`.
fn call(line: &mut Line) -> Parsed<Statement> {
    if line.eat_word("kfunc") {
        let id = numbered(line)?;
        return Ok(Statement::Plain(Instruction::CallKfunc { id, off: 0 }));
    }
    if line.is_number() && !line.eat("+") {
        let id = line.immediate(Range::Either)?;
        return Ok(Statement::Plain(Instruction::CallHelper { id }));
    }
    let (label, at) = match line.target()? {
        (Target::Offset(off), _) => {
            return Ok(Statement::Plain(Instruction::CallSubprog { off }));
        }
        (Target::Label(label), at) => (label, at),
    };
    if line.eat("#") {
        let id = line.immediate(Range::Signed)?;
        return Ok(Statement::Plain(Instruction::CallHelper { id }));
    }
    Ok(Statement::Jump { instruction: Instruction::CallSubprog { off: 0 }, field: Field::Call, label, at })
}

/// `name#5` or `5`: the name is for the reader.
fn numbered(line: &mut Line) -> Parsed<i32> {
    if line.word(|_| Some(())).is_some() {
        line.sign("#")?;
    }
    line.immediate(Range::Signed)
}

/// `*(u64 *)(r10 -8) = r1`, after the first star.
fn store(line: &mut Line) -> Parsed<Instruction> {
    let place = unsigned_place(line)?;
    line.sign("=")?;
    let range = match place.size {
        Size::Dw => Range::Signed,
        _ => Range::Either,
    };
    Ok(Instruction::Store {
        size: place.size,
        dst: place.reg,
        off: place.off,
        src: operand(line, Width::W64, range)?,
    })
}

/// Memory that is not read with a sign.
pub(super) fn unsigned_place(line: &mut Line) -> Parsed<Place> {
    let start = line.mark();
    let (signed, size) = line.pointer()?;
    if signed {
        return line.expected_at(start + 1, "a size without sign: `u8` to `u64`");
    }
    line.place_after(false, size)
}

/// Memory of an atomic operation: 4 or 8 bytes.
fn atomic_place(line: &mut Line) -> Parsed<Place> {
    let start = line.mark();
    let place = unsigned_place(line)?;
    match place.size {
        Size::W | Size::Dw => Ok(place),
        Size::B | Size::H => line.expected_at(start + 1, "a size of atomics: `u32` or `u64`"),
    }
}

/// `lock *(u64 *)(r1 +0) += r2`, after `lock`.
fn lock(line: &mut Line) -> Parsed<Instruction> {
    line.sign("*")?;
    let place = atomic_place(line)?;
    let Some(op) = line.choice(AtomicOp::from_sign) else {
        return line.expected("`+=`, `|=`, `&=` or `^=`");
    };
    let src = line.register(Width::W64)?;
    Ok(atomic(place, op, false, src))
}

/// An atomic read-modify-write.
pub(super) fn atomic(place: Place, op: AtomicOp, fetch: bool, src: u8) -> Instruction {
    Instruction::Atomic { size: place.size, op, fetch, dst: place.reg, src, off: place.off }
}

/// `store_release((u8 *)(r1 +0), r2)`, after the name.
fn store_release(line: &mut Line) -> Parsed<Instruction> {
    line.sign("(")?;
    let place = unsigned_place(line)?;
    line.sign(",")?;
    let src = line.register(Width::W64)?;
    line.sign(")")?;
    Ok(Instruction::StoreRelease { size: place.size, dst: place.reg, src, off: place.off })
}
