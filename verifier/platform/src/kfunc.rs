//! What is declared of kfuncs.

use bitflags::bitflags;

bitflags! {
    /// Facts about a kfunc, named as the kernel names them (`KF_*`, include/linux/btf.h).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct KfuncFlags: u32 {
        /// It returns a reference, which must be released.
        const KF_ACQUIRE = 1 << 0;
        /// An argument is given up.
        const KF_RELEASE = 1 << 1;
        /// It may return null.
        const KF_RET_NULL = 1 << 2;
        /// Pointers are trusted: referenced, or known to be valid, with offset 0.
        const KF_TRUSTED_ARGS = 1 << 4;
        /// It may sleep.
        const KF_SLEEPABLE = 1 << 5;
        /// It may bring the machine down.
        const KF_DESTRUCTIVE = 1 << 6;
        /// Pointers are trusted, or valid inside an RCU section.
        const KF_RCU = 1 << 7;
        /// It makes an iterator.
        const KF_ITER_NEW = 1 << 8;
        /// It takes an iterator's next element.
        const KF_ITER_NEXT = 1 << 9;
        /// It ends an iterator.
        const KF_ITER_DESTROY = 1 << 10;
        /// It is called inside an RCU section only.
        const KF_RCU_PROTECTED = 1 << 11;
        /// It clobbers only r0 and its arguments' registers.
        const KF_FASTCALL = 1 << 12;
        /// It returns memory of an arena.
        const KF_ARENA_RET = 1 << 13;
        /// Its first argument is memory of an arena.
        const KF_ARENA_ARG1 = 1 << 14;
        /// Its second argument is memory of an arena.
        const KF_ARENA_ARG2 = 1 << 15;
        /// The platform adds an argument that programs do not pass.
        const KF_IMPLICIT_ARGS = 1 << 16;
    }
}
