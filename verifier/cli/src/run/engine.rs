//! What runs the program: the verified interpreter, the checked one, or machine code.

use std::path::Path;

use probity::program::Program;
use probity::vm::{CheckedProgram, Executable, Input, Map, RunError, Unit, Worker};
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
        engine: Engine,
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
        if let (Engine::Jit, Ready::Verified(runnable)) = (engine, &ready) {
            jit(runnable.executable())?;
        }
        Ok((ready, program))
    }

    /// Runs it; gives r0.
    pub(super) fn run(&self, worker: &mut Worker, input: Input<'_>) -> Result<u64, RunError> {
        match self {
            Ready::Verified(runnable) => runnable.run(worker, input),
            Ready::Checked(program) => program.run(worker, input),
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
    pub(super) fn assembly(&self) -> Result<String, Trouble> {
        match self {
            Ready::Verified(runnable) => assembly(runnable.executable()),
            Ready::Checked(_) => {
                Err(Trouble::usage("the checked interpreter has no machine code: leave --checked out"))
            }
        }
    }
}

/// Makes machine code of a verified program, from where its runs are fast. The one place to change
/// when this build gets a JIT: `probity_jit::compile(executable, ...)`, which the facade has behind
/// its feature `jit`.
pub(super) fn jit(executable: &Executable) -> Result<(), Trouble> {
    let _ = executable;
    Err(no_jit())
}

/// The machine code of a verified program as text: the other place to change.
fn assembly(executable: &Executable) -> Result<String, Trouble> {
    let _ = executable;
    Err(no_jit())
}

fn no_jit() -> Trouble {
    Trouble::unsupported("this build has no JIT").help("without --jit and --dump-asm the interpreter runs it")
}
