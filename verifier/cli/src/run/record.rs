//! What is said of runs; the fields of JSON lines, in their order.

use serde::Serialize;

use super::context::FieldChange;
use super::maps::{Dump, Element, Entered, Typed};
use super::trouble::Trouble;

/// A line of JSON. The fields are stable: a new one may come, none goes or changes its meaning.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Line {
    Run(Box<RunLine>),
    Summary(Summary),
    Map(MapLine),
    Assembly(AssemblyLine),
    Error(ErrorLine),
}

/// The program that runs.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Subject {
    pub(super) object: String,
    pub(super) program: String,
    pub(super) prog_type: &'static str,
    /// `interpreter`, `checked` or `jit`.
    pub(super) engine: &'static str,
}

/// One run, or the runs on copies of one input.
#[derive(Debug, Serialize)]
pub(super) struct RunLine {
    #[serde(flatten)]
    pub(super) subject: Subject,
    /// The number of the packet in its file, from 1.
    pub(super) number: Option<usize>,
    /// None when the run ended early.
    pub(super) r0: Option<u64>,
    /// Its name, where it has one.
    pub(super) verdict: Option<&'static str>,
    pub(super) error: Option<Trouble>,
    pub(super) packet: Option<PacketLine>,
    /// Fields that the program changed.
    pub(super) context: Vec<FieldChange>,
    /// The context's bytes, when they were given as bytes.
    pub(super) context_bytes: Option<BytesLine>,
    pub(super) runs: u32,
    /// The median.
    pub(super) time_ns: Option<u64>,
}

/// A packet before and after a run.
#[derive(Debug, Serialize)]
pub(super) struct PacketLine {
    #[serde(flatten)]
    pub(super) bytes: BytesLine,
    /// What the program put in front of it.
    pub(super) metadata: Option<Hex>,
}

/// Bytes before and after a run.
#[derive(Debug, Serialize)]
pub(super) struct BytesLine {
    pub(super) before: Hex,
    /// None when nothing changed.
    pub(super) after: Option<Hex>,
}

/// Bytes, in JSON as text `0x..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hex(pub(super) Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::hex::text(&self.0))
    }
}

impl BytesLine {
    pub(super) fn new(before: Vec<u8>, after: Vec<u8>) -> BytesLine {
        let after = (before != after).then_some(Hex(after));
        BytesLine { before: Hex(before), after }
    }
}

/// The runs on the packets of a file.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    #[serde(flatten)]
    pub(super) subject: Subject,
    pub(super) file: String,
    pub(super) packets: usize,
    /// Packets that the program changed.
    pub(super) changed: usize,
    /// Packets on which the run ended early.
    pub(super) failed: usize,
    /// By r0, the most frequent first.
    pub(super) verdicts: Vec<VerdictLine>,
    /// The median of the packets' times.
    pub(super) time_ns: Option<u64>,
}

/// Packets with one r0.
#[derive(Clone, Debug, Serialize)]
pub(super) struct VerdictLine {
    pub(super) r0: u64,
    pub(super) verdict: Option<&'static str>,
    pub(super) packets: usize,
    pub(super) bytes: u64,
}

/// A map after the last run.
#[derive(Debug, Serialize)]
pub(super) struct MapLine {
    pub(super) name: String,
    pub(super) map_type: String,
    pub(super) entries: Vec<Element>,
    /// Elements of arrays that are all zeros, and not among `entries`.
    pub(super) zeros_left_out: usize,
}

/// The machine code.
#[derive(Debug, Serialize)]
pub(super) struct AssemblyLine {
    pub(super) program: String,
    pub(super) text: String,
}

/// Why nothing ran.
#[derive(Debug, Serialize)]
pub(super) struct ErrorLine {
    pub(super) object: String,
    #[serde(flatten)]
    pub(super) error: Trouble,
}

impl MapLine {
    /// A map as it is now; `entered` are the programs that were put into arrays of programs.
    pub(super) fn new(typed: &Typed<'_>, entered: &[Entered]) -> MapLine {
        let Dump { mut entries, left_out } = typed.dump();
        let here = entered.iter().filter(|entry| entry.map == typed.name);
        entries.extend(here.map(|entry| Element {
            key: entry.index.into(),
            value: entry.program.as_str().into(),
            values: None,
        }));
        MapLine { name: typed.name.clone(), map_type: typed.type_name(), entries, zeros_left_out: left_out }
    }
}

impl Summary {
    /// Nothing ran yet.
    pub(super) fn new(subject: Subject, file: String) -> Summary {
        Summary { subject, file, packets: 0, changed: 0, failed: 0, verdicts: Vec::new(), time_ns: None }
    }

    /// Counts a run on a packet of so many bytes.
    pub(super) fn count(&mut self, line: &RunLine, bytes: u64) {
        self.packets += 1;
        self.changed += usize::from(line.packet.as_ref().is_some_and(|packet| packet.bytes.after.is_some()));
        let Some(r0) = line.r0 else {
            self.failed += 1;
            return;
        };
        match self.verdicts.iter_mut().find(|row| row.r0 == r0) {
            Some(row) => {
                row.packets += 1;
                row.bytes += bytes;
            }
            None => self.verdicts.push(VerdictLine { r0, verdict: line.verdict, packets: 1, bytes }),
        }
    }

    /// All runs were counted.
    pub(super) fn finish(&mut self, times: Vec<u64>) {
        self.verdicts.sort_by_key(|row| (std::cmp::Reverse(row.packets), row.r0));
        self.time_ns = median(times);
    }
}

/// The one in the middle.
pub(super) fn median(mut times: Vec<u64>) -> Option<u64> {
    let middle = times.len() / 2;
    (!times.is_empty()).then(|| *times.select_nth_unstable(middle).1)
}
