//! A platform with a host that does next to nothing: what a call costs.

use probity::host::{Errno, HostRun};

probity::spec! {
    platform bench;
    use core::{ scalars, context };
    policy { allow loops; }
    /// What rbpf's programs get: the packet's two ends.
    view pointers size 16 { data: u64; end: u64; }
    /// Mixes two numbers.
    helper mix = 100 { proto (value: ARG_SCALAR, with: ARG_SCALAR) -> RET_INTEGER; }
    prog_type xdp = 1 { ctx pointers; helpers all; section "xdp"; }
}

/// The host.
#[derive(Clone, Copy, Debug)]
pub struct Mixer;

impl Host for Mixer {
    fn mix(&mut self, _run: &mut HostRun<'_>, value: u64, with: u64) -> Result<i64, Errno> {
        Ok((value ^ with).wrapping_add(3).cast_signed())
    }
}
