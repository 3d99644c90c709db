//! What a driver does: conditions, refinements of the return and effects, in order.

use probity_platform::{RegType, ReturnOf, Site, Subject};

use super::Guard;

/// The steps of a driver, in canonical order.
pub type Steps = Vec<(Option<Condition>, Step)>;

/// One call of [`probity_platform::Effects`]. Arguments count from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The platform declares the callable and the engine does not model it.
    Unsupported {
        /// What is reported, `bpf_sk_lookup_tcp (acquires a reference)`.
        what: String,
        /// The clause.
        site: Site,
    },
    /// The map in an argument has one of these types.
    MapType {
        /// The argument.
        map: u8,
        /// The allowed types.
        allowed: Vec<u32>,
        /// The clause.
        site: Site,
    },
    /// An argument is known exactly.
    Constant {
        /// The argument.
        arg: u8,
        /// The clause.
        site: Site,
    },
    /// A condition holds.
    Require {
        /// The condition.
        condition: Condition,
        /// The message.
        text: String,
        /// The clause.
        site: Site,
    },
    /// Safety hangs on the exact value of an argument.
    Precise(u8),
    /// The returned number lies in this range.
    ReturnRange(Number, Number),
    /// The returned memory has this many bytes.
    ReturnBytes(Number),
    /// Not null for a constant key below the capacity.
    NonnullForConstantKey {
        /// The map argument.
        map: u8,
        /// The key argument.
        key: u8,
    },
    /// The returned pointer is a new reference.
    Acquire {
        /// The class of references.
        class: String,
        /// The clause.
        site: Site,
    },
    /// The returned pointer derives from what an argument derives from.
    Cast(u8),
    /// What is returned hangs on an argument.
    ReturnOf(ReturnOf, u8, Site),
    /// Enters a region.
    Enter {
        /// The region.
        region: u16,
        /// The lock or flag.
        by: Option<u8>,
        /// It may fail.
        fallible: bool,
        /// The clause.
        site: Site,
    },
    /// Leaves a region.
    Leave {
        /// The region.
        region: u16,
        /// The lock or flag.
        by: Option<u8>,
        /// The clause.
        site: Site,
    },
    /// Makes a stack object, in this state.
    Construct(u8, u8, Site),
    /// Takes the next element; the state behind the last.
    Advance(u8, u8, Site),
    /// Ends a stack object.
    Destroy(u8, Site),
    /// Copies a stack object.
    Clone(u8, u8, Site),
    /// The returned pointer lives as long as a stack object.
    Slice(u8),
    /// A reference is the program's no more.
    Disown(u8, Site),
    /// Calls back.
    CallBack {
        /// The signature.
        callback: u16,
        /// The function.
        func: u8,
        /// What registers hold at entry.
        entry: Vec<(u8, CallbackValue)>,
        /// How often at most.
        times: Option<Number>,
        /// The clause.
        site: Site,
    },
    /// A field is of a map.
    Member(u8, u8, Site),
    /// A format string says what memory holds.
    Format(u8, u8, Site),
    /// Ends the program.
    Throw(Site),
    /// Packet pointers are stale.
    InvalidatePacket,
    /// Runs another program.
    TailCall {
        /// The map argument.
        map: u8,
        /// The index argument.
        index: u8,
        /// The clause.
        site: Site,
    },
}

/// What a register of a callback holds at entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackValue {
    /// What this argument of the call held.
    Caller(u8),
    /// A value of a type, perhaps of an argument's map.
    Type(RegType, Subject, Option<u8>),
}

/// Which bound of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The least unsigned value.
    Umin,
    /// The greatest unsigned value.
    Umax,
    /// The least signed value.
    Smin,
    /// The greatest signed value.
    Smax,
}

/// A number, computed without overflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// A literal.
    Literal(i128),
    /// A bound of an argument.
    Bound(u8, Bound),
    /// The exact value of an argument, which a [`Step::Constant`] demanded before.
    Constant(u8),
    /// The number of a map's type, -1 for what is no map.
    MapType(u8),
    /// A map's key size.
    KeySize(u8),
    /// A map's value size.
    ValueSize(u8),
    /// A map's capacity.
    MaxEntries(u8),
    /// The number of processors.
    NrCpus,
    /// A sum.
    Add(Box<Number>, Box<Number>),
    /// A difference.
    Sub(Box<Number>, Box<Number>),
    /// A product.
    Mul(Box<Number>, Box<Number>),
}

/// How two numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

/// A condition over arguments and the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A comparison.
    Compare(Comparison, Number, Number),
    /// One of these numbers.
    In(Number, Vec<i128>),
    /// The argument is null.
    IsNull(u8),
    /// The guard holds.
    Holds(Guard),
    /// The negation.
    Not(Box<Condition>),
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// At least one.
    Or(Box<Condition>, Box<Condition>),
}
