//! The grammar's parser, and a view of what it matched that skips marks.

use pest::iterators::{Pair, Pairs};

use super::ast::{Ident, Spanned, VersionLit};
use super::scan;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// What pest makes of `grammar.pest`.
mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "written by pest")]

    /// The parser.
    #[derive(pest_derive::Parser)]
    #[grammar = "grammar.pest"]
    pub struct Grammar;
}

pub(super) use generated::{Grammar, Rule};

/// How messages name what a rule reads; None for rules that messages do not mention.
pub(super) fn said(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::ident | Rule::path | Rule::ident_list | Rule::use_tree | Rule::set_names | Rule::set_name => {
            "a name"
        }
        Rule::keyword => "a keyword",
        Rule::number | Rule::number_list => "a number",
        Rule::version => "a version",
        Rule::string => "a string",
        Rule::expr | Rule::range | Rule::size_range | Rule::size_list => "an expression",
        Rule::infix => "an operator",
        Rule::member | Rule::kw_in | Rule::unsupported_in => "`in`",
        Rule::type_expr | Rule::type_list => "a type",
        Rule::type_flag => "a modifier",
        Rule::type_size | Rule::open_paren | Rule::group | Rule::proto_args => "`(`",
        Rule::field_type | Rule::int_type => "a field type",
        Rule::arg => "an argument",
        Rule::mode => "an access mode",
        Rule::semi => "`;`",
        Rule::comma => "`,`",
        Rule::colon => "`:`",
        Rule::path_sep => "`::`",
        Rule::dot => "`.`",
        Rule::assign => "`=`",
        Rule::pipe => "`|`",
        Rule::arrow | Rule::yields => "`->`",
        Rule::dots_eq => "`..=`",
        Rule::open_brace | Rule::use_group => "`{`",
        Rule::close_brace => "`}`",
        Rule::close_paren => "`)`",
        Rule::open_bracket => "`[`",
        Rule::close_bracket => "`]`",
        Rule::kw_needs | Rule::part_needs => "`needs`",
        Rule::kw_since => "`since`",
        Rule::kw_until => "`until`",
        Rule::kw_size | Rule::struct_size => "`size`",
        Rule::kw_when | Rule::guard => "`when`",
        Rule::kw_else | Rule::where_text => "`else`",
        Rule::kw_yields => "`yields`",
        Rule::kw_any => "`any`",
        Rule::kw_as => "`as`",
        Rule::kw_attach | Rule::section_attach => "`attach`",
        Rule::kw_default | Rule::attach_default => "`default`",
        Rule::kw_flags | Rule::section_flags => "`flags`",
        Rule::kw_sizes | Rule::sizes => "`sizes`",
        Rule::kw_narrow | Rule::narrow => "`narrow`",
        Rule::kw_first => "`first`",
        Rule::kw_inner => "`inner_map`",
        Rule::kw_step | Rule::size_step => "`step`",
        Rule::kw_power => "`power_of_two`",
        Rule::kw_with | Rule::with_flags => "`with`",
        Rule::kw_target | Rule::section_target => "`target`",
        Rule::kw_by | Rule::by_arg => "`by`",
        Rule::kw_to => "`to`",
        Rule::kw_of | Rule::of_arg => "`of`",
        Rule::kw_up_to | Rule::up_to => "`up_to`",
        Rule::kw_btf | Rule::object_btf => "`btf`",
        Rule::kw_host | Rule::host => "`host`",
        Rule::kw_none => "`none`",
        Rule::kw_owned => "`owned`",
        Rule::kw_set | Rule::extend_set => "`set`",
        Rule::kw_always => "`always`",
        Rule::kw_fallible => "`fallible`",
        Rule::alias_since => "`since`",
        Rule::alias_until => "`until`",
        Rule::not => "`!`",
        Rule::neg => "`-`",
        _ => return None,
    })
}

/// True for what the readers pass over: marks, and words whose place says what they mean.
fn is_mark(rule: Rule) -> bool {
    use Rule::{
        EOI, arrow, assign, close_brace, close_bracket, close_paren, colon, comma, dot, dots, dots_eq,
        keyword, kw_as, kw_at, kw_attach, kw_btf, kw_by, kw_bytes, kw_default, kw_else, kw_exclude, kw_first,
        kw_flags, kw_host, kw_in, kw_include, kw_narrow, kw_needs, kw_of, kw_since, kw_size, kw_sizes,
        kw_step, kw_target, kw_to, kw_until, kw_up_to, kw_when, kw_with, kw_yields, open_brace, open_bracket,
        open_paren, path_sep, pipe, semi,
    };
    matches!(
        rule,
        EOI | arrow
            | assign
            | close_brace
            | close_bracket
            | close_paren
            | colon
            | comma
            | dot
            | dots
            | dots_eq
            | keyword
            | kw_as
            | kw_at
            | kw_attach
            | kw_btf
            | kw_by
            | kw_bytes
            | kw_default
            | kw_else
            | kw_exclude
            | kw_first
            | kw_flags
            | kw_host
            | kw_in
            | kw_include
            | kw_narrow
            | kw_needs
            | kw_of
            | kw_since
            | kw_size
            | kw_sizes
            | kw_step
            | kw_target
            | kw_to
            | kw_until
            | kw_up_to
            | kw_when
            | kw_with
            | kw_yields
            | open_brace
            | open_bracket
            | open_paren
            | path_sep
            | pipe
            | semi
    )
}

