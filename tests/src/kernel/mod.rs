//! The running kernel as an oracle: it is asked for its verdict on a program, and may be asked to
//! run it once on a packet. Nothing is ever attached or pinned, and everything is closed at once.
//!
//! | module | subject |
//! |---|---|
//! | [`mod@load`] | a [`Program`](probity_program::Program) in, a verdict out |
//! | [`log`] | the reason and the numbers in the verifier's log |
//! | [`run`] | test runs |
//! | [`btf`] | BTF bytes as this kernel takes them |
//! | [`mod@encode`] | BTF types back into bytes |
//! | [`live`] | maps that stay open, and what is in them |
//! | [`caps`] | what the loader may do |
//! | `maps` | the maps of a program |
//! | `sys` | the bpf() system call |

pub mod btf;
pub mod caps;
pub mod encode;
pub mod live;
pub mod load;
pub mod log;
mod maps;
pub mod run;
mod sys;

use std::{io, sync::OnceLock, time::Duration};

pub use load::{KernelVerdict, LoadOptions, Prepared, create_map, load};
pub use run::{TestRun, test_run};

/// Why the kernel could not be asked: it gave no verdict.
#[derive(Debug)]
pub enum OracleError {
    /// A map of the program could not be created or filled.
    Map {
        /// The index of the map in the program.
        index: usize,
        /// What the kernel answered.
        error: io::Error,
    },
    /// The program's BTF was refused.
    Btf {
        /// What the kernel answered.
        error: io::Error,
        /// The end of its log.
        log: String,
    },
    /// The program refers to something that this kernel or this oracle does not have.
    Missing(String),
}

impl std::fmt::Display for OracleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OracleError::Map { index, error } => write!(f, "map {index}: {error}"),
            OracleError::Btf { error, log } => write!(f, "BTF: {error}: {log}"),
            OracleError::Missing(what) => write!(f, "there is no {what}"),
        }
    }
}

impl std::error::Error for OracleError {}

/// True when this process may load programs: Linux, with bpf(), as root. Tried once.
#[must_use]
pub fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        const TRIVIAL: [u8; 16] = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
        let program =
            sys::ProgLoad { prog_type: 1, license: "GPL", insns: &TRIVIAL, ..sys::ProgLoad::default() };
        sys::prog_load(&program, 0, &mut []).result.is_ok()
    })
}

/// The time of a processor that the calling thread has used so far, its system calls included.
#[must_use]
pub fn thread_time() -> Duration {
    sys::thread_time()
}

/// Says in one line that the test `name` did not run because the kernel cannot be asked.
pub fn skip(name: &str) {
    println!("skipped: {name}: bpf() is not allowed here");
}
