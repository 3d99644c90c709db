//! A platform in a file compiles to its tables.
mod sample {
    probity_macro::platform!("spec/sample.bpfspec", root = "::probity_platform");
}

fn main() {
    assert_eq!(sample::PLATFORM.name, "sample");
}
