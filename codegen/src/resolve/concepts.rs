//! Regions, stack objects, callbacks and objects become rows.

use probity_platform::{
    Behaviour, CallbackFlags, KindId, ObjectFlags, OnLeave, RegionFlags, Subject, Trust, TypeFlags,
};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Callback, Guard, Kind, Object, Region, StackObject};
use crate::syntax::ast::{CallbackLine, Expr, Ident, ObjectLine, Range, RegionLine, StackObjectLine};

use super::cx::{Cx, once};
use super::guards::guard;
use super::items::Collected;
use super::names::{FORBIDDEN, TRUST, of, words};
use super::scope::Scope;
use super::views::Views;

/// All regions. Which of them are locks, callables say.
pub(super) fn regions(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope) -> Vec<Region> {
    let mut rows = Vec::new();
    for (region, item) in &all.regions {
        let (mut prints, mut inside, mut implicit) = (None, None, None);
        let mut row = Region {
            name: region.name.name.clone(),
            docs: item.doc.text(),
            prints: region.name.name.clone(),
            inside: format!("{} region", region.name.name),
            flags: RegionFlags::empty(),
            allows: Vec::new(),
            on_leave: Vec::new(),
            implicit: None,
            site: cx.site(region.name.span),
        };
        for line in &region.lines {
            match &line.kind {
                RegionLine::Prints(text) => once(cx, &mut prints, text.value.clone(), line.span, "prints"),
                RegionLine::Inside(text) => once(cx, &mut inside, text.value.clone(), line.span, "inside"),
                RegionLine::Forbids(names) => {
                    for name in names {
                        match of(FORBIDDEN, &name.name) {
                            Some(flag) => row.flags |= flag,
                            None => cx.report(Diagnostic::unknown(
                                Code::UnknownName,
                                "thing to forbid",
                                &name.name,
                                name.span,
                                words(FORBIDDEN),
                            )),
                        }
                    }
                }
                RegionLine::Allows(names) => row.allows.extend(callables(cx, scope, names)),
                RegionLine::OnLeave { from, to } => row.on_leave.extend(on_leave(cx, scope, from, to)),
                RegionLine::Implicit(when) => {
                    let when = guard(cx, scope, when);
                    once(cx, &mut implicit, when, line.span, "implicit");
                }
                RegionLine::Flag(word) if word.name == "counted" => row.flags |= RegionFlags::COUNTED,
                RegionLine::Flag(_) => row.flags |= RegionFlags::ORDERED,
            }
        }
        if let Some((text, _)) = inside {
            row.inside = text;
        }
        if let Some((text, _)) = prints {
            row.prints = text;
        }
        row.implicit = implicit.and_then(|(when, _)| when);
        rows.push(row);
    }
    rows
}

fn on_leave(cx: &mut Cx<'_>, scope: &Scope, from: &Ident, to: &Ident) -> Option<OnLeave> {
    let mut flag = |name: &Ident| {
        let found = TypeFlags::from_name(&name.name);
        if found.is_none() {
            let known: Vec<&str> = TypeFlags::all().iter_names().map(|(name, _)| name).collect();
            cx.report(Diagnostic::unknown(Code::UnknownName, "modifier", &name.name, name.span, known));
        }
        found
    };
    let from = flag(from);
    let is_number = scope.kinds.get(&to.name).is_some_and(|kind| kind == u64::from(scope.scalar.kind.0));
    let to = if is_number { Some(TypeFlags::empty()) } else { flag(to) };
    Some(OnLeave { from: from?, to: to? })
}

/// Names of callables that are there.
fn callables(cx: &mut Cx<'_>, scope: &Scope, names: &[Ident]) -> Vec<String> {
    names.iter().filter(|name| scope.helpers.find(cx, name).is_some()).map(|name| name.name.clone()).collect()
}

