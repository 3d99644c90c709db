//! Regions that are entered and left, stack objects that are made and ended, pointers whose end is
//! known.

use probity_platform::{Behaviour, RegionFlags, RetType, Subject};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Kind, Region, StackObject, Step};
use crate::resolve::cx::Cx;
use crate::resolve::helpers::Built;
use crate::resolve::items::Collected;
use crate::source::Span;

/// Reports returned pointers of which nothing says how long they are good, where a host returns them.
pub(crate) fn lifetimes(cx: &mut Cx<'_>, all: &Collected<'_>, callables: &[Built], kinds: &[Kind]) {
    if all.host.is_some() {
        return;
    }
    for built in callables {
        let RetType::Pointer(ty) = built.row.ret.ty else { continue };
        let behaviour = kinds.get(usize::from(ty.kind.0)).map(|kind| kind.behaviour);
        let hosts = matches!(
            behaviour,
            Some(Behaviour::Object | Behaviour::View | Behaviour::Region | Behaviour::Handle)
        );
        if hosts && !built.derives && built.row.body.is_none() && !built.row.steps.iter().any(is_unsupported)
        {
            let text = format!("nothing says how long what `{}` returns is good", built.row.name);
            let found = Diagnostic::new(Code::NoLifetime, built.span, text);
            cx.report(found.help(
                "write `lifetime run;`, `lifetime until CALLABLE;`, `acquires CLASS;` or `casts ARG;`",
            ));
        }
    }
}

fn is_unsupported<T>((_, step): &(T, Step)) -> bool {
    matches!(step, Step::Unsupported { .. })
}

/// Reports regions that are only entered or only left, and marks those that locks hold.
pub(crate) fn regions(cx: &mut Cx<'_>, all: &Collected<'_>, callables: &[Built], rows: &mut [Region]) {
    for (at, row) in (0u16..).zip(rows) {
        let span = all.regions[usize::from(at)].0.name.span;
        let entered = callables.iter().find(|built| built.entered.contains(&at));
        let left = callables.iter().find(|built| built.left.contains(&at));
        match (entered, left) {
            (Some(entered), None) => report(
                cx,
                Code::NeverLeft,
                span,
                format!("nothing leaves the region `{}`", row.name),
                Some((entered.span, "entered by this")),
                format!("declare a callable with `leaves {};`", row.name),
            ),
            (None, _) => report(
                cx,
                Code::NeverEntered,
                span,
                format!("nothing enters the region `{}`", row.name),
                left.map(|left| (left.span, "left by this")),
                format!("declare a callable with `enters {};`", row.name),
            ),
            (Some(_), Some(_)) => {}
        }
        let by_lock = |built: &Built| {
            built.row.steps.iter().any(|(_, step)| match step {
                Step::Enter { region, by: Some(by), .. } if *region == at => {
                    let subject = built.row.args.get(usize::from(*by)).map(|arg| arg.subject);
                    matches!(subject, Some(Subject::Field(_)))
                }
                _ => false,
            })
        };
        row.flags.set(RegionFlags::LOCK, callables.iter().any(by_lock));
    }
}

/// Reports stack objects that nothing makes, and owned states that nothing ends.
pub(crate) fn stack_objects(cx: &mut Cx<'_>, all: &Collected<'_>, callables: &[Built], rows: &[StackObject]) {
    for (at, row) in (0u16..).zip(rows) {
        let span = all.stack_objects[usize::from(at)].0.name.span;
        let of = |built: &Built, arg: u8| {
            built.row.args.get(usize::from(arg)).map(|arg| arg.subject) == Some(Subject::StackObject(at))
        };
        let does = |what: fn(&Step) -> Option<u8>| {
            callables.iter().find(|built| {
                built.row.steps.iter().any(|(_, step)| what(step).is_some_and(|arg| of(built, arg)))
            })
        };
        let made = does(|step| match step {
            Step::Construct(arg, ..) | Step::Clone(_, arg, _) => Some(*arg),
            Step::Enter { by, .. } => *by,
            _ => None,
        });
        let ended = does(|step| match step {
            Step::Destroy(arg, _) => Some(*arg),
            Step::Leave { by, .. } => *by,
            _ => None,
        });
        if made.is_none() {
            let text = format!("nothing makes the stack object `{}`", row.name);
            let help = "declare a callable with `constructs ARG as STATE;`".to_owned();
            report(cx, Code::NeverConstructed, span, text, None, help);
        }
        if let Some((state, _)) = row.states.iter().find(|(_, owned)| *owned)
            && ended.is_none()
        {
            let text = format!("nothing ends the stack object `{}`, which `{state}` demands", row.name);
            let help = "declare a callable with `destroys ARG;`".to_owned();
            let place = made.map(|made| (made.span, "made by this"));
            report(cx, Code::NeverDestroyed, span, text, place, help);
        }
    }
}

fn report(cx: &mut Cx<'_>, code: Code, span: Span, text: String, with: Option<(Span, &str)>, help: String) {
    let mut found = Diagnostic::new(code, span, text).help(help);
    if let Some((span, label)) = with {
        found = found.with(span, label);
    }
    cx.report(found);
}
