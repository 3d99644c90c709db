//! Structs of contexts, objects and plain structs: integers and arrays of them, in the host's layout.

use std::collections::BTreeSet;

use probity_platform::Behaviour;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::types::{Types, integer};
use crate::emit::names;
use crate::model::{Field, Model, View};

/// All structs.
pub(super) fn structs(types: &Types<'_>) -> TokenStream {
    let model = types.model;
    let contexts = types.contexts.values().map(|(view, name)| {
        let view = &model.views[usize::from(*view)];
        let plain = structure(name, &docs(&view.docs, &view.name), host_size(view), &fields(model, view));
        let shown = &view.name;
        quote! {
            #plain

            impl rt::host::ContextStruct for #name {
                const VIEW: &'static str = #shown;
            }
        }
    });
    let objects = types.objects.iter().filter_map(|(object, name)| {
        let row = &model.objects[usize::from(*object)];
        let view = &model.views[usize::from(row.view?)];
        Some(structure(name, &docs(&row.docs, &row.name), host_size(view), &fields(model, view)))
    });
    let plain = types.structs.iter().zip(&model.structs).map(|(name, row)| {
        let fields = row.fields.iter().map(|field| Member {
            name: &field.name,
            docs: &field.docs,
            offset: field.offset,
            element: field.element,
            count: field.size / field.element.max(1),
            array: field.size != field.element,
        });
        structure(name, &docs(&row.docs, &row.name), row.size, &fields.collect::<Vec<_>>())
    });
    quote! { #(#contexts)* #(#objects)* #(#plain)* }
}

fn docs(docs: &str, name: &str) -> String {
    if docs.is_empty() { format!("`{name}` of the spec.") } else { docs.to_owned() }
}

/// The size of the host's own struct.
fn host_size(view: &View) -> u32 {
    view.host_size.max(view.size)
}

/// A field of the host's struct.
struct Member<'a> {
    name: &'a str,
    docs: &'a str,
    offset: u32,
    element: u32,
    count: u32,
    array: bool,
}

/// The numbers of a view that the host has: pointers are the runtime's.
fn fields<'a>(model: &Model, view: &'a View) -> Vec<Member<'a>> {
    let is_number = |field: &&Field| {
        let scalar = |kind: u8| model.kinds[usize::from(kind)].behaviour == Behaviour::Scalar;
        field.host.size > 0 && field.access.iter().all(|rule| scalar(rule.yields.kind.0))
    };
    let member = |field: &'a Field| {
        let count = (field.size / field.element.max(1)).max(1);
        let element = field.host.size / count;
        let array = field.size != field.element;
        matches!(element, 1 | 2 | 4 | 8).then_some(Member {
            name: &field.name,
            docs: &field.docs,
            offset: field.host.offset,
            element,
            count,
            array,
        })
    };
    view.fields.iter().filter(is_number).filter_map(member).collect()
}

fn structure(name: &Ident, docs: &str, size: u32, members: &[Member<'_>]) -> TokenStream {
    let docs = names::docs(docs);
    let size = Literal::u32_unsuffixed(size);
    let ty = |member: &Member<'_>| {
        let element = integer(member.element as u8, false);
        let count = Literal::u32_unsuffixed(member.count);
        if member.array { quote!([#element; #count]) } else { quote!(#element) }
    };
    let shown = |member: &Member<'_>| {
        names::docs(&if member.docs.is_empty() {
            format!("`{}`.", member.name)
        } else {
            member.docs.to_owned()
        })
    };
    let idents: Vec<Ident> = members.iter().map(|member| names::field(member.name)).collect();
    let offsets: Vec<Literal> = members.iter().map(|member| Literal::u32_unsuffixed(member.offset)).collect();
    let fields = members.iter().zip(&idents).map(|(member, ident)| {
        let (docs, ty) = (shown(member), ty(member));
        quote! { #docs pub #ident: #ty }
    });
    // Names that differ in their case alone have one constant.
    let mut seen = BTreeSet::new();
    let constants = members.iter().zip(&offsets).filter_map(|(member, offset)| {
        let (constant, ty) = (names::constant(member.name), ty(member));
        let docs = names::docs(&format!("Field `{}`, alone.", member.name));
        seen.insert(constant.clone()).then(|| {
            quote! { #docs pub const #constant: rt::host::Field<#name, #ty> = rt::host::Field::new(#offset); }
        })
    });
    let zeros = members.iter().zip(&idents).map(|(member, ident)| {
        let count = Literal::u32_unsuffixed(member.count);
        if member.array { quote!(#ident: [0; #count]) } else { quote!(#ident: 0) }
    });
    quote! {
        #docs
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct #name { #(#fields),* }

        impl #name { #(#constants)* }

        impl Default for #name {
            fn default() -> #name {
                #name { #(#zeros),* }
            }
        }

        impl rt::host::Plain for #name {
            const SIZE: usize = #size;

            #[inline]
            fn load(from: rt::host::Bytes<'_>) -> #name {
                #name { #(#idents: rt::host::Plain::load(from.from(#offsets))),* }
            }

            #[inline]
            fn store(&self, to: rt::host::BytesMut<'_>) {
                #(rt::host::Plain::store(&self.#idents, to.from(#offsets));)*
            }
        }
    }
}
