//! Items become text in one canonical form: four blanks a level, a blank line between items with
//! blocks, short blocks on one line.
//!
//! What is printed reads back as the same items, spans aside, and prints the same again. `//`
//! comments are not part of items and are lost; doc comments stay.

mod clause;
mod concept;
mod expr;
mod map;
mod prog_type;
mod view;

use crate::syntax::ast::{
    Allow, Doc, Ident, Item, ItemKind, Kind, KindPropKind, Limit, Part, Spanned, TypeExpr, UseTree,
    VersionLit,
};

/// Lines with a block are not longer, unless one entry alone is.
const WIDTH: usize = 110;

/// The text of items.
#[must_use]
pub fn print(items: &[Item]) -> String {
    let mut out = String::new();
    print_items(items, &mut out);
    out
}

fn print_items(items: &[Item], out: &mut String) {
    let mut spread = false;
    for (at, item) in items.iter().enumerate() {
        let text = item_text(item);
        let tall = text.trim_end().contains('\n') || matches!(item.kind, ItemKind::FileDoc);
        if at > 0 && (tall || spread) {
            out.push('\n');
        }
        spread = tall;
        out.push_str(&text);
        out.push('\n');
    }
}

/// An entry of a block: its doc comment and its text, without indentation.
struct Entry {
    doc: String,
    text: String,
}

impl Entry {
    fn new(doc: &Doc, text: String) -> Entry {
        Entry { doc: doc_text(doc, "///"), text }
    }

    fn plain(text: String) -> Entry {
        Entry { doc: String::new(), text }
    }
}

/// A head and its block: on one line if `short` allows it and it fits, else an entry a line.
fn block(head: &str, entries: &[Entry], short: bool) -> String {
    if entries.is_empty() {
        return format!("{head} {{}}");
    }
    let plain = entries.iter().all(|entry| entry.doc.is_empty() && !entry.text.contains('\n'));
    if short && plain {
        let texts: Vec<&str> = entries.iter().map(|entry| entry.text.as_str()).collect();
        let line = format!("{head} {{ {} }}", texts.join(" "));
        if line.chars().count() <= WIDTH || entries.len() == 1 {
            return line;
        }
    }
    let mut out = format!("{head} {{\n");
    for entry in entries {
        for line in entry.doc.lines().chain(entry.text.lines()) {
            if !line.is_empty() {
                out.push_str("    ");
                out.push_str(line);
            }
            out.push('\n');
        }
    }
    out.push('}');
    out
}

fn doc_text(doc: &Doc, mark: &str) -> String {
    let mut out = String::new();
    for line in &doc.lines {
        out.push_str(mark);
        if !line.value.is_empty() {
            out.push(' ');
            out.push_str(&line.value);
        }
        out.push('\n');
    }
    out
}

