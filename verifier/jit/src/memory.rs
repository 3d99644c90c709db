//! Memory for machine code: written once, then executable and no longer writable (W^X).

#![allow(unsafe_code)]

use std::io;

use memmap2::{Mmap, MmapMut};

/// Machine code that can be executed. It is unmapped when this is dropped.
#[derive(Debug)]
pub struct ExecutableMemory {
    map: Mmap,
}

impl ExecutableMemory {
    /// Maps `size` bytes at the start of a page, lets `fill` write all of them, and makes them
    /// executable. There is no time at which they are both writable and executable.
    ///
    /// # Errors
    /// When `size` is 0, or the system refuses the mapping or its execution.
    pub fn new(size: usize, fill: impl FnOnce(&mut [u8])) -> io::Result<Self> {
        let mut map = MmapMut::map_anon(size)?;
        fill(&mut map);
        Ok(ExecutableMemory { map: map.make_exec()? })
    }

    /// The code.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Where the byte at `offset` stands.
    ///
    /// # Panics
    /// When `offset` is not inside.
    #[must_use]
    pub fn address(&self, offset: usize) -> *const u8 {
        &raw const self.map[offset]
    }
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
    #[cfg(target_arch = "x86_64")]
    fn code_runs() {
        // mov eax, 42; ret
        let code = [0xb8, 42, 0, 0, 0, 0xc3];
        let memory = ExecutableMemory::new(code.len(), |bytes| bytes.copy_from_slice(&code)).expect("memory");
        // SAFETY: the bytes are a function of that type that touches nothing but its result, and the
        // memory outlives the call.
        let function = unsafe { std::mem::transmute::<*const u8, extern "C" fn() -> u32>(memory.address(0)) };
        assert_eq!(function(), 42);
    }
}
