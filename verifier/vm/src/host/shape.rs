//! That a function is made for its callable: its Rust types against the spec's row.

use probity_platform::{HostArg, HostCall, HostEntry, HostRet, HostValue, Platform};
use thiserror::Error;

/// What a Rust type of an argument stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub(crate) form: Form,
    pub(crate) nullable: bool,
}

/// See [`HostValue`]. Of objects, the size says enough: all patterns of bits are values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Number { bytes: usize, signed: bool },
    Context,
    Memory { bytes: usize, writable: bool, uninit: bool },
    Slice { writable: bool, uninit: bool },
    Map,
    Object { bytes: usize },
    Released { bytes: usize },
    Used,
    Ended,
    Callback(&'static [EntryShape]),
}

impl Form {
    pub(crate) const fn shape(self) -> Shape {
        Shape { form: self, nullable: false }
    }
}

/// What a Rust type stands for in a register of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryShape {
    /// Nothing.
    Nothing,
    /// A number.
    Number,
    /// An object of so many bytes.
    Object(usize),
    /// An argument of the call.
    Caller(u8),
}

/// What a Rust type stands for that is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetShape {
    pub(crate) form: RetForm,
    pub(crate) nullable: bool,
}

/// See [`HostRet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetForm {
    Nothing,
    Number { bytes: usize, signed: bool },
    Object { bytes: usize },
    Acquired { bytes: usize },
    Memory,
    Made,
}

impl RetForm {
    pub(crate) const fn shape(self) -> RetShape {
        RetShape { form: self, nullable: false }
    }
}

/// Why a function of a host is not made for its callable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the host's function for {callable} is not made for it: {what}")]
pub struct Misfit {
    /// The callable.
    pub callable: String,
    /// What differs.
    pub what: String,
}

/// What a function says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    pub(crate) args: &'static [Shape],
    pub(crate) registers: &'static [u8],
    pub(crate) ret: RetShape,
    pub(crate) ranged: bool,
    pub(crate) ends_lifetimes: bool,
}

/// Whether a function is made for a call.
pub(crate) fn check(platform: &Platform, call: &HostCall, signature: &Signature) -> Result<(), String> {
    // What is made in the stack is given back, not taken.
    let wanted: Vec<&HostArg> =
        call.args.iter().filter(|arg| !matches!(arg.value, HostValue::Made(_))).collect();
    if wanted.len() != signature.args.len() || wanted.len() != signature.registers.len() {
        return Err(format!("it takes {} arguments and not {}", signature.args.len(), wanted.len()));
    }
    for ((arg, shape), register) in wanted.iter().zip(signature.args).zip(signature.registers) {
        if arg.register != *register
            || arg.nullable != shape.nullable
            || !fits(platform, arg.value, shape.form)
        {
            return Err(format!("what it takes from r{} is {:?} and not {:?}", arg.register + 1, shape, arg));
        }
    }
    if !returns(platform, call.ret, signature.ret) {
        return Err(format!("it gives {:?} and not {:?}", signature.ret, call.ret));
    }
    if signature.ranged == call.returns.is_empty() {
        return Err("what it gives is held to other bounds".into());
    }
    if signature.ends_lifetimes != call.ends_lifetimes {
        return Err("it ends other lifetimes".into());
    }
    Ok(())
}

fn object_bytes(platform: &Platform, object: u16) -> Option<usize> {
    let view = platform.objects.get(usize::from(object))?.view?;
    Some(platform.views[usize::from(view)].size as usize)
}

fn fits(platform: &Platform, value: HostValue, form: Form) -> bool {
    match (value, form) {
        (HostValue::Number { bytes, signed }, Form::Number { bytes: own, signed: sign }) => {
            usize::from(bytes) == own && signed == sign
        }
        (HostValue::Context(_), Form::Context) | (HostValue::Map, Form::Map) => true,
        (
            HostValue::Memory { bytes, writable, uninit },
            Form::Memory { bytes: own, writable: write, uninit: new },
        ) => bytes as usize == own && (writable, uninit) == (write, new),
        (HostValue::Slice { writable, uninit }, Form::Slice { writable: write, uninit: new }) => {
            (writable, uninit) == (write, new)
        }
        (HostValue::Object(object), Form::Object { bytes })
        | (HostValue::Released(object), Form::Released { bytes }) => {
            object_bytes(platform, object) == Some(bytes)
        }
        (HostValue::Used(_), Form::Used) | (HostValue::Ended(_), Form::Ended) => true,
        (HostValue::Callback { entry, .. }, Form::Callback(given)) => {
            let rest = entry.get(given.len()..).unwrap_or(&[]);
            rest.iter().all(|value| *value == HostEntry::Nothing)
                && entry.iter().zip(given).all(|(wanted, own)| match (wanted, own) {
                    (HostEntry::Nothing, EntryShape::Nothing) | (HostEntry::Number, EntryShape::Number) => {
                        true
                    }
                    (HostEntry::Object(object), EntryShape::Object(bytes)) => {
                        object_bytes(platform, *object) == Some(*bytes)
                    }
                    (HostEntry::Caller(arg), EntryShape::Caller(own)) => arg == own,
                    _ => false,
                })
        }
        _ => false,
    }
}

fn returns(platform: &Platform, wanted: HostRet, shape: RetShape) -> bool {
    let is_null = |nullable: bool| nullable == shape.nullable;
    match (wanted, shape.form) {
        (HostRet::Nothing, RetForm::Nothing) | (HostRet::Made, RetForm::Made) => true,
        (HostRet::Number { bytes, signed }, RetForm::Number { bytes: own, signed: sign }) => {
            usize::from(bytes) == own && signed == sign
        }
        (HostRet::Object { object, nullable }, RetForm::Object { bytes })
        | (HostRet::Acquired { object, nullable }, RetForm::Acquired { bytes }) => {
            is_null(nullable) && object_bytes(platform, object) == Some(bytes)
        }
        (HostRet::Memory { nullable, .. }, RetForm::Memory) => is_null(nullable),
        _ => false,
    }
}
