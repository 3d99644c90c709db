//! The reference page for people, and the index of what a platform has.

use std::fmt::Write as _;

use probity_platform::{CallableFlags, RetType, Subject, TypeFlags, Version};

use super::header::{bases, offers, offers_kfunc};
use super::header_types::subject_name;
use super::page_guard::{either, versions, words};
use crate::model::{Arg, Callable, Guard, Model, ProgType};

/// The reference page of a platform, in Markdown: a table of contents, what each helper takes,
/// means and returns, since when it exists and which program types offer it, and tables of program
/// types and map types.
///
/// The text is deterministic and names no path.
#[must_use]
pub fn page(model: &Model) -> String {
    let mut out = format!("# The platform {}\n\n", model.name);
    paragraph(&mut out, &model.docs);
    let described = match model.version {
        Version { major: 0, minor: 0 } => String::new(),
        version => format!(", which describes version {version}"),
    };
    let _ = write!(out, "Generated from its spec{described}.\n\n");
    out.push_str("## Contents\n\n");
    let sections = [
        ("Helpers", "helpers", bases(model).count()),
        ("Kfuncs", "kfuncs", model.kfuncs.len()),
        ("Program types", "program-types", model.prog_types.len()),
        ("Map types", "map-types", model.map_types.len()),
    ];
    for (title, anchor, count) in sections {
        if count == 0 && anchor == "kfuncs" {
            continue;
        }
        let _ = writeln!(out, "* [{title}](#{anchor}) ({count})");
        if anchor == "kfuncs" {
            for row in &model.kfuncs {
                let _ = writeln!(out, "  * [{0}](#{1})", escaped(&row.name), row.name.to_lowercase());
            }
        }
        if anchor == "helpers" {
            for helper in bases(model) {
                let _ = writeln!(out, "  * [{0}](#{1})", escaped(&helper.name), helper.name.to_lowercase());
            }
        }
    }
    out.push_str("\n## Helpers\n");
    for callable in bases(model) {
        helper(&mut out, model, callable);
    }
    super::page_concepts::kfuncs(&mut out, model);
    prog_types(&mut out, model);
    map_types(&mut out, model);
    super::page_concepts::concepts(&mut out, model);
    out
}

/// The index of a platform, a line each: helpers with their number, their versions and how many
/// program types offer them, kfuncs likewise, program types, map types.
#[must_use]
pub fn index(model: &Model) -> String {
    let mut out = String::new();
    let dated =
        |guard: &Guard| versions(guard).into_iter().map(|version| format!(" {version}")).collect::<String>();
    for row in bases(model) {
        let count = model.prog_types.iter().filter(|prog| offers(model, prog, row.number)).count();
        let existence = dated(&existence(model, row));
        let _ = writeln!(out, "helper {} {}{existence} program_types {count}", row.name, row.number);
    }
    for row in &model.kfuncs {
        let count = model.prog_types.iter().filter(|prog| offers_kfunc(model, prog, &row.name)).count();
        let _ = writeln!(out, "kfunc {}{} program_types {count}", row.name, dated(&row.guard));
    }
    for row in &model.prog_types {
        let _ = writeln!(out, "prog_type {} {}{}", row.name, row.number, dated(&row.guard));
    }
    for row in &model.map_types {
        let _ = writeln!(out, "map_type {} {}{}", row.name, row.number, dated(&row.guard));
    }
    out
}

/// When a helper exists in one of its overloads.
fn existence(model: &Model, helper: &Callable) -> Guard {
    either(model.callables.iter().filter(|row| row.number == helper.number).map(|row| row.guard.clone()))
}

/// When a program type offers the helper with a number; None when it never does.
pub(crate) fn offered(model: &Model, prog: &ProgType, number: u32) -> Option<Guard> {
    let mut rows = prog
        .callables
        .iter()
        .filter(|(at, _)| model.callables.get(usize::from(*at)).is_some_and(|row| row.number == number))
        .peekable();
    rows.peek()?;
    Some(either(rows.map(|(_, guard)| guard.clone())))
}

