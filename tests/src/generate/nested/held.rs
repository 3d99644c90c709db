//! What is held: records of ring buffers, as pointers and as dynptrs, and locks.

use super::calls::Role;
use super::{Nested, map};
use crate::special::LOCK;

impl Nested {
    /// A record of a ring buffer, held in r8 or in the frame.
    pub(super) fn record(&mut self, depth: usize) {
        if self.holds {
            return self.numbers();
        }
        let (end, ring) = (self.label(), map::RING);
        let bytes = self.rng.pick(&[8, 16, 16, 40, 3000]);
        self.put(format_args!("r1 = map[{ring}] ll\nr2 = {bytes}\nr3 = 0\ncall 131"));
        let first = self.rng.chance(50);
        if first {
            self.line("r8 = r0");
        }
        if !self.slips() {
            let checked = if first { self.rng.pick(&[0, 8]) } else { 0 };
            self.put(format_args!("if r{checked} == 0 goto {end}"));
        }
        if !first {
            self.line("r8 = r0");
        }
        let spilled = self.rng.chance(40);
        self.line("*(u64 *)(r8 +0) = r7");
        if spilled {
            self.line("*(u64 *)(r10 -96) = r8\nr8 = 0");
        }
        self.holds = true;
        self.references += 1;
        self.body(depth);
        self.references -= 1;
        self.holds = false;
        if spilled {
            self.line("r8 = *(u64 *)(r10 -96)");
        }
        if self.rng.chance(50) {
            self.line("r1 = *(u32 *)(r8 +4)\n*(u32 *)(r8 +0) = r1");
        }
        if !self.slips() {
            let helper = self.rng.pick(&[132, 133]);
            self.put(format_args!("r1 = r8\nr2 = 0\ncall {helper}"));
        }
        if self.slips() {
            self.one_of(&["r1 = r8\nr2 = 0\ncall 133", "r1 = *(u64 *)(r8 +0)"]);
        }
        self.put(format_args!("{end}:"));
        if spilled {
            self.line("*(u64 *)(r10 -96) = 0");
        }
        self.line("r8 = 0");
    }

    /// A record of a ring buffer behind a dynptr.
    pub(super) fn view(&mut self, depth: usize) {
        let at = match self.views {
            0 => 72,
            1 => 88,
            _ => return self.numbers(),
        };
        let (skip, ring) = (self.label(), map::RING);
        let bytes = self.rng.pick(&[8, 16, 16, 40, 3000]);
        self.put(format_args!("r1 = map[{ring}] ll\nr2 = {bytes}\nr3 = 0\nr4 = r10\nr4 += -{at}\ncall 198"));
        self.views += 1;
        self.references += 1;
        // It may move a packet, and global functions that may do that are not modelled.
        if self.role == Role::Main && self.rng.chance(50) {
            let written =
                format!("r1 = r10\nr1 += -{at}\nr2 = 0\nr3 = r10\nr3 += -16\nr4 = 8\nr5 = 0\ncall 202");
            self.line(written);
        }
        if self.rng.chance(60) {
            self.put(format_args!("r1 = r10\nr1 += -{at}\nr2 = 0\nr3 = 8\ncall 203"));
            if !self.slips() {
                self.put(format_args!("if r0 == 0 goto {skip}"));
            }
            self.line("*(u64 *)(r0 +0) = r7");
            if !self.holds && self.rng.chance(50) {
                self.line("r8 = r0");
                self.holds = true;
                self.body(depth);
                self.holds = false;
                self.line("r7 = *(u8 *)(r8 +7)\nr8 = 0");
            }
            self.put(format_args!("{skip}:"));
        }
        if !self.holds {
            self.line("r8 = 0");
        }
        self.body(depth);
        self.views -= 1;
        self.references -= 1;
        if !self.slips() {
            let helper = self.rng.pick(&[199, 200]);
            self.put(format_args!("r1 = r10\nr1 += -{at}\nr2 = 0\ncall {helper}"));
        }
        if self.slips() {
            self.put(format_args!("r1 = r10\nr1 += -{at}\nr2 = 0\nr3 = 8\ncall 203"));
        }
    }

    /// r8 = a value with a lock; a jump to `none` where there is none.
    fn special_value(&mut self, none: &str) {
        let (key, map) = (self.rng.pick(&[0, 1, 3, 4]), map::SPECIAL);
        self.put(format_args!(
            "*(u32 *)(r10 -104) = {key}\nr1 = map[{map}] ll\nr2 = r10\nr2 += -104\ncall 1"
        ));
        if !self.slips() {
            self.put(format_args!("if r0 == 0 goto {none}"));
        }
        self.line("r8 = r0");
    }

    /// A lock, and what is done under it.
    pub(super) fn lock(&mut self) {
        if self.holds {
            return self.numbers();
        }
        let end = self.label();
        self.special_value(&end);
        self.put(format_args!(
            "r1 = r8\nr1 += {LOCK}\ncall 93\nr1 = *(u32 *)(r8 +28)\nr1 += 1\n*(u32 *)(r8 +28) = r1"
        ));
        (self.holds, self.locked) = (true, true);
        let count = self.rng.below(3);
        self.statements(count, 0);
        (self.holds, self.locked) = (false, false);
        if !self.slips() {
            self.put(format_args!("r1 = r8\nr1 += {LOCK}\ncall 94"));
        }
        self.put(format_args!("{end}:\nr8 = 0"));
    }
}
