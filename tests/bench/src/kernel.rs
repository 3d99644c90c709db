//! The running kernel's JIT, through test runs: a program is loaded, never attached.

use std::{
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use probity_tests::kernel::{Prepared, test_run};

use crate::{Contender, Failure, Kind, Packet, Role, Runnable, Subject};

/// The kernel's JIT.
#[derive(Debug)]
pub struct KernelJit;

struct Ready<'a> {
    prepared: Prepared<'a>,
    program: OwnedFd,
    packet: Box<Packet>,
}

fn load(prepared: &Prepared<'_>) -> Result<OwnedFd, Failure> {
    let loaded = prepared.ask(0).fd;
    loaded.ok_or_else(|| Failure::new(format!("the kernel refuses it: {}", prepared.ask(1).message)))
}

impl Contender for KernelJit {
    fn role(&self) -> Role {
        Role::KernelJit
    }

    fn prepare<'a>(&self, subject: &'a Subject<'_>) -> Result<Option<Box<dyn Runnable + 'a>>, Failure> {
        if subject.source.kind == Kind::Host {
            return Ok(None);
        }
        let prepared =
            Prepared::new(&subject.program, true).map_err(|error| Failure::new(error.to_string()))?;
        let program = load(&prepared)?;
        Ok(Some(Box::new(Ready { prepared, program, packet: Packet::boxed() })))
    }
}

impl Ready<'_> {
    /// r0, and the mean time of a run as the kernel measured it.
    fn repeat(&self, runs: u32) -> Result<(u32, Duration), Failure> {
        let run = test_run(self.program.as_fd(), self.packet.bytes(), runs)
            .map_err(|error| Failure::new(format!("the kernel does not run it: {error}")))?;
        Ok((run.retval, run.duration))
    }
}

impl Runnable for Ready<'_> {
    fn run(&mut self) -> Result<u32, Failure> {
        Ok(self.repeat(1)?.0)
    }

    fn time(&mut self, runs: u32) -> Result<Duration, Failure> {
        // Loaded again: the kernel puts code at random places, and some make a loop take twice as long.
        self.program = load(&self.prepared)?;
        // The mean is in whole nanoseconds.
        Ok(self.repeat(runs)?.1 * runs)
    }
}
