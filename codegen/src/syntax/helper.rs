//! Helpers and kfuncs.

use super::ast::{Alias, Arg, Clause, ClauseKind, Helper, Ident, Overload, Spanned};
use super::grammar::{Node, Parts, Rule};
use super::keyword;
use super::reader::Reader;
use super::split::Statement;

impl<'a> Reader<'a> {
    pub(super) fn helper(
        &mut self,
        head: &mut Parts<'a>,
        statement: &Statement,
        kfunc: bool,
    ) -> Option<Helper> {
        let name = head.ident()?;
        let number = if kfunc { None } else { Some(head.number(&mut self.found)?) };
        let (rows, what) = if kfunc {
            (without(Rule::overload_head), "clause of a kfunc")
        } else {
            (without(Rule::kfunc_flags_clause), "clause of a helper")
        };
        let (mut clauses, mut overloads) = (Vec::new(), Vec::new());
        for entry in self.block(statement) {
            self.read(&entry, |reader, entry| {
                let (rule, mut parts) = reader.clause(entry, &rows, what)?;
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
        let mut rows = without(Rule::overload_head);
        rows.retain(|row| row.1 != Rule::kfunc_flags_clause);
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
            Rule::returns_clause => self.returns(&mut parts)?,
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
            Rule::alias_clause => ClauseKind::Alias(self.alias(&mut parts)?),
            Rule::exists_clause => ClauseKind::Exists,
            Rule::allowed_clause => ClauseKind::Allowed(text_behind_else(&mut parts)),
            Rule::kfunc_flags_clause => {
                let flags: Option<Vec<Ident>> = parts.by_ref().map(|flag| self.flag(&flag)).collect();
                ClauseKind::KfuncFlags(flags?)
            }
            Rule::enters_clause => ClauseKind::Enters {
                region: parts.ident()?,
                by: by_arg(&mut parts),
                fallible: parts.eat(Rule::kw_fallible).is_some(),
            },
            Rule::leaves_clause => ClauseKind::Leaves { region: parts.ident()?, by: by_arg(&mut parts) },
            Rule::constructs_clause => ClauseKind::Constructs { arg: parts.ident()?, state: parts.ident()? },
            Rule::to_clause => {
                let (first, second) = (parts.ident()?, parts.ident()?);
                match self.first_word(statement).name.as_str() {
                    "advances" => ClauseKind::Advances { arg: first, state: second },
                    _ => ClauseKind::Clones { from: first, to: second },
                }
            }
            Rule::arg_clause => {
                let arg = parts.ident()?;
                match self.first_word(statement).name.as_str() {
                    "destroys" => ClauseKind::Destroys(arg),
                    "slices" => ClauseKind::Slices(arg),
                    _ => ClauseKind::Disowns(arg),
                }
            }
            Rule::calls_clause => {
                let (func, callback) = (parts.ident()?, parts.ident()?);
                let up_to = match parts.eat(Rule::up_to) {
                    Some(up_to) => Some(self.expr(&up_to.parts().eat(Rule::expr)?)?),
                    None => None,
                };
                ClauseKind::Calls { func, callback, up_to }
            }
            Rule::member_clause => ClauseKind::Member { field: parts.ident()?, map: parts.ident()? },
            Rule::formats_clause => ClauseKind::Formats { format: parts.ident()?, data: parts.ident()? },
            Rule::lifetime_clause => ClauseKind::Lifetime { word: parts.ident()?, until: parts.ident() },
            Rule::body_clause => ClauseKind::Body(parts.ident()?),
            Rule::unsupported_clause => ClauseKind::Unsupported(parts.eat(Rule::string)?.string()),
            _ => ClauseKind::Flag(self.first_word(statement)),
        };
        let when = self.guard(&mut parts)?;
        Some(Clause { doc: self.doc(statement), span: self.span(statement.bytes.clone()), kind, when })
    }

    fn returns(&mut self, parts: &mut Parts<'a>) -> Option<ClauseKind> {
        if let Some(bytes) = parts.eat(Rule::returns_bytes) {
            return Some(ClauseKind::ReturnsBytes(self.expr(&bytes.parts().eat(Rule::expr)?)?));
        }
        if let Some(of) = parts.eat(Rule::returns_of) {
            let mut of = of.parts();
            return Some(ClauseKind::ReturnsOf { what: of.ident()?, arg: of.ident()? });
        }
        Some(ClauseKind::Returns(self.range(&parts.eat(Rule::range)?)?))
    }

    fn alias(&mut self, parts: &mut Parts<'a>) -> Option<Alias> {
        let name = parts.ident()?;
        let mut at = |parts: &mut Parts<'a>, rule| match parts.eat(rule) {
            Some(at) => at.parts().eat(Rule::version)?.version(&mut self.found).map(Some),
            None => Some(None),
        };
        let since = at(parts, Rule::alias_since)?;
        let until = at(parts, Rule::alias_until)?;
        Some(Alias { name, since, until })
    }

    fn arg(&mut self, node: &Node<'a>) -> Option<Arg> {
        let mut parts = node.parts();
        let name = parts.ident()?;
        let ty = self.type_expr(&parts.eat(Rule::type_expr)?)?;
        Some(Arg { name, ty, span: node.span() })
    }
}

/// The rows of clauses but for one rule's.
fn without(rule: Rule) -> Vec<keyword::Row> {
    keyword::HELPER.iter().copied().filter(|row| row.1 != rule).collect()
}

fn by_arg(parts: &mut Parts<'_>) -> Option<Ident> {
    parts.eat(Rule::by_arg)?.parts().ident()
}

pub(super) fn text_behind_else(parts: &mut Parts<'_>) -> Option<Spanned<String>> {
    Some(parts.eat(Rule::where_text)?.parts().eat(Rule::string)?.string())
}
