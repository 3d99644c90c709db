//! Items become a model: preludes are taken in, names become numbers, sets become lists.
//!
//! Everything wrong with a platform is reported at once; a model comes out only when nothing is.

mod clauses;
mod concepts;
mod conditions;
pub(crate) mod cx;
mod effects;
mod facts;
mod guards;
pub(crate) mod helpers;
mod host;
pub(crate) mod items;
mod kfuncs;
mod kinds;
mod maps;
mod names;
mod placement;
mod precision;
mod prelude;
mod progs;
mod prototype;
mod scope;
mod sets;
mod special_fields;
mod structs;
mod views;

use probity_platform::{Limits, Version};

use crate::Diagnostic;
use crate::check;
use crate::diagnostic::has_errors;
use crate::model::{Callable, Model};
use crate::source::{FileId, SourceMap};
use crate::syntax::ast::{Item, ItemKind};

use cx::Cx;
use items::Collected;
pub use prelude::CORE;

/// True when an item takes a prelude in.
#[must_use]
pub fn uses_prelude(items: &[Item]) -> bool {
    items.iter().any(|item| matches!(item.kind, ItemKind::Use(_)))
}

/// Resolves a platform: the items of all its files, and those of the prelude file when it is used.
/// The model comes out when no finding refuses the platform.
#[must_use]
pub fn resolve(
    sources: &SourceMap,
    items: &[Item],
    prelude_items: &[Item],
) -> (Option<Model>, Vec<Diagnostic>) {
    let mut cx = Cx { sources, found: Vec::new() };
    let taken = prelude::select(&mut cx, items, prelude_items);
    let collected = items::collect(&mut cx, &taken, items);
    let prelude = prelude_items.first().map(|item| item.span.file);
    let model = build(&mut cx, &collected, prelude);
    let model = if has_errors(&cx.found) { None } else { model };
    (model, cx.found)
}

fn build(cx: &mut Cx<'_>, collected: &Collected<'_>, prelude: Option<FileId>) -> Option<Model> {
    let scope = scope::declare(cx, collected);
    let kinds = kinds::kinds(cx, collected, &scope);
    let arg_classes = kinds::arg_classes(cx, collected, &scope);
    let mut views = views::views(cx, collected, &scope);
    let structs = structs::structs(cx, collected, &scope);
    let objects = concepts::objects(cx, collected, &scope, &views);
    let stack_objects = concepts::stack_objects(cx, collected);
    let callbacks = concepts::callbacks(cx, collected, &scope, &kinds);
    let mut regions = concepts::regions(cx, collected, &scope);
    let types = prototype::Types { scope: &scope, kinds: &kinds, classes: &arg_classes, structs: &structs };
    let (callables, index) = helpers::callables(cx, collected, &types);
    let (map_flags, exclusive) = maps::map_flags(cx, collected, &scope);
    let map_types = maps::map_types(cx, collected, &scope, &index, &exclusive);
    let special_fields = special_fields::special_fields(cx, collected, &scope);
    let global_data = maps::global_data(cx, collected, &scope);
    let sets = sets::sets(cx, collected, &scope, &index, &callables);
    let (prog_types, sections) = progs::prog_types(cx, collected, &scope, &kinds, &mut views, &sets);
    check::references(cx, &callables, &objects);
    check::lifetimes(cx, collected, &callables, &kinds);
    // What a clause with errors would have said is not missed.
    if !has_errors(&cx.found) {
        check::regions(cx, collected, &callables, &mut regions);
        check::stack_objects(cx, collected, &callables, &stack_objects);
        check::classes(cx, collected, &arg_classes, &kinds);
        let tables = check::Tables {
            hosted: collected.host.is_none(),
            kinds: &kinds,
            arg_classes: &arg_classes,
            callbacks: &callbacks,
            stack_objects: &stack_objects,
            special_fields: &special_fields,
        };
        check::bodies(cx, &tables, &callables);
        check::map_bodies(cx, collected, &map_types);
    }
    check::reach(cx, &callables, &prog_types, prelude);
    check::never_null(cx, &arg_classes, collected);

    let platform = collected.platform?;
    let helpers = callables.iter().take_while(|built| !built.kfunc).count();
    let mut callables: Vec<Callable> = callables.into_iter().map(|built| built.row).collect();
    let kfuncs = callables.split_off(helpers);
    let sources: Vec<String> = cx.sources.files().iter().map(|file| file.name().to_owned()).collect();
    let mut model = Model {
        name: platform.0.name.clone(),
        docs: platform.1.doc.text(),
        spec_hash: hash(cx.sources),
        sources,
        kinds,
        arg_classes,
        callables,
        kfuncs,
        callbacks,
        regions,
        stack_objects,
        objects,
        hosted: collected.host.is_none(),
        words: items::words(cx, collected),
        map_flags,
        map_types,
        special_fields,
        views: views.into_rows(),
        structs,
        prog_types,
        sections,
        switches: items::switches(cx, collected),
        version: collected
            .version
            .map_or(Version::new(0, 0), |(version, _)| Version::new(version.major, version.minor)),
        allows: items::policy(cx, collected, &scope),
        policy_site: cx.site(collected.policy_span.unwrap_or(platform.1.span)),
        limits: items::limits(cx, collected, Limits::DEFAULT),
        limit_sites: items::limit_sites(cx, collected),
        global_data,
    };
    // What has errors may name what is not there.
    if !has_errors(&cx.found) {
        precision::complete(&mut model);
        host::bind(&mut model);
    }
    Some(model)
}

/// FNV-1a over the names and texts of all files.
fn hash(sources: &SourceMap) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut feed = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash = (hash ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3);
    };
    for file in sources.files() {
        feed(file.name().as_bytes());
        feed(file.text().as_bytes());
    }
    hash
}
