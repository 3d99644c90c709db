//! A program of a case with its maps, as a loader has them ready: filled with what the object says,
//! other programs of the object included.

use std::{collections::BTreeMap, sync::Arc};

use probity_engine::{Verdict, verify};
use probity_linux::PLATFORM;
use probity_object::Object;
use probity_platform::MapBody;
use probity_program::{MapDef, Program};
use probity_vm::{
    CheckedProgram, Executable, Input, LinkError, Map, MapError, RunError, Runtime, Unit, Worker,
};

use crate::corpus::{Case, Corpus};
use crate::native::native;

/// Why there is no machine code.
pub const NO_COMPILER: &str = "no compiler";

/// How programs are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// In the interpreter of verified programs.
    Verified,
    /// In that of anything, with all checks.
    Checked,
    /// As machine code.
    Native,
}

/// A program that is ready.
#[derive(Debug)]
pub enum Runnable {
    /// Verified; with machine code or without.
    Verified(Executable),
    /// For the checked interpreter.
    Checked(CheckedProgram),
}

impl Runnable {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// When the run ended early.
    pub fn run(&self, worker: &mut Worker, input: Input<'_>) -> Result<u64, RunError> {
        match self {
            Runnable::Verified(program) => program.run(worker, input),
            Runnable::Checked(program) => program.run(worker, input),
        }
    }

    /// The linked program.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        match self {
            Runnable::Verified(program) => program.unit(),
            Runnable::Checked(program) => program.unit(),
        }
    }

    fn put(&self, array: &Map, index: u32) -> Result<(), String> {
        match self {
            Runnable::Verified(program) => array.set_program(index, program),
            Runnable::Checked(program) => array.set_checked_program(index, program),
        }
        .map_err(|error| error.to_string())
    }
}

/// What the programs of a case share.
#[derive(Debug)]
pub struct Linker<'a> {
    corpus: &'a Corpus,
    case: &'a Case,
    object: Option<&'a Object>,
    runtime: &'a Runtime,
    engine: Engine,
    maps: BTreeMap<String, Arc<Map>>,
    /// Names of maps that are not filled yet.
    unfilled: Vec<String>,
}

impl<'a> Linker<'a> {
    /// With no maps yet.
    #[must_use]
    pub fn new(
        corpus: &'a Corpus,
        case: &'a Case,
        object: Option<&'a Object>,
        runtime: &'a Runtime,
        engine: Engine,
    ) -> Linker<'a> {
        let (maps, unfilled) = (BTreeMap::new(), Vec::new());
        Linker { corpus, case, object, runtime, engine, maps, unfilled }
    }

    /// The program of the case with all that it uses.
    ///
    /// # Errors
    ///
    /// Why it can't run here: a reason that many programs may share.
    pub fn link(mut self) -> Result<Runnable, String> {
        let main = self.program(&self.case.program)?;
        while let Some(name) = self.unfilled.pop() {
            self.fill(&name).map_err(|reason| format!("for a map: {reason}"))?;
        }
        Ok(main)
    }

    fn program(&mut self, name: &str) -> Result<Runnable, String> {
        let target = &self.corpus.target;
        let program = target.load_named(self.case, name, self.object).map_err(|error| error.reason)?;
        let profile = target.profile();
        let proof = match verify(&program, &PLATFORM, &profile).verdict {
            Verdict::Accepted(proof) => proof,
            Verdict::Rejected(_) => return Err("rejected by the engine".into()),
            Verdict::Unsupported(finding) => return Err(format!("engine: {}", finding.last_line())),
        };
        let maps = self.maps_of(&program)?;
        match self.engine {
            Engine::Verified => {
                Executable::new(&proof, maps).map(Runnable::Verified).map_err(|error| reason(&error))
            }
            Engine::Native => {
                let program = Executable::new(&proof, maps).map_err(|error| reason(&error))?;
                if native(&program) { Ok(Runnable::Verified(program)) } else { Err(NO_COMPILER.into()) }
            }
            Engine::Checked => CheckedProgram::new(&program, &PLATFORM, &profile, maps)
                .map(Runnable::Checked)
                .map_err(|error| format!("checked: {}", reason(&error))),
        }
    }

    /// The maps of a program: those of a name are shared.
    fn maps_of(&mut self, program: &Program) -> Result<Vec<Arc<Map>>, String> {
        let mut maps = Vec::new();
        for definition in &program.maps {
            let inner = definition.inner.and_then(|index| program.maps.get(index));
            maps.push(self.map(definition, inner)?);
        }
        Ok(maps)
    }

    fn map(&mut self, definition: &MapDef, inner: Option<&MapDef>) -> Result<Arc<Map>, String> {
        let name = &definition.name;
        if let Some(map) = self.maps.get(name).filter(|_| !name.is_empty()) {
            return Ok(Arc::clone(map));
        }
        let map = Map::create(&PLATFORM, definition, inner, self.runtime.slots());
        let map = map.map_err(|error| match error {
            MapError::Unsupported { map_type, .. } => format!("maps: {map_type}"),
            other => format!("maps: {other}"),
        })?;
        if !name.is_empty() {
            self.maps.insert(name.clone(), Arc::clone(&map));
            self.unfilled.push(name.clone());
        }
        Ok(map)
    }

    /// Puts what the object names into a map: programs or maps.
    fn fill(&mut self, name: &str) -> Result<(), String> {
        let Some(object) = self.object else { return Ok(()) };
        let Some(described) = object.maps().iter().find(|map| map.def.name == name) else { return Ok(()) };
        let outer = Arc::clone(&self.maps[name]);
        for (index, content) in &described.slots {
            if outer.body() == MapBody::ProgArray {
                self.program(content)?.put(&outer, *index)?;
                continue;
            }
            let Some(inner) = object.maps().iter().find(|map| map.def.name == *content) else { continue };
            let inner = self.map(&inner.def, None)?;
            let put = outer.set_map(&index.to_le_bytes(), &inner, 0);
            put.map_err(|errno| format!("{content} does not fit {name}: {errno:?}"))?;
        }
        Ok(())
    }
}

/// Why a program can't run here, without what is about one program alone.
fn reason(error: &LinkError) -> String {
    match error {
        LinkError::NoBody { callable, .. } => format!("no body: {callable}"),
        LinkError::NoMemoryModel(kind) => format!("memory behind {kind}"),
        LinkError::Instruction { what, .. } => what.clone(),
        other => other.to_string(),
    }
}
