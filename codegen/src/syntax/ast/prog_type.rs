//! Sets of helpers, and program types.

use super::{Doc, Expr, Ident, Range, Spanned, VersionLit};
use crate::source::Span;

/// A set of helpers and kfuncs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: Ident,
    /// Its entries in the order in which they stand.
    pub entries: Vec<SetEntry>,
}

/// An entry of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetEntry {
    /// Its doc comment.
    pub doc: Doc,
    /// From its beginning to its `;`.
    pub span: Span,
    /// What it is.
    pub kind: SetEntryKind,
    /// When all of it holds; None: always.
    pub when: Option<Expr>,
}

/// The entries of sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetEntryKind {
    /// `NAME, NAME as OVERLOAD;`
    Names(Vec<SetName>),
    /// `include SET, SET;`
    Include(Vec<Ident>),
    /// `exclude NAME, NAME;`
    Exclude(Vec<Ident>),
}

/// A helper or kfunc of a set, perhaps in an overload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetName {
    /// The helper.
    pub name: Ident,
    /// The overload.
    pub overload: Option<Ident>,
    /// Where it stands.
    pub span: Span,
}

/// A program type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgType {
    /// Its name.
    pub name: Ident,
    /// Its number.
    pub number: Spanned<u64>,
    /// Its clauses in the order in which they stand.
    pub clauses: Vec<ProgClause>,
}

/// A clause of a program type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgClause {
    /// Its doc comment.
    pub doc: Doc,
    /// From its keyword to its end.
    pub span: Span,
    /// What it says.
    pub kind: ProgClauseKind,
}

/// What clauses of program types say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgClauseKind {
    /// `since V;`
    Since(VersionLit),
    /// `until V;`
    Until(VersionLit),
    /// `ctx VIEW { rules }`
    Ctx {
        /// The view.
        view: Ident,
        /// What this program type changes about it.
        rules: Vec<CtxRule>,
    },
    /// `helpers SET;` or `helpers all;`
    Helpers(Ident),
    /// `kfuncs SET;` or `kfuncs all;`
    Kfuncs(Ident),
    /// `sleepable when GUARD;` or `sleepable always else "text" when GUARD;`
    Sleepable {
        /// The word `always`.
        always: bool,
        /// What a program is told that must sleep and does not.
        text: Option<Spanned<String>>,
        /// When it holds; None: always.
        when: Option<Expr>,
    },
    /// `packet read, write;`
    Packet(Vec<Ident>),
    /// `returns any when GUARD;` or `returns RANGE when GUARD;`
    Returns {
        /// The range; None: any value.
        range: Option<Range>,
        /// When it holds; None: always.
        when: Option<Expr>,
    },
    /// `entry r1 = ctx, r2 = ctx.len;`
    Entry(Vec<EntryRegister>),
    /// `attach NAME = N, NAME = N;`
    Attach(Vec<AttachEntry>),
    /// `attach_checked;` or `attach_checked default NAME;`
    AttachChecked {
        /// The attach type of a program that names none.
        default: Option<Ident>,
    },
    /// `section "glob" attach NAME flags N target "prefix";`
    Section {
        /// The name; a `*` at its end stands for anything.
        glob: Spanned<String>,
        /// The attach type.
        attach: Option<Ident>,
        /// The flags of loading: a number or a name.
        flags: Option<Expr>,
        /// What the names of functions of the target begin with that stand behind the glob's `/`.
        target: Option<Spanned<String>>,
    },
    /// `unsupported "name" when GUARD;`
    Unsupported {
        /// What the engine does not model.
        what: Spanned<String>,
        /// When it holds; None: always.
        when: Option<Expr>,
    },
    /// A word alone: `ld_abs;`, `private_stack;`. The parser lets no other word through.
    Flag(Ident),
}

/// What a program type changes about its context's view: `deny FIELDS;` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CtxRule {
    /// Its doc comment.
    pub doc: Doc,
    /// From its keyword to its `;`.
    pub span: Span,
    /// What it says.
    pub kind: CtxRuleKind,
    /// Of which fields.
    pub fields: Vec<Ident>,
    /// When it holds; None: always.
    pub when: Option<Expr>,
}

/// The rules of [`CtxRule`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CtxRuleKind {
    /// `deny FIELDS;`: no access.
    Deny,
    /// `read FIELDS;`: they may be read.
    Read,
    /// `write FIELDS;` or `write FIELDS: 4, 8;`: they may be written too, in accesses of these
    /// sizes; without any, as wide as an element.
    Write(Vec<Spanned<u64>>),
    /// `sizes FIELDS: 1, 2;`: accesses have these sizes.
    Sizes(Vec<Spanned<u64>>),
}

/// What a register holds at entry: `r2 = ctx.len`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRegister {
    /// The register, `r2`.
    pub register: Ident,
    /// `ctx`, `ctx.len`, or a register kind. Never empty.
    pub value: Vec<Ident>,
    /// Modifiers, `PTR_TO_MEM | MEM_RDONLY`.
    pub flags: Vec<Ident>,
    /// Where it stands.
    pub span: Span,
}

/// `NAME = N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachEntry {
    /// The attach type.
    pub name: Ident,
    /// Its number.
    pub number: Spanned<u64>,
}
