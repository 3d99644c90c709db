//! What each instruction does to a state.
//!
//! | module | instructions |
//! |---|---|
//! | [`alu`] | arithmetic on numbers, moves |
//! | [`mod@pointer`] | arithmetic on pointers |
//! | [`branch`] | conditional jumps |
//! | [`null_check`] | what a comparison with 0 tells of a pointer |
//! | [`packet_bound`] | what a comparison with its bound tells of a packet pointer |
//! | [`links`] | what numbers learn from the ones they are linked to |
//! | [`memory`] | loads and stores: dispatch on the pointer |
//! | [`region`] | that an access lies in its region |
//! | [`alignment`] | alignment, and one type of pointer an instruction |
//! | `speculation` | what a processor may do before it knows better |
//! | [`stack`] | loads and stores of the stack |
//! | [`context`] | loads and stores of the context and other struct views |
//! | [`atomic`] | atomic instructions |
//! | [`legacy`] | LD_ABS and LD_IND |
//! | `loops` | `may_goto` |
//! | [`load_imm`] | 64-bit immediates and references |
//! | [`call`] | calls of helpers |
//! | `callback` | functions of the program that callables call |
//! | `concepts` | which of them the engine models |
//! | [`args`] | their arguments |
//! | `global` | calls of global functions, and their own verification |
//! | `kfunc` | calls of kfuncs, and their arguments |
//! | `objects` | objects in stack slots |
//! | `typed` | pointers to objects of named types |
//! | `views` | objects in the stack that stand for memory |
//! | `regions` | regions that are entered and left |
//! | [`effects`] | what their drivers ask and do |
//! | `lifetimes` | how long pointers are good that a host gives out |
//! | `fields` | special fields of map values: as arguments, and left out by accesses |
//! | `locks` | locks in map values, and what is forbidden while one is held |
//! | [`references`] | what callables acquire and release |
//! | [`subprog`] | calls of functions, and exit |

use probity_isa::{DecodeError, Instruction, Source};
use probity_platform::rejection::{EACCES, EINVAL};
use probity_platform::{Code as Why, Rejection};

use crate::explore::walk::{Next, Observer, Walk};
use crate::prepare::Decoded;
use crate::unsupported;

pub mod alignment;
pub mod alu;
pub mod args;
pub mod atomic;
pub mod branch;
pub mod call;
pub(crate) mod callback;
pub(crate) mod concepts;
pub mod context;
pub mod effects;
mod fields;
mod global;
mod kfunc;
pub mod legacy;
mod lifetimes;
pub mod links;
pub mod load_imm;
mod locks;
mod loops;
pub mod memory;
pub mod null_check;
mod objects;
pub mod packet_bound;
pub mod pointer;
pub mod references;
pub mod region;
mod regions;
mod speculation;
pub mod stack;
pub mod subprog;
pub(crate) mod typed;
mod views;

