//! Error numbers as programs see them: negative numbers in r0. They are Linux's, which every
//! platform's helpers speak (`include/uapi/asm-generic/errno-base.h`).

/// An error number, positive. Functions of a host that give back a number with a sign may give one
/// instead; programs see it as a negative number.
///
/// ```
/// use probity_vm::Errno;
///
/// fn find(numbers: &[i64], wanted: i64) -> Result<i64, Errno> {
///     let at = numbers.iter().position(|&number| number == wanted);
///     at.map(|at| at as i64).ok_or(Errno::ENOENT)
/// }
///
/// assert_eq!(find(&[5], 6), Err(Errno::ENOENT));
/// assert_eq!(Errno::ENOENT.to_r0(), -2_i64 as u64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Errno(pub u16);

impl Errno {
    /// Operation not permitted.
    pub const EPERM: Errno = Errno(1);
    /// No such entry.
    pub const ENOENT: Errno = Errno(2);
    /// Interrupted.
    pub const EINTR: Errno = Errno(4);
    /// Argument list too long: a map is full, a size beyond what there is.
    pub const E2BIG: Errno = Errno(7);
    /// Try again.
    pub const EAGAIN: Errno = Errno(11);
    /// Out of memory.
    pub const ENOMEM: Errno = Errno(12);
    /// Not allowed so.
    pub const EACCES: Errno = Errno(13);
    /// Bad address.
    pub const EFAULT: Errno = Errno(14);
    /// Busy.
    pub const EBUSY: Errno = Errno(16);
    /// Exists already.
    pub const EEXIST: Errno = Errno(17);
    /// Invalid argument.
    pub const EINVAL: Errno = Errno(22);
    /// No space left.
    pub const ENOSPC: Errno = Errno(28);
    /// Out of range.
    pub const ERANGE: Errno = Errno(34);
    /// Would lock forever.
    pub const EDEADLK: Errno = Errno(35);
    /// No message of that type.
    pub const ENOMSG: Errno = Errno(42);
    /// No data.
    pub const ENODATA: Errno = Errno(61);
    /// Not supported.
    pub const EOPNOTSUPP: Errno = Errno(95);
    /// Linux's own number for what a driver does not support.
    pub const ENOTSUPP: Errno = Errno(524);

    /// What r0 holds: the negative number.
    #[must_use]
    pub fn to_r0(self) -> u64 {
        (-i64::from(self.0)).cast_unsigned()
    }
}

/// r0 of a call that gives 0 or an error.
pub(crate) fn status(result: Result<(), Errno>) -> u64 {
    result.map_or_else(Errno::to_r0, |()| 0)
}
