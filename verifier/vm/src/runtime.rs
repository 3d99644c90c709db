//! What runs share: slots, the clock, the sink of lines, maps.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use probity_platform::Platform;
use probity_program::MapDef;
use thiserror::Error;

use crate::maps::{Map, MapError};

/// Which clock is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockKind {
    /// Since some start, not while asleep.
    Monotonic,
    /// Since some start, while asleep too.
    Boot,
    /// Since 1970, leap seconds included.
    Tai,
}

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// Nanoseconds.
    fn now(&self, kind: ClockKind) -> u64;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self, kind: ClockKind) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        let nanos = match kind {
            // 0 is what some programs take for "never".
            ClockKind::Monotonic | ClockKind::Boot => {
                START.get_or_init(Instant::now).elapsed().as_nanos() + 1
            }
            ClockKind::Tai => {
                const LEAP_SECONDS: u128 = 37;
                let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
                since + LEAP_SECONDS * 1_000_000_000
            }
        };
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}

/// A clock that its host moves.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// Sets the time, in nanoseconds.
    pub fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self, _kind: ClockKind) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where lines go that programs print.
pub trait Sink: Send + Sync {
    /// A line, without its end.
    fn line(&self, text: &str);
}

/// Lines go nowhere.
#[derive(Debug, Default)]
pub struct NoSink;

impl Sink for NoSink {
    fn line(&self, _text: &str) {}
}

/// How a [`Runtime`] is made.
pub struct RuntimeOptions {
    /// How many runs may be on at once: the "processors" of per-CPU maps. 1 to 4096.
    pub slots: u32,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where lines go.
    pub sink: Arc<dyn Sink>,
    /// What random numbers start from; None: something new each time.
    pub seed: Option<u64>,
}

impl fmt::Debug for RuntimeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeOptions")
            .field("slots", &self.slots)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl Default for RuntimeOptions {
    fn default() -> RuntimeOptions {
        RuntimeOptions { slots: 2, clock: Arc::new(SystemClock), sink: Arc::new(NoSink), seed: None }
    }
}

/// What runs share. Clones are the same runtime.
#[derive(Clone, Debug)]
pub struct Runtime(Arc<Shared>);

pub(crate) struct Shared {
    taken: Box<[AtomicBool]>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sink: Arc<dyn Sink>,
    seed: u64,
    secret: u64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("slots", &self.taken.len()).finish_non_exhaustive()
    }
}

/// All run slots are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("all {0} run slots are taken: drop a worker first, or make the runtime with more slots")]
pub struct NoSlot(pub u32);

impl Default for Runtime {
    fn default() -> Runtime {
        Runtime::new(RuntimeOptions::default())
    }
}

/// A number that is another one each time.
fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

impl Runtime {
    /// A runtime.
    #[must_use]
    pub fn new(options: RuntimeOptions) -> Runtime {
        let slots = options.slots.clamp(1, 4096);
        let seed = options.seed.unwrap_or_else(random);
        Runtime(Arc::new(Shared {
            taken: (0..slots).map(|_| AtomicBool::new(false)).collect(),
            clock: options.clock,
            sink: options.sink,
            seed,
            secret: random(),
        }))
    }

    /// How many runs may be on at once.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.0.taken.len() as u32
    }

    /// A worker: what a thread needs to run programs. It keeps a run slot until it is dropped.
    ///
    /// # Errors
    ///
    /// When all slots are taken.
    pub fn worker(&self) -> Result<Worker, NoSlot> {
        let free = self.0.taken.iter().position(|taken| !taken.swap(true, Ordering::Acquire));
        let slot = free.ok_or(NoSlot(self.slots()))? as u32;
        let seed = self.0.seed ^ u64::from(slot).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Ok(Worker {
            shared: Arc::clone(&self.0),
            slot,
            random: seed | 1,
            stack: Vec::new(),
            written: Vec::new(),
        })
    }

    /// Makes a map of a platform's type.
    ///
    /// # Errors
    ///
    /// When the platform would not make it, the runtime has no such maps, or memory is short.
    pub fn map(&self, platform: &'static Platform, definition: &MapDef) -> Result<Arc<Map>, MapError> {
        Map::create(platform, definition, None, self.slots())
    }

    /// The time.
    #[must_use]
    pub fn now(&self, kind: ClockKind) -> u64 {
        self.0.clock.now(kind)
    }
}

