//! Random packets, contexts and contents of maps.

use std::sync::Arc;

use probity_linux::PLATFORM;
use probity_platform::{MapBody, ProgType};
use probity_vm::{Context, Map, Packet, RingProducer};

use crate::generate::Rng;

/// A number that is often small or special.
fn number(rng: &mut Rng) -> u64 {
    match rng.below(6) {
        0 => 0,
        1 => rng.below(100) as u64,
        2 => u64::from(rng.bits() as u32),
        3 => 1 << rng.below(64),
        4 => (1_u64 << rng.below(64)).wrapping_neg(),
        _ => rng.bits(),
    }
}

/// Bytes, many of them 0.
pub fn bytes(rng: &mut Rng, len: usize) -> Vec<u8> {
    (0..len).map(|_| if rng.chance(30) { 0 } else { rng.bits() as u8 }).collect()
}

/// A context.
pub fn context(rng: &mut Rng, prog_type: &ProgType) -> Context {
    let view = &PLATFORM.views[usize::from(prog_type.ctx)];
    let words = (0..view.host_size.max(view.size).div_ceil(8)).flat_map(|_| number(rng).to_le_bytes());
    Context::from_bytes(view, &words.collect::<Vec<u8>>())
}

/// A packet.
pub fn packet(rng: &mut Rng) -> Packet {
    let len = rng.pick(&[0, 1, 14, 34, 64, 200]);
    Packet::new(&bytes(rng, len))
}

/// Fills a map of plain values, or a ring buffer that programs read.
pub fn fill(rng: &mut Rng, map: &Arc<Map>) {
    if let Some(producer) = RingProducer::new(map.clone()) {
        for _ in 0..rng.below(4) {
            let len = rng.pick(&[1, 8, 16, 40]);
            // What does not fit is left out.
            let _ = producer.push(&bytes(rng, len));
        }
        return;
    }
    let definition = map.definition();
    let (key, value) = (definition.key_size as usize, map.user_value_size());
    if definition.frozen {
        return;
    }
    for index in 0..definition.max_entries.min(8) {
        let contents = bytes(rng, value);
        // What does not fit is left out: the map stays as it is.
        let _ = match map.body() {
            MapBody::Array => map.update(&index.to_le_bytes(), &contents, 0),
            MapBody::Hash | MapBody::LruHash if rng.chance(70) => map.update(&bytes(rng, key), &contents, 0),
            _ => Ok(()),
        };
    }
}
