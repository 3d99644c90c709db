//! Rows of what callables work with: callbacks, regions, stack objects, objects, special fields.

use probity_platform::{SpecialFieldForm, Trust};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::values::{guard, number, option, returns, site, variant};
use crate::model::{Callback, Object, Region, SpecialField, StackObject};

pub(super) fn callback(row: &Callback) -> TokenStream {
    let (name, forbids, site) = (&row.name, &row.forbids, site(row.site));
    let (flags, returns) = (number(row.flags.bits()), returns(row.returns));
    quote! {
        rt::Callback {
            name: #name,
            flags: rt::CallbackFlags::from_bits_retain(#flags),
            returns: #returns,
            forbids: &[#(#forbids),*],
            site: #site,
        }
    }
}

pub(super) fn region(row: &Region) -> TokenStream {
    let (name, prints, inside, allows) = (&row.name, &row.prints, &row.inside, &row.allows);
    let (flags, site) = (number(row.flags.bits()), site(row.site));
    let on_leave = row.on_leave.iter().map(|rule| {
        let (from, to) = (number(rule.from.bits()), number(rule.to.bits()));
        quote! {
            rt::OnLeave {
                from: rt::TypeFlags::from_bits_retain(#from),
                to: rt::TypeFlags::from_bits_retain(#to),
            }
        }
    });
    let implicit = option(row.implicit.as_ref().map(guard));
    quote! {
        rt::Region {
            name: #name,
            prints: #prints,
            inside: #inside,
            flags: rt::RegionFlags::from_bits_retain(#flags),
            allows: &[#(#allows),*],
            on_leave: &[#(#on_leave),*],
            implicit: #implicit,
            site: #site,
        }
    }
}

pub(super) fn stack_object(row: &StackObject) -> TokenStream {
    let (name, prints) = (&row.name, &row.prints);
    let (size, site) = (number(row.size), site(row.site));
    let states = row.states.iter().map(|(name, owned)| {
        quote! { rt::StackObjectState { name: #name, owned: #owned } }
    });
    quote! {
        rt::StackObject { name: #name, prints: #prints, size: #size, states: &[#(#states),*], site: #site }
    }
}

pub(super) fn object(row: &Object) -> TokenStream {
    let (name, site) = (&row.name, site(row.site));
    let btf = option(row.btf.as_ref().map(|btf| quote!(#btf)));
    let index = Literal::u16_unsuffixed;
    let view = option(row.view.map(|view| {
        let view = index(view);
        quote!(#view)
    }));
    let upcasts = row.upcasts.iter().map(|to| index(*to));
    let fields = row.fields.iter().map(|(name, trust, when)| {
        let trust = variant(match trust {
            Trust::Trusted => "Trusted",
            Trust::TrustedOrNull => "TrustedOrNull",
            Trust::Rcu => "Rcu",
            Trust::RcuOrNull => "RcuOrNull",
        });
        let when = guard(when);
        quote! { rt::TrustedField { name: #name, trust: rt::Trust::#trust, guard: #when } }
    });
    let flags = number(row.flags.bits());
    quote! {
        rt::Object {
            name: #name,
            btf: #btf,
            view: #view,
            upcasts: &[#(#upcasts),*],
            fields: &[#(#fields),*],
            flags: rt::ObjectFlags::from_bits_retain(#flags),
            site: #site,
        }
    }
}

pub(super) fn special_field(row: &SpecialField) -> TokenStream {
    let (name, prints, site) = (&row.name, &row.prints, site(row.site));
    let (size, unique) = (number(row.size), row.unique);
    let form = variant(match row.form {
        SpecialFieldForm::Struct => "Struct",
        SpecialFieldForm::Tag => "Tag",
    });
    let maps = row.maps.iter().map(|map| number(*map));
    let denied = row.denied.iter().map(|(progs, text)| {
        let progs = progs.iter().map(|prog| number(*prog));
        quote! { (&[#(#progs),*], #text) }
    });
    quote! {
        rt::SpecialField {
            name: #name,
            prints: #prints,
            form: rt::SpecialFieldForm::#form,
            size: #size,
            unique: #unique,
            maps: &[#(#maps),*],
            denied: &[#(#denied),*],
            site: #site,
        }
    }
}
