//! An object whose programs call functions of a host, with the host's type: loaded, verified, compiled,
//! run. What codegen emits for a platform begins here ([`Module::load`]).
//!
//! The platform and the plug-ins of the tutorial, with a host that knows client 7:
//!
//! ```
//! # mod gate {
//! #     probity::platform!("tutorial/gate.bpfspec");
//! # }
//! # use gate::{Client, Request};
//! # use probity::host::{Handle, HostRun};
//! # struct Clients;
//! # impl gate::Host for Clients {
//! #     fn client_get(&mut self, _: &mut HostRun<'_>, number: u32) -> Option<Handle<Client>> {
//! #         (number == 7).then(|| Handle::new(Client { requests: 0, limit: 2 }))
//! #     }
//! #     fn client_put(&mut self, _: &mut HostRun<'_>, _: Handle<Client>) {}
//! # }
//! // From an object to a run. Between `verify` and `run` may stand `jit`, where the feature is on.
//! let module = gate::load(&std::fs::read("tutorial/admit.o")?)?;
//! let admit = module.program("admit")?.verify()?;
//! let mut request = Request { client: 7, bytes: 100, ..Request::default() };
//! assert_eq!(admit.run(&mut request, &mut Clients)?, 1);
//! assert_eq!(request.status, 200);
//!
//! // The next version gets the maps, and goes on where the first one ended.
//! let second = gate::load(&std::fs::read("tutorial/admit.o")?)?;
//! for (name, map) in module.maps() {
//!     second.share(name, map);
//! }
//! second.program("admit")?.verify()?.run(&mut request, &mut Clients)?;
//! let traffic = second.map("traffic").expect("it was shared");
//! let bytes = traffic.lookup(&7_u32.to_ne_bytes()).expect("client 7 is in it");
//! assert_eq!(bytes, 200_u64.to_ne_bytes());
//!
//! // What is not accepted has no `run`, and says why: the line, where the value comes from, what to
//! // change. The error of `verify` says it in one line.
//! let module = gate::load::<Clients>(&std::fs::read("tutorial/leaky.o")?)?;
//! let refusal = module.program("admit")?.refusal().expect("it keeps a client");
//! assert_eq!(refusal.code, Some("reference-leak"));
//! println!("{refusal}");
//! let error = module.program("admit")?.verify().expect_err("it is refused");
//! assert!(error.to_string().starts_with("program admit is rejected: "));
//! assert!(matches!(error, probity::LoadError::NotVerified { unsupported: false, .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::any::Any;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use probity_engine::Verified;
use probity_object::Object;
use probity_vm::host::{Bindings, ContextStruct};
use probity_vm::{
    CheckedProgram, Context, Executable, Input, Map, Packet, RunError, Runtime, RuntimeOptions,
};
use probity_vm::{Session, Worker};

use crate::{Instance, Linked, LoadError, Loader, Runnable};

/// An object in a runtime, with the functions of hosts of type `H`. Threads may share it.
#[derive(Debug)]
pub struct Module<H> {
    instance: Instance<'static>,
    host: PhantomData<fn(&mut H)>,
}

