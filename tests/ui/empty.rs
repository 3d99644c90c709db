//! A platform of nothing.
mod sample {
    probity_macro::spec! {}
}

fn main() {}
