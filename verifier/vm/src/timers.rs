//! Timers in values of maps, on the runtime's clock. A timer's bytes in the value are its number
//! here, which nobody copies: a value that was deleted, or put in anew, has no timer.
//!
//! Nothing runs by itself: the host asks for what is due, with [`Runtime::fire_timers`].

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use probity_isa::Size;

use crate::errno::Errno;
use crate::fault::RunError;
use crate::guest::GuestBytes;
use crate::maps::{Copied, Map, Pinned};
use crate::run::CallBack;
use crate::runtime::{ClockKind, Runtime, Worker};
use crate::session::Session;
use crate::unit::Unit;

/// The bytes of a timer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'m>(pub(crate) GuestBytes<'m>);

impl Field<'_> {
    fn id(self) -> u64 {
        self.0.get(0, Size::Dw).unwrap_or(0)
    }
}

/// The element of a map that has a timer.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    /// The map.
    pub(crate) map: Weak<Map>,
    /// The address of the value.
    pub(crate) value: u64,
    /// A copy of the key.
    pub(crate) key: Vec<u8>,
}

impl Element {
    /// Whether it is still there, with the timer of that number at an address.
    fn has(&self, map: &Map, at: u64, id: u64, pinned: Pinned<'_>) -> bool {
        let key = Copied::of(&self.key);
        let value = map.shared_value(key.bytes(), pinned).filter(|value| value.address() == self.value);
        let offset = at.wrapping_sub(self.value) as usize;
        value.and_then(|value| value.get(offset, Size::Dw)) == Some(id)
    }
}

/// What a timer calls.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    /// The program.
    pub(crate) unit: Arc<Unit>,
    /// The engine that it was in.
    pub(crate) engine: CallBack,
    /// What that engine has for the function.
    pub(crate) function: u64,
}

/// A timer.
#[derive(Debug)]
struct Timer {
    /// Where its bytes are.
    at: u64,
    element: Element,
    clock: ClockKind,
    callback: Option<Callback>,
    /// When it runs down, if it was started, and how many were started before.
    armed: Option<(u64, u64)>,
    /// Its function is on.
    running: bool,
}

/// A timer that was started: by its clock, when, in which order, its number.
type Due = (u8, u64, u64, u64);

const CLOCKS: [ClockKind; 4] = [ClockKind::Real, ClockKind::Monotonic, ClockKind::Boot, ClockKind::Tai];

fn number(clock: ClockKind) -> u8 {
    CLOCKS.iter().position(|&kind| kind == clock).unwrap_or(0) as u8
}

/// The timers of a runtime.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    table: Mutex<Table>,
    /// Some timer's function has ended.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Table {
    timers: HashMap<u64, Timer>,
    due: BTreeSet<Due>,
    started: u64,
    /// With so many, those whose element is gone are looked for.
    sweep_at: usize,
}

impl Table {
    /// The timer of a field.
    fn get(&mut self, field: Field<'_>) -> Result<(u64, &mut Timer), Errno> {
        let (id, at) = (field.id(), field.0.address());
        let timer = self.timers.get_mut(&id).filter(|timer| timer.at == at);
        timer.map(|timer| (id, timer)).ok_or(Errno::EINVAL)
    }

    fn arm(&mut self, id: u64, when: u64) {
        self.disarm(id);
        let Some(timer) = self.timers.get_mut(&id) else { return };
        self.started += 1;
        timer.armed = Some((when, self.started));
        self.due.insert((number(timer.clock), when, self.started, id));
    }

    /// Whether it was armed.
    fn disarm(&mut self, id: u64) -> bool {
        let Some(timer) = self.timers.get_mut(&id) else { return false };
        let Some((when, order)) = timer.armed.take() else { return false };
        self.due.remove(&(number(timer.clock), when, order, id))
    }

    fn forget(&mut self, id: u64) {
        self.disarm(id);
        self.timers.remove(&id);
    }

    /// Forgets timers whose element is gone, now and then.
    fn sweep(&mut self) {
        const FEW: usize = 64;
        if self.timers.len() < self.sweep_at.max(FEW) {
            return;
        }
        let guard = crossbeam_epoch::pin();
        let pinned = Pinned::by(&guard);
        let is_there = |id: u64, timer: &Timer| {
            let map = timer.element.map.upgrade();
            map.is_some_and(|map| timer.element.has(&map, timer.at, id, pinned))
        };
        let gone = self.timers.iter().filter(|&(&id, timer)| !timer.running && !is_there(id, timer));
        let gone: Vec<u64> = gone.map(|(&id, _)| id).collect();
        gone.into_iter().for_each(|id| self.forget(id));
        self.sweep_at = self.timers.len() * 2;
    }
}

/// A timer that has run down, about to call.
struct Call {
    id: u64,
    element: Element,
    map: Arc<Map>,
    at: u64,
    callback: Callback,
}

impl Timers {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a timer of a field.
    pub(crate) fn init(&self, field: Field<'_>, element: Element, clock: ClockKind) -> Result<(), Errno> {
        // Of all runtimes: maps may be in more than one.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut table = self.table();
        if table.get(field).is_ok() {
            return Err(Errno::EBUSY);
        }
        table.sweep();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        field.0.set(0, Size::Dw, id).ok_or(Errno::EINVAL)?;
        let at = field.0.address();
        let timer = Timer { at, element, clock, callback: None, armed: None, running: false };
        table.timers.insert(id, timer);
        Ok(())
    }

    /// Says what a timer calls.
    pub(crate) fn set_callback(&self, field: Field<'_>, callback: Callback) -> Result<(), Errno> {
        self.table().get(field)?.1.callback = Some(callback);
        Ok(())
    }