/// What a thread needs to run programs: a run slot, a stack, random numbers.
#[derive(Debug)]
pub struct Worker {
    pub(crate) shared: Arc<Shared>,
    slot: u32,
    random: u64,
    /// The interpreter's stack, as words: frames one after the other.
    pub(crate) stack: Vec<u64>,
    /// Which bytes of it were written, as bits: kept by the checked interpreter.
    written: Vec<u64>,
}

impl Worker {
    /// The run slot: the number of the "processor" that programs see.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// The time.
    #[must_use]
    pub fn now(&self, kind: ClockKind) -> u64 {
        self.shared.clock.now(kind)
    }

    /// Writes a line to the sink.
    pub fn line(&self, text: &str) {
        self.shared.sink.line(text);
    }

    /// A random number of 32 bits (xorshift64*).
    pub fn random(&mut self) -> u32 {
        let mut x = self.random;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.random = x;
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }
}

impl Worker {
    /// The interpreter's stack: the address of the first frame, and how many frames of `bytes` there
    /// are. It is made when it is first asked for, and does not move while frames are in use: those
    /// who run hold the worker.
    pub(crate) fn frames(&mut self, bytes: u64, wanted: usize, in_use: bool) -> (u64, usize) {
        let words = (bytes / 8) as usize;
        if self.stack.len() < words * wanted && !in_use {
            self.stack = vec![0; words * wanted];
        }
        let count = self.stack.len().checked_div(words).unwrap_or(wanted);
        (self.stack.as_mut_ptr() as u64, count)
    }

    fn place(&self, address: u64) -> usize {
        (address - self.stack.as_ptr() as u64) as usize
    }

    /// Whether all of `len` bytes of the stack at an address were written.
    pub(crate) fn is_written(&self, address: u64, len: u32) -> bool {
        let at = self.place(address);
        (at..at + len as usize)
            .all(|at| self.written.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1))
    }

    /// Notes that bytes of the stack were written.
    pub(crate) fn mark_written(&mut self, address: u64, len: u32) {
        let at = self.place(address);
        if self.written.len() < self.stack.len() / 8 + 1 {
            self.written.resize(self.stack.len() / 8 + 1, 0);
        }
        for at in at..at + len as usize {
            self.written[at / 64] |= 1 << (at % 64);
        }
    }

    /// Forgets that bytes of the stack were written; both numbers are multiples of 8.
    pub(crate) fn forget_written(&mut self, address: u64, len: u64) {
        let at = self.place(address);
        for at in (at..at + len as usize).step_by(8) {
            if let Some(word) = self.written.get_mut(at / 64) {
                *word &= !(0xff << (at % 64));
            }
        }
    }

    /// How far an address of the stack is from the end of its frame of `frame` bytes: negative.
    pub(crate) fn below_frame(&self, address: u64, frame: u64) -> i64 {
        (self.place(address) as u64 % frame) as i64 - frame as i64
    }

    /// Where the interpreter's stack is, and how many bytes it has.
    pub(crate) fn stack_region(&mut self) -> (u64, usize) {
        (self.stack.as_mut_ptr() as u64, self.stack.len() * 8)
    }

    /// A number that programs can't know: what addresses are hidden with when they are printed.
    pub(crate) fn secret(&self) -> u64 {
        self.shared.secret
    }

    /// Zeroes `len` bytes of the stack from an address.
    pub(crate) fn zero(&mut self, address: u64, len: u64) {
        let first = (address - self.stack.as_ptr() as u64) / 8;
        let words = first as usize..(first + len / 8) as usize;
        if let Some(words) = self.stack.get_mut(words) {
            words.fill(0);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.taken[self.slot as usize].store(false, Ordering::Release);
    }
}
