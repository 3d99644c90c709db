//! Expressions: guards over the target and the program, conditions and numbers over arguments.

use probity_platform::{ArgRole, Version};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Bound, Comparison, Condition, Guard, Number};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Ident, Range, UnaryOp};

use super::Cx;
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

/// A guard: an expression that names no argument.
pub(super) fn guard(cx: &mut Cx<'_>, scope: &Scope, expr: &Expr) -> Option<Guard> {
    match &expr.kind {
        ExprKind::Since(at) => Some(Guard::Since(Version::new(at.major, at.minor))),
        ExprKind::Until(at) => Some(Guard::Until(Version::new(at.major, at.minor))),
        ExprKind::Call(word, names) => called(cx, expr, word, names),
        ExprKind::Unary(UnaryOp::Not, inner) => guard(cx, scope, inner).map(Guard::negate),
        ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => {
            let (left, right) = (guard(cx, scope, left), guard(cx, scope, right));
            let (left, right) = (left?, right?);
            Some(if *op == BinaryOp::And { left.and(right) } else { either(left, right) })
        }
        ExprKind::Binary(op @ (BinaryOp::Eq | BinaryOp::Ne), left, right) => {
            let found =
                atom(cx, scope, left, &[Range { lo: (**right).clone(), hi: None, span: right.span }])?;
            Some(if *op == BinaryOp::Eq { found } else { found.negate() })
        }
        ExprKind::In(value, members) => atom(cx, scope, value, members),
        ExprKind::Path(path) if is(path, &["sleepable"]) => Some(Guard::Sleepable),
        _ => {
            cx.report(
                Diagnostic::new(Code::BadExpression, expr.span, "this is no condition on the program").help(
                    "conditions are `attach == X`, `prog.type in { X, Y }`, `sleepable`, `cap(X)`, \
                           `config(X)`, `arch == X`, `since V`, `until V`, and `!`, `&&`, `||` of them",
                ),
            );
            None
        }
    }
}

fn either(left: Guard, right: Guard) -> Guard {
    let mut any = Vec::new();
    for guard in [left, right] {
        match guard {
            Guard::Any(list) => any.extend(list),
            guard => any.push(guard),
        }
    }
    Guard::Any(any)
}

fn called(cx: &mut Cx<'_>, expr: &Expr, word: &Ident, names: &[Ident]) -> Option<Guard> {
    let make: fn(String) -> Guard = match word.name.as_str() {
        "cap" => Guard::Cap,
        "config" => Guard::Config,
        "arch" => Guard::Arch,
        _ => {
            let known = ["cap", "config", "arch"];
            cx.report(Diagnostic::unknown(Code::UnknownName, "condition", &word.name, word.span, known));
            return None;
        }
    };
    let [name] = names else {
        let text = format!("`{}` takes one name", word.name);
        cx.report(Diagnostic::new(Code::BadExpression, expr.span, text));
        return None;
    };
    Some(make(name.name.clone()))
}

/// `attach in { X }`, `prog.type == X`, `arch == x86_64`.
fn atom(cx: &mut Cx<'_>, scope: &Scope, value: &Expr, members: &[Range]) -> Option<Guard> {
    let ExprKind::Path(path) = &value.kind else {
        cx.report(Diagnostic::new(Code::BadExpression, value.span, "this is nothing that a program has"));
        return None;
    };
    if is(path, &["arch"]) {
        let mut any = Vec::new();
        for member in members {
            let name = member.lo.name().filter(|_| member.hi.is_none());
            let Some(name) = name else {
                cx.report(Diagnostic::new(Code::BadExpression, member.span, "an architecture is a name"));
                return None;
            };
            any.push(Guard::Arch(name.name.clone()));
        }
        return if any.len() == 1 { any.pop() } else { Some(Guard::Any(any)) };
    }
    if is(path, &["target"]) {
        let mut any = Vec::new();
        for member in members {
            let name = member.lo.name().filter(|_| member.hi.is_none());
            let Some(name) = name else {
                let text = "a target is the name of a function or hook, or of `targets`";
                cx.report(Diagnostic::new(Code::BadExpression, member.span, text));
                return None;
            };
            any.extend(scope.targets_of(&name.name));
        }
        return Some(Guard::Target(any));
    }
    let (table, make): (_, fn(Vec<u32>) -> Guard) = if is(path, &["attach"]) {
        (&scope.attach, Guard::Attach)
    } else if is(path, &["prog", "type"]) {
        (&scope.prog_types, Guard::ProgType)
    } else {
        cx.report(
            Diagnostic::new(Code::BadExpression, value.span, "this is nothing that a program has")
                .help("a program has `attach`, `prog.type`, `target`, `arch` and `sleepable`"),
        );
        return None;
    };
    let mut numbers = Vec::new();
    for member in members {
        match (&member.lo.kind, &member.hi) {
            (ExprKind::Path(path), None) if path.len() == 1 => {
                let number = table.find(cx, &path[0])?;
                numbers.push(u32::try_from(number).ok()?);
            }
            (ExprKind::Int(number), None) => numbers.push(cx.narrow(*number, member.span, "the number")?),
            _ => {
                let found =
                    Diagnostic::new(Code::BadExpression, member.span, "a name or a number belongs here");
                cx.report(found);
                return None;
            }
        }
    }
    Some(make(numbers))
}

fn is(path: &[Ident], words: &[&str]) -> bool {
    path.len() == words.len() && path.iter().zip(words).all(|(part, word)| part.name == *word)
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
