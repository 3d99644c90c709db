//! A warning is the use of something deprecated.
#![deny(deprecated)]

mod sample {
    probity_macro::spec! {
        #![root = "::probity_platform"]
        platform sample;
        use core::{ scalars, context };
        view packet size 8 { length: u32; }
        prog_type filter = 1 { ctx packet; helpers all; returns any; }
    }
}

fn main() {}
