//! What a run holds of the host's: objects and memory that the program was given, references that it
//! must release, values behind objects in its stack.
#![allow(unsafe_code)]

use std::any::Any;

use super::object::Slab;
use crate::interpreter::regions::{Bounds, Region};
use crate::run::Run;

/// How long something is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// Until the run ends.
    Run,
    /// Until a callable is called, by its number among all.
    Until(u16),
    /// Until it is released; what is called for it when the run ends before.
    Released(Option<u16>),
    /// As long as a function of the program runs that is called with it.
    Call,
}

/// Memory of the host's that the program may have a pointer to.
#[derive(Debug)]
pub(crate) struct Lasting {
    pub(crate) start: u64,
    pub(crate) len: u64,
    /// The type of the object: an index into the platform's; None of plain memory.
    pub(crate) object: Option<u16>,
    pub(crate) lasts: Lasts,
    /// Who keeps it.
    slab: Slab,
}

/// What stands behind an object in the stack, whose first word is its number from 1.
struct Stacked {
    value: Box<dyn Any>,
    /// What is called for it when the run ends before it does.
    given_back_by: Option<u16>,
}

/// All of it.
#[derive(Default)]
pub(crate) struct Held {
    objects: Vec<Lasting>,
    stacked: Vec<Option<Stacked>>,
    /// When so many objects are held, those are thrown out that are there twice.
    many: usize,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("objects", &self.objects).finish_non_exhaustive()
    }
}

impl Held {
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.stacked.is_empty()
    }

    /// Holds memory.
    pub(crate) fn keep(&mut self, start: u64, len: u64, object: Option<u16>, lasts: Lasts, slab: Slab) {
        let same = |held: &Lasting| (held.start, held.lasts) == (start, lasts);
        if !matches!(lasts, Lasts::Released(_)) && self.objects.last().is_some_and(same) {
            return;
        }
        if self.objects.len() >= self.many.max(64) {
            self.throw_out();
        }
        self.objects.push(Lasting { start, len, object, lasts, slab });
    }

    /// Throws out what is there twice: a program may ask for the same objects any number of times.
    fn throw_out(&mut self) {
        let mut seen = std::collections::HashSet::new();
        self.objects.retain(|held| held.lasts != Lasts::Run || seen.insert(held.start));
        self.many = 2 * self.objects.len();
    }

    /// Ends what is good until a callable is called.
    pub(crate) fn end(&mut self, callable: u16) {
        self.objects.retain(|held| held.lasts != Lasts::Until(callable));
    }

    /// Takes back the newest entry that a function was called with.
    pub(crate) fn end_call(&mut self, start: u64) {
        let last = self.objects.iter().rposition(|held| (held.start, held.lasts) == (start, Lasts::Call));
        if let Some(at) = last {
            self.objects.remove(at);
        }
    }

    /// Takes a reference out: it is released.
    pub(crate) fn release(&mut self, start: u64) -> Option<Slab> {
        let is = |held: &Lasting| held.start == start && matches!(held.lasts, Lasts::Released(_));
        let at = self.objects.iter().rposition(is)?;
        Some(self.objects.remove(at).slab)
    }

    /// What begins at an address.
    pub(crate) fn at(&self, start: u64) -> impl Iterator<Item = &Lasting> {
        self.objects.iter().filter(move |held| held.start == start)
    }

    /// Puts a value behind an object in the stack; gives its number.
    pub(crate) fn put(&mut self, value: Box<dyn Any>, given_back_by: Option<u16>) -> u64 {
        let new = Some(Stacked { value, given_back_by });
        match self.stacked.iter().position(Option::is_none) {
            Some(free) => {
                self.stacked[free] = new;
                free as u64 + 1
            }
            None => {
                self.stacked.push(new);
                self.stacked.len() as u64
            }
        }
    }

    /// Takes the value with a number, when it is of this type.
    pub(crate) fn take<V: 'static>(&mut self, number: u64) -> Option<(Box<V>, Option<u16>)> {
        let place = self.stacked.get_mut(usize::try_from(number.checked_sub(1)?).ok()?)?;
        let Stacked { value, given_back_by } = place.take()?;
        match value.downcast() {
            Ok(value) => Some((value, given_back_by)),
            Err(value) => {
                *place = Some(Stacked { value, given_back_by });
                None
            }
        }
    }

    /// Puts a value back that was taken.
    pub(crate) fn put_back(&mut self, number: u64, value: Box<dyn Any>, given_back_by: Option<u16>) {
        if let Some(place) = self.stacked.get_mut(number as usize - 1) {
            *place = Some(Stacked { value, given_back_by });
        }
    }
}

/// Gives back what a run leaves behind, by the functions of the host that programs would have called.
/// What has none is dropped.
pub(crate) fn give_back(run: &mut Run<'_>) {
    // A function that gives back may be given something in turn, but not for ever.
    for _ in 0..4096 {
        let reference = run.held.objects.iter().rev().find_map(|held| match held.lasts {
            Lasts::Released(by) => Some((held.start, by)),
            _ => None,
        });
        if let Some((start, by)) = reference {
            call(run, by, start);
            // Unless the function took it.
            run.held.release(start);
            continue;
        }
        let Some(at) = run.held.stacked.iter().rposition(Option::is_some) else { break };
        let by = run.held.stacked[at].as_ref().and_then(|stacked| stacked.given_back_by);
        let object = [at as u64 + 1; 1];
        call(run, by, object.as_ptr() as u64);
        run.held.stacked[at] = None;
    }
    run.held.objects.clear();
    run.held.stacked.clear();
}

/// Calls a function of the host with a first argument; the others are 0, as all of them are numbers.
fn call(run: &mut Run<'_>, callable: Option<u16>, first: u64) {
    // After tail calls the unit may be one for another host.
    let linked = run.unit.host.as_ref().filter(|linked| run.host.type_id() == Some(linked.host()));
    let Some(raw) = callable.and_then(|callable| linked?.function(callable)) else { return };
    let failure = run.failure.take();
    let run = std::ptr::from_mut(run).cast::<Run<'static>>();
    // SAFETY: the function takes a reference or an object in the stack first, and numbers beside it
    // (`HostCall::given_back_by`): this is one that the run holds. Of an object in the stack only the
    // first word is looked at, and written. The host is of the type that the function is for. The run is
    // the one that is on.
    unsafe {
        raw(first, 0, 0, 0, 0, run);
        (*run).failure = failure;
    }
}

/// The object that begins at an address and that the program may pass as one of a type.
pub(crate) fn object_at(run: &Run<'_>, address: u64, wanted: u16, released: bool) -> bool {
    let objects = run.unit.platform.objects;
    let is = |mut stack: Vec<u16>| {
        while let Some(object) = stack.pop() {
            if object == wanted {
                return true;
            }
            stack.extend(objects[usize::from(object)].upcasts.iter().filter(|&&upcast| upcast != object));
        }
        false
    };
    run.held.at(address).any(|held| {
        held.object.is_some_and(|object| is(vec![object]))
            && (!released || matches!(held.lasts, Lasts::Released(_)))
    })
}

/// The memory of the host's that holds all of `size` bytes at an address.
pub(crate) fn region_at(run: &Run<'_>, address: u64, size: u64) -> Option<Bounds> {
    let held = run.held.objects.iter().rev().find(|held| {
        address
            .checked_sub(held.start)
            .is_some_and(|at| at.checked_add(size).is_some_and(|end| end <= held.len))
    })?;
    let region = held.object.map_or(Region::Host, Region::Object);
    Some(Bounds { region, start: held.start, len: held.len, writable: true })
}
