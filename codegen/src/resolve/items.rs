//! Items sorted by what they declare, and the small items: policy, limits, switches.

use probity_platform::{Limits, Policy, Site, Switches, Version};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Allowance, Guard, Words};
use crate::source::Span;
use crate::syntax::ast::{
    Allow, ArgClass, Callback, Every, Extend, Helper, Ident, Item, ItemKind, Kind, Line, MapFlags, MapType,
    Object, ProgType, Region, Set, SpecialField, StackObject, Struct, Switch, Targets, VersionLit, View,
    Word,
};

use super::cx::{Cx, once};
use super::guards::guard;
use super::scope::Scope;

/// A declaration and the item it is.
pub(crate) type Of<'a, T> = (&'a T, &'a Item);

/// All items of a platform, the prelude's first.
#[derive(Default)]
pub(crate) struct Collected<'a> {
    pub(crate) platform: Option<Of<'a, Ident>>,
    pub(crate) version: Option<Of<'a, VersionLit>>,
    pub(crate) kinds: Vec<Of<'a, Kind>>,
    pub(crate) arg_classes: Vec<Of<'a, ArgClass>>,
    pub(crate) extends: Vec<Of<'a, Extend>>,
    pub(crate) map_flags: Vec<&'a MapFlags>,
    pub(crate) map_types: Vec<Of<'a, MapType>>,
    pub(crate) global_data: Vec<Of<'a, Ident>>,
    pub(crate) special_fields: Vec<Of<'a, SpecialField>>,
    /// Helpers and kfuncs.
    pub(crate) helpers: Vec<Of<'a, Helper>>,
    pub(crate) callbacks: Vec<Of<'a, Callback>>,
    pub(crate) regions: Vec<Of<'a, Region>>,
    pub(crate) stack_objects: Vec<Of<'a, StackObject>>,
    pub(crate) objects: Vec<Of<'a, Object>>,
    pub(crate) targets: Vec<Of<'a, Targets>>,
    pub(crate) every: Vec<&'a Every>,
    /// `host none;`
    pub(crate) host: Option<Of<'a, Ident>>,
    words: Vec<&'a Line<Word>>,
    pub(crate) views: Vec<Of<'a, View>>,
    pub(crate) structs: Vec<Of<'a, Struct>>,
    pub(crate) sets: Vec<Of<'a, Set>>,
    /// `extend set`: entries behind those of a set.
    pub(crate) more_sets: Vec<&'a Set>,
    pub(crate) prog_types: Vec<Of<'a, ProgType>>,
    policy: Vec<&'a Allow>,
    pub(crate) policy_span: Option<Span>,
    limits: Vec<&'a crate::syntax::ast::Limit>,
    switches: Vec<Of<'a, Switch>>,
}

/// Sorts items by what they declare.
pub(super) fn collect<'a>(cx: &mut Cx<'_>, prelude: &[&'a Item], items: &'a [Item]) -> Collected<'a> {
    let mut all = Collected::default();
    for item in prelude {
        sort(cx, &mut all, item);
    }
    for item in items {
        sort(cx, &mut all, item);
    }
    if all.platform.is_none() {
        let span = items.first().map_or_else(Span::default, |item| item.span);
        cx.report(
            Diagnostic::new(Code::MissingPlatform, span, "no file of the platform says its name")
                .help("begin one file with `platform NAME;`"),
        );
    }
    if let [first, rest @ ..] = all.global_data.as_slice() {
        for (_, item) in rest {
            cx.repeated("global_data", item.span, first.1.span);
        }
    }
    all
}

