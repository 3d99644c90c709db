//! The packets that a program runs on.

use probity::platform::{PacketAccess, ProgFlags};
use probity::vm::Unit;
use probity::vm::context::PacketFields;

use super::context::Frame;
use super::trouble::{Trouble, type_name};
use super::{hex, pcap};
use crate::args::RunArgs;
use crate::input;
use crate::output::note;

/// How long the packet is that programs get when none is given.
const DEFAULT: usize = 64;
const ETHERNET: u16 = 1;

/// Where packets come from.
#[derive(Debug)]
pub(super) enum Packets {
    /// The program is called without one.
    None,
    One(Vec<u8>),
    Captured {
        file: String,
        bytes: Vec<u8>,
        capture: pcap::Capture,
    },
}

impl Packets {
    /// What the command line gives, if the program takes packets.
    pub(super) fn find(args: &RunArgs, unit: &Unit) -> Result<Packets, Trouble> {
        let given = args.packet.as_ref().or(args.pcap.as_ref());
        if !takes_packets(unit) {
            let text =
                || format!("programs of type {} are called without a packet", type_name(unit.program()));
            return match given {
                Some(_) => Err(Trouble::usage(text()).help("--ctx gives their context")),
                None => Ok(Packets::None),
            };
        }
        let Some(path) = given else { return Ok(Packets::One(vec![0; DEFAULT])) };
        let file = path.display().to_string();
        let bad = |error: String| Trouble::unreadable(format!("{}: {error}", path.display()));
        let bytes = input::read(path).map_err(bad)?;
        if args.packet.is_some() {
            return Ok(Packets::One(hex::of_file(bytes)));
        }
        let capture = pcap::read(&bytes).map_err(bad)?;
        if capture.cut_off {
            note(&format!("{file} ends in the middle of a packet, which is left out"));
        }
        if capture.link_type != ETHERNET {
            let number = capture.link_type;
            note(&format!(
                "{file} has no Ethernet frames (link type {number}): programs see its packets as they are"
            ));
        }
        Ok(Packets::Captured { file, bytes, capture })
    }

    /// Each in turn, with its number in the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Option<usize>, Option<Frame<'_>>)> {
        let (alone, captured): (Option<(Option<usize>, Option<Frame<'_>>)>, _) = match self {
            Packets::None => (Some((None, None)), None),
            Packets::One(bytes) => {
                let frame = Frame { bytes, wire_len: bytes.len() as u64, ethernet: true };
                (Some((None, Some(frame))), None)
            }
            Packets::Captured { bytes, capture, .. } => (None, Some((bytes, capture))),
        };
        let captured = captured.into_iter().flat_map(|(bytes, capture)| {
            let ethernet = capture.link_type == ETHERNET;
            (1..).zip(&capture.packets).map(move |(number, one)| {
                let (bytes, wire_len) = (&bytes[one.at.clone()], u64::from(one.wire_len));
                (Some(number), Some(Frame { bytes, wire_len, ethernet }))
            })
        });
        alone.into_iter().chain(captured)
    }
}

/// Whether programs of this type are called with a packet: they see its bounds, or may load from it.
fn takes_packets(unit: &Unit) -> bool {
    let row = unit.prog_type();
    !PacketFields::of(unit.platform(), unit.view()).is_empty()
        || row.packet.contains(PacketAccess::READ)
        || row.flags.contains(ProgFlags::LD_ABS)
}
