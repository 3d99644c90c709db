//! Helpers.

use super::expr::{expr, range, type_expr, when};
use super::{Entry, block, string, version};
use crate::syntax::ast::{Clause, ClauseKind, Helper, Overload};

/// A helper's text.
pub(super) fn helper(helper: &Helper) -> String {
    let clauses = helper.clauses.iter().map(clause);
    let overloads = helper.overloads.iter().map(overload);
    let head = format!("helper {} = {}", helper.name.name, helper.number.value);
    block(&head, &clauses.chain(overloads).collect::<Vec<_>>(), false)
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
