//! A path that leads nowhere.
mod sample {
    probity_macro::platform!("spec/nowhere.bpfspec");
}

fn main() {}
