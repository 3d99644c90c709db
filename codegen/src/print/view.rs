//! Struct views and plain structs.

use super::expr::{type_expr, when};
use super::{Entry, block, list};
use crate::syntax::ast::{Access, Field, Host, Struct, View};

/// A view's text.
pub(super) fn view(view: &View) -> String {
    let fields: Vec<Entry> = view.fields.iter().map(field).collect();
    block(&format!("view {} size {}", view.name.name, view.size.value), &fields, false)
}

/// A plain struct's text.
pub(super) fn plain_struct(row: &Struct) -> String {
    let size = row.size.map(|size| format!(" size {}", size.value)).unwrap_or_default();
    let fields: Vec<Entry> = row.fields.iter().map(field).collect();
    block(&format!("struct {}{size}", row.name.name), &fields, true)
}

/// A field's text.
pub(super) fn field(field: &Field) -> Entry {
    let at = field.at.map(|at| format!("at {} ", at.value)).unwrap_or_default();
    let element = field.ty.element.value.name();
    let ty = match field.ty.count {
        Some(count) => format!("[{element}; {}]", count.value),
        None => element.to_owned(),
    };
    let host = match field.host {
        None => String::new(),
        Some(Host { ty: None, .. }) => " host none".to_owned(),
        Some(Host { ty: Some(ty), .. }) => format!(" host {}", ty.name()),
    };
    let head = format!("{at}{}: {ty}{host}", list(&field.names));
    let text = match field.access.as_slice() {
        [one] => format!("{head}{};", access(one)),
        rules => {
            let rules: Vec<Entry> =
                rules.iter().map(|rule| Entry::plain(format!("{};", access(rule).trim_start()))).collect();
            block(&head, &rules, true)
        }
    };
    Entry::new(&field.doc, text)
}

/// A rule of access with a blank before each of its parts.
fn access(rule: &Access) -> String {
    let mut out = String::new();
    if let Some(yields) = &rule.yields {
        out.push_str(&format!(" -> {}", type_expr(yields)));
    }
    for mode in &rule.modes {
        out.push_str(&format!(" {}", mode.value.name()));
    }
    if !rule.sizes.is_empty() {
        out.push_str(&format!(" sizes {}", super::numbers(&rule.sizes)));
    }
    if let Some(narrow) = &rule.narrow {
        out.push_str(" narrow first");
        if let Some(bytes) = narrow.bytes {
            out.push_str(&format!(" {}", bytes.value));
        }
    }
    out.push_str(&when(rule.when.as_ref()));
    out
}
