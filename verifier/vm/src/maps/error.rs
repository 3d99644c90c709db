//! Why there is no map.

use probity_platform::MapRefusal;
use thiserror::Error;

/// Why there is no map.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MapError {
    /// The platform has no such type.
    #[error("map {name}: {platform} has no map type {number}")]
    UnknownType {
        /// The map.
        name: String,
        /// The platform.
        platform: &'static str,
        /// The type's number.
        number: u32,
    },
    /// The runtime has no such maps.
    #[error("map {name}: unsupported: {map_type} in the runtime")]
    Unsupported {
        /// The map.
        name: String,
        /// The type.
        map_type: &'static str,
    },
    /// The platform would not make it.
    #[error("map {name}: {refusal}")]
    Refused {
        /// The map.
        name: String,
        /// Why.
        refusal: MapRefusal,
    },
    /// Memory is short, or the map is larger than the address space.
    #[error("map {name}: no memory for it")]
    NoMemory {
        /// The map.
        name: String,
    },
}
