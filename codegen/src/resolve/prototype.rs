//! Prototypes: arguments and what is returned.

use probity_platform::{
    ArgRole, Behaviour, KindId, Lifetime, RegType, Relation, Ret, RetType, Subject, TypeFlags,
};

use crate::Diagnostic;
use crate::check;
use crate::code::Code;
use crate::model::{Arg, ArgClass, Kind, Struct};
use crate::source::Span;
use crate::syntax::ast::{self, Ident, TypeExpr};

use super::cx::Cx;
use super::kinds::{flags, no_size, takes_numbers};
use super::names::{INTS, ROLES, of, words};
use super::scope::{Scope, Table};

/// What types in prototypes are looked up in.
pub(super) struct Types<'a> {
    pub(super) scope: &'a Scope,
    pub(super) kinds: &'a [Kind],
    pub(super) classes: &'a [ArgClass],
    pub(super) structs: &'a [Struct],
}

impl Types<'_> {
    /// The first class with a role: what a C integer, an object, a stack object or a special field
    /// means where it stands as a type.
    fn class_with(&self, cx: &mut Cx<'_>, role: ArgRole, span: Span) -> Option<u8> {
        let index = self.classes.iter().position(|class| class.role == role);
        if index.is_none() {
            let word = ROLES.iter().find(|(_, known)| *known == role).map_or("", |(word, _)| word);
            let text = format!("no argument class has the role `{word}`, which such a type stands for");
            cx.report(
                Diagnostic::new(Code::MissingClause, span, text)
                    .help(format!("declare one: `argclass NAME: {word} {{ accepts KIND; }}`")),
            );
        }
        index.and_then(|index| u8::try_from(index).ok())
    }

    /// What a name stands for as a type, apart from argument classes.
    fn subject(&self, name: &str) -> Option<(ArgRole, Subject)> {
        let index = |table: &Table| table.get(name).and_then(|index| u16::try_from(index).ok());
        if let Some((bytes, signed)) = of(INTS, name) {
            return Some((ArgRole::Int, Subject::Int { bytes, signed }));
        }
        if let Some(object) = index(&self.scope.objects) {
            return Some((ArgRole::Object, Subject::Object(object)));
        }
        if let Some(object) = index(&self.scope.stack_objects) {
            return Some((ArgRole::StackObject, Subject::StackObject(object)));
        }
        index(&self.scope.special_fields).map(|field| (ArgRole::Field, Subject::Field(field)))
    }

    /// The class, the role and the subject of an argument's type.
    fn argument(&self, cx: &mut Cx<'_>, ty: &TypeExpr) -> Option<(u8, ArgRole, Subject)> {
        if let Some(index) = self.scope.arg_classes.get(&ty.name.name) {
            let role = self.classes.get(usize::try_from(index).ok()?)?.role;
            let subject = match table_of(self.scope, role) {
                Some(table) => self.within(cx, table, role, ty),
                None => Subject::None,
            };
            return Some((u8::try_from(index).ok()?, role, subject));
        }
        let Some((role, subject)) = self.subject(&ty.name.name) else {
            let name = &ty.name;
            let scope = self.scope;
            let known = scope.arg_classes.names().chain(scope.objects.names());
            let known = known.chain(scope.stack_objects.names()).chain(scope.special_fields.names());
            let known: Vec<&str> = known.chain(words(INTS)).collect();
            let what = "argument class";
            cx.report(Diagnostic::unknown(Code::UnknownName, what, &name.name, name.span, known));
            return None;
        };
        no_size(cx, ty);
        Some((self.class_with(cx, role, ty.span)?, role, subject))
    }

    /// The subject that a class names in parentheses, `ARG_PTR_TO_BTF_ID(task_struct)`.
    fn within(&self, cx: &mut Cx<'_>, table: &Table, role: ArgRole, ty: &TypeExpr) -> Subject {
        let Some(expr) = &ty.size else { return Subject::None };
        let Some(name) = expr.name() else {
            cx.report(Diagnostic::new(Code::BadExpression, expr.span, "a name belongs here"));
            return Subject::None;
        };
        let Some(index) = table.find(cx, name).and_then(|index| u16::try_from(index).ok()) else {
            return Subject::None;
        };
        match role {
            ArgRole::Object => Subject::Object(index),
            ArgRole::StackObject => Subject::StackObject(index),
            _ => Subject::Field(index),
        }
    }
}

