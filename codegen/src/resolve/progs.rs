//! Program types: context, sets, exit ranges, attach types, sections.

use probity_platform::{Behaviour, KindId, PacketAccess, ProgFlags, RegType, TypeFlags};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{ExitRange, Guard, Kind, ProgType, Section};
use crate::source::Span;
use crate::syntax::ast::{self, EntryRegister, Expr, Ident, ProgClauseKind, Range};

use super::cx::{Cx, once};
use super::guards::guard;
use super::helpers::versions;
use super::items::Collected;
use super::kinds::flags;
use super::names::{LOAD_FLAGS, of, words};
use super::scope::Scope;
use super::sets::Sets;
use super::views::{self, Views};

/// All program types, ascending by number, and all sections.
pub(super) fn prog_types(
    cx: &mut Cx<'_>,
    all: &Collected<'_>,
    scope: &Scope,
    kinds: &[Kind],
    views: &mut Views,
    sets: &Sets,
) -> (Vec<ProgType>, Vec<Section>) {
    let mut rows = Vec::new();
    let mut sections: Vec<(Section, Span)> = Vec::new();
    for (prog, item) in &all.prog_types {
        let row = one(cx, scope, kinds, views, sets, prog, &item.doc, &mut sections);
        rows.push(row);
    }
    rows.sort_by_key(|row| row.number);
    (rows, sections.into_iter().map(|(section, _)| section).collect())
}

