//! Helpers and kfuncs: clauses, overloads.

use std::collections::BTreeMap;

use probity_platform::{ArgRole, CallableFlags, Concepts, KfuncFlags, Lifetime, Subject, Version};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Callable, Guard};
use crate::source::Span;
use crate::syntax::ast::{self, Clause, ClauseKind, Ident, VersionLit};

use super::clauses::{Lowered, lower};
use super::conditions::{self, Args};
use super::cx::{Cx, once};
use super::facts::{concepts, flag, intrinsic};
use super::guards;
use super::items::Collected;
use super::prototype::{self, Types};
use super::{effects, kfuncs};

/// A callable's row and what later passes need beside it.
pub(crate) struct Built {
    pub(crate) row: Callable,
    /// Its name in the spec.
    pub(crate) span: Span,
    /// True for kfuncs.
    pub(crate) kfunc: bool,
    /// True for the rows of `overload`.
    pub(crate) overload: bool,
    /// The classes of references that it acquires.
    pub(crate) acquires: Vec<Ident>,
    /// The classes of references that it releases.
    pub(crate) releases: Vec<Ident>,
    /// Regions that it enters.
    pub(crate) entered: Vec<u16>,
    /// Regions that it leaves.
    pub(crate) left: Vec<u16>,
    /// True when it is said how long what it returns is good.
    pub(crate) derives: bool,
    /// Where its body is named, its prototype, and its arguments.
    pub(crate) places: Places,
    /// The callable that ends what it returns.
    until: Option<Ident>,
}

/// Where parts of a callable stand.
#[derive(Default)]
pub(crate) struct Places {
    /// The word of its body.
    pub(crate) body: Option<Span>,
    /// Its arguments.
    pub(crate) args: Vec<Span>,
}

/// Rows by (callable, overload).
pub(crate) type Index = BTreeMap<(String, Option<String>), u16>;

/// All callables, helpers ascending by number and behind them kfuncs by name, and where each is.
pub(super) fn callables(cx: &mut Cx<'_>, all: &Collected<'_>, types: &Types<'_>) -> (Vec<Built>, Index) {
    let mut built: Vec<(Option<String>, Built)> = Vec::new();
    for (helper, item) in &all.helpers {
        let base: Vec<&Clause> = helper.clauses.iter().collect();
        let has_proto = |clauses: &[&Clause]| {
            clauses.iter().any(|clause| matches!(clause.kind, ClauseKind::Proto { .. }))
        };
        repeated(cx, &base);
        if has_proto(&base) {
            let row = one(cx, all, types, (helper, &item.doc), &base, None);
            built.extend(row.map(|row| (None, row)));
        } else if helper.overloads.is_empty() {
            let what = if helper.number.is_some() { "helper" } else { "kfunc" };
            let text = format!("{what} `{}` has no prototype", helper.name.name);
            cx.report(
                Diagnostic::new(Code::MissingProto, helper.name.span, text)
                    .help("write `proto (name: CLASS) -> RET_INTEGER;`"),
            );
        }
        let mut seen: Vec<&Ident> = Vec::new();
        for overload in &helper.overloads {
            if let Some(first) = seen.iter().find(|first| first.name == overload.name.name) {
                let text = format!("overload `{}` is declared twice", overload.name.name);
                let found = Diagnostic::new(Code::DuplicateName, overload.name.span, text)
                    .with(first.span, "declared first here");
                cx.report(found);
                continue;
            }
            seen.push(&overload.name);
            let own: Vec<&Clause> = overload.clauses.iter().collect();
            repeated(cx, &own);
            let merged = merge(&base, &own);
            if !has_proto(&merged) {
                let text = format!("overload `{}` has no prototype", overload.name.name);
                cx.report(Diagnostic::new(Code::MissingProto, overload.name.span, text));
                continue;
            }
            let doc = if overload.doc.is_empty() { &item.doc } else { &overload.doc };
            let name = Some(overload.name.name.clone());
            let row = one(cx, all, types, (helper, doc), &merged, Some(&overload.name));
            built.extend(row.map(|row| (name, row)));
        }
    }
    built.sort_by(|(_, a), (_, b)| {
        let by_name = |built: &Built| built.kfunc.then(|| built.row.name.clone());
        (a.kfunc, a.row.number, by_name(a)).cmp(&(b.kfunc, b.row.number, by_name(b)))
    });
    let mut index = Index::new();
    for (at, (overload, built)) in built.iter().enumerate() {
        if let Ok(at) = u16::try_from(at) {
            index.insert((built.row.name.clone(), overload.clone()), at);
        }
    }
    let mut built: Vec<Built> = built.into_iter().map(|(_, built)| built).collect();
    for row in &mut built {
        let Some(name) = &row.until else { continue };
        // Any overload stands for the callable.
        let at = index.iter().find(|((callable, _), _)| *callable == name.name).map(|(_, &at)| at);
        if types.scope.helpers.find(cx, name).is_some()
            && let Some(at) = at
        {
            row.row.ret.lifetime = Lifetime::Until(at);
        }
    }
    (built, index)
}

