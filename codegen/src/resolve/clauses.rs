//! Clauses of helpers become the steps of drivers.

use probity_platform::{ArgRole, Site};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Comparison, Condition, Number, Step};
use crate::source::Span;
use crate::syntax::ast::{self, Clause, ClauseKind, Expr, Ident, Range};

use super::conditions::{self, Args};
use super::cx::Cx;
use super::kinds::takes_numbers;
use super::scope::Scope;

/// Steps by their rank in the canonical order.
#[derive(Default)]
pub(super) struct Lowered {
    steps: Vec<(u8, Option<Condition>, Step)>,
    /// The callable is not modelled, whatever its arguments.
    pub(super) unsupported: bool,
    /// The classes of references that it acquires.
    pub(super) acquires: Vec<Ident>,
    /// The classes of references that it releases.
    pub(super) releases: Vec<Ident>,
    /// Packet pointers are stale after it.
    pub(super) invalidates: bool,
    /// What it returns derives from an argument.
    pub(super) derives: bool,
    /// Regions that it enters.
    pub(super) entered: Vec<u16>,
    /// Regions that it leaves.
    pub(super) left: Vec<u16>,
    /// Arguments that are called back.
    pub(super) called: Vec<u8>,
    /// One of them is called later.
    pub(super) asynchronous: bool,
}

impl Lowered {
    pub(super) fn push(&mut self, rank: u8, when: Option<Condition>, step: Step) {
        self.steps.push((rank, when, step));
    }

    /// The steps in canonical order.
    pub(super) fn ordered(mut self) -> Vec<(Option<Condition>, Step)> {
        self.steps.sort_by_key(|(rank, _, _)| *rank);
        self.steps.into_iter().map(|(_, when, step)| (when, step)).collect()
    }
}

/// Lowers one clause: what it says becomes steps.
pub(super) fn lower(
    cx: &mut Cx<'_>,
    scope: &Scope,
    args: &Args<'_>,
    helper: &ast::Helper,
    clause: &Clause,
    when: Option<Condition>,
    out: &mut Lowered,
) {
    let site = cx.site(clause.span);
    if let Some(when) = &when {
        let mut needed = Vec::new();
        conditions::condition_constants(when, &mut needed);
        demand(needed, None, site, 0, out);
    }
    match &clause.kind {
        ClauseKind::Unsupported(reason) => {
            out.unsupported |= when.is_none();
            let what = format!("{} ({})", helper.name.name, reason.value);
            out.push(0, when, Step::Unsupported { what, site });
        }
        ClauseKind::Where { cond, text } => {
            let Some(condition) = conditions::condition(cx, scope, args, cond) else { return };
            if text.is_none()
                && let Some((map, allowed)) = map_types(&condition)
            {
                out.push(1, when, Step::MapType { map, allowed, site });
                return;
            }
            let mut needed = Vec::new();
            conditions::condition_constants(&condition, &mut needed);
            demand(needed, when.as_ref(), site, 1, out);
            let text = match text {
                Some(text) => text.value.clone(),
                None => one_line(cx.sources.text(cond.span)),
            };
            out.push(1, when, Step::Require { condition, text, site });
        }
        ClauseKind::Precise(name) => {
            let Some((arg, role, span)) = args.get(cx, name) else { return };
            if !takes_numbers(role) {
                let text = format!("`{}` is no number: nothing to be precise about", name.name);
                let found =
                    Diagnostic::new(Code::WrongArgumentClass, name.span, text).with(span, "the argument");
                cx.report(found);
                return;
            }
            out.push(2, when, Step::Precise(arg));
        }
        ClauseKind::Returns(range) => {
            if let Some((low, high)) = bounds(cx, scope, args, range) {
                demand_numbers(&[&low, &high], when.as_ref(), site, out);
                out.push(3, when, Step::ReturnRange(low, high));
            }
        }
        ClauseKind::ReturnsBytes(bytes) => {
            if let Some(bytes) = conditions::number(cx, scope, args, bytes) {
                demand_numbers(&[&bytes], when.as_ref(), site, out);
                out.push(3, when, Step::ReturnBytes(bytes));
            }
        }
        ClauseKind::NonNull { key, map } => {
            let (key_arg, map_arg) = (args.get(cx, key), args.get(cx, map));
            let (Some(key_arg), Some(map_arg)) = (key_arg, map_arg) else { return };
            role_is(cx, key, key_arg, ArgRole::MapKey, "a map's key");
            role_is(cx, map, map_arg, ArgRole::Map, "a map");
            out.push(4, when, Step::NonnullForConstantKey { map: map_arg.0, key: key_arg.0 });
        }
        ClauseKind::Acquires(class) => {
            out.acquires.push(class.clone());
            out.push(4, when, Step::Acquire { class: class.name.clone(), site });
        }
        ClauseKind::Releases(class) => out.releases.push(class.clone()),
        ClauseKind::Casts(name) => {
            let Some((arg, role, span)) = args.get(cx, name) else { return };
            if takes_numbers(role) {
                let text = format!("`{}` is a number: nothing derives from it", name.name);
                let found =
                    Diagnostic::new(Code::WrongArgumentClass, name.span, text).with(span, "the argument");
                cx.report(found);
                return;
            }
            out.derives = true;
            out.push(4, when, Step::Cast(arg));
        }
        ClauseKind::Invalidates(class) => {
            if class.name != "packet" {
                let names = ["packet"];
                let found = Diagnostic::unknown(
                    Code::UnknownName,
                    "class of pointers",
                    &class.name,
                    class.span,
                    names,
                );
                cx.report(found);
                return;
            }
            out.invalidates = true;
            out.push(5, when, Step::InvalidatePacket);
        }
        ClauseKind::TailCall { map, index } => {
            let (map_arg, index_arg) = (args.get(cx, map), args.get(cx, index));
            let (Some(map_arg), Some(index_arg)) = (map_arg, index_arg) else { return };
            role_is(cx, map, map_arg, ArgRole::Map, "a map");
            if !takes_numbers(index_arg.1) {
                let text = format!("`{}` is no number", index.name);
                let found = Diagnostic::new(Code::WrongArgumentClass, index.span, text)
                    .with(index_arg.2, "the argument");
                cx.report(found);
            }
            out.push(7, when, Step::TailCall { map: map_arg.0, index: index_arg.0, site });
        }
        // Of the row itself, or of `effects`.
        _ => {}
    }
}

