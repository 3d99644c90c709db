//! Packets: checks of their end, accesses, and calls after which nothing of that holds.

use probity_isa::opcode::*;

use super::{
    code::Generator,
    kind::{Kind, PacketFields},
};

const XDP_ADJUST_HEAD: i32 = 44;
const XDP_ADJUST_TAIL: i32 = 65;
const SKB_PULL_DATA: i32 = 39;
const SKB_CHANGE_HEAD: i32 = 43;
const MSG_PULL_DATA: i32 = 63;

impl Generator {
    /// A check of the packet's end and what it allows.
    pub(super) fn packet_scope(&mut self, until: usize, depth: usize) {
        let Some(fields) = self.kind.packet() else { return self.unlike_kind() };
        let end = self.label();
        let bytes = self.rng.pick(&[1, 2, 4, 8, 14, 20, 34, 42, 64]);
        let variable = self.rng.chance(40);
        let offset = variable.then(|| self.number_for_offset());
        self.load_ends(fields, 2, 3);
        if let Some(offset) = offset {
            let op = if self.slips() { BPF_SUB } else { BPF_ADD };
            self.emit(BPF_ALU64 | op | BPF_X, 2, offset, 0, 0);
        }
        self.copy(4, 2);
        if self.rng.chance(20) {
            // A header of its own before it.
            let more = self.rng.pick(&[1, 14, 2]);
            self.emit(BPF_ALU64 | BPF_ADD, 2, 0, 0, more);
            self.emit(BPF_ALU64 | BPF_ADD, 4, 0, 0, more + bytes);
        } else {
            self.emit(BPF_ALU64 | BPF_ADD, 4, 0, 0, bytes);
        }
        self.compare_with_end(4, 3, end);
        let place = self.hold(2);
        self.scope(bytes, place, |generator| {
            generator.body(until, depth);
            if generator.rng.chance(35) {
                generator.move_packet(place);
            }
        });
        self.release_place(place);
        self.bind(end);
        self.ready.0 &= self.locked.0;
    }

    /// r`data` and r`end` = the ends of the packet.
    fn load_ends(&mut self, fields: PacketFields, data: u8, end: u8) {
        self.take_arguments();
        let load = BPF_LDX | BPF_MEM | fields.size;
        if self.rng.chance(50) {
            self.emit(load, data, 6, fields.data, 0);
            self.emit(load, end, 6, fields.data_end, 0);
        } else {
            self.emit(load, end, 6, fields.data_end, 0);
            self.emit(load, data, 6, fields.data, 0);
        }
    }

    /// A number not in r1 to r5, bounded as offsets in packets have to be.
    fn number_for_offset(&mut self) -> u8 {
        let value = self.number();
        if value != 0 {
            self.copy(0, value);
        }
        self.ready.remove(0);
        let mask = self.rng.pick(&[0xff, 0x3f, 0x3c, 0x7fff, 0xffff, 0x1_ffff]);
        if !self.slips() {
            self.emit(BPF_ALU64 | BPF_AND, 0, 0, 0, mask);
        }
        0
    }

    /// A jump to `to` unless `last <= end`, in one of eight forms.
    fn compare_with_end(&mut self, last: u8, end: u8, to: super::code::Label) {
        let x = BPF_JMP | BPF_X;
        let forms = if self.slips() { 10 } else { 6 };
        let form = self.rng.below(forms);
        match form {
            0..3 => self.jump(x | BPF_JGT, last, end, 0, to),
            3 => self.jump(x | BPF_JLT, end, last, 0, to),
            4 => self.jump(x | BPF_JGE, last, end, 0, to),
            5 => {
                let op = self.rng.pick(&[BPF_JLE, BPF_JLT]);
                let inside = self.label();
                self.jump(x | op, last, end, 0, inside);
                self.jump(BPF_JMP | BPF_JA, 0, 0, 0, to);
                self.bind(inside);
            }
            6 => self.jump(x | BPF_JGT, end, last, 0, to),
            7 => self.jump(x | BPF_JEQ, last, end, 0, to),
            8 => self.jump(BPF_JMP32 | BPF_X | BPF_JGT, last, end, 0, to),
            _ => self.jump(x | BPF_JSGT, last, end, 0, to),
        }
    }

