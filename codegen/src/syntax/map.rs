//! Map types and the flags that maps are created with.

use super::ast::{
    MapClause, MapClauseKind, MapFlagEntry, MapFlagKind, MapType, NullCheck, SizeRange, SizeStep,
};
use super::grammar::{Node, Parts, Rule};
use super::keyword;
use super::reader::Reader;
use super::scan::TokenKind;
use super::split::Statement;

impl<'a> Reader<'a> {
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
            Rule::key_clause => MapClauseKind::Key(self.sizes(&mut parts)?),
            Rule::value_clause => {
                let sizes = self.sizes(&mut parts)?;
                let with = match parts.eat(Rule::with_flags) {
                    Some(with) => with.parts().idents()?,
                    None => Vec::new(),
                };
                MapClauseKind::Value { sizes, with }
            }
            Rule::element_clause => MapClauseKind::Element(self.range(&parts.eat(Rule::range)?)?),
            Rule::entries_clause => MapClauseKind::MaxEntries(self.sizes(&mut parts)?),
            Rule::extra_clause => MapClauseKind::Extra(self.size_range(&parts.eat(Rule::size_range)?)?),
            Rule::flags_clause => MapClauseKind::Flags(parts.idents()?),
            Rule::requires_clause => MapClauseKind::Requires(parts.idents()?),
            Rule::exclusive_clause => MapClauseKind::Exclusive(parts.idents()?),
            Rule::map_unsupported => {
                let why = parts.eat(Rule::string)?.string();
                let helpers = match parts.eat(Rule::unsupported_in) {
                    Some(helpers) => helpers.parts().idents()?,
                    None => Vec::new(),
                };
                MapClauseKind::Unsupported { why, helpers }
            }
            Rule::body_clause => MapClauseKind::Body(parts.ident()?),
            Rule::used_by_clause => MapClauseKind::UsedBy(parts.idents()?),
            _ => MapClauseKind::NullCheck(match parts.eat(Rule::kw_inner) {
                Some(inner) => NullCheck::InnerMap(inner.span()),
                None => NullCheck::Type(self.type_expr(&parts.eat(Rule::type_expr)?)?),
            }),
        };
        Some(MapClause { doc, span, kind })
    }

    /// An entry of `map_flags`.
    pub(super) fn map_flag(&mut self, statement: &Statement) -> Option<MapFlagEntry> {
        let (doc, span) = (self.doc(statement), self.span(statement.bytes.clone()));
        let exclusive = self.source.token_text(statement.head.start) == "exclusive";
        let kind = if exclusive {
            MapFlagKind::Exclusive(self.head(Rule::exclusive_clause, statement)?.idents()?)
        } else {
            let mut parts = self.head(Rule::map_flag, statement)?;
            MapFlagKind::Bit(parts.ident()?, parts.number(&mut self.found)?)
        };
        Some(MapFlagEntry { doc, span, kind })
    }

    fn sizes(&mut self, parts: &mut Parts<'a>) -> Option<Vec<SizeRange>> {
        parts.eat(Rule::size_list)?.parts().map(|node| self.size_range(&node)).collect()
    }

    fn size_range(&mut self, node: &Node<'a>) -> Option<SizeRange> {
        let mut parts = node.parts();
        let range = self.range(&parts.eat(Rule::range)?)?;
        let step = match parts.next() {
            None => None,
            Some(step) if step.rule() == Rule::size_step => {
                Some(SizeStep::MultiplesOf(step.parts().number(&mut self.found)?))
            }
            Some(_) => Some(SizeStep::PowersOfTwo),
        };
        Some(SizeRange { range, step, span: node.span() })
    }
}
