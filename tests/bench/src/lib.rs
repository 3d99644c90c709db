//! How fast verified programs run, beside their peers in the same process: the kernel's JIT, rbpf's
//! JIT, interpreter and Cranelift back end, and native code of the same C.
//!
//! ```text
//! cargo run --release -p probity-bench --features peers
//! ```
//!
//! as root, with `clang-22` in the path. `--only NAME` picks programs, `--rounds N` says how often
//! each is timed, `--json` prints everything as JSON. What is missing is left out, with a line.
//!
//! `programs/*.c` are compute programs, `programs/micro/*.c` do one small thing [`ITERATIONS`]
//! times or cost nothing but entering; `programs/host/*.c` call a host through its generated bindings, on
//! a platform of the benchmark's own ([`mod@host`]), beside rbpf's untyped helpers. Each is one source for four targets (`program.h`): an XDP
//! program, the same with 64-bit pointers for rbpf, memory and length in two registers, and a native
//! function. To add one, add its file: it begins with a comment of one line that says what it does,
//! its function has its file's name, its loops are bounded, what it reads of the packet it does not
//! write, and one run takes 1 to 50 microseconds. A test asks that Probity and the kernel accept it and
//! that it gives what native code gives.
//!
//! Each round times every contender on a program once, for at least 2 ms of the processor's time;
//! medians of the rounds count. Run it on a machine that does little else all the same.
//! Ratios are times of native code's. What a loop does is the time of a run less that of the loop alone.
//!
//! A contender is a [`Contender`]; ours are listed in [`ours`].
//!
//! | module | subject |
//! |---|---|
//! | [`source`] | the programs |
//! | [`compile`] | clang |
//! | [`host`] | a platform of the benchmark's own, and its host |
//! | [`packet`] | the packet that all of them get |
//! | [`subject`] | a program compiled, linked and verified |
//! | [`contender`] | what runs programs |
//! | [`native`], [`kernel`], `rbpf_peer`, [`ours`] | the contenders |
//! | `machine_code` | calls into machine code: all that is unsafe |
//! | [`measure`] | rounds and medians |
//! | [`targets`] | what is promised, and whether it holds |
//! | [`table`] | results as text |

pub mod compile;
pub mod contender;
pub mod host;
pub mod kernel;
mod machine_code;
pub mod measure;
pub mod native;
pub mod ours;
pub mod packet;
#[cfg(feature = "peers")]
pub mod rbpf_peer;
pub mod source;
pub mod subject;
pub mod table;
pub mod targets;

pub use compile::{Form, ITERATIONS, Workshop};
pub use contender::{Contender, Failure, Role, Runnable};
pub use packet::Packet;
pub use source::{Kind, Source};
pub use subject::Subject;

/// All contenders that this build and this machine have, native code first.
#[must_use]
pub fn contenders() -> Vec<Box<dyn Contender>> {
    let mut all: Vec<Box<dyn Contender>> = vec![Box::new(native::Native)];
    if probity_tests::kernel::available() {
        all.push(Box::new(kernel::KernelJit));
    } else {
        eprintln!("left out: the kernel's JIT: bpf() is not allowed here");
    }
    #[cfg(feature = "peers")]
    all.extend(rbpf_peer::contenders());
    #[cfg(not(feature = "peers"))]
    eprintln!("left out: rbpf: this was built without `--features peers`");
    all.extend(ours::contenders());
    all
}