#[allow(clippy::too_many_arguments)] // One table each: a struct would only rename them.
fn one(
    cx: &mut Cx<'_>,
    scope: &Scope,
    kinds: &[Kind],
    views: &mut Views,
    sets: &Sets,
    prog: &ast::ProgType,
    doc: &ast::Doc,
    sections: &mut Vec<(Section, Span)>,
) -> ProgType {
    let number = cx.narrow::<u32>(prog.number.value, prog.number.span, "the number").unwrap_or(0);
    let (mut since, mut until, mut ctx, mut helpers) = (None, None, None, None);
    let (mut packet, mut entry) = (None, None);
    let (mut ld_abs, mut private_stack, mut attach_checked) = (None, None, None);
    let (mut kfuncs, mut may_sleep, mut must_sleep) = (None, None, None);
    let (mut exit, mut unsupported) = (Vec::new(), Vec::new());
    let mut attach: Vec<(String, u32)> = Vec::new();
    let mut has_section = false;
    for clause in &prog.clauses {
        let span = clause.span;
        match &clause.kind {
            ProgClauseKind::Since(at) => once(cx, &mut since, at, at.span, "since"),
            ProgClauseKind::Until(at) => once(cx, &mut until, at, at.span, "until"),
            ProgClauseKind::Ctx { view, rules } => {
                let index = views::context(cx, scope, views, view, rules, span);
                once(cx, &mut ctx, index, span, "ctx");
            }
            ProgClauseKind::Helpers(name) => {
                let list = sets.helpers(cx, scope, name);
                once(cx, &mut helpers, list, span, "helpers");
            }
            ProgClauseKind::Kfuncs(name) => {
                let list = sets.kfuncs(cx, scope, name);
                once(cx, &mut kfuncs, list, span, "kfuncs");
            }
            ProgClauseKind::Sleepable { always, text, when } => {
                let when = match when {
                    None => Guard::Always,
                    Some(when) => guard(cx, scope, when).unwrap_or_default(),
                };
                if *always {
                    let text = text.as_ref().map_or("such a program must be sleepable", |text| &text.value);
                    let text = text.to_owned();
                    once(cx, &mut must_sleep, (when.clone(), text), span, "sleepable always");
                    may_sleep.get_or_insert((when, span));
                } else {
                    once(cx, &mut may_sleep, when, span, "sleepable");
                }
            }
            ProgClauseKind::Packet(names) => {
                let access = packet_access(cx, names);
                once(cx, &mut packet, access, span, "packet");
            }
            ProgClauseKind::Returns { range, when } => {
                if let Some(row) = exit_range(cx, scope, range.as_ref(), when.as_ref(), span) {
                    exit.push(row);
                }
            }
            ProgClauseKind::Entry(registers) => {
                let list = registers.iter().filter_map(|row| entry_register(cx, scope, kinds, row)).collect();
                once(cx, &mut entry, list, span, "entry");
            }
            ProgClauseKind::Attach(entries) => {
                for entry in entries {
                    let value = cx.narrow::<u32>(entry.number.value, entry.number.span, "the number");
                    attach.push((entry.name.name.clone(), value.unwrap_or(0)));
                }
            }
            ProgClauseKind::AttachChecked { default } => {
                let default = default.as_ref().and_then(|name| scope.attach.find(cx, name));
                let default = default.and_then(|number| u32::try_from(number).ok());
                once(cx, &mut attach_checked, default, span, "attach_checked");
            }
            ProgClauseKind::Section { glob, attach, flags, target } => {
                has_section = true;
                let row = Section {
                    target: target.as_ref().map(|prefix| prefix.value.clone()),
                    ..section(cx, scope, number, glob, attach.as_ref(), flags.as_ref())
                };
                if let Some((_, first)) =
                    sections.iter().find(|(known, _)| known.name == row.name && known.prefix == row.prefix)
                {
                    let text = format!("section \"{}\" is declared twice", glob.value);
                    let found = Diagnostic::new(Code::DuplicateName, glob.span, text)
                        .with(*first, "declared first here");
                    cx.report(found);
                }
                sections.push((row, glob.span));
            }
            ProgClauseKind::Unsupported { what, when } => {
                let guard = match when {
                    None => Some(Guard::Always),
                    Some(when) => guard(cx, scope, when),
                };
                unsupported.extend(guard.map(|guard| (guard, what.value.clone())));
            }
            ProgClauseKind::Flag(word) => match word.name.as_str() {
                "ld_abs" => once(cx, &mut ld_abs, (), span, "ld_abs"),
                "private_stack" => once(cx, &mut private_stack, (), span, "private_stack"),
                _ => {
                    let names = ["ld_abs", "private_stack"];
                    let found =
                        Diagnostic::unknown(Code::UnknownKeyword, "word", &word.name, word.span, names);
                    cx.report(found);
                }
            },
        }
    }
    if ctx.is_none() {
        let text = format!("program type `{}` has no context", prog.name.name);
        cx.report(Diagnostic::new(Code::MissingClause, prog.name.span, text).help("write `ctx VIEW;`"));
    }
    if !has_section {
        let text = format!("no section name gives the program type `{}`", prog.name.name);
        cx.report(Diagnostic::new(Code::MissingSection, prog.name.span, text));
    }
    let entry = match entry {
        Some((list, _)) => list,
        None => default_entry(cx, kinds, prog),
    };
    let mut flags = ProgFlags::empty();
    flags.set(ProgFlags::LD_ABS, ld_abs.is_some());
    flags.set(ProgFlags::PRIVATE_STACK, private_stack.is_some());
    flags.set(ProgFlags::ATTACH_CHECKED, attach_checked.is_some());
    ProgType {
        name: prog.name.name.clone(),
        docs: doc.text(),
        number,
        guard: versions(cx, since.map(|(at, _)| at), until.map(|(at, _)| at)),
        ctx: ctx.and_then(|(index, _)| index).unwrap_or(0),
        entry,
        callables: helpers.map_or_else(Vec::new, |(list, _)| list),
        kfuncs: kfuncs.map_or_else(Vec::new, |(list, _)| list),
        packet: packet.map_or_else(PacketAccess::empty, |(access, _)| access),
        exit,
        attach,
        default_attach: attach_checked.and_then(|(default, _)| default),
        flags,
        may_sleep: may_sleep.map(|(guard, _)| guard),
        must_sleep: must_sleep.map(|(rule, _)| rule),
        unsupported,
        site: cx.site(prog.name.span),
    }
}

fn packet_access(cx: &mut Cx<'_>, names: &[Ident]) -> PacketAccess {
    let mut access = PacketAccess::empty();
    for name in names {
        match name.name.as_str() {
            "read" => access |= PacketAccess::READ,
            "write" => access |= PacketAccess::WRITE,
            _ => cx.report(Diagnostic::unknown(
                Code::UnknownName,
                "packet access",
                &name.name,
                name.span,
                ["read", "write"],
            )),
        }
    }
    access
}

