//! That classes accept what their roles can take.

use probity_platform::{ArgRole, Behaviour, OffsetRule};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{ArgClass, Kind};
use crate::resolve::cx::Cx;
use crate::resolve::items::Collected;

/// What an argument of a role may point to, in words; None: that is for the engine to look at.
fn takes(role: ArgRole) -> Option<(&'static [Behaviour], &'static str)> {
    Some(match role {
        ArgRole::Map => (&[Behaviour::Map], "maps"),
        ArgRole::Func => (&[Behaviour::Func], "functions"),
        ArgRole::Stack => (&[Behaviour::Stack], "the stack"),
        ArgRole::StackObject => (&[Behaviour::Stack, Behaviour::StackObject], "the stack and stack objects"),
        ArgRole::Object => (&[Behaviour::Object], "objects"),
        ArgRole::Field => (&[Behaviour::MapValue, Behaviour::Object], "values of maps and objects"),
        ArgRole::ConstStr => (&[Behaviour::MapValue], "values of maps"),
        _ => return None,
    })
}

/// Reports classes that accept kinds which an argument of their role can't be: the engine and bodies
/// take what such an argument points to by its role.
pub(crate) fn classes(cx: &mut Cx<'_>, all: &Collected<'_>, classes: &[ArgClass], kinds: &[Kind]) {
    let written = all.arg_classes.iter().map(|(class, _)| (&class.name, &class.accepts));
    let extended = all.extends.iter().map(|(extend, _)| (&extend.name, &extend.accepts));
    for (name, accepts) in written.chain(extended) {
        let Some(class) = classes.iter().find(|class| class.name == name.name) else { continue };
        let Some((behaviours, what)) = takes(class.role) else { continue };
        for ty in accepts {
            let Some(kind) = kinds.iter().find(|kind| kind.name == ty.name.name) else { continue };
            let text = if !behaviours.contains(&kind.behaviour) {
                format!("class `{}` takes {what}, and `{}` is something else", name.name, kind.name)
            } else if class.role == ArgRole::Map && kind.offset != OffsetRule::Zero {
                format!("class `{}` takes maps, and `{}` may point into one", name.name, kind.name)
            } else {
                continue;
            };
            cx.report(Diagnostic::new(Code::ClassKind, ty.span, text));
        }
    }
}
