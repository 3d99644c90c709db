//! What each name stands for. Each sort of declaration has names of its own.

use std::collections::BTreeMap;

use probity_platform::{KindId, RegType, TypeFlags};

use crate::Diagnostic;
use crate::code::Code;
use crate::source::Span;
use crate::syntax::ast::{Ident, ProgClauseKind, Spanned, StackObject, StackObjectLine};

use super::cx::Cx;
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

    /// All names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// Where a name is declared.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.rows.get(name).map(|(_, span)| *span)
    }
}

/// All names of a platform. Map flags stand for their bits, all others but map types, program types
/// and attach types for their index among the items; map types, program types and attach types for their number.
pub(crate) struct Scope {
    pub(crate) kinds: Table,
    pub(crate) arg_classes: Table,
    pub(crate) views: Table,
    /// Plain structs.
    pub(crate) structs: Table,
    pub(crate) sets: Table,
    /// Helpers and kfuncs.
    pub(crate) helpers: Table,
    pub(crate) callbacks: Table,
    pub(crate) regions: Table,
    pub(crate) stack_objects: Table,
    pub(crate) objects: Table,
    /// Special structs in map values; tags are no names.
    pub(crate) special_fields: Table,
    /// Names of functions and hooks of the target.
    pub(crate) targets: Table,
    target_names: Vec<Vec<String>>,
    object_names: Vec<String>,
    states: Vec<Vec<String>>,
    pub(crate) map_types: Table,
    /// Flags of maps, by the numbers of their bits.
    pub(crate) map_flags: Table,
    pub(crate) prog_types: Table,
    pub(crate) attach: Table,
    /// The type of numbers.
    pub(crate) scalar: RegType,
}

impl Scope {
    /// The names of an object's states, by the index of the stack object.
    pub(crate) fn states_of(&self, object: u16) -> &[String] {
        self.states.get(usize::from(object)).map_or(&[], Vec::as_slice)
    }

    /// An object's name.
    pub(crate) fn object_name(&self, object: u16) -> Option<&str> {
        self.object_names.get(usize::from(object)).map(String::as_str)
    }

    /// The functions and hooks that a name in a guard stands for: those of `targets`, or itself.
    pub(crate) fn targets_of(&self, name: &str) -> Vec<String> {
        let declared = self.targets.get(name).and_then(|index| usize::try_from(index).ok());
        match declared.and_then(|index| self.target_names.get(index)) {
            Some(names) => names.clone(),
            None => vec![name.to_owned()],
        }
    }

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
        structs: Table::new("struct"),
        sets: Table::new("set"),
        helpers: Table::new("helper"),
        callbacks: Table::new("callback"),
        regions: Table::new("region"),
        stack_objects: Table::new("stack object"),
        objects: Table::new("object"),
        special_fields: Table::new("special field"),
        targets: Table::new("list of targets"),
        target_names: all.targets.iter().map(|(targets, _)| texts(&targets.names)).collect(),
        object_names: all.objects.iter().map(|(object, _)| object.name.name.clone()).collect(),
        states: all.stack_objects.iter().map(|(object, _)| states(object)).collect(),
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
    for (index, (row, _)) in all.structs.iter().enumerate() {
        scope.structs.declare(cx, &row.name, names(index));
    }
    for (index, (set, _)) in all.sets.iter().enumerate() {
        scope.sets.declare(cx, &set.name, names(index));
    }
    for (index, (helper, _)) in all.helpers.iter().enumerate() {
        scope.helpers.declare(cx, &helper.name, names(index));
    }
    concepts(cx, all, &mut scope);
    numbers(cx, &mut scope.map_types, all.map_types.iter().map(|(map, _)| (&map.name, &map.number)));
    numbers(cx, &mut scope.map_flags, super::maps::bits(all));
    numbers(cx, &mut scope.prog_types, all.prog_types.iter().map(|(prog, _)| (&prog.name, &prog.number)));
    unique(cx, "helper", numbered(all));
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

/// Names of what callables work with.
fn concepts(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &mut Scope) {
    fn declare<'a>(cx: &mut Cx<'_>, table: &mut Table, names: impl Iterator<Item = &'a Ident>) {
        for (index, name) in names.enumerate() {
            table.declare(cx, name, index as u64);
        }
    }
    declare(cx, &mut scope.callbacks, all.callbacks.iter().map(|(row, _)| &row.name));
    declare(cx, &mut scope.regions, all.regions.iter().map(|(row, _)| &row.name));
    declare(cx, &mut scope.stack_objects, all.stack_objects.iter().map(|(row, _)| &row.name));
    declare(cx, &mut scope.objects, all.objects.iter().map(|(row, _)| &row.name));
    declare(cx, &mut scope.targets, all.targets.iter().map(|(row, _)| &row.name));
    for (index, (field, _)) in all.special_fields.iter().enumerate() {
        // Twice the same has its own report.
        if field.form.name == "struct" && scope.special_fields.get(&field.name.name).is_none() {
            scope.special_fields.declare(cx, &field.name, index as u64);
        }
    }
}

fn texts(names: &[Ident]) -> Vec<String> {
    names.iter().map(|name| name.name.clone()).collect()
}

fn states(object: &StackObject) -> Vec<String> {
    let mut states: Vec<String> = Vec::new();
    for line in &object.lines {
        if let StackObjectLine::State { name, .. } = &line.kind
            && !states.contains(&name.name)
        {
            states.push(name.name.clone());
        }
    }
    states
}

fn numbered<'a>(all: &Collected<'a>) -> impl Iterator<Item = (&'a Ident, &'a Spanned<u64>)> {
    all.helpers
        .iter()
        .filter_map(|(helper, _)| Some((&helper.name, helper.number.as_ref()?)))
        .collect::<Vec<_>>()
        .into_iter()
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
