//! Which register or slot failed, and which registers take part.
//!
//! A rejection names its register in the kernel's words; where these name none, the instruction
//! says it.

use probity_isa::{AtomicOp, Instruction, Source};
use probity_platform::{Behaviour, Code, Rejection};

use super::Register;
use super::replay::Moment;
use super::value::Values;
use crate::state::stack::SLOT;
use crate::transfer::pointer::MAX_OFFSET;

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A register of the running frame.
    Reg(u8),
    /// A byte of a frame's stack, by its offset below the frame's end.
    Stack {
        /// The number of the frame.
        frame: usize,
        /// The offset, negative.
        off: i64,
    },
}

impl Subject {
    /// `r2`, `fp-16`.
    pub(super) fn name(&self) -> String {
        match self {
            Subject::Reg(reg) => format!("r{reg}"),
            Subject::Stack { off, .. } => format!("fp{off:+}"),
        }
    }
}

/// The registers that the instruction reads, as they are before it.
pub(super) fn registers(values: Values<'_>, moment: &Moment) -> Vec<Register> {
    let Some(instruction) = &moment.instruction else { return Vec::new() };
    let current = moment.state.current();
    let mut list = read(values, instruction);
    list.retain(|&reg| reg <= 10);
    list.dedup();
    let describe = |&reg: &u8| Register {
        name: format!("r{reg}"),
        holds: values.describe(moment.state.reg(reg), current),
    };
    list.iter().map(describe).collect()
}

fn read(values: Values<'_>, instruction: &Instruction) -> Vec<u8> {
    match *instruction {
        Instruction::Alu { dst, src, .. } | Instruction::Jump { dst, src, .. } => {
            [Some(dst), src.reg()].into_iter().flatten().collect()
        }
        Instruction::Store { dst, src, .. } => [Some(dst), src.reg()].into_iter().flatten().collect(),
        Instruction::Mov { src, .. } => src.reg().into_iter().collect(),
        Instruction::AddrSpaceCast { src, .. }
        | Instruction::Load { src, .. }
        | Instruction::LoadAcquire { src, .. } => vec![src],
        Instruction::Neg { dst, .. } | Instruction::End { dst, .. } => vec![dst],
        Instruction::Atomic { op: AtomicOp::Cmpxchg, dst, src, .. } => vec![0, dst, src],
        Instruction::Atomic { dst, src, .. } | Instruction::StoreRelease { dst, src, .. } => vec![dst, src],
        Instruction::LoadAbs { .. } => vec![6],
        Instruction::LoadInd { src, .. } => vec![6, src],
        Instruction::CallHelper { id } => {
            let row = values.platform.callables.iter().find(|row| row.number.cast_signed() == id);
            let count = row.map_or(0, |row| row.args.len());
            (1..=count as u8).collect()
        }
        Instruction::Exit => vec![0],
        Instruction::LoadImm64 { .. }
        | Instruction::Ja { .. }
        | Instruction::MayGoto { .. }
        | Instruction::CallSubprog { .. }
        | Instruction::CallKfunc { .. } => Vec::new(),
    }
}

