//! Calls as a host's functions see them. Codegen computes it from a callable's declaration: once for the
//! typed bindings that it emits, and as data for the runtime, which lets no binding be used that is not
//! made for it.

/// Whether a host can have a function for a callable.
#[derive(Clone, Copy, Debug)]
pub enum HostBinding {
    /// No host has: the callable has a body, or calls end up elsewhere.
    None,
    /// The bindings can't express it; why.
    Unsupported(&'static str),
    /// It has one.
    Call(&'static HostCall),
}

/// A call of a host's function. Callables are named by their number among all: helpers in the order of
/// [`crate::Platform::callables`], then kfuncs ([`crate::Platform::callable_at`]).
#[derive(Clone, Copy, Debug)]
pub struct HostCall {
    /// What the function is given, in order. Arguments that belong together are one here.
    pub args: &'static [HostArg],
    /// What it gives back.
    pub ret: HostRet,
    /// The returned number lies in all of these.
    pub returns: &'static [(HostBound, HostBound)],
    /// What it returns is good until this callable is called; None: until the run ends, or until it is
    /// released.
    pub until: Option<u16>,
    /// True when what another callable returned is good until this one is called.
    pub ends_lifetimes: bool,
    /// What is called for a reference, or for an object in the stack, that a run leaves behind when it
    /// ends early.
    pub given_back_by: Option<u16>,
}

/// One argument of a host's function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostArg {
    /// The first register that it is in: 0 is r1.
    pub register: u8,
    /// What it is.
    pub value: HostValue,
    /// It may be null.
    pub nullable: bool,
}

/// What an argument is. Sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostValue {
    /// An integer.
    Number {
        /// Its size: 1, 2, 4 or 8.
        bytes: u8,
        /// It has a sign.
        signed: bool,
    },
    /// The context, of this view.
    Context(u16),
    /// Memory of a fixed size.
    Memory {
        /// Its size.
        bytes: u32,
        /// The function may write it.
        writable: bool,
        /// It holds nothing before.
        uninit: bool,
    },
    /// Memory of the size that is in the register behind it.
    Slice {
        /// The function may write it.
        writable: bool,
        /// It holds nothing before.
        uninit: bool,
    },
    /// A map.
    Map,
    /// An object: an index into [`crate::Platform::objects`].
    Object(u16),
    /// A reference to an object, which the call releases.
    Released(u16),
    /// A new object in the stack: an index into [`crate::Platform::stack_objects`].
    Made(u16),
    /// An object in the stack.
    Used(u16),
    /// An object in the stack that ends.
    Ended(u16),
    /// A function of the program.
    Callback {
        /// Index into [`crate::Platform::callbacks`].
        callback: u16,
        /// What r1 to r5 hold when it is called.
        entry: [HostEntry; 5],
        /// How often it may be called at most.
        times: Option<HostBound>,
    },
}

/// What a register holds when a host's function calls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostEntry {
    /// Nothing.
    Nothing,
    /// A number of the host.
    Number,
    /// An object of the host: an index into [`crate::Platform::objects`].
    Object(u16),
    /// What this argument of the call held; arguments count from 0.
    Caller(u8),
}

/// What a host's function gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRet {
    /// Nothing.
    Nothing,
    /// An integer.
    Number {
        /// Its size in bytes: 1, 2, 4 or 8.
        bytes: u8,
        /// It has a sign.
        signed: bool,
    },
    /// A pointer to an object: an index into [`crate::Platform::objects`].
    Object {
        /// Which.
        object: u16,
        /// It may be null.
        nullable: bool,
    },
    /// A reference to an object, which the program must release.
    Acquired {
        /// Which: an index into [`crate::Platform::objects`].
        object: u16,
        /// It may be null.
        nullable: bool,
    },
    /// A pointer to memory.
    Memory {
        /// How many bytes at least.
        bytes: HostBound,
        /// It may be null.
        nullable: bool,
    },
    /// The object in the stack that is made, or an error number.
    Made,
}

/// A number that a call is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostBound {
    /// A number.
    Number(i64),
    /// What an argument holds, without a sign; arguments count from 0.
    Argument(u8),
    /// What an argument holds, with a sign.
    SignedArgument(u8),
}

impl HostBound {
    /// The number, in a call with r1 to r5.
    #[must_use]
    pub fn value(self, args: &[u64; 5]) -> i64 {
        let at = |index: u8| args.get(usize::from(index)).copied().unwrap_or(0);
        match self {
            HostBound::Number(number) => number,
            HostBound::Argument(index) => i64::try_from(at(index)).unwrap_or(i64::MAX),
            HostBound::SignedArgument(index) => at(index).cast_signed(),
        }
    }
}
