//! A program as contenders get it: compiled, linked, verified.

use std::{cell::OnceCell, fs, path::PathBuf};

use probity::{Loader, Verified, isa::Insn, linux, object::Object, platform::Platform, program::Program};

use crate::{Failure, Form, Kind, Source, Workshop, host};

/// One program, in the forms that it is asked for.
#[derive(Debug)]
pub struct Subject<'a> {
    workshop: &'a Workshop,
    /// Where it comes from.
    pub source: &'a Source,
    /// The XDP program, or one of the benchmark's own platform.
    pub program: Program,
    /// The proof that it may run.
    pub verified: Verified,
    pointers: OnceCell<Pointers>,
}

/// The program with a context of two 64-bit pointers.
#[derive(Debug)]
pub struct Pointers {
    /// Its instructions.
    pub program: Program,
    /// The bytes of its instructions.
    pub code: Vec<u8>,
}

impl<'a> Subject<'a> {
    /// Compiles, links and verifies a program.
    ///
    /// # Errors
    ///
    /// What went wrong, the reason of a refusal among it.
    pub fn new(workshop: &'a Workshop, source: &'a Source) -> Result<Subject<'a>, Failure> {
        let (program, verified) = verified(workshop, source).map_err(|failure| failure.of(&source.name))?;
        Ok(Subject { workshop, source, program, verified, pointers: OnceCell::new() })
    }

    /// The function's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// Whether it uses maps: native code and rbpf have none.
    #[must_use]
    pub fn uses_maps(&self) -> bool {
        !self.program.maps.is_empty()
    }

    /// The program with a context of two 64-bit pointers, compiled when it is first asked for.
    ///
    /// # Errors
    ///
    /// When it can't be compiled or linked.
    pub fn pointers(&self) -> Result<&Pointers, Failure> {
        if let Some(pointers) = self.pointers.get() {
            return Ok(pointers);
        }
        let program = linked(self.workshop, self.source, Form::Pointers)?;
        let code = program.insns.iter().copied().flat_map(Insn::to_bytes).collect();
        Ok(self.pointers.get_or_init(|| Pointers { program, code }))
    }

    /// Compiles the shared object for this machine.
    ///
    /// # Errors
    ///
    /// When it can't be compiled.
    pub fn native(&self) -> Result<PathBuf, Failure> {
        self.workshop.compile(self.source, Form::Native)
    }
}

/// Compiles a program for BPF and links it, without a look at what it does.
///
/// # Errors
///
/// When it can't be compiled or linked.
pub fn linked(workshop: &Workshop, source: &Source, form: Form) -> Result<Program, Failure> {
    let bytes = object(workshop, source, form)?;
    let object = Object::parse(&bytes).map_err(|error| Failure::new(error.to_string()))?;
    let entry = object.programs().first().ok_or_else(|| Failure::new("no program in the object"))?;
    Loader::new(platform(source)).link(&object, entry).map_err(|error| Failure::new(error.to_string()))
}

/// What a program is verified for.
fn platform(source: &Source) -> &'static Platform {
    if source.kind == Kind::Host { &host::PLATFORM } else { &linux::PLATFORM }
}

fn object(workshop: &Workshop, source: &Source, form: Form) -> Result<Vec<u8>, Failure> {
    let path = workshop.compile(source, form)?;
    fs::read(&path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

fn verified(workshop: &Workshop, source: &Source) -> Result<(Program, Verified), Failure> {
    let form = if source.kind == Kind::Host { Form::Pointers } else { Form::Xdp };
    let bytes = object(workshop, source, form)?;
    let reports =
        probity::check(&bytes, platform(source)).map_err(|error| Failure::new(error.to_string()))?;
    let report = reports.into_iter().next().ok_or_else(|| Failure::new("no program in the object"))?;
    let proof = report.verified().cloned();
    let checked = report.outcome.map_err(|error| Failure::new(error.to_string()))?;
    match proof {
        Some(proof) => Ok((checked.program, proof)),
        None => Err(Failure::new(format!("Probity refuses it: {:?}", checked.report.finding()))),
    }
}
