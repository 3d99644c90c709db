//! What a mode does about memory, registers and calls. The mode of verified programs does nothing:
//! all of it was proved.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use probity_isa::{AtomicOp, Size};

use super::step::Stop;
use crate::guest;
use crate::run::Run;
use crate::unit::{Site, Unit};

/// A mode. All methods with bodies do nothing but for the checked one.
pub(crate) trait Memory {
    /// Loads, zero-extended.
    fn load(&mut self, run: &mut Run<'_>, address: u64, size: Size) -> Result<u64, Stop>;

    /// Stores.
    fn store(&mut self, run: &mut Run<'_>, address: u64, size: Size, value: u64) -> Result<(), Stop>;

    /// An atomic read-modify-write; `compare` is r0. Gives the old value, zero-extended.
    fn atomic(
        &mut self,
        run: &mut Run<'_>,
        address: u64,
        size: Size,
        op: AtomicOp,
        operand: u64,
        compare: u64,
    ) -> Result<u64, Stop>;

    /// The instruction at `pc` is about to run.
    #[inline(always)]
    fn before(&mut self, unit: &Unit, pc: usize, regs: &[u64; 16], run: &mut Run<'_>) -> Result<(), Stop> {
        let _ = (unit, pc, regs, run);
        Ok(())
    }

    /// The callable of a site is about to be called.
    #[inline(always)]
    fn calls(&mut self, site: &Site, regs: &[u64; 16], run: &mut Run<'_>) -> Result<(), Stop> {
        let _ = (site, regs, run);
        Ok(())
    }

    /// It returned `r0`.
    #[inline(always)]
    fn called(&mut self, site: &Site, regs: &[u64; 16], run: &mut Run<'_>) {
        let _ = (site, regs, run);
    }

    /// A frame begins, whose stack is the `len` bytes at `base`, by a call at `callsite`; None for the
    /// first.
    #[inline(always)]
    fn enter(&mut self, run: &mut Run<'_>, base: u64, len: u64, callsite: Option<usize>) {
        let _ = (run, base, len, callsite);
    }

    /// Another program begins in the innermost frame, whose stack is the `len` bytes at `base`.
    #[inline(always)]
    fn replaced(&mut self, run: &mut Run<'_>, base: u64, len: u64) {
        let _ = (run, base, len);
    }

    /// The innermost frame ends, and another goes on.
    #[inline(always)]
    fn exit(&mut self) {}

    /// What stops a program that goes where nothing is.
    #[cold]
    fn nowhere(&mut self, run: &mut Run<'_>, unit: &Unit, pc: usize) -> Stop {
        let _ = (unit, pc);
        let _ = run.leave(crate::fault::RunError::Internal("a verified program left its instructions"));
        Stop::Left
    }
}

/// The mode of verified programs.
#[derive(Debug, Default)]
pub(crate) struct Raw;

impl Memory for Raw {
    #[inline(always)]
    fn load(&mut self, _run: &mut Run<'_>, address: u64, size: Size) -> Result<u64, Stop> {
        // SAFETY: only `Executable` runs this mode, and its program is verified: every access was
        // proved to lie in the memory of its pointer, which is there as long as the run.
        Ok(unsafe { guest::load(address, size) })
    }

    #[inline(always)]
    fn store(&mut self, _run: &mut Run<'_>, address: u64, size: Size, value: u64) -> Result<(), Stop> {
        // SAFETY: as for `load`; that it may be written was proved too.
        unsafe { guest::store(address, size, value) };
        Ok(())
    }

    #[inline(always)]
    fn atomic(
        &mut self,
        _run: &mut Run<'_>,
        address: u64,
        size: Size,
        op: AtomicOp,
        operand: u64,
        compare: u64,
    ) -> Result<u64, Stop> {
        // SAFETY: as for `load`; atomics were proved to be aligned.
        Ok(unsafe { atomic(address, size, op, operand, compare) })
    }
}

/// An atomic read-modify-write of 4 or 8 bytes.
///
/// # Safety
///
/// As for [`guest::store`], and `address` must be a multiple of the size.
pub(crate) unsafe fn atomic(address: u64, size: Size, op: AtomicOp, operand: u64, compare: u64) -> u64 {
    const ORDER: Ordering = Ordering::SeqCst;
    if size == Size::W {
        // SAFETY: the caller's.
        let place = unsafe { &*(address as *const AtomicU32) };
        let operand = operand as u32;
        return u64::from(match op {
            AtomicOp::Add => place.fetch_add(operand, ORDER),
            AtomicOp::Or => place.fetch_or(operand, ORDER),
            AtomicOp::And => place.fetch_and(operand, ORDER),
            AtomicOp::Xor => place.fetch_xor(operand, ORDER),
            AtomicOp::Xchg => place.swap(operand, ORDER),
            AtomicOp::Cmpxchg => match place.compare_exchange(compare as u32, operand, ORDER, ORDER) {
                Ok(old) | Err(old) => old,
            },
        });
    }
    // SAFETY: the caller's.
    let place = unsafe { &*(address as *const AtomicU64) };
    match op {
        AtomicOp::Add => place.fetch_add(operand, ORDER),
        AtomicOp::Or => place.fetch_or(operand, ORDER),
        AtomicOp::And => place.fetch_and(operand, ORDER),
        AtomicOp::Xor => place.fetch_xor(operand, ORDER),
        AtomicOp::Xchg => place.swap(operand, ORDER),
        AtomicOp::Cmpxchg => match place.compare_exchange(compare, operand, ORDER, ORDER) {
            Ok(old) | Err(old) => old,
        },
    }
}
