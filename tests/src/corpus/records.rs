//! What was recorded: cases, and what the kernel said of them.

use std::{fmt, fs, io, path::Path, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::raw::{self, RawProgram};

/// A file of a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum File {
    /// `raw.jsonl`.
    Raw,
    /// `selftests.jsonl`.
    Selftests,
    /// `realworld.jsonl`.
    Realworld,
}

impl File {
    /// All of them, in the order in which they are run.
    pub const ALL: [File; 3] = [File::Raw, File::Selftests, File::Realworld];

    /// The name without its ending.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            File::Raw => "raw",
            File::Selftests => "selftests",
            File::Realworld => "realworld",
        }
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What the kernel said of a program. What was not recorded is `None`.
#[derive(Clone, Debug, Serialize)]
pub struct Expected {
    /// True when it was loaded.
    pub accepted: bool,
    /// The error's number, 0 for accepted programs.
    pub errno: i32,
    /// The last line of the log of a rejected program.
    pub message: String,
    /// Instructions processed.
    pub processed: u64,
    /// States remembered.
    pub total_states: u64,
    /// The most of them alive at once.
    pub peak_states: u64,
    /// The most remembered states that one lookup went through.
    pub max_states_per_insn: Option<u64>,
    /// Stack by function: `8+16`.
    pub stack_depth: Option<String>,
    /// r0 of a test run with 64 bytes of zeros.
    #[serde(skip)]
    pub retval: Option<i32>,
}

/// A program of a corpus.
#[derive(Debug)]
pub struct Case {
    /// Where it is recorded.
    pub file: File,
    /// The object, or the source file of a table test.
    pub object: String,
    /// The program's name there.
    pub program: String,
    /// What the kernel said.
    pub expected: Expected,
    /// What the author of the program expects in the log, in this order.
    pub expected_msgs: Vec<String>,
    /// The program.
    pub source: Source,
}

/// Where a case's program comes from.
#[derive(Debug)]
pub enum Source {
    /// From its record.
    Raw(Box<RawProgram>),
    /// From an object.
    Object {
        /// The object's path.
        path: PathBuf,
        /// The program type, as the record names it: lower case, without a prefix.
        prog_type: String,
        /// The attach type.
        attach: Attach,
        /// Flags of loading; `None` for those of the section.
        flags: Option<u32>,
        /// True when a loader fills in what user space would set: a capacity of 0 becomes 1.
        fill_maps: bool,
    },
}

/// An attach type as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attach {
    /// By its number.
    Number(u32),
    /// By its name, lower case and without a prefix.
    Name(String),
}

#[derive(Deserialize)]
struct SelftestRecord {
    object: String,
    program: String,
    prog_type: String,
    attach_type: String,
    prog_flags: u32,
    verdict: String,
    errno: i32,
    #[serde(default)]
    message: String,
    processed: u64,
    total_states: u64,
    peak_states: u64,
    max_states_per_insn: u64,
    stack_depth: String,
    #[serde(default)]
    retval: Option<i32>,
    #[serde(default)]
    expected_msgs: Vec<String>,
}

#[derive(Deserialize)]
struct RealworldRecord {
    object: String,
    program: String,
    prog_type: String,
    attach_type: u32,
    map_fixed: u32,
    verdict: String,
    errno: i32,
    processed: u64,
    total_states: u64,
    peak_states: u64,
    max_states_per_insn: u64,
    last_log: String,
}

/// Reads a file of the corpus in `folder`; nothing when there is no such file.
///
/// # Errors
///
/// When it cannot be read, or a line is not a record.
pub fn read(folder: &Path, file: File) -> io::Result<Vec<Case>> {
    let path = folder.join(format!("{file}.jsonl"));
    if !path.exists() {
        return Ok(Vec::new());
    }
    match file {
        File::Raw => Ok(raw::read(&path)?.into_iter().map(raw_case).collect()),
        File::Selftests => {
            lines(&path)?.map(|line| Ok(selftest(folder, serde_json::from_str(line?.as_str())?))).collect()
        }
        File::Realworld => {
            lines(&path)?.map(|line| Ok(realworld(folder, serde_json::from_str(line?.as_str())?))).collect()
        }
    }
}

fn lines(path: &Path) -> io::Result<impl Iterator<Item = io::Result<String>>> {
    Ok(io::BufRead::lines(io::BufReader::new(fs::File::open(path)?)))
}

fn raw_case(raw: RawProgram) -> Case {
    let record = &raw.record;
    Case {
        file: File::Raw,
        object: record.file.clone(),
        program: record.name.clone(),
        expected: Expected {
            accepted: record.verdict == "accept",
            errno: record.errno,
            message: record.message.clone(),
            processed: record.processed,
            total_states: record.total_states,
            peak_states: record.peak_states,
            max_states_per_insn: None,
            stack_depth: Some(record.stack_depth.clone()),
            retval: None,
        },
        expected_msgs: Vec::new(),
        source: Source::Raw(Box::new(raw)),
    }
}

fn selftest(folder: &Path, record: SelftestRecord) -> Case {
    Case {
        file: File::Selftests,
        expected: Expected {
            accepted: record.verdict == "accept",
            errno: record.errno,
            message: record.message,
            processed: record.processed,
            total_states: record.total_states,
            peak_states: record.peak_states,
            max_states_per_insn: Some(record.max_states_per_insn),
            stack_depth: Some(record.stack_depth),
            retval: record.retval,
        },
        expected_msgs: record.expected_msgs,
        source: Source::Object {
            path: folder.join(format!("selftests/{}.bpf.o", record.object)),
            prog_type: record.prog_type,
            attach: Attach::Name(record.attach_type),
            flags: Some(record.prog_flags),
            fill_maps: false,
        },
        object: record.object,
        program: record.program,
    }
}

fn realworld(folder: &Path, record: RealworldRecord) -> Case {
    let accepted = record.verdict == "accept";
    Case {
        file: File::Realworld,
        expected: Expected {
            accepted,
            errno: record.errno,
            message: if accepted { String::new() } else { record.last_log },
            processed: record.processed,
            total_states: record.total_states,
            peak_states: record.peak_states,
            max_states_per_insn: Some(record.max_states_per_insn),
            stack_depth: None,
            retval: None,
        },
        expected_msgs: Vec::new(),
        source: Source::Object {
            path: folder.join("realworld").join(&record.object),
            prog_type: record.prog_type,
            attach: Attach::Number(record.attach_type),
            flags: None,
            fill_maps: record.map_fixed > 0,
        },
        object: record.object,
        program: record.program,
    }
}
