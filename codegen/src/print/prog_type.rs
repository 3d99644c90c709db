//! Sets of helpers, and program types.

use super::expr::{expr, range, when};
use super::{Entry, block, list, numbers, string, version};
use crate::syntax::ast::{
    AttachEntry, CtxRule, CtxRuleKind, EntryRegister, ProgClause, ProgClauseKind, ProgType, Set, SetEntry,
    SetEntryKind, SetName,
};

/// A set's text.
pub(super) fn set(head: &str, set: &Set) -> String {
    let entries: Vec<Entry> = set.entries.iter().map(set_entry).collect();
    block(&format!("{head} {}", set.name.name), &entries, true)
}

fn set_entry(entry: &SetEntry) -> Entry {
    let text = match &entry.kind {
        SetEntryKind::Names(names) => {
            let names: Vec<String> = names.iter().map(set_name).collect();
            names.join(", ")
        }
        SetEntryKind::Include(names) => format!("include {}", list(names)),
        SetEntryKind::Exclude(names) => format!("exclude {}", list(names)),
    };
    Entry::new(&entry.doc, format!("{text}{};", when(entry.when.as_ref())))
}

fn set_name(name: &SetName) -> String {
    match &name.overload {
        Some(overload) => format!("{} as {}", name.name.name, overload.name),
        None => name.name.name.clone(),
    }
}

/// A program type's text.
pub(super) fn prog_type(prog: &ProgType) -> String {
    let clauses: Vec<Entry> = prog.clauses.iter().map(clause).collect();
    block(&format!("prog_type {} = {}", prog.name.name, prog.number.value), &clauses, false)
}

fn clause(clause: &ProgClause) -> Entry {
    let text = match &clause.kind {
        ProgClauseKind::Since(at) => format!("since {};", version(*at)),
        ProgClauseKind::Until(at) => format!("until {};", version(*at)),
        ProgClauseKind::Ctx { view, rules } if rules.is_empty() => format!("ctx {};", view.name),
        ProgClauseKind::Ctx { view, rules } => {
            let rules: Vec<Entry> = rules.iter().map(ctx_rule).collect();
            block(&format!("ctx {}", view.name), &rules, true)
        }
        ProgClauseKind::Helpers(set) => format!("helpers {};", set.name),
        ProgClauseKind::Kfuncs(set) => format!("kfuncs {};", set.name),
        ProgClauseKind::Sleepable { always, text, when: guard } => {
            let always = if *always { " always" } else { "" };
            let text = text.as_ref().map(|text| format!(" else {}", string(&text.value))).unwrap_or_default();
            format!("sleepable{always}{text}{};", when(guard.as_ref()))
        }
        ProgClauseKind::Packet(modes) => format!("packet {};", list(modes)),
        ProgClauseKind::Returns { range: values, when: guard } => {
            let values = values.as_ref().map_or_else(|| "any".to_owned(), range);
            format!("returns {values}{};", when(guard.as_ref()))
        }
        ProgClauseKind::Entry(entries) => {
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("entry {};", entries.join(", "))
        }
        ProgClauseKind::Attach(entries) => {
            let entries: Vec<String> = entries.iter().map(attach).collect();
            format!("attach {};", entries.join(", "))
        }
        ProgClauseKind::AttachChecked { default } => {
            let default = default.as_ref().map(|name| format!(" default {}", name.name)).unwrap_or_default();
            format!("attach_checked{default};")
        }
        ProgClauseKind::Section { glob, attach, flags, target } => {
            let attach = attach.as_ref().map(|attach| format!(" attach {}", attach.name)).unwrap_or_default();
            let flags = flags.as_ref().map(|flags| format!(" flags {}", expr(flags))).unwrap_or_default();
            let target = target.as_ref().map(|prefix| format!(" target {}", string(&prefix.value)));
            let target = target.unwrap_or_default();
            format!("section {}{attach}{flags}{target};", string(&glob.value))
        }
        ProgClauseKind::Unsupported { what, when: guard } => {
            format!("unsupported {}{};", string(&what.value), when(guard.as_ref()))
        }
        ProgClauseKind::Flag(flag) => format!("{};", flag.name),
    };
    Entry::new(&clause.doc, text)
}

fn ctx_rule(rule: &CtxRule) -> Entry {
    let (word, sizes) = match &rule.kind {
        CtxRuleKind::Deny => ("deny", String::new()),
        CtxRuleKind::Read => ("read", String::new()),
        CtxRuleKind::Write(sizes) if sizes.is_empty() => ("write", String::new()),
        CtxRuleKind::Write(sizes) => ("write", format!(": {}", numbers(sizes))),
        CtxRuleKind::Sizes(sizes) => ("sizes", format!(": {}", numbers(sizes))),
    };
    let text = format!("{word} {}{sizes}{};", list(&rule.fields), when(rule.when.as_ref()));
    Entry::new(&rule.doc, text)
}

fn entry(entry: &EntryRegister) -> String {
    let names: Vec<&str> = entry.value.iter().map(|name| name.name.as_str()).collect();
    let flags: String = entry.flags.iter().map(|flag| format!(" | {}", flag.name)).collect();
    format!("{} = {}{flags}", entry.register.name, names.join("."))
}

fn attach(entry: &AttachEntry) -> String {
    format!("{} = {}", entry.name.name, entry.number.value)
}
