//! The proof that lets a program run.

use std::hash::Hasher;
use std::sync::Arc;

use probity_platform::{Platform, Profile};
use probity_program::Program;
use rustc_hash::FxHasher;

use crate::facts::Facts;

/// A program that was accepted. Only the engine makes one, and it holds for one spec, one profile,
/// one list of instructions, and one set of maps with what is frozen in them.
#[derive(Clone, Debug)]
pub struct Verified {
    program: Arc<Program>,
    platform: &'static Platform,
    profile: Profile,
    fingerprint: u64,
    facts: Arc<Facts>,
}

impl Verified {
    pub(crate) fn new(
        program: &Program,
        platform: &'static Platform,
        profile: &Profile,
        facts: Facts,
    ) -> Verified {
        let fingerprint = fingerprint(program, platform.spec_hash, profile);
        Verified {
            program: Arc::new(program.clone()),
            platform,
            profile: profile.clone(),
            fingerprint,
            facts: Arc::new(facts),
        }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The platform that it was proved for.
    #[must_use]
    pub fn platform(&self) -> &'static Platform {
        self.platform
    }

    /// The profile that it was proved for.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What was found out on the way: facts that hold on every run.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The hash of the spec that it was proved for.
    #[must_use]
    pub fn spec_hash(&self) -> u64 {
        self.platform.spec_hash
    }

    /// A hash of everything that the proof hangs on.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

fn fingerprint(program: &Program, spec_hash: u64, profile: &Profile) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(spec_hash);
    hasher.write_u16(profile.version.major);
    hasher.write_u16(profile.version.minor);
    hasher.write(profile.arch.as_bytes());
    hasher.write_u32(profile.switches.bits());
    hasher.write_u32(profile.nr_cpus);
    for name in profile.caps.iter().chain(&profile.config_off).chain([&program.license, &program.target]) {
        hasher.write_usize(name.len());
        hasher.write(name.as_bytes());
    }
    hasher.write_u32(program.prog_type);
    hasher.write_u32(program.attach_type);
    hasher.write_u32(program.flags);
    for insn in &program.insns {
        hasher.write(&insn.to_bytes());
    }
    for map in &program.maps {
        std::hash::Hash::hash(map, &mut hasher);
    }
    hasher.finish()
}
