//! What is acquired must be released on every path: records of a ring buffer, sockets.

use probity_isa::opcode::*;

use super::{
    code::Generator,
    kind::Kind,
    world::{BUFFER, MapUse},
};

const RESERVE: i32 = 131;
const SUBMIT: i32 = 132;
const DISCARD: i32 = 133;
const SK_LOOKUP_TCP: i32 = 84;
const SK_LOOKUP_UDP: i32 = 85;
const SK_RELEASE: i32 = 86;
const SKC_LOOKUP_TCP: i32 = 99;
const SK_FULLSOCK: i32 = 95;
const TCP_SOCK: i32 = 96;

impl Generator {
    /// A record of a ring buffer: reserved, written, submitted or discarded.
    pub(super) fn record_scope(&mut self, until: usize, depth: usize) {
        let bytes = self.rng.pick(&[1, 8, 12, 16, 40]);
        self.take_arguments();
        self.load_map(1, MapUse::RingBuf);
        self.set(2, bytes);
        self.set(3, 0);
        self.call_helper(RESERVE);
        self.ready.remove(0);
        let end = self.label();
        let place = if self.rng.chance(40) {
            let place = self.hold(0);
            self.unless_null(0, end);
            place
        } else {
            self.unless_null(0, end);
            self.hold(0)
        };
        self.scope(bytes, place, |generator| generator.body(until, depth));
        self.release_place(place);
        if !self.slips() {
            self.take_arguments();
            self.load_place(1, place);
            if self.slips() {
                self.emit(BPF_ALU64 | BPF_ADD, 1, 0, 0, 8);
            }
            self.set(2, 0);
            let helper = self.rng.pick(&[SUBMIT, SUBMIT, DISCARD]);
            self.call_helper(helper);
            self.ready.remove(0);
            if self.slips() {
                // Once more.
                self.use_held();
                self.load_place(1, place);
                self.set(2, 0);
                self.call_helper(DISCARD);
            }
        }
        self.bind(end);
        self.ready.0 &= self.locked.0;
    }

    /// A socket: looked up, read, released.
    pub(super) fn socket_scope(&mut self, until: usize, depth: usize) {
        if !self.is_main || !self.kind.finds_sockets() {
            return self.own_socket();
        }
        let bytes = self.rng.pick(&[12, 12, 36]);
        for at in (0..bytes).step_by(4) {
            self.emit(BPF_ST | BPF_MEM | BPF_W, 10, 0, BUFFER - 160 + at, 1);
        }
        self.take_arguments();
        self.copy(1, 6);
        self.stack_address(2, BUFFER - 160);
        let size = i32::from(bytes) + i32::from(self.slips());
        self.set(3, size);
        self.set(4, -1);
        self.set(5, 0);
        let common = self.rng.chance(30);
        let helper = match common {
            true => SKC_LOOKUP_TCP,
            false => self.rng.pick(&[SK_LOOKUP_TCP, SK_LOOKUP_UDP]),
        };
        self.call_helper(helper);
        self.ready.remove(0);
        let end = self.label();
        self.unless_null(0, end);
        let place = self.hold(0);
        // Its fields are read here: they are not bytes like others.
        self.read_socket(place);
        let inner = self.label();
        let out = std::mem::replace(&mut self.out, inner);
        let room = until.saturating_sub(self.len()).min(8) + 1;
        let stop = self.len() + self.rng.below(room);
        self.statements(stop, depth + 1);
        if self.rng.chance(30) {
            self.converted(place);
        }
        self.out = out;
        self.bind(inner);
        self.ready.0 &= self.locked.0;
        self.release_place(place);
        if !self.slips() {
            self.load_place(1, place);
            self.call_helper(SK_RELEASE);
            if self.slips() {
                self.load_place(1, place);
                self.emit(BPF_LDX | BPF_MEM | BPF_W, 0, 1, 4, 0);
            }
        }
        self.bind(end);
        self.ready.0 &= self.locked.0;
    }

    fn read_socket(&mut self, place: super::world::Place) {
        let dst = self.target();
        self.load_place(dst, place);
        let off = self.rng.pick(&[4, 4, 4, 8, 24, 26, 44, 72, 76, 80]);
        let size = self.rng.pick(&[BPF_W, BPF_W, BPF_H, BPF_B]);
        if off == 4 || !self.slips() {
            self.emit(BPF_LDX | BPF_MEM | BPF_W, dst, dst, 4, 0);
        } else {
            self.emit(BPF_LDX | BPF_MEM | size, dst, dst, off, 0);
        }
    }

    /// Another view of the socket.
    fn converted(&mut self, place: super::world::Place) {
        self.take_arguments();
        self.load_place(1, place);
        let helper = self.rng.pick(&[SK_FULLSOCK, TCP_SOCK]);
        self.call_helper(helper);
        let none = self.label();
        self.ready.remove(0);
        self.unless_null(0, none);
        self.emit(BPF_LDX | BPF_MEM | BPF_W, 1, 0, 4, 0);
        self.bind(none);
    }

    /// The socket of the context, which may be null.
    fn own_socket(&mut self) {
        let has = matches!(self.kind, Kind::SchedCls | Kind::CgroupSkb | Kind::SocketFilter | Kind::LwtXmit);
        if !self.is_main || !has {
            return self.unlike_kind();
        }
        const SK: i16 = 168;
        self.take_arguments();
        self.emit(BPF_LDX | BPF_MEM | BPF_DW, 1, 6, SK, 0);
        let none = self.label();
        self.unless_null(1, none);
        let off = self.rng.pick(&[4, 8, 24, 44]);
        self.emit(BPF_LDX | BPF_MEM | BPF_W, 2, 1, off, 0);
        self.bind(none);
    }
}
