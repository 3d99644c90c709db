//! How a host's functions see calls, as rows of the tables.

use probity_platform::{HostArg, HostBound, HostEntry, HostRet, HostValue};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::super::values::{number, option, signed};
use crate::model::{HostBinding, HostCall};

/// The binding of a callable.
pub(in crate::emit) fn binding(binding: &HostBinding) -> TokenStream {
    match binding {
        HostBinding::None => quote! { rt::HostBinding::None },
        HostBinding::Unsupported(why) => quote! { rt::HostBinding::Unsupported(#why) },
        HostBinding::Call(call) => {
            let call = host_call(call);
            quote! { rt::HostBinding::Call(&#call) }
        }
    }
}

fn host_call(call: &HostCall) -> TokenStream {
    let args = call.args.iter().map(arg);
    let ret = ret(call.ret);
    let returns = call.returns.iter().map(|(low, high)| {
        let (low, high) = (bound(*low), bound(*high));
        quote! { (#low, #high) }
    });
    let (until, given_back_by) = (callable(call.until), callable(call.given_back_by));
    let ends_lifetimes = call.ends_lifetimes;
    quote! {
        rt::HostCall {
            args: &[#(#args),*],
            ret: #ret,
            returns: &[#(#returns),*],
            until: #until,
            ends_lifetimes: #ends_lifetimes,
            given_back_by: #given_back_by,
        }
    }
}

fn callable(at: Option<u16>) -> TokenStream {
    option(at.map(|at| {
        let at = Literal::u16_unsuffixed(at);
        quote!(#at)
    }))
}

fn arg(arg: &HostArg) -> TokenStream {
    let (register, nullable) = (Literal::u8_unsuffixed(arg.register), arg.nullable);
    let index = |at: u16| Literal::u16_unsuffixed(at);
    let value = match arg.value {
        HostValue::Number { bytes, signed } => {
            let bytes = Literal::u8_unsuffixed(bytes);
            quote! { Number { bytes: #bytes, signed: #signed } }
        }
        HostValue::Context(view) => {
            let view = index(view);
            quote! { Context(#view) }
        }
        HostValue::Memory { bytes, writable, uninit } => {
            let bytes = number(bytes);
            quote! { Memory { bytes: #bytes, writable: #writable, uninit: #uninit } }
        }
        HostValue::Slice { writable, uninit } => {
            quote! { Slice { writable: #writable, uninit: #uninit } }
        }
        HostValue::Map => quote! { Map },
        HostValue::Object(object) => {
            let object = index(object);
            quote! { Object(#object) }
        }
        HostValue::Released(object) => {
            let object = index(object);
            quote! { Released(#object) }
        }
        HostValue::Made(object) => {
            let object = index(object);
            quote! { Made(#object) }
        }
        HostValue::Used(object) => {
            let object = index(object);
            quote! { Used(#object) }
        }
        HostValue::Ended(object) => {
            let object = index(object);
            quote! { Ended(#object) }
        }
        HostValue::Callback { callback, entry, times } => {
            let callback = index(callback);
            let entry = entry.iter().map(|value| match value {
                HostEntry::Nothing => quote! { rt::HostEntry::Nothing },
                HostEntry::Number => quote! { rt::HostEntry::Number },
                HostEntry::Object(object) => {
                    let object = index(*object);
                    quote! { rt::HostEntry::Object(#object) }
                }
                HostEntry::Caller(arg) => {
                    let arg = Literal::u8_unsuffixed(*arg);
                    quote! { rt::HostEntry::Caller(#arg) }
                }
            });
            let times = option(times.map(bound));
            quote! { Callback { callback: #callback, entry: [#(#entry),*], times: #times } }
        }
    };
    quote! { rt::HostArg { register: #register, value: rt::HostValue::#value, nullable: #nullable } }
}

fn ret(ret: HostRet) -> TokenStream {
    let object_ret = |object: u16, nullable: bool| {
        let object = Literal::u16_unsuffixed(object);
        quote! { { object: #object, nullable: #nullable } }
    };
    match ret {
        HostRet::Nothing => quote! { rt::HostRet::Nothing },
        HostRet::Number { bytes, signed } => {
            let bytes = Literal::u8_unsuffixed(bytes);
            quote! { rt::HostRet::Number { bytes: #bytes, signed: #signed } }
        }
        HostRet::Object { object, nullable } => {
            let fields = object_ret(object, nullable);
            quote! { rt::HostRet::Object #fields }
        }
        HostRet::Acquired { object, nullable } => {
            let fields = object_ret(object, nullable);
            quote! { rt::HostRet::Acquired #fields }
        }
        HostRet::Memory { bytes, nullable } => {
            let bytes = bound(bytes);
            quote! { rt::HostRet::Memory { bytes: #bytes, nullable: #nullable } }
        }
        HostRet::Made => quote! { rt::HostRet::Made },
    }
}

fn bound(bound: HostBound) -> TokenStream {
    match bound {
        HostBound::Number(value) => {
            let value = signed(value.into());
            quote! { rt::HostBound::Number(#value) }
        }
        HostBound::Argument(arg) => {
            let arg = Literal::u8_unsuffixed(arg);
            quote! { rt::HostBound::Argument(#arg) }
        }
        HostBound::SignedArgument(arg) => {
            let arg = Literal::u8_unsuffixed(arg);
            quote! { rt::HostBound::SignedArgument(#arg) }
        }
    }
}
