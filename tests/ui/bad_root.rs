//! A root that is no path.
mod sample {
    probity_macro::platform!("spec/nowhere.bpfspec", root = "1 + 1");
}

fn main() {}
