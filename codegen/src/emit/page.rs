//! The reference page for people, and the index of what a platform has.

use std::fmt::Write as _;

use probity_platform::Version;

use super::guard_text::{available, versions};
use super::markdown::{escaped, paragraph};
use super::offered::{bases, existence, offered, offered_kfunc};
use super::signature::{facts, signature};
use crate::model::{Callable, Guard, Model};

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
        ("Structs", "structs", model.structs.len()),
        ("Program types", "program-types", model.prog_types.len()),
        ("Map types", "map-types", model.map_types.len()),
    ];
    for (title, anchor, count) in sections {
        if count == 0 && matches!(anchor, "kfuncs" | "structs") {
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
    super::page_concepts::structs(&mut out, model);
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
        let count = model.prog_types.iter().filter(|prog| offered(model, prog, row.number).is_some()).count();
        let existence = dated(&existence(model, row));
        let _ = writeln!(out, "helper {} {}{existence} program_types {count}", row.name, row.number);
    }
    for row in &model.kfuncs {
        let count =
            model.prog_types.iter().filter(|prog| offered_kfunc(model, prog, &row.name).is_some()).count();
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

fn prog_types(out: &mut String, model: &Model) {
    out.push_str("\n## Program types\n\n| name | number | versions | context | helpers | sections |\n");
    out.push_str("|---|---|---|---|---|---|\n");
    for row in &model.prog_types {
        let ctx = model.views.get(usize::from(row.ctx)).map_or("", |view| view.name.as_str());
        let count = bases(model).filter(|helper| offered(model, row, helper.number).is_some()).count();
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
