//! Helpers: prototypes, clauses, overloads.

use std::collections::BTreeMap;

use probity_platform::{
    ArgRole, CallableFlags, Intrinsic, KindId, RegType, Relation, Ret, RetType, TypeFlags, Version,
};

use crate::Diagnostic;
use crate::check;
use crate::code::Code;
use crate::model::{Arg, ArgClass, Callable, Guard, Kind};
use crate::source::Span;
use crate::syntax::ast::{self, Clause, ClauseKind, Ident, TypeExpr, VersionLit};

use super::clauses::{Lowered, lower};
use super::guards::{self, Args};
use super::items::Collected;
use super::kinds::{flags, takes_numbers};
use super::names::INTRINSICS;
use super::scope::Scope;
use super::{Cx, once};

/// A helper's row and what later passes need beside it.
pub(crate) struct Built {
    pub(crate) row: Callable,
    /// Its name in the spec.
    pub(crate) span: Span,
    /// True for the rows of `overload`.
    pub(crate) overload: bool,
    /// The classes of references that it acquires.
    pub(crate) acquires: Vec<Ident>,
    /// The classes of references that it releases.
    pub(crate) releases: Vec<Ident>,
}

/// Rows by (helper, overload).
pub(crate) type Index = BTreeMap<(String, Option<String>), u16>;

/// What a helper's argument classes are asked for.
struct Classes<'a> {
    scope: &'a Scope,
    kinds: &'a [Kind],
    rows: &'a [ArgClass],
}

/// All helpers, ascending by number, and where each is.
pub(super) fn helpers(
    cx: &mut Cx<'_>,
    all: &Collected<'_>,
    scope: &Scope,
    kinds: &[Kind],
    rows: &[ArgClass],
) -> (Vec<Built>, Index) {
    let classes = Classes { scope, kinds, rows };
    let mut built: Vec<(Option<String>, Built)> = Vec::new();
    for (helper, item) in &all.helpers {
        let base: Vec<&Clause> = helper.clauses.iter().collect();
        let has_proto = |clauses: &[&Clause]| {
            clauses.iter().any(|clause| matches!(clause.kind, ClauseKind::Proto { .. }))
        };
        repeated(cx, &base);
        if has_proto(&base) {
            built.extend(one(cx, &classes, helper, &item.doc, &base, None).map(|row| (None, row)));
        } else if helper.overloads.is_empty() {
            let text = format!("helper `{}` has no prototype", helper.name.name);
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
            built
                .extend(one(cx, &classes, helper, doc, &merged, Some(&overload.name)).map(|row| (name, row)));
        }
    }
    built.sort_by_key(|(_, built)| built.row.number);
    let mut index = Index::new();
    for (at, (overload, built)) in built.iter().enumerate() {
        if let Ok(at) = u16::try_from(at) {
            index.insert((built.row.name.clone(), overload.clone()), at);
        }
    }
    (built.into_iter().map(|(_, built)| built).collect(), index)
}