fn sort<'a>(cx: &mut Cx<'_>, all: &mut Collected<'a>, item: &'a Item) {
    match &item.kind {
        ItemKind::FileDoc | ItemKind::Use(_) => {}
        ItemKind::Platform(name) => match all.platform {
            Some((_, first)) => cx.report(
                Diagnostic::new(Code::SeveralPlatforms, item.span, "a second platform")
                    .with(first.span, "the first"),
            ),
            None => all.platform = Some((name, item)),
        },
        ItemKind::Version(version) => match all.version {
            Some((_, first)) => cx.repeated("version", item.span, first.span),
            None => all.version = Some((version, item)),
        },
        ItemKind::Prelude(_) | ItemKind::Part(_) => cx.report(Diagnostic::new(
            Code::MisplacedItem,
            item.span,
            "preludes and their parts ship with codegen; a platform has none",
        )),
        ItemKind::Kind(kind) => all.kinds.push((kind, item)),
        ItemKind::ArgClass(class) => all.arg_classes.push((class, item)),
        ItemKind::Extend(extend) => all.extends.push((extend, item)),
        ItemKind::MapFlags(flags) => all.map_flags.push(flags),
        ItemKind::MapType(map) => all.map_types.push((map, item)),
        ItemKind::GlobalData(name) => all.global_data.push((name, item)),
        ItemKind::SpecialField(field) => all.special_fields.push((field, item)),
        ItemKind::Helper(helper) => all.helpers.push((helper, item)),
        ItemKind::Callback(callback) => all.callbacks.push((callback, item)),
        ItemKind::Region(region) => all.regions.push((region, item)),
        ItemKind::StackObject(object) => all.stack_objects.push((object, item)),
        ItemKind::Object(object) => all.objects.push((object, item)),
        ItemKind::Targets(targets) => all.targets.push((targets, item)),
        ItemKind::Every(every) => all.every.push(every),
        ItemKind::Words(words) => all.words.extend(words),
        ItemKind::Host(none) => match all.host {
            Some((_, first)) => cx.repeated("host", item.span, first.span),
            None => all.host = Some((none, item)),
        },
        ItemKind::View(view) => all.views.push((view, item)),
        ItemKind::Struct(row) => all.structs.push((row, item)),
        ItemKind::Set(set) => all.sets.push((set, item)),
        ItemKind::ExtendSet(set) => all.more_sets.push(set),
        ItemKind::ProgType(prog) => all.prog_types.push((prog, item)),
        ItemKind::Policy(allows) => {
            all.policy.extend(allows);
            all.policy_span.get_or_insert(item.span);
        }
        ItemKind::Limits(limits) => all.limits.extend(limits),
        ItemKind::Switch(switch) => all.switches.push((switch, item)),
    }
}

/// What the platform allows, and to whom.
pub(super) fn policy(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope) -> Vec<Allowance> {
    let mut rows = Vec::new();
    for allow in &all.policy {
        let policy = allowed(cx, allow);
        let guard = match &allow.when {
            None => Some(Guard::Always),
            Some(when) => guard(cx, scope, when).filter(|guard| {
                let fits = guard.is_of_target();
                if !fits {
                    let text = "a policy is the same for every program of a loader";
                    cx.report(Diagnostic::new(Code::BadExpression, when.span, text).help(
                        "ask about the target: `cap(X)`, `config(X)`, `arch == X`, `since V`, `until V`",
                    ));
                }
                fits
            }),
        };
        if let Some(guard) = guard {
            rows.push(Allowance { policy, guard, site: cx.site(allow.span) });
        }
    }
    rows
}

fn allowed(cx: &mut Cx<'_>, allow: &Allow) -> Policy {
    let mut policy = Policy::default();
    if allow.word.name == "follow" {
        for name in &allow.names {
            if name.name == "speculation" {
                policy.speculation = true;
            } else {
                let found =
                    Diagnostic::unknown(Code::UnknownName, "policy", &name.name, name.span, ["speculation"]);
                cx.report(found);
            }
        }
        return policy;
    }
    for name in &allow.names {
        let slot = match name.name.as_str() {
            "pointer_leaks" => &mut policy.pointer_leaks,
            "uninit_stack" => &mut policy.uninit_stack,
            "atomics" => &mut policy.atomics,
            "loops" => &mut policy.loops,
            "unaligned" => &mut policy.unaligned,
            _ => {
                let names = ["pointer_leaks", "uninit_stack", "atomics", "loops", "unaligned"];
                let found = Diagnostic::unknown(Code::UnknownName, "policy", &name.name, name.span, names);
                cx.report(found);
                continue;
            }
        };
        *slot = true;
    }
    policy
}