    /// Starts a timer; `when` by its clock.
    pub(crate) fn start(&self, field: Field<'_>, when: impl Fn(ClockKind) -> u64) -> Result<(), Errno> {
        let mut table = self.table();
        let (id, timer) = table.get(field)?;
        if timer.callback.is_none() {
            return Err(Errno::EINVAL);
        }
        let when = when(timer.clock);
        table.arm(id, when);
        Ok(())
    }

    /// Stops a timer, which has no function then, for a run that is itself for the timer `own` or for
    /// none: waits for its function when that is on. Whether it was armed.
    pub(crate) fn cancel(&self, field: Field<'_>, own: u64) -> Result<bool, Errno> {
        let mut table = self.table();
        let (id, timer) = table.get(field)?;
        // Two that wait for each other would wait forever.
        if id == own || (own != 0 && timer.running) {
            return Err(Errno::EDEADLK);
        }
        let function = timer.callback.take();
        let mut was_armed = table.disarm(id);
        while table.timers.get(&id).is_some_and(|timer| timer.running) {
            table = self.ended.wait(table).unwrap_or_else(PoisonError::into_inner);
            was_armed |= table.disarm(id);
        }
        drop(table);
        // It may be the last that holds its program.
        drop(function);
        Ok(was_armed)
    }

    /// What is due, by clock, the earliest first.
    fn due(&self, now: impl Fn(ClockKind) -> u64) -> Vec<Due> {
        let table = self.table();
        let of = |clock: ClockKind| {
            let clock_number = number(clock);
            let (from, to) = ((clock_number, 0, 0, 0), (clock_number, now(clock), u64::MAX, u64::MAX));
            table.due.range(from..=to).copied().collect::<Vec<Due>>()
        };
        CLOCKS.iter().flat_map(|&clock| of(clock)).collect()
    }

    /// Takes a timer that is due, if it still is: another may have stopped it, or started it anew.
    fn take(&self, due: Due) -> Option<Call> {
        let (.., id) = due;
        let mut table = self.table();
        if !table.due.contains(&due) || table.timers.get(&id)?.running {
            return None;
        }
        table.disarm(id);
        let timer = table.timers.get_mut(&id)?;
        let call = timer.element.map.upgrade().zip(timer.callback.clone());
        let Some((map, callback)) = call else {
            table.forget(id);
            return None;
        };
        timer.running = true;
        Some(Call { id, element: timer.element.clone(), map, at: timer.at, callback })
    }

    fn end(&self, id: u64, forget: bool) {
        let mut table = self.table();
        if forget {
            table.forget(id);
        } else if let Some(timer) = table.timers.get_mut(&id) {
            timer.running = false;
        }
        drop(table);
        self.ended.notify_all();
    }
}

/// That a timer's function is on, until this is dropped.
struct On<'t> {
    timers: &'t Timers,
    id: u64,
    forget: bool,
}

impl Drop for On<'_> {
    fn drop(&mut self) {
        self.timers.end(self.id, self.forget);
    }
}

impl Runtime {
    /// Calls the functions of all timers that have run down by the runtime's clock, one after the
    /// other, with a worker of this runtime; gives how many. What they start anew waits for the next
    /// time, whatever the clock says then.
    pub fn fire_timers(&self, worker: &mut Worker) -> usize {
        self.fire_timers_with(worker, |_| ())
    }

    /// As [`Runtime::fire_timers`]; says why runs ended early.
    pub fn fire_timers_with(&self, worker: &mut Worker, mut failed: impl FnMut(RunError)) -> usize {
        if !Arc::ptr_eq(&self.0, &worker.shared) {
            return 0;
        }
        let timers = &self.0.timers;
        let mut fired = 0;
        for due in timers.due(|clock| self.now(clock)) {
            let Some(call) = timers.take(due) else { continue };
            let mut on = On { timers, id: call.id, forget: false };
            match fire(&call, worker) {
                None => on.forget = true,
                Some(result) => {
                    fired += 1;
                    result.map_or_else(&mut failed, drop);
                }
            }
        }
        fired
    }

    /// How many nanoseconds from now on the next timer runs down; None when none was started.
    #[must_use]
    pub fn next_timer(&self) -> Option<u64> {
        let table = self.0.timers.table();
        let first = |&clock: &ClockKind| {
            let clock_number = number(clock);
            let (.., when, _, _) =
                table.due.range((clock_number, 0, 0, 0)..(clock_number + 1, 0, 0, 0)).next()?;
            Some(when.saturating_sub(self.now(clock)))
        };
        CLOCKS.iter().filter_map(first).min()
    }

    /// Forgets all timers, and lets go of their programs: those keep the maps that they are in.
    pub fn forget_timers(&self) {
        let (timers, due) = {
            let mut table = self.0.timers.table();
            (std::mem::take(&mut table.timers), std::mem::take(&mut table.due))
        };
        // What was held is dropped without the lock.
        drop((timers, due));
        self.0.timers.ended.notify_all();
    }
}

/// Calls the function of a timer; None when its element is gone.
fn fire(call: &Call, worker: &mut Worker) -> Option<Result<u64, RunError>> {
    // The value stays for as long as the function is on.
    let guard = crossbeam_epoch::pin();
    let Call { id, element, map, at, callback } = call;
    element.has(map, *at, *id, Pinned::by(&guard)).then(|| {
        let key = Copied::of(&element.key);
        let key = key.bytes();
        let args = [map.address(), key.address(), element.value, 0, 0];
        let mut session = Session::begin(&callback.unit, worker, None, None)?;
        let len = map.definition().value_size.into();
        session.call(*id, callback.engine, callback.function, key, len, args)
    })
}
