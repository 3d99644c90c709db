//! Words of callables that are facts: flags, bodies, and what an engine must model.

use probity_platform::demand::Gives;
use probity_platform::{ArgRole, CallableFlags, Concepts, Intrinsic, Ret, Subject};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Callable, Step};
use crate::source::Span;
use crate::syntax::ast::Ident;

use super::cx::Cx;

/// What an engine must model to follow calls of a callable.
pub(super) fn concepts(row: &Callable, roles: &[ArgRole], asynchronous: bool) -> Concepts {
    let of_role = |role: &ArgRole| match role {
        ArgRole::Object => Concepts::OBJECT,
        ArgRole::StackObject => Concepts::STACK_OBJECT,
        ArgRole::Field => Concepts::SPECIAL_FIELD,
        ArgRole::ConstStr => Concepts::CONST_STR,
        _ => Concepts::empty(),
    };
    let of_step = |step: &Step| match step {
        Step::ReturnOf(..) => Concepts::RETURN_BY_ARGUMENT,
        Step::Enter { by: Some(by), .. } | Step::Leave { by: Some(by), .. }
            if roles.get(usize::from(*by)) == Some(&ArgRole::Field) =>
        {
            Concepts::LOCK
        }
        Step::Enter { .. } | Step::Leave { .. } => Concepts::REGION,
        Step::Construct(..) | Step::Advance(..) | Step::Destroy(..) | Step::Clone(..) | Step::Slice(_) => {
            Concepts::STACK_OBJECT
        }
        Step::Disown(..) => Concepts::OWNERSHIP,
        Step::CallBack { .. } if asynchronous => Concepts::ASYNC_CALLBACK,
        Step::CallBack { .. } => Concepts::CALLBACK,
        Step::Format(..) => Concepts::FORMAT,
        Step::Throw(_) => Concepts::THROW,
        _ => Concepts::empty(),
    };
    let mut concepts: Concepts = roles.iter().map(of_role).collect();
    concepts.extend(row.steps.iter().map(|(_, step)| of_step(step)));
    if matches!(row.ret.subject, Subject::Object(_)) {
        concepts |= Concepts::OBJECT;
    }
    concepts
}

pub(super) fn flag(cx: &mut Cx<'_>, word: &Ident) -> CallableFlags {
    match word.name.as_str() {
        "gpl_only" => CallableFlags::GPL_ONLY,
        "pkt_access" => CallableFlags::PKT_ACCESS,
        "might_sleep" => CallableFlags::MIGHT_SLEEP,
        "fastcall" => CallableFlags::FASTCALL,
        "map_read" => CallableFlags::MAP_READ,
        "map_write" => CallableFlags::MAP_WRITE,
        "variadic" => CallableFlags::VARIADIC,
        "throws" => CallableFlags::THROWS,
        _ => {
            let names =
                ["gpl_only", "pkt_access", "might_sleep", "fastcall", "map_read", "map_write", "variadic"];
            cx.report(Diagnostic::unknown(Code::UnknownKeyword, "word", &word.name, word.span, names));
            CallableFlags::empty()
        }
    }
}

pub(super) fn intrinsic(
    cx: &mut Cx<'_>,
    word: &Ident,
    roles: &[ArgRole],
    ret: &Ret,
    proto: Span,
) -> Option<Intrinsic> {
    let Some(row) = Intrinsic::ALL.iter().find(|row| row.word == word.name) else {
        let names = Intrinsic::ALL.iter().map(|row| row.word);
        let found = Diagnostic::unknown(Code::UnknownIntrinsic, "body", &word.name, word.span, names);
        cx.report(found);
        return None;
    };
    if !row.fits(roles, ret.ty) {
        let words: Vec<&str> = row
            .roles
            .iter()
            .filter_map(|role| super::names::ROLES.iter().find(|(_, known)| known == role))
            .map(|(word, _)| *word)
            .collect();
        let gives = match row.gives {
            Gives::Pointer => "it returns a pointer",
            _ => "it returns a number or nothing",
        };
        let found = Diagnostic::new(
            Code::IntrinsicSignature,
            proto,
            format!("the prototype is not that of `{}`", word.name),
        )
        .with(word.span, "the body")
        .help(format!("its arguments have the roles {}, and {gives}", words.join(", ")));
        cx.report(found);
    }
    Some(row.intrinsic)
}
