//! The entry: one program, one report.

use probity_platform::rejection::EINVAL;
use probity_platform::{Code as Why, GuardEnv, Platform, Policy, Profile, ProgType, Rejection};
use probity_program::{Program, flags};

use crate::explore::Walk;
use crate::explore::walk::{Kinds, Observer, Setting, Unobserved};
use crate::facts::Facts;
use crate::prepare::Code;
use crate::prepare::{Offered, functions, guard_env};
use crate::report::{Finding, Report, Stats, Verdict};
use crate::state::State;
use crate::verified::Verified;
use crate::{demand, stack_depth, unsupported};

/// Verifies a program against a platform, for a profile of it.
#[must_use]
pub fn verify(program: &Program, platform: &'static Platform, profile: &Profile) -> Report {
    verify_observed(program, platform, profile, &mut Unobserved)
}

/// As [`verify`], watched.
pub fn verify_observed<O: Observer>(
    program: &Program,
    platform: &'static Platform,
    profile: &Profile,
    observer: &mut O,
) -> Report {
    let mut run = Run::new(Pruning::AsKernel);
    let verdict = match run.verify(program, platform, profile, |_| (), observer) {
        Ok(()) => Verdict::Accepted(Verified::new(program, platform, profile, run.facts)),
        Err((pc, rejection)) if rejection.code == Why::Unsupported => {
            Verdict::Unsupported(Finding { pc, rejection })
        }
        Err((pc, rejection)) => {
            Verdict::Rejected(Finding { pc, rejection: demand::complete(platform, profile, rejection) })
        }
    };
    Report { verdict, stats: run.stats, stack_depth: run.stack_depth }
}

/// As [`verify_observed`], from an entry state that `entry` changed: what a program is when its
/// registers hold something else at entry than the platform says. For tests of few instructions;
/// nothing is proved of the program, so there is no proof in the answer.
///
/// # Errors
///
/// The finding of a program that is not accepted.
pub fn verify_from<O: Observer>(
    program: &Program,
    platform: &'static Platform,
    profile: &Profile,
    entry: impl FnOnce(&mut State),
    observer: &mut O,
) -> Result<Stats, Finding> {
    let mut run = Run::new(Pruning::AsKernel);
    let result = run.verify(program, platform, profile, entry, observer);
    result.map(|()| run.stats).map_err(|(pc, rejection)| Finding { pc, rejection })
}

/// As [`verify_observed`], on every path to its end: no state stands for another. For tests of what
/// pruning leaves out; loops without an end are found only when the limit of instructions is reached.
///
/// # Errors
///
/// The finding of a program that is not accepted.
pub fn verify_unpruned<O: Observer>(
    program: &Program,
    platform: &'static Platform,
    profile: &Profile,
    observer: &mut O,
) -> Result<Stats, Finding> {
    let mut run = Run::new(Pruning::Never);
    let result = run.verify(program, platform, profile, |_| (), observer);
    result.map(|()| run.stats).map_err(|(pc, rejection)| Finding { pc, rejection })
}

/// As [`verify_observed`], where a state stands for another only when it has every number of that: all
/// that a machine can hold, in registers that are read later and in slots, is in one of the states. For
/// tests of loops that [`verify_unpruned`] does not end.
///
/// # Errors
///
/// The finding of a program that is not accepted.
pub fn verify_within<O: Observer>(
    program: &Program,
    platform: &'static Platform,
    profile: &Profile,
    observer: &mut O,
) -> Result<Stats, Finding> {
    let mut run = Run::new(Pruning::Within);
    let result = run.verify(program, platform, profile, |_| (), observer);
    result.map(|()| run.stats).map_err(|(pc, rejection)| Finding { pc, rejection })
}

/// Slots of a frame are kept as bits of a word.
const MAX_STACK: u32 = 512;
/// Frames that values are followed back through.
const MAX_FRAMES: u32 = 16;

type Refused = (Option<usize>, Rejection);

struct Run {
    stats: Stats,
    stack_depth: Vec<u32>,
    facts: Facts,
    pruning: Pruning,
}

/// When a remembered state stands for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pruning {
    /// As the kernel decides it: numbers that did not matter are not looked at.
    AsKernel,
    /// When it has every number of the other.
    Within,
    /// Never.
    Never,
}

impl Run {
    fn new(pruning: Pruning) -> Run {
        Run { stats: Stats::default(), stack_depth: Vec::new(), facts: Facts::default(), pruning }
    }