/// What a clause says, for those of which one is enough. Flags are told apart by their word.
fn subject(kind: &ClauseKind) -> Option<&str> {
    match kind {
        ClauseKind::Since(_) => Some("since"),
        ClauseKind::Until(_) => Some("until"),
        ClauseKind::Proto { .. } => Some("proto"),
        ClauseKind::Body(_) => Some("body"),
        ClauseKind::Allowed(_) => Some("allowed"),
        ClauseKind::KfuncFlags(_) => Some("flags"),
        ClauseKind::Lifetime { .. } => Some("lifetime"),
        // A condition may stand behind it: it does not end the program then.
        ClauseKind::Flag(word) if word.name == "throws" => None,
        ClauseKind::Flag(word) => Some(&word.name),
        _ => None,
    }
}

fn repeated(cx: &mut Cx<'_>, clauses: &[&Clause]) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for clause in clauses {
        let Some(what) = subject(&clause.kind) else { continue };
        match seen.get(what) {
            Some(first) => cx.repeated(what, clause.span, *first),
            None => {
                seen.insert(what, clause.span);
            }
        }
    }
}

/// The clauses of an overload: the helper's, but for those that the overload says anew. A body goes
/// with its prototype.
fn merge<'a>(base: &[&'a Clause], own: &[&'a Clause]) -> Vec<&'a Clause> {
    let other_proto = own.iter().any(|clause| matches!(clause.kind, ClauseKind::Proto { .. }));
    let replaced = |clause: &Clause| {
        (other_proto && matches!(clause.kind, ClauseKind::Body(_)))
            || own.iter().any(|new| match (subject(&clause.kind), subject(&new.kind)) {
                (Some(old), Some(new)) => old == new,
                (None, None) => std::mem::discriminant(&clause.kind) == std::mem::discriminant(&new.kind),
                _ => false,
            })
    };
    base.iter().filter(|clause| !replaced(clause)).chain(own).copied().collect()
}

/// What is read of a callable: its clauses against its prototype.
struct Read<'a, 'b> {
    all: &'b Collected<'a>,
    types: &'b Types<'b>,
    helper: &'b ast::Helper,
    args: Args<'b>,
    roles: Vec<ArgRole>,
    proto: Span,
    lowered: Lowered,
    guard: Guard,
    lifetime: Option<(Lifetime, Span)>,
    until: Option<Ident>,
    flags_span: Span,
    body: Option<Span>,
}

fn one(
    cx: &mut Cx<'_>,
    all: &Collected<'_>,
    types: &Types<'_>,
    (helper, doc): (&ast::Helper, &ast::Doc),
    clauses: &[&Clause],
    overload: Option<&Ident>,
) -> Option<Built> {
    let name = overload.unwrap_or(&helper.name);
    let number = helper.number.as_ref();
    let number = number.and_then(|number| cx.narrow::<u32>(number.value, number.span, "the number"));
    let (list, ret, proto) = clauses.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Proto { args, ret, args_span } => Some((args, ret, *args_span)),
        _ => None,
    })?;
    let (args, roles) = prototype::arguments(cx, types, list, proto);
    let names =
        list.iter().zip(&roles).map(|(arg, role)| (arg.name.name.as_str(), *role, arg.span)).collect();
    let (ret, ret_structure) = prototype::returned(cx, types, ret, &roles);
    let mut row = Callable {
        name: helper.name.name.clone(),
        overload: overload.map(|overload| overload.name.clone()),
        aliases: Vec::new(),
        docs: doc.text(),
        number: number.unwrap_or(0),
        guard: Guard::Always,
        allowed: None,
        flags: CallableFlags::empty(),
        kfunc: KfuncFlags::empty(),
        concepts: Concepts::empty(),
        args,
        ret,
        ret_structure,
        steps: Vec::new(),
        body: None,
        host: crate::model::HostBinding::None,
        site: cx.site(name.span),
    };
    let mut read = Read {
        all,
        types,
        helper,
        args: Args { names },
        roles,
        proto,
        lowered: Lowered::default(),
        guard: Guard::Always,
        lifetime: None,
        until: None,
        flags_span: name.span,
        body: None,
    };
    let (mut since, mut until) = (None, None);
    for clause in clauses {
        match &clause.kind {
            ClauseKind::Since(at) => once(cx, &mut since, at, at.span, "since"),
            ClauseKind::Until(at) => once(cx, &mut until, at, at.span, "until"),
            _ => read.clause(cx, clause, &mut row),
        }
    }
    row.guard = versions(cx, since.map(|(at, _)| at), until.map(|(at, _)| at)).and(read.guard.clone());
    Some(read.finish(cx, row, name, overload.is_some()))
}

