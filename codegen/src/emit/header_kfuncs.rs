//! Kfuncs in the C header, and the structs that prototypes name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use probity_platform::{RetType, Subject};

use super::header::{arguments, documented, name, returned, subject_name};
use crate::model::{Model, View};

/// Where libbpf looks for functions of the kernel. One that the target lacks is null there.
const KSYM: &str = "__attribute__((section(\".ksyms\"), weak))";

/// Declares the structs that prototypes name and the header does not lay out.
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
    for own in names {
        let _ = writeln!(out, "struct {};", name(own));
    }
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
