//! Contexts: fields by name, fields that packets fill, plain bytes.

use std::path::Path;

use probity::platform::{Behaviour, Field, Platform, View};
use probity::vm::Context;
use serde::Serialize;
use serde_json::{Map, Value};

use super::facts::{FIELDS, Fact, INTERFACE, kind, protocol};
use super::trouble::Trouble;
use super::{hex, values};
use crate::input;

/// What the command line gives.
#[derive(Clone, Debug, Default)]
pub(super) enum Given {
    #[default]
    Nothing,
    Fields(Map<String, Value>),
    Bytes(Vec<u8>),
}

/// What a context says of the packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) wire_len: u64,
    /// Whether it begins with an Ethernet header.
    pub(super) ethernet: bool,
}

/// A field that a run changed.
#[derive(Debug, Serialize)]
pub(super) struct FieldChange {
    pub(super) field: &'static str,
    /// Of arrays.
    pub(super) element: Option<u32>,
    pub(super) before: u64,
    pub(super) after: u64,
}

impl Given {
    /// Reads `--ctx`.
    pub(super) fn read(path: &Path) -> Result<Given, Trouble> {
        let shown = path.display();
        let bytes = input::read(path).map_err(|error| Trouble::unreadable(format!("{shown}: {error}")))?;
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Ok(Given::Bytes(hex::of_file(bytes)));
        }
        match serde_json::from_slice(&bytes) {
            Ok(fields) => Ok(Given::Fields(fields)),
            Err(error) => Err(Trouble::unreadable(format!("{shown}: {error}"))),
        }
    }

    /// A context of a view: what the packet says, and then what was given.
    pub(super) fn context(
        &self,
        platform: &'static Platform,
        view: &'static View,
        frame: Option<Frame<'_>>,
    ) -> Result<Context, Trouble> {
        let mut context = match self {
            Given::Bytes(bytes) => {
                check_plain(platform, view, bytes)?;
                Context::from_bytes(view, bytes)
            }
            Given::Nothing | Given::Fields(_) => Context::new(view),
        };
        if let Some(frame) = frame {
            from_packet(platform, &mut context, frame);
        }
        if let Given::Fields(fields) = self {
            for (name, value) in fields {
                set(platform, &mut context, name, value)?;
            }
        }
        Ok(context)
    }
}

/// True when programs see a number in the field, whatever their attach type: addresses are the
/// runtime's alone.
fn is_number(platform: &Platform, field: &Field) -> bool {
    !field.access.is_empty()
        && field.access.iter().all(|rule| platform.kind(rule.yields.kind).behaviour == Behaviour::Scalar)
}

/// Bytes are a context only where the host's struct is the one that programs see.
fn check_plain(platform: &Platform, view: &View, bytes: &[u8]) -> Result<(), Trouble> {
    let plain = |field: &Field| {
        field.host.offset == field.offset && field.host.size == field.size && is_number(platform, field)
    };
    if let Some(field) = view.fields.iter().find(|field| !plain(field)) {
        let text =
            format!("the context {} is no plain bytes, because of its field {}", view.name, field.name);
        return Err(Trouble::usage(text).help("give --ctx a JSON object of fields by name"));
    }
    if bytes.len() > view.size as usize {
        let text = format!("--ctx has {} bytes, and the context {} {}", bytes.len(), view.name, view.size);
        return Err(Trouble::usage(text));
    }
    Ok(())
}

fn from_packet(platform: &Platform, context: &mut Context, frame: Frame<'_>) {
    for (name, fact) in FIELDS {
        let known = context.view().fields.iter().find(|field| field.name == *name);
        if !known.is_some_and(|field| is_number(platform, field)) {
            continue;
        }
        let value = match fact {
            Fact::Length => frame.bytes.len() as u64,
            Fact::WireLength => frame.wire_len,
            Fact::Protocol if frame.ethernet => protocol(frame.bytes),
            Fact::Kind if frame.ethernet => kind(frame.bytes),
            Fact::Protocol | Fact::Kind => 0,
            Fact::Interface => INTERFACE,
        };
        context.set(name, 0, value);
    }
}

