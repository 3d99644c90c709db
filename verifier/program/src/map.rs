//! What a program knows of a map.

/// The definition of a map, as an object or a loader gives it. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MapDef {
    /// Its name in the object; may be empty.
    pub name: String,
    /// The number of its type, as the platform numbers them (`BPF_MAP_TYPE_*` on Linux).
    pub map_type: u32,
    /// The size of a key.
    pub key_size: u32,
    /// The size of a value.
    pub value_size: u32,
    /// The capacity. 0 means that a loader sets it.
    pub max_entries: u32,
    /// `BPF_F_*` flags of creation.
    pub flags: u32,
    /// `map_extra` of creation (the number of hashes of a bloom filter, say).
    pub extra: u64,
    /// The BTF type id of the key in the program's BTF, 0 when there is none.
    pub btf_key: u32,
    /// The BTF type id of the value in the program's BTF, 0 when there is none.
    pub btf_value: u32,
    /// The template of the inner map, for maps of maps: an index into [`crate::Program::maps`].
    pub inner: Option<usize>,
    /// Contents that are there before the program runs: global data. `value_size` bytes.
    pub contents: Option<Vec<u8>>,
    /// True when neither programs nor user space can change `contents` any more (`.rodata`).
    pub frozen: bool,
}

impl MapDef {
    /// A map with the four numbers that every map has and nothing else.
    #[must_use]
    pub fn new(map_type: u32, key_size: u32, value_size: u32, max_entries: u32) -> MapDef {
        MapDef {
            name: String::new(),
            map_type,
            key_size,
            value_size,
            max_entries,
            flags: 0,
            extra: 0,
            btf_key: 0,
            btf_value: 0,
            inner: None,
            contents: None,
            frozen: false,
        }
    }
}
