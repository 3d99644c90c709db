//! A callable in a line, as the spec writes it.

use probity_platform::{CallableFlags, RetType, Subject, TypeFlags};

use super::header_types::subject_name;
use crate::model::{Arg, Callable, Model, Struct, StructField};

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
            let of = structure(model, helper.ret_structure).map(|of| format!("({of})")).unwrap_or_default();
            let ty_name = about.map_or_else(|| format!("RET_{kind}{of}"), str::to_owned);
            format!("{ty_name}{}", modifiers(ty.flags))
        }
    };
    format!("({}) -> {ret}", args.join(", "))
}

/// The name of the struct that memory is.
fn structure(model: &Model, at: Option<u16>) -> Option<&str> {
    Some(model.structs.get(usize::from(at?))?.name.as_str())
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
    let size = match (structure(model, arg.structure), arg.size) {
        (Some(name), _) => format!("({name})"),
        (None, 0) => String::new(),
        (None, size) => format!("({size})"),
    };
    format!("{class}{size}{}", modifiers(arg.flags - TypeFlags::MEM_FIXED_SIZE))
}

/// A plain struct in a line: its size, and its fields with their offsets.
pub(crate) fn layout(row: &Struct) -> String {
    let fields =
        row.fields.iter().map(|field| format!("at {} {}: {}", field.offset, field.name, field_type(field)));
    format!("size {} {{ {} }}", row.size, fields.collect::<Vec<_>>().join("; "))
}

/// The type of a struct's field as the spec writes it.
pub(crate) fn field_type(field: &StructField) -> String {
    let bits = field.element * 8;
    match field.size / field.element.max(1) {
        count if count > 1 => format!("[u{bits}; {count}]"),
        _ => format!("u{bits}"),
    }
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
