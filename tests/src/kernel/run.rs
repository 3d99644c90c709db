//! Test runs: BPF_PROG_TEST_RUN, which runs a program on a packet of ours without attaching it.

use std::{io, os::fd::BorrowedFd, time::Duration};

use super::sys;

/// What came of a test run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestRun {
    /// r0 at exit.
    pub retval: u32,
    /// The mean time of one run.
    pub duration: Duration,
    /// The packet afterwards.
    pub data_out: Vec<u8>,
}

/// Runs the program `repeat` times on `data_in`; a packet has at least 14 bytes.
///
/// # Errors
///
/// What the kernel answered: EOPNOTSUPP (524) when the program's type has no test runs.
pub fn test_run(fd: BorrowedFd<'_>, data_in: &[u8], repeat: u32) -> io::Result<TestRun> {
    // Programs may make a packet longer, by a page at most.
    let mut data_out = vec![0; data_in.len() + 4096];
    let ran = sys::prog_test_run(fd, data_in, &mut data_out, repeat)?;
    data_out.truncate(ran.size_out);
    let duration = Duration::from_nanos(u64::from(ran.duration));
    Ok(TestRun { retval: ran.retval, duration, data_out })
}
