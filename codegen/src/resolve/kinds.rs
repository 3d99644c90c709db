//! Register kinds, register types, argument classes.

use probity_platform::{ArgRole, Behaviour, KindId, OffsetRule, RegType, TypeFlags};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{ArgClass, Kind};
use crate::source::Span;
use crate::syntax::ast::{Ident, KindPropKind, TypeExpr};

use super::cx::{Cx, once};
use super::items::Collected;
use super::names::{BEHAVIOURS, ROLES, of, words};
use super::scope::Scope;

/// All kinds, in the order of their declaration.
pub(super) fn kinds(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope) -> Vec<Kind> {
    all.kinds
        .iter()
        .map(|(kind, item)| {
            let mut prints = None;
            let mut offset = None;
            let mut bound: Option<(Ident, Span)> = None;
            let (mut no_arithmetic, mut never_null) = (None, None);
            for prop in &kind.props {
                match &prop.kind {
                    KindPropKind::Prints(text) => {
                        let text = text.value.clone();
                        once(cx, &mut prints, text, prop.span, "prints");
                    }
                    KindPropKind::Offset(rule) => {
                        let value = offset_rule(cx, rule);
                        once(cx, &mut offset, value, prop.span, "offset");
                    }
                    KindPropKind::Bound(name) => once(cx, &mut bound, name.clone(), prop.span, "bound"),
                    KindPropKind::Flag(word) => match word.name.as_str() {
                        "never_null" => once(cx, &mut never_null, true, prop.span, "never_null"),
                        "no_arithmetic" => once(cx, &mut no_arithmetic, true, prop.span, "no_arithmetic"),
                        _ => cx.report(Diagnostic::unknown(
                            Code::UnknownKeyword,
                            "property",
                            &word.name,
                            word.span,
                            ["never_null", "no_arithmetic"],
                        )),
                    },
                }
            }
            let behaviour = of(BEHAVIOURS, &kind.behaviour.name).unwrap_or_else(|| {
                let word = &kind.behaviour;
                let names = words(BEHAVIOURS);
                let found =
                    Diagnostic::unknown(Code::UnknownBehaviour, "behaviour", &word.name, word.span, names);
                cx.report(found);
                Behaviour::Handle
            });
            let bound = bounding(cx, scope, kind, behaviour, bound);
            let view = match (&kind.view, behaviour) {
                (Some(name), Behaviour::View) => {
                    scope.views.find(cx, name).and_then(|index| u16::try_from(index).ok())
                }
                (None, Behaviour::View) => {
                    let text = format!("kind `{}` is a view and does not say of what", kind.name.name);
                    cx.report(
                        Diagnostic::new(Code::MissingClause, kind.behaviour.span, text)
                            .help("write `view NAME`, the name of a declared view"),
                    );
                    None
                }
                (Some(name), _) => {
                    let text = format!("the behaviour `{}` takes no view", kind.behaviour.name);
                    cx.report(Diagnostic::new(Code::MisplacedItem, name.span, text));
                    None
                }
                (None, _) => None,
            };
            Kind {
                name: kind.name.name.clone(),
                docs: item.doc.text(),
                prints: prints.map_or_else(|| kind.name.name.clone(), |(text, _)| text),
                behaviour,
                offset: offset.map_or(OffsetRule::Zero, |(rule, _)| rule),
                no_arithmetic: no_arithmetic.is_some(),
                never_null: never_null.is_some(),
                bound,
                view,
                site: cx.site(kind.name.span),
            }
        })
        .collect()
}

fn offset_rule(cx: &mut Cx<'_>, rule: &Ident) -> OffsetRule {
    match rule.name.as_str() {
        "zero" => OffsetRule::Zero,
        "fixed" => OffsetRule::Fixed,
        "any" => OffsetRule::Any,
        _ => {
            let names = ["zero", "fixed", "any"];
            cx.report(Diagnostic::unknown(Code::UnknownName, "offset rule", &rule.name, rule.span, names));
            OffsetRule::Zero
        }
    }
}

