//! What machine code calls besides the raw functions of callables.
#![allow(unsafe_code)]

use probity_isa::Size;

use crate::fault::RunError;
use crate::intrinsics::packet;
use crate::run::{Returned, Run};

/// LD_ABS and LD_IND of `bytes` bytes; [`Returned::leave`] is not 0 when the place is not inside of the
/// packet: then the function returns 0.
///
/// # Safety
///
/// The run is the one that is on.
pub unsafe extern "C" fn load_packet(index: u32, imm: i32, bytes: u32, run: *mut Run<'static>) -> Returned {
    // SAFETY: the run that is on, which nobody else uses until this returns.
    let run = unsafe { &mut *run };
    let size = match bytes {
        1 => Size::B,
        2 => Size::H,
        _ => Size::W,
    };
    packet::load_legacy(run, index, imm, size).map_or(Returned::leave(), Returned::value)
}

/// Notes that the fuel is used up.
///
/// # Safety
///
/// The run is the one that is on.
pub unsafe extern "C" fn out_of_fuel(run: *mut Run<'static>) {
    // SAFETY: the run that is on, which nobody else uses until this returns.
    let run = unsafe { &mut *run };
    let _ = run.leave(RunError::Fuel);
}
