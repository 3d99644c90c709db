//! Types inside map values that are special.

use crate::Diagnostic;
use crate::code::Code;
use crate::model::SpecialField;
use crate::source::Span;
use crate::syntax::ast::{Ident, SpecialFieldLine};

use super::cx::Cx;
use super::items::Collected;
use super::names::{SPECIAL_FORMS, of, words};
use super::scope::{Scope, Table};

/// Types inside map values that are special, as they stand.
pub(super) fn special_fields(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope) -> Vec<SpecialField> {
    let mut rows: Vec<(SpecialField, Span)> = Vec::new();
    for (field, item) in &all.special_fields {
        let (name, form) = (&field.name, &field.form);
        let Some(value) = of(SPECIAL_FORMS, &form.name) else {
            let known = words(SPECIAL_FORMS);
            cx.report(Diagnostic::unknown(Code::UnknownBehaviour, "form", &form.name, form.span, known));
            continue;
        };
        let same = |row: &&(SpecialField, Span)| row.0.form == value && row.0.name == name.name;
        if let Some((_, first)) = rows.iter().find(same) {
            let text = format!("special {} `{}` is declared twice", form.name, name.name);
            let found = Diagnostic::new(Code::DuplicateName, name.span, text)
                .label("declared again here")
                .with(*first, "declared first here");
            cx.report(found);
            continue;
        }
        let mut row = SpecialField {
            name: name.name.clone(),
            docs: item.doc.text(),
            prints: name.name.clone(),
            form: value,
            size: 0,
            unique: false,
            maps: Vec::new(),
            denied: Vec::new(),
            site: cx.site(name.span),
        };
        for line in &field.lines {
            special_field_line(cx, scope, &line.kind, &mut row);
        }
        rows.push((row, name.span));
    }
    rows.into_iter().map(|(row, _)| row).collect()
}

fn special_field_line(cx: &mut Cx<'_>, scope: &Scope, line: &SpecialFieldLine, row: &mut SpecialField) {
    let numbers = |cx: &mut Cx<'_>, table: &Table, names: &[Ident]| -> Vec<u32> {
        names.iter().filter_map(|name| table.find(cx, name)).filter_map(|at| u32::try_from(at).ok()).collect()
    };
    match line {
        SpecialFieldLine::Prints(text) => row.prints.clone_from(&text.value),
        SpecialFieldLine::Size(size) => {
            row.size = cx.narrow(size.value, size.span, "the size").unwrap_or(0);
        }
        SpecialFieldLine::Maps(names) => row.maps.extend(numbers(cx, &scope.map_types, names)),
        SpecialFieldLine::Denied { progs, text } => {
            row.denied.push((numbers(cx, &scope.prog_types, progs), text.value.clone()));
        }
        SpecialFieldLine::Flag(_) => row.unique = true,
    }
}
