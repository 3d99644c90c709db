//! Remembered states.

use smallvec::SmallVec;

use super::walk::Observer;
use crate::state::State;

/// The index of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CheckpointId(pub u32);

/// The scalars of a frame whose exact value safety hangs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Precise {
    /// Registers, as bits.
    pub regs: u16,
    /// Stack slots, as bits.
    pub slots: u64,
}

/// A remembered state. Its frames are shared with the path that stored it: what is learnt later
/// (precision, deadness) is kept beside them as masks.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The state.
    pub state: State,
    /// By frame: where precision was asked for.
    pub precise: SmallVec<[Precise; 2]>,
    /// By frame: slots that nothing reads any more. Meaningful when `cleaned`.
    pub dead_slots: SmallVec<[u64; 2]>,
    /// True when deadness was determined, which happens once, when all its paths are explored.
    pub cleaned: bool,
    /// Paths from here that are still to be explored.
    pub branches: u32,
    /// How often a path stopped here.
    pub hits: u32,
    /// How often a path did not stop here and wanted to store a state of its own.
    pub misses: u32,
    /// True when it left its list but has paths to explore still.
    pub evicted: bool,
}

/// All checkpoints of a run, and which of them stand before which instruction.
#[derive(Debug, Default)]
pub struct Checkpoints {
    all: Vec<Checkpoint>,
    /// By bucket, oldest first.
    lists: Vec<Vec<CheckpointId>>,
    listed: usize,
    evicted: usize,
    /// How many were ever stored.
    pub total: usize,
    /// The most that were alive at once.
    pub peak: usize,
}

impl Checkpoints {
    /// No checkpoints, for a program of `len` instructions.
    #[must_use]
    pub fn new(len: usize) -> Checkpoints {
        Checkpoints { lists: vec![Vec::new(); len], ..Checkpoints::default() }
    }

    /// A checkpoint.
    #[inline]
    #[must_use]
    pub fn get(&self, id: CheckpointId) -> &Checkpoint {
        &self.all[id.0 as usize]
    }

    /// A checkpoint, to be changed.
    #[inline]
    pub fn get_mut(&mut self, id: CheckpointId) -> &mut Checkpoint {
        &mut self.all[id.0 as usize]
    }

    /// The bucket of the states at an instruction in a call. Now and then states of other
    /// instructions share it; the kernel counts them in `max_states_per_insn`, so it is kept.
    #[inline]
    #[must_use]
    pub fn bucket(&self, pc: usize, callsite: usize) -> usize {
        ((pc as u32) ^ (callsite as u32)) as usize % self.lists.len()
    }

    /// How many are in a bucket.
    #[inline]
    #[must_use]
    pub fn count_in(&self, bucket: usize) -> usize {
        self.lists[bucket].len()
    }

    /// One of those in a bucket, 0 being the oldest.
    #[inline]
    #[must_use]
    pub fn at(&self, bucket: usize, index: usize) -> CheckpointId {
        self.lists[bucket][index]
    }

    /// Remembers a state.
    pub fn store(&mut self, state: State) -> CheckpointId {
        let id = CheckpointId(self.all.len() as u32);
        let frames = state.frames.len();
        let bucket = self.bucket(state.pc, state.frame().callsite);
        self.lists[bucket].push(id);
        self.all.push(Checkpoint {
            state,
            precise: SmallVec::from_elem(Precise::default(), frames),
            dead_slots: SmallVec::from_elem(0, frames),
            cleaned: false,
            branches: 1,
            hits: 0,
            misses: 0,
            evicted: false,
        });
        self.total += 1;
        self.listed += 1;
        self.peak = self.peak.max(self.listed + self.evicted);
        id
    }

    /// Takes a checkpoint off its list. It lives on while it has paths to explore.
    pub fn evict(&mut self, bucket: usize, index: usize) {
        let id = self.lists[bucket].remove(index);
        self.listed -= 1;
        self.evicted += 1;
        self.get_mut(id).evicted = true;
        self.release_if_done(id);
    }

    fn release_if_done(&mut self, id: CheckpointId) {
        let checkpoint = self.get_mut(id);
        if checkpoint.evicted && checkpoint.branches == 0 {
            checkpoint.evicted = false;
            checkpoint.state.frames.clear();
            self.evicted -= 1;
        }
    }

    /// A path that hung on `parent` has ended: walks up and counts.
    pub fn end_path<O: Observer>(&mut self, mut parent: Option<CheckpointId>, observer: &mut O) {
        while let Some(id) = parent {
            let checkpoint = self.get_mut(id);
            checkpoint.branches -= 1;
            if checkpoint.branches > 0 {
                break;
            }
            parent = checkpoint.state.parent;
            observer.completed(id);
            self.release_if_done(id);
        }
    }
}
