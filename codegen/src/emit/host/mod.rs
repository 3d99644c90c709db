//! The bindings of a host: a trait with a method for each callable that the host does, the structs that
//! its methods are given, and for each callable what takes a call apart and calls the method. Nothing of
//! it needs `unsafe`: the runtime holds each binding against the row that [`rows`] writes.
//!
//! | module | subject |
//! |---|---|
//! | `rows` | how a host's functions see calls, as rows of the tables |
//! | `types` | names and Rust types |
//! | `structs` | structs of contexts, objects and plain structs |
//! | `callbacks` | functions of the program |
//! | `methods` | the trait |
//! | `dispatch` | from a call to a method |

mod callbacks;
mod dispatch;
mod methods;
pub(super) mod rows;
mod structs;
mod types;

use proc_macro2::TokenStream;
use quote::quote;

use super::names;
use crate::model::{Callable, HostBinding, HostCall, Model};
use types::Types;

/// The module with the bindings; nothing for a platform without a host.
pub(super) fn bindings(model: &Model, root: &TokenStream) -> TokenStream {
    if !model.hosted {
        return TokenStream::new();
    }
    let types = Types::of(model);
    let structs = structs::structs(&types);
    let callbacks = callbacks::callbacks(&types);
    let (host, dispatch) = (methods::host(&types), dispatch::dispatch(&types));
    let markers = bound(model).map(|call| types.marker(call.number));
    let load = names::docs(&format!(
        "Reads an object for the platform `{}`, with the functions of a host of type `H`.\n\n\
         # Errors\n\nWhen the object can't be read.",
        model.name
    ));
    quote! {
        #[allow(dead_code, unreachable_pub, unused_imports, unused_mut, unused_variables, clippy::all)]
        mod host {
            use #root as rt;
            #structs
            #callbacks
            #host
            #dispatch

            /// The functions of hosts of type `H`, as the runtime links them.
            #[must_use]
            pub fn bindings<H: Host>() -> rt::host::Bindings<H> {
                rt::host::Bindings::new(&super::PLATFORM) #(.with::<dispatch::#markers>())*
            }

            #load
            pub fn load<H: Host>(object: &[u8]) -> Result<rt::Module<H>, rt::LoadError> {
                rt::Module::load(bindings(), object)
            }

            /// As [`load`], in a runtime with settings of its own, or shared with other objects.
            ///
            /// # Errors
            ///
            /// When the object can't be read.
            pub fn load_in<H: Host>(runtime: &rt::Runtime, object: &[u8]) -> Result<rt::Module<H>, rt::LoadError> {
                rt::Module::load_in(bindings(), runtime, object)
            }
        }
        #[allow(unused_imports, unreachable_pub)]
        pub use host::*;
    }
}

/// A callable that a host does.
#[derive(Clone, Copy)]
struct Bound<'a> {
    /// Its number among all.
    number: u16,
    row: &'a Callable,
    call: &'a HostCall,
}

/// All of them.
fn bound(model: &Model) -> impl Iterator<Item = Bound<'_>> {
    (0u16..)
        .zip(model.callables.iter().chain(&model.kfuncs))
        .filter_map(|(number, row)| Some(Bound { number, row, call: row.host.call()? }))
}

/// Callables that bindings can't express, with the reason.
fn unbound(model: &Model) -> impl Iterator<Item = (&str, &str)> {
    model.callables.iter().chain(&model.kfuncs).filter_map(|row| match &row.host {
        HostBinding::Unsupported(why) => Some((row.name.as_str(), why.as_str())),
        _ => None,
    })
}
