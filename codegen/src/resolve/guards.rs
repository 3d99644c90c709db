//! Guards: expressions over the target and the program.

use probity_platform::Version;

use crate::Diagnostic;
use crate::code::Code;
use crate::model::Guard;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Ident, Range, UnaryOp};

use super::cx::Cx;
use super::scope::Scope;

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

pub(super) fn is(path: &[Ident], words: &[&str]) -> bool {
    path.len() == words.len() && path.iter().zip(words).all(|(part, word)| part.name == *word)
}
