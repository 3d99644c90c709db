//! Functions: those that callables call, static ones, global ones; other programs.

use super::{Nested, map};

/// What a function is called as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The entry.
    Main,
    /// A round: a number, 16 bytes.
    Round,
    /// With an element of a map: its map, its key, its value, 16 bytes.
    Element(usize),
    /// With a sample of a ring buffer: its dynptr, 16 bytes.
    Sample,
    /// By the program: 16 bytes, a number.
    Static,
    /// By the program, verified by itself: 16 bytes or null, a number, and perhaps the context.
    Global {
        /// The bytes are there.
        nonnull: bool,
        /// It is given the context.
        context: bool,
    },
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) role: Role,
    /// How many calls lead to it at least.
    pub(super) level: usize,
}

impl Nested {
    /// What a function begins with.
    pub(super) fn prologue(&mut self) {
        self.line("*(u64 *)(r10 -8) = 1\n*(u64 *)(r10 -16) = 0");
        self.line("*(u64 *)(r10 -24) = 0\n*(u64 *)(r10 -32) = 0\n*(u64 *)(r10 -40) = 3");
        match self.role {
            Role::Main => {
                self.line("r9 = r1");
                if self.rng.chance(50) {
                    let map = map::SINGLE;
                    self.put(format_args!("r6 = map_value[{map}] + 16 ll"));
                } else {
                    self.line("r6 = r10\nr6 += -16");
                }
                self.line("r7 = *(u32 *)(r9 +0)");
            }
            Role::Round => self.line("r7 = r1\nr6 = r2"),
            Role::Element(of) => {
                self.line("r6 = r4\nr7 = *(u32 *)(r2 +0)");
                match of {
                    map::SPECIAL => self.line("r5 = *(u32 *)(r3 +28)\nr5 += 1\n*(u32 *)(r3 +28) = r5"),
                    _ => self.line("r5 = *(u64 *)(r3 +8)\nr5 += r7\n*(u64 *)(r3 +8) = r5"),
                }
                if self.rng.chance(20) {
                    self.line("r7 = *(u64 *)(r3 +0)");
                }
            }
            Role::Sample => {
                self.line("r6 = r2\nr3 = r1\nr1 = r10\nr1 += -16\nr2 = 8\nr4 = 0\nr5 = 0\ncall 201");
                self.line("r7 = *(u64 *)(r10 -16)");
            }
            Role::Static => self.line("r6 = r1\nr7 = r2"),
            Role::Global { nonnull, context } => {
                self.line("r6 = r1\nr7 = r2");
                if context {
                    self.line("r9 = r3");
                }
                if !nonnull && !self.slips() {
                    let there = self.label();
                    self.put(format_args!("if r6 != 0 goto {there}\nr0 = 0\nexit\n{there}:"));
                }
            }
        }
        if self.rng.chance(30) {
            self.line("call 7\nr7 = r0");
        }
    }

    /// What a function ends with.
    pub(super) fn end(&mut self) {
        match self.role {
            Role::Round | Role::Element(_) | Role::Sample => match self.rng.below(5) {
                0 => self.line("r0 = r7\nr0 &= 1"),
                1 => {
                    let end = self.label();
                    let bound = self.rng.pick(&[1, 3, 100]);
                    self.put(format_args!("r0 = 0\nif r7 < {bound} goto {end}\nr0 = 1\n{end}:"));
                }
                2 if self.slips() => self.line("r0 = r7"),
                _ => self.line("r0 = 0"),
            },
            Role::Main => self.line("r0 = 0"),
            Role::Static | Role::Global { .. } => self.one_of(&["r0 = 1", "r0 = r7", "r0 = r7\nr0 &= 7"]),
        }
        self.line("exit");
    }