fn set(platform: &Platform, context: &mut Context, name: &str, value: &Value) -> Result<(), Trouble> {
    let view = context.view();
    let Some(field) = view.fields.iter().find(|field| field.name == name) else {
        let known = view.fields.iter().filter(|field| is_number(platform, field)).map(|field| field.name);
        let known = known.collect::<Vec<_>>().join(", ");
        let text = format!("the context {} has no field `{name}`; it has {known}", view.name);
        return Err(Trouble::usage(text));
    };
    if !is_number(platform, field) {
        let text = format!("--ctx can't set `{name}`: it holds an address, or programs can't read it");
        return Err(Trouble::usage(text).help("--packet gives the packet that contexts point to"));
    }
    let one = std::slice::from_ref(value);
    let elements = value.as_array().map_or(one, Vec::as_slice);
    if elements.len() > field.elements() as usize {
        let text = format!("--ctx: `{name}` has {} elements, not {}", field.elements(), elements.len());
        return Err(Trouble::usage(text));
    }
    let bits = 8 * (field.size / field.elements()).min(8);
    for (index, value) in (0..).zip(elements) {
        let number = values::number(value, bits)
            .map_err(|error| Trouble::usage(format!("--ctx: field `{name}`: {error}")))?;
        if !context.set(name, index, number) {
            return Err(Trouble::unsupported(format!(
                "--ctx: the runtime has no field `{name}`: it reads as 0"
            )));
        }
    }
    Ok(())
}

/// The numbers of a context in the order of its fields, elements of arrays one by one.
pub(super) fn numbers(platform: &Platform, context: &mut Context) -> Vec<u64> {
    let mut numbers = Vec::new();
    for field in context.view().fields.iter().filter(|field| is_number(platform, field)) {
        numbers.extend((0..field.elements()).map(|element| context.get(field.name, element).unwrap_or(0)));
    }
    numbers
}

/// What differs from the numbers that were there before.
pub(super) fn changes(platform: &Platform, before: &[u64], context: &mut Context) -> Vec<FieldChange> {
    let after = numbers(platform, context);
    let view = context.view();
    let places = view.fields.iter().filter(|field| is_number(platform, field)).flat_map(|field| {
        let is_array = field.elements() > 1;
        (0..field.elements()).map(move |element| (field.name, is_array.then_some(element)))
    });
    let all = places.zip(before.iter().zip(after));
    all.filter(|(_, (before, after))| *before != after)
        .map(|((field, element), (before, after))| FieldChange { field, element, before: *before, after })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PLATFORM;

    fn view(prog_type: &str) -> &'static View {
        let row = PLATFORM.prog_type_named(prog_type).unwrap();
        &PLATFORM.views[usize::from(row.ctx)]
    }

    fn given(text: &str) -> Given {
        Given::Fields(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn packets_and_the_command_line_fill_fields() {
        let mut bytes = [0; 60];
        bytes[12..14].copy_from_slice(&[0x86, 0xdd]);
        let frame = Frame { bytes: &bytes, wire_len: 1500, ethernet: true };
        let given = given(r#"{"mark": -1, "cb": [1, "0x2"], "ifindex": 9}"#);
        let mut context = given.context(PLATFORM, view("sched_cls"), Some(frame)).unwrap();
        let mut get = |name, element| context.get(name, element).unwrap();
        assert_eq!((get("len", 0), get("wire_len", 0), get("protocol", 0)), (60, 1500, 0xdd86));
        assert_eq!((get("mark", 0), get("cb", 0), get("cb", 1), get("cb", 2)), (0xffff_ffff, 1, 2, 0));
        assert_eq!((get("ifindex", 0), get("ingress_ifindex", 0)), (9, 1));
    }

    #[test]
    fn addresses_and_what_is_not_there_are_refused() {
        let error = |text: &str| given(text).context(PLATFORM, view("sched_cls"), None).unwrap_err();
        assert!(error(r#"{"data": 1}"#).message.contains("an address"));
        assert!(error(r#"{"sk": 1}"#).message.contains("an address"));
        assert!(error(r#"{"nothing": 1}"#).message.contains("it has len, "));
        assert!(error(r#"{"cb": [1,2,3,4,5,6]}"#).message.contains("5 elements"));
        assert!(error(r#"{"mark": 4294967296}"#).message.contains("32 bits"));
        let bytes = Given::Bytes(vec![0; 8]);
        let error = bytes.context(PLATFORM, view("sched_cls"), None).unwrap_err();
        assert!(error.message.contains("no plain bytes"));
        assert!(bytes.context(PLATFORM, view("syscall"), None).is_ok());
    }

    #[test]
    fn changes_have_their_places() {
        let mut context = Given::Nothing.context(PLATFORM, view("sched_cls"), None).unwrap();
        let before = numbers(PLATFORM, &mut context);
        context.set("cb", 3, 7);
        let changes = changes(PLATFORM, &before, &mut context);
        let [FieldChange { field: "cb", element: Some(3), before: 0, after: 7 }] = changes[..] else {
            panic!("{changes:?}");
        };
    }
}
