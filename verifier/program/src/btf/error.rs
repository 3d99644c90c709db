//! What can be wrong with BTF bytes.

/// Why bytes are not BTF that can be used. Offsets are in bytes from the start of what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BtfError {
    /// The magic number is wrong.
    #[error(
        "BTF header: magic number {found:#06x} instead of 0xeb9f: these bytes are not BTF; give a .BTF section or /sys/kernel/btf/vmlinux"
    )]
    Magic {
        /// What stands there.
        found: u16,
    },
    /// The types are for a big-endian machine.
    #[error("BTF header: big-endian BTF is not supported: compile with `-target bpfel`")]
    BigEndian,
    /// A version of the format that is not known.
    #[error("BTF header: version {found} is not known, only 1 is: compile with an older compiler")]
    Version {
        /// What stands there.
        found: u8,
    },
    /// A part that the header announces is not inside the bytes.
    #[error("BTF header: the {part} do not fit into the {len} bytes given: the file is truncated")]
    Truncated {
        /// Which part: the header's bytes, the types, the strings.
        part: &'static str,
        /// How many bytes there are.
        len: usize,
    },
    /// The string section does not begin and end with a NUL.
    #[error("BTF strings: they must begin and end with a NUL byte: the section is damaged; compile again")]
    Strings,
    /// A type's record is cut off or of a kind that is not known.
    #[error(
        "BTF type {id} at offset {offset:#x}: {reason}: the section is damaged or newer than this program; compile again"
    )]
    Type {
        /// The type's id.
        id: u32,
        /// Where its record begins.
        offset: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A type refers to a type that there is none of.
    #[error(
        "BTF: a type refers to type {id}, but the last one is {last}: the section is damaged, or is the split BTF of a kernel module"
    )]
    Reference {
        /// The id referred to.
        id: u32,
        /// The last id there is.
        last: u32,
    },
}
