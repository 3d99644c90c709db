//! Drivers: straight-line functions over `Effects`.

use std::collections::HashMap;

use probity_platform::{ReturnOf, Site};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::names;
use super::values::{guard, option, reg_type, signed, site, subject, variant};
use crate::model::{Bound, Callable, CallbackValue, Comparison, Condition, Model, Number, Step};

/// The name of each callable's driver, kfuncs behind helpers.
pub(super) fn driver_names(model: &Model) -> Vec<Ident> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut list = Vec::new();
    for callable in model.callables.iter().chain(&model.kfuncs) {
        let overload = seen.entry(&callable.name).or_default();
        list.push(names::driver(&callable.name, *overload));
        *overload += 1;
    }
    list
}

/// All driver functions.
pub(super) fn drivers(model: &Model) -> TokenStream {
    let names = driver_names(model);
    let callables = || model.callables.iter().chain(&model.kfuncs);
    let functions = callables()
        .zip(&names)
        .filter(|(callable, _)| !callable.steps.is_empty())
        .map(|(callable, name)| function(callable, name));
    let clamps = callables().flat_map(|callable| &callable.steps).any(|(_, step)| {
        let literal = |number: &Number| matches!(number, Number::Literal(_));
        match step {
            Step::ReturnRange(low, high) => !literal(low) || !literal(high),
            _ => false,
        }
    });
    let clamp = clamps.then(|| {
        quote! {
            fn clamp(value: i128) -> i64 {
                i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
            }
        }
    });
    quote! { #(#functions)* #clamp }
}

fn function(callable: &Callable, name: &Ident) -> TokenStream {
    let steps = callable.steps.iter().map(|(when, step)| {
        let call = emit_step(step);
        match when {
            None => call,
            Some(when) => {
                let when = emit_condition(when);
                quote! { if #when { #call } }
            }
        }
    });
    quote! {
        pub(super) fn #name(fx: &mut dyn rt::Effects) -> Result<rt::Outcome, rt::Rejection> {
            #(#steps)*
            Ok(rt::Outcome::Next)
        }
    }
}

fn emit_step(step: &Step) -> TokenStream {
    let arg = |arg: u8| Literal::u8_unsuffixed(arg);
    let place = |place: &Site| site(*place);
    match step {
        Step::Unsupported { what, site } => {
            let site = place(site);
            quote! { fx.unsupported(#what, #site)?; }
        }
        Step::MapType { map, allowed, site } => {
            let (map, site) = (arg(*map), place(site));
            let allowed = allowed.iter().map(|number| Literal::u32_unsuffixed(*number));
            quote! { fx.require_map_type(#map, &[#(#allowed),*], #site)?; }
        }
        Step::Constant { arg: number, site } => {
            let (number, site) = (arg(*number), place(site));
            quote! { fx.require_const(#number, #site)?; }
        }
        Step::Require { condition, text, site } => {
            let (condition, site) = (emit_condition(condition), place(site));
            quote! {
                let holds = #condition;
                fx.require(holds, #text, #site)?;
            }
        }
        Step::Precise(number) => {
            let number = arg(*number);
            quote! { fx.precise(#number)?; }
        }
        Step::ReturnRange(low, high) => {
            let (low_value, high_value) = (clamped(low), clamped(high));
            if matches!((low, high), (Number::Literal(_), Number::Literal(_))) {
                quote! { fx.return_range(#low_value, #high_value); }
            } else {
                quote! {
                    let (low, high) = (#low_value, #high_value);
                    fx.return_range(low, high);
                }
            }
        }
        Step::ReturnBytes(number) => {
            let bytes = emit_number(number);
            quote! {
                if let Ok(bytes) = u64::try_from(#bytes) {
                    fx.return_bytes(bytes);
                }
            }
        }
        Step::NonnullForConstantKey { map, key } => {
            let (map, key) = (arg(*map), arg(*key));
            quote! { fx.nonnull_for_constant_key(#map, #key)?; }
        }
        Step::Acquire { class, site } => {
            let site = place(site);
            quote! { fx.acquire(#class, #site); }
        }
        Step::Cast(at) => {
            let at = arg(*at);
            quote! { fx.cast(#at); }
        }
        Step::ReturnOf(what, at, site) => {
            let (what, at, site) = (variant(return_of(*what)), arg(*at), place(site));
            quote! { fx.return_of(rt::ReturnOf::#what, #at, #site)?; }
        }
        Step::Enter { region, by, fallible, site } => {
            let (region, by, site) = (Literal::u16_unsuffixed(*region), maybe(*by), place(site));
            quote! { fx.enter(#region, #by, #fallible, #site)?; }
        }
        Step::Leave { region, by, site } => {
            let (region, by, site) = (Literal::u16_unsuffixed(*region), maybe(*by), place(site));
            quote! { fx.leave(#region, #by, #site)?; }
        }
        Step::Construct(at, state, site) => {
            let (at, state, site) = (arg(*at), arg(*state), place(site));
            quote! { fx.construct(#at, #state, #site)?; }
        }
        Step::Advance(at, state, site) => {
            let (at, state, site) = (arg(*at), arg(*state), place(site));
            quote! { fx.advance(#at, #state, #site)?; }
        }
        Step::Destroy(at, site) => {
            let (at, site) = (arg(*at), place(site));
            quote! { fx.destroy(#at, #site)?; }
        }
        Step::Clone(from, to, site) => {
            let (from, to, site) = (arg(*from), arg(*to), place(site));
            quote! { fx.clone_object(#from, #to, #site)?; }
        }
        Step::Slice(at) => {
            let at = arg(*at);
            quote! { fx.slice(#at); }
        }
        Step::Disown(at, site) => {
            let (at, site) = (arg(*at), place(site));
            quote! { fx.disown(#at, #site)?; }
        }
        Step::CallBack { callback, func, entry, times, site } => {
            let (callback, func, site) = (Literal::u16_unsuffixed(*callback), arg(*func), place(site));
            let entry = entry.iter().map(|(register, value)| {
                let (register, value) = (arg(*register), callback_value(value));
                quote! { (#register, #value) }
            });
            let times = match times {
                None => quote! { None },
                Some(times) => {
                    let times = emit_number(times);
                    quote! { u64::try_from(#times).ok() }
                }
            };
            quote! {
                const CALL: rt::CallbackCall =
                    rt::CallbackCall { callback: #callback, func: #func, entry: &[#(#entry),*], site: #site };
                let times = #times;
                fx.call_back(&CALL, times)?;
            }
        }
        Step::Member(field, map, site) => {
            let (field, map, site) = (arg(*field), arg(*map), place(site));
            quote! { fx.require_member(#field, #map, #site)?; }
        }
        Step::Format(format, data, site) => {
            let (format, data, site) = (arg(*format), arg(*data), place(site));
            quote! { fx.format(#format, #data, #site)?; }
        }
        Step::Throw(site) => {
            let site = place(site);
            quote! { fx.throw(#site)?; }
        }
        Step::InvalidatePacket => quote! { fx.invalidate(rt::PointerClass::Packet); },
        Step::TailCall { map, index, site } => {
            let (map, index, site) = (arg(*map), arg(*index), place(site));
            quote! { fx.tail_call(#map, #index, #site)?; }
        }
    }
}

fn maybe(arg: Option<u8>) -> TokenStream {
    option(arg.map(|arg| {
        let arg = Literal::u8_unsuffixed(arg);
        quote!(#arg)
    }))
}

fn callback_value(value: &CallbackValue) -> TokenStream {
    match value {
        CallbackValue::Caller(arg) => {
            let arg = Literal::u8_unsuffixed(*arg);
            quote! { rt::CallbackValue::Caller(#arg) }
        }
        CallbackValue::Type(ty, about, of) => {
            let (ty, about, of) = (reg_type(*ty), subject(*about), maybe(*of));
            quote! { rt::CallbackValue::Type { ty: #ty, subject: #about, of: #of } }
        }
    }
}

fn return_of(what: ReturnOf) -> &'static str {
    match what {
        ReturnOf::Content => "Content",
        ReturnOf::Pointee => "Pointee",
        ReturnOf::LocalType => "LocalType",
        ReturnOf::TargetType => "TargetType",
        ReturnOf::KernelContext => "KernelContext",
        ReturnOf::Same => "Same",
    }
}

fn clamped(number: &Number) -> TokenStream {
    if let Number::Literal(value) = number {
        let value = i64::try_from(*value).unwrap_or(if *value < 0 { i64::MIN } else { i64::MAX });
        return signed(value.into());
    }
    let value = emit_number(number);
    quote! { clamp(#value) }
}

fn emit_number(number: &Number) -> TokenStream {
    let arg = |arg: &u8| Literal::u8_unsuffixed(*arg);
    match number {
        Number::Literal(value) => signed(*value),
        Number::Bound(number, bound) => {
            let number = arg(number);
            match bound {
                Bound::Umin => quote! { i128::from(fx.umin(#number)) },
                Bound::Umax => quote! { i128::from(fx.umax(#number)) },
                Bound::Smin => quote! { i128::from(fx.smin(#number)) },
                Bound::Smax => quote! { i128::from(fx.smax(#number)) },
            }
        }
        Number::Constant(number) => {
            let number = arg(number);
            quote! { i128::from(fx.constant(#number).unwrap_or_default()) }
        }
        Number::MapType(map) => {
            let map = arg(map);
            quote! { fx.map_type(#map).map_or(-1, i128::from) }
        }
        Number::KeySize(map) => {
            let map = arg(map);
            quote! { i128::from(fx.map_key_size(#map)) }
        }
        Number::ValueSize(map) => {
            let map = arg(map);
            quote! { i128::from(fx.map_value_size(#map)) }
        }
        Number::MaxEntries(map) => {
            let map = arg(map);
            quote! { i128::from(fx.map_max_entries(#map)) }
        }
        Number::NrCpus => quote! { i128::from(fx.nr_cpus()) },
        Number::Add(left, right) => {
            let (left, right) = (operand(left), operand(right));
            quote! { #left + #right }
        }
        Number::Sub(left, right) => {
            let (left, right) = (operand(left), operand(right));
            quote! { #left - #right }
        }
        Number::Mul(left, right) => {
            let (left, right) = (operand(left), operand(right));
            quote! { #left * #right }
        }
    }
}

fn operand(number: &Number) -> TokenStream {
    let tokens = emit_number(number);
    match number {
        Number::Add(..) | Number::Sub(..) | Number::Mul(..) => quote! { (#tokens) },
        _ => tokens,
    }
}

fn emit_condition(condition: &Condition) -> TokenStream {
    match condition {
        Condition::Compare(comparison, Number::MapType(map), Number::Literal(number))
            if matches!(comparison, Comparison::Equal | Comparison::NotEqual)
                && u32::try_from(*number).is_ok() =>
        {
            let operator = emit_comparison(*comparison);
            let map = Literal::u8_unsuffixed(*map);
            let number = Literal::i128_unsuffixed(*number);
            quote! { fx.map_type(#map) #operator Some(#number) }
        }
        Condition::Compare(comparison, left, right) => {
            let operator = emit_comparison(*comparison);
            let (left, right) = (emit_number(left), emit_number(right));
            quote! { #left #operator #right }
        }
        Condition::In(Number::MapType(map), list) => {
            let map = Literal::u8_unsuffixed(*map);
            let list = list.iter().map(|value| signed(*value));
            quote! { fx.map_type(#map).is_some_and(|ty| [#(#list),*].contains(&ty)) }
        }
        Condition::In(number, list) => {
            let number = emit_number(number);
            let list = list.iter().map(|value| signed(*value));
            quote! { [#(#list),*].contains(&(#number)) }
        }
        Condition::IsNull(number) => {
            let number = Literal::u8_unsuffixed(*number);
            quote! { fx.is_null(#number) }
        }
        Condition::Holds(condition) => {
            let condition = guard(condition);
            quote! { fx.holds(&#condition) }
        }
        Condition::Not(inner) => {
            let inner = emit_condition(inner);
            quote! { !(#inner) }
        }
        Condition::And(left, right) => {
            let (left, right) = (junct(left), junct(right));
            quote! { #left && #right }
        }
        Condition::Or(left, right) => {
            let (left, right) = (junct(left), junct(right));
            quote! { #left || #right }
        }
    }
}

fn junct(condition: &Condition) -> TokenStream {
    let tokens = emit_condition(condition);
    match condition {
        Condition::And(..) | Condition::Or(..) => quote! { (#tokens) },
        _ => tokens,
    }
}

fn emit_comparison(comparison: Comparison) -> TokenStream {
    match comparison {
        Comparison::Equal => quote!(==),
        Comparison::NotEqual => quote!(!=),
        Comparison::Less => quote!(<),
        Comparison::LessEqual => quote!(<=),
        Comparison::Greater => quote!(>),
        Comparison::GreaterEqual => quote!(>=),
    }
}
