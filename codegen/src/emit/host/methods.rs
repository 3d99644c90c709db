//! The trait that a host implements.

use probity_platform::{HostArg, HostValue};
use proc_macro2::TokenStream;
use quote::quote;

use super::types::{self, Types};
use super::{Bound, bound, unbound};
use crate::emit::names;
use crate::model::Callable;

/// The trait.
pub(super) fn host(types: &Types<'_>) -> TokenStream {
    let model = types.model;
    let mut text = format!(
        "What a host of the platform `{}` does: a method for each callable that the spec leaves to it.",
        model.name
    );
    let left_out: Vec<String> = unbound(model).map(|(name, why)| format!("* `{name}`: {why}")).collect();
    if !left_out.is_empty() {
        text.push_str("\n\nNot bound, so that programs which call them can't run:\n\n");
        text.push_str(&left_out.join("\n"));
    }
    let docs = names::docs(&text);
    let values = types.stacked.iter().map(|(object, name)| {
        let row = &model.stack_objects[usize::from(*object)];
        let docs = names::docs(&format!("What the host has behind a `{}` in the program's stack.", row.name));
        quote! { #docs type #name: 'static; }
    });
    let methods = bound(model).map(|call| method(types, call));
    let message = format!("`{{Self}}` is no host of the platform `{}`", model.name);
    let note = "implement its trait `Host`: a method for each callable of the spec without a body";
    quote! {
        #docs
        #[diagnostic::on_unimplemented(message = #message, note = #note)]
        pub trait Host: Sized + 'static {
            #(#values)*
            #(#methods)*
        }
    }
}

fn method(types: &Types<'_>, bound: Bound<'_>) -> TokenStream {
    let row = bound.row;
    let name = types::method(row);
    let docs = names::docs(&if row.docs.is_empty() {
        format!("`{}` of the spec.", row.name)
    } else {
        row.docs.clone()
    });
    let args = bound.call.args.iter().filter(|arg| is_passed(arg)).map(|arg| {
        let (name, ty) = (argument(row, arg), types.argument(row, arg).method);
        quote! { #name: #ty }
    });
    let returned = types.returned(bound, &quote!(Self)).method;
    quote! {
        #docs
        fn #name(&mut self, run: &mut rt::host::HostRun<'_>, #(#args),*) -> #returned;
    }
}

/// What is made in the stack is given back, not passed.
pub(super) fn is_passed(arg: &HostArg) -> bool {
    !matches!(arg.value, HostValue::Made(_))
}

/// The name of an argument; `run` is the run's.
fn argument(row: &Callable, arg: &HostArg) -> proc_macro2::Ident {
    match row.args[usize::from(arg.register)].name.as_str() {
        "run" => names::field("run_"),
        name => names::field(name),
    }
}
