//! The C header for those who write programs: contexts, helpers, numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use probity_platform::Behaviour;

use super::c_comment::{comment, documented};
use super::header_types::{arguments, integer, name, returned};
use super::offered::bases;
use crate::model::{Callable, Field, Model, Struct, View};

const TYPES: &str = "\
/* vmlinux.h and linux/types.h have these types already. */
#if !defined(__VMLINUX_H__) && !defined(_ASM_GENERIC_INT_LL64_H) && !defined(_UAPI_ASM_GENERIC_INT_LL64_H)
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
#endif
";

/// What says the section of a program, and what a map is: as libbpf's `bpf_helpers.h` does, for those
/// who do not have it.
const SECTIONS: &str = "
#ifndef SEC
#define SEC(name) __attribute__((section(name), used))
#endif
";
const MAPS: &str = "\
#ifndef __uint
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name
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
    let _ = write!(out, "#ifndef {guard}\n#define {guard}\n\n{TYPES}{SECTIONS}");
    if !model.map_types.is_empty() {
        out.push_str(MAPS);
    }
    let views = views(model);
    for view in views.values() {
        out.push('\n');
        view_struct(&mut out, model, view);
    }
    for row in &model.structs {
        out.push('\n');
        plain_struct(&mut out, row);
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

/// A member of a struct, and how C writes it.
struct Member<'a> {
    name: &'a str,
    docs: &'a str,
    offset: u32,
    size: u32,
    element: u32,
    text: String,
}

fn view_struct(out: &mut String, model: &Model, view: &View) {
    let members = view.fields.iter().map(|field| Member {
        name: &field.name,
        docs: &field.docs,
        offset: field.offset,
        size: field.size,
        element: field.element,
        text: member(model, field),
    });
    structure(out, (&view.name, &view.docs, view.size), &members.collect::<Vec<_>>());
}

fn plain_struct(out: &mut String, row: &Struct) {
    let members = row.fields.iter().map(|field| Member {
        name: &field.name,
        docs: &field.docs,
        offset: field.offset,
        size: field.size,
        element: field.element,
        text: integers(&field.name, field.size, field.element),
    });
    structure(out, (&row.name, &row.docs, row.size), &members.collect::<Vec<_>>());
}

/// A struct with its name, its doc comment and its size; the gaps between members are named.
fn structure(out: &mut String, (own, docs, size): (&str, &str, u32), members: &[Member<'_>]) {
    comment(out, "", docs);
    let _ = writeln!(out, "struct {} {{", name(own));
    let mut at = 0;
    let mut said = "";
    for member in members {
        padding(out, members, at, member.offset);
        if member.docs != said {
            comment(out, "\t", member.docs);
        }
        said = member.docs;
        let _ = writeln!(out, "\t{};", member.text);
        at = member.offset + member.size;
    }
    padding(out, members, at, size);
    let widest = members.iter().map(|member| member.element).max().unwrap_or(1).max(1);
    // A size that is no multiple of the alignment, C would round up.
    let packed = match size.trailing_zeros() {
        _ if size.is_multiple_of(widest) => String::new(),
        zeros => format!(" __attribute__((packed, aligned({})))", 1_u32 << zeros.min(3)),
    };
    let _ = writeln!(out, "}}{packed};");
}

/// Names the bytes between two members.
fn padding(out: &mut String, members: &[Member<'_>], from: u32, to: u32) {
    if from >= to {
        return;
    }
    let mut name = format!("__pad{from}");
    while members.iter().any(|member| member.name == name) {
        name.push('_');
    }
    let _ = writeln!(out, "\t__u8 {name}[{}];", to - from);
}

/// An integer, or an array of them.
fn integers(own: &str, size: u32, element: u32) -> String {
    let (own, ty) = (name(own), integer(element));
    match size.checked_div(element).unwrap_or(1) {
        count if count > 1 => format!("{ty} {own}[{count}]"),
        _ => format!("{ty} {own}"),
    }
}

fn member(model: &Model, field: &Field) -> String {
    // What a load of 8 bytes yields is a pointer of C too.
    let kind = field.access.first().and_then(|row| model.kinds.get(usize::from(row.yields.kind.0)));
    let one = field.size == field.element;
    match kind {
        Some(kind) if one && field.size == 8 && kind.behaviour != Behaviour::Scalar => {
            let own = name(&field.name);
            match kind.view.and_then(|view| model.views.get(usize::from(view))) {
                Some(view) => format!("struct {} *{own}", name(&view.name)),
                None => format!("void *{own}"),
            }
        }
        _ => integers(&field.name, field.size, field.element),
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
