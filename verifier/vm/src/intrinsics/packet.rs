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
            .zip(run.packet.as_deref_mut())
            .and_then(|((at, len), packet)| Some(packet.slice(at, len)?.to_vec()));
        Ok(status(match from {
            Some(bytes) => {
                to.write(&bytes);
                Ok(())
            }
            None => {
                to.fill(0);
                Err(Errno::EFAULT)
            }
        }))
    }
}

/// Flags of a store: recompute the checksum, forget the hash.
const STORE_FLAGS: u64 = 3;

fn store(run: &mut Run<'_>, args: Args<'_>) -> Result<(), Errno> {
    let from = args.bytes(2, 3).to_vec();
    let (at, len) = part(args.number(1), args.number(3)).ok_or(Errno::EFAULT)?;
    let packet = run.packet.as_deref_mut().ok_or(Errno::EFAULT)?;
    packet.slice(at, len).ok_or(Errno::EFAULT)?.write(&from);
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
        Ok(status(store(run, args)))
    }
}

macro_rules! bounds {
    ($($(#[$doc:meta])* $name:ident = |$packet:ident, $args:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl Body for $name {
            fn call(run: &mut Run<'_>, $args: Args<'_>) -> Result<u64, Left> {
                let Some($packet) = run.packet.as_deref_mut() else { return Ok(Errno::EINVAL.to_r0()) };
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
    ChangeTail = |packet, args| {
        let delta = i64::from(args.number(1) as u32) - packet.len() as i64;
        if args.number(2) != 0 { Err(Errno::EINVAL) } else { packet.adjust_tail(delta) }
    };
    /// `(skb, room, flags)`.
    ChangeHead = |packet, args| {
        let room = i64::from(args.number(1) as u32);
        if args.number(2) != 0 { Err(Errno::EINVAL) } else { packet.adjust_head(-room) }
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
        Ok(run.packet.as_deref().map_or(0, |packet| packet.len() as u64))
    }
}

/// LD_ABS and LD_IND: a big-endian number at `index + imm`; None outside of the packet. Negative
/// places from -0x100000 on are of the network header, from -0x200000 on of the link header; here
/// both begin with the packet's bytes that the program sees.
pub(crate) fn load_legacy(run: &mut Run<'_>, index: u32, imm: i32, size: Size) -> Option<u64> {
    const NETWORK: i64 = -0x10_0000;
    const LINK: i64 = -0x20_0000;
    let at = i64::from(imm.wrapping_add(index.cast_signed()));
    let at = match at {
        at if at >= 0 => at,
        at if at >= NETWORK => at - NETWORK,
        at if at >= LINK => at - LINK,
        _ => return None,
    };
    let packet = run.packet.as_deref_mut()?;
    let bytes = packet.slice(usize::try_from(at).ok()?, size.bytes() as usize)?;
    let value = bytes.get(0, size)?;
    Some(match size {
        Size::B => value,
        Size::H => u64::from((value as u16).swap_bytes()),
        Size::W => u64::from((value as u32).swap_bytes()),
        Size::Dw => value.swap_bytes(),
    })
}
