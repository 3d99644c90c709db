//! Expressions, ranges and types.

use super::{list, version};
use crate::syntax::ast::{Expr, ExprKind, Range, TypeExpr, UnaryOp};

/// How strongly a comparison binds; see [`BinaryOp::strength`].
const COMPARISON: u8 = 3;
/// Operators before an expression bind more than any between.
const PREFIX: u8 = 6;

/// An expression's text.
pub(super) fn expr(of: &Expr) -> String {
    within(of, 0)
}

/// An expression's text where what binds less than `least` needs parentheses.
fn within(of: &Expr, least: u8) -> String {
    let (strength, text) = match &of.kind {
        ExprKind::Int(value) => return value.to_string(),
        ExprKind::Path(path) => {
            let names: Vec<&str> = path.iter().map(|name| name.name.as_str()).collect();
            return names.join(".");
        }
        ExprKind::Call(name, args) => return format!("{}({})", name.name, list(args)),
        ExprKind::Since(at) => return format!("since {}", version(*at)),
        ExprKind::Until(at) => return format!("until {}", version(*at)),
        ExprKind::Unary(op, inner) => {
            let mark = match op {
                UnaryOp::Not => "!",
                UnaryOp::Neg => "-",
            };
            (PREFIX, format!("{mark}{}", within(inner, PREFIX)))
        }
        ExprKind::Binary(op, a, b) => {
            let strength = op.strength();
            // Comparisons do not chain on either side; the others group to the left.
            let left = if strength == COMPARISON { strength + 1 } else { strength };
            (strength, format!("{} {} {}", within(a, left), op.symbol(), within(b, strength + 1)))
        }
        ExprKind::In(value, members) => {
            let members: Vec<String> = members.iter().map(range).collect();
            (COMPARISON, format!("{} in {{ {} }}", within(value, COMPARISON + 1), members.join(", ")))
        }
    };
    if strength < least { format!("({text})") } else { text }
}

/// A range's text.
pub(super) fn range(of: &Range) -> String {
    match &of.hi {
        Some(hi) => format!("{}..={}", expr(&of.lo), expr(hi)),
        None => expr(&of.lo),
    }
}

/// A type's text.
pub(super) fn type_expr(of: &TypeExpr) -> String {
    let mut out = of.name.name.clone();
    if let Some(size) = &of.size {
        out.push_str(&format!("({})", expr(size)));
    }
    for flag in &of.flags {
        out.push_str(&format!(" | {}", flag.name));
    }
    out
}

/// ` when GUARD`, or nothing.
pub(super) fn when(guard: Option<&Expr>) -> String {
    guard.map(|guard| format!(" when {}", expr(guard))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;
    use crate::syntax::ast::{BinaryOp, ClauseKind, ItemKind};

    /// The text of a condition that was read from `text`.
    fn through(text: &str) -> String {
        let spec = format!("helper a = 1 {{ where {text}; }}");
        let (items, found) = crate::syntax::parse(FileId(0), &spec);
        assert!(found.is_empty(), "{text}: {found:?}");
        let ItemKind::Helper(helper) = &items[0].kind else { panic!("{items:?}") };
        let ClauseKind::Where { cond, .. } = &helper.clauses[0].kind else { panic!("{items:?}") };
        expr(cond)
    }

    #[test]
    fn parentheses_stand_only_where_they_are_needed() {
        for (text, printed) in [
            ("((a.umax)) < (1 + 2)", "a.umax < 1 + 2"),
            ("(a || b) && c", "(a || b) && c"),
            ("a || (b && c)", "a || b && c"),
            ("a - (b - c)", "a - (b - c)"),
            ("(a - b) - c", "a - b - c"),
            ("(a == b) == c", "(a == b) == c"),
            ("!(a in { 1, 2..=3 })", "!(a in { 1, 2..=3 })"),
            ("-(1 + 2) * 3", "-(1 + 2) * 3"),
            ("!!sleepable", "!!sleepable"),
            ("(a in {1}) in {2}", "(a in { 1 }) in { 2 }"),
        ] {
            assert_eq!(through(text), printed);
            assert_eq!(through(printed), printed);
        }
    }

    #[test]
    fn every_operator_binds_as_its_strength_says() {
        for outer in BinaryOp::ALL {
            for inner in BinaryOp::ALL {
                let (a, b) = (outer.symbol(), inner.symbol());
                for text in [format!("(x {b} y) {a} z"), format!("x {a} (y {b} z)")] {
                    let printed = through(&text);
                    assert_eq!(through(&printed), printed);
                    let kept = printed == text;
                    let needed = if text.starts_with('(') {
                        inner.strength() < outer.strength()
                            || (inner.strength() == outer.strength() && inner.strength() == COMPARISON)
                    } else {
                        inner.strength() <= outer.strength()
                    };
                    assert_eq!(kept, needed, "{text} became {printed}");
                }
            }
        }
    }
}
