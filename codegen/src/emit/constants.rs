//! Constants for numbers, by name: a module for helpers, one for map types, and so on.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::names;
use super::values::number;
use crate::model::Model;

/// Modules of constants for numbers.
pub(super) fn constants(model: &Model) -> TokenStream {
    let callables = model.callables.iter().map(|row| (row.name.as_str(), row.number, row.docs.as_str()));
    let flags = model.map_flags.iter().map(|(name, mask, docs)| (name.as_str(), *mask, docs.as_str()));
    let maps = model.map_types.iter().map(|row| (row.name.as_str(), row.number, row.docs.as_str()));
    let progs = model.prog_types.iter().map(|row| (row.name.as_str(), row.number, row.docs.as_str()));
    let attach = model
        .prog_types
        .iter()
        .flat_map(|row| row.attach.iter().map(|(name, number)| (name.as_str(), *number, "")));
    let modules = [
        module("helpers", "Numbers of helpers.", callables),
        module("map_flags", "Flags of maps.", flags),
        module("map_types", "Numbers of map types.", maps),
        module("prog_types", "Numbers of program types.", progs),
        module("attach_types", "Numbers of attach types.", attach),
    ];
    quote! { #(#modules)* }
}

fn module<'a>(
    name: &str,
    docs: &str,
    rows: impl Iterator<Item = (&'a str, u32, &'a str)>,
) -> Option<TokenStream> {
    let name = Ident::new(name, Span::call_site());
    let mut seen = std::collections::BTreeSet::new();
    let mut constants = Vec::new();
    for (name, value, docs) in rows {
        let ident = names::constant(name);
        if !seen.insert(ident.to_string()) {
            continue;
        }
        let value = number(value);
        let docs =
            names::docs(&if docs.is_empty() { format!("`{name}`.") } else { format!("`{name}`: {docs}") });
        constants.push(quote! { #docs pub const #ident: u32 = #value; });
    }
    let docs = names::docs(docs);
    (!constants.is_empty())
        .then(|| quote! { #docs #[allow(dead_code, unreachable_pub)] pub mod #name { #(#constants)* } })
}
