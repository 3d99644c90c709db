//! Expressions over the arguments of a call: conditions and numbers.

use probity_platform::ArgRole;

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Bound, Comparison, Condition, Number};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Ident, Range, UnaryOp};

use super::cx::Cx;
use super::guards::{guard, is};
use super::scope::Scope;

/// The arguments that an expression may speak of.
pub(super) struct Args<'a> {
    pub(super) names: Vec<(&'a str, ArgRole, Span)>,
}

impl Args<'_> {
    pub(super) fn find(&self, name: &str) -> Option<(u8, ArgRole, Span)> {
        let index = self.names.iter().position(|(known, _, _)| *known == name)?;
        let (_, role, span) = self.names[index];
        Some((u8::try_from(index).ok()?, role, span))
    }

    /// An argument by name, or a report.
    pub(super) fn get(&self, cx: &mut Cx<'_>, name: &Ident) -> Option<(u8, ArgRole, Span)> {
        let found = self.find(&name.name);
        if found.is_none() {
            let names = self.names.iter().map(|(name, _, _)| *name);
            cx.report(Diagnostic::unknown(Code::UnknownName, "argument", &name.name, name.span, names));
        }
        found
    }
}

/// True when an expression speaks of arguments or numbers anywhere.
fn of_arguments(expr: &Expr, args: &Args<'_>) -> bool {
    match &expr.kind {
        ExprKind::Path(path) => {
            path.first().is_some_and(|first| args.find(&first.name).is_some()) || is(path, &["nr_cpus"])
        }
        ExprKind::Unary(_, inner) => of_arguments(inner, args),
        ExprKind::Binary(_, left, right) => of_arguments(left, args) || of_arguments(right, args),
        ExprKind::In(value, _) => of_arguments(value, args),
        _ => false,
    }
}

/// A condition over arguments and the program.
pub(super) fn condition(cx: &mut Cx<'_>, scope: &Scope, args: &Args<'_>, expr: &Expr) -> Option<Condition> {
    match &expr.kind {
        ExprKind::Unary(UnaryOp::Not, inner) => {
            Some(Condition::Not(Box::new(condition(cx, scope, args, inner)?)))
        }
        ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => {
            let (left, right) = (condition(cx, scope, args, left), condition(cx, scope, args, right));
            let (left, right) = (Box::new(left?), Box::new(right?));
            Some(if *op == BinaryOp::And { Condition::And(left, right) } else { Condition::Or(left, right) })
        }
        ExprKind::Path(path) if path.len() == 2 && path[1].name == "is_null" => {
            args.get(cx, &path[0]).map(|(arg, _, _)| Condition::IsNull(arg))
        }
        ExprKind::Binary(op, left, right) if comparison(*op).is_some() => {
            let known = program_atom(left);
            if known {
                return guard(cx, scope, expr).map(Condition::Holds);
            }
            let types = map_type(args, left) || map_type(args, right);
            let (left, right) = (side(cx, scope, args, left, types), side(cx, scope, args, right, types));
            Some(Condition::Compare(comparison(*op)?, left?, right?))
        }
        ExprKind::In(value, _) if program_atom(value) => guard(cx, scope, expr).map(Condition::Holds),
        ExprKind::In(value, members) => {
            let types = map_type(args, value);
            let value = number(cx, scope, args, value);
            members_of(cx, scope, args, value?, members, types)
        }
        _ if !of_arguments(expr, args) => guard(cx, scope, expr).map(Condition::Holds),
        _ => {
            cx.report(Diagnostic::new(Code::BadExpression, expr.span, "this is a number, not a condition"));
            None
        }
    }
}

fn program_atom(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Path(path)
        if is(path, &["attach"]) || is(path, &["prog", "type"]) || is(path, &["arch"]) || is(path, &["target"]))
}

/// True for `MAP.type` of an argument.
fn map_type(args: &Args<'_>, expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Path(path)
        if path.len() == 2 && path[1].name == "type" && args.find(&path[0].name).is_some())
}

/// A side of a comparison. With `types` it is compared with the type of a map, so that a name alone
/// is a map type's.
fn side(cx: &mut Cx<'_>, scope: &Scope, args: &Args<'_>, expr: &Expr, types: bool) -> Option<Number> {
    match expr.name() {
        Some(name) if types && args.find(&name.name).is_none() => {
            scope.map_types.find(cx, name).map(|number| Number::Literal(i128::from(number)))
        }
        _ => number(cx, scope, args, expr),
    }
}

fn members_of(
    cx: &mut Cx<'_>,
    scope: &Scope,
    args: &Args<'_>,
    value: Number,
    members: &[Range],
    types: bool,
) -> Option<Condition> {
    let mut single = Vec::new();
    let mut any: Option<Condition> = None;
    for member in members {
        let low = side(cx, scope, args, &member.lo, types)?;
        let found = match &member.hi {
            None => match low {
                Number::Literal(number) => {
                    single.push(number);
                    continue;
                }
                low => Condition::Compare(Comparison::Equal, value.clone(), low),
            },
            Some(high) => {
                let high = side(cx, scope, args, high, types)?;
                if let (Number::Literal(low), Number::Literal(high)) = (&low, &high)
                    && low > high
                {
                    cx.report(Diagnostic::new(Code::EmptyRange, member.span, "this range holds nothing"));
                    return None;
                }
                Condition::And(
                    Box::new(Condition::Compare(Comparison::GreaterEqual, value.clone(), low)),
                    Box::new(Condition::Compare(Comparison::LessEqual, value.clone(), high)),
                )
            }
        };
        any = Some(match any {
            None => found,
            Some(known) => Condition::Or(Box::new(known), Box::new(found)),
        });
    }
    let list = (!single.is_empty()).then_some(Condition::In(value, single));
    match (list, any) {
        (Some(list), Some(any)) => Some(Condition::Or(Box::new(list), Box::new(any))),
        (list, any) => list.or(any),
    }
}

