//! What the kernel said, as `tests/data/linux` records it: JSON, read by tests that a malformed
//! record is to fail.

use serde_json::Value;

/// A file of records.
pub(crate) fn data(name: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/linux");
    let text = std::fs::read_to_string(format!("{path}/{name}.json")).expect("readable");
    serde_json::from_str(&text).expect("JSON")
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

pub(crate) fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().expect("a number")).expect("32 bits")
}
