//! Names and Rust types of what a host is given and gives back.

use std::collections::{BTreeMap, BTreeSet};

use probity_platform::{HostArg, HostBound, HostEntry, HostRet, HostValue};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::{Bound, bound};
use crate::emit::names;
use crate::model::{Callable, Model};

/// Memory of more bytes, when the spec says no struct for it, is not copied.
const COPIED: u32 = 64;

/// The names of all types.
pub(super) struct Types<'a> {
    pub(super) model: &'a Model,
    /// Contexts by the name of their view, with the view.
    pub(super) contexts: BTreeMap<&'a str, (u16, Ident)>,
    /// Objects with a layout.
    pub(super) objects: BTreeMap<u16, Ident>,
    /// Plain structs.
    pub(super) structs: Vec<Ident>,
    /// Objects in the stack that host functions are about: associated types of the trait.
    pub(super) stacked: BTreeMap<u16, Ident>,
    /// Callbacks as host functions call them: by signature and entry.
    pub(super) callbacks: BTreeMap<(u16, String), (Ident, [HostEntry; 5])>,
    /// What binds callables, by their number among all.
    markers: BTreeMap<u16, Ident>,
}

impl<'a> Types<'a> {
    pub(super) fn of(model: &'a Model) -> Types<'a> {
        let mut taken: BTreeSet<String> =
            ["Host", "Self", "Option", "Result", "Some", "None", "Ok", "Err", "Default", "Sized"]
                .map(str::to_owned)
                .into();
        let mut fresh = |name: &str, suffix: &str| {
            let mut own = names::camel(name);
            if taken.contains(&own) {
                own.push_str(suffix);
            }
            while !taken.insert(own.clone()) {
                own.push('_');
            }
            names::type_name(&own)
        };
        let structs = model.structs.iter().map(|row| fresh(&row.name, "Struct")).collect();
        let mut contexts = BTreeMap::new();
        for ty in &model.prog_types {
            let name = model.views[usize::from(ty.ctx)].name.as_str();
            contexts.entry(name).or_insert_with(|| (ty.ctx, fresh(name, "Context")));
        }
        let laid_out = (0u16..).zip(&model.objects).filter(|(_, row)| row.view.is_some());
        let objects = laid_out.map(|(at, row)| (at, fresh(&row.name, "Object"))).collect();
        let mut stacked = BTreeMap::new();
        let mut callbacks = BTreeMap::new();
        for Bound { row, call, .. } in bound(model) {
            for arg in &call.args {
                match arg.value {
                    HostValue::Made(object) | HostValue::Used(object) | HostValue::Ended(object) => {
                        let name = &model.stack_objects[usize::from(object)].name;
                        stacked.entry(object).or_insert_with(|| fresh(name, "Value"));
                    }
                    HostValue::Callback { callback, entry, .. } => {
                        let name = &model.callbacks[usize::from(callback)].name;
                        callbacks
                            .entry((callback, format!("{entry:?}")))
                            .or_insert_with(|| (fresh(name, &names::camel(&row.name)), entry));
                    }
                    _ => {}
                }
            }
        }
        // They stand beside the others: a callable may have the name of what it is about.
        let markers = bound(model).map(|Bound { number, row, .. }| {
            let overload = row.overload.as_ref().map(|overload| format!("_{overload}")).unwrap_or_default();
            (number, fresh(&format!("{}{overload}", row.name), "Function"))
        });
        let markers = markers.collect();
        Types { model, contexts, objects, structs, stacked, callbacks, markers }
    }

    /// The type that is the binding of a callable.
    pub(super) fn marker(&self, number: u16) -> &Ident {
        &self.markers[&number]
    }

    /// The struct of an object.
    pub(super) fn object(&self, object: u16) -> &Ident {
        &self.objects[&object]
    }

    /// The struct of the context of a view.
    fn context(&self, view: u16) -> &Ident {
        &self.contexts[self.model.views[usize::from(view)].name.as_str()].1
    }

    /// The struct that fixed memory holds, or an array of its bytes when they are few.
    fn memory(&self, row: &Callable, arg: &HostArg, bytes: u32) -> Option<TokenStream> {
        if let Some(structure) = row.args[usize::from(arg.register)].structure {
            let name = &self.structs[usize::from(structure)];
            return Some(quote!(#name));
        }
        let count = Literal::u32_unsuffixed(bytes);
        (bytes <= COPIED).then(|| quote!([u8; #count]))
    }

    /// How an argument is taken: the type in the binding, what it is passed on as, and its type in the
    /// method. None of the latter two for what the method does not get as it is.
    pub(super) fn argument(&self, row: &Callable, arg: &HostArg) -> Taken {
        let taken = match arg.value {
            HostValue::Number { bytes, signed } => {
                let integer = integer(bytes, signed);
                Taken::plain(quote!(rt::host::Number<#integer>), quote!(#integer), quote!(.0))
            }
            HostValue::Context(view) => {
                let name = self.context(view);
                Taken::same(quote!(rt::host::ContextOf<'a, #name>), quote!(rt::host::ContextOf<'_, #name>))
            }
            HostValue::Memory { bytes, writable, uninit } => {
                let count = Literal::u32_unsuffixed(bytes);
                match (self.memory(row, arg, bytes), writable) {
                    (Some(ty), false) => Taken::plain(quote!(rt::host::Copied<#ty>), ty, quote!(.0)),
                    (Some(ty), true) => Taken {
                        binding: quote!(rt::host::Place<'a, #ty, #uninit>),
                        method: quote!(&mut #ty),
                        pass: Pass::Place,
                    },
                    (None, false) => {
                        let method = quote!(rt::host::Bytes<'_>);
                        Taken::plain(quote!(rt::host::Fixed<'a, #count>), method, quote!(.bytes()))
                    }
                    (None, true) => {
                        let method = quote!(rt::host::BytesMut<'_>);
                        Taken::plain(
                            quote!(rt::host::FixedMut<'a, #count, #uninit>),
                            method,
                            quote!(.bytes()),
                        )
                    }
                }
            }
            HostValue::Slice { writable: false, .. } => {
                Taken::same(quote!(rt::host::Bytes<'a>), quote!(rt::host::Bytes<'_>))
            }
            HostValue::Slice { uninit: false, .. } => {
                Taken::same(quote!(rt::host::BytesMut<'a>), quote!(rt::host::BytesMut<'_>))
            }
            HostValue::Slice { .. } => {
                Taken::plain(quote!(rt::host::Blank<'a>), quote!(rt::host::BytesMut<'_>), quote!(.bytes()))
            }
            HostValue::Map => Taken::same(quote!(&'a rt::host::Map), quote!(&rt::host::Map)),
            HostValue::Object(object) => {
                let name = self.object(object);
                Taken::same(quote!(rt::host::Guest<'a, #name>), quote!(rt::host::Guest<'_, #name>))
            }
            HostValue::Released(object) => {
                let name = self.object(object);
                Taken::same(quote!(rt::host::Handle<#name>), quote!(rt::host::Handle<#name>))
            }
            HostValue::Made(_) => Taken::same(quote!(()), quote!(())),
            HostValue::Used(object) => {
                let name = &self.stacked[&object];
                let (binding, method) = (quote!(rt::host::Used<H::#name>), quote!(&mut Self::#name));
                Taken { binding, method, pass: Pass::Used }
            }
            HostValue::Ended(object) => {
                let name = &self.stacked[&object];
                let (binding, method) = (quote!(rt::host::Ended<H::#name>), quote!(Self::#name));
                Taken { binding, method, pass: Pass::Ended }
            }
            HostValue::Callback { callback, entry, .. } => {
                let (name, _) = &self.callbacks[&(callback, format!("{entry:?}"))];
                let entries = self.entries(&entry);
                Taken {
                    binding: quote!(rt::host::Callback<'a, #entries>),
                    method: quote!(#name<'_>),
                    pass: Pass::Wrapped(name.clone()),
                }
            }
        };
        match arg.nullable {
            true => taken.nullable(),
            false => taken,
        }
    }

    /// What the registers of a callback hold, as a tuple of types.
    pub(super) fn entries(&self, entry: &[HostEntry; 5]) -> TokenStream {
        let used = entry.iter().rposition(|value| *value != HostEntry::Nothing).map_or(0, |last| last + 1);
        let entries = entry[..used].iter().map(|value| match value {
            HostEntry::Nothing => quote!(()),
            HostEntry::Number => quote!(rt::host::Given),
            HostEntry::Object(object) => {
                let name = self.object(*object);
                quote!(rt::host::Shared<#name>)
            }
            HostEntry::Caller(arg) => {
                let arg = Literal::u8_unsuffixed(*arg);
                quote!(rt::host::Caller<#arg>)
            }
        });
        quote!((#(#entries,)*))
    }

    /// The type that a call gives back: in the binding, with `host` for the type of the host, and how the
    /// method's result becomes one.
    pub(super) fn returned(&self, bound: Bound<'_>, host: &TokenStream) -> Returned {
        let pointer = |ty: TokenStream, nullable: bool| match nullable {
            true => Returned { binding: quote!(Option<#ty>), method: quote!(Option<#ty>), wrap: None },
            false => {
                let wrap = Some(quote!(rt::host::Always));
                Returned { binding: quote!(rt::host::Always<#ty>), method: ty, wrap }
            }
        };
        match bound.call.ret {
            HostRet::Nothing => Returned::same(quote!(())),
            HostRet::Number { bytes, signed } => {
                let integer = integer(bytes, signed);
                Returned::same(match may_fail(bound, signed) {
                    true => quote!(Result<#integer, rt::host::Errno>),
                    false => quote!(#integer),
                })
            }
            HostRet::Object { object, nullable } => {
                let name = self.object(object);
                pointer(quote!(rt::host::Shared<#name>), nullable)
            }
            HostRet::Acquired { object, nullable } => {
                let name = self.object(object);
                pointer(quote!(rt::host::Handle<#name>), nullable)
            }
            HostRet::Memory { nullable, .. } => match (bound.row.ret_structure, nullable) {
                (None, _) => pointer(quote!(rt::host::SharedBytes), nullable),
                (Some(structure), true) => {
                    let name = &self.structs[usize::from(structure)];
                    Returned {
                        binding: quote!(Option<rt::host::Memory<#name>>),
                        method: quote!(Option<rt::host::Shared<#name>>),
                        wrap: Some(quote!(rt::host::Memory::maybe)),
                    }
                }
                (Some(structure), false) => {
                    let name = &self.structs[usize::from(structure)];
                    Returned {
                        binding: quote!(rt::host::Always<rt::host::Memory<#name>>),
                        method: quote!(rt::host::Shared<#name>),
                        wrap: Some(quote!(rt::host::Memory::always)),
                    }
                }
            },
            HostRet::Made => {
                let made = bound.call.args.iter().find_map(|arg| match arg.value {
                    HostValue::Made(object) => self.stacked.get(&object),
                    _ => None,
                });
                Returned {
                    binding: quote!(rt::host::Made<#host::#made>),
                    method: quote!(Result<#host::#made, rt::host::Errno>),
                    wrap: Some(quote!(rt::host::Made)),
                }
            }
        }
    }
}

/// How an argument gets from a binding to a method.
pub(super) enum Pass {
    /// As it is, with something behind it.
    As(TokenStream),
    /// As a copy that is written back.
    Place,
    /// As the value behind an object in the stack.
    Used,
    /// As the value that was behind one.
    Ended,
    /// Inside of a struct.
    Wrapped(Ident),
}

/// An argument in a binding and in a method.
pub(super) struct Taken {
    pub(super) binding: TokenStream,
    pub(super) method: TokenStream,
    pub(super) pass: Pass,
}

impl Taken {
    fn plain(binding: TokenStream, method: TokenStream, suffix: TokenStream) -> Taken {
        Taken { binding, method, pass: Pass::As(suffix) }
    }

    fn same(binding: TokenStream, method: TokenStream) -> Taken {
        Taken::plain(binding, method, TokenStream::new())
    }

    fn nullable(self) -> Taken {
        let Taken { binding, method, pass } = self;
        let pass = match pass {
            Pass::As(suffix) if !suffix.is_empty() => Pass::As(quote!(.map(|some| some #suffix))),
            pass => pass,
        };
        Taken { binding: quote!(Option<#binding>), method: quote!(Option<#method>), pass }
    }
}

/// What is given back in a binding and in a method.
pub(super) struct Returned {
    pub(super) binding: TokenStream,
    pub(super) method: TokenStream,
    pub(super) wrap: Option<TokenStream>,
}

impl Returned {
    fn same(ty: TokenStream) -> Returned {
        Returned { binding: ty.clone(), method: ty, wrap: None }
    }
}

/// Whether a number may be an error: it has a sign, and nothing says that it is never negative.
fn may_fail(bound: Bound<'_>, signed: bool) -> bool {
    let negative = |low: HostBound| !matches!(low, HostBound::Number(0..) | HostBound::Argument(_));
    signed && bound.call.returns.iter().all(|(low, _)| negative(*low))
}

/// The Rust type of an integer.
pub(super) fn integer(bytes: u8, signed: bool) -> Ident {
    let sign = if signed { 'i' } else { 'u' };
    names::type_name(&format!("{sign}{}", u32::from(bytes) * 8))
}

/// The method of a callable.
pub(super) fn method(row: &Callable) -> Ident {
    match &row.overload {
        None => names::field(&row.name),
        Some(overload) => names::field(&format!("{}_{overload}", row.name)),
    }
}
