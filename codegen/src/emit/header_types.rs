//! How C writes names, arguments and what is returned.

use std::collections::{BTreeMap, BTreeSet};

use probity_platform::{ArgRole, Behaviour, CallableFlags, RetType, Subject, TypeFlags};

use super::offered::{offered, offered_kfunc};
use crate::model::{Arg, Callable, Model, View};

/// Words that C, or the header itself, needs: names of the spec that are one of them get a `_`.
const TAKEN: &[&str] = &[
    "alignas",
    "alignof",
    "asm",
    "auto",
    "bool",
    "break",
    "case",
    "char",
    "const",
    "constexpr",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "false",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "nullptr",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "struct",
    "switch",
    "thread_local",
    "true",
    "typedef",
    "typeof",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "__u8",
    "__u16",
    "__u32",
    "__u64",
];

/// A name, told apart from what C reserves.
pub(super) fn name(name: &str) -> String {
    if TAKEN.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// The arguments of a callable in C, with their names and without.
pub(super) fn arguments(model: &Model, row: &Callable, views: &BTreeMap<&str, &View>) -> (String, String) {
    let (mut named, mut plain) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for arg in &row.args {
        let ty = argument(model, row, arg, views);
        let mut own = name(&arg.name);
        while !seen.insert(own.clone()) {
            own.push('_');
        }
        let blank = if ty.ends_with('*') { "" } else { " " };
        named.push(format!("{ty}{blank}{own}"));
        plain.push(ty);
    }
    // C wants one before them.
    if row.flags.contains(CallableFlags::VARIADIC) && !row.args.is_empty() {
        named.push("...".into());
        plain.push("...".into());
    }
    let list = |args: Vec<String>| if args.is_empty() { "void".to_owned() } else { args.join(", ") };
    (list(named), list(plain))
}

/// The C type of what a callable returns.
pub(super) fn returned(model: &Model, row: &Callable) -> String {
    match (row.ret.ty, row.ret.subject) {
        (RetType::Void, _) => "void".into(),
        (RetType::Integer, Subject::Int { .. }) => integer_of(row.ret.subject).into(),
        (RetType::Integer, _) => "long".into(),
        (RetType::Pointer(_), subject) => match subject_name(model, subject) {
            Some(of) if row.number == 0 => format!("struct {} *", name(of)),
            _ => pointer(model, row.ret_structure),
        },
    }
}

/// A pointer to a plain struct, or to anything.
fn pointer(model: &Model, structure: Option<u16>) -> String {
    match structure.and_then(|at| model.structs.get(usize::from(at))) {
        Some(row) => format!("struct {} *", name(&row.name)),
        None => "void *".into(),
    }
}

/// The C type of a number of so many bytes.
pub(super) fn integer(bytes: u32) -> &'static str {
    match bytes {
        1 => "__u8",
        2 => "__u16",
        4 => "__u32",
        _ => "__u64",
    }
}

/// The C type of an integer.
fn integer_of(subject: Subject) -> &'static str {
    match subject {
        Subject::Int { bytes: 1, signed: false } => "__u8",
        Subject::Int { bytes: 2, signed: false } => "__u16",
        Subject::Int { bytes: 4, signed: false } => "__u32",
        Subject::Int { bytes: 1, signed: true } => "signed char",
        Subject::Int { bytes: 2, signed: true } => "short",
        Subject::Int { bytes: 4, signed: true } => "int",
        Subject::Int { signed: true, .. } => "long long",
        _ => "__u64",
    }
}

/// The name of the struct that something is about.
pub(super) fn subject_name(model: &Model, subject: Subject) -> Option<&str> {
    match subject {
        Subject::Object(at) => {
            let object = model.objects.get(usize::from(at))?;
            Some(object.btf.as_deref().unwrap_or(&object.name))
        }
        Subject::StackObject(at) => model.stack_objects.get(usize::from(at)).map(|row| row.name.as_str()),
        Subject::Field(at) => model.special_fields.get(usize::from(at)).map(|row| row.name.as_str()),
        Subject::None | Subject::Int { .. } => None,
    }
}

fn argument(model: &Model, helper: &Callable, arg: &Arg, views: &BTreeMap<&str, &View>) -> String {
    let class = model.arg_classes.get(usize::from(arg.class));
    let memory = || {
        let written = arg.flags.intersects(TypeFlags::MEM_WRITE | TypeFlags::MEM_UNINIT);
        format!("{}{}", if written { "" } else { "const " }, pointer(model, arg.structure))
    };
    match class.map_or(ArgRole::Anything, |class| class.role) {
        ArgRole::Anything | ArgRole::Scalar | ArgRole::Const => "__u64".into(),
        ArgRole::Int => integer_of(arg.subject).into(),
        ArgRole::ConstSize => "__u32".into(),
        ArgRole::ConstStr => "const char *".into(),
        ArgRole::Ignored | ArgRole::Hidden => "void *".into(),
        ArgRole::Object | ArgRole::StackObject | ArgRole::Field => {
            let written = if arg.flags.contains(TypeFlags::MEM_RDONLY) { "const " } else { "" };
            match subject_name(model, arg.subject) {
                Some(of) => format!("{written}struct {} *", name(of)),
                None => format!("{written}void *"),
            }
        }
        ArgRole::MapKey | ArgRole::MapValue | ArgRole::Mem => memory(),
        ArgRole::Size | ArgRole::SizeOrZero | ArgRole::AllocSize | ArgRole::AllocSizeOrZero => "__u32".into(),
        ArgRole::Map | ArgRole::Stack | ArgRole::Func => "void *".into(),
        ArgRole::Pointer => {
            let mut names = BTreeSet::new();
            for ty in class.into_iter().flat_map(|class| &class.accepts) {
                match model.kinds.get(usize::from(ty.kind.0)) {
                    Some(kind) if kind.behaviour == Behaviour::Context => {
                        names.extend(contexts(model, helper).map(Some));
                    }
                    Some(kind) => {
                        let view = kind.view.and_then(|view| model.views.get(usize::from(view)));
                        names.insert(view.map(|view| view.name.as_str()));
                    }
                    None => {}
                }
            }
            match names.into_iter().collect::<Vec<_>>().as_slice() {
                [Some(one)] if views.contains_key(one) => format!("struct {} *", name(one)),
                _ => "void *".into(),
            }
        }
    }
}

/// The views that are contexts of the program types that offer a callable.
fn contexts<'a>(model: &'a Model, row: &Callable) -> impl Iterator<Item = &'a str> {
    let (own, number) = (row.name.clone(), row.number);
    let kfunc = model.kfuncs.iter().any(|kfunc| kfunc.name == own);
    let offer = move |prog: &_| {
        if kfunc { offered_kfunc(model, prog, &own) } else { offered(model, prog, number) }
    };
    model
        .prog_types
        .iter()
        .filter(move |prog| offer(prog).is_some())
        .filter_map(|prog| model.views.get(usize::from(prog.ctx)))
        .map(|view| view.name.as_str())
}
