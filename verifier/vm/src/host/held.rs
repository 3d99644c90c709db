//! What a run holds of the host's: objects and memory that the program was given, references that it
//! must release, values behind objects in its stack.

use std::any::Any;
use std::collections::HashMap;

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
    /// How many calls of the host called back when it was given.
    depth: u32,
    /// When it was given, counted in what is held.
    order: u64,
}

/// What stands behind an object in the stack, whose first word is its number from 1.
struct Stacked {
    value: Box<dyn Any>,
    /// What is called for it when the run ends before it does.
    given_back_by: Option<u16>,
    /// When it was made, counted in what is held.
    order: u64,
}

/// A place for what stands behind an object in the stack.
#[derive(Default)]
enum Place {
    #[default]
    Free,
    /// A function of the host has the value: the place is nobody else's.
    Lent,
    Taken(Stacked),
}

/// All of it.
#[derive(Default)]
pub(crate) struct Held {
    objects: Vec<Lasting>,
    stacked: Vec<Place>,
    /// When so many objects are held, those are thrown out that are there twice.
    many: usize,
    /// How many calls of the host call back.
    depth: u32,
    /// What ended while a call of the host called back that may have it among its arguments: with the
    /// depth of that call, and as long as it.
    buried: Vec<(u32, Slab)>,
    /// A call of the host has called back.
    called_back: bool,
    /// How much was held so far.
    order: u64,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("objects", &self.objects).finish_non_exhaustive()
    }
}

