//! What the calling thread may do: capabilities that it gives up for a while.

use std::{io, marker::PhantomData};

use super::sys;

/// Needed to configure networks, and to load programs that see packets.
pub const NET_ADMIN: u32 = 12;
/// Stands for many others, [`PERFMON`] and [`BPF`] among them.
pub const SYS_ADMIN: u32 = 21;
/// Needed to watch the kernel: to see its addresses and what is left on its stack.
pub const PERFMON: u32 = 38;
/// Needed to load programs at all.
pub const BPF: u32 = 39;

/// The calling thread is without some capabilities until this is dropped.
#[derive(Debug)]
pub struct Lowered {
    before: sys::Capabilities,
    /// Capabilities are the thread's own: this stays where it is.
    stays: PhantomData<*const ()>,
}

/// Takes capabilities from the calling thread for a while; other threads keep theirs.
///
/// # Errors
///
/// What the kernel answered.
pub fn without(caps: &[u32]) -> io::Result<Lowered> {
    let before = sys::capabilities()?;
    let mut lowered = before;
    for cap in caps {
        lowered.effective &= !(1 << cap);
    }
    sys::set_capabilities(lowered)?;
    Ok(Lowered { before, stays: PhantomData })
}

impl Drop for Lowered {
    fn drop(&mut self) {
        sys::set_capabilities(self.before).expect("what is permitted may be taken back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_back() {
        let Ok(before) = sys::capabilities() else { return };
        let lowered = without(&[PERFMON, SYS_ADMIN]).expect("giving up needs nothing");
        let during = sys::capabilities().expect("they were read before");
        assert_eq!(during.effective & (1 << PERFMON | 1 << SYS_ADMIN), 0);
        assert_eq!(during.permitted, before.permitted);
        drop(lowered);
        assert_eq!(sys::capabilities().expect("they were read before"), before);
    }
}
