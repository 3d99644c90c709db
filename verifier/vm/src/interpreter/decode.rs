//! Instructions as the step function wants them: 16 bytes each, one code for each combination of
//! operator, width and operand, at the slot where they stand.

use probity_isa::{AluOp, AtomicOp, JumpOp, Size, Source, Swap, Width};

use crate::op::Op;

/// An instruction.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Insn {
    pub(crate) code: Code,
    pub(crate) dst: u8,
    pub(crate) src: u8,
    /// The offset of an access, the slot of a jump, the index of a call.
    pub(crate) off: i32,
    /// The immediate, extended.
    pub(crate) imm: u64,
}

/// The instructions of a unit.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) insns: Vec<Insn>,
}

macro_rules! codes {
    ($($name:ident)*) => {
        /// What an instruction does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Code { $($name,)* }
    };
}

codes! {
    Dead Nop
    Add64R Add64I Sub64R Sub64I Mul64R Mul64I Div64R Div64I Or64R Or64I And64R And64I
    Lsh64R Lsh64I Rsh64R Rsh64I Mod64R Mod64I Xor64R Xor64I Arsh64R Arsh64I
    Sdiv64R Sdiv64I Smod64R Smod64I
    Add32R Add32I Sub32R Sub32I Mul32R Mul32I Div32R Div32I Or32R Or32I And32R And32I
    Lsh32R Lsh32I Rsh32R Rsh32I Mod32R Mod32I Xor32R Xor32I Arsh32R Arsh32I
    Sdiv32R Sdiv32I Smod32R Smod32I
    Mov64 Mov32 MovI Movsx8 Movsx16 Movsx32 Movsx8To32 Movsx16To32 Const Func
    Neg64 Neg32 Swap16 Swap32 Swap64 Cut16 Cut32
    Load8 Load16 Load32 Load64 LoadS8 LoadS16 LoadS32
    Store8R Store16R Store32R Store64R Store8I Store16I Store32I Store64I
    Atomic LoadAcquire StoreRelease LoadPacket
    Ja
    Jeq64R Jeq64I Jgt64R Jgt64I Jge64R Jge64I Jset64R Jset64I Jne64R Jne64I Jsgt64R Jsgt64I
    Jsge64R Jsge64I Jlt64R Jlt64I Jle64R Jle64I Jslt64R Jslt64I Jsle64R Jsle64I
    Jeq32R Jeq32I Jgt32R Jgt32I Jge32R Jge32I Jset32R Jset32I Jne32R Jne32I Jsgt32R Jsgt32I
    Jsge32R Jsge32I Jlt32R Jlt32I Jle32R Jle32I Jslt32R Jslt32I Jsle32R Jsle32I
    MayGoto Call CallRegister TailCall CallSubprog Exit
}

impl Decoded {
    pub(crate) fn new(ops: &[Op]) -> Decoded {
        Decoded { insns: ops.iter().map(decode).collect() }
    }
}

fn insn(code: Code, dst: u8, src: u8, off: i32, imm: u64) -> Insn {
    Insn { code, dst, src, off, imm }
}