/// All kinds of objects in stack slots.
pub(super) fn stack_objects(cx: &mut Cx<'_>, all: &Collected<'_>) -> Vec<StackObject> {
    let mut rows = Vec::new();
    for (object, item) in &all.stack_objects {
        let size = cx.narrow::<u32>(object.size.value, object.size.span, "the size").unwrap_or(8);
        if size == 0 || !size.is_multiple_of(8) || size > 512 {
            let text = format!("a stack object fills whole slots of 8 bytes, not {size} bytes");
            cx.report(Diagnostic::new(Code::OutOfRange, object.size.span, text));
        }
        let mut prints = None;
        let mut states: Vec<(&Ident, bool)> = Vec::new();
        for line in &object.lines {
            match &line.kind {
                StackObjectLine::Prints(text) => {
                    once(cx, &mut prints, text.value.clone(), line.span, "prints");
                }
                StackObjectLine::State { name, owned } => {
                    if let Some((first, _)) = states.iter().find(|(first, _)| first.name == name.name) {
                        let text = format!("state `{}` is declared twice", name.name);
                        let found = Diagnostic::new(Code::DuplicateName, name.span, text)
                            .with(first.span, "declared first here");
                        cx.report(found);
                        continue;
                    }
                    states.push((name, owned.is_some()));
                }
            }
        }
        if states.is_empty() {
            let text = format!("stack object `{}` has no state", object.name.name);
            cx.report(
                Diagnostic::new(Code::MissingClause, object.name.span, text).help("write `state NAME;`"),
            );
        }
        rows.push(StackObject {
            name: object.name.name.clone(),
            docs: item.doc.text(),
            prints: prints.map_or_else(|| object.name.name.clone(), |(text, _)| text),
            size,
            states: states.into_iter().map(|(name, owned)| (name.name.clone(), owned)).collect(),
            site: cx.site(object.name.span),
        });
    }
    rows
}

/// All signatures of callbacks. What feeds their registers, calls say.
pub(super) fn callbacks(
    cx: &mut Cx<'_>,
    all: &Collected<'_>,
    scope: &Scope,
    kinds: &[Kind],
) -> Vec<Callback> {
    let mut rows = Vec::new();
    for (callback, item) in &all.callbacks {
        let mut row = Callback {
            name: callback.name.name.clone(),
            docs: item.doc.text(),
            flags: CallbackFlags::empty(),
            returns: None,
            forbids: Vec::new(),
            site: cx.site(callback.name.span),
        };
        let (mut mode, mut returns) = (None, None);
        let mut registers: Vec<&Ident> = Vec::new();
        for line in &callback.lines {
            match &line.kind {
                CallbackLine::Flag(word) => match word.name.as_str() {
                    "sync" => once(cx, &mut mode, CallbackFlags::empty(), line.span, "sync"),
                    "async" => once(cx, &mut mode, CallbackFlags::ASYNC, line.span, "async"),
                    _ => row.flags |= CallbackFlags::SLEEPABLE,
                },
                CallbackLine::Returns(range) => {
                    let range = range_of(cx, range);
                    once(cx, &mut returns, range, line.span, "returns");
                }
                CallbackLine::Forbids(names) => row.forbids.extend(callables(cx, scope, names)),
                CallbackLine::Register { register, value, flags, .. } => {
                    if let Some(first) = registers.iter().find(|first| first.name == register.name) {
                        let first = first.span;
                        cx.repeated(&register.name, register.span, first);
                    }
                    registers.push(register);
                    super::kinds::flags(cx, flags);
                    register_value(cx, scope, kinds, value);
                }
            }
        }
        match mode {
            Some((mode, _)) => row.flags |= mode,
            None => {
                let text = format!("callback `{}` does not say when it runs", callback.name.name);
                let found = Diagnostic::new(Code::MissingClause, callback.name.span, text);
                cx.report(found.help("write `sync;`, during the call, or `async;`, after it"));
            }
        }
        row.returns = returns.and_then(|(range, _)| range);
        rows.push(row);
    }
    rows
}

/// Reports what is no value of a callback's register.
fn register_value(cx: &mut Cx<'_>, scope: &Scope, kinds: &[Kind], value: &[Ident]) {
    match value {
        [caller, _] if caller.name == "caller" => {}
        [name] if value_type(scope, kinds, name).is_some() => {}
        [name] => {
            let known: Vec<&str> = scope.kinds.names().chain(scope.objects.names()).collect();
            cx.report(Diagnostic::unknown(Code::UnknownName, "value", &name.name, name.span, known));
        }
        [first, ..] => {
            let text = "a register holds `caller.ARG`, a kind, or an object";
            cx.report(Diagnostic::new(Code::BadExpression, first.span, text));
        }
        [] => {}
    }
}

