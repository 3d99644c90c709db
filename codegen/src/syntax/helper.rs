//! Helpers and map types.

use super::ast::{
    Arg, Clause, ClauseKind, Helper, MapClause, MapClauseKind, MapType, NullCheck, Overload, Spanned,
};
use super::grammar::{Node, Parts, Rule};
use super::keyword;
use super::reader::Reader;
use super::scan::TokenKind;
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

    pub(super) fn map_type(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<MapType> {
        let name = head.ident()?;
        let number = head.number(&mut self.found)?;
        Some(MapType { name, number, clauses: self.each(statement, Reader::map_clause) })
    }

    fn map_clause(&mut self, statement: &Statement) -> Option<MapClause> {
        let (doc, span) = (self.doc(statement), self.span(statement.bytes.clone()));
        let word = &self.source.tokens[statement.head.start];
        let known = keyword::MAP_TYPE.iter().any(|row| row.0 == self.source.text(word.range()));
        if !known && word.kind == TokenKind::Word && statement.head.len() <= 2 && statement.block.is_none() {
            // Any word alone is a trait; which there are is for the passes behind.
            self.head(Rule::flag_clause, statement)?;
            let kind = MapClauseKind::Trait(self.first_word(statement));
            return Some(MapClause { doc, span, kind });
        }
        let (rule, mut parts) = self.clause(statement, keyword::MAP_TYPE, "clause of a map type")?;
        let kind = match rule {
            Rule::since_clause => MapClauseKind::Since(parts.eat(Rule::version)?.version(&mut self.found)?),
            Rule::until_clause => MapClauseKind::Until(parts.eat(Rule::version)?.version(&mut self.found)?),
            Rule::key_clause => MapClauseKind::Key(self.range(&parts.eat(Rule::range)?)?),
            Rule::value_clause => MapClauseKind::Value(self.range(&parts.eat(Rule::range)?)?),
            Rule::used_by_clause => MapClauseKind::UsedBy(parts.idents()?),
            _ => MapClauseKind::NullCheck(match parts.eat(Rule::kw_inner) {
                Some(inner) => NullCheck::InnerMap(inner.span()),
                None => NullCheck::Type(self.type_expr(&parts.eat(Rule::type_expr)?)?),
            }),
        };
        Some(MapClause { doc, span, kind })
    }
}

fn text_behind_else(parts: &mut Parts<'_>) -> Option<Spanned<String>> {
    Some(parts.eat(Rule::where_text)?.parts().eat(Rule::string)?.string())
}
