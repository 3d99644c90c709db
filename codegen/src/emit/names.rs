//! Every name that emitted code uses is made here.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The constant for a declared name: `BPF_MAP_LOOKUP_ELEM` for `bpf_map_lookup_elem`.
pub(super) fn constant(name: &str) -> Ident {
    ident(&name.to_ascii_uppercase())
}

/// The driver function of a callable; overloads beyond the first are numbered.
pub(super) fn driver(name: &str, overload: usize) -> Ident {
    match overload {
        0 => format_ident!("driver_{}", name),
        n => format_ident!("driver_{}_{}", name, n + 1),
    }
}

/// The table of a view's fields.
pub(super) fn fields(view: usize) -> Ident {
    format_ident!("FIELDS_{}", view)
}

/// The table of what a program type offers.
pub(super) fn offers(prog_type: &str) -> Ident {
    format_ident!("OFFERS_{}", prog_type.to_ascii_uppercase())
}

/// The table of the kfuncs that a program type offers.
pub(super) fn kfuncs(prog_type: &str) -> Ident {
    format_ident!("KFUNCS_{}", prog_type.to_ascii_uppercase())
}

/// Text for a line comment: one line of it.
pub(super) fn comment(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// A doc comment, an attribute a line.
pub(super) fn docs(text: &str) -> TokenStream {
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote! { #(#[doc = #lines])* }
}

fn ident(name: &str) -> Ident {
    format_ident!("{}", name)
}

/// A name in the case of types: `ConnKey` for `conn_key`, `SkBuff` for `__sk_buff`.
pub(super) fn camel(name: &str) -> String {
    let mut camel = String::new();
    for word in name.split('_').filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    if camel.starts_with(|first: char| first.is_ascii_digit()) || camel.is_empty() {
        camel.insert(0, 'N');
    }
    camel
}

/// The name of a type.
pub(super) fn type_name(name: &str) -> Ident {
    ident(name)
}

/// The name of a field, a method or an argument, told apart from Rust's words.
pub(super) fn field(name: &str) -> Ident {
    match name {
        "self" | "Self" | "super" | "crate" | "_" => format_ident!("{}_", name),
        _ => syn::parse_str(name).unwrap_or_else(|_| Ident::new_raw(name, proc_macro2::Span::call_site())),
    }
}
