//! Flags that programs and maps are made with, numbered as the BPF uapi numbers them.

/// Of a program: every access must be aligned.
pub const STRICT_ALIGNMENT: u32 = 1 << 0;
/// Of a program: no access need be aligned.
pub const ANY_ALIGNMENT: u32 = 1 << 1;
/// Of a program, for tests: remember a state at every chance.
pub const TEST_STATE_FREQ: u32 = 1 << 3;
/// Of a program, for tests of compilers: the upper halves of 32-bit results are random numbers.
pub const TEST_RND_HI32: u32 = 1 << 2;
/// Of a program: it may sleep.
pub const SLEEPABLE: u32 = 1 << 4;
/// Of a program: it handles packets in fragments.
pub const XDP_HAS_FRAGS: u32 = 1 << 5;
/// Of a program: it runs on one network device alone.
pub const XDP_DEV_BOUND_ONLY: u32 = 1 << 6;
/// Of a program, for tests: contradictory bounds are an error.
pub const TEST_REG_INVARIANTS: u32 = 1 << 7;
/// Of a program: all of the above. Others are refused; the one of delegated loading, which goes with
/// a descriptor, is not for programs at rest.
pub const KNOWN: u32 = STRICT_ALIGNMENT
    | ANY_ALIGNMENT
    | TEST_RND_HI32
    | TEST_STATE_FREQ
    | SLEEPABLE
    | XDP_HAS_FRAGS
    | XDP_DEV_BOUND_ONLY
    | TEST_REG_INVARIANTS;

/// Of a map: programs may only read it.
pub const MAP_RDONLY_PROG: u32 = 1 << 7;
/// Of a map: programs may only write it.
pub const MAP_WRONLY_PROG: u32 = 1 << 8;
/// Of a map: user space may map it into memory.
pub const MAP_MMAPABLE: u32 = 1 << 10;