fn comparison(op: BinaryOp) -> Option<Comparison> {
    match op {
        BinaryOp::Eq => Some(Comparison::Equal),
        BinaryOp::Ne => Some(Comparison::NotEqual),
        BinaryOp::Le => Some(Comparison::LessEqual),
        BinaryOp::Ge => Some(Comparison::GreaterEqual),
        BinaryOp::Lt => Some(Comparison::Less),
        BinaryOp::Gt => Some(Comparison::Greater),
        _ => None,
    }
}

/// A number over arguments.
pub(super) fn number(cx: &mut Cx<'_>, scope: &Scope, args: &Args<'_>, expr: &Expr) -> Option<Number> {
    if let Some(value) = expr.constant() {
        return Some(Number::Literal(value));
    }
    match &expr.kind {
        ExprKind::Unary(UnaryOp::Neg, inner) => {
            let inner = number(cx, scope, args, inner)?;
            Some(Number::Sub(Box::new(Number::Literal(0)), Box::new(inner)))
        }
        ExprKind::Binary(op @ (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul), left, right) => {
            let (left, right) = (number(cx, scope, args, left), number(cx, scope, args, right));
            let (left, right) = (Box::new(left?), Box::new(right?));
            Some(match op {
                BinaryOp::Add => Number::Add(left, right),
                BinaryOp::Sub => Number::Sub(left, right),
                _ => Number::Mul(left, right),
            })
        }
        ExprKind::Path(path) => match path.as_slice() {
            [name] if name.name == "nr_cpus" => Some(Number::NrCpus),
            [name] => match scope.number(&name.name) {
                Some(number) => Some(Number::Literal(i128::from(number))),
                None if args.find(&name.name).is_none() => {
                    let names = args.names.iter().map(|(name, _, _)| *name);
                    let names = names.chain(["nr_cpus"]).chain(scope.numbers());
                    let found = Diagnostic::unknown(Code::UnknownName, "name", &name.name, name.span, names);
                    cx.report(found);
                    None
                }
                None => {
                    let text = format!("`{}` is no number", name.name);
                    let mut found = Diagnostic::new(Code::BadExpression, name.span, text);
                    if let Some((_, role, _)) = args.find(&name.name) {
                        found = found.help(if role == ArgRole::Map {
                            format!("a map has `{0}.type`, `{0}.value_size`, `{0}.max_entries`", name.name)
                        } else {
                            format!("an argument has `{0}.umin`, `{0}.umax`, `{0}.const`", name.name)
                        });
                    }
                    cx.report(found);
                    None
                }
            },
            [name, atom] => arg_atom(cx, args, name, atom),
            _ => bad_number(cx, expr.span),
        },
        _ => bad_number(cx, expr.span),
    }
}

fn bad_number(cx: &mut Cx<'_>, span: Span) -> Option<Number> {
    cx.report(Diagnostic::new(Code::BadExpression, span, "this is no number"));
    None
}

fn arg_atom(cx: &mut Cx<'_>, args: &Args<'_>, name: &Ident, atom: &Ident) -> Option<Number> {
    const OF_NUMBERS: [&str; 5] = ["umin", "umax", "smin", "smax", "const"];
    const OF_MAPS: [&str; 4] = ["type", "key_size", "value_size", "max_entries"];
    let (arg, role, declared) = args.get(cx, name)?;
    let value = match atom.name.as_str() {
        "umin" => Number::Bound(arg, Bound::Umin),
        "umax" => Number::Bound(arg, Bound::Umax),
        "smin" => Number::Bound(arg, Bound::Smin),
        "smax" => Number::Bound(arg, Bound::Smax),
        "const" => Number::Constant(arg),
        "type" => Number::MapType(arg),
        "key_size" => Number::KeySize(arg),
        "value_size" => Number::ValueSize(arg),
        "max_entries" => Number::MaxEntries(arg),
        _ => {
            let names = OF_NUMBERS.into_iter().chain(OF_MAPS).chain(["is_null"]);
            cx.report(Diagnostic::unknown(Code::UnknownName, "property", &atom.name, atom.span, names));
            return None;
        }
    };
    let of_map = OF_MAPS.contains(&atom.name.as_str());
    let fits = if of_map { role == ArgRole::Map } else { super::kinds::takes_numbers(role) };
    if !fits {
        let text = format!(
            "`{}` is no {}: it has no `{}`",
            name.name,
            if of_map { "map" } else { "number" },
            atom.name
        );
        let found = Diagnostic::new(Code::WrongArgumentClass, atom.span, text).with(declared, "the argument");
        cx.report(found);
        return None;
    }
    Some(value)
}

/// The arguments whose exact value a number needs.
pub(super) fn constants(number: &Number, into: &mut Vec<u8>) {
    match number {
        Number::Constant(arg) if !into.contains(arg) => into.push(*arg),
        Number::Add(left, right) | Number::Sub(left, right) | Number::Mul(left, right) => {
            constants(left, into);
            constants(right, into);
        }
        _ => {}
    }
}

/// The arguments whose exact value a condition needs.
pub(super) fn condition_constants(condition: &Condition, into: &mut Vec<u8>) {
    match condition {
        Condition::Compare(_, left, right) => {
            constants(left, into);
            constants(right, into);
        }
        Condition::In(value, _) => constants(value, into),
        Condition::Not(inner) => condition_constants(inner, into),
        Condition::And(left, right) | Condition::Or(left, right) => {
            condition_constants(left, into);
            condition_constants(right, into);
        }
        Condition::IsNull(_) | Condition::Holds(_) => {}
    }
}
