//! What callables work with beyond maps and memory: regions, objects in stack slots, callbacks,
//! objects of named types, special fields.

use super::{Doc, Expr, Field, Ident, Range, Spanned, VersionLit};
use crate::source::Span;

/// One line of an item's block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<K> {
    /// Its doc comment.
    pub doc: Doc,
    /// From its beginning to its `;`.
    pub span: Span,
    /// What it says.
    pub kind: K,
}

/// A region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: Ident,
    /// What its block says.
    pub lines: Vec<Line<RegionLine>>,
}

/// What lines of regions say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionLine {
    /// `prints "text";`
    Prints(Spanned<String>),
    /// `inside "rcu_read_lock region";`
    Inside(Spanned<String>),
    /// `forbids WORDS;`: `sleep`, `nesting`, `calls`, `global_calls`.
    Forbids(Vec<Ident>),
    /// `allows NAMES;`
    Allows(Vec<Ident>),
    /// `on_leave FLAG -> FLAG;` or `on_leave FLAG -> SCALAR_VALUE;`
    OnLeave {
        /// The modifier of the pointers.
        from: Ident,
        /// What takes its place.
        to: Ident,
    },
    /// `implicit when GUARD;`
    Implicit(Expr),
    /// A word alone: `counted;`, `ordered;`.
    Flag(Ident),
}

/// A kind of objects that live in stack slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackObject {
    /// The name of its struct.
    pub name: Ident,
    /// Its size in bytes.
    pub size: Spanned<u64>,
    /// What its block says.
    pub lines: Vec<Line<StackObjectLine>>,
}

/// What lines of stack objects say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackObjectLine {
    /// `prints "text";`
    Prints(Spanned<String>),
    /// `state NAME;` or `state NAME owned;`
    State {
        /// The state.
        name: Ident,
        /// The word `owned`.
        owned: Option<Span>,
    },
}

/// A callback's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// Its name.
    pub name: Ident,
    /// What its block says.
    pub lines: Vec<Line<CallbackLine>>,
}

/// What lines of callbacks say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallbackLine {
    /// `r1 = VALUE;`
    Register {
        /// The register.
        register: Ident,
        /// `caller.ARG`, a kind, or an object. Never empty.
        value: Vec<Ident>,
        /// Modifiers.
        flags: Vec<Ident>,
        /// The argument whose map the value belongs to.
        of: Option<Ident>,
    },
    /// `returns RANGE;`
    Returns(Range),
    /// `forbids NAMES;`
    Forbids(Vec<Ident>),
    /// A word alone: `sync;`, `async;`, `sleepable;`.
    Flag(Ident),
}

/// A type of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: Ident,
    /// `btf` or `btf NAME`: the struct of the target's BTF that it is.
    pub btf: Option<Btf>,
    /// What its block says about it.
    pub lines: Vec<Line<ObjectLine>>,
    /// Its fields, when the spec has its layout.
    pub fields: Vec<Field>,
}

/// `btf` or `btf NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Btf {
    /// The struct's name; None: the object's.
    pub name: Option<Ident>,
    /// Where it stands.
    pub span: Span,
}

/// What lines of objects say, apart from fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectLine {
    /// `trusted FIELDS;`, `trusted_or_null FIELDS;`, `rcu FIELDS;`, `rcu_or_null FIELDS;`
    Trust {
        /// The word.
        trust: Ident,
        /// The fields.
        fields: Vec<Ident>,
        /// When it holds; None: always.
        when: Option<Expr>,
    },
    /// `upcast OBJECTS;`
    Upcast(Vec<Ident>),
    /// A word alone: `external;`, `rcu_protected;`.
    Flag(Ident),
}

/// A type inside map values that is special.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecialField {
    /// The name of the struct or tag.
    pub name: Ident,
    /// What it names: `struct` or `tag`.
    pub form: Ident,
    /// What its block says.
    pub lines: Vec<Line<SpecialFieldLine>>,
}

/// What lines of special fields say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecialFieldLine {
    /// `prints "text";`
    Prints(Spanned<String>),
    /// `size N;`
    Size(Spanned<u64>),
    /// `maps MAP_TYPES;`
    Maps(Vec<Ident>),
    /// `denied PROG_TYPES else "text";`
    Denied {
        /// The program types.
        progs: Vec<Ident>,
        /// What they are told.
        text: Spanned<String>,
    },
    /// A word alone: `unique;`.
    Flag(Ident),
}

/// Names of functions and hooks of the target, for guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Their name in the spec.
    pub name: Ident,
    /// The functions and hooks.
    pub names: Vec<Ident>,
}

/// What every callable of a sort has: `every kfunc { gpl_only; }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Every {
    /// The sort, `kfunc`.
    pub sort: Ident,
    /// The words.
    pub flags: Vec<Ident>,
}

/// A message in the platform's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Which message.
    pub name: Ident,
    /// The message.
    pub text: Spanned<String>,
}

/// A name in other versions: `alias NAME since V;`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: Ident,
    /// The first version that has it.
    pub since: Option<VersionLit>,
    /// The first that has it no more.
    pub until: Option<VersionLit>,
}