fn exit_range(
    cx: &mut Cx<'_>,
    scope: &Scope,
    range: Option<&Range>,
    when: Option<&Expr>,
    span: Span,
) -> Option<ExitRange> {
    let guard = match when {
        None => Guard::Always,
        Some(when) => guard(cx, scope, when)?,
    };
    let range = match range {
        None => None,
        Some(range) => {
            let mut bound = |expr: &Expr| match expr.constant().map(i64::try_from) {
                Some(Ok(value)) => Some(value),
                Some(Err(_)) => {
                    cx.report(Diagnostic::new(Code::OutOfRange, expr.span, "an exit value has 64 bits"));
                    None
                }
                None => {
                    cx.report(Diagnostic::new(Code::BadExpression, expr.span, "an exit value is a number"));
                    None
                }
            };
            let (low, high) = (bound(&range.lo), bound(range.hi()));
            let (low, high) = (low?, high?);
            cx.ordered(&low, &high, range.span);
            Some((low, high))
        }
    };
    Some(ExitRange { guard, range, site: cx.site(span) })
}

fn context_kind(kinds: &[Kind]) -> Option<RegType> {
    let index = kinds.iter().position(|kind| kind.behaviour == Behaviour::Context)?;
    Some(RegType { kind: KindId(u8::try_from(index).ok()?), flags: TypeFlags::empty() })
}

fn default_entry(cx: &mut Cx<'_>, kinds: &[Kind], prog: &ast::ProgType) -> Vec<(u8, RegType)> {
    match context_kind(kinds) {
        Some(ty) => vec![(1, ty)],
        None => {
            let text = "no kind has the behaviour `context`: r1 would hold nothing";
            cx.report(
                Diagnostic::new(Code::MissingClause, prog.name.span, text)
                    .help("write `use core::{ context };`, or `entry r1 = KIND;`"),
            );
            Vec::new()
        }
    }
}

fn entry_register(
    cx: &mut Cx<'_>,
    scope: &Scope,
    kinds: &[Kind],
    row: &EntryRegister,
) -> Option<(u8, RegType)> {
    let register = row.register.name.strip_prefix('r').and_then(|number| number.parse::<u8>().ok());
    let Some(register) = register.filter(|register| (1..=5).contains(register)) else {
        let text = format!("`{}` holds nothing at entry: r1 to r5 may", row.register.name);
        cx.report(Diagnostic::new(Code::OutOfRange, row.register.span, text));
        return None;
    };
    let flags = flags(cx, &row.flags);
    let words: Vec<&str> = row.value.iter().map(|part| part.name.as_str()).collect();
    let kind = match words.as_slice() {
        ["ctx"] => context_kind(kinds)?.kind,
        ["ctx", "len"] => scope.scalar.kind,
        [_] => KindId(u8::try_from(scope.kinds.find(cx, &row.value[0])?).ok()?),
        _ => {
            let text = "a register holds `ctx`, `ctx.len` or a kind";
            cx.report(Diagnostic::new(Code::BadExpression, row.span, text));
            return None;
        }
    };
    Some((register, RegType { kind, flags }))
}

fn section(
    cx: &mut Cx<'_>,
    scope: &Scope,
    prog_type: u32,
    glob: &ast::Spanned<String>,
    attach: Option<&Ident>,
    flags: Option<&Expr>,
) -> Section {
    let (name, prefix) = match glob.value.strip_suffix('*') {
        Some(name) => (name, true),
        None => (glob.value.as_str(), false),
    };
    if name.contains('*') || (name.is_empty() && !prefix) {
        let text = "a section is a name, or a beginning with one `*` behind it";
        cx.report(Diagnostic::new(Code::BadExpression, glob.span, text));
    }
    let attach = attach
        .and_then(|name| scope.attach.find(cx, name))
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(0);
    let flags = flags.map_or(0, |expr| load_flags(cx, expr));
    Section { name: name.to_owned(), prefix, prog_type, attach, flags, target: None }
}

fn load_flags(cx: &mut Cx<'_>, expr: &Expr) -> u32 {
    if let Some(value) = expr.constant() {
        return u32::try_from(value).unwrap_or_else(|_| {
            cx.report(Diagnostic::new(Code::OutOfRange, expr.span, "flags have 32 bits"));
            0
        });
    }
    match expr.name() {
        Some(name) => of(LOAD_FLAGS, &name.name).unwrap_or_else(|| {
            let found =
                Diagnostic::unknown(Code::UnknownName, "load flag", &name.name, name.span, words(LOAD_FLAGS));
            cx.report(found);
            0
        }),
        None => {
            cx.report(Diagnostic::new(Code::BadExpression, expr.span, "flags are a number or a name"));
            0
        }
    }
}
