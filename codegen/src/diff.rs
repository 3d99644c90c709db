//! What two platforms, or two versions of one, offer differently.

use std::collections::BTreeMap;

use probity_platform::Version;

use crate::emit::guard_text::{at, either, words};
use crate::emit::offered::{offered, offered_kfunc};
use crate::emit::signature::{facts, layout, signature};
use crate::model::{Guard, Model, ProgType};

/// The differences from one platform to another, each of a version: a sorted line each. `-` is
/// what only the first has, `+` what only the second has, `~` what both have and not alike. The
/// lines are about helpers, structs, program types, their attach types, map types, and which helper each
/// program type offers under which condition.
#[must_use]
pub fn diff(from: (&Model, Version), to: (&Model, Version)) -> Vec<String> {
    let (old, new) = (offers(from.0, from.1), offers(to.0, to.1));
    let mut lines = Vec::new();
    let said = |value: &str| if value.is_empty() { String::new() } else { format!(" {value}") };
    for (what, value) in &old {
        match new.get(what) {
            None => lines.push((what, format!("- {what}{}", said(value)))),
            Some(other) if other != value => {
                let always = |value: &str| if value.is_empty() { "always" } else { value }.to_owned();
                lines.push((what, format!("~ {what} {} => {}", always(value), always(other))));
            }
            Some(_) => {}
        }
    }
    for (what, value) in &new {
        if !old.contains_key(what) {
            lines.push((what, format!("+ {what}{}", said(value))));
        }
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// What a platform offers in a version: what there is, and how it is.
fn offers(model: &Model, version: Version) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let exists = |guard: &Guard| at(guard, Some(version), None).is_some();
    for row in &model.callables {
        if exists(&row.guard) {
            let mut said = format!("= {} {}", row.number, signature(model, row));
            for fact in facts(row.flags) {
                said.push_str(", ");
                said.push_str(fact);
            }
            // Overloads are one helper.
            let all: &mut String = found.entry(format!("helper {}", row.name)).or_default();
            if !all.is_empty() {
                all.push_str(" or ");
            }
            all.push_str(&said);
        }
    }
    for row in model.kfuncs.iter().filter(|row| exists(&row.guard)) {
        let mut said = signature(model, row);
        for fact in facts(row.flags).into_iter().chain(row.kfunc.iter_names().map(|(name, _)| name)) {
            said.push_str(", ");
            said.push_str(fact);
        }
        // In this version it may have another name.
        let names = row.aliases.iter().filter(|(_, guard)| *guard != Guard::Always && exists(guard));
        let name = names.map(|(name, _)| name).next().unwrap_or(&row.name);
        found.insert(format!("kfunc {name}"), said);
    }
    for row in &model.structs {
        found.insert(format!("struct {}", row.name), layout(row));
    }
    for row in &model.map_types {
        if exists(&row.guard) {
            found.insert(format!("map_type {}", row.name), format!("= {}", row.number));
        }
    }
    for prog in &model.prog_types {
        if !exists(&prog.guard) {
            continue;
        }
        found.insert(format!("prog_type {}", prog.name), format!("= {}", prog.number));
        for (name, number) in &prog.attach {
            found.insert(format!("attach_type {} {name}", prog.name), format!("= {number}"));
        }
        for (index, _) in &prog.callables {
            let Some(row) = model.callables.get(usize::from(*index)) else { continue };
            let what = format!("offer {} {}", prog.name, row.name);
            if found.contains_key(&what) {
                continue;
            }
            let guard = offered(model, prog, row.number).unwrap_or_else(|| either([]));
            if let Some(when) = offer(model, version, prog, &guard) {
                found.insert(what, when);
            }
        }
        for (index, _) in &prog.kfuncs {
            let Some(row) = model.kfuncs.get(usize::from(*index)) else { continue };
            let guard = offered_kfunc(model, prog, &row.name).unwrap_or_else(|| either([]));
            if let Some(when) = offer(model, version, prog, &guard) {
                found.insert(format!("offer {} {}", prog.name, row.name), when);
            }
        }
    }
    found
}

/// When a program type offers something in a version: nothing is said where it always does. None
/// when it never does.
fn offer(model: &Model, version: Version, prog: &ProgType, guard: &Guard) -> Option<String> {
    let left = at(guard, Some(version), Some(prog.number))?;
    let words = words(model, Some(prog), &left);
    Some(if words.is_empty() { words } else { format!("when {words}") })
}
