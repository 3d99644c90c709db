//! An object in a runtime: its maps, which its programs share, and its programs, verified and ready to
//! run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use probity_engine::{Finding, Verdict, Verified, verify};
use probity_object::{Object, ObjectError, ProgramError};
use probity_platform::{Platform, Profile};
use probity_program::{MapDef, Program};
use probity_vm::{CheckedProgram, Executable, Input, LinkError, Map, MapError, RunError, Runtime, Worker};
use thiserror::Error;

use crate::Loader;

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
    object: Object,
    runtime: Runtime,
    maps: Mutex<BTreeMap<String, Arc<Map>>>,
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
        Instance { loader, object, runtime: runtime.clone(), maps: Mutex::default() }
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
        let mut maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for definition in &program.maps {
            if let Some(map) = maps.get(&definition.name).filter(|_| !definition.name.is_empty()) {
                found.push(Arc::clone(map));
                continue;
            }
            let map = self.make(program, definition)?;
            if !definition.name.is_empty() {
                maps.insert(definition.name.clone(), Arc::clone(&map));
            }
            found.push(map);
        }
        Ok(found)
    }

    fn make(&self, program: &Program, definition: &MapDef) -> Result<Arc<Map>, MapError> {
        let inner = definition.inner.and_then(|inner| program.maps.get(inner));
        Map::create(self.loader.platform(), definition, inner, self.runtime.slots())
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

    /// Verifies it, makes its maps, and has it ready to run.
    ///
    /// # Errors
    ///
    /// When it is not accepted, or the runtime lacks something.
    pub fn verify(self) -> Result<Runnable, LoadError> {
        let (platform, profile) = self.target();
        let name = || self.program.name.clone();
        let verified = match verify(&self.program, platform, profile).verdict {
            Verdict::Accepted(verified) => verified,
            Verdict::Rejected(finding) => {
                let finding = Box::new(finding);
                return Err(LoadError::NotVerified { program: name(), unsupported: false, finding });
            }
            Verdict::Unsupported(finding) => {
                let finding = Box::new(finding);
                return Err(LoadError::NotVerified { program: name(), unsupported: true, finding });
            }
        };
        let maps = self.instance.maps_of(&self.program)?;
        let executable =
            Executable::new(&verified, maps).map_err(|error| LoadError::Link { program: name(), error })?;
        Ok(Runnable { verified, executable })
    }

    /// Has it ready for the checked interpreter, which takes anything and checks everything.
    ///
    /// # Errors
    ///
    /// When a map can't be made, or the runtime lacks something.
    pub fn checked(self) -> Result<CheckedProgram, LoadError> {
        let (platform, profile) = self.target();
        let maps = self.instance.maps_of(&self.program)?;
        CheckedProgram::new(&self.program, platform, profile, maps)
            .map_err(|error| LoadError::Link { program: self.program.name.clone(), error })
    }
}

/// A verified program, ready to run; threads may share it.
#[derive(Clone, Debug)]
pub struct Runnable {
    verified: Verified,
    executable: Executable,
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

    /// Makes machine code of it: runs are fast from now on.
    ///
    /// # Errors
    ///
    /// Elsewhere than on x86-64, when the system gives no memory for code, when there is code already, and
    /// when an array of programs that it uses is for programs without code.
    #[cfg(feature = "jit")]
    pub fn jit(self) -> Result<Runnable, LoadError> {
        let code = probity_jit::compile(&self.executable, &probity_jit::Options::default());
        let made = code.and_then(probity_jit::NativeCode::install);
        made.map_err(|error| LoadError::Jit { program: self.verified.program().name.clone(), error })?;
        Ok(self)
    }

    /// Runs it; gives r0.
    ///
    /// # Errors
    ///
    /// When the run ended early.
    pub fn run(&self, worker: &mut Worker, input: Input<'_>) -> Result<u64, RunError> {
        self.executable.run(worker, input)
    }
}