    /// The number of a function of a role to call from here.
    fn callee(&mut self, role: Role) -> usize {
        let fits = |of: &Function| of.role == role && of.level > self.level;
        let known: Vec<usize> = (0..self.functions.len()).filter(|&at| fits(&self.functions[at])).collect();
        if !known.is_empty() && (self.functions.len() > 4 || self.rng.chance(40)) {
            return self.rng.pick(&known);
        }
        self.functions.push(Function { role, level: self.level + 1 });
        self.functions.len() - 1
    }

    /// r`reg` = 16 bytes that a function may have.
    fn memory(&mut self, reg: u8) {
        match self.rng.below(3) {
            0 => self.put(format_args!("r{reg} = r6")),
            _ => self.put(format_args!("r{reg} = r10\nr{reg} += -16")),
        }
    }

    /// What is done with the number that a call gave.
    fn answered(&mut self) {
        self.one_of(&["r7 = r0", "*(u64 *)(r10 -32) = r0", "r7 += r0", "r0 = 0"]);
    }

    /// r3 = 16 bytes of a frame.
    fn frame_memory(&mut self) {
        let given = matches!(self.role, Role::Round | Role::Element(_) | Role::Sample);
        if given && self.rng.chance(40) || self.slips() {
            self.line("r3 = r6");
        } else {
            self.line("r3 = r10\nr3 += -16");
        }
    }

    /// A callable that calls back a number of times.
    pub(super) fn rounds(&mut self) {
        let function = self.callee(Role::Round);
        self.one_of(&[
            "r1 = 0",
            "r1 = 1",
            "r1 = 3",
            "r1 = 5",
            "r1 = 40",
            "r1 = r7",
            "r1 = r7\nr1 &= 7",
            "r1 = 1000000",
        ]);
        self.put(format_args!("r2 = func[f{function}] ll"));
        self.frame_memory();
        self.line("r4 = 0\ncall 181");
        self.answered();
    }

    /// A callable that calls back with the elements of a map.
    pub(super) fn elements(&mut self) {
        let of = self.rng.pick(&[map::ARRAY, map::HASH, map::SPECIAL]);
        let function = self.callee(Role::Element(of));
        self.put(format_args!("r1 = map[{of}] ll\nr2 = func[f{function}] ll"));
        self.frame_memory();
        self.line("r4 = 0\ncall 164");
        self.answered();
    }

    /// A callable that calls back with the samples of a ring buffer.
    pub(super) fn samples(&mut self) {
        let (of, function) = (map::USER_RING, self.callee(Role::Sample));
        self.put(format_args!("r1 = map[{of}] ll\nr2 = func[f{function}] ll"));
        self.frame_memory();
        self.line("r4 = 0\ncall 209");
        self.answered();
    }

    /// A call of a static function.
    pub(super) fn static_call(&mut self) {
        let function = self.callee(Role::Static);
        self.memory(1);
        self.put(format_args!("r2 = r7\ncall f{function}"));
        self.answered();
    }

    /// A call of a global function.
    pub(super) fn global_call(&mut self) {
        let nonnull = self.rng.chance(50);
        let has = matches!(self.role, Role::Main | Role::Global { context: true, .. });
        let context = has && self.rng.chance(50);
        let function = self.callee(Role::Global { nonnull, context });
        if !nonnull && self.rng.chance(25) {
            self.line("r1 = 0");
        } else {
            self.memory(1);
        }
        self.line("r2 = r7");
        if context {
            self.line("r3 = r9");
        }
        self.put(format_args!("call f{function}"));
        self.answered();
    }

    /// Another program goes on in the place of this one, if there is one.
    pub(super) fn tail_call(&mut self) {
        let alone = self.references == 0 && self.iterators == 0;
        if self.role != Role::Main || !(alone || self.slips()) {
            return self.numbers();
        }
        let (map, index) = (map::PROGRAMS, self.rng.below(2));
        let end = self.label();
        self.put(format_args!(
            "if r7 > 20 goto {end}\nr1 = r9\nr2 = map[{map}] ll\nr3 = {index}\ncall 12\n{end}:"
        ));
    }
}
