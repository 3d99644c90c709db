//! Machine code, for the tests that run programs: the one place where it is made.

use probity_jit::{NativeCode, Options, compile, opt};
use probity_vm::Executable;

/// Makes machine code of a program as users get it, optimised, which its runs use from then on; false
/// where there is no compiler.
#[must_use]
pub fn native(executable: &Executable) -> bool {
    opt::compile_any(executable, &Options::default()).and_then(NativeCode::install).is_ok()
}

/// As [`native`], by the compiler of one pass.
#[must_use]
pub fn one_pass(executable: &Executable) -> bool {
    compile(executable, &Options::default()).and_then(NativeCode::install).is_ok()
}

/// Says in one line that the test `name` did not run machine code.
pub fn skip(name: &str) {
    println!("skipped: {name}: machine code: there is no compiler here");
}
