//! Calls into machine code that others made. All that is unsafe in this crate is here.
#![expect(unsafe_code, reason = "machine code is called")]

use std::path::Path;

use libloading::Library;

use crate::Failure;

type Entry = unsafe extern "C" fn(*mut u8, *mut u8) -> u32;

/// A function of a shared object that was compiled from one of our programs.
pub(crate) struct NativeFunction {
    entry: Entry,
    /// Keeps `entry` where it is.
    _library: Library,
}

impl NativeFunction {
    /// Loads the shared object and finds the function in it.
    pub(crate) fn load(path: &Path, name: &str) -> Result<NativeFunction, Failure> {
        let failure = |error: libloading::Error| Failure::new(error.to_string());
        // SAFETY: our programs have no initialisers.
        let library = unsafe { Library::new(path) }.map_err(failure)?;
        // SAFETY: `PROGRAM` of `program.h` gives the function of this name this type.
        let entry = *unsafe { library.get::<Entry>(name) }.map_err(failure)?;
        Ok(NativeFunction { entry, _library: library })
    }

    /// Calls it.
    #[inline]
    pub(crate) fn call(&self, packet: &mut [u8]) -> u32 {
        let packet = packet.as_mut_ptr_range();
        // SAFETY: the same source passed the verifier: it touches nothing beyond its own stack and
        // what is between the two pointers, and it ends.
        unsafe { (self.entry)(packet.start, packet.end) }
    }
}

/// Runs what rbpf's JIT made of a program; `context` holds the addresses of `packet`.
#[cfg(feature = "peers")]
#[inline]
pub(crate) fn rbpf_jit(
    vm: &rbpf::EbpfVmMbuff<'_>,
    packet: &mut [u8],
    context: &mut [u8],
) -> Result<u64, std::io::Error> {
    // SAFETY: the machine borrows the context for as long as its program, and uses it during the
    // call alone. The same source passed the verifier with another context.
    unsafe {
        let context = std::slice::from_raw_parts_mut(context.as_mut_ptr(), context.len());
        vm.execute_program_jit(packet, context)
    }
}

/// Runs what rbpf's Cranelift back end made of a program; `context` holds the addresses of `packet`.
#[cfg(feature = "peers")]
#[inline]
pub(crate) fn rbpf_cranelift(
    vm: &rbpf::EbpfVmMbuff<'_>,
    packet: &mut [u8],
    context: &mut [u8],
) -> Result<u64, std::io::Error> {
    // SAFETY: the machine borrows the context for as long as its program, and uses it during the
    // call alone.
    let context = unsafe { std::slice::from_raw_parts_mut(context.as_mut_ptr(), context.len()) };
    vm.execute_program_cranelift(packet, context)
}