/// When a program type offers the kfunc with a name; None when it never does.
pub(crate) fn offered_kfunc(model: &Model, prog: &ProgType, name: &str) -> Option<Guard> {
    let named = |at: u16| model.kfuncs.get(usize::from(at)).is_some_and(|row| row.name == name);
    let mut rows = prog.kfuncs.iter().filter(|(at, _)| named(*at)).peekable();
    rows.peek()?;
    Some(either(rows.map(|(_, guard)| guard.clone())))
}

/// A prototype as the spec writes it.
pub(crate) fn signature(model: &Model, helper: &Callable) -> String {
    let args: Vec<String> =
        helper.args.iter().map(|arg| format!("{}: {}", arg.name, class(model, arg))).collect();
    let about = subject_name(model, helper.ret.subject);
    let ret = match (helper.ret.ty, helper.ret.subject) {
        (RetType::Void, _) => "RET_VOID".to_owned(),
        (RetType::Integer, Subject::Int { bytes, signed }) => integer(bytes, signed),
        (RetType::Integer, _) => "RET_INTEGER".to_owned(),
        (RetType::Pointer(ty), _) => {
            let kind = model.kinds.get(usize::from(ty.kind.0)).map_or("?", |kind| kind.name.as_str());
            let ty_name = about.map_or_else(|| format!("RET_{kind}"), str::to_owned);
            format!("{ty_name}{}", modifiers(ty.flags))
        }
    };
    format!("({}) -> {ret}", args.join(", "))
}

/// A C integer as the spec writes it.
fn integer(bytes: u8, signed: bool) -> String {
    format!("{}{}", if signed { 's' } else { 'u' }, u32::from(bytes) * 8)
}

fn class(model: &Model, arg: &Arg) -> String {
    if let Subject::Int { bytes, signed } = arg.subject {
        return integer(bytes, signed);
    }
    let first = |role| model.arg_classes.iter().position(|class| class.role == role);
    let class = model.arg_classes.get(usize::from(arg.class));
    let own = class.is_some_and(|class| first(class.role) == Some(usize::from(arg.class)));
    let class = class.map_or("?", |class| class.name.as_str());
    if let Some(about) = subject_name(model, arg.subject) {
        let ty = if own { about.to_owned() } else { format!("{class}({about})") };
        return format!("{ty}{}", modifiers(arg.flags));
    }
    let size = if arg.size == 0 { String::new() } else { format!("({})", arg.size) };
    format!("{class}{size}{}", modifiers(arg.flags - TypeFlags::MEM_FIXED_SIZE))
}

fn modifiers(flags: TypeFlags) -> String {
    flags.iter_names().map(|(name, _)| format!(" | {name}")).collect()
}

/// What a helper's flags mean, in words.
pub(crate) fn facts(flags: CallableFlags) -> Vec<&'static str> {
    [
        (CallableFlags::GPL_ONLY, "GPL only"),
        (CallableFlags::PKT_ACCESS, "takes packet memory"),
        (CallableFlags::MIGHT_SLEEP, "may sleep"),
        (CallableFlags::FASTCALL, "keeps registers"),
        (CallableFlags::CHANGES_PKT_DATA, "makes packet pointers stale"),
        (CallableFlags::MAP_READ, "reads the map"),
        (CallableFlags::MAP_WRITE, "writes the map"),
        (CallableFlags::VARIADIC, "takes more arguments"),
        (CallableFlags::UNSUPPORTED, "not modelled by the engine"),
    ]
    .into_iter()
    .filter_map(|(flag, text)| flags.contains(flag).then_some(text))
    .collect()
}

