//! Struct views and plain structs.

use super::ast::{Access, AccessMode, Field, FieldType, Host, IntType, Narrow, Spanned, Struct, View};
use super::grammar::{Node, Parts, Rule};
use super::reader::Reader;
use super::split::Statement;
use crate::code::Code;

impl<'a> Reader<'a> {
    pub(super) fn view(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<View> {
        let name = head.ident()?;
        let size = head.number(&mut self.found)?;
        Some(View { name, size, fields: self.each(statement, Reader::field) })
    }

    /// A plain struct. Its fields are read as those of views: what they may not say is found when
    /// they are resolved, in words of its own.
    pub(super) fn plain_struct(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<Struct> {
        let name = head.ident()?;
        let size = match head.eat(Rule::struct_size) {
            Some(size) => Some(size.parts().number(&mut self.found)?),
            None => None,
        };
        Some(Struct { name, size, fields: self.each(statement, Reader::field) })
    }

    pub(super) fn field(&mut self, statement: &Statement) -> Option<Field> {
        let mut parts = self.head(Rule::field, statement)?;
        let at = match parts.eat(Rule::field_at) {
            Some(at) => Some(at.parts().number(&mut self.found)?),
            None => None,
        };
        let names = parts.idents()?;
        let ty = self.field_type(&parts.eat(Rule::field_type)?)?;
        let host = match parts.eat(Rule::host) {
            Some(host) => Some(self.host(&host)?),
            None => None,
        };
        let access = match parts.eat(Rule::access) {
            Some(access) => vec![self.access(&access, ty.span)?],
            None => {
                let rules = self.each(statement, Reader::access_rule);
                if rules.is_empty() {
                    let empty = Access {
                        yields: None,
                        modes: vec![Spanned { value: AccessMode::None, span: ty.span.end() }],
                        sizes: Vec::new(),
                        narrow: None,
                        when: None,
                        span: ty.span.end(),
                    };
                    vec![empty]
                } else {
                    rules
                }
            }
        };
        let doc = self.doc(statement);
        Some(Field { doc, span: self.span(statement.bytes.clone()), at, names, ty, host, access })
    }

    fn host(&mut self, node: &Node<'a>) -> Option<Host> {
        let ty = match node.parts().eat(Rule::int_type) {
            Some(ty) => Some(IntType::ALL.into_iter().find(|row| row.name() == ty.text())?),
            None => None,
        };
        Some(Host { ty, span: node.span() })
    }

    fn field_type(&mut self, node: &Node<'a>) -> Option<FieldType> {
        let mut parts = node.parts();
        let element = parts.eat(Rule::int_type)?;
        let value = IntType::ALL.into_iter().find(|ty| ty.name() == element.text())?;
        let count = match parts.eat(Rule::number) {
            Some(count) => Some(count.number(&mut self.found)?),
            None => None,
        };
        Some(FieldType { element: Spanned { value, span: element.span() }, count, span: node.span() })
    }

    fn access_rule(&mut self, statement: &Statement) -> Option<Access> {
        let mut parts = self.head(Rule::access_rule, statement)?;
        let span = self.span(statement.bytes.clone());
        self.access(&parts.eat(Rule::access)?, span)
    }

    /// A rule of access; an empty one stands behind `before`.
    fn access(&mut self, node: &Node<'a>, before: crate::source::Span) -> Option<Access> {
        let span = if node.text().is_empty() { before.end() } else { node.span() };
        let mut access =
            Access { yields: None, modes: Vec::new(), sizes: Vec::new(), narrow: None, when: None, span };
        for part in node.parts() {
            match part.rule() {
                Rule::yields if access.yields.is_some() => {
                    return self.refuse(Code::RepeatedClause, &part, "this field yields a type already");
                }
                Rule::yields => access.yields = Some(self.type_expr(&part.parts().eat(Rule::type_expr)?)?),
                Rule::mode => {
                    let value = AccessMode::ALL.into_iter().find(|mode| mode.name() == part.text())?;
                    if access.modes.iter().any(|mode| mode.value == value) {
                        return self.refuse(Code::RepeatedClause, &part, "this access mode is given twice");
                    }
                    access.modes.push(Spanned { value, span: part.span() });
                }
                Rule::sizes if !access.sizes.is_empty() => {
                    return self.refuse(Code::RepeatedClause, &part, "this field has sizes already");
                }
                Rule::sizes => access.sizes = part.parts().numbers(&mut self.found)?,
                Rule::narrow if access.narrow.is_some() => {
                    return self.refuse(Code::RepeatedClause, &part, "this field says `narrow` already");
                }
                Rule::narrow => {
                    let bytes = match part.parts().eat(Rule::number) {
                        Some(bytes) => Some(bytes.number(&mut self.found)?),
                        None => None,
                    };
                    access.narrow = Some(Narrow { bytes, span: part.span() });
                }
                _ => access.when = Some(self.expr(&part.parts().eat(Rule::expr)?)?),
            }
        }
        Some(access)
    }
}
