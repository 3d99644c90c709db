//! Items, and the short ones among them to their ends.

use super::ast::{
    Allow, ArgClass, Extend, Ident, Item, ItemKind, Kind, KindProp, KindPropKind, Limit, MapFlags, Part,
    Switch, TypeExpr, UseTree,
};
use super::grammar::{Node, Parts, Rule};
use super::keyword;
use super::reader::Reader;
use super::split::Statement;
use crate::code::Code;
use crate::diagnostic::Diagnostic;

/// Names that a `use` may chain with `::`.
const CHAIN: usize = 16;

impl<'a> Reader<'a> {
    /// An item.
    pub(super) fn item(&mut self, statement: &Statement) -> Option<Item> {
        let rule = self.keyword(statement, keyword::ITEMS, "item")?;
        let mut head = self.head(rule, statement)?;
        let kind = match rule {
            Rule::platform_item => ItemKind::Platform(head.ident()?),
            Rule::prelude_item => ItemKind::Prelude(head.ident()?),
            Rule::global_data_item => ItemKind::GlobalData(head.ident()?),
            Rule::version_item => ItemKind::Version(head.eat(Rule::version)?.version(&mut self.found)?),
            Rule::switch_item => ItemKind::Switch(Switch {
                name: head.ident()?,
                since: head.eat(Rule::version)?.version(&mut self.found)?,
            }),
            Rule::use_item => ItemKind::Use(self.use_tree(&head.eat(Rule::use_tree)?)?),
            Rule::part_head => ItemKind::Part(self.part(&mut head, statement)?),
            Rule::kind_head => ItemKind::Kind(Kind {
                name: head.ident()?,
                behaviour: head.ident()?,
                view: head.ident(),
                props: self.each(statement, Reader::kind_prop),
            }),
            Rule::argclass_head => ItemKind::ArgClass(ArgClass {
                name: head.ident()?,
                role: head.ident()?,
                accepts: self.accepts(statement),
            }),
            Rule::extend_head if head.eat(Rule::extend_set).is_some() => {
                ItemKind::ExtendSet(self.set(&mut head, statement)?)
            }
            Rule::extend_head => {
                ItemKind::Extend(Extend { name: head.ident()?, accepts: self.accepts(statement) })
            }
            Rule::map_flags_head => {
                ItemKind::MapFlags(MapFlags { entries: self.each(statement, Reader::map_flag) })
            }
            Rule::map_type_head => ItemKind::MapType(self.map_type(&mut head, statement)?),
            Rule::special_field_head => ItemKind::SpecialField(self.special_field(&mut head, statement)?),
            Rule::helper_head | Rule::kfunc_head => {
                ItemKind::Helper(self.helper(&mut head, statement, rule == Rule::kfunc_head)?)
            }
            Rule::region_head => ItemKind::Region(self.region(&mut head, statement)?),
            Rule::stack_object_head => ItemKind::StackObject(self.stack_object(&mut head, statement)?),
            Rule::callback_head => ItemKind::Callback(self.callback(&mut head, statement)?),
            Rule::object_head => ItemKind::Object(self.object(&mut head, statement)?),
            Rule::targets_head => ItemKind::Targets(self.targets(&mut head, statement)?),
            Rule::every_head => ItemKind::Every(self.every(&mut head, statement)?),
            Rule::words_head => ItemKind::Words(self.each(statement, Reader::word)),
            Rule::host_item => {
                let none = head.eat(Rule::kw_none)?;
                ItemKind::Host(Ident { name: none.text().to_owned(), span: none.span() })
            }
            Rule::view_head => ItemKind::View(self.view(&mut head, statement)?),
            Rule::struct_head => ItemKind::Struct(self.plain_struct(&mut head, statement)?),
            Rule::set_head => ItemKind::Set(self.set(&mut head, statement)?),
            Rule::prog_type_head => ItemKind::ProgType(self.prog_type(&mut head, statement)?),
            Rule::policy_head => ItemKind::Policy(self.each(statement, Reader::allow)),
            Rule::limits_head => ItemKind::Limits(self.each(statement, Reader::limit)),
            _ => return None,
        };
        Some(Item { doc: self.doc(statement), span: self.span(statement.bytes.clone()), kind })
    }

    /// The items among some statements.
    pub(super) fn items(&mut self, statements: &[Statement]) -> Vec<Item> {
        statements.iter().filter_map(|statement| self.read(statement, Reader::item)).collect()
    }