/// What a clause says, for those of which one is enough. Flags are told apart by their word.
fn subject(kind: &ClauseKind) -> Option<&str> {
    match kind {
        ClauseKind::Since(_) => Some("since"),
        ClauseKind::Until(_) => Some("until"),
        ClauseKind::Proto { .. } => Some("proto"),
        ClauseKind::Body(_) => Some("body"),
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

/// The clauses of an overload: the helper's, but for those that the overload says anew.
fn merge<'a>(base: &[&'a Clause], own: &[&'a Clause]) -> Vec<&'a Clause> {
    let replaced = |clause: &Clause| {
        own.iter().any(|new| match (subject(&clause.kind), subject(&new.kind)) {
            (Some(old), Some(new)) => old == new,
            (None, None) => std::mem::discriminant(&clause.kind) == std::mem::discriminant(&new.kind),
            _ => false,
        })
    };
    base.iter().filter(|clause| !replaced(clause)).chain(own).copied().collect()
}

fn one(
    cx: &mut Cx<'_>,
    classes: &Classes<'_>,
    helper: &ast::Helper,
    doc: &ast::Doc,
    clauses: &[&Clause],
    overload: Option<&Ident>,
) -> Option<Built> {
    let name = overload.unwrap_or(&helper.name);
    let number = cx.narrow::<u32>(helper.number.value, helper.number.span, "the number");
    let proto = clauses.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Proto { args, ret, args_span } => Some((args, ret, *args_span)),
        _ => None,
    })?;
    let (args, roles) = arguments(cx, classes, proto.0, proto.2);
    let scope_args = Args {
        names: proto
            .0
            .iter()
            .zip(&roles)
            .map(|(arg, role)| (arg.name.name.as_str(), *role, arg.span))
            .collect(),
    };
    let ret = returned(cx, classes, proto.1, &roles);
    let mut callable = Callable {
        name: helper.name.name.clone(),
        docs: doc.text(),
        number: number.unwrap_or(0),
        guard: Guard::Always,
        flags: CallableFlags::empty(),
        args,
        ret,
        steps: Vec::new(),
        body: None,
        site: cx.site(name.span),
    };
    let mut lowered = Lowered::default();
    let (mut since, mut until) = (None, None);
    for clause in clauses {
        let when = match &clause.when {
            None => None,
            Some(when) => match guards::condition(cx, classes.scope, &scope_args, when) {
                Some(condition) => Some(condition),
                None => continue,
            },
        };
        match &clause.kind {
            ClauseKind::Since(at) => once(cx, &mut since, at, at.span, "since"),
            ClauseKind::Until(at) => once(cx, &mut until, at, at.span, "until"),
            ClauseKind::Proto { .. } => {}
            ClauseKind::Body(word) => callable.body = intrinsic(cx, word, &roles, &callable.ret, proto.2),
            ClauseKind::Flag(word) => callable.flags |= flag(cx, word),
            _ => lower(cx, classes.scope, &scope_args, helper, clause, when.clone(), &mut lowered),
        }
        if when.is_some() && subject(&clause.kind).is_some() {
            let found =
                Diagnostic::new(Code::MisplacedItem, clause.span, "this clause can't hang on a condition")
                    .help("declare an overload and let sets say when it is offered");
            cx.report(found);
        }
    }
    callable.guard = versions(cx, since.map(|(at, _)| at), until.map(|(at, _)| at));
    if lowered.unsupported {
        callable.flags |= CallableFlags::UNSUPPORTED;
    }
    if lowered.invalidates {
        callable.flags |= CallableFlags::CHANGES_PKT_DATA;
    }
    let acquires = std::mem::take(&mut lowered.acquires);
    let releases = std::mem::take(&mut lowered.releases);
    callable.steps = lowered.ordered();
    Some(Built { row: callable, span: name.span, overload: overload.is_some(), acquires, releases })
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

fn flag(cx: &mut Cx<'_>, word: &Ident) -> CallableFlags {
    match word.name.as_str() {
        "gpl_only" => CallableFlags::GPL_ONLY,
        "pkt_access" => CallableFlags::PKT_ACCESS,
        "might_sleep" => CallableFlags::MIGHT_SLEEP,
        "fastcall" => CallableFlags::FASTCALL,
        "map_read" => CallableFlags::MAP_READ,
        "map_write" => CallableFlags::MAP_WRITE,
        _ => {
            let names = ["gpl_only", "pkt_access", "might_sleep", "fastcall", "map_read", "map_write"];
            cx.report(Diagnostic::unknown(Code::UnknownKeyword, "word", &word.name, word.span, names));
            CallableFlags::empty()
        }
    }
}

fn arguments(
    cx: &mut Cx<'_>,
    classes: &Classes<'_>,
    list: &[ast::Arg],
    span: Span,
) -> (Vec<Arg>, Vec<ArgRole>) {
    if list.len() > 5 {
        let text = format!("{} arguments; calls pass five at most", list.len());
        let found = Diagnostic::new(Code::TooManyArguments, span, text).with(list[5].span, "the sixth");
        cx.report(found);
    }
    let mut args: Vec<Arg> = Vec::new();
    let mut roles: Vec<ArgRole> = Vec::new();
    for (index, arg) in list.iter().enumerate() {
        if let Some(first) = list[..index].iter().find(|first| first.name.name == arg.name.name) {
            let text = format!("argument `{}` is declared twice", arg.name.name);
            let found = Diagnostic::new(Code::DuplicateName, arg.name.span, text)
                .with(first.name.span, "declared first here");
            cx.report(found);
        }
        let class = classes.scope.arg_classes.find(cx, &arg.ty.name);
        let role = class
            .and_then(|class| classes.rows.get(usize::try_from(class).ok()?))
            .map_or(ArgRole::Anything, |row| row.role);
        let mut flags = flags(cx, &arg.ty.flags);
        let size = size_of(cx, &arg.ty);
        if size.is_some() {
            flags |= TypeFlags::MEM_FIXED_SIZE;
            if role != ArgRole::Mem {
                let text = "only memory has a size";
                cx.report(Diagnostic::new(Code::WrongArgumentClass, arg.ty.span, text));
            }
        }
        let pointer_only = TypeFlags::PTR_MAYBE_NULL | TypeFlags::MEM_UNINIT | TypeFlags::MEM_WRITE;
        if class.is_some() && takes_numbers(role) && flags.intersects(pointer_only) {
            let text = format!("`{}` takes numbers: it is never null and is no memory", arg.ty.name.name);
            cx.report(Diagnostic::new(Code::WrongArgumentClass, arg.ty.span, text));
        }
        args.push(Arg {
            name: arg.name.name.clone(),
            class: class.and_then(|class| u8::try_from(class).ok()).unwrap_or(0),
            flags,
            size: size.unwrap_or(0),
            relation: Relation::None,
            site: cx.site(arg.span),
        });
        roles.push(role);
    }
    check::relations(cx, list, &roles, &mut args);
    (args, roles)
}

fn size_of(cx: &mut Cx<'_>, ty: &TypeExpr) -> Option<u32> {
    let expr = ty.size.as_ref()?;
    match expr.constant().map(u32::try_from) {
        Some(Ok(size)) if size > 0 => Some(size),
        Some(_) => {
            cx.report(Diagnostic::new(Code::OutOfRange, expr.span, "a size is a positive number"));
            None
        }
        None => {
            cx.report(Diagnostic::new(Code::BadExpression, expr.span, "a size is a number"));
            None
        }
    }
}

/// The return: `RET_INTEGER`, `RET_VOID`, `RET_PTR_TO_X`, or a kind.
fn returned(cx: &mut Cx<'_>, classes: &Classes<'_>, ty: &TypeExpr, roles: &[ArgRole]) -> Ret {
    let size = size_of(cx, ty);
    let flags = flags(cx, &ty.flags);
    let plain = |ty| Ret { ty, map: None, size: 0 };
    if let "RET_INTEGER" | "RET_VOID" = ty.name.name.as_str() {
        if let Some(first) = ty.flags.first() {
            let text = format!("`{}` is no pointer", ty.name.name);
            cx.report(Diagnostic::new(Code::WrongArgumentClass, first.span, text));
        }
        return plain(if ty.name.name == "RET_VOID" { RetType::Void } else { RetType::Integer });
    }
    let kind = match ty.name.name.strip_prefix("RET_") {
        Some(rest) if classes.scope.kinds.get(&ty.name.name).is_none() => {
            let found = classes.scope.kinds.get(rest);
            if found.is_none() {
                let names: Vec<String> = classes
                    .kinds
                    .iter()
                    .map(|kind| format!("RET_{}", kind.name))
                    .chain(["RET_INTEGER".into(), "RET_VOID".into()])
                    .collect();
                let names = names.iter().map(String::as_str);
                let name = &ty.name;
                cx.report(Diagnostic::unknown(Code::UnknownName, "return", &name.name, name.span, names));
            }
            found
        }
        _ => classes.scope.kinds.find(cx, &ty.name),
    };
    let Some(kind) = kind.and_then(|kind| u8::try_from(kind).ok()) else { return plain(RetType::Integer) };
    let of_map = classes
        .kinds
        .get(usize::from(kind))
        .is_some_and(|kind| kind.behaviour == probity_platform::Behaviour::MapValue);
    let map = roles.iter().position(|role| *role == ArgRole::Map).and_then(|at| u8::try_from(at).ok());
    if of_map && map.is_none() {
        let text = "the returned value is of a map, and no argument is a map";
        cx.report(Diagnostic::new(Code::NoMapBefore, ty.span, text));
    }
    let ty = RetType::Pointer(RegType { kind: KindId(kind), flags });
    Ret { ty, map: map.filter(|_| of_map), size: size.unwrap_or(0) }
}

fn intrinsic(cx: &mut Cx<'_>, word: &Ident, roles: &[ArgRole], ret: &Ret, proto: Span) -> Option<Intrinsic> {
    let row = INTRINSICS.iter().find(|(name, _, _)| *name == word.name);
    let Some((_, body, wanted)) = row else {
        let names = INTRINSICS.iter().map(|(name, _, _)| *name);
        let found = Diagnostic::unknown(Code::UnknownIntrinsic, "body", &word.name, word.span, names);
        cx.report(found);
        return None;
    };
    let pointer = matches!(ret.ty, RetType::Pointer(_));
    if roles != *wanted || pointer != (*body == Intrinsic::MapLookup) {
        let words: Vec<&str> = wanted
            .iter()
            .filter_map(|role| super::names::ROLES.iter().find(|(_, known)| known == role))
            .map(|(word, _)| *word)
            .collect();
        let found = Diagnostic::new(
            Code::IntrinsicSignature,
            proto,
            format!("the prototype is not that of `{}`", word.name),
        )
        .with(word.span, "the body")
        .help(format!("its arguments have the roles {}", words.join(", ")));
        cx.report(found);
    }
    Some(*body)
}