impl<H: 'static> Module<H> {
    /// Reads an object, in a runtime of its own with a run slot for each processor.
    ///
    /// # Errors
    ///
    /// When the object can't be read.
    pub fn load(bindings: Bindings<H>, object: &[u8]) -> Result<Module<H>, LoadError> {
        let slots = available_parallelism().map_or(1, NonZero::get).max(4) as u32;
        let runtime = Runtime::new(RuntimeOptions { slots, ..RuntimeOptions::default() });
        Module::load_in(bindings, &runtime, object)
    }

    /// Reads an object, in a runtime that others may share.
    ///
    /// # Errors
    ///
    /// When the object can't be read.
    pub fn load_in(bindings: Bindings<H>, runtime: &Runtime, object: &[u8]) -> Result<Module<H>, LoadError> {
        Module::load_with(Loader::new(bindings.platform()), bindings, runtime, object)
    }

    /// Reads an object with a loader of one's own, for the same platform.
    ///
    /// # Errors
    ///
    /// When the object can't be read.
    pub fn load_with(
        loader: Loader<'static>,
        bindings: Bindings<H>,
        runtime: &Runtime,
        object: &[u8],
    ) -> Result<Module<H>, LoadError> {
        let instance = Instance::of(loader, Object::parse(object)?, runtime).with_host(bindings.link()?);
        Ok(Module { instance, host: PhantomData })
    }

    /// The names of its programs.
    pub fn programs(&self) -> impl Iterator<Item = &str> {
        self.instance.object().programs().iter().map(|entry| entry.name.as_str())
    }

    /// The program of this name, linked and not verified: there is nothing to run yet.
    ///
    /// # Errors
    ///
    /// When there is none, or it can't be linked.
    pub fn program(&self, name: &str) -> Result<Unverified<'_, H>, LoadError> {
        Ok(Unverified { linked: self.instance.program(name)?, host: PhantomData })
    }

    /// The map of this name, once a program that uses it was verified, or it was shared.
    #[must_use]
    pub fn map(&self, name: &str) -> Option<Arc<Map>> {
        self.instance.map(name)
    }

    /// The maps by name.
    #[must_use]
    pub fn maps(&self) -> BTreeMap<String, Arc<Map>> {
        self.instance.maps()
    }

    /// Gives a map that another object has too: programs that are verified later use it by this name.
    pub fn share(&self, name: impl Into<String>, map: Arc<Map>) {
        self.instance.share(name, map);
    }

    /// Gives the maps of other objects: programs that are verified later use those whose names they have.
    /// Global data stays each object's own: its names begin with a point, which no map's in C does.
    pub fn share_all(&self, maps: &BTreeMap<String, Arc<Map>>) {
        for (name, map) in maps.iter().filter(|(name, _)| !name.starts_with('.')) {
            self.share(name, Arc::clone(map));
        }
    }

    /// The runtime.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        self.instance.runtime()
    }
}

/// A program that was not verified.
#[derive(Debug)]
pub struct Unverified<'m, H> {
    linked: Linked<'m, 'static>,
    host: PhantomData<fn(&mut H)>,
}

impl<H: 'static> Unverified<'_, H> {
    /// Verifies it, and makes its maps.
    ///
    /// # Errors
    ///
    /// When it is not accepted: [`LoadError::NotVerified`] says why, and so does [`Unverified::explain`] at
    /// length; or when the runtime lacks something that it uses.
    pub fn verify(self) -> Result<Program<H>, LoadError> {
        Ok(Program { runnable: self.linked.verify()?, host: PhantomData })
    }

    /// Why it is not accepted, in the program's source; None when it is.
    #[must_use]
    pub fn explain(&self) -> Option<probity_engine::Explanation> {
        self.linked.explain()
    }

    /// As [`Unverified::explain`], to be printed.
    #[cfg(feature = "report")]
    #[must_use]
    pub fn refusal(&self) -> Option<crate::report::Refusal> {
        self.linked.refusal()
    }

    /// Has it ready for the interpreter that checks everything: to try what was not verified.
    ///
    /// # Errors
    ///
    /// When a map can't be made, or the runtime lacks something.
    pub fn checked(self) -> Result<CheckedProgram, LoadError> {
        self.linked.checked()
    }
}

/// A verified program. Clones are the same program; threads may share it, each with a host of its own.
///
/// To change the program while others run it, put it into an array of programs and have a program that
/// stays call it from there, as a tail call: `set_program` replaces it in one step.
///
/// ```no_run
/// # mod gate {
/// #     probity::platform!("tutorial/gate.bpfspec");
/// # }
/// # use gate::{Client, Request};
/// # use probity::host::{Handle, HostRun};
/// # struct Clients;
/// # impl gate::Host for Clients {
/// #     fn client_get(&mut self, _: &mut HostRun<'_>, number: u32) -> Option<Handle<Client>> {
/// #         (number == 7).then(|| Handle::new(Client { requests: 0, limit: 2 }))
/// #     }
/// #     fn client_put(&mut self, _: &mut HostRun<'_>, _: Handle<Client>) {}
/// # }
/// # fn replace(module: &probity::Module<Clients>) -> Result<(), Box<dyn std::error::Error>> {
/// let stages = module.map("stages").expect("an array of programs, which the object has");
/// let newer = gate::load_in::<Clients>(module.runtime(), &std::fs::read("newer.o")?)?;
/// stages.set_program(0, newer.program("stage")?.verify()?.executable())?;
/// # Ok(())
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Program<H> {
    runnable: Runnable,
    host: PhantomData<fn(&mut H)>,
}

