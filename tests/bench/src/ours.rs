//! Our own contenders: the interpreter of verified programs, and the tiers of the JIT.

use std::sync::Arc;
use std::time::Duration;

use probity::vm::{Executable, Input, Map, Packet as VmPacket, Runtime, RuntimeOptions, Worker};

use crate::{Contender, Failure, Packet, Role, Runnable, Subject, contender::timed};

/// One of our ways to run programs.
#[derive(Clone, Copy, Debug)]
enum Engine {
    Interpreter,
}

/// Our contenders: the interpreter, then the tiers of the JIT.
#[must_use]
pub fn contenders() -> Vec<Box<dyn Contender>> {
    vec![Box::new(Engine::Interpreter)]
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}

/// The program with maps of its own.
fn executable(subject: &Subject<'_>, runtime: &Runtime) -> Result<Executable, Failure> {
    let (program, verified) = (&subject.program, &subject.verified);
    let make = |definition| Map::create(verified.platform(), definition, None, runtime.slots());
    let maps: Result<Vec<Arc<Map>>, _> = program.maps.iter().map(make).collect();
    Executable::new(verified, maps.map_err(failure)?).map_err(failure)
}

impl Contender for Engine {
    fn role(&self) -> Role {
        match self {
            Engine::Interpreter => Role::OurInterpreter,
        }
    }

    fn prepare<'a>(&self, subject: &'a Subject<'_>) -> Result<Option<Box<dyn Runnable + 'a>>, Failure> {
        let runtime = Runtime::new(RuntimeOptions { slots: 1, seed: Some(1), ..RuntimeOptions::default() });
        let executable = executable(subject, &runtime)?;
        let worker = runtime.worker().map_err(failure)?;
        let packet = VmPacket::new(Packet::boxed().bytes());
        Ok(Some(Box::new(Ready { executable, worker, packet })))
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
        timed(runs, || self.once())
    }
}
