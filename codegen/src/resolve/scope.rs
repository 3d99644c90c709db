//! What each name stands for. Each sort of declaration has names of its own.

use std::collections::BTreeMap;

use probity_platform::{KindId, RegType, TypeFlags};

use crate::Diagnostic;
use crate::code::Code;
use crate::source::Span;
use crate::syntax::ast::{Ident, ProgClauseKind, Spanned};

use super::Cx;
use super::items::Collected;

/// Names of one sort: what each stands for, and where it is declared.
#[derive(Default)]
pub(crate) struct Table {
    what: &'static str,
    rows: BTreeMap<String, (u64, Span)>,
}

impl Table {
    fn new(what: &'static str) -> Table {
        Table { what, rows: BTreeMap::new() }
    }

    fn declare(&mut self, cx: &mut Cx<'_>, name: &Ident, value: u64) {
        if let Some((_, first)) = self.rows.get(&name.name) {
            let text = format!("{} `{}` is declared twice", self.what, name.name);
            let found = Diagnostic::new(Code::DuplicateName, name.span, text)
                .label("declared again here")
                .with(*first, "declared first here");
            cx.report(found);
            return;
        }
        self.rows.insert(name.name.clone(), (value, name.span));
    }

    /// What a name stands for, or a report with the nearest name.
    pub(crate) fn find(&self, cx: &mut Cx<'_>, name: &Ident) -> Option<u64> {
        let found = self.get(&name.name);
        if found.is_none() {
            let names = self.rows.keys().map(String::as_str);
            cx.report(Diagnostic::unknown(Code::UnknownName, self.what, &name.name, name.span, names));
        }
        found
    }

    /// What a name stands for.
    pub(crate) fn get(&self, name: &str) -> Option<u64> {
        self.rows.get(name).map(|(value, _)| *value)
    }

    /// Where a name is declared.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.rows.get(name).map(|(_, span)| *span)
    }
}

/// All names of a platform. Kinds, argument classes, views, sets and helpers stand for their index
/// among the items; map types, program types and attach types for their number.
pub(crate) struct Scope {
    pub(crate) kinds: Table,
    pub(crate) arg_classes: Table,
    pub(crate) views: Table,
    pub(crate) sets: Table,
    pub(crate) helpers: Table,
    pub(crate) map_types: Table,
    /// Flags of maps, by the numbers of their bits.
    pub(crate) map_flags: Table,
    pub(crate) prog_types: Table,
    pub(crate) attach: Table,
    /// The type of numbers.
    pub(crate) scalar: RegType,
}

impl Scope {
    /// The number that a name has in an expression: of a map type, program type or attach type.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        [&self.map_types, &self.prog_types, &self.attach].iter().find_map(|table| table.get(name))
    }

    /// The names that are numbers in expressions.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &str> {
        let tables = [&self.map_types, &self.prog_types, &self.attach];
        tables.into_iter().flat_map(|table| table.rows.keys().map(String::as_str))
    }
}

