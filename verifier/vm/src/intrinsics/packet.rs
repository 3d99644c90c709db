//! The packet: loads, stores, what moves its bounds.

use probity_isa::Size;

use super::{Args, Body};
use crate::errno::{Errno, status};
use crate::run::{Left, Run};

/// A place in the packet and a length, as numbers of 32 bits.
fn part(offset: u64, len: u64) -> Option<(usize, usize)> {
    let offset = i32::try_from(offset as u32).ok()?;
    Some((usize::try_from(offset).ok()?, usize::try_from(len as u32).ok()?))
}

/// `(skb, offset, to, len)`: what can't be copied leaves zeros.
pub(super) struct Load;

impl Body for Load {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let to = args.bytes(2, 3);
        let from = part(args.number(1), args.number(3))
            .zip(run.packet.get())
            .and_then(|((at, len), packet)| packet.slice(at, len));
        Ok(status(match from {
            Some(from) => {
                to.move_from(&from);
                Ok(())
            }
            None => {
                to.fill(0);
                Err(Errno::EFAULT)
            }
        }))
    }
}

/// A place in the packet and a length for the bodies that know their limits.
fn short(offset: u64, len: u64) -> Result<(usize, usize), Errno> {
    const MOST: usize = 0xffff;
    let (at, len) = (offset as u32 as usize, len as u32 as usize);
    if at > MOST || len > MOST { Err(Errno::EFAULT) } else { Ok((at, len)) }
}

/// `(xdp, offset, to, len)`: what can't be copied leaves the memory as it is.
pub(super) struct Read;

impl Body for Read {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        Ok(status(short(args.number(1), args.number(3)).and_then(|(at, len)| {
            let packet = run.packet.get().ok_or(Errno::EINVAL)?;
            let from = packet.slice(at, len).ok_or(Errno::EINVAL)?;
            args.bytes(2, 3).move_from(&from);
            Ok(())
        })))
    }
}

/// Flags of a store: recompute the checksum, forget the hash.
const STORE_FLAGS: u64 = 3;

fn store(run: &mut Run<'_>, args: Args<'_>) -> Result<(), Errno> {
    let (at, len) = part(args.number(1), args.number(3)).ok_or(Errno::EFAULT)?;
    let packet = run.packet.get().ok_or(Errno::EFAULT)?;
    packet.slice(at, len).ok_or(Errno::EFAULT)?.move_from(&args.bytes(2, 3));
    Ok(())
}

/// `(skb, offset, from, len, flags)`.
pub(super) struct Store;

impl Body for Store {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        if args.number(4) & !STORE_FLAGS != 0 {
            return Ok(Errno::EINVAL.to_r0());
        }
        Ok(status(store(run, args)))
    }
}

/// `(xdp, offset, from, len)`.
pub(super) struct Write;

impl Body for Write {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        Ok(status(short(args.number(1), args.number(3)).and_then(|(at, len)| {
            let packet = run.packet.get().ok_or(Errno::EINVAL)?;
            packet.slice(at, len).ok_or(Errno::EINVAL)?.move_from(&args.bytes(2, 3));
            Ok(())
        })))
    }
}

macro_rules! bounds {
    ($($(#[$doc:meta])* $name:ident = |$packet:ident, $args:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl Body for $name {
            fn call(run: &mut Run<'_>, $args: Args<'_>) -> Result<u64, Left> {
                // It may move, and a function of the host that waits for this one may have a part of it.
                if run.held.must_stay() {
                    return Ok(Errno::EBUSY.to_r0());
                }
                let Some($packet) = run.packet.get() else { return Ok(Errno::EINVAL.to_r0()) };
                let result: Result<(), Errno> = $body;
                run.show_packet();
                Ok(status(result))
            }
        }
    )*};
}

/// A number of 32 bits with its sign.
fn signed(number: u64) -> i64 {
    i64::from(number as i32)
}

bounds! {
    /// `(xdp, delta)`.
    AdjustHead = |packet, args| packet.adjust_head(signed(args.number(1)));
    /// `(xdp, delta)`.
    AdjustTail = |packet, args| packet.adjust_tail(signed(args.number(1)));
    /// `(xdp, delta)`.
    AdjustMeta = |packet, args| packet.adjust_meta(signed(args.number(1)));
    /// `(skb, length, flags)`.
    ChangeTail = |packet, args| match args.number(2) {
        0 => packet.change_len(args.number(1) as u32 as usize),
        _ => Err(Errno::EINVAL),
    };
    /// `(skb, room, flags)`.
    ChangeHead = |packet, args| match args.number(2) {
        0 => packet.add_front(args.number(1) as u32 as usize),
        _ => Err(Errno::EINVAL),
    };
    /// `(skb, length)`: all of it is accessible anyway.
    Pull = |packet, args| {
        if args.number(1) as u32 as usize > packet.len() { Err(Errno::ENOMEM) } else { Ok(()) }
    };
}

/// `(xdp)`.
pub(super) struct Len;

impl Body for Len {
    fn call(run: &mut Run<'_>, _args: Args<'_>) -> Result<u64, Left> {
        Ok(run.packet.get().map_or(0, |packet| packet.len() as u64))
    }
}

/// LD_ABS and LD_IND: a big-endian number at `index + imm`; None outside of the packet. Negative
/// places from -0x100000 on are counted from the network header, from -0x200000 on from the link
/// header.
pub(crate) fn load_legacy(run: &mut Run<'_>, index: u32, imm: i32, size: Size) -> Option<u64> {
    const NETWORK: i32 = -0x10_0000;
    const LINK: i32 = -0x20_0000;
    let packet = run.packet.get()?;
    let (at, len) = (imm.wrapping_add(index.cast_signed()), size.bytes() as usize);
    let from = |base: i32| usize::try_from(at.wrapping_sub(base)).ok();
    let bytes = match at {
        0.. => packet.slice(from(0)?, len),
        NETWORK.. => packet.header(true, from(NETWORK)?, len),
        LINK.. => packet.header(false, from(LINK)?, len),
        _ => None,
    }?;
    let value = bytes.get(0, size)?;
    Some(match size {
        Size::B => value,
        Size::H => u64::from((value as u16).swap_bytes()),
        Size::W => u64::from((value as u32).swap_bytes()),
        Size::Dw => value.swap_bytes(),
    })
}
