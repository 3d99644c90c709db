//! What a runtime makes of map types. The list is closed; specs bind map types to it with `body`.

use MapDemand::{Key, KeyAtLeast, MayBeIndexed, MayBeWalked, MayTakeValues, OfMaps, PowerOfTwo, Values};

/// What a body takes for granted of the map types that are bound to it, or what these may say of
/// themselves. No body has maps of capacity 0, and only a map of maps gives something else than values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapDemand {
    /// Keys have so many bytes.
    Key(u32),
    /// Keys have so many bytes, or more.
    KeyAtLeast(u32),
    /// Values have a byte at least.
    Values,
    /// Capacities are powers of two, and 8 at least.
    PowerOfTwo,
    /// Its values are maps: `of_maps` and `null_check yields inner_map`. Of others they are not.
    OfMaps,
    /// It may be `indexed`: every element exists.
    MayBeIndexed,
    /// It may be `for_each`.
    MayBeWalked,
    /// It may be `value_in`: what writes values of others to memory reads them there.
    MayTakeValues,
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident $word:literal [$($demand:expr),*];)*) => {
        /// How a runtime keeps a map. `Debug` prints the variant's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum MapBody { $($(#[$doc])* $name,)* }

        impl MapBody {
            /// All of them, by their words in specs.
            pub const ALL: &'static [(&'static str, MapBody)] = &[$(($word, MapBody::$name),)*];

            /// What a map type that is bound to it must be, and may be.
            #[must_use]
            pub fn demands(self) -> &'static [MapDemand] {
                match self { $(MapBody::$name => &[$($demand),*],)* }
            }
        }
    };
}

bodies! {
    /// Values by index; all exist from the start.
    Array "array" [Key(4), Values, MayBeIndexed, MayBeWalked];
    /// As `Array`, each run slot with values of its own.
    PercpuArray "percpu_array" [Key(4), Values, MayBeIndexed, MayBeWalked];
    /// Values by key.
    Hash "hash" [Values, MayBeWalked];
    /// As `Hash`, each run slot with values of its own.
    PercpuHash "percpu_hash" [Values, MayBeWalked];
    /// As `Hash`; when it is full, what was not used for long gives way.
    LruHash "lru_hash" [Values, MayBeWalked];
    /// As `LruHash`, each run slot with values of its own.
    LruPercpuHash "lru_percpu_hash" [Values, MayBeWalked];
    /// Values by the longest prefix of the key.
    LpmTrie "lpm_trie" [KeyAtLeast(5), Values];
    /// First in, first out.
    Queue "queue" [Values];
    /// Last in, first out.
    Stack "stack" [Values];
    /// A set that may say yes wrongly, never no.
    BloomFilter "bloom_filter" [Values, MayTakeValues];
    /// Records from programs to user space.
    Ringbuf "ringbuf" [PowerOfTwo];
    /// Records from user space to programs.
    UserRingbuf "user_ringbuf" [PowerOfTwo];
    /// Programs by index, for tail calls.
    ProgArray "prog_array" [Key(4)];
    /// Maps by index.
    ArrayOfMaps "array_of_maps" [Key(4), OfMaps];
    /// Maps by key.
    HashOfMaps "hash_of_maps" [OfMaps];
}