fn decode(op: &Op) -> Insn {
    match *op {
        Op::Dead => insn(Code::Dead, 0, 0, 0, 0),
        Op::Nop => insn(Code::Nop, 0, 0, 0, 0),
        Op::Alu { width, op, dst, src } => {
            let (reg, imm) = operand(width, src);
            insn(alu(width, op, matches!(src, Source::Reg(_))), dst, reg, 0, imm)
        }
        Op::Mov { width, dst, src: src @ Source::Imm(_), .. } => {
            insn(Code::MovI, dst, 0, 0, operand(width, src).1)
        }
        Op::Mov { width, dst, src: Source::Reg(src), sign_extend } => {
            let code = match (width, sign_extend) {
                (Width::W64, None | Some(Size::Dw)) => Code::Mov64,
                (Width::W32, None | Some(Size::W | Size::Dw)) => Code::Mov32,
                (Width::W64, Some(Size::B)) => Code::Movsx8,
                (Width::W64, Some(Size::H)) => Code::Movsx16,
                (Width::W64, Some(Size::W)) => Code::Movsx32,
                (Width::W32, Some(Size::B)) => Code::Movsx8To32,
                (Width::W32, Some(Size::H)) => Code::Movsx16To32,
            };
            insn(code, dst, src, 0, 0)
        }
        Op::Neg { width: Width::W64, dst } => insn(Code::Neg64, dst, 0, 0, 0),
        Op::Neg { width: Width::W32, dst } => insn(Code::Neg32, dst, 0, 0, 0),
        Op::End { swap, bits, dst } => insn(end(swap, bits), dst, 0, 0, 0),
        Op::Const { dst, value } => insn(Code::Const, dst, 0, 0, value),
        Op::Func { dst, target } => insn(Code::Func, dst, 0, target.cast_signed(), 0),
        Op::Load { size, sign_extend, dst, src, off } => {
            let code = match (size, sign_extend) {
                (Size::B, false) => Code::Load8,
                (Size::H, false) => Code::Load16,
                (Size::W, false) => Code::Load32,
                (Size::Dw, _) => Code::Load64,
                (Size::B, true) => Code::LoadS8,
                (Size::H, true) => Code::LoadS16,
                (Size::W, true) => Code::LoadS32,
            };
            insn(code, dst, src, off, 0)
        }
        Op::Store { size, dst, off, src } => {
            let (reg, imm) = operand(Width::W64, src);
            let code = match (size, src) {
                (Size::B, Source::Reg(_)) => Code::Store8R,
                (Size::H, Source::Reg(_)) => Code::Store16R,
                (Size::W, Source::Reg(_)) => Code::Store32R,
                (Size::Dw, Source::Reg(_)) => Code::Store64R,
                (Size::B, Source::Imm(_)) => Code::Store8I,
                (Size::H, Source::Imm(_)) => Code::Store16I,
                (Size::W, Source::Imm(_)) => Code::Store32I,
                (Size::Dw, Source::Imm(_)) => Code::Store64I,
            };
            insn(code, dst, reg, off, imm)
        }
        Op::Atomic { size, op, fetch, dst, src, off } => {
            insn(Code::Atomic, dst, src, off, pack(size, op, fetch))
        }
        Op::LoadAcquire { size, dst, src, off } => insn(Code::LoadAcquire, dst, src, off, size as u64),
        Op::StoreRelease { size, dst, src, off } => insn(Code::StoreRelease, dst, src, off, size as u64),
        Op::LoadPacket { size, index, imm } => {
            insn(Code::LoadPacket, u8::from(index.is_some()), index.unwrap_or(0), imm, size as u64)
        }
        Op::Ja { target } => insn(Code::Ja, 0, 0, target.cast_signed(), 0),
        Op::Jump { width, op, dst, src, target } => {
            let (reg, imm) = operand(width, src);
            insn(jump(width, op, matches!(src, Source::Reg(_))), dst, reg, target.cast_signed(), imm)
        }
        Op::CallRegister { reg } => insn(Code::CallRegister, reg, 0, 0, 0),
        Op::MayGoto { target } => insn(Code::MayGoto, 0, 0, target.cast_signed(), 0),
        Op::Call { site } => insn(Code::Call, 0, 0, site.cast_signed(), 0),
        Op::TailCall { site } => insn(Code::TailCall, 0, 0, site.cast_signed(), 0),
        Op::CallSubprog { target } => insn(Code::CallSubprog, 0, 0, target.cast_signed(), 0),
        Op::Exit => insn(Code::Exit, 0, 0, 0, 0),
    }
}

/// Register and immediate of a source; an immediate of 32 bits does not extend beyond them.
fn operand(width: Width, src: Source) -> (u8, u64) {
    match (src, width) {
        (Source::Reg(reg), _) => (reg, 0),
        (Source::Imm(imm), Width::W64) => (0, i64::from(imm).cast_unsigned()),
        (Source::Imm(imm), Width::W32) => (0, imm.cast_unsigned().into()),
    }
}

