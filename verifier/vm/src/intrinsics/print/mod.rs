//! Formatted text: into memory, and as lines for the sink.
//!
//! | module | subject |
//! |---|---|
//! | [`format`] | what formats mean: texts and conversions |
//! | [`pack`] | arguments as the 512 bytes that the conversions take them from |
//! | [`render`] | conversions and packed arguments to text |
//!
//! The rules are those of the platform that programs come from, down to how many bytes of arguments
//! there may be; `tests/print.golden` holds what its kernel says.

use probity_isa::Size;

use super::{Args, Body};
use crate::errno::Errno;
use crate::guest::GuestBytes;
use crate::run::{Left, Run};

mod format;
#[cfg(test)]
mod golden;
mod pack;
mod render;
#[cfg(test)]
mod tests;

use pack::Memory;
use render::Rendered;

/// The most arguments.
const MOST: usize = 12;
/// A line of the sink, with a zero behind.
const LINE: usize = 1024;
/// The longest constant format.
const LONGEST: usize = 1 << 20;

/// Formats text into a buffer of `size` bytes.
fn print(
    fmt: &[u8],
    args: &[u64],
    size: usize,
    memory: &mut Memory<'_>,
    hash: u64,
) -> Result<Rendered, Errno> {
    let packed = pack::pack(fmt, args, memory)?;
    Ok(render::render(fmt, &packed, size, hash))
}

/// Prints what a run may read.
fn print_in(run: &mut Run<'_>, fmt: &[u8], args: &[u64], size: usize) -> Result<Rendered, Errno> {
    let hash = run.worker.secret();
    print(fmt, args, size, &mut |address, len| run.known(address, len), hash)
}

/// Formats a line; gives its length.
fn line(run: &mut Run<'_>, fmt: GuestBytes<'_>, args: &[u64]) -> Result<u64, Errno> {
    let fmt = fmt.to_vec();
    let end = fmt.iter().position(|&byte| byte == 0).ok_or(Errno::EINVAL)?;
    let rendered = print_in(run, &fmt[..end], args, LINE)?;
    let text = String::from_utf8_lossy(&rendered.bytes);
    run.worker.line(text.strip_suffix('\n').unwrap_or(&text));
    Ok(rendered.len)
}

fn r0(result: Result<u64, Errno>) -> Result<u64, Left> {
    Ok(result.unwrap_or_else(Errno::to_r0))
}

/// `(format, its size, three numbers)`.
pub(super) struct Trace;

impl Body for Trace {
    // The sink is the host's.
    const MAY_LEAVE: bool = true;

    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let numbers = [2, 3, 4].map(|index| args.number(index));
        r0(line(run, args.bytes(0, 1), &numbers))
    }
}

/// Numbers in memory: 8 bytes each.
fn numbers(args: Args<'_>, memory: usize, size: usize) -> Result<Vec<u64>, Errno> {
    let bytes = args.number(size) as usize;
    if !bytes.is_multiple_of(8) || bytes > MOST * 8 || (bytes > 0 && args.number(memory) == 0) {
        return Err(Errno::EINVAL);
    }
    let from = args.bytes(memory, size);
    Ok((0..bytes).step_by(8).map(|at| from.get(at, Size::Dw).unwrap_or(0)).collect())
}

/// `(format, its size, numbers, their size)`.
pub(super) struct TraceV;

impl Body for TraceV {
    const MAY_LEAVE: bool = true;

    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        r0(numbers(args, 2, 3).and_then(|numbers| line(run, args.bytes(0, 1), &numbers)))
    }
}

/// The bytes of a constant text, without its zero.
fn constant(args: Args<'_>, index: usize) -> Vec<u8> {
    // It ends with a zero in the same memory: that was demanded. So no byte behind it is read.
    let byte = |at: usize| args.memory(index, at + 1).get(at, Size::B).unwrap_or(0) as u8;
    (0..LONGEST).map(byte).take_while(|&byte| byte != 0).collect()
}

/// `(to, its size, constant format, numbers, their size)`.
pub(super) struct Snprintf;

impl Body for Snprintf {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let to = args.bytes(0, 1);
        r0(numbers(args, 3, 4).and_then(|numbers| {
            let rendered = print_in(run, &constant(args, 2), &numbers, to.len())?;
            if !to.is_empty() {
                to.write(&[&rendered.bytes[..], &[0]].concat());
            }
            Ok(rendered.len + 1)
        }))
    }
}
