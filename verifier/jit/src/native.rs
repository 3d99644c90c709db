//! Finished code.

#![allow(unsafe_code)]

use std::ptr;

use probity_vm::{Executable, Left, Native, Run};

use crate::error::JitError;
use crate::memory::ExecutableMemory;
use crate::options::Options;

/// Machine code of an executable.
#[derive(Debug)]
pub struct NativeCode {
    /// What the code was made of, whose maps and functions it has the addresses of.
    executable: Executable,
    memory: ExecutableMemory,
    entry: usize,
    tail_entry: usize,
    counts: bool,
    listing: Option<String>,
}

impl NativeCode {
    /// Code of an executable, entered at these offsets.
    pub(crate) fn new(
        executable: &Executable,
        memory: ExecutableMemory,
        entry: usize,
        tail_entry: usize,
        options: &Options,
        listing: Option<String>,
    ) -> NativeCode {
        let counts = options.fuel;
        NativeCode { executable: executable.clone(), memory, entry, tail_entry, counts, listing }
    }

    /// The code.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }

    /// The code beside the program, as text; None unless it was asked for.
    #[must_use]
    pub fn listing(&self) -> Option<&str> {
        self.listing.as_deref()
    }

    /// Gives the code to its executable, which runs it from now on, and the arrays of programs that it
    /// uses to programs with code.
    ///
    /// # Errors
    /// When it has code already, or programs without code have claimed an array that it uses.
    pub fn install(self) -> Result<(), JitError> {
        let NativeCode { executable, memory, entry, tail_entry, counts, .. } = self;
        executable.unit().claim_prog_arrays(Some(true))?;
        let native = Native {
            entry: memory.address(entry) as usize,
            tail_entry: memory.address(tail_entry) as usize,
            call_back,
            counts,
            code: memory.bytes().as_ptr_range().start as usize..memory.bytes().as_ptr_range().end as usize,
            owner: Box::new(memory),
        };
        // SAFETY: compilers made the code of this very executable's instructions, with the conventions of
        // `abi`; the owner is its memory.
        let is_first = unsafe { executable.unit().set_native(native) };
        if is_first { Ok(()) } else { Err(JitError::HasCode) }
    }
}

/// How machine code is called back: the value of a function is where its entry is.
type Entry = unsafe extern "C" fn(u64, u64, u64, u64, u64, *mut Run<'static>) -> u64;

/// Calls a function of the program.
fn call_back(run: &mut Run<'_>, function: u64, [r1, r2, r3, r4, r5]: [u64; 5]) -> Result<u64, Left> {
    let value = {
        let run = ptr::from_mut(run).cast::<Run<'static>>();
        // SAFETY: bodies get functions from arguments of verified calls, or from where such a call has
        // put them; the only ones are those of `Op::Func`, for which compilers write the address of an
        // entry of this type. The code is that of a program that is on, or whose maps are still there.
        unsafe {
            let entry =
                std::mem::transmute::<*const (), Entry>(ptr::with_exposed_provenance(function as usize));
            entry(r1, r2, r3, r4, r5, run)
        }
    };
    if run.has_failed() { Err(Left) } else { Ok(value) }
}