    /// A call that moves the packet; then, by mistake, an access.
    fn move_packet(&mut self, place: super::world::Place) {
        self.take_arguments();
        self.copy(1, 6);
        let amount = self.rng.pick(&[0, 4, -4, 14, 64]);
        self.set(2, amount);
        let helper = match self.kind {
            Kind::Xdp => self.rng.pick(&[XDP_ADJUST_HEAD, XDP_ADJUST_TAIL]),
            Kind::SkMsg => {
                self.set(3, 32);
                self.set(4, 0);
                MSG_PULL_DATA
            }
            Kind::LwtXmit => {
                self.set(3, 0);
                self.rng.pick(&[SKB_PULL_DATA, SKB_CHANGE_HEAD])
            }
            Kind::SchedCls | Kind::SkSkb => SKB_PULL_DATA,
            _ => return self.set(1, 0),
        };
        self.call_helper(helper);
        if self.rng.chance(15) {
            self.load_place(1, place);
            self.emit(BPF_LDX | BPF_MEM | BPF_B, 0, 1, 0, 0);
        }
    }

    /// LD_ABS or LD_IND.
    pub(super) fn legacy_load(&mut self) {
        if !self.is_main || !self.kind.has_legacy_loads() && !self.slips() {
            return self.unlike_kind();
        }
        let size = self.rng.pick(&[BPF_B, BPF_H, BPF_W]);
        let imm = self.rng.pick(&[0, 12, 14, 23, -4096, 70_000]);
        if self.rng.chance(40) {
            let src = self.number();
            self.emit(BPF_LD | BPF_IND | size, 0, src, 0, imm);
        } else {
            self.emit(BPF_LD | BPF_ABS | size, 0, 0, 0, imm);
        }
        self.called();
    }

    /// What stands for an idiom that this type of program does not have.
    pub(super) fn unlike_kind(&mut self) {
        self.binary();
    }

    /// A field of the context at any offset and of any size, read or written.
    pub(super) fn context_access(&mut self) {
        if !self.is_main {
            return self.unlike_kind();
        }
        let fields = self.kind.fields();
        let size = self.rng.pick(&[BPF_B, BPF_H, BPF_W, BPF_W, BPF_DW]);
        let off = if self.rng.chance(80) { self.rng.pick(fields) } else { 4 * self.rng.below(50) as i16 };
        if self.rng.chance(75) {
            let size = if self.rng.chance(90) { self.rng.pick(self.kind.field_sizes()) } else { size };
            let dst = self.target();
            self.emit(BPF_LDX | BPF_MEM | size, dst, 6, off, 0);
            if ![BPF_W, BPF_H, BPF_B, BPF_DW].contains(&size) || off > 56 {
                // Some offsets hold pointers.
                self.ready.remove(dst);
            }
            return;
        }
        let writable: &[i16] = match self.kind {
            Kind::SchedCls => &[8, 12, 32, 48, 52],
            Kind::CgroupSkb => &[8, 32, 48],
            Kind::LwtXmit => &[8, 32, 48],
            Kind::SocketFilter => &[48, 56],
            Kind::CgroupSock => &[0, 16, 20],
            Kind::SkSkb => &[32, 44],
            Kind::SockOps => &[4, 8],
            _ => return self.unlike_kind(),
        };
        let off = if self.slips() { off } else { self.rng.pick(writable) };
        if self.rng.chance(50) {
            let number = self.number();
            self.emit(BPF_STX | BPF_MEM | BPF_W, 6, number, off, 0);
        } else {
            let imm = self.rng.immediate();
            self.emit(BPF_ST | BPF_MEM | BPF_W, 6, 0, off, imm);
        }
    }
}
