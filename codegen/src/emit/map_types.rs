//! Rows of map types.

use probity_platform::{NullCheckYields, SizeRange, Step};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::values::{guard, number, option, reg_type, site, variant};
use crate::model::MapType;

/// A row of the table of map types.
pub(super) fn map_type(row: &MapType) -> TokenStream {
    let name = &row.name;
    let (number_, traits) = (number(row.number), number(row.traits.bits()));
    let condition = guard(&row.guard);
    let (key, max_entries) = (sizes(&row.key), sizes(&row.max_entries));
    let value = row.value.iter().map(|(with, list)| {
        let (with, list) = (number(*with), sizes(list));
        quote! { rt::ValueSizes { with: #with, sizes: #list } }
    });
    let (element, extra) = (size_range(row.element), size_range(row.extra));
    let flags = row.flags.iter().map(|(name, mask, required)| {
        let mask = number(*mask);
        quote! { rt::MapFlag { name: #name, mask: #mask, required: #required } }
    });
    let exclusive = row.exclusive.iter().map(|mask| number(*mask));
    let unsupported = option(row.unsupported.as_ref().map(|why| quote! { #why }));
    let unsupported_with = row.unsupported_with.iter().map(|(callable, why)| {
        let callable = Literal::u16_unsuffixed(*callable);
        quote! { (#callable, #why) }
    });
    let callers = match &row.callers {
        None => quote! { rt::Callers::Any },
        Some(list) => {
            let list = list.iter().map(|index| Literal::u16_unsuffixed(*index));
            quote! { rt::Callers::Only(&[#(#list),*]) }
        }
    };
    let yields = match row.null_check_yields {
        NullCheckYields::Value => quote! { rt::NullCheckYields::Value },
        NullCheckYields::InnerMap => quote! { rt::NullCheckYields::InnerMap },
        NullCheckYields::Type(ty) => {
            let ty = reg_type(ty);
            quote! { rt::NullCheckYields::Type(#ty) }
        }
    };
    let body = option(row.body.map(|body| {
        let body = variant(&format!("{body:?}"));
        quote! { rt::MapBody::#body }
    }));
    let site = site(row.site);
    quote! {
        rt::MapType {
            name: #name,
            number: #number_,
            guard: #condition,
            key: #key,
            value: &[#(#value),*],
            element: #element,
            max_entries: #max_entries,
            extra: #extra,
            flags: &[#(#flags),*],
            exclusive: &[#(#exclusive),*],
            traits: rt::MapTraits::from_bits_retain(#traits),
            callers: #callers,
            null_check_yields: #yields,
            unsupported: #unsupported,
            unsupported_with: &[#(#unsupported_with),*],
            body: #body,
            site: #site,
        }
    }
}

fn sizes(list: &[SizeRange]) -> TokenStream {
    let list = list.iter().map(|range| size_range(*range));
    quote! { &[#(#list),*] }
}

fn size_range(range: SizeRange) -> TokenStream {
    let number = Literal::u64_unsuffixed;
    let (low, high) = (number(range.low), number(range.high));
    let step = match range.step {
        Step::One => quote! { rt::Step::One },
        Step::MultiplesOf(step) => {
            let step = number(step);
            quote! { rt::Step::MultiplesOf(#step) }
        }
        Step::PowersOfTwo => quote! { rt::Step::PowersOfTwo },
    };
    quote! { rt::SizeRange { low: #low, high: #high, step: #step } }
}
