//! Regions of bytes at made-up addresses.

use crate::generate::Rng;

/// What a region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The context.
    Context,
    /// The packet.
    Packet,
    /// The stack of a frame. Its base is the lowest byte.
    Stack(usize),
    /// A value of a map.
    MapValue(usize),
}

/// A region.
#[derive(Clone, Debug)]
pub struct Region {
    /// What it is.
    pub kind: Kind,
    /// The address of its first byte.
    pub base: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// All regions.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// In no order.
    pub regions: Vec<Region>,
}

impl Memory {
    /// Adds a region of random bytes, far from the others; gives its base.
    pub fn add(&mut self, kind: Kind, len: usize, rng: &mut Rng) -> u64 {
        let base = 0xffff_8880_0000_0000 + (self.regions.len() as u64 + 1) * 0x1_2345_6000;
        let bytes = (0..len).map(|_| if rng.chance(30) { 0 } else { rng.bits() as u8 }).collect();
        self.regions.push(Region { kind, base, bytes });
        base
    }

    /// The region of this kind.
    #[must_use]
    pub fn find(&self, kind: Kind) -> Option<&Region> {
        self.regions.iter().find(|region| region.kind == kind)
    }

    /// The region and the offset of an address.
    #[must_use]
    pub fn locate(&self, address: u64, size: usize) -> Option<(usize, usize)> {
        self.regions.iter().enumerate().find_map(|(index, region)| {
            let off = usize::try_from(address.checked_sub(region.base)?).ok()?;
            (off.checked_add(size)? <= region.bytes.len()).then_some((index, off))
        })
    }

    /// Reads up to 8 bytes.
    #[must_use]
    pub fn read(&self, address: u64, size: usize) -> Option<u64> {
        let (index, off) = self.locate(address, size)?;
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(&self.regions[index].bytes[off..off + size]);
        Some(u64::from_le_bytes(bytes))
    }

    /// Writes up to 8 bytes; None when they are nowhere.
    pub fn write(&mut self, address: u64, size: usize, value: u64) -> Option<()> {
        let (index, off) = self.locate(address, size)?;
        self.regions[index].bytes[off..off + size].copy_from_slice(&value.to_le_bytes()[..size]);
        Some(())
    }
}
