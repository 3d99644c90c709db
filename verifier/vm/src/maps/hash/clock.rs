//! Which element gives way: a clock over places. The hand passes elements that were used since it
//! came by last, and takes the first that was not.

use std::sync::atomic::Ordering::Relaxed;

use super::node::Node;

/// The bit of a mark that says that the element was used. The others are its place.
const USED: u32 = 1 << 31;

/// The places of a table, and the hand. Addresses are only compared and handed out: whoever has one
/// from here holds the lock that this is in.
#[derive(Debug)]
pub(super) struct Clock {
    /// By place: the element's address and the hash of its key.
    places: Vec<Option<(usize, u32)>>,
    free: Vec<u32>,
    hand: usize,
    max_entries: usize,
}

/// Notes that an element was used.
#[inline(always)]
pub(super) fn used(node: &Node) {
    let mark = node.mark.load(Relaxed);
    if mark & USED == 0 {
        // Another who sets it sets it too, and the place never changes.
        node.mark.store(mark | USED, Relaxed);
    }
}

/// The place of an element.
pub(super) fn place(node: &Node) -> u32 {
    node.mark.load(Relaxed) & !USED
}

impl Clock {
    pub(super) fn new(max_entries: u32) -> Clock {
        Clock { places: Vec::new(), free: Vec::new(), hand: 0, max_entries: max_entries as usize }
    }

    /// A free place; None when somebody must give way.
    pub(super) fn free(&mut self) -> Option<u32> {
        if let Some(place) = self.free.pop() {
            return Some(place);
        }
        let place = self.places.len();
        (place < self.max_entries).then(|| {
            self.places.push(None);
            place as u32
        })
    }

    /// Who gives way: the address and the hash. `node` looks an element up by its address.
    pub(super) fn victim<'n>(&mut self, node: impl Fn(usize) -> &'n Node) -> Option<(usize, u32)> {
        // Twice around: the first time all may have been used.
        for _ in 0..=2 * self.places.len() {
            let at = self.hand;
            self.hand = if at + 1 >= self.places.len() { 0 } else { at + 1 };
            let Some((address, hash)) = self.places.get(at).copied().flatten() else { continue };
            let node = node(address);
            let mark = node.mark.load(Relaxed);
            if mark & USED == 0 {
                return Some((address, hash));
            }
            node.mark.store(mark & !USED, Relaxed);
        }
        // Programs use elements as fast as the hand passes: take the one under it.
        let under = self.places.iter().cycle().skip(self.hand).take(self.places.len());
        under.flatten().next().copied()
    }

    /// An element is at a place.
    pub(super) fn put(&mut self, place: u32, node: &Node, used: bool) {
        node.mark.store(if used { place | USED } else { place }, Relaxed);
        self.places[place as usize] = Some((std::ptr::from_ref(node) as usize, node.hash));
    }

    /// A place is free.
    pub(super) fn release(&mut self, place: u32) {
        self.places[place as usize] = None;
        self.free.push(place);
    }
}
