//! What a runtime makes of map types. The list is closed; specs bind map types to it with `body`.

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident $word:literal;)*) => {
        /// How a runtime keeps a map. `Debug` prints the variant's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum MapBody { $($(#[$doc])* $name,)* }

        impl MapBody {
            /// All of them, by their words in specs.
            pub const ALL: &'static [(&'static str, MapBody)] = &[$(($word, MapBody::$name),)*];
        }
    };
}

bodies! {
    /// Values by index; all exist from the start.
    Array "array";
    /// As `Array`, each run slot with values of its own.
    PercpuArray "percpu_array";
    /// Values by key.
    Hash "hash";
    /// As `Hash`, each run slot with values of its own.
    PercpuHash "percpu_hash";
    /// As `Hash`; when it is full, what was not used for long gives way.
    LruHash "lru_hash";
    /// As `LruHash`, each run slot with values of its own.
    LruPercpuHash "lru_percpu_hash";
    /// Values by the longest prefix of the key.
    LpmTrie "lpm_trie";
    /// First in, first out.
    Queue "queue";
    /// Last in, first out.
    Stack "stack";
    /// A set that may say yes wrongly, never no.
    BloomFilter "bloom_filter";
    /// Records from programs to user space.
    Ringbuf "ringbuf";
    /// Records from user space to programs.
    UserRingbuf "user_ringbuf";
    /// Programs by index, for tail calls.
    ProgArray "prog_array";
    /// Maps by index.
    ArrayOfMaps "array_of_maps";
    /// Maps by key.
    HashOfMaps "hash_of_maps";
}