impl<H> Clone for Program<H> {
    fn clone(&self) -> Self {
        Program { runnable: self.runnable.clone(), host: PhantomData }
    }
}

impl<H> std::fmt::Debug for Program<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.runnable.fmt(f)
    }
}

impl<H: 'static> Program<H> {
    /// Makes machine code of it: runs are fast from now on.
    ///
    /// # Errors
    ///
    /// See [`Runnable::jit`].
    #[cfg(feature = "jit")]
    pub fn jit(self) -> Result<Program<H>, LoadError> {
        Ok(Program { runnable: self.runnable.jit()?, host: PhantomData })
    }

    /// As [`Program::jit`], with options.
    ///
    /// # Errors
    ///
    /// See [`Runnable::jit`].
    #[cfg(feature = "jit")]
    pub fn jit_with(self, options: &probity_jit::Options) -> Result<Program<H>, LoadError> {
        Ok(Program { runnable: self.runnable.jit_with(options)?, host: PhantomData })
    }

    /// The proof.
    #[must_use]
    pub fn verified(&self) -> &Verified {
        self.runnable.verified()
    }

    /// What runs: to be put into an array of programs ([`Map::set_program`]).
    #[must_use]
    pub fn executable(&self) -> &Executable {
        self.runnable.executable()
    }

    /// A worker of its runtime: what a thread brings to its runs.
    ///
    /// # Errors
    ///
    /// When all run slots are taken.
    pub fn worker(&self) -> Result<Worker, LoadError> {
        Ok(self.runnable.runtime().worker()?)
    }

    /// Binds it to a worker, for many runs.
    ///
    /// # Errors
    ///
    /// When the worker is of a runtime with more run slots than the program's maps serve.
    pub fn calls<'r>(&'r self, worker: &'r mut Worker) -> Result<Calls<'r, H>, LoadError> {
        Ok(Calls { session: self.runnable.session(worker, None)?, host: PhantomData })
    }

    /// Runs it once with a context, which it may change; gives r0. Takes a run slot for that long. For
    /// many runs there is [`Program::calls`].
    ///
    /// # Errors
    ///
    /// When the run ended early, all run slots are taken, or the context is another program type's.
    pub fn run<C: ContextStruct>(&self, context: &mut C, host: &mut H) -> Result<u64, LoadError> {
        self.call(context, None, host)
    }

    /// As [`Program::run`], on a packet.
    ///
    /// # Errors
    ///
    /// See [`Program::run`].
    pub fn run_on<C: ContextStruct>(
        &self,
        packet: &mut Packet,
        context: &mut C,
        host: &mut H,
    ) -> Result<u64, LoadError> {
        self.call(context, Some(packet), host)
    }

    fn call<C: ContextStruct>(
        &self,
        context: &mut C,
        packet: Option<&mut Packet>,
        host: &mut H,
    ) -> Result<u64, LoadError> {
        let mut worker = self.worker()?;
        Ok(self.calls(&mut worker)?.run(context, packet, host)?)
    }
}

