//! What is promised of our contenders, and whether it holds.

use serde::Serialize;

use crate::{
    ITERATIONS, Role,
    measure::{Measured, geometric_mean},
};

/// What a measured value may be above its limit.
pub const TOLERANCE: f64 = 0.05;

/// The programs of one small thing each.
const EMPTY: &str = "empty";
const LOOP: &str = "loop";
const HELPER_CALLS: &str = "helper_calls";
const BODY_CALLS: &str = "body_calls";
const HOST_CALLS: &str = "host_calls";
const FUNCTION_CALLS: &str = "function_calls";
const FUNCTION_LOOP: &str = "function_loop";
const ARRAY_LOOKUPS: &str = "array_lookups";
const HASH_LOOKUPS: &str = "hash_lookups";

/// What one iteration does, and the loop that is not counted.
pub const BY_ITERATION: &[(&str, &str)] = &[
    (HELPER_CALLS, LOOP),
    (BODY_CALLS, LOOP),
    (HOST_CALLS, LOOP),
    (FUNCTION_CALLS, FUNCTION_LOOP),
    (ARRAY_LOOKUPS, LOOP),
    (HASH_LOOKUPS, LOOP),
];

/// A target: a ratio that should not be above a limit.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// What is compared.
    pub name: String,
    /// The most that it should be.
    pub limit: f64,
    /// What it is; None when a side of it was not measured.
    pub value: Option<f64>,
}

impl Target {
    /// Whether it holds, with the tolerance; None when it was not measured.
    #[must_use]
    pub fn holds(&self) -> Option<bool> {
        self.value.map(|value| value <= self.limit * (1.0 + TOLERANCE))
    }
}

/// The nanoseconds of one iteration of a program, less those of its loop.
#[must_use]
pub fn by_iteration(measured: &Measured, program: &str, empty: &str, role: Role) -> Option<f64> {
    let time = |name| measured.time(measured.row(name)?, role);
    Some((time(program)? - time(empty)?) / f64::from(ITERATIONS))
}

/// All targets. Speed is judged by the highest tier of our JIT that was measured, the time of compiling by
/// the first.
#[must_use]
pub fn targets(measured: &Measured) -> Vec<Target> {
    let tiers = measured.roles.iter().filter_map(|role| match role {
        Role::OurJit(tier) => Some(*tier),
        _ => None,
    });
    let best = Role::OurJit(tiers.max().unwrap_or(1));
    let mean = |of, to| geometric_mean(measured.ratios(of, to).into_iter().map(|(_, ratio)| ratio));
    let worst = |of, to| measured.ratios(of, to).into_iter().map(|(_, ratio)| ratio).reduce(f64::max);
    let single = |program, of, to| {
        let row = measured.row(program)?;
        Some(measured.time(row, of)? / measured.time(row, to)?)
    };
    let iteration = |program, empty, of, to| {
        Some(by_iteration(measured, program, empty, of)? / by_iteration(measured, program, empty, to)?)
    };
    let compile = |of, to| Some(measured.compile_time(of)? / measured.compile_time(to)?);
    let target = |name: String, limit, value| Target { name, limit, value };
    vec![
        target(format!("{best} / native, mean"), 1.20, mean(best, Role::Native)),
        target(format!("{best} / kernel, mean"), 1.0, mean(best, Role::KernelJit)),
        target(format!("{best} / rbpf jit, mean"), 1.0, mean(best, Role::RbpfJit)),
        target(format!("{best} / kernel, worst"), 1.15, worst(best, Role::KernelJit)),
        target(
            "our int / rbpf int, mean".into(),
            1.0 / 2.5,
            mean(Role::OurInterpreter, Role::RbpfInterpreter),
        ),
        target(
            format!("{best} / native, a call in the program"),
            1.2,
            iteration(FUNCTION_CALLS, FUNCTION_LOOP, best, Role::Native),
        ),
        target(
            // The loop is counted: an optimising compiler makes nothing of the empty one.
            format!("{best} / rbpf jit, a loop of calls of a helper"),
            1.0,
            single(HELPER_CALLS, best, Role::RbpfJit),
        ),
        target(
            format!("{best} / rbpf jit, a loop of calls of a body of the runtime"),
            1.0,
            single(BODY_CALLS, best, Role::RbpfJit),
        ),
        target(
            format!("{best} / rbpf jit, a loop of calls of a host"),
            1.5,
            single(HOST_CALLS, best, Role::RbpfJit),
        ),
        target(format!("{best} / rbpf jit, empty"), 1.0, single(EMPTY, best, Role::RbpfJit)),
        target(
            format!("{best} / kernel, array look-up"),
            1.0,
            iteration(ARRAY_LOOKUPS, LOOP, best, Role::KernelJit),
        ),
        target(
            format!("{best} / kernel, hash look-up"),
            0.5,
            iteration(HASH_LOOKUPS, LOOP, best, Role::KernelJit),
        ),
        target("our jit 1 / rbpf jit, compiling".into(), 3.0, compile(Role::OurJit(1), Role::RbpfJit)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Kind,
        measure::{Cell, Row},
    };

    fn row(program: &str, kind: Kind, times: &[f64]) -> Row {
        let cells = times.iter().copied().map(Cell::Nanoseconds).collect();
        let compile = times.iter().map(|time| Some((*time, 10))).collect();
        Row { program: program.into(), kind, insns: 10, r0: 0, cells, compile }
    }

    #[test]
    fn limits_have_a_tolerance() {
        let measured = Measured {
            roles: vec![Role::Native, Role::KernelJit, Role::OurJit(1), Role::OurJit(2)],
            rows: vec![
                row("one", Kind::Compute, &[100.0, 150.0, 140.0, 125.0]),
                row("two", Kind::Compute, &[100.0, 100.0, 200.0, 125.0]),
                row(EMPTY, Kind::Micro, &[1.0, 1.0, 1.0, 1.0]),
            ],
        };
        let targets = targets(&measured);
        let named = |name: &str| targets.iter().find(|target| target.name == name).expect(name);
        assert_eq!(named("our jit 2 / native, mean").holds(), Some(true), "1.25 of 1.26");
        assert_eq!(named("our jit 2 / kernel, worst").holds(), Some(false), "1.25 of 1.2075");
        assert_eq!(named("our int / rbpf int, mean").holds(), None);
    }
}
