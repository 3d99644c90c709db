//! Time, random numbers, the processor.

use super::{Args, Body};
use crate::run::{Left, Run};
use crate::runtime::ClockKind;

/// Ticks a second.
const HZ: u64 = 250;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident = |$run:ident| $value:expr;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl Body for $name {
            fn call($run: &mut Run<'_>, _args: Args<'_>) -> Result<u64, Left> {
                Ok($value)
            }
        }
    )*};
}

numbers! {
    KtimeNs = |run| run.worker.now(ClockKind::Monotonic);
    KtimeBootNs = |run| run.worker.now(ClockKind::Boot);
    KtimeTaiNs = |run| run.worker.now(ClockKind::Tai);
    Jiffies = |run| run.worker.now(ClockKind::Monotonic) / (1_000_000_000 / HZ);
    Prandom = |run| u64::from(run.random());
    ProcessorId = |run| u64::from(run.slot);
    /// There is one memory node.
    NumaNode = |_run| 0;
}
