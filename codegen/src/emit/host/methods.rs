//! The trait that a host implements.

use probity_platform::{HostArg, HostBound, HostRet, HostValue};
use proc_macro2::TokenStream;
use quote::quote;

use super::types::{self, Types};
use super::{Bound, bound, unbound};
use crate::emit::names;
use crate::model::{Callable, Model};

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
    let mut text =
        if row.docs.is_empty() { format!("`{}` of the spec.", row.name) } else { row.docs.clone() };
    let terms = terms(types.model, bound);
    if !terms.is_empty() {
        text = format!("{text}\n\n{}", terms.join(" "));
    }
    let docs = names::docs(&text);
    let args = bound.call.args.iter().filter(|arg| is_passed(arg)).map(|arg| {
        let (name, ty) = (argument(row, arg), types.argument(row, arg).method);
        quote! { #name: #ty }
    });
    let returned = match bound.call.ret {
        HostRet::Nothing => TokenStream::new(),
        _ => {
            let returned = types.returned(bound, &quote!(Self)).method;
            quote! { -> #returned }
        }
    };
    quote! {
        #docs
        fn #name(&mut self, run: &mut rt::host::HostRun<'_>, #(#args),*) #returned;
    }
}

/// What the spec says of what a method gives: how long it is the program's, in which bounds a number is.
fn terms(model: &Model, Bound { row, call, .. }: Bound<'_>) -> Vec<String> {
    let named = |at: u16| {
        let all = model.callables.iter().chain(&model.kfuncs);
        all.skip(usize::from(at)).map(|row| row.name.as_str()).next().unwrap_or("?")
    };
    let bound = |bound: HostBound| match bound {
        HostBound::Number(number) => number.to_string(),
        HostBound::Argument(at) | HostBound::SignedArgument(at) => {
            row.args.get(usize::from(at)).map_or("?", |arg| arg.name.as_str()).to_owned()
        }
    };
    let mut terms = Vec::new();
    match (call.ret, call.until) {
        (HostRet::Acquired { .. }, _) => terms.push("Programs must release what it gives.".to_owned()),
        (HostRet::Object { .. } | HostRet::Memory { .. }, Some(until)) => {
            let until = named(until);
            terms.push(format!("Programs have what it gives until `{until}` is called, or the run ends."));
        }
        (HostRet::Object { .. } | HostRet::Memory { .. }, None) => {
            terms.push("The run keeps what it gives until it ends.".to_owned());
        }
        _ => {}
    }
    if let HostRet::Memory { bytes, .. } = call.ret {
        terms.push(format!("It has at least {} bytes; with fewer, the run ends.", bound(bytes)));
    }
    if let Some(by) = call.given_back_by {
        terms.push(format!("What a run leaves behind that ends early is given to `{}`.", named(by)));
    }
    for (low, high) in &call.returns {
        let (low, high) = (bound(*low), bound(*high));
        terms.push(format!("Programs rely on a result in `{low}..={high}`; with another, the run ends."));
    }
    if call.ends_lifetimes {
        terms.push("Ends what was given until it is called.".to_owned());
    }
    terms
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
