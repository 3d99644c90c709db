//! Loads a program and reads the verdict.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::OnceLock,
    time::{Duration, Instant},
};

use probity_isa::Insn;
use probity_program::{Btf, Program, btf::Kind};

use super::{
    OracleError,
    btf::BtfImage,
    encode::encode,
    log::{LogSummary, summarize},
    maps,
    sys::{self, MapFd, ProgLoad},
};

/// Only the statistics.
pub const LOG_STATS: u32 = 4;
/// The path that led to the error, and its reason.
pub const LOG_TRACE: u32 = 1;
/// All paths, with what was found out on the way.
pub const LOG_ALL: u32 = 2;

const LOG_START: usize = 64 << 10;
const LOG_LIMIT: usize = 64 << 20;
const LD_IMM64: u8 = 0x18;
const CALL: u8 = 0x85;

/// How to ask.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// A sum of [`LOG_TRACE`] or [`LOG_ALL`], and [`LOG_STATS`]; 0 for no log and the right time.
    pub log_level: u32,
    /// True to load the program's BTF too, where it has some: function and line information, and
    /// the types of its maps.
    pub btf: bool,
}

impl Default for LoadOptions {
    /// A log of level 1 with statistics; with BTF.
    fn default() -> LoadOptions {
        LoadOptions { log_level: LOG_TRACE | LOG_STATS, btf: true }
    }
}

/// What the kernel said of a program.
#[derive(Debug)]
pub struct KernelVerdict {
    /// True when it was loaded.
    pub accepted: bool,
    /// The error's number, 0 when it was accepted.
    pub errno: i32,
    /// The reason of a rejection, its last line; empty for an accepted program.
    pub message: String,
    /// The whole log.
    pub log: String,
    /// How many instructions were walked over. This and the next four numbers need a log.
    pub processed: u64,
    /// How many states were kept.
    pub total_states: u64,
    /// How many states were kept at the same time.
    pub peak_states: u64,
    /// The largest number of states that were compared at one instruction.
    pub max_states_per_insn: u64,
    /// The stack depths of the functions: `8+16`. Empty without [`LOG_STATS`].
    pub stack_depth: String,
    /// How long the last system call took: the verification, and the compilation that follows.
    pub elapsed: Duration,
    /// The time of a processor that this call took.
    pub cpu: Duration,
    /// The loaded program, for [`test_run`](super::test_run).
    pub fd: Option<OwnedFd>,
}

/// Asks the kernel for its verdict. Its maps are created for this call; they live on as long as
/// the loaded program does.
///
/// # Errors
///
/// As [`Prepared::new`].
pub fn load(program: &Program, options: &LoadOptions) -> Result<KernelVerdict, OracleError> {
    Ok(Prepared::new(program, options.btf)?.ask(options.log_level))
}

/// A program with everything that the kernel wants beside it: its maps are created, its BTF is
/// loaded, its instructions refer to both. It can be asked about more than once.
#[derive(Debug)]
pub struct Prepared<'a> {
    program: &'a Program,
    insns: Vec<u8>,
    attach_btf_id: u32,
    btf: Option<OwnedFd>,
    func_info: Vec<u8>,
    line_info: Vec<u8>,
    _maps: Vec<MapFd>,
}