/// The kind, and the object, that a name stands for as a register's value.
pub(super) fn value_type(scope: &Scope, kinds: &[Kind], name: &Ident) -> Option<(KindId, Subject)> {
    if let Some(kind) = scope.kinds.get(&name.name) {
        return Some((KindId(u8::try_from(kind).ok()?), Subject::None));
    }
    let object = u16::try_from(scope.objects.get(&name.name)?).ok()?;
    let kind = kinds.iter().position(|kind| kind.behaviour == Behaviour::Object)?;
    Some((KindId(u8::try_from(kind).ok()?), Subject::Object(object)))
}

fn range_of(cx: &mut Cx<'_>, range: &Range) -> Option<(i64, i64)> {
    let mut bound = |expr: &Expr| match expr.constant().map(i64::try_from) {
        Some(Ok(value)) => Some(value),
        _ => {
            let text = "a returned value is a number of 64 bits";
            cx.report(Diagnostic::new(Code::BadExpression, expr.span, text));
            None
        }
    };
    let (low, high) = (bound(&range.lo), bound(range.hi()));
    let (low, high) = (low?, high?);
    cx.ordered(&low, &high, range.span);
    Some((low, high))
}

/// All types of objects.
pub(super) fn objects(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope, views: &Views) -> Vec<Object> {
    let mut rows = Vec::new();
    for (at, (object, item)) in all.objects.iter().enumerate() {
        let btf = object.btf.as_ref().map(|btf| btf.name.as_ref().unwrap_or(&object.name).name.clone());
        if let (Some(btf), Some(field)) = (&object.btf, object.fields.first()) {
            let text = "an object of the target's BTF has its layout from there";
            cx.report(Diagnostic::new(Code::MisplacedItem, field.span, text).with(btf.span, "of BTF"));
        }
        let mut row = Object {
            name: object.name.name.clone(),
            docs: item.doc.text(),
            btf,
            view: if object.btf.is_none() { views.of_object(at) } else { None },
            upcasts: Vec::new(),
            fields: Vec::new(),
            flags: ObjectFlags::empty(),
            site: cx.site(object.name.span),
        };
        for line in &object.lines {
            match &line.kind {
                ObjectLine::Trust { trust, fields, when } => {
                    let when = match when {
                        None => Some(Guard::Always),
                        Some(when) => guard(cx, scope, when),
                    };
                    let trust = of(TRUST, &trust.name).unwrap_or(Trust::Trusted);
                    let Some(when) = when else { continue };
                    row.fields.extend(fields.iter().map(|field| (field.name.clone(), trust, when.clone())));
                }
                ObjectLine::Upcast(names) => {
                    for name in names {
                        let to = scope.objects.find(cx, name).and_then(|to| u16::try_from(to).ok());
                        row.upcasts.extend(to);
                    }
                }
                ObjectLine::Flag(word) if word.name == "external" => row.flags |= ObjectFlags::EXTERNAL,
                ObjectLine::Flag(word) if word.name == "plain" => row.flags |= ObjectFlags::PLAIN,
                ObjectLine::Flag(_) => row.flags |= ObjectFlags::RCU,
            }
        }
        rows.push(row);
    }
    cycles(cx, all, &rows);
    rows
}

/// Reports objects that are their own first member.
fn cycles(cx: &mut Cx<'_>, all: &Collected<'_>, rows: &[Object]) {
    for (at, (object, _)) in all.objects.iter().enumerate() {
        let mut seen = vec![false; rows.len()];
        let mut open: Vec<u16> = rows[at].upcasts.clone();
        while let Some(next) = open.pop() {
            let next = usize::from(next);
            if next == at {
                let text = format!("object `{}` is its own first member", object.name.name);
                cx.report(Diagnostic::new(Code::UpcastCycle, object.name.span, text));
                break;
            }
            if let (Some(slot @ false), Some(row)) = (seen.get_mut(next), rows.get(next)) {
                *slot = true;
                open.extend(&row.upcasts);
            }
        }
    }
}
