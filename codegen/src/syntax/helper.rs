//! Helpers.

use super::ast::{Arg, Clause, ClauseKind, Helper, Overload, Spanned};
use super::grammar::{Node, Parts, Rule};
use super::keyword;
use super::reader::Reader;
use super::split::Statement;

impl<'a> Reader<'a> {
    pub(super) fn helper(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<Helper> {
        let name = head.ident()?;
        let number = head.number(&mut self.found)?;
        let (mut clauses, mut overloads) = (Vec::new(), Vec::new());
        for entry in self.block(statement) {
            self.read(&entry, |reader, entry| {
                let (rule, mut parts) = reader.clause(entry, keyword::HELPER, "clause of a helper")?;
                if rule == Rule::overload_head {
                    overloads.push(reader.overload(&mut parts, entry)?);
                } else {
                    clauses.push(reader.helper_clause(rule, parts, entry)?);
                }
                Some(())
            });
        }
        Some(Helper { name, number, clauses, overloads })
    }

    fn overload(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<Overload> {
        let name = head.ident()?;
        let clauses = self.each(statement, Reader::overload_clause);
        let span = self.span(statement.bytes.clone());
        Some(Overload { doc: self.doc(statement), name, clauses, span })
    }

    fn overload_clause(&mut self, statement: &Statement) -> Option<Clause> {
        let rows: Vec<keyword::Row> =
            keyword::HELPER.iter().copied().filter(|row| row.1 != Rule::overload_head).collect();
        let (rule, parts) = self.clause(statement, &rows, "clause of an overload")?;
        self.helper_clause(rule, parts, statement)
    }

    fn helper_clause(&mut self, rule: Rule, mut parts: Parts<'a>, statement: &Statement) -> Option<Clause> {
        let kind = match rule {
            Rule::since_clause => ClauseKind::Since(parts.eat(Rule::version)?.version(&mut self.found)?),
            Rule::until_clause => ClauseKind::Until(parts.eat(Rule::version)?.version(&mut self.found)?),
            Rule::proto_clause => {
                let list = parts.eat(Rule::proto_args)?;
                let args: Option<Vec<Arg>> = list.parts().map(|arg| self.arg(&arg)).collect();
                let ret = self.type_expr(&parts.eat(Rule::type_expr)?)?;
                ClauseKind::Proto { args: args?, ret, args_span: list.span() }
            }
            Rule::returns_clause => match parts.eat(Rule::returns_bytes) {
                Some(bytes) => ClauseKind::ReturnsBytes(self.expr(&bytes.parts().eat(Rule::expr)?)?),
                None => ClauseKind::Returns(self.range(&parts.eat(Rule::range)?)?),
            },
            Rule::where_clause => ClauseKind::Where {
                cond: self.expr(&parts.eat(Rule::expr)?)?,
                text: text_behind_else(&mut parts),
            },
            Rule::precise_clause => ClauseKind::Precise(parts.ident()?),
            Rule::invalidates_clause => ClauseKind::Invalidates(parts.ident()?),
            Rule::acquires_clause => ClauseKind::Acquires(parts.ident()?),
            Rule::releases_clause => ClauseKind::Releases(parts.ident()?),
            Rule::casts_clause => ClauseKind::Casts(parts.ident()?),
            Rule::tail_call_clause => ClauseKind::TailCall { map: parts.ident()?, index: parts.ident()? },
            Rule::nonnull_clause => ClauseKind::NonNull { key: parts.ident()?, map: parts.ident()? },
            Rule::body_clause => ClauseKind::Body(parts.ident()?),
            Rule::unsupported_clause => ClauseKind::Unsupported(parts.eat(Rule::string)?.string()),
            _ => ClauseKind::Flag(self.first_word(statement)),
        };
        let when = self.guard(&mut parts)?;
        Some(Clause { doc: self.doc(statement), span: self.span(statement.bytes.clone()), kind, when })
    }

    fn arg(&mut self, node: &Node<'a>) -> Option<Arg> {
        let mut parts = node.parts();
        let name = parts.ident()?;
        let ty = self.type_expr(&parts.eat(Rule::type_expr)?)?;
        Some(Arg { name, ty, span: node.span() })
    }
}

fn text_behind_else(parts: &mut Parts<'_>) -> Option<Spanned<String>> {
    Some(parts.eat(Rule::where_text)?.parts().eat(Rule::string)?.string())
}