/// What failed, when it is one value.
pub(super) fn find(values: Values<'_>, moment: &Moment, rejection: &Rejection) -> Option<Subject> {
    let instruction = moment.instruction.as_ref()?;
    match rejection.code {
        // These are about the instruction or about the path, not about a value.
        Code::ReferenceLeak
        | Code::UnknownOpcode
        | Code::ReservedField
        | Code::InvalidRegister
        | Code::FramePointerWrite
        | Code::InvalidShift
        | Code::DivisionByZero
        | Code::UnknownCallable
        | Code::CallableNotOffered
        | Code::GplOnly
        | Code::MightSleep
        | Code::CallDepth
        | Code::StackDepth
        | Code::SelfCheck
        | Code::InfiniteLoop
        | Code::TooManyBranches => return None,
        Code::UninitializedStack | Code::PartialPointer => {
            if let Instruction::Store { src: Source::Reg(src), .. } = *instruction
                && moment.state.reg(src).is_pointer()
            {
                return Some(Subject::Reg(src));
            }
            if let Some(found) = stack_byte(values, moment, instruction, rejection) {
                return Some(found);
            }
        }
        Code::PointerOffset => {
            if let Some(number) = far(moment, instruction) {
                return Some(Subject::Reg(number));
            }
        }
        Code::PacketArgument => {
            let packet = |&reg: &u8| moment.state.reg(reg).behaviour == Some(Behaviour::Packet);
            return (1..=5).find(packet).map(Subject::Reg);
        }
        _ => {}
    }
    if let Some(reg) = named(&rejection.message) {
        return Some(Subject::Reg(reg));
    }
    let reg = match *instruction {
        Instruction::Load { src, .. } | Instruction::LoadAcquire { src, .. } => src,
        Instruction::Store { dst, .. }
        | Instruction::StoreRelease { dst, .. }
        | Instruction::Atomic { dst, .. }
        | Instruction::Alu { dst, .. } => dst,
        Instruction::Exit => 0,
        Instruction::LoadAbs { .. } | Instruction::LoadInd { .. } => 6,
        Instruction::Mov { src: Source::Reg(src), .. } => src,
        // A map that does not go with the callable is its first argument that is one.
        Instruction::CallHelper { .. } => {
            (1..=5).find(|&reg| moment.state.reg(reg).behaviour == Some(Behaviour::Map))?
        }
        _ => return None,
    };
    Some(Subject::Reg(reg))
}

/// The number that moves a pointer too far, when it is the number's fault.
fn far(moment: &Moment, instruction: &Instruction) -> Option<u8> {
    let Instruction::Alu { dst, src: Source::Reg(src), .. } = *instruction else { return None };
    let is_far = |&reg: &u8| {
        let reg = moment.state.reg(reg);
        reg.is_scalar() && (reg.val.smin <= -MAX_OFFSET || reg.val.smin >= MAX_OFFSET)
    };
    [src, dst].into_iter().find(is_far)
}

/// The register that a message names: `R2 offset is outside of the packet`.
fn named(message: &str) -> Option<u8> {
    let mut rest = message;
    let mut before = ' ';
    while let Some(at) = rest.find('R') {
        before = rest[..at].chars().next_back().unwrap_or(before);
        let digits = &rest[at + 1..];
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if end > 0 && !before.is_alphanumeric() && before != '_' {
            return digits[..end].parse().ok().filter(|&reg| reg <= 10);
        }
        rest = digits;
        before = 'R';
    }
    None
}

/// The byte of the stack that an access fails at.
fn stack_byte(
    values: Values<'_>,
    moment: &Moment,
    instruction: &Instruction,
    rejection: &Rejection,
) -> Option<Subject> {
    let (reg, at, size) = match *instruction {
        Instruction::Load { src, off, size, .. } => (src, off, size.bytes()),
        Instruction::Store { dst, off, size, .. } => (dst, off, size.bytes()),
        Instruction::CallHelper { .. } => (named(&rejection.message)?, 0, 0),
        _ => return None,
    };
    let pointer = moment.state.reg(reg);
    if pointer.behaviour != Some(Behaviour::Stack) {
        return None;
    }
    let off = i64::from(pointer.off) + pointer.val.is_const()?.cast_signed() + i64::from(at);
    let frame = pointer.frame();
    let stack = &moment.state.frames.get(frame)?.stack;
    let invalid = |off: &i64| {
        let below = usize::try_from(-off - 1).ok();
        below.is_some_and(|below| stack.slot(below / SLOT).tags[below % SLOT] == crate::state::Tag::Invalid)
    };
    let room = i64::from(values.platform.limits.stack);
    if !(-room..0).contains(&off) {
        return None;
    }
    let end = if size == 0 { 0 } else { (off + i64::from(size)).min(0) };
    let off = if rejection.code == Code::UninitializedStack { (off..end).find(invalid)? } else { off };
    Some(Subject::Stack { frame, off })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_register_is_the_first_that_a_message_names() {
        assert_eq!(named("R2 offset is outside of the packet"), Some(2));
        assert_eq!(named("invalid access to packet, off=27 size=1, R7(id=3,off=27,r=22)"), Some(7));
        assert_eq!(named("BPF_ATOMIC stores into R10 fp is not allowed"), Some(10));
        assert_eq!(named("BPF_LD_[ABS|IND] uses reserved fields"), None);
        assert_eq!(named("R11 is invalid"), None);
        assert_eq!(named(""), None);
    }
}
