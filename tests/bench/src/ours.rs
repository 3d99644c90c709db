//! Our own contenders: the interpreter of verified programs, and the tiers of the JIT.

use std::sync::Arc;
use std::time::Duration;

use probity::jit::{JitError, NativeCode, Options, compile, opt};
use probity::vm::{Executable, Input, Map, Packet as VmPacket, Runtime, RuntimeOptions, Worker};

use probity_tests::kernel::thread_time;

use crate::contender::{Compilation, timed};
use crate::host::{Mixer, bindings};
use crate::{Contender, Failure, Kind, Packet, Role, Runnable, Subject};

/// One of our ways to run programs.
#[derive(Clone, Copy, Debug)]
enum Engine {
    Interpreter,
    /// The JIT of one pass.
    Jit,
    /// The optimising JIT.
    Optimised,
}

/// Our contenders: the interpreter, then the tiers of the JIT.
#[must_use]
pub fn contenders() -> Vec<Box<dyn Contender>> {
    vec![Box::new(Engine::Interpreter), Box::new(Engine::Jit), Box::new(Engine::Optimised)]
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}

fn runtime() -> Runtime {
    Runtime::new(RuntimeOptions { slots: 1, seed: Some(1), ..RuntimeOptions::default() })
}

/// The program with maps of its own.
fn executable(subject: &Subject<'_>, runtime: &Runtime) -> Result<Executable, Failure> {
    let (program, verified) = (&subject.program, &subject.verified);
    let make = |definition| Map::create(verified.platform(), definition, None, runtime.slots());
    let maps: Result<Vec<Arc<Map>>, _> = program.maps.iter().map(make).collect();
    let maps = maps.map_err(failure)?;
    if subject.source.kind == Kind::Host {
        let linked = bindings::<Mixer>().link().map_err(failure)?;
        return Executable::with_host(verified, maps, &linked).map_err(failure);
    }
    Executable::new(verified, maps).map_err(failure)
}

impl Engine {
    /// Machine code; None for the interpreter.
    fn code(self, executable: &Executable) -> Option<Result<NativeCode, JitError>> {
        match self {
            Engine::Interpreter => None,
            Engine::Jit => Some(compile(executable, &Options::default())),
            Engine::Optimised => Some(opt::compile_any(executable, &Options::default())),
        }
    }
}

impl Contender for Engine {
    fn role(&self) -> Role {
        match self {
            Engine::Interpreter => Role::OurInterpreter,
            Engine::Jit => Role::OurJit(1),
            Engine::Optimised => Role::OurJit(2),
        }
    }

    fn prepare<'a>(&self, subject: &'a Subject<'_>) -> Result<Option<Box<dyn Runnable + 'a>>, Failure> {
        let runtime = runtime();
        let executable = executable(subject, &runtime)?;
        if let Some(code) = self.code(&executable) {
            code.and_then(NativeCode::install).map_err(failure)?;
        }
        let worker = runtime.worker().map_err(failure)?;
        if subject.source.kind == Kind::Host {
            return Ok(Some(Box::new(Hosted { executable, worker, host: Mixer })));
        }
        let packet = VmPacket::new(Packet::boxed().bytes());
        Ok(Some(Box::new(Ready { executable, worker, packet })))
    }

    fn compile(&self, subject: &Subject<'_>) -> Option<Compilation> {
        let executable = executable(subject, &runtime()).ok()?;
        let start = thread_time();
        let code = self.code(&executable)?.ok()?;
        let time = thread_time().saturating_sub(start);
        drop(code);
        Some(Compilation { time, insns: subject.program.insns.len() })
    }
}

struct Ready {
    executable: Executable,
    worker: Worker,
    packet: VmPacket,
}

impl Ready {
    #[inline]
    fn once(&mut self) -> Result<u32, Failure> {
        let input = Input { packet: Some(&mut self.packet), ..Input::default() };
        self.executable.run(&mut self.worker, input).map(|r0| r0 as u32).map_err(failure)
    }
}

impl Runnable for Ready {
    fn run(&mut self) -> Result<u32, Failure> {
        self.once()
    }

    fn time(&mut self, runs: u32) -> Result<Duration, Failure> {
        let mut session = self.executable.session(&mut self.worker, None).map_err(failure)?;
        timed(runs, || session.run(Some(&mut self.packet)).map_err(failure))
    }
}

/// With a host instead of a packet.
struct Hosted {
    executable: Executable,
    worker: Worker,
    host: Mixer,
}

impl Runnable for Hosted {
    fn run(&mut self) -> Result<u32, Failure> {
        let input = Input { host: Some(&mut self.host), ..Input::default() };
        self.executable.run(&mut self.worker, input).map(|r0| r0 as u32).map_err(failure)
    }

    fn time(&mut self, runs: u32) -> Result<Duration, Failure> {
        let mut session = self.executable.session(&mut self.worker, None).map_err(failure)?;
        timed(runs, || session.run_with(None, Some(&mut self.host)).map_err(failure))
    }
}
