//! Clauses about regions, stack objects, callbacks and the like become steps.

use probity_platform::{ArgRole, RegType, Subject};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{CallbackValue, Condition, Step};
use crate::syntax::ast::{Callback, CallbackLine, Clause, ClauseKind, Ident};

use super::clauses::{Lowered, role_is};
use super::concepts::value_type;
use super::conditions::{self, Args};
use super::cx::Cx;
use super::items::Collected;
use super::names::{RETURN_OF, of, words};
use super::prototype::Types;

/// The callable whose clauses are lowered: what their names are read against.
pub(super) struct Reading<'a> {
    pub(super) all: &'a Collected<'a>,
    pub(super) types: &'a Types<'a>,
    pub(super) args: &'a Args<'a>,
    /// What each argument is about.
    pub(super) subjects: &'a [Subject],
}

/// Lowers a clause of this file's kind.
pub(super) fn lower(
    cx: &mut Cx<'_>,
    reading: &Reading<'_>,
    clause: &Clause,
    when: Option<Condition>,
    out: &mut Lowered,
) {
    let args = reading.args;
    let site = cx.site(clause.span);
    match &clause.kind {
        ClauseKind::ReturnsOf { what, arg } => {
            let Some((arg, _, _)) = args.get(cx, arg) else { return };
            match of(RETURN_OF, &what.name) {
                Some(what) => out.push(4, when, Step::ReturnOf(what, arg, site)),
                None => cx.report(Diagnostic::unknown(
                    Code::UnknownName,
                    "return",
                    &what.name,
                    what.span,
                    words(RETURN_OF),
                )),
            }
        }
        ClauseKind::Enters { region, by, fallible } => {
            let Some((region, by)) = region_by(cx, reading, region, by.as_ref()) else { return };
            out.entered.push(region);
            out.push(5, when, Step::Enter { region, by, fallible: *fallible, site });
        }
        ClauseKind::Leaves { region, by } => {
            let Some((region, by)) = region_by(cx, reading, region, by.as_ref()) else { return };
            out.left.push(region);
            out.push(5, when, Step::Leave { region, by, site });
        }
        ClauseKind::Constructs { arg, state } => {
            let Some((arg, state)) = stack_object_state(cx, reading, arg, state) else {
                return;
            };
            out.push(5, when, Step::Construct(arg, state, site));
        }
        ClauseKind::Advances { arg, state } => {
            let Some((arg, state)) = stack_object_state(cx, reading, arg, state) else {
                return;
            };
            out.push(5, when, Step::Advance(arg, state, site));
        }
        ClauseKind::Destroys(name) => {
            let Some(arg) = stack_object(cx, args, name) else { return };
            out.push(5, when, Step::Destroy(arg, site));
        }
        ClauseKind::Clones { from, to } => {
            let (from, to) = (stack_object(cx, args, from), stack_object(cx, args, to));
            let (Some(from), Some(to)) = (from, to) else { return };
            out.push(5, when, Step::Clone(from, to, site));
        }
        ClauseKind::Slices(name) => {
            let Some(arg) = stack_object(cx, args, name) else { return };
            out.derives = true;
            out.push(4, when, Step::Slice(arg));
        }
        ClauseKind::Disowns(name) => {
            let Some((arg, _, _)) = args.get(cx, name) else { return };
            out.push(5, when, Step::Disown(arg, site));
        }
        ClauseKind::Calls { func, callback, up_to } => {
            let Some(func) = called(cx, args, func, out) else { return };
            let Some((callback, signature)) = signature(cx, reading, callback) else { return };
            let times =
                up_to.as_ref().and_then(|times| conditions::number(cx, reading.types.scope, args, times));
            let entry = entry(cx, reading, signature, clause);
            out.asynchronous |= signature
                .lines
                .iter()
                .any(|line| matches!(&line.kind, CallbackLine::Flag(word) if word.name == "async"));
            out.push(6, when, Step::CallBack { callback, func, entry, times, site });
        }
        ClauseKind::Member { field, map } => {
            let (field_arg, map_arg) = (args.get(cx, field), args.get(cx, map));
            let (Some(field_arg), Some(map_arg)) = (field_arg, map_arg) else { return };
            role_is(cx, field, field_arg, ArgRole::Field, "a special field");
            role_is(cx, map, map_arg, ArgRole::Map, "a map");
            out.push(1, when, Step::Member(field_arg.0, map_arg.0, site));
        }
        ClauseKind::Formats { format, data } => {
            let (format_arg, data_arg) = (args.get(cx, format), args.get(cx, data));
            let (Some(format_arg), Some(data_arg)) = (format_arg, data_arg) else { return };
            role_is(cx, format, format_arg, ArgRole::ConstStr, "a constant string");
            role_is(cx, data, data_arg, ArgRole::Mem, "memory");
            out.push(2, when, Step::Format(format_arg.0, data_arg.0, site));
        }
        ClauseKind::Flag(word) if word.name == "throws" => out.push(7, when, Step::Throw(site)),
        _ => {}
    }
}

