//! Native code of the same C, without vectors: what all others are measured by.

use std::time::Duration;

use crate::{
    Contender, Failure, Packet, Role, Runnable, Subject, contender::timed, machine_code::NativeFunction,
};

/// Native code.
#[derive(Debug)]
pub struct Native;

struct Ready {
    function: NativeFunction,
    packet: Box<Packet>,
}

impl Contender for Native {
    fn role(&self) -> Role {
        Role::Native
    }

    fn prepare<'a>(&self, subject: &'a Subject<'_>) -> Result<Option<Box<dyn Runnable + 'a>>, Failure> {
        if subject.uses_maps() {
            return Ok(None);
        }
        let function = NativeFunction::load(&subject.native()?, subject.name())?;
        Ok(Some(Box::new(Ready { function, packet: Packet::boxed() })))
    }
}

impl Runnable for Ready {
    fn run(&mut self) -> Result<u32, Failure> {
        Ok(self.function.call(self.packet.bytes_mut()))
    }

    fn time(&mut self, runs: u32) -> Result<Duration, Failure> {
        let Ready { function, packet } = self;
        timed(runs, || Ok(function.call(packet.bytes_mut())))
    }
}
