//! The run, as a host's functions see it.

use std::marker::PhantomData;

use super::memory::{Bytes, BytesMut};
use super::plain::{Field, Plain};
use crate::fault::RunError;
use crate::guest::GuestBytes;
use crate::run::Run;
use crate::runtime::ClockKind;

/// What a function of the host has of the run that called it.
///
/// ```
/// use probity_vm::ClockKind;
/// use probity_vm::host::HostRun;
///
/// struct Log {
///     lines: u32,
/// }
///
/// impl Log {
///     /// As a method of the trait that codegen emits.
///     fn line(&mut self, run: &mut HostRun<'_>, code: u32) {
///         self.lines += 1;
///         run.line(&format!("{} {}: {code}", run.now(ClockKind::Monotonic), run.program()));
///         if self.lines > 1000 {
///             run.end("too many lines");
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct HostRun<'a> {
    pub(super) run: &'a mut Run<'static>,
    pub(super) callable: &'static str,
}

impl HostRun<'_> {
    /// The run slot: the number of the "processor" that the program sees.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.run.slot
    }

    /// The runtime's time in nanoseconds.
    #[must_use]
    pub fn now(&self, kind: ClockKind) -> u64 {
        self.run.worker.now(kind)
    }

    /// Writes a line to the runtime's sink.
    pub fn line(&self, text: &str) {
        self.run.worker.line(text);
    }

    /// A random number of 32 bits.
    pub fn random(&mut self) -> u32 {
        self.run.random()
    }

    /// The name of the program that is on.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.run.unit.program().name
    }

    /// The packet, where the program is called with one.
    pub fn packet(&mut self) -> Option<Bytes<'_>> {
        let packet = self.run.packet()?;
        let len = packet.len();
        packet.slice(0, len).map(Bytes)
    }

    /// Ends the run when the function returns: the program does not go on.
    pub fn end(&mut self, why: impl Into<String>) {
        let _ = self.run.leave(RunError::Host { callable: self.callable, message: why.into() });
    }

    /// True when the run is over: a function of the program that was called back has ended it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.run.has_failed()
    }
}

/// The context, as a function sees it: the host's own struct. Its pointers are the runtime's.
///
/// ```
/// use probity_vm::host::{ContextOf, Field};
///
/// // Codegen emits a struct for the view, with constants; here two numbers stand for it.
/// const MARK: Field<[u32; 2], u32> = Field::new(4);
///
/// fn mark(context: ContextOf<'_, [u32; 2]>, bits: u32) {
///     context.store(MARK, &(context.load(MARK) | bits));
/// }
/// ```
#[derive(Clone, Copy)]
pub struct ContextOf<'a, T> {
    pub(super) bytes: BytesMut<'a>,
    /// Where the runtime's pointers are.
    pub(super) pointers: &'a [probity_platform::HostField],
    pub(super) is: PhantomData<fn() -> T>,
}

impl<T: Plain + std::fmt::Debug> std::fmt::Debug for ContextOf<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ContextOf").field(&self.get()).finish()
    }
}

impl<T: Plain> ContextOf<'_, T> {
    /// A copy of it.
    #[must_use]
    pub fn get(&self) -> T {
        T::load(self.bytes.bytes())
    }

    /// A copy of a field.
    #[must_use]
    pub fn load<V: Plain>(&self, field: Field<T, V>) -> V {
        V::load(self.bytes.bytes().from(field.offset()))
    }

    /// Stores all of it.
    pub fn set(&self, value: &T) {
        if self.pointers.is_empty() {
            return value.store(self.bytes);
        }
        let mut copy = self.bytes.bytes().to_vec();
        value.store(BytesMut(GuestBytes::of(&mut copy)));
        self.write(0, &copy);
    }

    /// Stores a field.
    pub fn store<V: Plain>(&self, field: Field<T, V>, value: &V) {
        let mut copy = vec![0; V::SIZE];
        value.store(BytesMut(GuestBytes::of(&mut copy)));
        self.write(field.offset(), &copy);
    }

    /// Writes bytes, but not those of pointers.
    fn write(&self, offset: usize, bytes: &[u8]) {
        let is_pointer = |at: usize| {
            let inside = |field: &probity_platform::HostField| {
                (field.offset as usize..(field.offset + field.size) as usize).contains(&at)
            };
            self.pointers.iter().any(inside)
        };
        let mut at = 0;
        while at < bytes.len() {
            let end = (at..bytes.len()).find(|&at| is_pointer(offset + at)).unwrap_or(bytes.len());
            self.bytes.from(offset + at).write(&bytes[at..end]);
            at = (end..bytes.len()).find(|&at| !is_pointer(offset + at)).unwrap_or(bytes.len());
        }
    }

    /// The bytes of the host's struct, to be read.
    #[must_use]
    pub fn bytes(&self) -> Bytes<'_> {
        self.bytes.bytes()
    }
}
