//! What is missing is missing behind the token before.
mod sample {
    probity_macro::spec! {
        platform sample;
        use core::{ scalars, context }
        view packet size 8 { length: u32 }
        prog_type filter = 1 { ctx packet; helpers all; returns any; section "filter"; }
    }
}

fn main() {}
