//! How much of everything is accepted. What is above is an error, never a long wait.

/// Sections in an object.
pub const SECTIONS: usize = 1 << 16;
/// Symbols in an object.
pub const SYMBOLS: usize = 1 << 20;
/// Bytes in a name of a section or symbol.
pub const NAME: usize = 4096;
/// Bytes in all names of an object together.
pub const NAMES: usize = 1 << 26;
/// Relocations in an object.
pub const RELOCATIONS: usize = 1 << 22;
/// Records in `.BTF.ext`.
pub const RECORDS: usize = 1 << 22;
/// Instructions in a program, subprograms included.
pub const INSNS: usize = 1_000_000;
/// Bytes of global data that a program refers to.
pub const DATA: u64 = 1 << 26;
/// Members looked at for the tables of functions of an object.
pub const TABLE_STEPS: usize = 1 << 22;
/// Types looked at for the CO-RE relocations of a program.
pub const CORE_STEPS: u32 = 1 << 25;
/// Instructions in all functions of an object, each counted as often as symbols cover it.
pub const FUNCTION_INSNS: usize = 1 << 24;
/// Members in a map's definition.
pub const MAP_MEMBERS: usize = 64;
/// Slots of an object's maps that have a value from the start.
pub const SLOTS: usize = 1 << 20;
/// Bytes of all sections of joined objects.
pub const JOINED: usize = 1 << 29;
/// Maps in an object.
pub const MAPS: usize = 1 << 14;
