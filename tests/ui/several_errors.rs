//! Each item reports its own error, syntax and names together, at its own token.
mod sample {
    probity_macro::spec! {
        platform sample;
        use core::{ scalars, context };
        view packet size 8 { length: u32; }

        /// Counts.
        helper count = 100 {
            proto (by: ARG_SCALR) -> RET_INTEGER; // a comment that is gone
        }

        helpr other = 101 { proto () -> RET_INTEGER; }

        prog_type filter = 1 { ctx paket; helpers all; returns any; section "filter"; }
    }
}

fn main() {}
