//! Functions of the program, as structs with a method that calls them.

use probity_platform::HostEntry;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::types::Types;
use crate::emit::names;

/// All callbacks that host functions call.
pub(super) fn callbacks(types: &Types<'_>) -> TokenStream {
    let all = types.callbacks.iter().map(|((callback, _), (name, entry))| {
        let row = &types.model.callbacks[usize::from(*callback)];
        let text = if row.docs.is_empty() { format!("`{}` of the spec.", row.name) } else { row.docs.clone() };
        let docs = names::docs(&format!(
            "{text}\n\nA function of the program, which the host calls while the call lasts that it was passed to."
        ));
        let range = match row.returns {
            Some((low, high)) => format!(" It is in `{low}..={high}`."),
            None => String::new(),
        };
        let call = names::docs(&format!(
            "Calls it, and lends it the host meanwhile; gives what it returned.{range}\n\n\
             # Errors\n\nWhen the run is over: what the calling method returns then is not looked at."
        ));
        let entries = types.entries(entry);
        let (mut takes, mut given) = (Vec::new(), Vec::new());
        let last = entry.iter().rposition(|value| *value != HostEntry::Nothing).map_or(0, |last| last + 1);
        for (at, value) in entry[..last].iter().enumerate() {
            let register = format_ident!("r{}", at + 1);
            match value {
                HostEntry::Number => {
                    takes.push(quote!(#register: u64));
                    given.push(quote!(#register));
                }
                HostEntry::Object(object) => {
                    let object = types.object(*object);
                    takes.push(quote!(#register: &rt::host::Shared<#object>));
                    given.push(quote!(#register));
                }
                HostEntry::Nothing | HostEntry::Caller(_) => given.push(quote!(())),
            }
        }
        quote! {
            #docs
            #[derive(Debug)]
            pub struct #name<'a>(rt::host::Callback<'a, #entries>);

            impl #name<'_> {
                #call
                pub fn call<H: Host>(
                    &mut self,
                    host: &mut H,
                    run: &mut rt::host::HostRun<'_>,
                    #(#takes),*
                ) -> Result<u64, rt::host::Stop> {
                    self.0.call(host, run, (#(#given,)*))
                }
            }
        }
    });
    quote! { #(#all)* }
}
