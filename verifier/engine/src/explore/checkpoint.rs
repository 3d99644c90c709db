//! Remembered states.

use smallvec::SmallVec;

use super::equal::Difference;
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
    /// By frame: the other slots that hold something a state must match. Meaningful when `cleaned`.
    pub telling_slots: SmallVec<[u64; 2]>,
    /// True when deadness was determined, which happens once, when all its paths are explored.
    pub cleaned: bool,
    /// Paths from here that are still to be explored.
    pub branches: u32,
    /// How often a path stopped here.
    pub hits: u32,
    /// How often a path did not stop here and wanted to store a state of its own.
    pub misses: u32,
    /// Where the last state that it did not stand for differed.
    pub differed: Option<Difference>,
    /// True when it left its list but has paths to explore still.
    pub evicted: bool,
}

/// The remembered states of some instructions, oldest first.
#[derive(Clone, Debug, Default)]
struct Bucket {
    list: Vec<Listed>,
    /// How many of them are explored completely and not cleaned.
    unclean: u32,
}

/// A checkpoint in a bucket, with what is asked first.
#[derive(Clone, Copy, Debug)]
struct Listed {
    id: CheckpointId,
    pc: u32,
}

/// All checkpoints of a run, and which of them stand before which instruction.
#[derive(Debug, Default)]
pub struct Checkpoints {
    all: Vec<Checkpoint>,
    /// Places in `all` of checkpoints that are gone.
    free: Vec<CheckpointId>,
    /// By number of a bucket: where it stands in `buckets`, 0 for empty ones never used.
    numbers: Vec<u32>,
    /// The buckets in use; the first stands for the others, and stays empty.
    buckets: Vec<Bucket>,
    listed: usize,
    evicted: usize,
    /// How many were alive when functions before were done: they count on.
    forgotten: usize,
    /// How many were ever stored.
    pub total: usize,
    /// The most that were alive at once.
    pub peak: usize,
}

impl Checkpoints {
    /// No checkpoints, for a program of `len` instructions.
    #[must_use]
    pub fn new(len: usize) -> Checkpoints {
        Checkpoints { numbers: vec![0; len], buckets: vec![Bucket::default()], ..Checkpoints::default() }
    }

    /// Forgets all checkpoints; what was counted stays.
    pub fn restart(&mut self, len: usize) {
        let forgotten = self.forgotten + self.listed + self.evicted;
        let (total, peak) = (self.total, self.peak);
        *self = Checkpoints { total, peak, forgotten, ..Checkpoints::new(len) };
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
        self.numbers[self.number(pc, callsite)] as usize
    }

    #[inline]
    fn number(&self, pc: usize, callsite: usize) -> usize {
        (((pc as u32) ^ (callsite as u32)) % self.numbers.len() as u32) as usize
    }

    /// How many are in a bucket.
    #[inline]
    #[must_use]
    pub fn count_in(&self, bucket: usize) -> usize {
        self.buckets[bucket].list.len()
    }

    /// One of those in a bucket, 0 being the oldest, when it stands before `pc`.
    #[inline]
    #[must_use]
    pub fn at(&self, bucket: usize, index: usize, pc: usize) -> Option<CheckpointId> {
        let listed = self.buckets[bucket].list[index];
        (listed.pc as usize == pc).then_some(listed.id)
    }

    /// True when some in a bucket are explored completely and not cleaned.
    #[inline]
    #[must_use]
    pub fn has_unclean(&self, bucket: usize) -> bool {
        self.buckets[bucket].unclean > 0
    }

    /// A checkpoint in a bucket is cleaned now: these slots are dead, by frame. With
    /// `uninit_stack`, a slot tells nothing unless it holds a register or zeros.
    pub fn clean(
        &mut self,
        bucket: usize,
        id: CheckpointId,
        dead_slots: SmallVec<[u64; 2]>,
        uninit_stack: bool,
    ) {
        self.buckets[bucket].unclean -= 1;
        let checkpoint = self.get_mut(id);
        let frames = checkpoint.state.frames.iter().zip(&dead_slots);
        checkpoint.telling_slots =
            frames.map(|(frame, dead)| frame.stack.telling(uninit_stack) & !dead).collect();
        checkpoint.dead_slots = dead_slots;
        checkpoint.cleaned = true;
    }

    /// Remembers a state. `copies` of states are alive beside the checkpoints.
    pub fn store(&mut self, state: State, copies: usize) -> CheckpointId {
        let frames = state.frames.len();
        let number = self.number(state.pc, state.frame().callsite);
        if self.numbers[number] == 0 {
            self.numbers[number] = self.buckets.len() as u32;
            self.buckets.push(Bucket::default());
        }
        let bucket = self.numbers[number] as usize;
        let pc = state.pc as u32;
        let checkpoint = Checkpoint {
            state,
            precise: SmallVec::from_elem(Precise::default(), frames),
            dead_slots: SmallVec::new(),
            telling_slots: SmallVec::new(),
            cleaned: false,
            branches: 1,
            hits: 0,
            misses: 0,
            differed: None,
            evicted: false,
        };
        let id = match self.free.pop() {
            Some(id) => {
                *self.get_mut(id) = checkpoint;
                id
            }
            None => {
                self.all.push(checkpoint);
                CheckpointId(self.all.len() as u32 - 1)
            }
        };
        self.buckets[bucket].list.push(Listed { id, pc });
        self.total += 1;
        self.listed += 1;
        self.count_peak(copies);
        id
    }

    /// Takes a checkpoint off its list. It lives on while it has paths to explore.
    /// `keep`: it is looked at again, although it is explored.
    pub fn evict(&mut self, bucket: usize, index: usize, keep: bool) {
        let id = self.buckets[bucket].list.remove(index).id;
        self.listed -= 1;
        self.evicted += 1;
        let checkpoint = self.get_mut(id);
        checkpoint.evicted = true;
        if checkpoint.branches == 0 {
            let cleaned = checkpoint.cleaned;
            self.buckets[bucket].unclean -= u32::from(!cleaned);
            if !keep {
                self.release(id);
            }
        }
    }

    /// An evicted checkpoint has no paths to explore: nothing refers to it any more.
    fn release(&mut self, id: CheckpointId) {
        self.get_mut(id).state.frames.clear();
        self.evicted -= 1;
        self.free.push(id);
    }

    /// A path that hung on a checkpoint has ended; true when it was the last one.
    pub fn path_ended(&mut self, id: CheckpointId) -> bool {
        let checkpoint = self.get_mut(id);
        checkpoint.branches -= 1;
        checkpoint.branches == 0
    }

    /// Every path from a checkpoint is explored. `keep`: it is looked at again, also when it left
    /// its list.
    pub fn completed(&mut self, id: CheckpointId, keep: bool) {
        let checkpoint = self.get(id);
        if !checkpoint.evicted {
            let (pc, callsite) = (checkpoint.state.pc, checkpoint.state.frame().callsite);
            let bucket = self.bucket(pc, callsite);
            self.buckets[bucket].unclean += 1;
        } else if !keep {
            self.release(id);
        }
    }

    /// So many copies of states are alive beside the checkpoints.
    pub fn count_peak(&mut self, copies: usize) {
        self.peak = self.peak.max(self.forgotten + self.listed + self.evicted + copies);
    }
}
