//! What runs the program: the verified interpreter, the checked one, or machine code, where this build
//! has a JIT.

use std::mem;
use std::path::Path;
use std::time::{Duration, Instant};

use probity::program::Program;
use probity::vm::{CheckedProgram, Context, Executable, Input, Map, Packet, RunError, Session, Unit, Worker};
use probity::{Instance, LoadError, Runnable};

use super::trouble::Trouble;
use crate::input;

/// How programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Interpreter,
    Checked,
    Jit,
}

impl Engine {
    /// As the command line chooses.
    pub(super) fn of(jit: bool, checked: bool) -> Engine {
        match (jit, checked) {
            (true, _) => Engine::Jit,
            (false, true) => Engine::Checked,
            (false, false) => Engine::Interpreter,
        }
    }

    /// A stable word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Engine::Interpreter => "interpreter",
            Engine::Checked => "checked",
            Engine::Jit => "jit",
        }
    }
}

/// A program that is ready to run.
#[derive(Debug)]
pub(super) enum Ready {
    Verified(Runnable),
    Checked(CheckedProgram),
}

impl Ready {
    /// Has a program of an object ready; gives it as it was linked, too.
    pub(super) fn load(
        instance: &Instance<'_>,
        name: &str,
        (engine, fuel): (Engine, Option<u64>),
        object: &Path,
    ) -> Result<(Ready, Program), Trouble> {
        let linked = input::guarded(|| instance.program(name)).map_err(Trouble::unreadable)?;
        let linked = linked.map_err(|error| match error {
            LoadError::Program(error) => Trouble::of_program(&error),
            other => Trouble::unreadable(other.to_string()),
        })?;
        let program = linked.program().clone();
        let ready = input::guarded(|| match engine {
            Engine::Checked => linked.checked().map(Ready::Checked),
            Engine::Interpreter | Engine::Jit => linked.verify().map(Ready::Verified),
        });
        let ready = ready.map_err(Trouble::unreadable)?;
        let ready = ready.map_err(|error| Trouble::of_load(&error, &program, object))?;
        let ready = match (engine, ready) {
            (Engine::Jit, Ready::Verified(runnable)) => Ready::Verified(jit(runnable, fuel)?),
            (_, ready) => ready,
        };
        Ok((ready, program))
    }

    /// Binds it to a worker, for runs with so much fuel.
    pub(super) fn bind<'r>(
        &'r self,
        worker: &'r mut Worker,
        fuel: Option<u64>,
    ) -> Result<Bound<'r>, Trouble> {
        match self {
            Ready::Verified(runnable) => {
                let session = runnable.session(worker, None);
                let mut session = session.map_err(|error| Trouble::unreadable(error.to_string()))?;
                session.fuel(fuel);
                Ok(Bound::Verified(Box::new(session)))
            }
            Ready::Checked(program) => Ok(Bound::Checked { program, worker, fuel }),
        }
    }

    /// The linked program.
    pub(super) fn unit(&self) -> &Unit {
        match self {
            Ready::Verified(runnable) => runnable.executable().unit(),
            Ready::Checked(program) => program.unit(),
        }
    }

    /// Puts it into an array of programs.
    pub(super) fn enter(&self, array: &Map, index: u32) -> Result<(), String> {
        let done = match self {
            Ready::Verified(runnable) => array.set_program(index, runnable.executable()),
            Ready::Checked(program) => array.set_checked_program(index, program),
        };
        done.map_err(|error| error.to_string())
    }

    /// Its machine code as text.
    pub(super) fn assembly(&self, fuel: Option<u64>) -> Result<String, Trouble> {
        match self {
            Ready::Verified(runnable) => assembly(runnable.executable(), fuel),
            Ready::Checked(_) => {
                Err(Trouble::usage("the checked interpreter has no machine code: leave --checked out"))
            }
        }
    }
}

/// A program at a worker, where only runs cost time.
#[derive(Debug)]
pub(super) enum Bound<'r> {
    Verified(Box<Session<'r>>),
    Checked { program: &'r CheckedProgram, worker: &'r mut Worker, fuel: Option<u64> },
}

impl Bound<'_> {
    /// Runs it once; gives r0, and how long the run took.
    pub(super) fn run(
        &mut self,
        context: &mut Context,
        packet: Option<&mut Packet>,
    ) -> (Result<u64, RunError>, Duration) {
        match self {
            Bound::Verified(session) => {
                mem::swap(session.context(), context);
                let start = Instant::now();
                let result = session.run(packet);
                let time = start.elapsed();
                mem::swap(session.context(), context);
                (result, time)
            }
            Bound::Checked { program, worker, fuel } => {
                let input = Input { context: Some(context), packet, fuel: *fuel, ..Input::default() };
                let start = Instant::now();
                let result = program.run(worker, input);
                (result, start.elapsed())
            }
        }
    }
}

/// Makes machine code of a verified program: from here on, that runs. It counts fuel only when runs
/// are given some.
#[cfg(feature = "jit")]
fn jit(runnable: Runnable, fuel: Option<u64>) -> Result<Runnable, Trouble> {
    let options = probity::jit::Options { fuel: fuel.is_some(), ..Default::default() };
    runnable.jit_with(&options).map_err(no_code)
}

/// As [`jit`], of a program that no object is about.
#[cfg(feature = "jit")]
pub(super) fn jit_alone(executable: &Executable, fuel: Option<u64>) -> Result<(), Trouble> {
    let options = probity::jit::Options { fuel: fuel.is_some(), ..Default::default() };
    let code =
        probity::jit::opt::compile_any(executable, &options).and_then(probity::jit::NativeCode::install);
    code.map_err(no_code)
}

#[cfg(feature = "jit")]
fn no_code(error: impl std::fmt::Display) -> Trouble {
    Trouble::unsupported(error.to_string()).help("without --jit the interpreter runs it")
}

/// The machine code of a verified program as text.
#[cfg(feature = "jit")]
fn assembly(executable: &Executable, fuel: Option<u64>) -> Result<String, Trouble> {
    let options = probity::jit::Options { fuel: fuel.is_some(), listing: true, ..Default::default() };
    let code = probity::jit::opt::compile_any(executable, &options);
    let code = code.map_err(|error| Trouble::unsupported(error.to_string()))?;
    Ok(code.listing().unwrap_or_default().to_owned())
}

#[cfg(not(feature = "jit"))]
fn jit(_runnable: Runnable, _fuel: Option<u64>) -> Result<Runnable, Trouble> {
    Err(no_jit())
}

#[cfg(not(feature = "jit"))]
pub(super) fn jit_alone(_executable: &Executable, _fuel: Option<u64>) -> Result<(), Trouble> {
    Err(no_jit())
}

#[cfg(not(feature = "jit"))]
fn assembly(_executable: &Executable, _fuel: Option<u64>) -> Result<String, Trouble> {
    Err(no_jit())
}

#[cfg(not(feature = "jit"))]
fn no_jit() -> Trouble {
    Trouble::unsupported("this build has no JIT").help("without --jit and --dump-asm the interpreter runs it")
}