impl Read<'_, '_> {
    fn clause(&mut self, cx: &mut Cx<'_>, clause: &Clause, row: &mut Callable) {
        let scope = self.types.scope;
        if let ClauseKind::Exists = clause.kind {
            let found = clause.when.as_ref().and_then(|when| guards::guard(cx, scope, when));
            self.guard = std::mem::take(&mut self.guard).and(found.unwrap_or_default());
            return;
        }
        if let ClauseKind::Allowed(text) = &clause.kind {
            let found = clause.when.as_ref().and_then(|when| guards::guard(cx, scope, when));
            let text = text.as_ref().map_or_else(String::new, |text| text.value.clone());
            row.allowed = found.map(|guard| (guard, text));
            return;
        }
        let when = match &clause.when {
            None => None,
            Some(when) => match conditions::condition(cx, scope, &self.args, when) {
                Some(condition) => Some(condition),
                None => return,
            },
        };
        if when.is_some() && subject(&clause.kind).is_some() {
            let found =
                Diagnostic::new(Code::MisplacedItem, clause.span, "this clause can't hang on a condition")
                    .help("declare an overload and let sets say when it is offered");
            cx.report(found);
        }
        match &clause.kind {
            ClauseKind::Proto { .. } => {}
            ClauseKind::Body(word) => {
                self.body = Some(word.span);
                row.body = intrinsic(cx, word, &self.roles, &row.ret, self.proto);
            }
            ClauseKind::Alias(alias) => {
                let guard = versions(cx, alias.since.as_ref(), alias.until.as_ref());
                row.aliases.push((alias.name.name.clone(), guard));
            }
            ClauseKind::KfuncFlags(names) => {
                self.flags_span = clause.span;
                row.kfunc |= kfuncs::flags(cx, names);
            }
            ClauseKind::Lifetime { word, until } => self.lifetime(cx, clause, word, until.as_ref()),
            _ => {
                if let ClauseKind::Flag(word) = &clause.kind {
                    row.flags |= flag(cx, word);
                    if word.name == "variadic" && !(1..=4).contains(&row.args.len()) {
                        let text = "what is variadic has one to four arguments of its own";
                        let found = Diagnostic::new(Code::MisplacedItem, clause.span, text);
                        cx.report(found.with(self.proto, "these are its own"));
                    }
                }
                let subjects: Vec<Subject> = row.args.iter().map(|arg| arg.subject).collect();
                let (args, out) = (&self.args, &mut self.lowered);
                lower(cx, scope, args, self.helper, clause, when.clone(), out);
                let reading =
                    effects::Reading { all: self.all, types: self.types, args, subjects: &subjects };
                effects::lower(cx, &reading, clause, when, out);
            }
        }
    }

