//! What flags of a kfunc say beside its clauses.

use probity_platform::{ArgRole, CallableFlags, Concepts, KfuncFlags, RegType, RetType, Subject, TypeFlags};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Callable, Step};
use crate::source::Span;
use crate::syntax::ast::Ident;

use super::clauses::Lowered;
use super::cx::Cx;
use super::scope::Scope;

/// The flags by their names.
pub(super) fn flags(cx: &mut Cx<'_>, names: &[Ident]) -> KfuncFlags {
    let mut flags = KfuncFlags::empty();
    for name in names {
        match KfuncFlags::from_name(&name.name) {
            Some(flag) => flags |= flag,
            None => {
                let known: Vec<&str> = KfuncFlags::all().iter_names().map(|(name, _)| name).collect();
                let found =
                    Diagnostic::unknown(Code::UnknownName, "kfunc flag", &name.name, name.span, known);
                cx.report(found);
            }
        }
    }
    flags
}

/// Makes a kfunc's flags part of its row: what is returned, which argument is given up, which stack
/// object is made, advanced or ended.
pub(super) fn apply(
    cx: &mut Cx<'_>,
    scope: &Scope,
    row: &mut Callable,
    roles: &[ArgRole],
    span: Span,
    out: &mut Lowered,
) {
    let flags = row.kfunc;
    let site = cx.site(span);
    row.flags.set(CallableFlags::MIGHT_SLEEP, flags.contains(KfuncFlags::KF_SLEEPABLE));
    row.flags.set(CallableFlags::FASTCALL, flags.contains(KfuncFlags::KF_FASTCALL));
    if flags.contains(KfuncFlags::KF_RET_NULL)
        && let RetType::Pointer(ty) = row.ret.ty
    {
        let flags = ty.flags | TypeFlags::PTR_MAYBE_NULL;
        row.ret.ty = RetType::Pointer(RegType { flags, ..ty });
    }
    if flags.intersects(KfuncFlags::KF_ARENA_RET | KfuncFlags::KF_ARENA_ARG1 | KfuncFlags::KF_ARENA_ARG2) {
        row.concepts |= Concepts::ARENA;
    }
    if flags.contains(KfuncFlags::KF_ACQUIRE) && out.acquires.is_empty() {
        match object_name(scope, row.ret.subject) {
            Some(class) => {
                out.acquires.push(Ident { name: class.clone(), span });
                out.push(4, None, Step::Acquire { class, site });
            }
            None => unfit(cx, span, "KF_ACQUIRE", "returns no object", "say `acquires CLASS;`"),
        }
    }
    if flags.contains(KfuncFlags::KF_RELEASE) {
        release(cx, scope, row, span, out);
    }
    iterator(cx, scope, row, roles, span, out);
}

/// The argument that is given up: the one that says so, or the first object.
fn release(cx: &mut Cx<'_>, scope: &Scope, row: &mut Callable, span: Span, out: &mut Lowered) {
    let given = |flags: TypeFlags| flags.contains(TypeFlags::OBJ_RELEASE);
    let at = row.args.iter().position(|arg| given(arg.flags));
    let at = at.or_else(|| row.args.iter().position(|arg| matches!(arg.subject, Subject::Object(_))));
    let Some(at) = at else {
        unfit(cx, span, "KF_RELEASE", "takes no object", "write `| OBJ_RELEASE` behind what is given up");
        return;
    };
    row.args[at].flags |= TypeFlags::OBJ_RELEASE;
    if out.releases.is_empty() {
        match object_name(scope, row.args[at].subject) {
            Some(name) => out.releases.push(Ident { name, span }),
            None => unfit(cx, span, "KF_RELEASE", "gives up no object", "say `releases CLASS;`"),
        }
    }
}

fn iterator(
    cx: &mut Cx<'_>,
    scope: &Scope,
    row: &Callable,
    roles: &[ArgRole],
    span: Span,
    out: &mut Lowered,
) {
    let all = [
        (KfuncFlags::KF_ITER_NEW, "KF_ITER_NEW"),
        (KfuncFlags::KF_ITER_NEXT, "KF_ITER_NEXT"),
        (KfuncFlags::KF_ITER_DESTROY, "KF_ITER_DESTROY"),
    ];
    let Some((flag, name)) = all.into_iter().find(|(flag, _)| row.kfunc.contains(*flag)) else { return };
    let site = cx.site(span);
    let states = match row.args.first().map(|arg| arg.subject) {
        Some(Subject::StackObject(object)) if roles.first() == Some(&ArgRole::StackObject) => {
            scope.states_of(object).len()
        }
        _ => 0,
    };
    // The first state is that of a new iterator, the last that behind its end.
    let Some(last) = states.checked_sub(1).and_then(|last| u8::try_from(last).ok()) else {
        unfit(cx, span, name, "has no stack object first", "its first argument is the iterator");
        return;
    };
    match flag {
        KfuncFlags::KF_ITER_NEW => out.push(5, None, Step::Construct(0, 0, site)),
        KfuncFlags::KF_ITER_NEXT => out.push(5, None, Step::Advance(0, last, site)),
        _ => out.push(5, None, Step::Destroy(0, site)),
    }
}

fn object_name(scope: &Scope, subject: Subject) -> Option<String> {
    match subject {
        Subject::Object(object) => Some(scope.object_name(object)?.to_owned()),
        _ => None,
    }
}

fn unfit(cx: &mut Cx<'_>, span: Span, flag: &str, what: &str, help: &str) {
    let text = format!("a kfunc with {flag} that {what}");
    cx.report(Diagnostic::new(Code::KfuncPrototype, span, text).help(help));
}