/// What classes of a role name in parentheses.
fn table_of(scope: &Scope, role: ArgRole) -> Option<&Table> {
    match role {
        ArgRole::Object => Some(&scope.objects),
        ArgRole::StackObject => Some(&scope.stack_objects),
        ArgRole::Field => Some(&scope.special_fields),
        _ => None,
    }
}

/// The arguments and their roles.
pub(super) fn arguments(
    cx: &mut Cx<'_>,
    types: &Types<'_>,
    list: &[ast::Arg],
    span: Span,
) -> (Vec<Arg>, Vec<ArgRole>) {
    if list.len() > 5 {
        let text = format!("{} arguments; calls pass five at most", list.len());
        let found = Diagnostic::new(Code::TooManyArguments, span, text).with(list[5].span, "the sixth");
        cx.report(found);
    }
    let mut args: Vec<Arg> = Vec::new();
    let mut roles: Vec<ArgRole> = Vec::new();
    for (index, arg) in list.iter().enumerate() {
        if let Some(first) = list[..index].iter().find(|first| first.name.name == arg.name.name) {
            let text = format!("argument `{}` is declared twice", arg.name.name);
            let found = Diagnostic::new(Code::DuplicateName, arg.name.span, text)
                .with(first.name.span, "declared first here");
            cx.report(found);
        }
        let (row, role) = argument(cx, types, arg);
        args.push(row);
        roles.push(role);
    }
    check::relations(cx, list, &roles, &mut args);
    (args, roles)
}

fn argument(cx: &mut Cx<'_>, types: &Types<'_>, arg: &ast::Arg) -> (Arg, ArgRole) {
    let found = types.argument(cx, &arg.ty);
    let known = found.is_some();
    let (class, role, subject) = found.unwrap_or((0, ArgRole::Anything, Subject::None));
    let mut flags = flags(cx, &arg.ty.flags);
    let memory = if table_of(types.scope, role).is_some() { None } else { memory(cx, types, &arg.ty) };
    if memory.is_some() {
        flags |= TypeFlags::MEM_FIXED_SIZE;
        if role != ArgRole::Mem {
            let text = "only memory has a size";
            cx.report(Diagnostic::new(Code::WrongArgumentClass, arg.ty.span, text));
        }
    }
    let pointer_only = TypeFlags::PTR_MAYBE_NULL | TypeFlags::MEM_UNINIT | TypeFlags::MEM_WRITE;
    if known && takes_numbers(role) && flags.intersects(pointer_only) {
        let text = format!("`{}` takes numbers: it is never null and is no memory", arg.ty.name.name);
        cx.report(Diagnostic::new(Code::WrongArgumentClass, arg.ty.span, text));
    }
    let row = Arg {
        name: arg.name.name.clone(),
        class,
        subject,
        flags,
        size: memory.map_or(0, |memory| memory.size),
        structure: memory.and_then(|memory| memory.structure),
        relation: Relation::None,
        site: cx.site(arg.span),
    };
    (row, role)
}

/// Memory of a fixed size.
#[derive(Clone, Copy)]
struct Memory {
    size: u32,
    /// The struct whose size that is.
    structure: Option<u16>,
}

/// What stands in the parentheses behind a type of memory: a number of bytes, or a struct's name. What
/// is wrong there is some size all the same: that none is said would be one report too many.
fn memory(cx: &mut Cx<'_>, types: &Types<'_>, ty: &TypeExpr) -> Option<Memory> {
    let expr = ty.size.as_ref()?;
    if let Some(name) = expr.name() {
        let at = types.scope.structs.find(cx, name).and_then(|at| u16::try_from(at).ok());
        let row = at.and_then(|at| types.structs.get(usize::from(at)));
        return Some(Memory { size: row.map_or(1, |row| row.size), structure: at });
    }
    match expr.constant().map(u32::try_from) {
        Some(Ok(size)) if size > 0 => Some(Memory { size, structure: None }),
        Some(_) => {
            cx.report(Diagnostic::new(Code::OutOfRange, expr.span, "a size is a positive number"));
            Some(Memory { size: 1, structure: None })
        }
        None => {
            cx.report(Diagnostic::new(
                Code::BadExpression,
                expr.span,
                "a size is a number, or a struct's name",
            ));
            Some(Memory { size: 1, structure: None })
        }
    }
}

fn plain(ty: RetType, subject: Subject) -> Ret {
    Ret { ty, map: None, size: 0, subject, lifetime: Lifetime::Source }
}