fn bounding(
    cx: &mut Cx<'_>,
    scope: &Scope,
    kind: &crate::syntax::ast::Kind,
    behaviour: Behaviour,
    bound: Option<(Ident, Span)>,
) -> Option<KindId> {
    match (bound, behaviour) {
        (Some((name, _)), Behaviour::Packet) => {
            scope.kinds.find(cx, &name).and_then(|index| u8::try_from(index).ok()).map(KindId)
        }
        (Some((_, span)), _) => {
            let text = format!("the behaviour `{}` has no bound", kind.behaviour.name);
            cx.report(Diagnostic::new(Code::MisplacedItem, span, text));
            None
        }
        (None, Behaviour::Packet) => {
            let text = format!("kind `{}` is packet data and does not say what bounds it", kind.name.name);
            cx.report(
                Diagnostic::new(Code::MissingClause, kind.name.span, text)
                    .help("write `bound KIND;`, the kind of the packet's end"),
            );
            None
        }
        (None, _) => None,
    }
}

/// The register type of `KIND | FLAG | FLAG`.
pub(super) fn reg_type(cx: &mut Cx<'_>, scope: &Scope, ty: &TypeExpr) -> Option<RegType> {
    let kind = scope.kinds.find(cx, &ty.name);
    let flags = flags(cx, &ty.flags);
    no_size(cx, ty);
    let kind = KindId(u8::try_from(kind?).ok()?);
    Some(RegType { kind, flags })
}

/// Reports parentheses behind a type that has none.
pub(super) fn no_size(cx: &mut Cx<'_>, ty: &TypeExpr) {
    if let Some(size) = &ty.size {
        let text = format!("`{}` has no size here", ty.name.name);
        cx.report(Diagnostic::new(Code::WrongArgumentClass, size.span, text));
    }
}

/// Modifiers by name.
pub(super) fn flags(cx: &mut Cx<'_>, names: &[Ident]) -> TypeFlags {
    let mut flags = TypeFlags::empty();
    for name in names {
        match TypeFlags::from_name(&name.name) {
            Some(flag) => flags |= flag,
            None => {
                let known: Vec<&str> = TypeFlags::all().iter_names().map(|(name, _)| name).collect();
                let found = Diagnostic::unknown(Code::UnknownName, "modifier", &name.name, name.span, known);
                cx.report(found);
            }
        }
    }
    flags
}

/// All argument classes, `extend` merged in.
pub(super) fn arg_classes(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope) -> Vec<ArgClass> {
    let mut classes: Vec<ArgClass> = Vec::new();
    for (class, item) in &all.arg_classes {
        let role = of(ROLES, &class.role.name).unwrap_or_else(|| {
            let word = &class.role;
            let found =
                Diagnostic::unknown(Code::UnknownBehaviour, "role", &word.name, word.span, words(ROLES));
            cx.report(found);
            ArgRole::Anything
        });
        let number = takes_numbers(role);
        if number && let Some(first) = class.accepts.first() {
            let text = format!("a class of the role `{}` accepts numbers, not pointers", class.role.name);
            cx.report(Diagnostic::new(Code::MisplacedItem, first.span, text));
        }
        if !number && class.accepts.is_empty() {
            let text = format!("class `{}` accepts nothing", class.name.name);
            cx.report(
                Diagnostic::new(Code::MissingClause, class.name.span, text)
                    .help("write `accepts KIND, KIND;`"),
            );
        }
        let accepts = class.accepts.iter().filter_map(|ty| reg_type(cx, scope, ty)).collect();
        classes.push(ArgClass {
            name: class.name.name.clone(),
            docs: item.doc.text(),
            role,
            accepts,
            site: cx.site(class.name.span),
        });
    }
    for (extend, _) in &all.extends {
        let Some(index) = scope.arg_classes.find(cx, &extend.name) else { continue };
        let more: Vec<RegType> = extend.accepts.iter().filter_map(|ty| reg_type(cx, scope, ty)).collect();
        let Some(class) = usize::try_from(index).ok().and_then(|index| classes.get_mut(index)) else {
            continue;
        };
        for ty in more {
            if !class.accepts.contains(&ty) {
                class.accepts.push(ty);
            }
        }
    }
    classes
}

/// True for the roles of numbers.
pub(super) fn takes_numbers(role: ArgRole) -> bool {
    matches!(
        role,
        ArgRole::Anything
            | ArgRole::Scalar
            | ArgRole::Size
            | ArgRole::SizeOrZero
            | ArgRole::AllocSize
            | ArgRole::AllocSizeOrZero
            | ArgRole::Const
            | ArgRole::ConstSize
            | ArgRole::Int
            | ArgRole::Ignored
            | ArgRole::Hidden
    )
}
