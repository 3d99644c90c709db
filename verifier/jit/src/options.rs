//! How code is made.

/// What may be used beyond the base of x86-64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// BMI2: shifts by any register, `mulx`.
    pub bmi2: bool,
}

impl Features {
    /// Nothing beyond the base.
    pub const BASE: Features = Features { bmi2: false };

    /// What this machine has.
    #[must_use]
    pub fn detect() -> Features {
        #[cfg(target_arch = "x86_64")]
        {
            Features { bmi2: std::arch::is_x86_feature_detected!("bmi2") }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            Features::BASE
        }
    }
}

/// How code is made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Counts back edges and calls, so that runs can be given a limit. Runs with a limit of a program
    /// whose code does not count are left to the interpreter.
    pub fuel: bool,
    /// Keeps a listing ([`NativeCode::listing`](crate::NativeCode::listing)).
    pub listing: bool,
    /// What the code may use.
    pub features: Features,
}

impl Default for Options {
    fn default() -> Options {
        Options { fuel: false, listing: false, features: Features::detect() }
    }
}