fn region_by(
    cx: &mut Cx<'_>,
    reading: &Reading<'_>,
    region: &Ident,
    by: Option<&Ident>,
) -> Option<(u16, Option<u8>)> {
    let index = reading.types.scope.regions.find(cx, region).and_then(|index| u16::try_from(index).ok());
    let by = match by {
        None => None,
        Some(by) => {
            let (arg, role, span) = reading.args.get(cx, by)?;
            if !matches!(role, ArgRole::Field | ArgRole::StackObject) {
                let text = format!("`{}` is neither a lock nor a stack object", by.name);
                let found =
                    Diagnostic::new(Code::WrongArgumentClass, by.span, text).with(span, "the argument");
                cx.report(found);
            }
            Some(arg)
        }
    };
    Some((index?, by))
}

fn stack_object(cx: &mut Cx<'_>, args: &Args<'_>, name: &Ident) -> Option<u8> {
    let arg = args.get(cx, name)?;
    role_is(cx, name, arg, ArgRole::StackObject, "a stack object");
    Some(arg.0)
}

fn stack_object_state(
    cx: &mut Cx<'_>,
    reading: &Reading<'_>,
    name: &Ident,
    state: &Ident,
) -> Option<(u8, u8)> {
    let arg = stack_object(cx, reading.args, name)?;
    let Some(Subject::StackObject(object)) = reading.subjects.get(usize::from(arg)) else {
        let text = format!("`{}` does not say which stack object it is", name.name);
        cx.report(Diagnostic::new(Code::WrongArgumentClass, name.span, text));
        return None;
    };
    let states = reading.types.scope.states_of(*object);
    let index = states.iter().position(|known| *known == state.name);
    if index.is_none() {
        let names = states.iter().map(String::as_str);
        cx.report(Diagnostic::unknown(Code::UnknownName, "state", &state.name, state.span, names));
    }
    Some((arg, u8::try_from(index?).ok()?))
}

/// The argument with the function that is called back.
fn called(cx: &mut Cx<'_>, args: &Args<'_>, name: &Ident, out: &mut Lowered) -> Option<u8> {
    let arg = args.get(cx, name)?;
    role_is(cx, name, arg, ArgRole::Func, "a function");
    out.called.push(arg.0);
    Some(arg.0)
}

/// A callback's index and its declaration.
fn signature<'a>(cx: &mut Cx<'_>, reading: &Reading<'a>, name: &Ident) -> Option<(u16, &'a Callback)> {
    let index = u16::try_from(reading.types.scope.callbacks.find(cx, name)?).ok()?;
    let (signature, _) = reading.all.callbacks.get(usize::from(index))?;
    Some((index, signature))
}

/// What registers hold when the function is called, as this call feeds them.
fn entry(
    cx: &mut Cx<'_>,
    reading: &Reading<'_>,
    signature: &Callback,
    clause: &Clause,
) -> Vec<(u8, CallbackValue)> {
    let Reading { types, args, .. } = reading;
    let mut entry = Vec::new();
    for line in &signature.lines {
        let CallbackLine::Register { register, value, flags, of } = &line.kind else { continue };
        let Some(number) = register.name.strip_prefix('r').and_then(|number| number.parse().ok()) else {
            continue;
        };
        let mut fed = |name: &Ident| {
            let found = args.find(&name.name);
            if found.is_none() {
                let names = args.names.iter().map(|(name, _, _)| *name);
                let report =
                    Diagnostic::unknown(Code::CallbackFeed, "argument", &name.name, name.span, names)
                        .label(format!("{} is fed by it", register.name))
                        .with(clause.span, "called back by this callable");
                cx.report(report);
            }
            found.map(|(arg, _, _)| arg)
        };
        let value = match value.as_slice() {
            [caller, name] if caller.name == "caller" => match fed(name) {
                Some(arg) => CallbackValue::Caller(arg),
                None => continue,
            },
            [name] => {
                let of = match of {
                    None => None,
                    Some(of) => match fed(of) {
                        Some(arg) => Some(arg),
                        None => continue,
                    },
                };
                // The signature itself reports names that are nothing.
                let Some((kind, subject)) = value_type(types.scope, types.kinds, name) else { continue };
                let mut known = Cx { sources: cx.sources, found: Vec::new() };
                let flags = super::kinds::flags(&mut known, flags);
                CallbackValue::Type(RegType { kind, flags }, subject, of)
            }
            _ => continue,
        };
        entry.push((number, value));
    }
    entry
}
