//! The C header for those who write programs: contexts, helpers, numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use probity_platform::Behaviour;

use super::c_comment::{comment, documented};
use super::header_types::{arguments, integer, name, returned};
use super::offered::bases;
use crate::model::{Callable, Field, Model, View};

const TYPES: &str = "\
/* vmlinux.h and linux/types.h have these types already. */
#if !defined(__VMLINUX_H__) && !defined(_ASM_GENERIC_INT_LL64_H) && !defined(_UAPI_ASM_GENERIC_INT_LL64_H)
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
#endif
";

/// The C header of a platform: its contexts and other views as structs, its helpers as callable
/// constants in the style of libbpf, and the numbers of its map types, program types and attach
/// types. It is for `clang -target bpf`. A helper with overloads has its base prototype.
///
/// The text is deterministic and names no path.
#[must_use]
pub fn header(model: &Model) -> String {
    let guard = format!("__{}_PLATFORM_H__", model.name.to_ascii_uppercase());
    let mut out = String::new();
    comment(&mut out, "", &format!("The platform {}. Generated from its spec: edits are lost.", model.name));
    let _ = write!(out, "#ifndef {guard}\n#define {guard}\n\n{TYPES}");
    let views = views(model);
    for view in views.values() {
        out.push('\n');
        structure(&mut out, model, view);
    }
    super::header_kfuncs::structs(&mut out, model, &views);
    // Ordinary names share one namespace in C.
    let mut seen = BTreeSet::new();
    for helper in bases(model) {
        if seen.insert(name(&helper.name)) {
            out.push('\n');
            prototype(&mut out, model, helper, &views);
        }
    }
    super::header_kfuncs::kfuncs(&mut out, model, &mut seen, &views);
    let map_types = model.map_types.iter().map(|row| (row.name.as_str(), row.number, row.docs.as_str()));
    let prog_types = model.prog_types.iter().map(|row| (row.name.as_str(), row.number, row.docs.as_str()));
    let attach_types = model
        .prog_types
        .iter()
        .flat_map(|row| row.attach.iter().map(|(name, number)| (name.as_str(), *number, "")));
    constants(&mut out, model, &mut seen, "MAP_TYPE", map_types);
    constants(&mut out, model, &mut seen, "PROG_TYPE", prog_types);
    constants(&mut out, model, &mut seen, "ATTACH_TYPE", attach_types);
    let _ = write!(out, "\n#endif /* {guard} */\n");
    out
}

/// The views by name: overlays have the layout of the view that they change.
fn views(model: &Model) -> BTreeMap<&str, &View> {
    let mut views = BTreeMap::new();
    for view in &model.views {
        views.entry(view.name.as_str()).or_insert(view);
    }
    views
}

fn structure(out: &mut String, model: &Model, view: &View) {
    comment(out, "", &view.docs);
    let _ = writeln!(out, "struct {} {{", name(&view.name));
    let mut at = 0;
    let mut said = "";
    for field in &view.fields {
        padding(out, view, at, field.offset);
        if field.docs != said {
            comment(out, "\t", &field.docs);
        }
        said = &field.docs;
        let _ = writeln!(out, "\t{};", member(model, field));
        at = field.offset + field.size;
    }
    padding(out, view, at, view.size);
    let widest = view.fields.iter().map(|field| field.element).max().unwrap_or(1).max(1);
    // A size that is no multiple of the alignment, C would round up.
    let packed = match view.size.trailing_zeros() {
        _ if view.size.is_multiple_of(widest) => String::new(),
        zeros => format!(" __attribute__((packed, aligned({})))", 1_u32 << zeros.min(3)),
    };
    let _ = writeln!(out, "}}{packed};");
}

/// Names the bytes between two fields.
fn padding(out: &mut String, view: &View, from: u32, to: u32) {
    if from >= to {
        return;
    }
    let mut name = format!("__pad{from}");
    while view.fields.iter().any(|field| field.name == name) {
        name.push('_');
    }
    let _ = writeln!(out, "\t__u8 {name}[{}];", to - from);
}

fn member(model: &Model, field: &Field) -> String {
    let own = name(&field.name);
    let count = field.size.checked_div(field.element).unwrap_or(1);
    if count > 1 {
        return format!("{} {own}[{count}]", integer(field.element));
    }
    // What a load of 8 bytes yields is a pointer of C too.
    let kind = field.access.first().and_then(|row| model.kinds.get(usize::from(row.yields.kind.0)));
    match kind {
        Some(kind) if field.size == 8 && kind.behaviour != Behaviour::Scalar => {
            match kind.view.and_then(|view| model.views.get(usize::from(view))) {
                Some(view) => format!("struct {} *{own}", name(&view.name)),
                None => format!("void *{own}"),
            }
        }
        _ => format!("{} {own}", integer(field.element)),
    }
}

fn prototype(out: &mut String, model: &Model, helper: &Callable, views: &BTreeMap<&str, &View>) {
    documented(out, helper);
    let (named, plain) = arguments(model, helper, views);
    let (ret, number) = (returned(model, helper), helper.number);
    let blank = if ret.ends_with('*') { "" } else { " " };
    let own = name(&helper.name);
    let _ =
        writeln!(out, "static {ret}{blank}(*const {own})({named}) = ({ret}{blank}(*)({plain})) {number};");
}

/// An enum of numbers. Names in capitals stay; others could be the program's own and get those of
/// the platform and of what they are before them.
fn constants<'a>(
    out: &mut String,
    model: &Model,
    seen: &mut BTreeSet<String>,
    what: &str,
    rows: impl Iterator<Item = (&'a str, u32, &'a str)>,
) {
    let mut text = String::new();
    for (own, number, docs) in rows {
        let own = match own.chars().any(|c| c.is_ascii_lowercase()) {
            false => own.to_owned(),
            true => format!("{}_{what}_{own}", model.name).to_ascii_uppercase(),
        };
        if seen.insert(own.clone()) {
            comment(&mut text, "\t", docs);
            // An enum's constants are ints, unless one does not fit.
            let suffix = if i32::try_from(number).is_ok() { "" } else { "U" };
            let _ = writeln!(text, "\t{own} = {number}{suffix},");
        }
    }
    if !text.is_empty() {
        let _ = write!(out, "\nenum {{\n{text}}};\n");
    }
}