fn item_text(item: &Item) -> String {
    if matches!(item.kind, ItemKind::FileDoc) {
        return doc_text(&item.doc, "//!").trim_end_matches('\n').to_owned();
    }
    let text = match &item.kind {
        ItemKind::FileDoc => String::new(),
        ItemKind::Platform(name) => format!("platform {};", name.name),
        ItemKind::Prelude(name) => format!("prelude {};", name.name),
        ItemKind::Use(tree) => format!("use {};", use_tree(tree)),
        ItemKind::Part(part) => part_text(part),
        ItemKind::Kind(kind) => kind_text(kind),
        ItemKind::ArgClass(class) => {
            let head = format!("argclass {}: {}", class.name.name, class.role.name);
            if class.accepts.is_empty() { format!("{head};") } else { accepting(&head, &class.accepts) }
        }
        ItemKind::Extend(extend) => accepting(&format!("extend {}", extend.name.name), &extend.accepts),
        ItemKind::MapFlags(flags) => map::map_flags(flags),
        ItemKind::MapType(map) => map::map_type(map),
        ItemKind::GlobalData(name) => format!("global_data {};", name.name),
        ItemKind::SpecialField(field) => concept::special_field(field),
        ItemKind::Region(region) => concept::region(region),
        ItemKind::StackObject(object) => concept::stack_object(object),
        ItemKind::Callback(callback) => concept::callback(callback),
        ItemKind::Object(object) => concept::object(object),
        ItemKind::Targets(targets) => concept::targets(targets),
        ItemKind::Every(every) => concept::every(every),
        ItemKind::Words(words) => concept::words(words),
        ItemKind::Host(none) => format!("host {};", none.name),
        ItemKind::Helper(helper) => clause::helper(helper),
        ItemKind::View(view) => view::view(view),
        ItemKind::Struct(row) => view::plain_struct(row),
        ItemKind::Set(set) => prog_type::set("set", set),
        ItemKind::ExtendSet(set) => prog_type::set("extend set", set),
        ItemKind::ProgType(prog) => prog_type::prog_type(prog),
        ItemKind::Policy(allows) => {
            let entries: Vec<Entry> = allows.iter().map(allow).collect();
            block("policy", &entries, true)
        }
        ItemKind::Limits(limits) => {
            let entries: Vec<Entry> = limits.iter().map(limit).collect();
            block("limits", &entries, true)
        }
        ItemKind::Switch(switch) => format!("switch {} since {};", switch.name.name, version(switch.since)),
        ItemKind::Version(at) => format!("version {};", version(*at)),
    };
    format!("{}{text}", doc_text(&item.doc, "///"))
}

fn use_tree(tree: &UseTree) -> String {
    let name = &tree.name.name;
    match tree.parts.as_deref() {
        None => name.clone(),
        Some([one]) => format!("{name}::{}", use_tree(one)),
        Some(parts) => {
            let parts: Vec<String> = parts.iter().map(use_tree).collect();
            format!("{name}::{{ {} }}", parts.join(", "))
        }
    }
}

fn part_text(part: &Part) -> String {
    let needs = if part.needs.is_empty() { String::new() } else { format!(" needs {}", list(&part.needs)) };
    let mut inner = String::new();
    print_items(&part.items, &mut inner);
    let entries = if part.items.is_empty() { vec![] } else { vec![Entry::plain(inner)] };
    block(&format!("part {}{needs}", part.name.name), &entries, false)
}

fn kind_text(kind: &Kind) -> String {
    let view = kind.view.as_ref().map(|view| format!(" {}", view.name)).unwrap_or_default();
    let head = format!("kind {}: {}{view}", kind.name.name, kind.behaviour.name);
    if kind.props.is_empty() {
        return format!("{head};");
    }
    let props = kind.props.iter().map(|prop| {
        let text = match &prop.kind {
            KindPropKind::Prints(text) => format!("prints {};", string(&text.value)),
            KindPropKind::Offset(rule) => format!("offset {};", rule.name),
            KindPropKind::Bound(of) => format!("bound {};", of.name),
            KindPropKind::Flag(flag) => format!("{};", flag.name),
        };
        Entry::new(&prop.doc, text)
    });
    block(&head, &props.collect::<Vec<_>>(), true)
}

fn accepting(head: &str, accepts: &[TypeExpr]) -> String {
    if accepts.is_empty() {
        return format!("{head} {{}}");
    }
    let types: Vec<String> = accepts.iter().map(expr::type_expr).collect();
    block(head, &[Entry::plain(format!("accepts {};", types.join(", ")))], true)
}

fn allow(allow: &Allow) -> Entry {
    let when = expr::when(allow.when.as_ref());
    Entry::new(&allow.doc, format!("{} {}{when};", allow.word.name, list(&allow.names)))
}

fn limit(limit: &Limit) -> Entry {
    Entry::new(&limit.doc, format!("{} {};", limit.name.name, limit.value.value))
}

fn version(version: VersionLit) -> String {
    format!("{}.{}", version.major, version.minor)
}

/// Names with commas between.
fn list(names: &[Ident]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
    names.join(", ")
}

/// Numbers with commas between.
fn numbers(numbers: &[Spanned<u64>]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|number| number.value.to_string()).collect();
    numbers.join(", ")
}

/// A string with its quotes.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
