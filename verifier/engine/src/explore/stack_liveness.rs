//! Which stack slots are still read, from what the explored paths did (verifier.md, 6.5).
//!
//! One instance for each chain of calls. An instance notes, for each of its instructions and each
//! frame it can reach, which slots the instruction may read and which it surely writes. When a path
//! ends, `live = (union over successors of live, minus surely written) plus may be read` is solved
//! backwards for the instances whose notes changed, and what a callee reads of its callers' frames
//! counts as read by the call.

use rustc_hash::FxHashMap;

use super::walk::Observer;
use crate::prepare::{Code, Widens};

/// The index of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstanceId(u32);

impl InstanceId {
    /// The instance of the entry function.
    pub const ENTRY: InstanceId = InstanceId(0);
}

/// What an instance noted, to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Noted<'a> {
    liveness: &'a StackLiveness,
    /// The instance.
    pub id: InstanceId,
}

impl Noted<'_> {
    fn instance(&self) -> &Instance {
        self.liveness.instance(self.id)
    }

    /// The first instruction of its function, and one past the last.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.instance().start..self.instance().end
    }

    /// The number of the frame that runs it.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.instance().depth
    }

    /// The calls that lead to it, outermost first.
    #[must_use]
    pub fn callsites(&self) -> Vec<usize> {
        let mut callsites = Vec::new();
        let mut instance = self.instance();
        while let Some((parent, callsite)) = instance.parent {
            callsites.push(callsite);
            instance = self.liveness.instance(parent);
        }
        callsites.reverse();
        callsites
    }

    /// True when something was ever noted of a frame.
    #[must_use]
    pub fn knows(&self, frame: usize) -> bool {
        !self.instance().frames[frame].is_empty()
    }

    /// What the instruction at `pc` may read of a frame, and what it surely writes, as bits.
    #[must_use]
    pub fn marks(&self, frame: usize, pc: usize) -> (u64, u64) {
        let instance = self.instance();
        let marks = instance.frames[frame].get(pc - instance.start).copied().unwrap_or_default();
        (marks.may_read, marks.must_write)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    may_read: u64,
    must_write: u64,
    /// Written here or later on every path.
    written_later: u64,
    live_before: u64,
}

#[derive(Debug)]
struct Instance {
    parent: Option<(InstanceId, usize)>,
    /// The number of the frame that runs it.
    depth: usize,
    start: usize,
    end: usize,
    /// By frame up to its own: marks by instruction; empty until the first one.
    frames: Vec<Vec<Marks>>,
    visited: Vec<bool>,
    /// By frame: the instructions whose marks changed since they were last solved for.
    changed: Vec<Vec<usize>>,
}

/// The notes of a run.
#[derive(Debug)]
pub struct StackLiveness {
    instances: Vec<Instance>,
    callees: FxHashMap<(InstanceId, usize, usize), InstanceId>,
    /// The instances of functions that nothing on their path called.
    roots: FxHashMap<usize, InstanceId>,
    /// The instruction whose writes are being collected, when one is.
    writing: Option<(InstanceId, usize)>,
    writes: Vec<u64>,
}

impl StackLiveness {
    /// No notes; the entry function is there.
    #[must_use]
    pub fn new(code: &Code) -> StackLiveness {
        let mut liveness = StackLiveness {
            instances: Vec::new(),
            callees: FxHashMap::default(),
            roots: FxHashMap::default(),
            writing: None,
            writes: Vec::new(),
        };
        liveness.add(code, None, 0);
        liveness
    }

    fn add(&mut self, code: &Code, parent: Option<(InstanceId, usize)>, function: usize) -> InstanceId {
        let depth = parent.map_or(0, |(parent, _)| self.instance(parent).depth + 1);
        let (start, end) = (code.functions[function].start, code.functions[function].end);
        let id = InstanceId(self.instances.len() as u32);
        self.instances.push(Instance {
            parent,
            depth,
            start,
            end,
            frames: vec![Vec::new(); depth + 1],
            visited: vec![false; end - start],
            changed: vec![Vec::new(); depth + 1],
        });
        id
    }

    fn instance(&self, id: InstanceId) -> &Instance {
        &self.instances[id.0 as usize]
    }

    /// The instance of a function called at `callsite` of `caller`.
    pub fn call(&mut self, code: &Code, caller: InstanceId, callsite: usize, function: usize) -> InstanceId {
        // What the function writes counts when it returns.
        self.writing = None;
        self.call_back(code, caller, callsite, function)
    }

    /// The instance of a function called back at `callsite` of `caller`.
    pub fn call_back(
        &mut self,
        code: &Code,
        caller: InstanceId,
        callsite: usize,
        function: usize,
    ) -> InstanceId {
        let key = (caller, callsite, function);
        if let Some(&id) = self.callees.get(&key) {
            return id;
        }
        let id = self.add(code, Some((caller, callsite)), function);
        self.callees.insert(key, id);
        id
    }

    /// The instance of a function that nothing on its path called.
    pub fn root(&mut self, code: &Code, function: usize) -> InstanceId {
        if function == 0 {
            return InstanceId::ENTRY;
        }
        if let Some(&id) = self.roots.get(&function) {
            return id;
        }
        let id = self.add(code, None, function);
        self.roots.insert(function, id);
        id
    }

