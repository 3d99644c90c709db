//! Regions, stack objects, callbacks, objects, special fields, targets, words.

use super::ast::{
    Btf, Callback, CallbackLine, Every, Ident, Line, Object, ObjectLine, Region, RegionLine, SpecialField,
    SpecialFieldLine, StackObject, StackObjectLine, Targets, Word,
};
use super::grammar::{Parts, Rule};
use super::helper::text_behind_else;
use super::keyword;
use super::reader::Reader;
use super::split::Statement;

impl<'a> Reader<'a> {
    pub(super) fn region(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<Region> {
        Some(Region { name: head.ident()?, lines: self.each(statement, Reader::region_line) })
    }

    fn region_line(&mut self, statement: &Statement) -> Option<Line<RegionLine>> {
        let (rule, mut parts) = self.clause(statement, keyword::REGION, "line of a region")?;
        let kind = match rule {
            Rule::prints_prop => RegionLine::Prints(parts.eat(Rule::string)?.string()),
            Rule::inside_prop => RegionLine::Inside(parts.eat(Rule::string)?.string()),
            Rule::names_clause => {
                let names = parts.idents()?;
                match self.first_word(statement).name.as_str() {
                    "forbids" => RegionLine::Forbids(names),
                    _ => RegionLine::Allows(names),
                }
            }
            Rule::on_leave_clause => RegionLine::OnLeave { from: parts.ident()?, to: parts.ident()? },
            Rule::implicit_clause => RegionLine::Implicit(self.guard(&mut parts)??),
            _ => RegionLine::Flag(self.first_word(statement)),
        };
        Some(self.line(statement, kind))
    }

    pub(super) fn stack_object(
        &mut self,
        head: &mut Parts<'a>,
        statement: &Statement,
    ) -> Option<StackObject> {
        let name = head.ident()?;
        let size = head.number(&mut self.found)?;
        Some(StackObject { name, size, lines: self.each(statement, Reader::stack_object_line) })
    }

    fn stack_object_line(&mut self, statement: &Statement) -> Option<Line<StackObjectLine>> {
        let (rule, mut parts) = self.clause(statement, keyword::STACK_OBJECT, "line of a stack object")?;
        let kind = match rule {
            Rule::prints_prop => StackObjectLine::Prints(parts.eat(Rule::string)?.string()),
            _ => StackObjectLine::State {
                name: parts.ident()?,
                owned: parts.eat(Rule::kw_owned).map(|owned| owned.span()),
            },
        };
        Some(self.line(statement, kind))
    }

    pub(super) fn callback(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<Callback> {
        Some(Callback { name: head.ident()?, lines: self.each(statement, Reader::callback_line) })
    }

    fn callback_line(&mut self, statement: &Statement) -> Option<Line<CallbackLine>> {
        let (rule, mut parts) = self.clause(statement, keyword::CALLBACK, "line of a callback")?;
        let kind = match rule {
            Rule::callback_register => {
                let register = parts.ident()?;
                let value = parts.eat(Rule::path)?.parts().map(|name| name.ident()).collect();
                let mut flags = Vec::new();
                while let Some(flag) = parts.eat(Rule::type_flag) {
                    flags.push(self.flag(&flag)?);
                }
                let of = match parts.eat(Rule::of_arg) {
                    Some(of) => Some(of.parts().ident()?),
                    None => None,
                };
                CallbackLine::Register { register, value, flags, of }
            }
            Rule::callback_returns => CallbackLine::Returns(self.range(&parts.eat(Rule::range)?)?),
            Rule::names_clause => CallbackLine::Forbids(parts.idents()?),
            _ => CallbackLine::Flag(self.first_word(statement)),
        };
        Some(self.line(statement, kind))
    }

    pub(super) fn object(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<Object> {
        let name = head.ident()?;
        let btf = head.eat(Rule::object_btf).map(|btf| Btf { name: btf.parts().ident(), span: btf.span() });
        let (mut lines, mut fields) = (Vec::new(), Vec::new());
        for entry in self.block(statement) {
            self.read(&entry, |reader, entry| {
                let word = reader.first_word(entry).name;
                if keyword::OBJECT.iter().any(|row| row.0 == word) {
                    lines.push(reader.object_line(entry)?);
                } else {
                    fields.push(reader.field(entry)?);
                }
                Some(())
            });
        }
        Some(Object { name, btf, lines, fields })
    }

    fn object_line(&mut self, statement: &Statement) -> Option<Line<ObjectLine>> {
        let (rule, mut parts) = self.clause(statement, keyword::OBJECT, "line of an object")?;
        let kind = match rule {
            Rule::trust_clause => ObjectLine::Trust {
                trust: self.first_word(statement),
                fields: parts.idents()?,
                when: self.guard(&mut parts)?,
            },
            Rule::names_clause => ObjectLine::Upcast(parts.idents()?),
            _ => ObjectLine::Flag(self.first_word(statement)),
        };
        Some(self.line(statement, kind))
    }

    pub(super) fn special_field(
        &mut self,
        head: &mut Parts<'a>,
        statement: &Statement,
    ) -> Option<SpecialField> {
        let (name, form) = (head.ident()?, head.ident()?);
        Some(SpecialField { name, form, lines: self.each(statement, Reader::special_field_line) })
    }

    fn special_field_line(&mut self, statement: &Statement) -> Option<Line<SpecialFieldLine>> {
        let (rule, mut parts) = self.clause(statement, keyword::SPECIAL_FIELD, "line of a special field")?;
        let kind = match rule {
            Rule::prints_prop => SpecialFieldLine::Prints(parts.eat(Rule::string)?.string()),
            Rule::size_clause => SpecialFieldLine::Size(parts.number(&mut self.found)?),
            Rule::names_clause => SpecialFieldLine::Maps(parts.idents()?),
            Rule::denied_clause => {
                SpecialFieldLine::Denied { progs: parts.idents()?, text: text_behind_else(&mut parts)? }
            }
            _ => SpecialFieldLine::Flag(self.first_word(statement)),
        };
        Some(self.line(statement, kind))
    }

    pub(super) fn targets(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<Targets> {
        let name = head.ident()?;
        let names = self.each(statement, Reader::target_names);
        Some(Targets { name, names: names.into_iter().flatten().collect() })
    }

    fn target_names(&mut self, statement: &Statement) -> Option<Vec<Ident>> {
        self.head(Rule::target_names, statement)?.idents()
    }

    pub(super) fn every(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<Every> {
        Some(Every { sort: head.ident()?, flags: self.each(statement, Reader::every_word) })
    }

    fn every_word(&mut self, statement: &Statement) -> Option<Ident> {
        self.clause(statement, keyword::EVERY, "word about callables")?;
        Some(self.first_word(statement))
    }

    pub(super) fn word(&mut self, statement: &Statement) -> Option<Line<Word>> {
        let mut parts = self.head(Rule::word_clause, statement)?;
        let word = Word { name: parts.ident()?, text: parts.eat(Rule::string)?.string() };
        Some(self.line(statement, word))
    }

    fn line<K>(&self, statement: &Statement, kind: K) -> Line<K> {
        Line { doc: self.doc(statement), span: self.span(statement.bytes.clone()), kind }
    }
}
