//! Single values as expressions: guards, places, versions, types, variants of closed lists.

use probity_platform::{ArgRole, Behaviour, RegType, Site, Subject, Version};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use crate::model::Guard;

/// A guard's expression: literals only, so that references to it live as long as the program.
pub(super) fn guard(condition: &Guard) -> TokenStream {
    let numbers = |list: &[u32]| {
        let list = list.iter().map(|value| number(*value));
        quote! { &[#(#list),*] }
    };
    let list = |list: &[Guard]| {
        let list = list.iter().map(guard);
        quote! { &[#(#list),*] }
    };
    match condition {
        Guard::Always => quote! { rt::Guard::Always },
        Guard::Since(at) => {
            let at = version(*at);
            quote! { rt::Guard::Since(#at) }
        }
        Guard::Until(at) => {
            let at = version(*at);
            quote! { rt::Guard::Until(#at) }
        }
        Guard::Attach(values) => {
            let values = numbers(values);
            quote! { rt::Guard::Attach(#values) }
        }
        Guard::ProgType(values) => {
            let values = numbers(values);
            quote! { rt::Guard::ProgType(#values) }
        }
        Guard::Sleepable => quote! { rt::Guard::Sleepable },
        Guard::Cap(name) => quote! { rt::Guard::Cap(#name) },
        Guard::Config(name) => quote! { rt::Guard::Config(#name) },
        Guard::Arch(name) => quote! { rt::Guard::Arch(#name) },
        Guard::Target(names) => quote! { rt::Guard::Target(&[#(#names),*]) },
        Guard::Not(inner) => {
            let inner = guard(inner);
            quote! { rt::Guard::Not(&#inner) }
        }
        Guard::All(all) => {
            let all = list(all);
            quote! { rt::Guard::All(#all) }
        }
        Guard::Any(any) => {
            let any = list(any);
            quote! { rt::Guard::Any(#any) }
        }
    }
}

/// A place's expression.
pub(super) fn site(at: Site) -> TokenStream {
    if at == Site::NONE {
        return quote! { rt::Site::NONE };
    }
    let (file, line, column) = (Literal::u16_unsuffixed(at.file), number(at.line), number(at.column));
    quote! { rt::Site::new(#file, #line, #column) }
}

/// A number that may be negative, as a sign and a literal.
pub(super) fn signed(value: i128) -> TokenStream {
    let magnitude = Literal::u128_unsuffixed(value.unsigned_abs());
    if value < 0 {
        quote! { -#magnitude }
    } else {
        quote! { #magnitude }
    }
}

/// A version's expression: a struct literal, which references may be taken of.
pub(super) fn version(at: Version) -> TokenStream {
    let (major, minor) = (Literal::u16_unsuffixed(at.major), Literal::u16_unsuffixed(at.minor));
    quote! { rt::Version { major: #major, minor: #minor } }
}

/// A register type's expression.
pub(super) fn reg_type(ty: RegType) -> TokenStream {
    let (kind, flags) = (Literal::u8_unsuffixed(ty.kind.0), number(ty.flags.bits()));
    quote! { rt::RegType::new(#kind, #flags) }
}

/// A number.
pub(super) fn number(value: u32) -> TokenStream {
    let literal = Literal::u32_unsuffixed(value);
    quote!(#literal)
}

/// A number of 64 bits, hexadecimal.
pub(super) fn hex64(value: u64) -> TokenStream {
    let text = format!("0x{value:016x}");
    text.parse().expect("a hexadecimal literal is a token")
}

/// `Some` or `None`.
pub(super) fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        None => quote! { None },
        Some(value) => quote! { Some(#value) },
    }
}

/// The name of a variant.
pub(super) fn variant(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// The variant of a behaviour.
pub(super) fn behaviour(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::Scalar => "Scalar",
        Behaviour::Region => "Region",
        Behaviour::Packet => "Packet",
        Behaviour::PacketEnd => "PacketEnd",
        Behaviour::Stack => "Stack",
        Behaviour::Context => "Context",
        Behaviour::View => "View",
        Behaviour::Object => "Object",
        Behaviour::Handle => "Handle",
        Behaviour::Map => "Map",
        Behaviour::MapKey => "MapKey",
        Behaviour::MapValue => "MapValue",
        Behaviour::Func => "Func",
        Behaviour::StackObject => "StackObject",
        Behaviour::Arena => "Arena",
    }
}

/// The variant of a role.
pub(super) fn role(role: ArgRole) -> &'static str {
    match role {
        ArgRole::Anything => "Anything",
        ArgRole::Scalar => "Scalar",
        ArgRole::Map => "Map",
        ArgRole::MapKey => "MapKey",
        ArgRole::MapValue => "MapValue",
        ArgRole::Mem => "Mem",
        ArgRole::Size => "Size",
        ArgRole::SizeOrZero => "SizeOrZero",
        ArgRole::AllocSize => "AllocSize",
        ArgRole::AllocSizeOrZero => "AllocSizeOrZero",
        ArgRole::Pointer => "Pointer",
        ArgRole::Stack => "Stack",
        ArgRole::Func => "Func",
        ArgRole::Const => "Const",
        ArgRole::ConstSize => "ConstSize",
        ArgRole::Int => "Int",
        ArgRole::Object => "Object",
        ArgRole::StackObject => "StackObject",
        ArgRole::Field => "Field",
        ArgRole::ConstStr => "ConstStr",
        ArgRole::Ignored => "Ignored",
        ArgRole::Hidden => "Hidden",
    }
}

/// What an argument or a return is about.
pub(super) fn subject(subject: Subject) -> TokenStream {
    let index = Literal::u16_unsuffixed;
    match subject {
        Subject::None => quote! { rt::Subject::None },
        Subject::Int { bytes, signed } => {
            let bytes = Literal::u8_unsuffixed(bytes);
            quote! { rt::Subject::Int { bytes: #bytes, signed: #signed } }
        }
        Subject::Object(object) => {
            let object = index(object);
            quote! { rt::Subject::Object(#object) }
        }
        Subject::StackObject(object) => {
            let object = index(object);
            quote! { rt::Subject::StackObject(#object) }
        }
        Subject::Field(field) => {
            let field = index(field);
            quote! { rt::Subject::Field(#field) }
        }
    }
}

/// A range of values that may be returned.
pub(super) fn returns(range: Option<(i64, i64)>) -> TokenStream {
    option(range.map(|(low, high)| {
        let (low, high) = (signed(low.into()), signed(high.into()));
        quote! { (#low, #high) }
    }))
}