fn helper(out: &mut String, model: &Model, row: &Callable) {
    let _ = write!(out, "\n### {}\n\n", escaped(&row.name));
    let _ = write!(out, "```text\n{} = {} {}\n```\n\n", row.name, row.number, signature(model, row));
    paragraph(out, &row.docs);
    let mut lines = Vec::new();
    let dated = versions(&existence(model, row));
    if !dated.is_empty() {
        lines.push(format!("Versions: {}", dated.join(", ")));
    }
    for other in model.callables.iter().filter(|other| other.number == row.number && other.overload.is_some())
    {
        let name = other.overload.as_deref().unwrap_or_default();
        lines.push(format!("Overload `{name}`: `{}`", signature(model, other)));
    }
    let facts = facts(row.flags);
    if !facts.is_empty() {
        lines.push(format!("Flags: {}", facts.join(", ")));
    }
    lines.push(format!("Available to: {}", availability(model, row)));
    for line in lines {
        let _ = writeln!(out, "* {line}");
    }
}

fn availability(model: &Model, row: &Callable) -> String {
    // The helper's own versions are said already, and that the type is this type is plain.
    available(model, &existence(model, row), |prog| offered(model, prog, row.number))
}

/// Which program types offer something, and when beyond its own existence.
pub(super) fn available(model: &Model, own: &Guard, offered: impl Fn(&ProgType) -> Option<Guard>) -> String {
    let mut offers = Vec::new();
    for prog in &model.prog_types {
        let Some(guard) = offered(prog) else { continue };
        let Some(guard) = super::page_guard::at(&guard, None, Some(prog.number)) else { continue };
        let words = words(model, Some(prog), &without(guard, own));
        let when = if words.is_empty() { words } else { format!(" when `{words}`") };
        offers.push(format!("`{}`{when}", prog.name));
    }
    match offers.len() {
        0 => "no program type".into(),
        count if count == model.prog_types.len() && offers.iter().all(|text| !text.contains(' ')) => {
            "every program type".into()
        }
        _ => offers.join("; "),
    }
}

/// A guard without what another says already.
fn without(guard: Guard, said: &Guard) -> Guard {
    match guard {
        guard if guard == *said => Guard::Always,
        Guard::All(list) => {
            let said = match said {
                Guard::All(list) => list.as_slice(),
                one => std::slice::from_ref(one),
            };
            let left = list.into_iter().filter(|guard| !said.contains(guard));
            left.fold(Guard::Always, Guard::and)
        }
        Guard::Any(list) => either(list.into_iter().map(|guard| without(guard, said))),
        guard => guard,
    }
}

fn prog_types(out: &mut String, model: &Model) {
    out.push_str("\n## Program types\n\n| name | number | versions | context | helpers | sections |\n");
    out.push_str("|---|---|---|---|---|---|\n");
    for row in &model.prog_types {
        let ctx = model.views.get(usize::from(row.ctx)).map_or("", |view| view.name.as_str());
        let count = bases(model).filter(|helper| offers(model, row, helper.number)).count();
        let sections: Vec<String> = model
            .sections
            .iter()
            .filter(|section| section.prog_type == row.number)
            .map(|section| format!("`{}{}`", section.name, if section.prefix { "*" } else { "" }))
            .collect();
        let (versions, sections) = (versions(&row.guard).join(", "), sections.join(" ").replace('|', "\\|"));
        let _ = writeln!(
            out,
            "| `{}` | {} | {versions} | `{ctx}` | {count} | {sections} |",
            row.name, row.number
        );
    }
}

fn map_types(out: &mut String, model: &Model) {
    out.push_str("\n## Map types\n\n| name | number | versions | modelled |\n|---|---|---|---|\n");
    for row in &model.map_types {
        let modelled = row.unsupported.as_ref().map_or_else(|| "yes".into(), |why| format!("no: {why}"));
        let (versions, modelled) = (versions(&row.guard).join(", "), modelled.replace('|', "\\|"));
        let _ = writeln!(out, "| `{}` | {} | {versions} | {modelled} |", row.name, row.number);
    }
}

pub(super) fn paragraph(out: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = write!(out, "{}\n\n", text.trim());
    }
}

/// A name as plain text of Markdown: underscores at its ends would be marks.
pub(super) fn escaped(name: &str) -> String {
    name.replace('_', "\\_")
}
