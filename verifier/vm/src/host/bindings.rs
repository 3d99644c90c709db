//! A host's functions for a platform.

use std::any::TypeId;
use std::marker::PhantomData;
use std::sync::Arc;

use probity_platform::{HostBinding, Platform};

use super::arguments::Arguments;
use super::call::shim;
use super::result::Returns;
use super::scope::HostRun;
use super::shape::{Misfit, Signature, check};
use crate::run::RawFn;

/// The function of a host for a callable. Codegen emits these; by hand there is nothing to win, as they
/// must be what the callable's row says.
pub trait HostFunction<H>: 'static {
    /// The callable's number among all of the platform: helpers, then kfuncs.
    const NUMBER: u16;
    /// Its name.
    const NAME: &'static str;
    /// The registers that arguments begin in: 0 is r1.
    const REGISTERS: &'static [u8];
    /// True when the number that it gives back is held to bounds.
    const RANGED: bool;
    /// True when what others gave ends with a call of it.
    const ENDS_LIFETIMES: bool;
    /// What it is given.
    type Args<'a>: Arguments<'a>;
    /// What it gives back.
    type Ret: Returns;

    /// Calls the host.
    fn call<'a>(host: &mut H, run: &mut HostRun<'_>, args: Self::Args<'a>) -> Self::Ret;
}

/// A function, linked.
#[derive(Clone, Copy, Debug)]
struct Function {
    number: u16,
    name: &'static str,
    raw: RawFn,
    signature: Signature,
}

/// The functions of hosts of type `H` for a platform.
pub struct Bindings<H> {
    platform: &'static Platform,
    functions: Vec<Function>,
    host: PhantomData<fn(&mut H)>,
}

impl<H> Clone for Bindings<H> {
    fn clone(&self) -> Self {
        Bindings { functions: self.functions.clone(), ..*self }
    }
}

impl<H> std::fmt::Debug for Bindings<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.functions.iter().map(|function| function.name);
        f.debug_struct("Bindings").field("platform", &self.platform.name).finish()?;
        f.debug_list().entries(names).finish()
    }
}

impl<H: 'static> Bindings<H> {
    /// No functions yet.
    #[must_use]
    pub fn new(platform: &'static Platform) -> Bindings<H> {
        Bindings { platform, functions: Vec::new(), host: PhantomData }
    }

    /// Adds a function.
    #[must_use]
    pub fn with<F: HostFunction<H>>(mut self) -> Bindings<H> {
        let signature = Signature {
            args: <F::Args<'static> as Arguments<'static>>::SHAPES,
            registers: F::REGISTERS,
            ret: F::Ret::SHAPE,
            ranged: F::RANGED,
            ends_lifetimes: F::ENDS_LIFETIMES,
        };
        self.functions.push(Function { number: F::NUMBER, name: F::NAME, raw: shim::<H, F>, signature });
        self
    }

    /// The platform.
    #[must_use]
    pub fn platform(&self) -> &'static Platform {
        self.platform
    }

    /// The functions by number, when each is made for its callable.
    ///
    /// # Errors
    ///
    /// When one is not, which generated bindings never are.
    pub fn link(&self) -> Result<Linked, Misfit> {
        let count = self.platform.callables.len() + self.platform.kfuncs.len();
        let mut functions: Vec<Option<RawFn>> = vec![None; count];
        for function in &self.functions {
            let misfit = |what: &str| Misfit { callable: function.name.to_owned(), what: what.to_owned() };
            let row = self.platform.callable_at(function.number).filter(|row| row.name == function.name);
            let row = row.ok_or_else(|| misfit("the platform has another callable in its place"))?;
            let HostBinding::Call(call) = row.host else {
                return Err(misfit("no host does what it does"));
            };
            check(self.platform, call, &function.signature).map_err(|what| misfit(&what))?;
            functions[usize::from(function.number)] = Some(function.raw);
        }
        let functions = functions.into();
        Ok(Linked { platform: self.platform.spec_hash, host: TypeId::of::<H>(), functions })
    }
}

/// The functions of a host that were found to be made for a platform. Clones share them.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The hash of the platform's spec.
    platform: u64,
    host: TypeId,
    functions: Arc<[Option<RawFn>]>,
}

impl Linked {
    /// Whether they are of this platform.
    pub(crate) fn is_of(&self, platform: &Platform) -> bool {
        self.platform == platform.spec_hash
    }

    /// The type of the host.
    pub(crate) fn host(&self) -> TypeId {
        self.host
    }

    /// The raw function of a callable, by its number among all.
    pub(crate) fn function(&self, number: u16) -> Option<RawFn> {
        self.functions.get(usize::from(number)).copied().flatten()
    }
}