/// Messages in the platform's own words.
pub(super) fn words(cx: &mut Cx<'_>, all: &Collected<'_>) -> Words {
    let (mut not_sleepable, mut sleepable_maps) = (None, None);
    for line in &all.words {
        let (name, text) = (&line.kind.name, line.kind.text.value.clone());
        match name.name.as_str() {
            "not_sleepable" => once(cx, &mut not_sleepable, text, line.span, &name.name),
            "sleepable_maps" => once(cx, &mut sleepable_maps, text, line.span, &name.name),
            _ => {
                let names = ["not_sleepable", "sleepable_maps"];
                cx.report(Diagnostic::unknown(Code::UnknownName, "message", &name.name, name.span, names));
            }
        }
    }
    Words {
        not_sleepable: not_sleepable.map(|(text, _)| text),
        sleepable_maps: sleepable_maps.map(|(text, _)| text),
    }
}

/// What the engine's bit masks hold: larger limits are refused.
const MOST: &[(&str, u32)] = &[("frames", 16), ("stack", 512)];

/// Where each limit is declared.
pub(super) fn limit_sites(cx: &Cx<'_>, all: &Collected<'_>) -> Vec<(String, Site)> {
    all.limits.iter().map(|limit| (limit.name.name.clone(), cx.site(limit.name.span))).collect()
}

/// The platform's limits.
pub(super) fn limits(cx: &mut Cx<'_>, all: &Collected<'_>, defaults: Limits) -> Limits {
    let mut limits = defaults;
    let mut seen: Vec<&Ident> = Vec::new();
    for limit in &all.limits {
        if let Some(first) = seen.iter().find(|first| first.name == limit.name.name) {
            let first = first.span;
            cx.repeated(&limit.name.name, limit.name.span, first);
            continue;
        }
        seen.push(&limit.name);
        let Some(value) = cx.narrow::<u32>(limit.value.value, limit.value.span, "the limit") else {
            continue;
        };
        if value == 0 {
            let text = format!("the limit `{}` is 0: nothing would pass", limit.name.name);
            cx.report(Diagnostic::new(Code::EmptyRange, limit.value.span, text));
            continue;
        }
        if let Some((_, most)) = MOST.iter().find(|(name, most)| *name == limit.name.name && value > *most) {
            let text = format!("the limit `{}` is {most} at most", limit.name.name);
            cx.report(Diagnostic::new(Code::OutOfRange, limit.value.span, text));
            continue;
        }
        let slot = match limit.name.name.as_str() {
            "insns" => &mut limits.insns,
            "processed" => &mut limits.processed,
            "pending" => &mut limits.pending,
            "frames" => &mut limits.frames,
            "subprogs" => &mut limits.subprogs,
            "stack" => &mut limits.stack,
            "stack_align" => &mut limits.stack_align,
            "tail_call_stack" => &mut limits.tail_call_stack,
            "may_goto_stack" => &mut limits.may_goto_stack,
            "maps" => &mut limits.maps,
            _ => {
                let names = [
                    "insns",
                    "processed",
                    "pending",
                    "frames",
                    "subprogs",
                    "stack",
                    "stack_align",
                    "tail_call_stack",
                    "may_goto_stack",
                    "maps",
                ];
                let name = &limit.name;
                cx.report(Diagnostic::unknown(Code::UnknownName, "limit", &name.name, name.span, names));
                continue;
            }
        };
        *slot = value;
    }
    limits
}

/// Semantic switches.
pub(super) fn switches(cx: &mut Cx<'_>, all: &Collected<'_>) -> Vec<(Switches, Version)> {
    let mut rows = Vec::new();
    let mut seen: Vec<&Ident> = Vec::new();
    for (switch, _) in &all.switches {
        let name = &switch.name;
        if let Some(first) = seen.iter().find(|first| first.name == name.name) {
            let first = first.span;
            cx.repeated(&name.name, name.span, first);
            continue;
        }
        seen.push(name);
        match Switches::from_name(&name.name.to_ascii_uppercase()) {
            Some(bits) => rows.push((bits, Version::new(switch.since.major, switch.since.minor))),
            None => {
                let names: Vec<String> =
                    Switches::all().iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect();
                let names = names.iter().map(String::as_str);
                cx.report(Diagnostic::unknown(Code::UnknownName, "switch", &name.name, name.span, names));
            }
        }
    }
    rows
}
