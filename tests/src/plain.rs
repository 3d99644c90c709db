//! Small maps, and calls of helpers with plain arguments: what programs of few instructions are
//! made from that ask a kernel about maps.

use probity_isa::{Insn, opcode::*};
use probity_linux::{PLATFORM, map_flags, map_types::*};
use probity_platform::{ArgRole, Callable};
use probity_program::MapDef;

/// Types that the oracle does not create: they need BTF, or a capacity of 0, which means to it that
/// a loader sets it.
pub const NOT_CREATED: &[u32] = &[
    BPF_MAP_TYPE_CGROUP_STORAGE,
    BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
    BPF_MAP_TYPE_SK_STORAGE,
    BPF_MAP_TYPE_STRUCT_OPS,
    BPF_MAP_TYPE_INODE_STORAGE,
    BPF_MAP_TYPE_TASK_STORAGE,
    BPF_MAP_TYPE_CGRP_STORAGE,
];

/// A small map of a type, and what it is made from.
#[must_use]
pub fn small(map_type: u32) -> Vec<MapDef> {
    let mut map = MapDef::new(map_type, 4, 8, 4);
    match map_type {
        BPF_MAP_TYPE_PROG_ARRAY
        | BPF_MAP_TYPE_PERF_EVENT_ARRAY
        | BPF_MAP_TYPE_CGROUP_ARRAY
        | BPF_MAP_TYPE_XSKMAP => map.value_size = 4,
        BPF_MAP_TYPE_ARRAY_OF_MAPS | BPF_MAP_TYPE_HASH_OF_MAPS => {
            map.value_size = 4;
            map.inner = Some(1);
            return vec![map, MapDef::new(BPF_MAP_TYPE_ARRAY, 4, 16, 2)];
        }
        BPF_MAP_TYPE_LPM_TRIE => {
            map.key_size = 8;
            map.flags = map_flags::BPF_F_NO_PREALLOC;
        }
        BPF_MAP_TYPE_QUEUE | BPF_MAP_TYPE_STACK | BPF_MAP_TYPE_BLOOM_FILTER => map.key_size = 0,
        BPF_MAP_TYPE_RINGBUF | BPF_MAP_TYPE_USER_RINGBUF => map = MapDef::new(map_type, 0, 0, 4096),
        BPF_MAP_TYPE_ARENA => {
            map = MapDef::new(map_type, 0, 0, 1);
            map.flags = map_flags::BPF_F_MMAPABLE;
        }
        _ => {}
    }
    vec![map]
}

/// `dst = imm`.
#[must_use]
pub fn mov(dst: u8, imm: i32) -> Insn {
    Insn::new(BPF_ALU64 | BPF_MOV, dst, 0, 0, imm)
}

/// `dst = src`.
#[must_use]
pub fn copy(dst: u8, src: u8) -> Insn {
    Insn::new(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
}

/// `dst` = the frame pointer and `off`.
#[must_use]
pub fn frame(dst: u8, off: i32) -> [Insn; 2] {
    [copy(dst, 10), Insn::new(BPF_ALU64 | BPF_ADD, dst, 0, 0, off)]
}

/// `dst` = the program's first map.
#[must_use]
pub fn map_address(dst: u8) -> [Insn; 2] {
    [Insn::new(BPF_LD | BPF_IMM | BPF_DW, dst, 1, 0, 0), Insn::new(0, 0, 0, 0, 0)]
}

/// Calls a helper by its number.
#[must_use]
pub fn call(number: u32) -> Insn {
    Insn::new(BPF_JMP | BPF_CALL, 0, 0, 0, number.cast_signed())
}

/// `r0 = 1; exit`
#[must_use]
pub fn done() -> [Insn; 2] {
    [mov(0, 1), Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)]
}

/// The beginning: the context in r6, 32 bytes of stack that are there.
#[must_use]
pub fn begin() -> Vec<Insn> {
    let mut insns = vec![copy(6, 1)];
    insns.extend([-8, -16, -24, -32].map(|off| Insn::new(BPF_ST | BPF_MEM | BPF_DW, 10, 0, off, 0)));
    insns
}

/// The call of a helper with plain arguments; None when it takes what a plain program has not.
#[must_use]
pub fn calling(callable: &Callable) -> Option<Vec<Insn>> {
    let mut insns = begin();
    for (register, arg) in (1..).zip(callable.args) {
        let class = &PLATFORM.arg_classes[usize::from(arg.class)];
        match class.role {
            ArgRole::Map => insns.extend(map_address(register)),
            ArgRole::MapKey => insns.extend(frame(register, -16)),
            ArgRole::MapValue | ArgRole::Mem => insns.extend(frame(register, -32)),
            ArgRole::Anything | ArgRole::Scalar => insns.push(mov(register, 0)),
            ArgRole::Size | ArgRole::SizeOrZero => insns.push(mov(register, 16)),
            ArgRole::AllocSize | ArgRole::AllocSizeOrZero => insns.push(mov(register, 16)),
            ArgRole::Pointer if class.name == "ARG_PTR_TO_CTX" => insns.push(copy(register, 6)),
            _ => return None,
        }
    }
    insns.push(call(callable.number));
    Some(insns)
}

/// True when an argument of the callable is a map.
#[must_use]
pub fn takes_map(callable: &Callable) -> bool {
    let role = |class: u8| PLATFORM.arg_classes[usize::from(class)].role;
    callable.args.iter().any(|arg| role(arg.class) == ArgRole::Map)
}