    /// What a function makes of each statement of a block.
    pub(super) fn each<T>(
        &mut self,
        statement: &Statement,
        read: fn(&mut Reader<'a>, &Statement) -> Option<T>,
    ) -> Vec<T> {
        self.block(statement).iter().filter_map(|entry| self.read(entry, read)).collect()
    }

    /// What a function makes of a statement. None never comes without a report.
    pub(super) fn read<T>(
        &mut self,
        statement: &Statement,
        read: impl FnOnce(&mut Reader<'a>, &Statement) -> Option<T>,
    ) -> Option<T> {
        let before = self.found.len();
        let read = read(self, statement);
        if read.is_none() && !statement.bad && self.found.len() == before {
            // The grammar took what its reader does not: a fault of ours, but not to be passed over.
            let place = self.span(statement.bytes.clone());
            self.found.push(Diagnostic::new(Code::UnexpectedToken, place, "this can't be read"));
        }
        read
    }

    /// One statement of a block: the rule of its keyword and its parts.
    pub(super) fn clause(
        &mut self,
        statement: &Statement,
        rows: &[keyword::Row],
        what: &str,
    ) -> Option<(Rule, Parts<'a>)> {
        let rule = self.keyword(statement, rows, what)?;
        Some((rule, self.head(rule, statement)?))
    }

    /// The word that a statement begins with.
    pub(super) fn first_word(&self, statement: &Statement) -> Ident {
        let at = statement.head.start;
        let span = self.span(self.source.tokens[at].range());
        Ident { name: self.source.token_text(at).to_owned(), span }
    }

    fn use_tree(&mut self, node: &Node<'a>) -> Option<UseTree> {
        let (mut chain, mut parts) = (Vec::new(), None);
        for part in node.parts() {
            match part.rule() {
                Rule::ident if chain.len() == CHAIN => {
                    return self.refuse(Code::TooDeep, &part, "this chain of names is too long");
                }
                Rule::ident => chain.push(part.ident()),
                _ => {
                    let trees: Option<Vec<_>> = part.parts().map(|tree| self.use_tree(&tree)).collect();
                    parts = Some(trees?);
                }
            }
        }
        let name = chain.pop()?;
        let mut tree = UseTree { span: name.span.to(node.span().end()), name, parts };
        while let Some(name) = chain.pop() {
            tree = UseTree { span: name.span.to(tree.span), name, parts: Some(vec![tree]) };
        }
        Some(tree)
    }

    fn part(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<Part> {
        let name = head.ident()?;
        let needs = match head.eat(Rule::part_needs) {
            Some(needs) => needs.parts().idents()?,
            None => Vec::new(),
        };
        let tokens = statement.block.clone().unwrap_or(0..0);
        let statements = self.source.statements(tokens, true, &mut self.found);
        Some(Part { name, needs, items: self.items(&statements) })
    }

    fn kind_prop(&mut self, statement: &Statement) -> Option<KindProp> {
        let (rule, mut parts) = self.clause(statement, keyword::KIND, "property of a kind")?;
        let kind = match rule {
            Rule::prints_prop => KindPropKind::Prints(parts.eat(Rule::string)?.string()),
            Rule::offset_prop => KindPropKind::Offset(parts.ident()?),
            Rule::bound_prop => KindPropKind::Bound(parts.ident()?),
            _ => KindPropKind::Flag(self.first_word(statement)),
        };
        Some(KindProp { doc: self.doc(statement), span: self.span(statement.bytes.clone()), kind })
    }

    fn accepts(&mut self, statement: &Statement) -> Vec<TypeExpr> {
        self.each(statement, Reader::accepted).into_iter().flatten().collect()
    }

    fn accepted(&mut self, statement: &Statement) -> Option<Vec<TypeExpr>> {
        let (_, mut parts) = self.clause(statement, keyword::ARG_CLASS, "clause of an argument class")?;
        self.types(&mut parts)
    }

    fn allow(&mut self, statement: &Statement) -> Option<Allow> {
        let (_, mut parts) = self.clause(statement, keyword::POLICY, "clause of a policy")?;
        let names = parts.idents()?;
        let when = self.guard(&mut parts)?;
        let (doc, word) = (self.doc(statement), self.first_word(statement));
        Some(Allow { doc, span: self.span(statement.bytes.clone()), word, names, when })
    }

    fn limit(&mut self, statement: &Statement) -> Option<Limit> {
        let mut parts = self.head(Rule::limit, statement)?;
        let name = parts.ident()?;
        let value = parts.number(&mut self.found)?;
        Some(Limit { doc: self.doc(statement), name, value, span: self.span(statement.bytes.clone()) })
    }
}
