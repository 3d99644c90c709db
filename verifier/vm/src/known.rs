//! Addresses that a program computed: is the memory behind them its own?
#![allow(unsafe_code)]

use crate::guest::GuestBytes;
use crate::run::Run;

impl Run<'_> {
    /// As many as there are of the bytes at an address, up to `len`, of the memory that the run is
    /// known to have: its stack, its context, its packet, the global data of its program. Empty when the
    /// address is of something else.
    pub(crate) fn known(&mut self, address: u64, len: usize) -> Vec<u8> {
        let unit = self.unit;
        let context = (self.context, unit.view().host_size.max(unit.view().size) as usize);
        let packet = self.packet.get().map(|packet| {
            let [meta, _, end] = packet.addresses();
            (meta, (end - meta) as usize)
        });
        let data = unit.maps.iter().filter_map(|map| {
            let start = map.direct_value(0)?;
            Some((start, map.definition().value_size as usize))
        });
        let regions = [self.worker.stack_region(), context].into_iter().chain(packet).chain(data);
        let within = |(start, size): (u64, usize)| {
            let at = usize::try_from(address.checked_sub(start)?).ok().filter(|&at| at < size)?;
            Some(len.min(size - at))
        };
        let Some(len) = regions.into_iter().find_map(within) else { return Vec::new() };
        // SAFETY: the bytes are inside of memory that is there as long as the run, and which nobody
        // accesses but by guest accesses while the run is on.
        unsafe { GuestBytes::new(address, len) }.to_vec()
    }
}
