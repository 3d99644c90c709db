//! The prelude: which of its items a platform takes in.

use crate::Diagnostic;
use crate::code::Code;
use crate::syntax::ast::{Ident, Item, ItemKind, Part, UseTree};

use super::cx::Cx;

/// The text of the prelude that ships with codegen.
pub const CORE: &str = include_str!("../../../spec/core.bpfspec");

/// The prelude's items that the `use` items select, in the prelude's order, parts opened.
pub(super) fn select<'a>(cx: &mut Cx<'_>, items: &[Item], prelude: &'a [Item]) -> Vec<&'a Item> {
    let mut wanted: Vec<&'a Part> = Vec::new();
    let mut whole = false;
    for item in items {
        let ItemKind::Use(tree) = &item.kind else { continue };
        if tree.name.name != "core" {
            cx.report(Diagnostic::unknown(
                Code::UnknownName,
                "prelude",
                &tree.name.name,
                tree.name.span,
                ["core"],
            ));
            continue;
        }
        match &tree.parts {
            None => whole = true,
            Some(trees) => {
                for tree in trees {
                    want(cx, tree, &[prelude], &[prelude], &mut wanted);
                }
            }
        }
    }
    let mut taken = Vec::new();
    take(prelude, whole, true, &wanted, &mut taken);
    taken
}

/// Adds the part that a tree names, what it needs, and the parts below that the tree names; all
/// parts below when it names none. The tree's name is of a part in `names`; what parts need is
/// looked for in `scopes`.
fn want<'a>(
    cx: &mut Cx<'_>,
    tree: &UseTree,
    names: &[&'a [Item]],
    scopes: &[&'a [Item]],
    wanted: &mut Vec<&'a Part>,
) {
    let Some(part) = find(cx, &tree.name, names) else { return };
    let mut inner: Vec<&'a [Item]> = scopes.to_vec();
    inner.push(&part.items);
    add(cx, part, scopes, wanted);
    match &tree.parts {
        None => all_below(cx, part, &inner, wanted),
        Some(trees) => {
            // Names between the braces are those of parts directly below.
            for tree in trees {
                want(cx, tree, &[&part.items], &inner, wanted);
            }
        }
    }
}

fn add<'a>(cx: &mut Cx<'_>, part: &'a Part, scopes: &[&'a [Item]], wanted: &mut Vec<&'a Part>) {
    if wanted.iter().any(|known| std::ptr::eq(*known, part)) {
        return;
    }
    wanted.push(part);
    for need in &part.needs {
        if let Some(needed) = find(cx, need, scopes) {
            add(cx, needed, scopes, wanted);
            let mut inner: Vec<&'a [Item]> = scopes.to_vec();
            inner.push(&needed.items);
            all_below(cx, needed, &inner, wanted);
        }
    }
}

fn all_below<'a>(cx: &mut Cx<'_>, part: &'a Part, scopes: &[&'a [Item]], wanted: &mut Vec<&'a Part>) {
    for item in &part.items {
        if let ItemKind::Part(below) = &item.kind {
            add(cx, below, scopes, wanted);
            let mut inner: Vec<&'a [Item]> = scopes.to_vec();
            inner.push(&below.items);
            all_below(cx, below, &inner, wanted);
        }
    }
}

/// The part with a name, looked for in the innermost scope first.
fn find<'a>(cx: &mut Cx<'_>, name: &Ident, scopes: &[&'a [Item]]) -> Option<&'a Part> {
    let parts = || {
        scopes.iter().rev().flat_map(|items| items.iter()).filter_map(|item| match &item.kind {
            ItemKind::Part(part) => Some(part),
            _ => None,
        })
    };
    let found = parts().find(|part| part.name.name == name.name);
    if found.is_none() {
        let candidates: Vec<&str> = parts().map(|part| part.name.name.as_str()).collect();
        cx.report(Diagnostic::unknown(Code::UnknownName, "part", &name.name, name.span, candidates));
    }
    found
}

fn take<'a>(items: &'a [Item], whole: bool, here: bool, wanted: &[&'a Part], taken: &mut Vec<&'a Item>) {
    for item in items {
        match &item.kind {
            ItemKind::Part(part) => {
                let named = whole || wanted.iter().any(|known| std::ptr::eq(*known, part));
                take(&part.items, whole, named, wanted, taken);
            }
            ItemKind::Prelude(_) | ItemKind::FileDoc => {}
            _ if here => taken.push(item),
            _ => {}
        }
    }
}
