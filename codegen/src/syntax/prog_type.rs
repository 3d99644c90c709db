//! Sets of helpers, and program types.

use super::ast::{
    AttachEntry, CtxRule, CtxRuleKind, EntryRegister, ProgClause, ProgClauseKind, ProgType, Set, SetEntry,
    SetEntryKind, SetName,
};
use super::grammar::{Node, Parts, Rule};
use super::keyword;
use super::reader::Reader;
use super::split::Statement;

impl<'a> Reader<'a> {
    pub(super) fn set(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<Set> {
        Some(Set { name: head.ident()?, entries: self.each(statement, Reader::set_entry) })
    }

    fn set_entry(&mut self, statement: &Statement) -> Option<SetEntry> {
        let mut parts = self.head(Rule::set_entry, statement)?;
        let kind = if let Some(include) = parts.eat(Rule::set_include) {
            SetEntryKind::Include(include.parts().idents()?)
        } else if let Some(exclude) = parts.eat(Rule::set_exclude) {
            SetEntryKind::Exclude(exclude.parts().idents()?)
        } else {
            let names: Option<Vec<SetName>> =
                parts.eat(Rule::set_names)?.parts().map(|name| set_name(&name)).collect();
            SetEntryKind::Names(names?)
        };
        let when = self.guard(&mut parts)?;
        Some(SetEntry { doc: self.doc(statement), span: self.span(statement.bytes.clone()), kind, when })
    }

    pub(super) fn prog_type(&mut self, head: &mut Parts<'a>, statement: &Statement) -> Option<ProgType> {
        let name = head.ident()?;
        let number = head.number(&mut self.found)?;
        Some(ProgType { name, number, clauses: self.each(statement, Reader::prog_clause) })
    }

    fn prog_clause(&mut self, statement: &Statement) -> Option<ProgClause> {
        let (rule, mut parts) = self.clause(statement, keyword::PROG_TYPE, "clause of a program type")?;
        let kind = match rule {
            Rule::since_clause => ProgClauseKind::Since(parts.eat(Rule::version)?.version(&mut self.found)?),
            Rule::until_clause => ProgClauseKind::Until(parts.eat(Rule::version)?.version(&mut self.found)?),
            Rule::ctx_head => {
                ProgClauseKind::Ctx { view: parts.ident()?, rules: self.each(statement, Reader::ctx_rule) }
            }
            Rule::helpers_clause => ProgClauseKind::Helpers(parts.ident()?),
            Rule::kfuncs_clause => ProgClauseKind::Kfuncs(parts.ident()?),
            Rule::sleepable_clause => ProgClauseKind::Sleepable {
                always: parts.eat(Rule::kw_always).is_some(),
                text: super::helper::text_behind_else(&mut parts),
                when: self.guard(&mut parts)?,
            },
            Rule::packet_clause => ProgClauseKind::Packet(parts.idents()?),
            Rule::exit_clause => {
                let range = match parts.eat(Rule::kw_any) {
                    Some(_) => None,
                    None => Some(self.range(&parts.eat(Rule::range)?)?),
                };
                ProgClauseKind::Returns { range, when: self.guard(&mut parts)? }
            }
            Rule::entry_clause => {
                let entries: Option<Vec<_>> = parts.map(|entry| self.entry(&entry)).collect();
                ProgClauseKind::Entry(entries?)
            }
            Rule::attach_clause => {
                let entries: Option<Vec<_>> = parts.map(|entry| self.attach_entry(&entry)).collect();
                ProgClauseKind::Attach(entries?)
            }
            Rule::attach_checked => {
                let default = match parts.eat(Rule::attach_default) {
                    Some(default) => Some(default.parts().ident()?),
                    None => None,
                };
                ProgClauseKind::AttachChecked { default }
            }
            Rule::section_clause => self.section(&mut parts)?,
            Rule::unsupported_clause => {
                let what = parts.eat(Rule::string)?.string();
                ProgClauseKind::Unsupported { what, when: self.guard(&mut parts)? }
            }
            _ => ProgClauseKind::Flag(self.first_word(statement)),
        };
        Some(ProgClause { doc: self.doc(statement), span: self.span(statement.bytes.clone()), kind })
    }

    fn ctx_rule(&mut self, statement: &Statement) -> Option<CtxRule> {
        let (rule, mut parts) = self.clause(statement, keyword::CTX, "rule about a context")?;
        let fields = parts.idents()?;
        let kind = match self.first_word(statement).name.as_str() {
            _ if rule == Rule::ctx_sizes => CtxRuleKind::Sizes(parts.numbers(&mut self.found)?),
            "deny" => CtxRuleKind::Deny,
            "read" => CtxRuleKind::Read,
            _ => CtxRuleKind::Write(parts.numbers(&mut self.found).unwrap_or_default()),
        };
        let when = self.guard(&mut parts)?;
        let doc = self.doc(statement);
        Some(CtxRule { doc, span: self.span(statement.bytes.clone()), kind, fields, when })
    }

    fn entry(&mut self, node: &Node<'a>) -> Option<EntryRegister> {
        let mut parts = node.parts();
        let register = parts.ident()?;
        let value = parts.eat(Rule::path)?.parts().map(|name| name.ident()).collect();
        let flags: Option<Vec<_>> = parts.map(|flag| self.flag(&flag)).collect();
        Some(EntryRegister { register, value, flags: flags?, span: node.span() })
    }

    fn attach_entry(&mut self, node: &Node<'a>) -> Option<AttachEntry> {
        let mut parts = node.parts();
        Some(AttachEntry { name: parts.ident()?, number: parts.number(&mut self.found)? })
    }

    fn section(&mut self, parts: &mut Parts<'a>) -> Option<ProgClauseKind> {
        let glob = parts.eat(Rule::string)?.string();
        let attach = match parts.eat(Rule::section_attach) {
            Some(attach) => Some(attach.parts().ident()?),
            None => None,
        };
        let flags = match parts.eat(Rule::section_flags) {
            Some(flags) => Some(self.expr(&flags.parts().eat(Rule::expr)?)?),
            None => None,
        };
        let target = match parts.eat(Rule::section_target) {
            Some(target) => Some(target.parts().eat(Rule::string)?.string()),
            None => None,
        };
        Some(ProgClauseKind::Section { glob, attach, flags, target })
    }
}

fn set_name(node: &Node<'_>) -> Option<SetName> {
    let mut parts = node.parts();
    Some(SetName { name: parts.ident()?, overload: parts.ident(), span: node.span() })
}