/// A program bound to a worker: for many runs, one after the other, each with a context and a host. A
/// thread makes its own.
///
/// ```
/// # mod gate {
/// #     probity::platform!("tutorial/gate.bpfspec");
/// # }
/// # use gate::{Client, Request};
/// # use probity::host::{Handle, HostRun};
/// # struct Clients;
/// # impl gate::Host for Clients {
/// #     fn client_get(&mut self, _: &mut HostRun<'_>, number: u32) -> Option<Handle<Client>> {
/// #         (number == 7).then(|| Handle::new(Client { requests: 0, limit: 2 }))
/// #     }
/// #     fn client_put(&mut self, _: &mut HostRun<'_>, _: Handle<Client>) {}
/// # }
/// let module = gate::load(&std::fs::read("tutorial/admit.o")?)?;
/// let admit = module.program("admit")?.verify()?;
///
/// let mut worker = module.runtime().worker()?;
/// let mut calls = admit.calls(&mut worker)?;
/// // A run that takes more back edges and calls than this ends with an error.
/// calls.fuel(Some(10_000));
/// for client in [7, 8, 7] {
///     let mut request = Request { client, bytes: 60, ..Request::default() };
///     let let_in = calls.run(&mut request, None, &mut Clients)? == 1;
///     assert_eq!(let_in, client == 7);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Calls<'r, H> {
    session: Session<'r>,
    host: PhantomData<fn(&mut H)>,
}

impl<H: 'static> Calls<'_, H> {
    /// How many back edges and calls each run may take; None: as many as it likes.
    pub fn fuel(&mut self, fuel: Option<u64>) {
        self.session.fuel(fuel);
    }

    /// Runs in the interpreter, also when there is machine code.
    pub fn interpreted(&mut self, interpreted: bool) {
        self.session.interpreted(interpreted);
    }

    /// Runs the program with a context, which it may change, on a packet or none; gives r0.
    ///
    /// # Errors
    ///
    /// When the run ended early, or the context is another program type's.
    pub fn run<C: ContextStruct>(
        &mut self,
        context: &mut C,
        packet: Option<&mut Packet>,
        host: &mut H,
    ) -> Result<u64, RunError> {
        if !self.session.context().put(context) {
            return Err(RunError::Internal("a context of another program type"));
        }
        let result = self.session.run_with(packet, Some(host as &mut dyn Any));
        if let Some(after) = self.session.context().take() {
            *context = after;
        }
        result
    }
}

/// Runs a program in the checked interpreter with a context, which it may change; gives r0.
///
/// That interpreter takes what was not accepted too, and checks each access: a fault ends the run with
/// an error that says where.
///
/// ```
/// # mod gate {
/// #     probity::platform!("tutorial/gate.bpfspec");
/// # }
/// # use gate::{Client, Request};
/// # use probity::host::{Handle, HostRun};
/// # struct Clients;
/// # impl gate::Host for Clients {
/// #     fn client_get(&mut self, _: &mut HostRun<'_>, number: u32) -> Option<Handle<Client>> {
/// #         (number == 7).then(|| Handle::new(Client { requests: 0, limit: 2 }))
/// #     }
/// #     fn client_put(&mut self, _: &mut HostRun<'_>, _: Handle<Client>) {}
/// # }
/// let module = gate::load::<Clients>(&std::fs::read("tutorial/leaky.o")?)?;
/// let leaky = module.program("admit")?.checked()?;
///
/// let mut request = Request { client: 7, bytes: 100, ..Request::default() };
/// let mut worker = module.runtime().worker()?;
/// let result = probity::module::run_checked(&leaky, &mut worker, &mut request, None, &mut Clients)?;
/// // What it forgot to give back, the runtime has given back.
/// assert_eq!((result, request.status), (1, 200));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
/// # Errors
///
/// When the run ended early, with a fault say, or the context is another program type's.
pub fn run_checked<C: ContextStruct, H: 'static>(
    program: &CheckedProgram,
    worker: &mut Worker,
    context: &mut C,
    packet: Option<&mut Packet>,
    host: &mut H,
) -> Result<u64, RunError> {
    let mut own = Context::new(program.unit().view());
    if !own.put(context) {
        return Err(RunError::Internal("a context of another program type"));
    }
    let input = Input { context: Some(&mut own), packet, host: Some(host), ..Input::default() };
    let result = program.run(worker, input);
    if let Some(after) = own.take() {
        *context = after;
    }
    result
}
