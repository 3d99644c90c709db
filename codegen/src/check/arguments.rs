//! How arguments hang together.

use probity_platform::{ArgRole, Relation, TypeFlags};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Arg, ArgClass};
use crate::resolve::cx::Cx;
use crate::resolve::items::Collected;
use crate::syntax::ast;

/// Finds each argument's relation, and reports memory without size, sizes without memory, and
/// keys and values without a map before them.
pub(crate) fn relations(cx: &mut Cx<'_>, list: &[ast::Arg], roles: &[ArgRole], args: &mut [Arg]) {
    let byte = |index: usize| u8::try_from(index).unwrap_or(u8::MAX);
    let is_size = |role: Option<&ArgRole>| {
        matches!(role, Some(ArgRole::Size | ArgRole::SizeOrZero | ArgRole::ConstSize))
    };
    let mut map: Option<usize> = None;
    for (index, role) in roles.iter().enumerate() {
        let (name, span) = (&list[index].name.name, list[index].span);
        match role {
            ArgRole::Map => map = Some(index),
            ArgRole::MapKey | ArgRole::MapValue => match map {
                Some(map) => args[index].relation = Relation::OfMap(byte(map)),
                None => {
                    let text = format!("`{name}` belongs to a map, and no map stands before it");
                    let mut found = Diagnostic::new(Code::NoMapBefore, span, text);
                    if let Some(later) = roles.iter().position(|role| *role == ArgRole::Map) {
                        found = found.with(list[later].span, "a map stands here, behind it");
                    }
                    cx.report(found);
                }
            },
            ArgRole::Mem => {
                let fixed = args[index].size != 0;
                let sized = is_size(roles.get(index + 1));
                if fixed && sized {
                    let text = format!("`{name}` has a fixed size, and a size argument behind it");
                    let found = Diagnostic::new(Code::SizeWithoutMemory, list[index + 1].span, text)
                        .with(span, "the memory");
                    cx.report(found);
                } else if sized {
                    args[index].relation = Relation::SizedBy(byte(index + 1));
                    args[index + 1].relation = Relation::SizeOf(byte(index));
                } else if !fixed {
                    let text = format!("`{name}` is memory of no size");
                    let found = Diagnostic::new(Code::MemoryWithoutSize, span, text)
                        .help("a size argument must come next, or write the size: `CLASS(16)`");
                    cx.report(found);
                }
            }
            ArgRole::Size | ArgRole::SizeOrZero | ArgRole::ConstSize => {
                let memory = index.checked_sub(1).is_some_and(|before| roles[before] == ArgRole::Mem);
                if !memory {
                    let text = format!("`{name}` is the size of no memory");
                    let found = Diagnostic::new(Code::SizeWithoutMemory, span, text)
                        .help("the memory must come right before it");
                    cx.report(found);
                }
            }
            _ => {}
        }
    }
}

/// Reports classes that accept types that may be null: that is for an argument to say, so that
/// the class says what is behind the pointer.
pub(crate) fn never_null(cx: &mut Cx<'_>, classes: &[ArgClass], all: &Collected<'_>) {
    let written = all.arg_classes.iter().map(|(class, _)| (&class.name, &class.accepts));
    let extended = all.extends.iter().map(|(extend, _)| (&extend.name, &extend.accepts));
    let nullable = TypeFlags::PTR_MAYBE_NULL;
    if !classes.iter().flat_map(|class| &class.accepts).any(|ty| ty.flags.contains(nullable)) {
        return;
    }
    for (name, accepts) in written.chain(extended) {
        for ty in accepts {
            let Some(flag) = ty.flags.iter().find(|flag| flag.name == "PTR_MAYBE_NULL") else { continue };
            let text = format!("class `{}` is fed by a type that may be null", name.name);
            let found = Diagnostic::new(Code::NonNullFedByNullable, flag.span, text)
                .help("leave it out here and write `| PTR_MAYBE_NULL` at the arguments that take null");
            cx.report(found);
        }
    }
}
