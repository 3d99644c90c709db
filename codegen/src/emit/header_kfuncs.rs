//! Kfuncs in the C header, and the structs that prototypes name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use probity_platform::{RetType, SpecialFieldForm, Subject};

use super::c_comment::{comment, documented};
use super::header_types::{arguments, integer, name, returned, subject_name};
use crate::model::{Model, View};

/// Where libbpf looks for functions of the kernel. One that the target lacks is null there.
const KSYM: &str = "__attribute__((section(\".ksyms\"), weak))";

/// Defines stack objects and the structs of special fields, which programs have in their stack and
/// in their maps' values, where the platform has a host; elsewhere the target's own types do. The
/// other structs that prototypes name, and the header does not lay out, are declared.
pub(super) fn structs(out: &mut String, model: &Model, views: &BTreeMap<&str, &View>) {
    let mut names = BTreeSet::new();
    for row in model.callables.iter().chain(&model.kfuncs) {
        let of_args = row.args.iter().map(|arg| arg.subject);
        let returned = match row.ret.ty {
            RetType::Pointer(_) => row.ret.subject,
            _ => Subject::None,
        };
        names.extend(of_args.chain([returned]).filter_map(|subject| subject_name(model, subject)));
    }
    names.retain(|name| !views.contains_key(name));
    if !names.is_empty() {
        out.push('\n');
    }
    let opaque = opaque(model);
    let (defined, declared): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|own| opaque.contains_key(own));
    for own in declared {
        let _ = writeln!(out, "struct {};", name(own));
    }
    for own in defined {
        let (docs, size) = opaque[own];
        // What is as large as words, is as aligned as they are.
        let bytes = [8, 4, 2].into_iter().find(|bytes| size.is_multiple_of(*bytes)).unwrap_or(1);
        out.push('\n');
        comment(out, "", docs);
        let _ = writeln!(out, "struct {} {{\n\t{} opaque[{}];\n}};", name(own), integer(bytes), size / bytes);
    }
}

/// Structs whose size is all that programs may know, by name: with their doc comment and size.
fn opaque(model: &Model) -> BTreeMap<&str, (&str, u32)> {
    let fields = model.special_fields.iter().filter(|row| row.form == SpecialFieldForm::Struct);
    let fields = fields.map(|row| (row.name.as_str(), (row.docs.as_str(), row.size)));
    let objects = model.stack_objects.iter().map(|row| (row.name.as_str(), (row.docs.as_str(), row.size)));
    objects.chain(fields).filter(|(_, (_, size))| model.hosted && *size > 0).collect()
}

/// Declares the kfuncs.
pub(super) fn kfuncs(
    out: &mut String,
    model: &Model,
    seen: &mut BTreeSet<String>,
    views: &BTreeMap<&str, &View>,
) {
    for row in &model.kfuncs {
        if !seen.insert(name(&row.name)) {
            continue;
        }
        out.push('\n');
        documented(out, row);
        let (named, _) = arguments(model, row, views);
        let ret = returned(model, row);
        let blank = if ret.ends_with('*') { "" } else { " " };
        let _ = writeln!(out, "extern {ret}{blank}{}({named}) {KSYM};", name(&row.name));
    }
}
