//! That a stack object or a special field means the same to all bodies that take it, and that
//! nothing else makes the one whose bytes a body follows.

use probity_platform::demand::{Demand, FieldUse, ObjectUse};
use probity_platform::{Behaviour, CallableFlags, Subject};

use super::bodies::Tables;
use crate::Diagnostic;
use crate::code::Code;
use crate::model::{CallbackValue, Step};
use crate::resolve::cx::Cx;
use crate::resolve::helpers::Built;
use crate::source::Span;

/// A body's use of an object or a field.
struct Use<'b, T> {
    what: T,
    at: u16,
    by: &'b Built,
    word: Span,
}

/// Reports stack objects and special fields of two uses, and uses of two special fields.
pub(super) fn uses(cx: &mut Cx<'_>, tables: &Tables<'_>, callables: &[Built]) {
    let mut objects: Vec<Use<'_, ObjectUse>> = Vec::new();
    let mut fields: Vec<Use<'_, FieldUse>> = Vec::new();
    for by in callables {
        let (Some(body), Some(word)) = (by.row.body, by.places.body) else { continue };
        let subject = |arg: u8| by.row.args.get(usize::from(arg)).map(|arg| arg.subject);
        for demand in body.row().demands {
            match *demand {
                Demand::Object(arg, what) => {
                    let Some(Subject::StackObject(at)) = subject(arg) else { continue };
                    let name = tables.stack_objects.get(usize::from(at)).map_or("", |row| &row.name);
                    match objects.iter().find(|other| other.at == at && other.what != what) {
                        Some(other) => two(cx, word, name, other.word, [what.said(), other.what.said()]),
                        None => objects.push(Use { what, at, by, word }),
                    }
                }
                Demand::Field(arg, what) => {
                    let Some(Subject::Field(at)) = subject(arg) else { continue };
                    let name = tables.special_fields.get(usize::from(at)).map_or("", |row| &row.name);
                    match fields.iter().find(|other| (other.at == at) != (other.what == what)) {
                        Some(other) if other.at == at => {
                            two(cx, word, name, other.word, [what.said(), other.what.said()]);
                        }
                        Some(other) => {
                            let text =
                                format!("`{name}` is {}, and another special field is too", what.said());
                            let found = Diagnostic::new(Code::BodyContract, word, text);
                            let found = found.with(other.word, "of the other");
                            cx.report(found.help("the runtime knows one: leave out the body of the others"));
                        }
                        None => fields.push(Use { what, at, by, word }),
                    }
                }
                _ => {}
            }
        }
    }
    for (index, used) in objects.iter().enumerate() {
        states(cx, tables, callables, used);
        let first = objects[..index].iter().all(|other| other.at != used.at);
        if first && used.what == ObjectUse::Dynptr {
            others(cx, tables, callables, used);
        }
    }
}

fn two(cx: &mut Cx<'_>, word: Span, name: &str, other: Span, said: [&str; 2]) {
    let text = format!("`{name}` is {} to this body, and {} to another", said[0], said[1]);
    let found = Diagnostic::new(Code::BodyContract, word, text).with(other, "the other");
    cx.report(found.help("declare another one"));
}

/// An object that was made is in another state than one that has given all.
fn states(cx: &mut Cx<'_>, tables: &Tables<'_>, callables: &[Built], used: &Use<'_, ObjectUse>) {
    let state_of = |built: &Built, step: &Step, made: bool| {
        let (arg, state) = match step {
            Step::Construct(arg, state, _) if made => (*arg, *state),
            Step::Advance(arg, state, _) if !made => (*arg, *state),
            _ => return None,
        };
        let subject = built.row.args.get(usize::from(arg)).map(|arg| arg.subject);
        (subject == Some(Subject::StackObject(used.at))).then_some(state)
    };
    let all = |made: bool| {
        let of = move |built: &Built| {
            built.row.steps.iter().filter_map(|(_, step)| state_of(built, step, made)).collect::<Vec<u8>>()
        };
        callables.iter().flat_map(of).collect::<Vec<u8>>()
    };
    let drained = all(false);
    let advances = used.by.row.steps.iter().any(|(_, step)| matches!(step, Step::Advance(..)));
    if advances && all(true).iter().any(|state| drained.contains(state)) {
        let name = tables.stack_objects.get(usize::from(used.at)).map_or("", |row| &row.name);
        let text = format!("a `{name}` that was just made is in the state of one that has given all");
        let found = Diagnostic::new(Code::BodyContract, used.word, text);
        cx.report(
            found.help(format!("give `{name}` two states: `state active owned; state drained owned;`")),
        );
    }
}

/// What bodies follow to memory is made by bodies alone.
fn others(cx: &mut Cx<'_>, tables: &Tables<'_>, callables: &[Built], used: &Use<'_, ObjectUse>) {
    let name = tables.stack_objects.get(usize::from(used.at)).map_or("", |row| &row.name);
    for built in callables {
        // Without a host nothing runs a callable that has no body.
        let run = built.row.body.is_some() || tables.hosted;
        if !run || built.row.flags.contains(CallableFlags::UNSUPPORTED) {
            continue;
        }
        let is = |arg: u8| {
            let subject = built.row.args.get(usize::from(arg)).map(|arg| arg.subject);
            subject == Some(Subject::StackObject(used.at))
        };
        let gives = |value: &CallbackValue| match value {
            CallbackValue::Type(ty, ..) => tables.behaviour(*ty) == Some(Behaviour::StackObject),
            CallbackValue::Caller(_) => false,
        };
        let makes = built.row.steps.iter().any(|(_, step)| match step {
            // Elements are of iterators, which are other objects.
            Step::Advance(arg, ..) => is(*arg),
            Step::Construct(arg, ..) | Step::Clone(_, arg, _) => built.row.body.is_none() && is(*arg),
            Step::Enter { by: Some(by), .. } => is(*by),
            Step::CallBack { entry, .. } => {
                built.row.body.is_none() && entry.iter().any(|(_, value)| gives(value))
            }
            _ => false,
        });
        if makes {
            let text = format!("`{}` makes or changes a `{name}`, whose bytes bodies follow", built.row.name);
            let found = Diagnostic::new(Code::BodyContract, built.span, text);
            let found = found.with(used.word, "such a body");
            cx.report(found.help("only bodies make one: declare another stack object for the host's"));
        }
    }
}