    /// Begins to collect what an instruction surely writes. Not needed for one that can't write the
    /// stack.
    pub fn begin(&mut self, id: InstanceId, pc: usize) {
        let depth = self.instance(id).depth;
        self.writing = Some((id, pc));
        self.writes.clear();
        self.writes.resize(depth + 1, 0);
    }

    /// The instruction reads slots of a frame.
    #[inline]
    pub fn read(&mut self, id: InstanceId, frame: usize, pc: usize, slots: u64) {
        self.instances[id.0 as usize].read(frame, pc, slots);
    }

    /// The instruction surely writes slots of a frame.
    pub fn write(&mut self, frame: usize, slots: u64) {
        if let Some(writes) = self.writes.get_mut(frame) {
            *writes |= slots;
        }
    }

    /// Ends the collection, if there is one: only what every visit writes is surely written.
    pub fn commit(&mut self) {
        let Some((id, pc)) = self.writing.take() else { return };
        self.instances[id.0 as usize].commit(pc, &self.writes);
    }

    /// A path ended, or a function returns: brings the innermost instance and its callers up to
    /// date.
    pub fn update<O: Observer>(&mut self, code: &Code, id: InstanceId, observer: &mut O) {
        let mut next = Some(id);
        while let Some(id) = next {
            let instance = &mut self.instances[id.0 as usize];
            next = instance.parent.map(|(parent, _)| parent);
            if instance.changed.iter().all(Vec::is_empty) {
                continue;
            }
            observer.solving(code, Noted { liveness: self, id });
            let instance = &mut self.instances[id.0 as usize];
            for frame in 0..=instance.depth {
                instance.solve(code, frame);
            }
            self.tell_caller(id);
        }
    }

    fn tell_caller(&mut self, id: InstanceId) {
        let instance = self.instance(id);
        let Some((parent, callsite)) = instance.parent else { return };
        let entry: Vec<Marks> = (0..instance.depth)
            .map(|frame| instance.frames[frame].first().copied().unwrap_or_default())
            .collect();
        let caller = &mut self.instances[parent.0 as usize];
        for (frame, marks) in entry.iter().enumerate() {
            if marks.live_before != 0 {
                caller.read(frame, callsite, marks.live_before);
            }
        }
        let writes: Vec<u64> = entry.iter().map(|marks| marks.written_later).collect();
        caller.commit(callsite, &writes);
    }

    /// The slots of a frame that are read at or after `pc`, in the instance that runs there and in
    /// the callers between the frame and it.
    #[must_use]
    pub fn live_slots(&self, code: &Code, id: InstanceId, pc: usize, frame: usize) -> u64 {
        let mut instance = self.instance(id);
        let mut live = instance.live_before(frame, pc);
        while instance.depth > frame {
            let Some((parent, callsite)) = instance.parent else { break };
            instance = self.instance(parent);
            // A call that calls back comes again.
            let again = code.insns[callsite].widens == Some(Widens::CallBack);
            live |= instance.live_before(frame, if again { callsite } else { callsite + 1 });
        }
        live
    }
}

impl Instance {
    fn marks(&mut self, frame: usize, pc: usize) -> &mut Marks {
        let len = self.end - self.start;
        let marks = &mut self.frames[frame];
        if marks.is_empty() {
            marks.resize(len, Marks::default());
        }
        &mut marks[pc - self.start]
    }

    fn live_before(&self, frame: usize, pc: usize) -> u64 {
        self.frames[frame].get(pc - self.start).map_or(0, |marks| marks.live_before)
    }

    fn read(&mut self, frame: usize, pc: usize, slots: u64) {
        let marks = self.marks(frame, pc);
        if marks.may_read | slots != marks.may_read {
            marks.may_read |= slots;
            self.changed[frame].push(pc);
        }
    }

    fn commit(&mut self, pc: usize, writes: &[u64]) {
        let first = !std::mem::replace(&mut self.visited[pc - self.start], true);
        for (frame, &written) in writes.iter().enumerate() {
            if self.frames[frame].is_empty() && written == 0 {
                continue;
            }
            let marks = self.marks(frame, pc);
            let now = if first { written } else { marks.must_write & written };
            if now != marks.must_write {
                marks.must_write = now;
                self.changed[frame].push(pc);
            }
        }
    }

    /// Solves for a frame: from the instructions whose marks changed, backwards as far as anything
    /// changes.
    fn solve(&mut self, code: &Code, frame: usize) {
        let mut work = std::mem::take(&mut self.changed[frame]);
        work.sort_unstable();
        work.dedup();
        let start = self.start;
        let marks = &mut self.frames[frame];
        while let Some(pc) = work.pop() {
            let mut live = 0;
            let mut written = u64::MAX;
            let mut any = false;
            for next in code.neighbours.successors(pc) {
                let after = &marks[next - start];
                live |= after.live_before;
                written &= after.written_later;
                any = true;
            }
            let own = &mut marks[pc - start];
            let live = (live & !own.must_write) | own.may_read;
            let written = if any { written } else { 0 } | own.must_write;
            if live != own.live_before || written != own.written_later {
                own.live_before = live;
                own.written_later = written;
                work.extend(code.neighbours.predecessors(pc));
            }
        }
    }
}