pub(super) fn role_is(cx: &mut Cx<'_>, name: &Ident, arg: (u8, ArgRole, Span), wanted: ArgRole, what: &str) {
    if arg.1 != wanted {
        let text = format!("`{}` is not {what}", name.name);
        let found = Diagnostic::new(Code::WrongArgumentClass, name.span, text).with(arg.2, "the argument");
        cx.report(found);
    }
}

fn demand_numbers(numbers: &[&Number], when: Option<&Condition>, site: Site, out: &mut Lowered) {
    let mut needed = Vec::new();
    for number in numbers {
        conditions::constants(number, &mut needed);
    }
    demand(needed, when, site, 1, out);
}

fn demand(needed: Vec<u8>, when: Option<&Condition>, site: Site, rank: u8, out: &mut Lowered) {
    for arg in needed {
        let known = out.steps.iter().any(|(_, condition, step)| {
            condition.is_none() && matches!(step, Step::Constant { arg: other, .. } if *other == arg)
        });
        if !known {
            out.push(rank, when.cloned(), Step::Constant { arg, site });
        }
    }
}

/// `map.type == X` and `map.type in { X, Y }`.
fn map_types(condition: &Condition) -> Option<(u8, Vec<u32>)> {
    let (map, list) = match condition {
        Condition::Compare(Comparison::Equal, Number::MapType(map), Number::Literal(number)) => {
            (*map, vec![*number])
        }
        Condition::In(Number::MapType(map), list) => (*map, list.clone()),
        _ => return None,
    };
    let list: Result<Vec<u32>, _> = list.into_iter().map(u32::try_from).collect();
    Some((map, list.ok()?))
}

fn bounds(cx: &mut Cx<'_>, scope: &Scope, args: &Args<'_>, range: &Range) -> Option<(Number, Number)> {
    let bound = |cx: &mut Cx<'_>, expr: &Expr| conditions::number(cx, scope, args, expr);
    let (low, high) = (bound(cx, &range.lo), bound(cx, range.hi()));
    let (low, high) = (low?, high?);
    if let (Number::Literal(low), Number::Literal(high)) = (&low, &high) {
        cx.ordered(low, high, range.span);
    }
    for (number, expr) in [(&low, &range.lo), (&high, range.hi())] {
        if let Number::Literal(value) = number
            && i64::try_from(*value).is_err()
        {
            cx.report(Diagnostic::new(Code::OutOfRange, expr.span, "a returned number has 64 bits"));
        }
    }
    Some((low, high))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
