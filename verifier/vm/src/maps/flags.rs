//! Numbers that maps are made and changed with; those of all platforms.

use crate::errno::Errno;

/// Of creation: user space may only read.
pub(crate) const RDONLY: u32 = 1 << 3;
/// Of creation: user space may only write.
pub(crate) const WRONLY: u32 = 1 << 4;
/// Of creation: hashes start from 0.
pub(crate) const ZERO_SEED: u32 = 1 << 6;
/// Of creation: programs may only read.
pub(crate) const RDONLY_PROG: u32 = 1 << 7;
/// Of creation: as an inner map it may have another capacity than the template.
pub(crate) const INNER_MAP: u32 = 1 << 12;

/// Of updates: whether the key is there or not.
pub const ANY: u64 = 0;
/// Of updates: only when the key is not there.
pub const NOEXIST: u64 = 1;
/// Of updates: only when the key is there. Of pushes: drop the oldest when there is no room.
pub const EXIST: u64 = 2;
/// Of updates: under the lock in the value.
pub(crate) const LOCK: u64 = 4;

/// When an update is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Any,
    New,
    There,
}

impl When {
    /// From the flags of an update. Values with locks are not known here: there is none to take.
    pub(crate) fn from_flags(flags: u64) -> Result<When, Errno> {
        match flags {
            ANY => Ok(When::Any),
            NOEXIST => Ok(When::New),
            EXIST => Ok(When::There),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Whether it is one for a key that is there or not.
    pub(crate) fn check(self, there: bool) -> Result<(), Errno> {
        match (self, there) {
            (When::New, true) => Err(Errno::EEXIST),
            (When::There, false) => Err(Errno::ENOENT),
            _ => Ok(()),
        }
    }
}
