//! Helpers, kfuncs and map types: what callables demand and give.

use super::{Alias, Doc, Expr, Ident, Range, Spanned, TypeExpr, VersionLit};
use crate::source::Span;

/// A helper, or a kfunc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper {
    /// Its name.
    pub name: Ident,
    /// The number that call instructions carry; None for a kfunc, which is called by name.
    pub number: Option<Spanned<u64>>,
    /// Its clauses in the order in which they stand.
    pub clauses: Vec<Clause>,
    /// Its overloads. A clause of an overload refines or replaces the helper's; what it does not
    /// say, the helper's clauses say.
    pub overloads: Vec<Overload>,
}

/// `overload NAME { clauses }`: the helper as some sets offer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overload {
    /// Its doc comment.
    pub doc: Doc,
    /// Its name, which sets select with `as`.
    pub name: Ident,
    /// Its clauses.
    pub clauses: Vec<Clause>,
    /// From its keyword to its end.
    pub span: Span,
}

/// A clause of a helper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Its doc comment.
    pub doc: Doc,
    /// From its keyword to its `;`.
    pub span: Span,
    /// What it says.
    pub kind: ClauseKind,
    /// When it holds; None: always.
    pub when: Option<Expr>,
}

/// What clauses of helpers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClauseKind {
    /// `since V;`
    Since(VersionLit),
    /// `until V;`
    Until(VersionLit),
    /// `proto (args) -> RET;`
    Proto {
        /// The arguments.
        args: Vec<Arg>,
        /// What is returned.
        ret: TypeExpr,
        /// The parentheses and what is between.
        args_span: Span,
    },
    /// `returns RANGE;`
    Returns(Range),
    /// `returns bytes EXPR;`
    ReturnsBytes(Expr),
    /// `returns WHAT of ARG;`
    ReturnsOf {
        /// What of the argument says what is returned.
        what: Ident,
        /// The argument.
        arg: Ident,
    },
    /// `alias NAME since V;`
    Alias(Alias),
    /// `exists;`, with its guard: the target has it only then.
    Exists,
    /// `allowed else "text" when GUARD;`: programs that are offered it may call it only then.
    Allowed(Option<Spanned<String>>),
    /// `flags KF_A | KF_B;`
    KfuncFlags(Vec<Ident>),
    /// `enters REGION by ARG fallible;`
    Enters {
        /// The region.
        region: Ident,
        /// The argument that is the lock or the flag.
        by: Option<Ident>,
        /// The word `fallible`.
        fallible: bool,
    },
    /// `leaves REGION by ARG;`
    Leaves {
        /// The region.
        region: Ident,
        /// The argument that is the lock or the flag.
        by: Option<Ident>,
    },
    /// `constructs ARG as STATE;`
    Constructs {
        /// The argument.
        arg: Ident,
        /// The state.
        state: Ident,
    },
    /// `advances ARG to STATE;`
    Advances {
        /// The argument.
        arg: Ident,
        /// The state behind the last element.
        state: Ident,
    },
    /// `destroys ARG;`
    Destroys(Ident),
    /// `clones ARG to ARG;`
    Clones {
        /// What is copied.
        from: Ident,
        /// What is made.
        to: Ident,
    },
    /// `slices ARG;`
    Slices(Ident),
    /// `disowns ARG;`
    Disowns(Ident),
    /// `calls ARG as CALLBACK up_to EXPR;`
    Calls {
        /// The argument that is the function.
        func: Ident,
        /// Its signature.
        callback: Ident,
        /// How often at most.
        up_to: Option<Expr>,
    },
    /// `member FIELD of MAP;`
    Member {
        /// The argument that is the field.
        field: Ident,
        /// The argument that is the map.
        map: Ident,
    },
    /// `formats FORMAT, DATA;`
    Formats {
        /// The argument that is the string.
        format: Ident,
        /// The argument that is the memory.
        data: Ident,
    },
    /// `lifetime run;` or `lifetime until CALLABLE;`
    Lifetime {
        /// `run` or `until`.
        word: Ident,
        /// The callable behind `until`.
        until: Option<Ident>,
    },
    /// `where COND else "text";`
    Where {
        /// What must hold.
        cond: Expr,
        /// The words of the rejection when it does not.
        text: Option<Spanned<String>>,
    },
    /// `precise ARG;`
    Precise(Ident),
    /// `invalidates CLASS;`
    Invalidates(Ident),
    /// `acquires CLASS;`
    Acquires(Ident),
    /// `releases CLASS;`
    Releases(Ident),
    /// `casts ARG;`
    Casts(Ident),
    /// `tail_call MAP, INDEX;`
    TailCall {
        /// The argument that is the map.
        map: Ident,
        /// The argument that is the index.
        index: Ident,
    },
    /// `nonnull when KEY in MAP;`
    NonNull {
        /// The argument that is the key.
        key: Ident,
        /// The argument that is the map.
        map: Ident,
    },
    /// `body NAME;`
    Body(Ident),
    /// `unsupported "name";`
    Unsupported(Spanned<String>),
    /// A word alone: `gpl_only;`, `pkt_access;`, `might_sleep;`, `fastcall;`, `map_read;`,
    /// `map_write;`, `variadic;`, `throws;`. The parser lets no other word through.
    Flag(Ident),
}

