//! The report of a refused file appears at its path.
mod sample {
    probity_macro::platform!("spec/refused.bpfspec");
}

fn main() {}
