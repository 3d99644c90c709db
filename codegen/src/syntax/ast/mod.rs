//! What a spec says, as written: nothing is resolved or checked here.
//!
//! Each node has its [`Span`]. Numbers and names are as written; what they mean is for the passes
//! behind. To add an item: a variant of [`ItemKind`], a row of keywords in `syntax::keyword`, a rule
//! in the grammar, a function that reads it and one that prints it.

mod clause;
mod concept;
mod expr;
mod prog_type;
mod view;

pub use clause::{
    Arg, Clause, ClauseKind, Helper, MapClause, MapClauseKind, MapFlagEntry, MapFlagKind, MapFlags, MapType,
    NullCheck, Overload, SizeRange, SizeStep,
};
pub use concept::{
    Alias, Btf, Callback, CallbackLine, Every, Line, Object, ObjectLine, Region, RegionLine, SpecialField,
    SpecialFieldLine, StackObject, StackObjectLine, Targets, Word,
};
pub use expr::{BinaryOp, Expr, ExprKind, Range, TypeExpr, UnaryOp};
pub use prog_type::{
    AttachEntry, CtxRule, CtxRuleKind, EntryRegister, ProgClause, ProgClauseKind, ProgType, Set, SetEntry,
    SetEntryKind, SetName,
};
pub use view::{Access, AccessMode, Field, FieldType, Host, IntType, Narrow, Struct, View};

use crate::source::Span;

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// A version, `6.18`, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionLit {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
    /// Where it stands.
    pub span: Span,
}

/// The lines of a doc comment, each without its `///` (and, where there is one, the blank behind it).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doc {
    /// The lines.
    pub lines: Vec<Spanned<String>>,
}

impl Doc {
    /// The lines as one text.
    #[must_use]
    pub fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.value.as_str()).collect();
        lines.join("\n")
    }

    /// True when there is no doc comment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its doc comment.
    pub doc: Doc,
    /// From its keyword to its end.
    pub span: Span,
    /// What it is.
    pub kind: ItemKind,
}

/// The kinds of items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// `//! text`, at the beginning of a file. Its lines are the item's [`Item::doc`].
    FileDoc,
    /// `platform NAME;`
    Platform(Ident),
    /// `prelude NAME;`
    Prelude(Ident),
    /// `use TREE;`
    Use(UseTree),
    /// `part NAME needs A, B { items }`
    Part(Part),
    /// `kind NAME: BEHAVIOUR VIEW { properties }`
    Kind(Kind),
    /// `argclass NAME: ROLE { accepts TYPES; }`
    ArgClass(ArgClass),
    /// `extend NAME { accepts TYPES; }`
    Extend(Extend),
    /// `extend set NAME { entries }`
    ExtendSet(Set),
    /// `map_flags { NAME = N; exclusive NAMES; }`
    MapFlags(MapFlags),
    /// `map_type NAME = N { clauses }`
    MapType(MapType),
    /// `global_data NAME;`
    GlobalData(Ident),
    /// `special_field NAME: FORM { lines }`
    SpecialField(SpecialField),
    /// `helper NAME = N { clauses }` or `kfunc NAME { clauses }`
    Helper(Helper),
    /// `region NAME { lines }`
    Region(Region),
    /// `stack_object NAME size N { lines }`
    StackObject(StackObject),
    /// `callback NAME { lines }`
    Callback(Callback),
    /// `object NAME btf { lines and fields }`
    Object(Object),
    /// `targets NAME { names }`
    Targets(Targets),
    /// `every SORT { words }`
    Every(Every),
    /// `words { NAME "text"; }`
    Words(Vec<Line<Word>>),
    /// `host none;`
    Host(Ident),
    /// `view NAME size N { fields }`
    View(View),
    /// `struct NAME size N { fields }`
    Struct(Struct),
    /// `set NAME { entries }`
    Set(Set),
    /// `prog_type NAME = N { clauses }`
    ProgType(ProgType),
    /// `policy { allow NAMES [when GUARD]; follow NAMES [when GUARD]; }`
    Policy(Vec<Allow>),
    /// `limits { NAME N; }`
    Limits(Vec<Limit>),
    /// `switch NAME since V;`
    Switch(Switch),
    /// `version V;`
    Version(VersionLit),
}

/// A line of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// Its doc comment.
    pub doc: Doc,
    /// From its keyword to its `;`.
    pub span: Span,
    /// `allow` or `follow`.
    pub word: Ident,
    /// What is allowed, or what is followed.
    pub names: Vec<Ident>,
    /// When it holds; None: always.
    pub when: Option<Expr>,
}

/// What a `use` takes: a name, and of what it holds either all or the named parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseTree {
    /// The name.
    pub name: Ident,
    /// The parts between braces; None takes all.
    pub parts: Option<Vec<UseTree>>,
    /// The name and its parts.
    pub span: Span,
}

/// A part of a prelude, selectable by `use`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: Ident,
    /// The parts that come along with it.
    pub needs: Vec<Ident>,
    /// What it holds.
    pub items: Vec<Item>,
}

/// A register kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub name: Ident,
    /// The engine's behaviour, by name.
    pub behaviour: Ident,
    /// For the behaviour `view`: the view.
    pub view: Option<Ident>,
    /// Its properties in the order in which they stand.
    pub props: Vec<KindProp>,
}

/// A property of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindProp {
    /// Its doc comment.
    pub doc: Doc,
    /// From its keyword to its end.
    pub span: Span,
    /// What it is.
    pub kind: KindPropKind,
}

/// The properties of kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindPropKind {
    /// `prints "text";`
    Prints(Spanned<String>),
    /// `offset RULE;`: `zero`, `fixed` or `any`.
    Offset(Ident),
    /// `bound KIND;`
    Bound(Ident),
    /// A word alone, `never_null;` or `no_arithmetic;`
    Flag(Ident),
}

/// An argument class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgClass {
    /// Its name.
    pub name: Ident,
    /// The engine's role, by name.
    pub role: Ident,
    /// The types that it accepts.
    pub accepts: Vec<TypeExpr>,
}

/// More types for an argument class that is declared elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extend {
    /// The class.
    pub name: Ident,
    /// The types that it accepts too.
    pub accepts: Vec<TypeExpr>,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its doc comment.
    pub doc: Doc,
    /// Its name.
    pub name: Ident,
    /// Its number.
    pub value: Spanned<u64>,
    /// From its name to its end.
    pub span: Span,
}

/// A semantic switch and the version that has it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its name.
    pub name: Ident,
    /// The version.
    pub since: VersionLit,
}