/// Something that a rule matched.
pub(super) struct Node<'a> {
    pair: Pair<'a, Rule>,
    base: usize,
    file: FileId,
}

impl<'a> Node<'a> {
    /// The rule.
    pub(super) fn rule(&self) -> Rule {
        self.pair.as_rule()
    }

    /// The text.
    pub(super) fn text(&self) -> &'a str {
        self.pair.as_str()
    }

    /// Where it stands.
    pub(super) fn span(&self) -> Span {
        let start = self.pair.as_span().start();
        // Rules end behind the blanks that they looked past; their last token ends before.
        let mut last = self.pair.clone();
        while let Some(inner) = last.clone().into_inner().next_back() {
            last = inner;
        }
        scan::span(self.file, self.base + start..self.base + last.as_span().end())
    }

    /// What it is made of.
    pub(super) fn parts(&self) -> Parts<'a> {
        Parts { pairs: self.pair.clone().into_inner(), base: self.base, file: self.file }
    }

    /// It as a name.
    pub(super) fn ident(&self) -> Ident {
        Ident { name: self.text().to_owned(), span: self.span() }
    }

    /// The number that it is.
    pub(super) fn number(&self, found: &mut Vec<Diagnostic>) -> Option<Spanned<u64>> {
        let digits = self.text().replace('_', "");
        let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        if let Ok(value) = value {
            return Some(Spanned { value, span: self.span() });
        }
        let text = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            "this number does not fit in 64 bits"
        } else {
            "this is no number"
        };
        let report = Diagnostic::new(Code::BadNumber, self.span(), text);
        found.push(report.help("numbers are written `4096`, `1_000_000` or `0x10`"));
        None
    }

    /// The version that it is.
    pub(super) fn version(&self, found: &mut Vec<Diagnostic>) -> Option<VersionLit> {
        let parts = self.text().split_once('.');
        let parts = parts.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        if let Some((major, minor)) = parts {
            return Some(VersionLit { major, minor, span: self.span() });
        }
        let report = Diagnostic::new(Code::BadNumber, self.span(), "this is no version");
        found.push(report.help("versions are written `6.18`"));
        None
    }

    /// The text that it stands for as a string.
    pub(super) fn string(&self) -> Spanned<String> {
        let raw = self.text();
        let raw = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or(raw);
        let mut value = String::with_capacity(raw.len());
        let mut chars = raw.chars();
        while let Some(next) = chars.next() {
            value.push(match next {
                '\\' => match chars.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some(other) => other,
                    None => break,
                },
                other => other,
            });
        }
        Spanned { value, span: self.span() }
    }
}

/// The parts of a match, marks passed over.
pub(super) struct Parts<'a> {
    pairs: Pairs<'a, Rule>,
    base: usize,
    file: FileId,
}

impl<'a> Parts<'a> {
    /// What a rule matched in a text that begins at byte `base` of its file.
    pub(super) fn new(pairs: Pairs<'a, Rule>, base: usize, file: FileId) -> Parts<'a> {
        Parts { pairs, base, file }
    }

    /// The next part if a rule matched it.
    pub(super) fn eat(&mut self, rule: Rule) -> Option<Node<'a>> {
        while self.pairs.peek().is_some_and(|pair| is_mark(pair.as_rule())) {
            self.pairs.next();
        }
        if self.pairs.peek()?.as_rule() == rule { self.next() } else { None }
    }

    /// The next part as a name.
    pub(super) fn ident(&mut self) -> Option<Ident> {
        Some(self.eat(Rule::ident)?.ident())
    }

    /// The next part as a number.
    pub(super) fn number(&mut self, found: &mut Vec<Diagnostic>) -> Option<Spanned<u64>> {
        self.eat(Rule::number)?.number(found)
    }

    /// The next part as a list of names.
    pub(super) fn idents(&mut self) -> Option<Vec<Ident>> {
        Some(self.eat(Rule::ident_list)?.parts().map(|node| node.ident()).collect())
    }

    /// The next part as a list of numbers.
    pub(super) fn numbers(&mut self, found: &mut Vec<Diagnostic>) -> Option<Vec<Spanned<u64>>> {
        self.eat(Rule::number_list)?.parts().map(|node| node.number(found)).collect()
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        let pair = self.pairs.find(|pair| !is_mark(pair.as_rule()))?;
        Some(Node { pair, base: self.base, file: self.file })
    }
}
