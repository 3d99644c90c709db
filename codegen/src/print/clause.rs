//! Helpers and kfuncs.

use super::expr::{expr, range, type_expr, when};
use super::{Entry, block, string, version};
use crate::syntax::ast::{Clause, ClauseKind, Helper, Ident, Overload};

/// A helper's or a kfunc's text.
pub(super) fn helper(helper: &Helper) -> String {
    let clauses = helper.clauses.iter().map(clause);
    let overloads = helper.overloads.iter().map(overload);
    let head = match &helper.number {
        Some(number) => format!("helper {} = {}", helper.name.name, number.value),
        None => format!("kfunc {}", helper.name.name),
    };
    block(&head, &clauses.chain(overloads).collect::<Vec<_>>(), helper.number.is_none())
}

fn overload(overload: &Overload) -> Entry {
    let clauses: Vec<Entry> = overload.clauses.iter().map(clause).collect();
    Entry::new(&overload.doc, block(&format!("overload {}", overload.name.name), &clauses, true))
}

fn clause(clause: &Clause) -> Entry {
    let text = match &clause.kind {
        ClauseKind::Since(at) => format!("since {}", version(*at)),
        ClauseKind::Until(at) => format!("until {}", version(*at)),
        ClauseKind::Proto { args, ret, .. } => {
            let args: Vec<String> =
                args.iter().map(|arg| format!("{}: {}", arg.name.name, type_expr(&arg.ty))).collect();
            format!("proto ({}) -> {}", args.join(", "), type_expr(ret))
        }
        ClauseKind::Returns(values) => format!("returns {}", range(values)),
        ClauseKind::ReturnsBytes(bytes) => format!("returns bytes {}", expr(bytes)),
        ClauseKind::ReturnsOf { what, arg } => format!("returns {} of {}", what.name, arg.name),
        ClauseKind::Alias(alias) => {
            let since = alias.since.map(|at| format!(" since {}", version(at))).unwrap_or_default();
            let until = alias.until.map(|at| format!(" until {}", version(at))).unwrap_or_default();
            format!("alias {}{since}{until}", alias.name.name)
        }
        ClauseKind::Exists => "exists".to_owned(),
        ClauseKind::Allowed(text) => {
            format!("allowed else {}", string(text.as_ref().map_or("", |text| &text.value)))
        }
        ClauseKind::KfuncFlags(flags) => {
            let names: Vec<&str> = flags.iter().map(|flag| flag.name.as_str()).collect();
            format!("flags {}", names.join(" | "))
        }
        ClauseKind::Enters { region, by: lock, fallible } => {
            let fallible = if *fallible { " fallible" } else { "" };
            format!("enters {}{}{fallible}", region.name, by(lock.as_ref()))
        }
        ClauseKind::Leaves { region, by: lock } => format!("leaves {}{}", region.name, by(lock.as_ref())),
        ClauseKind::Constructs { arg, state } => format!("constructs {} as {}", arg.name, state.name),
        ClauseKind::Advances { arg, state } => format!("advances {} to {}", arg.name, state.name),
        ClauseKind::Destroys(arg) => format!("destroys {}", arg.name),
        ClauseKind::Clones { from, to } => format!("clones {} to {}", from.name, to.name),
        ClauseKind::Slices(arg) => format!("slices {}", arg.name),
        ClauseKind::Disowns(arg) => format!("disowns {}", arg.name),
        ClauseKind::Calls { func, callback, up_to } => {
            let up_to = up_to.as_ref().map(|times| format!(" up_to {}", expr(times))).unwrap_or_default();
            format!("calls {} as {}{up_to}", func.name, callback.name)
        }
        ClauseKind::Member { field, map } => format!("member {} of {}", field.name, map.name),
        ClauseKind::Formats { format, data } => format!("formats {}, {}", format.name, data.name),
        ClauseKind::Lifetime { word, until } => {
            let until = until.as_ref().map(|name| format!(" {}", name.name)).unwrap_or_default();
            format!("lifetime {}{until}", word.name)
        }
        ClauseKind::Where { cond, text: None } => format!("where {}", expr(cond)),
        ClauseKind::Where { cond, text: Some(text) } => {
            format!("where {} else {}", expr(cond), string(&text.value))
        }
        ClauseKind::Precise(arg) => format!("precise {}", arg.name),
        ClauseKind::Invalidates(class) => format!("invalidates {}", class.name),
        ClauseKind::Acquires(class) => format!("acquires {}", class.name),
        ClauseKind::Releases(class) => format!("releases {}", class.name),
        ClauseKind::Casts(arg) => format!("casts {}", arg.name),
        ClauseKind::TailCall { map, index } => format!("tail_call {}, {}", map.name, index.name),
        ClauseKind::NonNull { key, map } => format!("nonnull when {} in {}", key.name, map.name),
        ClauseKind::Body(name) => format!("body {}", name.name),
        ClauseKind::Unsupported(name) => format!("unsupported {}", string(&name.value)),
        ClauseKind::Flag(flag) => flag.name.clone(),
    };
    Entry::new(&clause.doc, format!("{text}{};", when(clause.when.as_ref())))
}

fn by(arg: Option<&Ident>) -> String {
    arg.map(|arg| format!(" by {}", arg.name)).unwrap_or_default()
}