impl Held {
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.stacked.is_empty() && !self.called_back
    }

    fn next(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// Holds memory.
    pub(crate) fn keep(&mut self, start: u64, len: u64, object: Option<u16>, lasts: Lasts, slab: Slab) {
        let depth = self.depth;
        let new = Lasting { start, len, object, lasts, slab, depth, order: self.next() };
        if let Some(last) = self.objects.last_mut()
            && new.key().is_some_and(|key| last.key() == Some(key))
        {
            last.depth = last.depth.min(depth);
            return;
        }
        if self.objects.len() >= self.many.max(64) {
            self.throw_out();
        }
        self.objects.push(new);
    }

    /// Throws out what is there twice: a program may ask for the same objects any number of times.
    fn throw_out(&mut self) {
        let mut least: HashMap<_, u32> = HashMap::new();
        for held in &self.objects {
            if let Some(key) = held.key() {
                let depth = least.entry(key).or_insert(held.depth);
                *depth = held.depth.min(*depth);
            }
        }
        self.objects.retain_mut(|held| match held.key() {
            None => true,
            Some(key) => match least.remove(&key) {
                Some(depth) => {
                    held.depth = depth;
                    true
                }
                None => false,
            },
        });
        self.many = 2 * self.objects.len();
    }

    /// Ends what is good until something is called.
    pub(crate) fn end(&mut self, is_called: impl Fn(u16) -> bool) {
        let (depth, buried) = (self.depth, &mut self.buried);
        self.objects.retain(|held| {
            let ends = matches!(held.lasts, Lasts::Until(at) if is_called(at));
            if ends && held.depth < depth {
                buried.push((held.depth, Slab::clone(&held.slab)));
            }
            !ends
        });
    }

    /// A call of the host begins to call back.
    pub(crate) fn deepen(&mut self) {
        self.depth += 1;
        self.called_back = true;
    }

    /// It goes on.
    pub(crate) fn rise(&mut self) {
        self.depth -= 1;
    }

    /// True when something may wait for a call of the host to end.
    #[inline(always)]
    pub(crate) fn has_called_back(&self) -> bool {
        self.called_back
    }

    /// A call of the host ends: nobody has its arguments any more. True when it was the outermost.
    pub(crate) fn settle(&mut self) -> bool {
        let depth = self.depth;
        self.buried.retain(|(of, _)| *of < depth);
        self.called_back = depth > 0;
        !self.called_back
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
        let Lasting { slab, depth, .. } = self.objects.remove(at);
        if depth < self.depth {
            self.buried.push((depth, Slab::clone(&slab)));
        }
        Some(slab)
    }

    /// What begins at an address.
    pub(crate) fn at(&self, start: u64) -> impl Iterator<Item = &Lasting> {
        self.objects.iter().filter(move |held| held.start == start)
    }

    /// Puts a value behind an object in the stack; gives its number.
    pub(crate) fn put(&mut self, value: Box<dyn Any>, given_back_by: Option<u16>) -> u64 {
        let new = Place::Taken(Stacked { value, given_back_by, order: self.next() });
        match self.stacked.iter().position(|place| matches!(place, Place::Free)) {
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

    /// Takes the value with a number, when it is of this type; its place is free.
    pub(crate) fn take<V: 'static>(&mut self, number: u64) -> Option<Box<V>> {
        let (value, _) = self.lend(number)?;
        *self.place(number)? = Place::Free;
        Some(value)
    }

    /// Takes the value with a number, when it is of this type, for as long as a function of the host has
    /// it; with what [`Held::put_back`] wants.
    pub(crate) fn lend<V: 'static>(&mut self, number: u64) -> Option<(Box<V>, Rest)> {
        let place = self.place(number)?;
        match std::mem::take(place) {
            Place::Taken(Stacked { value, given_back_by, order }) => match value.downcast() {
                Ok(value) => {
                    *place = Place::Lent;
                    Some((value, Rest { given_back_by, order }))
                }
                Err(value) => {
                    *place = Place::Taken(Stacked { value, given_back_by, order });
                    None
                }
            },
            other => {
                *place = other;
                None
            }
        }
    }

    /// Puts a value back that was lent.
    pub(crate) fn put_back(&mut self, number: u64, value: Box<dyn Any>, rest: Rest) {
        if let Some(place) = self.place(number).filter(|place| matches!(place, Place::Lent)) {
            *place = Place::Taken(Stacked { value, given_back_by: rest.given_back_by, order: rest.order });
        }
    }

    fn place(&mut self, number: u64) -> Option<&mut Place> {
        self.stacked.get_mut(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// The run is over: no call of the host waits any more.
    pub(super) fn begin_end(&mut self) {
        self.depth = 0;
    }

    /// Drops the value in a place, when it is still there.
    pub(super) fn forget(&mut self, at: usize) {
        self.stacked[at] = Place::Free;
    }

    /// What was given last of all that must be given back.
    pub(super) fn last(&self) -> Option<Last> {
        let references = self.objects.iter().filter_map(|held| match held.lasts {
            Lasts::Released(by) => Some((held.order, Last::Reference(held.start, by))),
            _ => None,
        });
        let stacked = self.stacked.iter().enumerate().filter_map(|(at, place)| match place {
            Place::Taken(stacked) => Some((stacked.order, Last::Stacked(at, stacked.given_back_by))),
            _ => None,
        });
        references.chain(stacked).max_by_key(|(order, _)| *order).map(|(_, last)| last)
    }

    /// How much must be given back.
    pub(super) fn owed(&self) -> usize {
        let references = self.objects.iter().filter(|held| matches!(held.lasts, Lasts::Released(_)));
        references.count() + self.stacked.len()
    }
}

impl Lasting {
    /// What is the same in two that need not both be held; None of those that count.
    fn key(&self) -> Option<(u64, u64, Option<u16>, Option<u16>)> {
        let until = match self.lasts {
            Lasts::Run => None,
            Lasts::Until(at) => Some(at),
            Lasts::Released(_) | Lasts::Call => return None,
        };
        Some((self.start, self.len, self.object, until))
    }
}

/// What belongs to a value that is lent.
#[derive(Debug)]
pub(crate) struct Rest {
    given_back_by: Option<u16>,
    order: u64,
}

/// Something that must be given back, with what is called for it.
pub(super) enum Last {
    /// A reference, by its address.
    Reference(u64, Option<u16>),
    /// An object in the stack, by its place.
    Stacked(usize, Option<u16>),
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
