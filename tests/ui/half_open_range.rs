//! The exact tokens of a range are underlined.
mod sample {
    probity_macro::spec! {
        platform sample;
        use core::{ scalars, context };
        view packet size 8 { length: u32; }
        prog_type filter = 1 { ctx packet; helpers all; returns 0..2; section "filter"; }
    }
}

fn main() {}