/// The return: `RET_INTEGER`, `RET_VOID`, `RET_PTR_TO_X`, a kind, `void`, a C integer, an object; and
/// the struct that returned memory is.
pub(super) fn returned(
    cx: &mut Cx<'_>,
    types: &Types<'_>,
    ty: &TypeExpr,
    roles: &[ArgRole],
) -> (Ret, Option<u16>) {
    let number = match ty.name.name.as_str() {
        "RET_INTEGER" => Some(plain(RetType::Integer, Subject::None)),
        "RET_VOID" | "void" => Some(plain(RetType::Void, Subject::None)),
        name => of(INTS, name).map(|(bytes, signed)| plain(RetType::Integer, Subject::Int { bytes, signed })),
    };
    if let Some(ret) = number {
        flags(cx, &ty.flags);
        no_size(cx, ty);
        if let Some(first) = ty.flags.first() {
            let text = format!("`{}` is no pointer", ty.name.name);
            cx.report(Diagnostic::new(Code::WrongArgumentClass, first.span, text));
        }
        return (ret, None);
    }
    let modifiers = flags(cx, &ty.flags);
    if types.scope.kinds.get(&ty.name.name).is_none()
        && let Some(object) = types.scope.objects.get(&ty.name.name)
    {
        no_size(cx, ty);
        return (object_pointer(cx, types, ty, modifiers, object), None);
    }
    let Some(kind) = kind(cx, types, &ty.name) else {
        return (plain(RetType::Integer, Subject::None), None);
    };
    let behaviour = types.kinds.get(usize::from(kind)).map(|kind| kind.behaviour);
    let (memory, subject) = if behaviour == Some(Behaviour::Object) {
        (None, types.within(cx, &types.scope.objects, ArgRole::Object, ty))
    } else if behaviour == Some(Behaviour::Region) {
        (memory(cx, types, ty), Subject::None)
    } else {
        no_size(cx, ty);
        (None, Subject::None)
    };
    let of_map = behaviour == Some(Behaviour::MapValue);
    let map = roles.iter().position(|role| *role == ArgRole::Map).and_then(|at| u8::try_from(at).ok());
    if of_map && map.is_none() {
        let text = "the returned value is of a map, and no argument is a map";
        cx.report(Diagnostic::new(Code::NoMapBefore, ty.span, text));
    }
    let ty = RetType::Pointer(RegType { kind: KindId(kind), flags: modifiers });
    let size = memory.map_or(0, |memory| memory.size);
    let ret = Ret { ty, map: map.filter(|_| of_map), size, subject, lifetime: Lifetime::Source };
    (ret, memory.and_then(|memory| memory.structure))
}

/// A pointer to an object: of the first kind with that behaviour.
fn object_pointer(cx: &mut Cx<'_>, types: &Types<'_>, ty: &TypeExpr, flags: TypeFlags, object: u64) -> Ret {
    let index = types.kinds.iter().position(|kind| kind.behaviour == Behaviour::Object);
    let Some(kind) = index.and_then(|index| u8::try_from(index).ok()) else {
        let text = "no kind has the behaviour `object`: nothing points to one";
        cx.report(
            Diagnostic::new(Code::MissingClause, ty.span, text)
                .help("write `use core::{ objects };`, or declare such a kind"),
        );
        return plain(RetType::Integer, Subject::None);
    };
    let subject = u16::try_from(object).map_or(Subject::None, Subject::Object);
    plain(RetType::Pointer(RegType { kind: KindId(kind), flags }), subject)
}

fn kind(cx: &mut Cx<'_>, types: &Types<'_>, name: &Ident) -> Option<u8> {
    let kind = match name.name.strip_prefix("RET_") {
        Some(rest) if types.scope.kinds.get(&name.name).is_none() => {
            let found = types.scope.kinds.get(rest);
            if found.is_none() {
                let names: Vec<String> = types
                    .kinds
                    .iter()
                    .map(|kind| format!("RET_{}", kind.name))
                    .chain(["RET_INTEGER".into(), "RET_VOID".into()])
                    .collect();
                let names = names.iter().map(String::as_str);
                cx.report(Diagnostic::unknown(Code::UnknownName, "return", &name.name, name.span, names));
            }
            found
        }
        _ => types.scope.kinds.find(cx, name),
    };
    kind.and_then(|kind| u8::try_from(kind).ok())
}
