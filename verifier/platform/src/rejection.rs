//! Stable codes and the data of a rejection.

use crate::Site;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal, $errno:ident;)*) => {
        /// Why a program was rejected. Names and texts are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The code as reports print it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// The error number that goes with it unless a rejection says another.
            #[must_use]
            pub const fn errno(self) -> i32 {
                match self { $(Code::$name => $errno,)* }
            }
        }
    };
}

/// Not permitted.
pub const EPERM: i32 = 1;
/// Too big or too much.
pub const E2BIG: i32 = 7;
/// Not found, or not a usable descriptor.
pub const EBADF: i32 = 9;
/// Not safe.
pub const EACCES: i32 = 13;
/// The pending-branch limit.
pub const EFAULT: i32 = 14;
/// Malformed or forbidden.
pub const EINVAL: i32 = 22;
/// Not supported by the kernel.
pub const ENOTSUPP: i32 = 524;

codes! {
    /// An instruction that no decoder knows.
    UnknownOpcode = "unknown-opcode", EINVAL;
    /// A field that must be 0 is not.
    ReservedField = "reserved-field", EINVAL;
    /// A register number above 10.
    InvalidRegister = "invalid-register", EINVAL;
    /// A write to the frame pointer.
    FramePointerWrite = "frame-pointer-write", EACCES;
    /// A shift by a constant that is negative or not below the width.
    InvalidShift = "invalid-shift", EINVAL;
    /// A division by the constant 0.
    DivisionByZero = "division-by-zero", EINVAL;
    /// A 64-bit load whose halves do not fit together.
    InvalidLoadImm64 = "invalid-load-imm64", EINVAL;
    /// A reference to a map that is not there.
    InvalidMap = "invalid-map", EBADF;
    /// An address inside a map's value that the map does not offer.
    InvalidMapAddress = "invalid-map-address", EINVAL;
    /// No instructions, or too many.
    ProgramSize = "program-size", E2BIG;
    /// Records of functions that do not fit the instructions.
    FunctionInfo = "function-info", EINVAL;
    /// A jump out of its function.
    JumpOutOfRange = "jump-out-of-range", EINVAL;
    /// A jump into the second half of a 64-bit load.
    JumpIntoLoadImm64 = "jump-into-load-imm64", EINVAL;
    /// An instruction that no path reaches.
    UnreachableInsn = "unreachable-instruction", EINVAL;
    /// A function that does not end with an exit or a jump.
    FallsOffEnd = "falls-off-end", EINVAL;
    /// A back edge where loops are not allowed.
    BackEdge = "back-edge", EINVAL;
    /// A loop that makes no progress.
    InfiniteLoop = "infinite-loop", EINVAL;
    /// A call of what is no function.
    InvalidCall = "invalid-call", EINVAL;
    /// More functions than allowed.
    TooManySubprograms = "too-many-subprograms", E2BIG;
    /// More frames than allowed.
    CallDepth = "call-depth", E2BIG;
    /// More stack than allowed.
    StackDepth = "stack-depth", EACCES;
    /// More instructions processed than allowed.
    TooComplex = "too-complex", E2BIG;
    /// More pending branches than allowed.
    TooManyBranches = "too-many-branches", EFAULT;
    /// A side of a branch with no value left, where that is asked to be an error.
    ContradictoryBounds = "contradictory-bounds", EFAULT;
    /// A register that was never written.
    UninitializedRegister = "uninitialized-register", EACCES;
    /// Arithmetic that a pointer does not take.
    PointerArithmetic = "pointer-arithmetic", EACCES;
    /// A pointer offset beyond what pointers carry.
    PointerOffset = "pointer-offset", EINVAL;
    /// A comparison of pointers where leaks are forbidden.
    PointerComparison = "pointer-comparison", EACCES;
    /// A pointer that would become visible as a number.
    PointerLeak = "pointer-leak", EACCES;
    /// A load or store through something that is no memory.
    InvalidMemAccess = "invalid-memory-access", EACCES;
    /// A use of a pointer that may be null.
    MaybeNull = "maybe-null", EACCES;
    /// An access outside memory of known size.
    OutOfBounds = "out-of-bounds", EACCES;
    /// An access whose offset is not bounded.
    UnboundedAccess = "unbounded-access", EACCES;
    /// An access that may begin before its memory.
    NegativeOffset = "negative-offset", EACCES;
    /// An access outside what was compared with the packet's end.
    PacketOutOfBounds = "packet-out-of-bounds", EACCES;
    /// A write to what may only be read.
    ReadOnly = "read-only", EACCES;
    /// An access of the context that it does not offer.
    InvalidContextAccess = "invalid-context-access", EACCES;
    /// An access through a context pointer with an offset.
    ModifiedContext = "modified-context", EACCES;
    /// An unaligned access.
    Misaligned = "misaligned-access", EACCES;
    /// An access outside the stack.
    StackOutOfBounds = "stack-out-of-bounds", EACCES;
    /// A read of stack bytes that were never written.
    UninitializedStack = "uninitialized-stack", EACCES;
    /// A part of a spilled pointer read or written.
    PartialPointer = "partial-pointer", EACCES;
    /// A pointer to a callee's stack that would outlive it.
    StackEscape = "stack-escape", EINVAL;
    /// An atomic access that is not allowed there.
    InvalidAtomic = "invalid-atomic", EACCES;
    /// One instruction that would need two meanings.
    MixedPointers = "mixed-pointers", EINVAL;
    /// A callable that does not exist.
    UnknownCallable = "unknown-callable", EINVAL;
    /// A callable that this program type does not offer.
    CallableNotOffered = "callable-not-offered", EINVAL;
    /// A callable for GPL-compatible programs only.
    GplOnly = "gpl-only", EINVAL;
    /// A callable that sleeps, in a program that must not.
    MightSleep = "might-sleep", EINVAL;
    /// An argument of the wrong type.
    ArgumentType = "argument-type", EACCES;
    /// An argument that may be null.
    ArgumentMaybeNull = "argument-maybe-null", EACCES;
    /// An argument with an offset that it must not have.
    ArgumentOffset = "argument-offset", EINVAL;
    /// A size argument that may be negative, is not bounded, or is 0.
    ArgumentSize = "argument-size", EACCES;
    /// An argument that must be a constant.
    ArgumentNotConstant = "argument-not-constant", EINVAL;
    /// A condition of the spec over arguments that does not hold.
    ArgumentCondition = "argument-condition", EINVAL;
    /// A map type that a callable does not take.
    MapType = "map-type", EINVAL;
    /// Packet memory passed to a callable that does not take it.
    PacketArgument = "packet-argument", EACCES;
    /// An exit value outside the range of the program type.
    ExitRange = "exit-range", EINVAL;
    /// Something acquired and not released.
    ReferenceLeak = "reference-leak", EINVAL;
    /// Something to be released that was not acquired.
    NotReferenced = "not-referenced", EINVAL;
    /// A special field of a map's value that is not where it is said to be, or touched as bytes.
    SpecialField = "special-field", EINVAL;
    /// An object in the stack that is not there, in another state, or used as bytes.
    StackObject = "stack-object", EINVAL;
    /// A region that is entered, left or held where it may not be.
    Region = "region", EINVAL;
    /// A call that is forbidden while a lock is held.
    CallUnderLock = "call-under-lock", EINVAL;
    /// A lock given back that is not the one held.
    NotLocked = "not-locked", EINVAL;
    /// A program that ends, or is left, inside a region.
    LockHeld = "lock-held", EINVAL;
    /// A tail call that is not allowed there.
    InvalidTailCall = "invalid-tail-call", EINVAL;
    /// An instruction that the program type or policy does not allow.
    NotAllowed = "not-allowed", EINVAL;
    /// A consistency check of the kernel's verifier that the program trips.
    SelfCheck = "self-check", EFAULT;
    /// Something that this version does not model; ends the run as unsupported.
    Unsupported = "unsupported", EINVAL;
}

/// A rejection as the place that found it states it; the engine adds where in the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub code: Code,
    /// The error number that the kernel gives.
    pub errno: i32,
    /// The kernel's message, word for word, lines separated by newlines.
    pub message: String,
    /// The fact that was needed, in our own words.
    pub needed: String,
    /// The fact that was known, in our own words.
    pub known: String,
    /// The line of the spec that demands it; [`Site::NONE`] where no spec does.
    pub site: Site,
}

impl Rejection {
    /// A rejection with a message and nothing more.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Rejection {
        Rejection {
            code,
            errno: code.errno(),
            message: message.into(),
            needed: String::new(),
            known: String::new(),
            site: Site::NONE,
        }
    }

    /// With another error number than the code's.
    #[must_use]
    pub fn errno(mut self, errno: i32) -> Rejection {
        self.errno = errno;
        self
    }

    /// With the fact needed and the fact known.
    #[must_use]
    pub fn facts(mut self, needed: impl Into<String>, known: impl Into<String>) -> Rejection {
        self.needed = needed.into();
        self.known = known.into();
        self
    }

    /// With the line of the spec that demands it.
    #[must_use]
    pub fn at(mut self, site: Site) -> Rejection {
        self.site = site;
        self
    }
}
