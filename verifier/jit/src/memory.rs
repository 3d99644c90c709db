//! Memory for machine code: written once, then executable and no longer writable (W^X).

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::mapping::{Access, Mapping};

/// Machine code that can be executed, at the start of a page.
#[derive(Debug)]
pub struct ExecutableMemory {
    /// None only while it is dropped.
    map: Option<Mapping>,
    size: usize,
}

/// Mappings that are free again, and can't be executed any more. A new one costs many times as much as
/// changing what one permits: its pages have to be found and zeroed.
static FREE: Mutex<Vec<Mapping>> = Mutex::new(Vec::new());
/// How many free mappings are kept, at most.
const KEPT: usize = 32;
/// How long a free mapping may be to be kept.
const KEPT_LEN: usize = 16 * PAGE;
const PAGE: usize = 4096;
/// What is behind the code, up to the page's end: `int3`.
const TRAP: u8 = 0xcc;

impl ExecutableMemory {
    /// Lets `fill` write all of `size` bytes, and makes them executable. There is no time at which they
    /// are both writable and executable.
    ///
    /// # Errors
    /// When `size` is 0, or the system refuses the mapping or its execution.
    pub fn new(size: usize, fill: impl FnOnce(&mut [u8])) -> io::Result<Self> {
        let mut map = writable(size.next_multiple_of(PAGE))?;
        let (code, rest) = map.bytes_mut().split_at_mut(size);
        fill(code);
        rest.fill(TRAP);
        map.allow(Access::Execute)?;
        Ok(ExecutableMemory { map: Some(map), size })
    }

    /// The code.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.map.as_ref().map_or(&[], |map| &map.bytes()[..self.size])
    }

    /// Where the byte at `offset` stands.
    ///
    /// # Panics
    /// When `offset` is not inside.
    #[must_use]
    pub fn address(&self, offset: usize) -> *const u8 {
        &raw const self.bytes()[offset]
    }
}

impl Drop for ExecutableMemory {
    fn drop(&mut self) {
        let Some(mut map) = self.map.take().filter(|map| map.bytes().len() <= KEPT_LEN) else { return };
        if map.allow(Access::Write).is_err() {
            return;
        }
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(map);
        }
    }
}

/// A writable mapping of a length, which may have been used before.
fn writable(len: usize) -> io::Result<Mapping> {
    let free = {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        free.iter().rposition(|map| map.bytes().len() == len).map(|at| free.swap_remove(at))
    };
    match free {
        Some(map) => Ok(map),
        None => apart(len),
    }
}

/// A new mapping that the system does not join with its neighbours, which are often the code before and
/// behind: to join and to split them is half of what changing permissions costs.
fn apart(len: usize) -> io::Result<Mapping> {
    static TURN: AtomicBool = AtomicBool::new(false);
    let map = Mapping::new(len)?;
    map.apart(TURN.fetch_xor(true, Ordering::Relaxed));
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_writable_and_executable() {
        let memory = ExecutableMemory::new(64, |code| code.fill(0xc3)).expect("memory");
        assert_eq!(memory.bytes(), [0xc3; 64]);
        let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
        let address = memory.address(0) as usize;
        let line = maps
            .lines()
            .find(|line| {
                let (start, rest) = line.split_once('-').expect("a range");
                let (end, _) = rest.split_once(' ').expect("permissions");
                let number = |text| usize::from_str_radix(text, 16).expect("an address");
                (number(start)..number(end)).contains(&address)
            })
            .expect("the mapping");
        assert!(line.contains(" r-xp "), "{line}");
    }

    #[test]
    fn used_memory_is_used_again_and_none_of_it_is_left() {
        let memory = ExecutableMemory::new(5000, |code| code.fill(0x90)).expect("memory");
        drop(memory);
        let memory = ExecutableMemory::new(4097, |code| code.fill(0xc3)).expect("memory");
        assert_eq!(memory.bytes(), [0xc3; 4097]);
        let map = memory.map.as_ref().expect("it is mapped").bytes();
        assert_eq!(map.len(), 8192);
        assert!(map[4097..].iter().all(|byte| *byte == TRAP));
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn code_runs() {
        // mov eax, 42; ret
        let code = [0xb8, 42, 0, 0, 0, 0xc3];
        let memory = ExecutableMemory::new(code.len(), |bytes| bytes.copy_from_slice(&code)).expect("memory");
        #[allow(unsafe_code)]
        // SAFETY: the bytes are a function of that type that touches nothing but its result, and the
        // memory outlives the call.
        let function = unsafe { std::mem::transmute::<*const u8, extern "C" fn() -> u32>(memory.address(0)) };
        assert_eq!(function(), 42);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn code_calls_what_is_near_and_what_is_far() {
        extern "C" fn near() -> libc::pid_t {
            42
        }
        // Another library is far from this program's code, as a rule.
        let addresses = [near as *const () as u64, libc::getpid as *const () as u64];
        let expected = [42, std::process::id()];
        for (address, expected) in addresses.into_iter().zip(expected) {
            let mut asm = crate::encode::Assembler::new();
            asm.push(crate::encode::Reg::Rbx);
            asm.call_address(address);
            asm.pop(crate::encode::Reg::Rbx);
            asm.ret();
            let image = asm.layout().expect("no labels");
            let memory = ExecutableMemory::new(image.size(), |bytes| image.write(bytes)).expect("memory");
            #[allow(unsafe_code)]
            // SAFETY: the bytes are a function of that type that calls another of that type, with the stack
            // as calls want it, and the memory outlives the call.
            let function =
                unsafe { std::mem::transmute::<*const u8, extern "C" fn() -> u32>(memory.address(0)) };
            assert_eq!(function(), expected);
        }
    }
}