    fn verify<O: Observer>(
        &mut self,
        program: &Program,
        platform: &'static Platform,
        profile: &Profile,
        entry: impl FnOnce(&mut State),
        observer: &mut O,
    ) -> Result<(), Refused> {
        let prog_type = platform
            .prog_type(program.prog_type)
            .ok_or_else(|| (None, unsupported(format!("program type {}", program.prog_type))))?;
        let env = guard_env(program, prog_type, profile);
        if !prog_type.guard.holds(&env) {
            let message =
                format!("program type {} is not in {} {}", prog_type.name, platform.name, profile.version);
            return Err((None, Rejection::new(Why::NotAllowed, message)));
        }
        if let Some(reason) = prog_type.unsupported(&env) {
            return Err((None, unsupported(format!("program type {} ({reason})", prog_type.name))));
        }
        check_attach(program, prog_type, &env).map_err(|rejection| (None, rejection))?;
        if platform.limits.stack > MAX_STACK || platform.limits.frames > MAX_FRAMES {
            let name = format!("a platform with more than {MAX_STACK} bytes of stack or {MAX_FRAMES} frames");
            return Err((None, unsupported(name)));
        }
        let kinds = Kinds::of(platform)
            .ok_or_else(|| (None, unsupported("a platform without scalar and stack kinds")))?;
        if program.flags & !flags::KNOWN != 0 {
            let message = format!("program flags {:#x} are not known", program.flags & !flags::KNOWN);
            return Err((None, Rejection::new(Why::NotAllowed, message)));
        }
        self.stack_depth = vec![0; functions::starts(&program.insns, platform).0.len()];
        let code = Code::prepare(program, platform, prog_type, profile)
            .map_err(|(pc, rejection)| (Some(pc), rejection))?;
        check_sleep(platform, prog_type, &env).map_err(|rejection| (None, rejection))?;
        observer.begin(&code);
        let offered = Offered::new(platform, prog_type, program, profile);
        let setting = Setting { platform, profile, prog_type, offered: &offered, kinds };
        let mut walk = Walk::new(program, &code, setting, observer);
        walk.prunes = self.pruning != Pruning::Never;
        walk.within = self.pruning == Pruning::Within;
        entry(&mut walk.state);
        let result = walk.run();
        self.stats = walk.stats;
        self.stats.total_states = walk.checkpoints.total as u64;
        self.stats.peak_states = walk.checkpoints.peak as u64;
        let pc = walk.pc;
        let result = result.map_err(|rejection| speculated(walk.policy, rejection));
        let result = result.map_err(|rejection| (Some(pc), rejection)).and_then(|()| {
            stack_depth::check(&code, &walk.called_later, &walk.stack_depth, platform, prog_type)
                .map_err(|(pc, rejection)| (Some(pc), rejection))
        });
        self.facts = std::mem::take(&mut walk.facts);
        let functions = code.functions.iter().zip(&walk.stack_depth).zip(&walk.entered);
        // The main function is entered by no call.
        self.facts.stacks = functions
            .enumerate()
            .filter(|&(index, (_, &entered))| index == 0 || entered)
            .map(|(_, ((function, &depth), _))| (function.start, depth))
            .collect();
        if result.is_ok() {
            walk.add_inlined_loops();
            walk.stack_depth.iter_mut().zip(&walk.extra_stack).for_each(|(depth, extra)| *depth += extra);
        }
        // In a program that is accepted, functions that no path entered are dead code.
        let entered = walk.stack_depth.iter().zip(&walk.entered).enumerate();
        self.stack_depth = entered
            .filter(|&(index, (_, &entered))| index == 0 || entered || result.is_err())
            .map(|(_, (&depth, _))| depth)
            .collect();
        result
    }
}

/// Where speculation is followed, the rounds of a loop are not counted as a kernel counts them: a
/// program that is too much is refused by both, for reasons that may differ.
fn speculated(policy: Policy, rejection: Rejection) -> Rejection {
    let counted = matches!(rejection.code, Why::InfiniteLoop | Why::TooComplex | Why::TooManyBranches);
    if policy.speculation && counted {
        unsupported("a loop that speculation goes around in")
    } else {
        rejection
    }
}

/// Some types take no attach types but their own: Linux says so by the error number alone, before
/// it looks at the program.
fn check_attach(
    program: &Program,
    prog_type: &'static ProgType,
    env: &GuardEnv<'_>,
) -> Result<(), Rejection> {
    if prog_type.takes_attach(env.attach) {
        return Ok(());
    }
    let name = prog_type.name;
    let message = format!("attach type {} is none of {name}", program.attach_type);
    let known: Vec<&str> = prog_type.attach.iter().map(|row| row.name).collect();
    let needed = match known.as_slice() {
        [] => "no attach type".to_owned(),
        known => format!("one of {}", known.join(", ")),
    };
    Err(Rejection::new(Why::NotAllowed, message)
        .errno(EINVAL)
        .facts(needed, program.attach_type.to_string())
        .at(prog_type.site))
}

/// Programs sleep where their type lets them, and where it demands it.
fn check_sleep(
    platform: &'static Platform,
    prog_type: &'static ProgType,
    env: &GuardEnv<'_>,
) -> Result<(), Rejection> {
    let sleep = &prog_type.sleep;
    if env.sleepable && !sleep.may.is_some_and(|guard| guard.holds(env)) {
        return Err(Rejection::new(Why::MightSleep, platform.words.not_sleepable)
            .facts("a program type that may sleep", prog_type.name)
            .at(prog_type.site));
    }
    match sleep.must {
        Some((guard, text)) if !env.sleepable && guard.holds(env) => {
            Err(Rejection::new(Why::MightSleep, text)
                .facts("a program that is loaded as sleepable", prog_type.name)
                .at(prog_type.site))
        }
        _ => Ok(()),
    }
}
