//! Kfuncs on the reference page, and what callables work with: callbacks, regions, stack objects,
//! objects.

use std::fmt::Write as _;

use probity_platform::{CallbackFlags, RegionFlags};

use super::guard_text::{available, versions};
use super::markdown::{escaped, paragraph};
use super::offered::offered_kfunc;
use super::signature::{facts, field_type, signature};
use crate::model::{Model, StackObject};

/// What each kfunc takes, means and returns.
pub(super) fn kfuncs(out: &mut String, model: &Model) {
    if model.kfuncs.is_empty() {
        return;
    }
    out.push_str("\n## Kfuncs\n");
    for row in &model.kfuncs {
        let _ = write!(out, "\n### {}\n\n", escaped(&row.name));
        let _ = write!(out, "```text\n{} {}\n```\n\n", row.name, signature(model, row));
        paragraph(out, &row.docs);
        let dated = versions(&row.guard);
        if !dated.is_empty() {
            let _ = writeln!(out, "* Versions: {}", dated.join(", "));
        }
        for (name, guard) in &row.aliases {
            let when = versions(guard).join(", ");
            let _ = writeln!(out, "* Also called `{name}` {when}");
        }
        let flags: Vec<&str> = row.kfunc.iter_names().map(|(name, _)| name).collect();
        if !flags.is_empty() {
            let _ = writeln!(out, "* Declared: {}", flags.join(", "));
        }
        let facts = facts(row.flags);
        if !facts.is_empty() {
            let _ = writeln!(out, "* Flags: {}", facts.join(", "));
        }
        let offers = available(model, &row.guard, |prog| offered_kfunc(model, prog, &row.name));
        let _ = writeln!(out, "* Available to: {offers}");
    }
}

/// Tables of what callables work with; a platform without any has none.
pub(super) fn concepts(out: &mut String, model: &Model) {
    if !model.callbacks.is_empty() {
        out.push_str("\n## Callbacks\n\n| name | when it runs | returns | meaning |\n|---|---|---|---|\n");
    }
    for row in &model.callbacks {
        let mode = if row.flags.contains(CallbackFlags::ASYNC) { "later" } else { "during the call" };
        let returns =
            row.returns.map_or_else(|| "anything".to_owned(), |(low, high)| format!("{low} to {high}"));
        let _ = writeln!(out, "| `{}` | {mode} | {returns} | {} |", row.name, line(&row.docs));
    }
    if !model.regions.is_empty() {
        out.push_str("\n## Regions\n\n| name | forbids | meaning |\n|---|---|---|\n");
    }
    for row in &model.regions {
        let words = [
            (RegionFlags::FORBIDS_SLEEP, "sleeping"),
            (RegionFlags::FORBIDS_NESTING, "nesting"),
            (RegionFlags::FORBIDS_CALLS, "calls"),
            (RegionFlags::FORBIDS_GLOBAL_CALLS, "calls of global functions"),
        ];
        let forbids: Vec<&str> =
            words.iter().filter(|(flag, _)| row.flags.contains(*flag)).map(|(_, word)| *word).collect();
        let _ = writeln!(out, "| `{}` | {} | {} |", row.name, forbids.join(", "), line(&row.docs));
    }
    if !model.stack_objects.is_empty() {
        out.push_str("\n## Stack objects\n\n| name | bytes | states | meaning |\n|---|---|---|---|\n");
    }
    for row in &model.stack_objects {
        let _ = writeln!(out, "| `{}` | {} | {} | {} |", row.name, row.size, states(row), line(&row.docs));
    }
    if !model.objects.is_empty() {
        out.push_str("\n## Objects\n\n| name | layout | meaning |\n|---|---|---|\n");
    }
    for row in &model.objects {
        let layout = match &row.btf {
            Some(btf) => format!("struct `{btf}` of the target"),
            None => "of the spec".to_owned(),
        };
        let _ = writeln!(out, "| `{}` | {layout} | {} |", row.name, line(&row.docs));
    }
}

/// The structs that memory may be, each with its fields.
pub(super) fn structs(out: &mut String, model: &Model) {
    if !model.structs.is_empty() {
        out.push_str("\n## Structs\n");
    }
    for row in &model.structs {
        let _ = write!(out, "\n### {}\n\n", escaped(&row.name));
        paragraph(out, &row.docs);
        let bytes = if row.size == 1 { "byte" } else { "bytes" };
        let _ =
            write!(out, "{} {bytes}.\n\n| offset | field | type | meaning |\n|---|---|---|---|\n", row.size);
        for field in &row.fields {
            let (ty, docs) = (field_type(field), line(&field.docs));
            let _ = writeln!(out, "| {} | `{}` | `{ty}` | {docs} |", field.offset, field.name);
        }
    }
}

fn states(row: &StackObject) -> String {
    let said = |(name, owned): &(String, bool)| {
        if *owned { format!("{name} (must be ended)") } else { name.clone() }
    };
    row.states.iter().map(said).collect::<Vec<_>>().join(", ")
}

/// A doc comment in a cell of a table.
fn line(docs: &str) -> String {
    docs.lines().map(str::trim).collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