/// An argument: `name: CLASS | FLAGS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// Its name.
    pub name: Ident,
    /// Its class, modifiers and fixed size.
    pub ty: TypeExpr,
    /// Where it stands.
    pub span: Span,
}

/// A map type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapType {
    /// Its name.
    pub name: Ident,
    /// Its number.
    pub number: Spanned<u64>,
    /// Its clauses in the order in which they stand.
    pub clauses: Vec<MapClause>,
}

/// A clause of a map type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapClause {
    /// Its doc comment.
    pub doc: Doc,
    /// From its keyword to its end.
    pub span: Span,
    /// What it says.
    pub kind: MapClauseKind,
}

/// What clauses of map types say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapClauseKind {
    /// `since V;`
    Since(VersionLit),
    /// `until V;`
    Until(VersionLit),
    /// `key SIZES;`
    Key(Vec<SizeRange>),
    /// `value SIZES with FLAGS;`
    Value {
        /// The sizes.
        sizes: Vec<SizeRange>,
        /// The flags of the maps that the clause is about. Empty: of all others.
        with: Vec<Ident>,
    },
    /// `element RANGE;`
    Element(Range),
    /// `max_entries SIZES;`
    MaxEntries(Vec<SizeRange>),
    /// `extra SIZES;`
    Extra(SizeRange),
    /// `flags NAMES;`
    Flags(Vec<Ident>),
    /// `requires NAMES;`
    Requires(Vec<Ident>),
    /// `exclusive NAMES;`
    Exclusive(Vec<Ident>),
    /// `unsupported "why" in { helpers };`
    Unsupported {
        /// Why.
        why: Spanned<String>,
        /// Of which helpers. Empty: of all.
        helpers: Vec<Ident>,
    },
    /// `used_by { helpers }`
    UsedBy(Vec<Ident>),
    /// `null_check yields WHAT;`
    NullCheck(NullCheck),
    /// `body NAME;`
    Body(Ident),
    /// A trait: a word alone, `indexed;`. Which traits there are, the parser does not know.
    Trait(Ident),
}

/// A range of sizes, `8..=1016 step 8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeRange {
    /// From where to where.
    pub range: Range,
    /// Which between them; None: every one.
    pub step: Option<SizeStep>,
    /// Where it stands.
    pub span: Span,
}

/// Which numbers of a range are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeStep {
    /// `step N`: the multiples of N.
    MultiplesOf(Spanned<u64>),
    /// `power_of_two`: the powers of two.
    PowersOfTwo,
}

/// The flags that maps are created with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapFlags {
    /// Its entries in the order in which they stand.
    pub entries: Vec<MapFlagEntry>,
}

/// An entry of [`MapFlags`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapFlagEntry {
    /// Its doc comment.
    pub doc: Doc,
    /// From its beginning to its `;`.
    pub span: Span,
    /// What it says.
    pub kind: MapFlagKind,
}

/// What entries of [`MapFlags`] say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapFlagKind {
    /// `NAME = N;`: a flag and the number of its bit.
    Bit(Ident, Spanned<u64>),
    /// `exclusive NAMES;`: no map has all of them.
    Exclusive(Vec<Ident>),
}

/// What a looked-up value becomes when a null check succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NullCheck {
    /// `inner_map`: the inner map.
    InnerMap(Span),
    /// A register type.
    Type(TypeExpr),
}