impl<O: Observer> Walk<'_, O> {
    /// Runs the instruction at [`Walk::pc`].
    pub(crate) fn step(&mut self, insn: &Decoded) -> Result<Next, Rejection> {
        let instruction = match &insn.instruction {
            Ok(instruction) => *instruction,
            Err(error) => return Err(decode_error(error)),
        };
        match instruction {
            Instruction::Alu { width, op, dst, src } => self.alu(width, op, dst, src)?,
            Instruction::Mov { width, dst, src, sign_extend } => self.mov(width, dst, src, sign_extend)?,
            Instruction::Neg { width, dst } => self.neg(width, dst)?,
            Instruction::End { swap, bits, dst } => self.end(swap, bits, dst)?,
            Instruction::AddrSpaceCast { .. } => return Err(unsupported("addr_space_cast")),
            Instruction::Load { size, sign_extend, dst, src, off } => {
                self.load(size, sign_extend, dst, src, off)?;
            }
            Instruction::Store { size, dst, off, src } => self.store(size, dst, off, src)?,
            Instruction::Atomic { size, op, fetch, dst, src, off } => {
                self.atomic(size, op, fetch, dst, src, off)?;
            }
            Instruction::LoadAcquire { size, dst, src, off } => self.load_acquire(size, dst, src, off)?,
            Instruction::StoreRelease { size, dst, src, off } => self.store_release(size, dst, src, off)?,
            Instruction::LoadAbs { .. } => return self.load_packet(None),
            Instruction::LoadInd { src, .. } => return self.load_packet(Some(src)),
            Instruction::LoadImm64 { dst, pseudo, imm, next_imm } => {
                self.load_imm64(dst, pseudo, imm, next_imm)?;
                return Ok(Next::Go(self.pc + 2));
            }
            Instruction::Ja { off } => return Ok(Next::Go(self.target(i64::from(off)))),
            Instruction::Jump { width, op, dst, src, off } => return self.jump(width, op, dst, src, off),
            Instruction::MayGoto { off } => return self.may_goto(off),
            Instruction::CallHelper { id } => return self.call_helper(id),
            Instruction::CallSubprog { off } => return self.call_subprog(self.target(i64::from(off))),
            Instruction::CallKfunc { id, .. } => return self.call_kfunc(id),
            Instruction::Exit => return self.exit(),
        }
        Ok(Next::Go(self.pc + 1))
    }

    /// Where a jump leads. Every jump was checked to stay in its function.
    pub(crate) fn target(&self, off: i64) -> usize {
        usize::try_from(self.pc as i64 + off + 1).unwrap_or(usize::MAX)
    }

    /// The register exists and was written.
    #[inline]
    pub(crate) fn check_readable(&self, reg: u8) -> Result<(), Rejection> {
        match self.state.frame().regs.get(usize::from(reg)) {
            Some(value) if value.behaviour.is_some() => Ok(()),
            Some(_) => Err(not_written(reg)),
            None => Err(invalid_register(reg)),
        }
    }

    /// The source operand exists and was written.
    #[inline]
    pub(crate) fn check_source(&self, src: Source) -> Result<(), Rejection> {
        match src {
            Source::Reg(reg) => self.check_readable(reg),
            Source::Imm(_) => Ok(()),
        }
    }

    /// The register exists and may be written.
    #[inline]
    pub(crate) fn check_writable(&self, reg: u8) -> Result<(), Rejection> {
        match reg {
            0..10 => Ok(()),
            10 => Err(frame_pointer()),
            _ => Err(invalid_register(reg)),
        }
    }

    /// True when showing this register as a number would leak an address.
    pub(crate) fn leaks(&self, reg: u8) -> bool {
        !self.policy.pointer_leaks && self.state.reg(reg).is_pointer()
    }

    /// The name of a register's type for a message.
    pub(crate) fn type_of(&self, reg: u8) -> String {
        crate::print::reg_type_name(self.platform, self.state.reg(reg))
    }
}

#[cold]
fn not_written(reg: u8) -> Rejection {
    Rejection::new(Why::UninitializedRegister, format!("R{reg} !read_ok")).facts(
        format!("r{reg} has a value on every path that leads here"),
        format!("r{reg} was not written since the program began or since the last call"),
    )
}

#[cold]
fn frame_pointer() -> Rejection {
    Rejection::new(Why::FramePointerWrite, "frame pointer is read only")
}

#[cold]
fn invalid_register(reg: u8) -> Rejection {
    Rejection::new(Why::InvalidRegister, format!("R{reg} is invalid"))
}

fn decode_error(error: &DecodeError) -> Rejection {
    let why = match error {
        DecodeError::Reserved(_) => Why::ReservedField,
        DecodeError::InvalidAtomicOpcode(_) | DecodeError::InvalidAtomicSize => Why::InvalidAtomic,
        _ => Why::UnknownOpcode,
    };
    // All of these are about the instruction's form.
    Rejection::new(why, error.to_string()).errno(EINVAL)
}

/// An access that is not safe.
pub(crate) fn denied(why: Why, message: impl Into<String>) -> Rejection {
    Rejection::new(why, message).errno(EACCES)
}
