//! rbpf: its JIT, its Cranelift back end and its interpreter.
//!
//! Its programs get a context of two 64-bit pointers. Helpers are functions of five numbers, and there
//! are no maps. Its Cranelift back end knows no calls of functions within a program, and takes them for
//! calls of helpers.

use std::{io, time::Duration};

use probity::isa::Insn;
use probity_tests::kernel::thread_time;
use rbpf::EbpfVmMbuff;

use crate::{
    Contender, Failure, Packet, Role, Runnable, Subject,
    contender::{Compilation, timed},
    machine_code,
    subject::Pointers,
};

const CALL: u8 = 0x85;
const PROCESSOR: u32 = 8;
const MEMORY_NODE: u32 = 42;
const MIX: u32 = 100;

/// One of rbpf's ways to run programs.
#[derive(Clone, Copy, Debug)]
enum Engine {
    Jit,
    Cranelift,
    Interpreter,
}

/// The three of them.
#[must_use]
pub fn contenders() -> Vec<Box<dyn Contender>> {
    vec![Box::new(Engine::Jit), Box::new(Engine::Cranelift), Box::new(Engine::Interpreter)]
}

/// The number of the processor, of which there is one.
fn processor(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    std::hint::black_box(0)
}

/// The number of the memory node, of which there is one.
fn memory_node(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    std::hint::black_box(0)
}

/// What [`crate::host::Mixer`] does.
fn mix(value: u64, with: u64, _: u64, _: u64, _: u64) -> u64 {
    (value ^ with).wrapping_add(3)
}

fn failure(error: io::Error) -> Failure {
    Failure::new(error.to_string())
}

/// The bytes of a program; None when this engine can't run it.
fn code<'a>(engine: Engine, subject: &'a Subject<'_>) -> Result<Option<&'a [u8]>, Failure> {
    if subject.uses_maps() {
        return Ok(None);
    }
    let Pointers { program, code } = subject.pointers()?;
    let local = |insn: &Insn| insn.code == CALL && insn.src == 1;
    let missing = matches!(engine, Engine::Cranelift) && program.insns.iter().any(local);
    Ok((!missing).then_some(code.as_slice()))
}

impl Engine {
    fn machine(self, code: &[u8]) -> Result<EbpfVmMbuff<'_>, io::Error> {
        let mut machine = EbpfVmMbuff::new(Some(code))?;
        machine.register_helper(PROCESSOR, processor)?;
        machine.register_helper(MEMORY_NODE, memory_node)?;
        machine.register_helper(MIX, mix)?;
        Ok(machine)
    }

    fn compile_with(self, machine: &mut EbpfVmMbuff<'_>) -> Result<(), io::Error> {
        match self {
            Engine::Jit => machine.jit_compile(),
            Engine::Cranelift => machine.cranelift_compile(),
            Engine::Interpreter => Ok(()),
        }
    }
}

impl Contender for Engine {
    fn role(&self) -> Role {
        match self {
            Engine::Jit => Role::RbpfJit,
            Engine::Cranelift => Role::RbpfCranelift,
            Engine::Interpreter => Role::RbpfInterpreter,
        }
    }

    fn prepare<'a>(&self, subject: &'a Subject<'_>) -> Result<Option<Box<dyn Runnable + 'a>>, Failure> {
        let Some(code) = code(*self, subject)? else { return Ok(None) };
        let mut machine = self.machine(code).map_err(failure)?;
        self.compile_with(&mut machine).map_err(failure)?;
        let mut packet = Packet::boxed();
        let range = packet.bytes_mut().as_mut_ptr_range();
        let mut context = [0; 16];
        context[..8].copy_from_slice(&range.start.expose_provenance().to_ne_bytes());
        context[8..].copy_from_slice(&range.end.expose_provenance().to_ne_bytes());
        Ok(Some(Box::new(Ready { engine: *self, machine, packet, context })))
    }

    fn compile(&self, subject: &Subject<'_>) -> Option<Compilation> {
        if matches!(self, Engine::Interpreter) {
            return None;
        }
        let code = code(*self, subject).ok()??;
        let mut machine = self.machine(code).ok()?;
        let start = thread_time();
        self.compile_with(&mut machine).ok()?;
        Some(Compilation { time: thread_time().saturating_sub(start), insns: code.len() / 8 })
    }
}

struct Ready<'a> {
    engine: Engine,
    machine: EbpfVmMbuff<'a>,
    packet: Box<Packet>,
    context: [u8; 16],
}

impl Runnable for Ready<'_> {
    fn run(&mut self) -> Result<u32, Failure> {
        let Ready { engine, machine, packet, context } = self;
        let packet = packet.bytes_mut();
        let r0 = match engine {
            Engine::Jit => machine_code::rbpf_jit(machine, packet, context),
            Engine::Cranelift => machine_code::rbpf_cranelift(machine, packet, context),
            Engine::Interpreter => machine.execute_program(packet, context),
        };
        r0.map(|r0| r0 as u32).map_err(failure)
    }

    fn time(&mut self, runs: u32) -> Result<Duration, Failure> {
        let Ready { engine, machine, packet, context } = self;
        let packet = packet.bytes_mut();
        match engine {
            Engine::Jit => timed(runs, || machine_code::rbpf_jit(machine, packet, context).map_err(failure)),
            Engine::Cranelift => {
                timed(runs, || machine_code::rbpf_cranelift(machine, packet, context).map_err(failure))
            }
            Engine::Interpreter => timed(runs, || machine.execute_program(packet, context).map_err(failure)),
        }
    }
}