/// Size, operator and fetch in the immediate of an atomic instruction.
fn pack(size: Size, op: AtomicOp, fetch: bool) -> u64 {
    size as u64 | (op as u64) << 8 | u64::from(fetch) << 16
}

/// What [`pack`] packed.
#[inline]
pub(crate) fn unpack(imm: u64) -> (Size, AtomicOp, bool) {
    const OPS: [AtomicOp; 8] = [
        AtomicOp::Add,
        AtomicOp::Or,
        AtomicOp::And,
        AtomicOp::Xor,
        AtomicOp::Xchg,
        AtomicOp::Cmpxchg,
        AtomicOp::Cmpxchg,
        AtomicOp::Cmpxchg,
    ];
    (size(imm & 0xff), OPS[(imm >> 8 & 7) as usize], imm >> 16 & 1 == 1)
}

/// The size with a discriminant.
#[inline]
pub(crate) fn size(index: u64) -> Size {
    [Size::B, Size::H, Size::W, Size::Dw][(index & 3) as usize]
}

fn end(swap: Swap, bits: u8) -> Code {
    let keeps = match swap {
        Swap::ToLe => cfg!(target_endian = "little"),
        Swap::ToBe => cfg!(target_endian = "big"),
        Swap::Unconditional => false,
    };
    match (keeps, bits) {
        (true, 16) => Code::Cut16,
        (true, 32) => Code::Cut32,
        (true, _) => Code::Nop,
        (false, 16) => Code::Swap16,
        (false, 32) => Code::Swap32,
        (false, _) => Code::Swap64,
    }
}

macro_rules! by_operand {
    ($width:expr, $op:expr, $reg:expr, $kind:ident, $($name:ident $r64:ident $i64:ident $r32:ident $i32:ident)*) => {
        match ($op, $width, $reg) {
            $(
                ($kind::$name, Width::W64, true) => Code::$r64,
                ($kind::$name, Width::W64, false) => Code::$i64,
                ($kind::$name, Width::W32, true) => Code::$r32,
                ($kind::$name, Width::W32, false) => Code::$i32,
            )*
        }
    };
}

fn alu(width: Width, op: AluOp, reg: bool) -> Code {
    by_operand!(width, op, reg, AluOp,
        Add Add64R Add64I Add32R Add32I
        Sub Sub64R Sub64I Sub32R Sub32I
        Mul Mul64R Mul64I Mul32R Mul32I
        Div Div64R Div64I Div32R Div32I
        Or Or64R Or64I Or32R Or32I
        And And64R And64I And32R And32I
        Lsh Lsh64R Lsh64I Lsh32R Lsh32I
        Rsh Rsh64R Rsh64I Rsh32R Rsh32I
        Mod Mod64R Mod64I Mod32R Mod32I
        Xor Xor64R Xor64I Xor32R Xor32I
        Arsh Arsh64R Arsh64I Arsh32R Arsh32I
        Sdiv Sdiv64R Sdiv64I Sdiv32R Sdiv32I
        Smod Smod64R Smod64I Smod32R Smod32I
    )
}

fn jump(width: Width, op: JumpOp, reg: bool) -> Code {
    by_operand!(width, op, reg, JumpOp,
        Jeq Jeq64R Jeq64I Jeq32R Jeq32I
        Jgt Jgt64R Jgt64I Jgt32R Jgt32I
        Jge Jge64R Jge64I Jge32R Jge32I
        Jset Jset64R Jset64I Jset32R Jset32I
        Jne Jne64R Jne64I Jne32R Jne32I
        Jsgt Jsgt64R Jsgt64I Jsgt32R Jsgt32I
        Jsge Jsge64R Jsge64I Jsge32R Jsge32I
        Jlt Jlt64R Jlt64I Jlt32R Jlt32I
        Jle Jle64R Jle64I Jle32R Jle32I
        Jslt Jslt64R Jslt64I Jslt32R Jslt32I
        Jsle Jsle64R Jsle64I Jsle32R Jsle32I
    )
}
