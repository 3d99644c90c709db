//! What the bodies of the runtime do, held against the helpers of the running kernel. Formats need
//! constant text, so that what the kernel says of them is kept in a golden file, which the runtime's
//! own tests read; here it is held against the kernel. `UPDATE=1` writes it anew.

use std::{fmt::Write, fs, os::fd::AsFd, path::PathBuf};

use probity_tests::{
    bodies::{Arg, Call},
    kernel,
};

#[path = "../../verifier/vm/src/intrinsics/print/golden.rs"]
#[expect(dead_code, reason = "what came of a format, the runtime's own tests read")]
mod golden;

const SNPRINTF: u32 = 165;

/// The buffer is the lowest part of the stack, the arguments are behind it.
const BUFFER: usize = 304;

/// What the kernel says of a call; None when it refuses the program for its format.
fn ask(call: &Call) -> Option<probity_tests::bodies::Left> {
    let program = call.program();
    let verdict = kernel::load(&program, &kernel::LoadOptions::default()).expect("a verdict");
    let Some(fd) = verdict.fd else {
        assert_eq!(verdict.message, "Invalid format string", "{}", verdict.log);
        return None;
    };
    let run = kernel::test_run(fd.as_fd(), &Call::packet(), 1).expect("it runs");
    Some(Call::left(&run.data_out))
}

fn printing(case: &golden::Case) -> Call {
    let mut data = [&case.format[..], &[0]].concat();
    let mut stack = vec![b'.'; BUFFER];
    let mut pointers = Vec::new();
    for arg in &case.args {
        match arg {
            golden::Arg::Number(number) => stack.extend(number.to_le_bytes()),
            golden::Arg::Bytes(bytes) => {
                pointers.push((stack.len(), Arg::Data(data.len())));
                stack.extend([0; 8]);
                data.extend(bytes);
                data.push(0);
            }
        }
    }
    data.resize(data.len().next_multiple_of(8), 0);
    let args = if case.args.is_empty() { Arg::Number(0) } else { Arg::Stack(BUFFER) };
    let size = |bytes: usize| Arg::Number(bytes as u64);
    let args = vec![Arg::Stack(0), size(case.size), Arg::Data(0), args, size(case.args.len() * 8)];
    Call { helper: SNPRINTF, args, stack, pointers, data }
}

#[test]
fn formats() {
    if !kernel::available() {
        return kernel::skip("formats");
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../verifier/vm/tests/print.golden");
    let kept = fs::read_to_string(&path).expect("the golden file");
    let mut measured = String::new();
    for case in golden::cases(&kept) {
        let result = match ask(&printing(&case)) {
            Some(left) => golden::result(left.r0.cast_signed(), &left.stack[..case.size.min(BUFFER)]),
            None => "refused".to_owned(),
        };
        writeln!(measured, "{}\t{result}", case.line).expect("text");
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &measured).expect("the golden file");
        return;
    }
    for (kept, measured) in kept.lines().zip(measured.lines()) {
        assert_eq!(kept, measured);
    }
    assert_eq!(kept, measured);
}
