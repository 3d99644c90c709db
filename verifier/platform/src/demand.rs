//! What the bodies of intrinsics take for granted of the callables that are bound to them, beyond
//! the roles of their arguments. A runtime does not look again at what was proved; so what a body
//! does and what a spec says that it does must be the same. Codegen refuses specs where they are not.
//!
//! Arguments count from 0.

/// One thing that a body takes for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// It writes the memory in the argument: `MEM_WRITE`. Where the platform's own prototype does not
    /// say so, the callable is `unsupported`.
    Writes(u8),
    /// The memory in the argument has so many bytes, or more.
    Bytes(u8, u32),
    /// The argument is the context, and its beginning.
    Context(u8),
    /// The argument is a stack object that only callables of this use make and change.
    Object(u8, ObjectUse),
    /// It changes the stack object in the argument: no `MEM_RDONLY`.
    Changes(u8),
    /// The argument is a special field that only callables of this use take.
    Field(u8, FieldUse),
    /// It may move the packet: `invalidates packet`.
    MovesPacket,
    /// What it returns may be null: `PTR_MAYBE_NULL`.
    MayReturnNull,
    /// It returns a value of the map in the argument.
    ReturnsValueOf(u8),
    /// It returns as many bytes as the argument says: `returns bytes ARG.const`.
    ReturnsBytesOf(u8),
    /// It returns so many bytes, which programs may only read.
    ReturnsReadOnly(u32),
    /// What it returns is a reference: `acquires`.
    Acquires,
    /// It takes the reference in the argument back: `OBJ_RELEASE`.
    Releases(u8),
    /// It makes the stack object in the argument: `constructs`.
    Constructs(u8),
    /// ... in a state that is `owned`.
    ConstructsOwned(u8),
    /// It gives the next element of the stack object in the argument: `advances`.
    Advances(u8),
    /// It ends the stack object in the argument: `destroys`.
    Destroys(u8),
    /// What it returns is good as long as the stack object in the argument: `slices`.
    Slices(u8),
    /// The special field is in a value of the map: `member FIELD of MAP`.
    Member(u8, u8),
    /// It takes the lock in the argument: `enters`.
    Enters(u8),
    /// It gives the lock in the argument back: `leaves`.
    Leaves(u8),
    /// It has a function of the program called: `calls`.
    Calls(&'static Calls),
    /// It runs the program at an index of a map: `tail_call MAP, INDEX`.
    TailCall(u8, u8),
    /// A lookup with a known key of an indexed map is not null: `nonnull when KEY in MAP` may be said,
    /// here alone.
    MayBeNonnull,
}

/// How a function of the program is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The argument with the function.
    pub func: u8,
    /// What its registers hold, from r1 on. Others hold nothing that may be said.
    pub feeds: &'static [Feed],
    /// Whether it is called when the callable has returned: `async`.
    pub later: bool,
    /// The argument that says how often it is called at most, when one does: `up_to ARG.umax`.
    pub times: Option<u8>,
}

/// What a register of a called function holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// A number.
    Number,
    /// What the argument of the call held.
    Caller(u8),
    /// The map in the argument, or of the special field in it.
    Map(u8),
    /// A key of that map.
    Key(u8),
    /// A value of that map.
    Value(u8),
    /// A pointer to a dynptr.
    Dynptr,
}

/// What a body makes of a stack object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectUse {
    /// The address of memory, and its size.
    Dynptr,
    /// Two numbers of an iterator.
    Numbers,
}

impl ObjectUse {
    /// How many bytes of it a body uses.
    #[must_use]
    pub fn bytes(self) -> u32 {
        match self {
            ObjectUse::Dynptr => 16,
            ObjectUse::Numbers => 8,
        }
    }

    /// How messages call it.
    #[must_use]
    pub fn said(self) -> &'static str {
        match self {
            ObjectUse::Dynptr => "a dynptr",
            ObjectUse::Numbers => "an iterator over numbers",
        }
    }
}

/// What a body makes of a special field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldUse {
    /// A lock.
    Lock,
    /// A timer.
    Timer,
}

impl FieldUse {
    /// How many bytes it has.
    #[must_use]
    pub fn bytes(self) -> u32 {
        match self {
            FieldUse::Lock => 4,
            FieldUse::Timer => 16,
        }
    }

    /// How messages call it.
    #[must_use]
    pub fn said(self) -> &'static str {
        match self {
            FieldUse::Lock => "a lock",
            FieldUse::Timer => "a timer",
        }
    }
}

/// What an intrinsic gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// Any number of 64 bits, or nothing.
    Number,
    /// A number between two, inclusive.
    Between(i64, i64),
    /// The number of a processor of the target.
    Processor,
    /// A pointer.
    Pointer,
}

impl Gives {
    /// 0, or an error's number with a minus.
    pub const STATUS: Gives = Gives::at_most(0);

    /// A number up to this, or an error's number with a minus.
    #[must_use]
    pub const fn at_most(most: i64) -> Gives {
        Gives::Between(-4095, most)
    }
}
