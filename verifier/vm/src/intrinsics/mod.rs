//! What the runtime does for callables by itself: a file for each subject.
//!
//! A body is a function of the run and of its arguments. It is called by one raw function, from the
//! interpreter and from machine code alike.

use std::panic::{AssertUnwindSafe, catch_unwind};

use probity_platform::Intrinsic;

use crate::fault::{RunError, message};
use crate::interpreter::step::Regs;
use crate::run::{Left, RawFn, Returned, Run};

mod args;
mod callback;
mod csum;
mod dynptr;
mod iter;
mod lock;
mod map;
pub(crate) mod packet;
mod print;
pub(crate) mod ringbuf;
mod system;
pub(crate) mod tail_call;
mod text;
mod timer;

pub(crate) use args::Args;
pub(crate) use dynptr::{BYTES as OBJECT, memory_behind};

/// The argument that is an object of the stack behind whose address a body reads or writes, from 0.
pub(crate) fn behind(intrinsic: Intrinsic) -> Option<usize> {
    match intrinsic {
        Intrinsic::DynptrRead => Some(2),
        Intrinsic::DynptrWrite => Some(0),
        _ => None,
    }
}

/// What an intrinsic does.
pub(crate) trait Body {
    /// Whether the run can end in it: it calls back, or code of the host that may panic.
    const MAY_LEAVE: bool = false;

    /// Does it; gives r0.
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left>;
}

/// The raw function of an intrinsic, and whether the run may end in it.
pub(crate) fn raw(intrinsic: Intrinsic) -> (RawFn, bool) {
    match intrinsic {
        Intrinsic::KtimeNs => of::<system::KtimeNs>(),
        Intrinsic::KtimeBootNs => of::<system::KtimeBootNs>(),
        Intrinsic::KtimeCoarseNs => of::<system::KtimeNs>(),
        Intrinsic::KtimeTaiNs => of::<system::KtimeTaiNs>(),
        Intrinsic::Jiffies => of::<system::Jiffies>(),
        Intrinsic::Prandom => of::<system::Prandom>(),
        Intrinsic::ProcessorId => of::<system::ProcessorId>(),
        Intrinsic::NumaNode => of::<system::NumaNode>(),
        Intrinsic::PacketLoad => of::<packet::Load>(),
        Intrinsic::PacketRead => of::<packet::Read>(),
        Intrinsic::PacketStore => of::<packet::Store>(),
        Intrinsic::PacketWrite => of::<packet::Write>(),
        Intrinsic::PacketAdjustHead => of::<packet::AdjustHead>(),
        Intrinsic::PacketAdjustTail => of::<packet::AdjustTail>(),
        Intrinsic::PacketAdjustMeta => of::<packet::AdjustMeta>(),
        Intrinsic::PacketChangeTail => of::<packet::ChangeTail>(),
        Intrinsic::PacketChangeHead => of::<packet::ChangeHead>(),
        Intrinsic::PacketPull => of::<packet::Pull>(),
        Intrinsic::PacketLen => of::<packet::Len>(),
        Intrinsic::MapLookup => of::<map::Lookup>(),
        Intrinsic::MapLookupPercpu => of::<map::LookupPercpu>(),
        Intrinsic::MapUpdate => of::<map::Update>(),
        Intrinsic::MapDelete => of::<map::Delete>(),
        Intrinsic::MapPush => of::<map::Push>(),
        Intrinsic::MapPop => of::<map::Pop>(),
        Intrinsic::MapPeek => of::<map::Peek>(),
        Intrinsic::MapForEach => of::<map::ForEach>(),
        Intrinsic::TailCall => (tail_call::raw, false),
        Intrinsic::RingbufOutput => of::<ringbuf::Output>(),
        Intrinsic::RingbufReserve => of::<ringbuf::Reserve>(),
        Intrinsic::RingbufSubmit => of::<ringbuf::Submit>(),
        Intrinsic::RingbufDiscard => of::<ringbuf::Discard>(),
        Intrinsic::RingbufQuery => of::<ringbuf::Query>(),
        Intrinsic::RingbufReserveDynptr => of::<ringbuf::ReserveDynptr>(),
        Intrinsic::RingbufSubmitDynptr => of::<ringbuf::SubmitDynptr>(),
        Intrinsic::RingbufDiscardDynptr => of::<ringbuf::DiscardDynptr>(),
        Intrinsic::UserRingbufDrain => of::<ringbuf::Drain>(),
        Intrinsic::TracePrintk => of::<print::Trace>(),
        Intrinsic::TraceVprintk => of::<print::TraceV>(),
        Intrinsic::Snprintf => of::<print::Snprintf>(),
        Intrinsic::Strtol => of::<text::Strtol>(),
        Intrinsic::Strtoul => of::<text::Strtoul>(),
        Intrinsic::Strncmp => of::<text::Strncmp>(),
        Intrinsic::Loop => of::<callback::Loop>(),
        Intrinsic::TimerInit => of::<timer::Init>(),
        Intrinsic::TimerSetCallback => of::<timer::SetCallback>(),
        Intrinsic::TimerStart => of::<timer::Start>(),
        Intrinsic::TimerCancel => of::<timer::Cancel>(),
        Intrinsic::SpinLock => of::<lock::Lock>(),
        Intrinsic::SpinUnlock => of::<lock::Unlock>(),
        Intrinsic::DynptrFromMem => of::<dynptr::FromMem>(),
        Intrinsic::DynptrRead => of::<dynptr::Read>(),
        Intrinsic::DynptrWrite => of::<dynptr::Write>(),
        Intrinsic::DynptrData => of::<dynptr::Data>(),
        Intrinsic::CsumDiff => of::<csum::CsumDiff>(),
        Intrinsic::IterNumNew => of::<iter::New>(),
        Intrinsic::IterNumNext => of::<iter::Next>(),
        Intrinsic::IterNumDestroy => of::<iter::Destroy>(),
    }
}

fn of<B: Body>() -> (RawFn, bool) {
    (shim::<B>, B::MAY_LEAVE)
}

/// The raw function of a body.
///
/// # Safety
///
/// See [`RawFn`].
#[allow(unsafe_code)]
unsafe extern "C" fn shim<B: Body>(
    r1: u64,
    r2: u64,
    r3: u64,
    r4: u64,
    r5: u64,
    run: *mut Run<'static>,
) -> Returned {
    // SAFETY: the run that is on, which nobody else uses until this returns.
    let run = unsafe { &mut *run };
    // SAFETY: arguments of a call that was verified or checked against the intrinsic's signature.
    let args = unsafe { Args::new([r1, r2, r3, r4, r5]) };
    if !B::MAY_LEAVE {
        return B::call(run, args).map_or_else(|Left| Returned::leave(), Returned::value);
    }
    match catch_unwind(AssertUnwindSafe(|| B::call(run, args))) {
        Ok(Ok(value)) => Returned::value(value),
        Ok(Err(Left)) => Returned::leave(),
        Err(panic) => {
            let _ = run.leave(RunError::Panic { callable: "runtime", message: message(panic.as_ref()) });
            Returned::leave()
        }
    }
}

/// Calls a raw function with r1 to r5.
#[inline(always)]
#[allow(unsafe_code)]
pub(crate) fn call(raw: RawFn, regs: &Regs, run: &mut Run<'_>) -> Returned {
    let run = std::ptr::from_mut(run).cast::<Run<'static>>();
    // SAFETY: the interpreter calls it for a site of a verified program, or one whose arguments the
    // checked mode has checked; the run is the one that is on.
    unsafe { raw(regs[1], regs[2], regs[3], regs[4], regs[5], run) }
}
