//! A conflict names the line of the other place.
mod sample {
    probity_macro::spec! {
        platform sample;
        use core::{ scalars, context };
        view packet size 8 { length: u32; at 2 mark: u16; }
        helper one = 100 { proto () -> RET_INTEGER; }
        helper two = 100 { proto () -> RET_INTEGER; }
        prog_type filter = 1 { ctx packet; helpers all; returns any; section "filter"; }
    }
}

fn main() {}