/// Declares every name, and reports names and numbers that are given twice.
pub(super) fn declare(cx: &mut Cx<'_>, all: &Collected<'_>) -> Scope {
    let mut scope = Scope {
        kinds: Table::new("register kind"),
        arg_classes: Table::new("argument class"),
        views: Table::new("view"),
        sets: Table::new("set"),
        helpers: Table::new("helper"),
        map_types: Table::new("map type"),
        map_flags: Table::new("map flag"),
        prog_types: Table::new("program type"),
        attach: Table::new("attach type"),
        scalar: scalar(cx, all),
    };
    let names = |index: usize| index as u64;
    for (index, (kind, _)) in all.kinds.iter().enumerate() {
        scope.kinds.declare(cx, &kind.name, names(index));
    }
    for (index, (class, _)) in all.arg_classes.iter().enumerate() {
        scope.arg_classes.declare(cx, &class.name, names(index));
    }
    for (index, (view, _)) in all.views.iter().enumerate() {
        scope.views.declare(cx, &view.name, names(index));
    }
    for (index, (set, _)) in all.sets.iter().enumerate() {
        scope.sets.declare(cx, &set.name, names(index));
    }
    for (index, (helper, _)) in all.helpers.iter().enumerate() {
        scope.helpers.declare(cx, &helper.name, names(index));
    }
    numbers(cx, &mut scope.map_types, all.map_types.iter().map(|(map, _)| (&map.name, &map.number)));
    numbers(cx, &mut scope.map_flags, super::maps::bits(all));
    numbers(cx, &mut scope.prog_types, all.prog_types.iter().map(|(prog, _)| (&prog.name, &prog.number)));
    unique(cx, "helper", all.helpers.iter().map(|(helper, _)| (&helper.name, &helper.number)));
    attach_types(cx, all, &mut scope);
    if all.kinds.len() > 256 {
        let span = all.kinds[256].0.name.span;
        cx.report(Diagnostic::new(Code::OutOfRange, span, "more than 256 register kinds"));
    }
    if all.arg_classes.len() > 256 {
        let span = all.arg_classes[256].0.name.span;
        cx.report(Diagnostic::new(Code::OutOfRange, span, "more than 256 argument classes"));
    }
    scope
}

/// The first kind that is a number.
fn scalar(cx: &mut Cx<'_>, all: &Collected<'_>) -> RegType {
    let index = all.kinds.iter().position(|(kind, _)| kind.behaviour.name == "scalar");
    if index.is_none()
        && let Some((name, _)) = all.platform
    {
        let found = Diagnostic::new(Code::MissingClause, name.span, "the platform has no kind of numbers")
            .help("write `use core::{ scalars };`, or declare a kind with the behaviour `scalar`");
        cx.report(found);
    }
    let kind = index.and_then(|index| u8::try_from(index).ok()).unwrap_or(0);
    RegType { kind: KindId(kind), flags: TypeFlags::empty() }
}

fn numbers<'a>(
    cx: &mut Cx<'_>,
    table: &mut Table,
    rows: impl Iterator<Item = (&'a Ident, &'a Spanned<u64>)> + Clone,
) {
    for (name, number) in rows.clone() {
        table.declare(cx, name, number.value);
    }
    unique(cx, table.what, rows);
}

fn unique<'a>(cx: &mut Cx<'_>, what: &str, rows: impl Iterator<Item = (&'a Ident, &'a Spanned<u64>)>) {
    let mut seen: BTreeMap<u64, (&str, Span)> = BTreeMap::new();
    for (name, number) in rows {
        match seen.get(&number.value) {
            // A name that is declared twice has its own report.
            Some((first, _)) if *first == name.name => {}
            Some((first, span)) => {
                let text = format!("{what} number {} is given twice", number.value);
                let found = Diagnostic::new(Code::DuplicateNumber, number.span, text)
                    .label(format!("given to `{}`", name.name))
                    .with(*span, format!("given to `{first}`"));
                cx.report(found);
            }
            None => {
                seen.insert(number.value, (&name.name, number.span));
            }
        }
    }
}

/// Attach types are declared where they are attached; several program types may share one.
fn attach_types(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &mut Scope) {
    let mut first: Vec<(&Ident, &Spanned<u64>)> = Vec::new();
    for (prog, _) in &all.prog_types {
        for clause in &prog.clauses {
            let ProgClauseKind::Attach(entries) = &clause.kind else { continue };
            for entry in entries {
                match scope.attach.get(&entry.name.name) {
                    None => {
                        scope.attach.declare(cx, &entry.name, entry.number.value);
                        first.push((&entry.name, &entry.number));
                    }
                    Some(number) if number == entry.number.value => {}
                    Some(number) => {
                        let text = format!("attach type `{}` has two numbers", entry.name.name);
                        let mut found = Diagnostic::new(Code::DuplicateName, entry.number.span, text);
                        if let Some(span) = scope.attach.span(&entry.name.name) {
                            found = found.with(span, format!("it is {number} here"));
                        }
                        cx.report(found);
                    }
                }
            }
        }
    }
    unique(cx, "attach type", first.into_iter());
}