impl<'a> Prepared<'a> {
    /// Creates and loads what the program refers to; its BTF only where `btf` says so.
    ///
    /// # Errors
    ///
    /// When there can be no verdict: a map or the BTF was refused, or the program names something
    /// that the kernel does not have.
    pub fn new(program: &'a Program, btf: bool) -> Result<Prepared<'a>, OracleError> {
        let mut image = program.btf.as_deref().filter(|_| btf).map(encode);
        if let Some(image) = &mut image {
            image.sanitize();
        }
        let (func_info, line_info) = match &mut image {
            Some(image) => (func_info(program), line_info(program, image)),
            None => (Vec::new(), Vec::new()),
        };
        let btf = image.map(|image| load_btf(&image.to_bytes())).transpose()?;
        let maps = maps::create_all(&program.maps, btf.as_ref().map(AsFd::as_fd))?;
        let insns = linked(program, &maps)?;
        let attach_btf_id = attach_target(program)?;
        Ok(Prepared { program, insns, attach_btf_id, btf, func_info, line_info, _maps: maps })
    }

    /// Asks for the verdict, with a log of this level.
    #[must_use]
    pub fn ask(&self, log_level: u32) -> KernelVerdict {
        let request = ProgLoad {
            prog_type: self.program.prog_type,
            attach_type: self.program.attach_type,
            flags: self.program.flags,
            name: &self.program.name,
            license: &self.program.license,
            insns: &self.insns,
            attach_btf_id: self.attach_btf_id,
            btf: self.btf.as_ref().map(AsFd::as_fd),
            func_info: &self.func_info,
            // The kernel wants to know the functions before the lines.
            line_info: if self.func_info.is_empty() { &[] } else { &self.line_info },
        };
        ask(&request, log_level)
    }
}

/// Creates the first map of a program as it is, with the types that it names, and lets go of it.
///
/// # Errors
///
/// What the kernel answered, or that it refused the BTF.
pub fn create_map(program: &Program) -> Result<(), OracleError> {
    let mut image = program.btf.as_deref().map(encode);
    if let Some(image) = &mut image {
        image.sanitize();
    }
    let btf = image.map(|image| load_btf(&image.to_bytes())).transpose()?;
    maps::create_exactly(&program.maps, btf.as_ref().map(AsFd::as_fd))
        .map_err(|error| OracleError::Map { index: 0, error })
}

/// Loads with a log buffer that grows until it holds the log.
fn ask(request: &ProgLoad<'_>, level: u32) -> KernelVerdict {
    let mut log = vec![0; if level == 0 || level == LOG_STATS { 512 } else { LOG_START }];
    if level == 0 {
        log.clear();
    }
    let mut attempts_left = 5;
    loop {
        let (start, cpu_start) = (Instant::now(), sys::thread_time());
        let loaded = sys::prog_load(request, level, &mut log);
        let (cpu, elapsed) = (sys::thread_time().saturating_sub(cpu_start), start.elapsed());
        match loaded.result.as_ref().map_err(io::Error::raw_os_error) {
            Err(Some(libc::ENOSPC)) if level != 0 && log.len() < LOG_LIMIT => {
                let wanted = loaded.log_size.max(log.len() * 8).next_power_of_two();
                log = vec![0; wanted.min(LOG_LIMIT)];
            }
            // It does not fit: the verdict and the numbers alone.
            Err(Some(libc::ENOSPC)) if level != 0 && level != LOG_STATS => {
                return ask(request, LOG_STATS);
            }
            // A signal came in between.
            Err(Some(libc::EAGAIN)) if attempts_left > 0 => attempts_left -= 1,
            _ => return verdict(loaded.result, &log, elapsed, cpu),
        }
    }
}

fn verdict(result: io::Result<OwnedFd>, log: &[u8], elapsed: Duration, cpu: Duration) -> KernelVerdict {
    let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
    let log = String::from_utf8_lossy(&log[..end]).into_owned();
    let LogSummary { message, processed, max_states_per_insn, total_states, peak_states, stack_depth } =
        summarize(&log);
    let errno = result.as_ref().err().map_or(0, |error| error.raw_os_error().unwrap_or(-1));
    KernelVerdict {
        accepted: result.is_ok(),
        errno,
        message: if result.is_ok() { String::new() } else { message },
        log,
        processed,
        total_states,
        peak_states,
        max_states_per_insn,
        stack_depth,
        elapsed,
        cpu,
        fd: result.ok(),
    }
}

/// The instructions' bytes, with descriptors and ids of this kernel for the indices in `program`.
/// An index of a map that the program does not have stays: it is a wrong descriptor then.
fn linked(program: &Program, maps: &[MapFd]) -> Result<Vec<u8>, OracleError> {
    let mut insns = program.insns.clone();
    let mut pc = 0;
    while pc < insns.len() {
        let insn = &mut insns[pc];
        let index = usize::try_from(insn.imm).ok();
        pc += if insn.code == LD_IMM64 { 2 } else { 1 };
        match (insn.code, insn.src) {
            (LD_IMM64, 1 | 2) => {
                if let Some(map) = index.and_then(|index| maps.get(index)) {
                    insn.imm = map.raw_fd();
                }
            }
            (LD_IMM64, 3) => link(insn, index, &program.ksyms, Kind::Var)?,
            (CALL, 2) => link(insn, index, &program.kfuncs, Kind::Func)?,
            _ => {}
        }
    }
    Ok(insns.into_iter().flat_map(Insn::to_bytes).collect())
}

fn link(insn: &mut Insn, index: Option<usize>, names: &[String], kind: Kind) -> Result<(), OracleError> {
    let Some(name) = index.and_then(|index| names.get(index)) else { return Ok(()) };
    insn.imm = kernel_type(name, kind)?.cast_signed();
    insn.off = 0;
    Ok(())
}

/// The id of a type in the running kernel. Types of its modules are not looked for.
fn kernel_type(name: &str, kind: Kind) -> Result<u32, OracleError> {
    static KERNEL: OnceLock<Option<Btf>> = OnceLock::new();
    let kernel = KERNEL.get_or_init(|| {
        let bytes = std::fs::read("/sys/kernel/btf/vmlinux").ok()?;
        Btf::parse(&bytes).ok()
    });
    let id = kernel.as_ref().and_then(|btf| btf.find_by_name_kind(name, kind));
    id.map(|id| id.0).ok_or_else(|| OracleError::Missing(format!("{kind:?} {name} in the kernel")))
}

/// What the program would be attached to, for the types that say so when they are loaded.
fn attach_target(program: &Program) -> Result<u32, OracleError> {
    const TRACING: u32 = 26;
    const STRUCT_OPS: u32 = 27;
    const LSM: u32 = 29;
    const RAW_TRACEPOINT: u32 = 23;
    const ITER: u32 = 28;
    let name = program.attach_to.as_str();
    match (program.prog_type, program.attach_type) {
        _ if name.is_empty() => Ok(0),
        (TRACING, RAW_TRACEPOINT) => kernel_type(&format!("btf_trace_{name}"), Kind::Typedef),
        (TRACING, ITER) => kernel_type(&format!("bpf_iter_{name}"), Kind::Func),
        (TRACING, _) => kernel_type(name, Kind::Func),
        (LSM, _) => kernel_type(&format!("bpf_lsm_{name}"), Kind::Func),
        // A table of functions, and behind `/` one of them, whose index is the attach type.
        (STRUCT_OPS, _) => kernel_type(name.split('/').next().unwrap_or(name), Kind::Struct),
        _ => Ok(0),
    }
}

/// The kernel's records of functions: all of them or, where one has no type, none.
fn func_info(program: &Program) -> Vec<u8> {
    if program.funcs.iter().any(|func| func.btf_id == 0) {
        return Vec::new();
    }
    let record = |func: &probity_program::FuncInfo| [offset(func.pc), func.btf_id];
    program.funcs.iter().flat_map(record).flat_map(u32::to_ne_bytes).collect()
}

/// The kernel's records of lines; file names and texts are added to the BTF.
fn line_info(program: &Program, image: &mut BtfImage) -> Vec<u8> {
    let mut records = Vec::new();
    for line in &program.lines {
        let position = line.line << 10 | line.column.min(1023);
        let record = [offset(line.pc), image.string(&line.file), image.string(&line.text), position];
        records.extend(record.iter().flat_map(|word| word.to_ne_bytes()));
    }
    records
}

fn offset(pc: usize) -> u32 {
    u32::try_from(pc).expect("programs have fewer instructions")
}

fn load_btf(bytes: &[u8]) -> Result<OwnedFd, OracleError> {
    sys::btf_load(bytes, &mut []).map_err(|error| {
        let mut log = vec![0; LOG_START];
        let _ = sys::btf_load(bytes, &mut log);
        log.truncate(log.iter().position(|&byte| byte == 0).unwrap_or(0));
        let log = String::from_utf8_lossy(&log);
        let tail = log.len().saturating_sub(400);
        let log = log.get(tail..).unwrap_or_default().to_owned();
        OracleError::Btf { error, log }
    })
}