    fn lifetime(&mut self, cx: &mut Cx<'_>, clause: &Clause, word: &Ident, until: Option<&Ident>) {
        let lifetime = match (word.name.as_str(), until) {
            ("run", None) => Lifetime::Run,
            // Its index is known when all callables are.
            ("until", Some(name)) => {
                self.until = Some(name.clone());
                Lifetime::Until(0)
            }
            _ => {
                let text = "a lifetime is `run`, or `until CALLABLE`";
                cx.report(Diagnostic::new(Code::BadExpression, clause.span, text));
                return;
            }
        };
        once(cx, &mut self.lifetime, lifetime, clause.span, "lifetime");
    }

    fn finish(mut self, cx: &mut Cx<'_>, mut row: Callable, name: &Ident, overload: bool) -> Built {
        let kfunc = self.helper.number.is_none();
        if kfunc {
            for every in self.all.every.iter().filter(|every| every.sort.name == "kfunc") {
                for word in &every.flags {
                    row.flags |= flag(cx, word);
                }
            }
            kfuncs::apply(cx, self.types.scope, &mut row, &self.roles, self.flags_span, &mut self.lowered);
        }
        let lowered = &mut self.lowered;
        row.flags.set(CallableFlags::UNSUPPORTED, lowered.unsupported);
        row.flags.set(CallableFlags::CHANGES_PKT_DATA, lowered.invalidates);
        if let Some((lifetime, _)) = self.lifetime {
            row.ret.lifetime = lifetime;
        }
        let derives = lowered.derives || !lowered.acquires.is_empty() || self.lifetime.is_some();
        let functions = self.roles.iter().zip(0u8..).filter(|(role, _)| **role == ArgRole::Func);
        let silent = functions.map(|(_, at)| at).find(|at| !lowered.called.contains(at));
        if let Some(at) = silent
            && !lowered.unsupported
        {
            let (arg, _, span) = self.args.names[usize::from(at)];
            let text = format!("`{arg}` is a function, and nothing says how it is called");
            let found = Diagnostic::new(Code::CallbackWithoutSignature, span, text);
            cx.report(found.help(format!("write `calls {arg} as CALLBACK;`")));
        }
        let asynchronous = lowered.asynchronous;
        let mut built = Built {
            span: name.span,
            kfunc,
            overload,
            acquires: std::mem::take(&mut lowered.acquires),
            releases: std::mem::take(&mut lowered.releases),
            entered: std::mem::take(&mut lowered.entered),
            left: std::mem::take(&mut lowered.left),
            derives,
            places: Places {
                body: self.body,
                args: self.args.names.iter().map(|(_, _, span)| *span).collect(),
            },
            until: self.until,
            row,
        };
        built.row.steps = self.lowered.ordered();
        built.row.concepts |= concepts(&built.row, &self.roles, asynchronous);
        built
    }
}

/// The guard of `since` and `until`.
pub(super) fn versions(cx: &mut Cx<'_>, since: Option<&VersionLit>, until: Option<&VersionLit>) -> Guard {
    let version = |at: &VersionLit| Version::new(at.major, at.minor);
    if let (Some(since), Some(until)) = (since, until)
        && version(since) >= version(until)
    {
        let text = format!("it ends with {} before it begins", version(until));
        let found = Diagnostic::new(Code::SinceAfterUntil, until.span, text).with(since.span, "begins here");
        cx.report(found);
    }
    let since = since.map_or(Guard::Always, |at| Guard::Since(version(at)));
    let until = until.map_or(Guard::Always, |at| Guard::Until(version(at)));
    since.and(until)
}
