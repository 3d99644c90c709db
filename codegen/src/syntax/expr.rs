//! Expressions, ranges and types from what the grammar matched. Which operator binds how is decided
//! here.

use super::ast::{BinaryOp, Expr, ExprKind, Ident, Range, TypeExpr, UnaryOp};
use super::grammar::{Node, Parts, Rule};
use super::reader::Reader;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Operators of one expression. It bounds the depth of the tree.
const OPERATORS: usize = 256;

/// A piece of a flat expression.
enum Piece<'a> {
    Operand(Expr),
    Prefix(UnaryOp, Span),
    Infix(BinaryOp, Node<'a>),
    Member(Vec<Range>, Span),
}

impl<'a> Reader<'a> {
    /// An expression.
    pub(super) fn expr(&mut self, node: &Node<'a>) -> Option<Expr> {
        let mut pieces = Vec::new();
        for part in node.parts() {
            if pieces.len() > 2 * OPERATORS {
                return self.refuse(Code::TooDeep, &part, "this expression is too long");
            }
            pieces.push(self.piece(part)?);
        }
        let mut pieces = pieces.into_iter().peekable();
        self.climb(&mut pieces, 0)
    }

    fn piece(&mut self, part: Node<'a>) -> Option<Piece<'a>> {
        let first = part.parts().next();
        let kind = match part.rule() {
            Rule::prefix => {
                let op = if part.text() == "!" { UnaryOp::Not } else { UnaryOp::Neg };
                return Some(Piece::Prefix(op, part.span()));
            }
            Rule::infix => {
                let op = BinaryOp::ALL.into_iter().find(|op| op.symbol() == part.text())?;
                return Some(Piece::Infix(op, part));
            }
            Rule::member => {
                let ranges: Option<Vec<Range>> = part.parts().map(|range| self.range(&range)).collect();
                return Some(Piece::Member(ranges?, part.span()));
            }
            Rule::group => {
                let inner = self.expr(&first?)?;
                return Some(Piece::Operand(Expr { kind: inner.kind, span: part.span() }));
            }
            Rule::number => ExprKind::Int(part.number(&mut self.found)?.value),
            Rule::since_atom => ExprKind::Since(first?.version(&mut self.found)?),
            Rule::until_atom => ExprKind::Until(first?.version(&mut self.found)?),
            Rule::call => {
                let mut parts = part.parts();
                ExprKind::Call(parts.ident()?, parts.idents().unwrap_or_default())
            }
            Rule::path => ExprKind::Path(part.parts().map(|name| name.ident()).collect()),
            _ => return None,
        };
        Some(Piece::Operand(Expr { kind, span: part.span() }))
    }

    /// Reads as much as operators that bind at least as strongly as `least` hold together.
    fn climb(
        &mut self,
        pieces: &mut std::iter::Peekable<std::vec::IntoIter<Piece<'a>>>,
        least: u8,
    ) -> Option<Expr> {
        const COMPARISON: u8 = 3;
        let mut prefixes = Vec::new();
        let mut left = loop {
            match pieces.next()? {
                Piece::Prefix(op, span) => prefixes.push((op, span)),
                Piece::Operand(expr) => break expr,
                Piece::Infix(..) | Piece::Member(..) => return None,
            }
        };
        for (op, span) in prefixes.into_iter().rev() {
            let span = span.to(left.span);
            left = Expr { kind: ExprKind::Unary(op, Box::new(left)), span };
        }
        let mut compared = false;
        loop {
            let strength = match pieces.peek() {
                Some(Piece::Infix(op, _)) => op.strength(),
                Some(Piece::Member(..)) => COMPARISON,
                _ => break,
            };
            if strength < least {
                break;
            }
            let piece = pieces.next()?;
            if strength == COMPARISON && std::mem::replace(&mut compared, true) {
                let span = match &piece {
                    Piece::Infix(_, node) => node.span(),
                    Piece::Member(_, span) => *span,
                    _ => left.span,
                };
                let report = Diagnostic::new(Code::UnexpectedToken, span, "comparisons do not chain");
                self.found.push(report.help("put `&&` between two comparisons"));
                return None;
            }
            left = match piece {
                Piece::Infix(op, _) => {
                    let right = self.climb(pieces, strength + 1)?;
                    let span = left.span.to(right.span);
                    Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), span }
                }
                Piece::Member(members, span) => {
                    let span = left.span.to(span);
                    Expr { kind: ExprKind::In(Box::new(left), members), span }
                }
                _ => return None,
            };
        }
        Some(left)
    }

    /// A range or a single value.
    pub(super) fn range(&mut self, node: &Node<'a>) -> Option<Range> {
        let mut parts = node.parts();
        let lo = self.expr(&parts.eat(Rule::expr)?)?;
        if let Some(half) = parts.eat(Rule::half_open) {
            self.half_open(&half);
            return None;
        }
        let hi = match parts.eat(Rule::expr) {
            Some(hi) => Some(self.expr(&hi)?),
            None => None,
        };
        Some(Range { lo, hi, span: node.span() })
    }

    fn half_open(&mut self, half: &Node<'a>) {
        let end = half.parts().eat(Rule::expr);
        let report = Diagnostic::new(Code::HalfOpenRange, half.span(), "a range includes both of its ends");
        let (label, last) = match &end {
            Some(end) => ("`..` leaves its end out", self.expr(end).and_then(|end| end.constant())),
            None => ("the end of this range is missing", None),
        };
        let report = report.label(label);
        self.found.push(match last.and_then(|last| last.checked_sub(1)) {
            Some(last) => report.suggest("name the last value", half.span(), format!("..={last}")),
            None => report.help("write `first..=last`"),
        });
    }

    /// A guard, if there is one next; the outer None says that it was refused.
    #[expect(clippy::option_option, reason = "an error, an absent guard and a guard are three things")]
    pub(super) fn guard(&mut self, parts: &mut Parts<'a>) -> Option<Option<Expr>> {
        match parts.eat(Rule::guard) {
            Some(guard) => Some(Some(self.expr(&guard.parts().eat(Rule::expr)?)?)),
            None => Some(None),
        }
    }

    /// A type.
    pub(super) fn type_expr(&mut self, node: &Node<'a>) -> Option<TypeExpr> {
        let mut parts = node.parts();
        let name = parts.ident()?;
        let (mut size, mut flags) = (None, Vec::new());
        for part in parts {
            match part.rule() {
                Rule::type_flag => flags.push(self.flag(&part)?),
                _ if size.is_some() => {
                    return self.refuse(Code::UnexpectedToken, &part, "this type has a size already");
                }
                _ => size = Some(self.expr(&part.parts().eat(Rule::expr)?)?),
            }
        }
        Some(TypeExpr { name, size, flags, span: node.span() })
    }

    /// A modifier of a type.
    pub(super) fn flag(&mut self, node: &Node<'a>) -> Option<Ident> {
        node.parts().ident()
    }

    /// A list of types, if there is one next.
    pub(super) fn types(&mut self, parts: &mut Parts<'a>) -> Option<Vec<TypeExpr>> {
        parts.eat(Rule::type_list)?.parts().map(|node| self.type_expr(&node)).collect()
    }
}
