//! An object in a runtime: its maps, which its programs share, and its programs, verified and ready to
//! run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use probity_engine::{Explanation, Finding, Verdict, Verified, explain, verify};
use probity_object::{Object, ObjectError, ProgramError};
use probity_platform::{Platform, Profile};
use probity_program::{MapDef, Program};
use probity_vm::maps::ProgArrayError;
use probity_vm::{
    CheckedProgram, Context, Executable, Input, LinkError, Map, MapError, NoSlot, RunError, Runtime, Session,
    Worker, host,
};
use thiserror::Error;

use crate::Loader;
use crate::slots::{Mode, Waiting};

/// Why a program of an object can't run.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The object can't be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The program can't be linked.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The engine does not accept it. `{}` is the reason in one line.
    #[error("program {program} is {}: {}", if *.unsupported { "unsupported" } else { "rejected" }, .finding.last_line())]
    NotVerified {
        /// The program.
        program: String,
        /// True when this version does not model what it uses.
        unsupported: bool,
        /// The place and the reason.
        finding: Box<Finding>,
    },
    /// One of its maps can't be made.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The runtime lacks something that it uses.
    #[error("program {program}: {error}")]
    Link {
        /// The program.
        program: String,
        /// What.
        error: LinkError,
    },
    /// A program does not fit the array of programs that its object puts it into, or uses.
    #[error(transparent)]
    ProgArray(#[from] ProgArrayError),
    /// A map does not fit the map of maps that its object puts it into.
    #[error("map {map}: {content} does not fit its place {index} (error {errno})")]
    Slot {
        /// The outer map.
        map: String,
        /// The place.
        index: u32,
        /// The inner map.
        content: String,
        /// The error number.
        errno: u16,
    },
    /// A run ended early.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The functions of the host are not those of the platform.
    #[error(transparent)]
    Host(#[from] host::Misfit),
    /// More runs at once than the runtime has slots for.
    #[error(transparent)]
    Slots(#[from] NoSlot),
    /// There is no machine code of it.
    #[cfg(feature = "jit")]
    #[error("program {program}: {error}")]
    Jit {
        /// The program.
        program: String,
        /// Why.
        error: probity_jit::JitError,
    },
}

/// An object in a runtime. Its maps are made when the first program that uses them is loaded, and
/// shared by all of them; by name they are the embedder's too.
#[derive(Debug)]
pub struct Instance<'a> {
    loader: Loader<'a>,
    /// The functions of the host, where the platform has one.
    host: Option<host::Linked>,
    object: Object,
    runtime: Runtime,
    maps: Mutex<BTreeMap<String, Arc<Map>>>,
    /// Names of maps that were made and do not hold yet what the object says.
    unfilled: Mutex<Vec<String>>,
    waiting: Waiting,
}

impl<'a> Instance<'a> {
    /// An object in a runtime, for the loader's platform.
    ///
    /// # Errors
    ///
    /// When the object can't be read.
    pub fn new(loader: Loader<'a>, object: &[u8], runtime: &Runtime) -> Result<Instance<'a>, LoadError> {
        Ok(Instance::of(loader, Object::parse(object)?, runtime))
    }

    /// An object that was read, in a runtime.
    #[must_use]
    pub fn of(loader: Loader<'a>, object: Object, runtime: &Runtime) -> Instance<'a> {
        let (maps, unfilled, waiting) = (Mutex::default(), Mutex::default(), Waiting::default());
        Instance { loader, host: None, object, runtime: runtime.clone(), maps, unfilled, waiting }
    }

    /// With the functions of a host, which programs call.
    #[must_use]
    pub fn with_host(self, host: host::Linked) -> Instance<'a> {
        Instance { host: Some(host), ..self }
    }

    /// The object.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The runtime.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The program of this name, linked.
    ///
    /// # Errors
    ///
    /// When there is none, or it can't be linked.
    pub fn program(&self, name: &str) -> Result<Linked<'_, 'a>, LoadError> {
        let Some(entry) = self.object.programs().iter().find(|entry| entry.name == name) else {
            return Err(ProgramError::NotFound { program: name.to_owned() }.into());
        };
        let program = self.loader.link(&self.object, entry)?;
        Ok(Linked { instance: self, program })
    }

    /// The map of this name, once a program that uses it was loaded or it was put here.
    #[must_use]
    pub fn map(&self, name: &str) -> Option<Arc<Map>> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The maps by name.
    #[must_use]
    pub fn maps(&self) -> BTreeMap<String, Arc<Map>> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives a map that another object has too; programs that are loaded later use it by this name.
    pub fn share(&self, name: impl Into<String>, map: Arc<Map>) {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into(), map);
    }

    /// The maps that a program refers to, made where they are not there yet.
    fn maps_of(&self, program: &Program) -> Result<Vec<Arc<Map>>, MapError> {
        let inner = |definition: &MapDef| definition.inner.and_then(|inner| program.maps.get(inner));
        program.maps.iter().map(|definition| self.shared(definition, inner(definition))).collect()
    }

    /// The map of a definition: the one of its name, when there is one.
    pub(crate) fn shared(&self, definition: &MapDef, inner: Option<&MapDef>) -> Result<Arc<Map>, MapError> {
        let mut maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        let name = &definition.name;
        if let Some(map) = maps.get(name).filter(|_| !name.is_empty()) {
            return Ok(Arc::clone(map));
        }
        let map = Map::create(self.loader.platform(), definition, inner, self.runtime.slots())?;
        if !name.is_empty() {
            maps.insert(name.clone(), Arc::clone(&map));
            self.unfilled.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        }
        Ok(map)
    }

    /// A map that does not hold yet what the object says.
    pub(crate) fn next_unfilled(&self) -> Option<(String, Arc<Map>)> {
        let name = self.unfilled.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        let map = self.map(&name)?;
        Some((name, map))
    }

    /// The programs that wait for their places in arrays.
    pub(crate) fn waiting(&self) -> &Waiting {
        &self.waiting
    }
}

/// A linked program of an instance: not verified yet, so there is nothing to run.
#[derive(Debug)]
pub struct Linked<'i, 'a> {
    instance: &'i Instance<'a>,
    program: Program,
}

impl Linked<'_, '_> {
    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    fn target(&self) -> (&'static Platform, &Profile) {
        (self.instance.loader.platform(), self.instance.loader.target_profile())
    }

    /// Verifies it, makes its maps, and has it ready to run, as the programs that the object puts into
    /// its arrays for tail calls.
    ///
    /// # Errors
    ///
    /// When one is not accepted, or the runtime lacks something.
    pub fn verify(self) -> Result<Runnable, LoadError> {
        let instance = self.instance;
        let (verified, executable) = self.executable()?;
        instance.fill(Mode::Verified)?;
        let (waiting, runtime) = (instance.waiting.clone(), instance.runtime.clone());
        Ok(Runnable { verified, executable, waiting, runtime })
    }

    /// Why it is not accepted; None when it is.
    #[must_use]
    pub fn explain(&self) -> Option<Explanation> {
        let (platform, profile) = self.target();
        let report = verify(&self.program, platform, profile);
        report.finding().map(|finding| explain(&self.program, platform, profile, finding))
    }

    /// Why it is not accepted, for people: printing it gives the C lines, and where the value came from.
    /// None when it is.
    #[cfg(feature = "report")]
    #[must_use]
    pub fn refusal(&self) -> Option<crate::report::Refusal> {
        let (platform, profile) = self.target();
        let report = verify(&self.program, platform, profile);
        let finding = report.finding()?;
        let lines = crate::report::Lines::new(&self.program);
        let mut refusal = crate::report::Refusal::of_finding(&self.program, platform, &lines, finding);
        refusal.unsupported = matches!(report.verdict, Verdict::Unsupported(_));
        if !refusal.unsupported {
            let explanation = explain(&self.program, platform, profile, finding);
            refusal.explain(&self.program, platform, &lines, explanation);
        }
        Some(refusal)
    }

    /// It alone, verified.
    pub(crate) fn executable(self) -> Result<(Verified, Executable), LoadError> {
        let (platform, profile) = self.target();
        let name = || self.program.name.clone();
        let refused = |finding, unsupported| LoadError::NotVerified {
            program: name(),
            unsupported,
            finding: Box::new(finding),
        };
        let verified = match verify(&self.program, platform, profile).verdict {
            Verdict::Accepted(verified) => verified,
            Verdict::Rejected(finding) => return Err(refused(finding, false)),
            Verdict::Unsupported(finding) => return Err(refused(finding, true)),
        };
        let maps = self.instance.maps_of(&self.program)?;
        let executable = match &self.instance.host {
            None => Executable::new(&verified, maps),
            Some(host) => Executable::with_host(&verified, maps, host),
        };
        let executable = executable.map_err(|error| LoadError::Link { program: name(), error })?;
        Ok((verified, executable))
    }

    /// Has it ready for the checked interpreter, which takes anything and checks everything, as the
    /// programs that the object puts into its arrays for tail calls.
    ///
    /// # Errors
    ///
    /// When a map can't be made, or the runtime lacks something.
    pub fn checked(self) -> Result<CheckedProgram, LoadError> {
        let instance = self.instance;
        let program = self.bare()?;
        instance.fill(Mode::Checked)?;
        Ok(program)
    }

    /// It alone, for the checked interpreter.
    pub(crate) fn bare(self) -> Result<CheckedProgram, LoadError> {
        let (platform, profile) = self.target();
        let maps = self.instance.maps_of(&self.program)?;
        let checked = match &self.instance.host {
            None => CheckedProgram::new(&self.program, platform, profile, maps),
            Some(host) => CheckedProgram::with_host(&self.program, platform, profile, maps, host),
        };
        checked.map_err(|error| LoadError::Link { program: self.program.name.clone(), error })
    }
}

/// A verified program, ready to run; threads may share it.
#[derive(Clone, Debug)]
pub struct Runnable {
    verified: Verified,
    executable: Executable,
    waiting: Waiting,
    runtime: Runtime,
}

impl Runnable {
    /// The proof.
    #[must_use]
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    /// What runs.
    #[must_use]
    pub fn executable(&self) -> &Executable {
        &self.executable
    }

    /// The runtime that it was loaded in.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Makes machine code of it, and of the programs that wait for places in the instance's arrays: runs
    /// are fast from now on.
    ///
    /// # Errors
    ///
    /// Elsewhere than on x86-64, when the system gives no memory for code, when there is code already, and
    /// when an array of programs that it uses is for programs without code.
    #[cfg(feature = "jit")]
    pub fn jit(self) -> Result<Runnable, LoadError> {
        self.jit_with(&probity_jit::Options::default())
    }

    /// As [`Runnable::jit`], with options.
    ///
    /// # Errors
    ///
    /// See [`Runnable::jit`].
    #[cfg(feature = "jit")]
    pub fn jit_with(self, options: &probity_jit::Options) -> Result<Runnable, LoadError> {
        let install = |executable: &Executable| {
            let made =
                probity_jit::opt::compile_any(executable, options).and_then(probity_jit::NativeCode::install);
            let name = || executable.unit().program().name.clone();
            made.map_err(|error| LoadError::Jit { program: name(), error })
        };
        install(&self.executable)?;
        for entry in self.waiting.take() {
            install(&entry.program)?;
            entry.put()?;
        }
        Ok(self)
    }

    /// Binds it to a worker, for many runs: [`Executable::session`].
    ///
    /// # Errors
    ///
    /// When the context is of another type of program, the worker of a runtime with more run slots, or a
    /// program that waits does not fit its array.
    pub fn session<'r>(
        &'r self,
        worker: &'r mut Worker,
        context: Option<&'r mut Context>,
    ) -> Result<Session<'r>, LoadError> {
        self.waiting.settle()?;
        Ok(self.executable.session(worker, context)?)
    }

    /// Runs it once; gives r0.
    ///
    /// # Errors
    ///
    /// When the run ended early, or a program that waits does not fit its array.
    pub fn run(&self, worker: &mut Worker, input: Input<'_>) -> Result<u64, LoadError> {
        self.waiting.settle()?;
        Ok(self.executable.run(worker, input)?)
    }
}
