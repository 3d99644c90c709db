//! From a call to a method: for each callable a type that takes the arguments apart.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::methods::is_passed;
use super::types::{self, Pass, Types};
use super::{Bound, bound};

/// The module with these types.
pub(super) fn dispatch(types: &Types<'_>) -> TokenStream {
    let all = bound(types.model).map(|call| function(types, call));
    quote! {
        mod dispatch {
            use super::*;
            #(#all)*
        }
    }
}

fn function(types: &Types<'_>, bound: Bound<'_>) -> TokenStream {
    let Bound { number, row, call } = bound;
    let marker = types.marker(number);
    let (name, number) = (&row.name, Literal::u16_unsuffixed(number));
    let args: Vec<_> = call.args.iter().filter(|arg| is_passed(arg)).collect();
    let registers = args.iter().map(|arg| Literal::u8_unsuffixed(arg.register));
    let (ranged, ends) = (!call.returns.is_empty(), call.ends_lifetimes);
    let taken: Vec<_> = args.iter().map(|arg| (types.argument(row, arg), arg.nullable)).collect();
    let bindings = taken.iter().map(|(taken, _)| &taken.binding);
    let idents: Vec<Ident> = (0..taken.len()).map(|at| format_ident!("a{}", at)).collect();
    let returned = types.returned(bound, &quote!(H));
    let result = &returned.binding;
    let method = types::method(row);

    let (mut before, mut passed, mut after) = (Vec::new(), Vec::new(), Vec::new());
    let mut used = None;
    for ((taken, nullable), ident) in taken.iter().zip(&idents) {
        match (&taken.pass, nullable) {
            (Pass::As(suffix), _) => passed.push(quote!(#ident #suffix)),
            (Pass::Place, false) => {
                let value = format_ident!("value_{}", ident);
                before.push(quote!(let mut #value = #ident.get();));
                passed.push(quote!(&mut #value));
                after.push(quote!(#ident.set(&#value);));
            }
            (Pass::Place, true) => {
                let value = format_ident!("value_{}", ident);
                before.push(quote!(let mut #value = #ident.as_ref().map(|place| place.get());));
                passed.push(quote!(#value.as_mut()));
                after.push(quote! {
                    if let (Some(place), Some(value)) = (&#ident, &#value) {
                        place.set(value);
                    }
                });
            }
            (Pass::Used, _) => {
                passed.push(quote!(used));
                used = Some(ident.clone());
            }
            (Pass::Ended, _) => {
                before.push(quote! {
                    let Some(ended) = #ident.take(run) else { return rt::host::Returns::absent() };
                });
                passed.push(quote!(ended));
            }
            (Pass::Wrapped(name), false) => passed.push(quote!(#name(#ident))),
            (Pass::Wrapped(name), true) => passed.push(quote!(#ident.map(#name))),
        }
    }
    let invoked = quote!(host.#method(run, #(#passed),*));
    let invoked = match &returned.wrap {
        Some(wrap) => quote!(#wrap(#invoked)),
        None => invoked,
    };
    let invoked = match used {
        Some(ident) => quote! {
            #ident.with(run, |run, used| #invoked).unwrap_or_else(rt::host::Returns::absent)
        },
        None => invoked,
    };
    quote! {
        #[derive(Debug)]
        pub struct #marker;

        impl<H: Host> rt::host::HostFunction<H> for #marker {
            const NUMBER: u16 = #number;
            const NAME: &'static str = #name;
            const REGISTERS: &'static [u8] = &[#(#registers),*];
            const RANGED: bool = #ranged;
            const ENDS_LIFETIMES: bool = #ends;
            type Args<'a> = (#(#bindings,)*);
            type Ret = #result;

            #[inline(always)]
            fn call<'a>(
                host: &mut H,
                run: &mut rt::host::HostRun<'_>,
                (#(#idents,)*): Self::Args<'a>,
            ) -> Self::Ret {
                #(#before)*
                let result = #invoked;
                #(#after)*
                result
            }
        }
    }
}
