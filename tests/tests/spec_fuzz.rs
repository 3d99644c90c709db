//! Damaged specs: refused soon, in little memory, and without a crash; a spec that says something
//! odd is accepted or refused, never a crash either.
//!
//! `PROBITY_SPEC_FUZZ=180 cargo test -p probity-tests --test spec_fuzz -- --nocapture` goes on with
//! other seeds for so many seconds, half of them with lines and half with items.

use std::{
    env, fs,
    panic::{self, AssertUnwindSafe},
    path::Path,
    time::{Duration, Instant},
};

use probity_tests::{
    fuzz::rng,
    spec_fuzz::{
        Platform,
        items::Items,
        lines::{self, Pool},
        run::{Tally, run},
        seeds,
    },
};

/// The most processor time for one input.
const LONGEST: Duration = Duration::from_secs(10);

/// The most memory of this process in kilobytes, all tests of this file together.
const MOST_MEMORY: u64 = 1 << 20;

fn platforms() -> Vec<Platform> {
    seeds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).expect("our own specs")
}

/// Seconds to go on for.
fn longer() -> Option<Duration> {
    let seconds = env::var("PROBITY_SPEC_FUZZ").ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds) / 2)
}

/// The most memory that this process had, in kilobytes, where the system says.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The processor time of this thread where the system says, else the time: other processes of a
/// busy machine are no matter of ours.
fn spent(begin: Instant) -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = stat.and_then(|stat| stat.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| begin.elapsed(), Duration::from_nanos)
}

/// Runs inputs: those below `least`, or for as long as the longer mode says.
fn inputs(what: &str, least: u64, mut input: impl FnMut(u64) -> Platform) -> Tally {
    let (begin, mut tally, mut slowest) = (Instant::now(), Tally::default(), (Duration::ZERO, 0));
    let mut findings = Vec::new();
    for number in 0.. {
        if number >= least && longer().is_none_or(|time| begin.elapsed() >= time) {
            break;
        }
        let platform = input(number);
        let start = spent(begin);
        if panic::catch_unwind(AssertUnwindSafe(|| run(&platform, &mut tally))).is_err() {
            findings.push(number);
        }
        slowest = slowest.max((spent(begin).saturating_sub(start), number));
    }
    println!("{what}: {tally:?}, slowest {slowest:?}, {:?} kB, findings {findings:?}", memory());
    assert!(findings.is_empty(), "{what}: inputs that panic: {findings:?}");
    assert!(slowest.0 < LONGEST, "{what}: input {} took {:?}", slowest.1, slowest.0);
    assert!(memory().is_none_or(|most| most < MOST_MEMORY), "{what}: {:?} kB", memory());
    tally
}

#[test]
fn thousands_of_odd_lines_are_refused_soon() {
    let pool = Pool::of(&platforms());
    let tally = inputs("lines", 12, |number| lines::platform(&mut rng(11, number), &pool, number));
    assert_eq!(tally.accepted, 0, "{tally:?}");
}

#[test]
fn odd_platforms_are_judged_and_never_a_crash() {
    let items: Vec<Items> = platforms().iter().map(Items::of).collect();
    let tally = inputs("items", 1500, |number| {
        let mut rng = rng(12, number);
        // Linux takes as long as many of the others.
        let at = if number % 50 == 49 { 0 } else { 1 + rng.below(items.len() - 1) };
        items[at].changed(&mut rng, if at == 0 { 12 } else { 4 })
    });
    // The damage is not so great that nothing behind the parser is reached.
    let Tally { inputs, read, accepted, .. } = tally;
    assert!(read * 2 > inputs && accepted * 10 > inputs && accepted * 10 < inputs * 9, "{tally:?}");
}

#[test]
fn an_input_is_a_function_of_its_number() {
    let all = platforms();
    let pool = Pool::of(&all);
    let lines = |seed| lines::platform(&mut rng(seed, 4), &pool, 4);
    assert_eq!(lines(1), lines(1));
    assert_ne!(lines(1), lines(2));
    assert!(lines(1).iter().map(|(_, text)| text.lines().count()).sum::<usize>() >= lines::LINES);
    let items = Items::of(&all[1]);
    assert_eq!(items.changed(&mut rng(1, 4), 4), items.changed(&mut rng(1, 4), 4));
}
