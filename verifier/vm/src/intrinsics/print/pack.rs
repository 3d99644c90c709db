//! Arguments as bytes: numbers, aligned to 4, and texts with a zero behind. There is room for 512.

use std::fmt::Write;

use super::format::{Conversion, Packed, Piece, Pieces};
use crate::errno::Errno;

/// How many bytes of packed arguments there may be.
pub(super) const ROOM: usize = 512;

/// Memory of the program: as many as there are of the bytes at an address, up to a number.
pub(super) type Memory<'a> = dyn FnMut(u64, usize) -> Vec<u8> + 'a;

struct Packer {
    bytes: Vec<u8>,
    /// How many were asked for: a text may be cut by the room's end.
    used: usize,
}

impl Packer {
    fn left(&self) -> usize {
        ROOM.saturating_sub(self.used)
    }

    fn claim(&self, count: usize) -> Result<(), Errno> {
        if count > self.left() { Err(Errno::ENOSPC) } else { Ok(()) }
    }

    fn number(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.used = self.used.next_multiple_of(4);
        self.claim(bytes.len())?;
        self.bytes.resize(self.used, 0);
        self.bytes.extend(bytes);
        self.used += bytes.len();
        Ok(())
    }

    /// A text, as much of it as there is room for, with a zero if there is room for anything.
    fn text(&mut self, text: &[u8], used: usize) {
        let kept = self.left().saturating_sub(1).min(text.len());
        self.bytes.resize(self.used.min(ROOM), 0);
        if self.left() > 0 {
            self.bytes.extend(&text[..kept]);
            self.bytes.push(0);
        }
        self.used += used;
    }

    /// Text of the program: empty when it is not the program's.
    fn text_at(&mut self, address: u64, memory: &mut Memory<'_>) -> Result<(), Errno> {
        self.claim(1)?;
        let room = self.left();
        let mut text = memory(address, room);
        match text.iter().position(|&byte| byte == 0) {
            Some(end) => text.truncate(end),
            // It goes on where nothing is known of.
            None if text.len() < room => text.clear(),
            None => text.truncate(room - 1),
        }
        let used = text.len() + 1;
        self.text(&text, used);
        Ok(())
    }
}

/// Packs the arguments of a format.
pub(super) fn pack(fmt: &[u8], args: &[u64], memory: &mut Memory<'_>) -> Result<Vec<u8>, Errno> {
    let mut packer = Packer { bytes: Vec::new(), used: 0 };
    let mut args = args.iter().copied();
    for piece in Pieces::new(fmt) {
        let Piece::Convert { conversion, .. } = piece? else { continue };
        let arg = args.next().ok_or(Errno::EINVAL)?;
        match conversion {
            Conversion::Char => {
                packer.claim(1)?;
                packer.bytes.resize(packer.used, 0);
                packer.bytes.push(arg as u8);
                packer.used += 1;
            }
            Conversion::Text | Conversion::Packed(Packed::Text { user: false }) => {
                packer.text_at(arg, memory)?
            }
            Conversion::Packed(Packed::Text { user: true }) => packer.text_at(0, &mut |_, _| Vec::new())?,
            Conversion::Number { wide: false, .. } => packer.number(&(arg as u32).to_ne_bytes())?,
            Conversion::Number { .. } | Conversion::Address | Conversion::Hashed | Conversion::Symbol => {
                packer.number(&arg.to_ne_bytes())?;
            }
            Conversion::Packed(Packed::Symbol) => {
                let text = format!("{arg:#x}");
                packer.text(text.as_bytes(), text.len() + 1);
            }
            Conversion::Packed(Packed::Ip { v6, pretty }) => {
                let len = if v6 { 16 } else { 4 };
                packer.claim(len)?;
                let mut bytes = memory(arg, len);
                if bytes.len() < len {
                    bytes = vec![0; len];
                }
                let text = ip(&bytes, v6, pretty);
                packer.text(text.as_bytes(), text.len() + 1);
            }
        }
    }
    Ok(packer.bytes)
}

/// The text of an Internet address.
fn ip(bytes: &[u8], v6: bool, pretty: bool) -> String {
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = match (v6, pretty) {
            (false, _) if index > 0 => write!(text, "."),
            (true, true) if index > 0 && index % 2 == 0 => write!(text, ":"),
            _ => Ok(()),
        };
        let _ = match (v6, pretty) {
            (false, true) => write!(text, "{byte}"),
            (false, false) => write!(text, "{byte:03}"),
            (true, _) => write!(text, "{byte:02x}"),
        };
    }
    text
}
