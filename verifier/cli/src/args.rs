//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use probity::platform::{ProgType, Version};

use crate::PLATFORM;

const EXIT_CODES: &str = "\
Exit codes:
  0  everything was accepted
  1  something was rejected
  2  the command line is wrong
  3  something is unsupported or can't be read (and nothing was rejected)";

const CHECK_EXAMPLES: &str = "\
Examples:
  probity check prog.o                          every program of an object
  probity check build/*.o --format jsonl        one JSON object a program
  probity check prog.o --program filter         one program only
  probity check prog.o --type filter=xdp        the type of a program whose section says none
  probity check prog.o --type filter=sched_cls/tcx_ingress
  probity check prog.o --program filter --log 2         the log that the kernel would write
  probity check prog.o --btf vmlinux.btf --kconfig config.gz      for another kernel than this one
  probity check prog.o --without-cap CAP_PERFMON --without-cap CAP_SYS_ADMIN
  probity check --link a.o b.o                  two objects, linked into one

Exit codes:
  0  every program was accepted
  1  a program was rejected
  2  the command line is wrong
  3  a program is unsupported or an object can't be read (and none was rejected)";

const RUN_EXAMPLES: &str = "\
Examples:
  probity run prog.o                            on 64 zero bytes, or a context of zeros
  probity run prog.o --program filter --packet frame.hex
  probity run prog.o --pcap trace.pcap          every packet, and a summary by verdict
  probity run prog.o --map blocked=blocked.json --dump-maps
  probity run prog.o --packet frame.bin --repeat 100000     the median time a run
  probity run prog.o --checked                  a program that is not accepted, every access checked
  probity run --plugin MEMORY < program.hex     as the runner of bpf_conformance calls it

--ctx takes a JSON object of the context's fields by name, {\"mark\": 7, \"cb\": [1, 2]}; for contexts
that are plain bytes (those of syscall programs) also the bytes. --packet takes raw bytes. Both take
bytes as hexadecimal text too.

--map takes a list of {\"key\": ..., \"value\": ...}: a number, bytes in the order of memory as text
\"0x0a000001\" or as a list, or, when the object has their types, objects by field name. Run slots'
own values are {\"key\": ..., \"values\": [...]}; queues and the like have values only; arrays of
programs have the names of programs as values. --dump-maps prints the same.

Exit codes:
  0  the program ran, whatever it returned
  1  it is not accepted, or a run ended early: with a fault, or out of fuel
  2  the command line is wrong
  3  something is unsupported or can't be read";

/// Verifies eBPF programs offline, and runs them: no kernel, no root.
#[derive(Debug, Parser)]
#[command(name = "probity", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Verify the programs of objects
    Check(CheckArgs),
    /// List the programs and maps of objects
    List(ListArgs),
    /// Print the instructions of programs, with their C source
    Disasm(DisasmArgs),
    /// Run a program on input: its verdict, the changed packet, maps, the time a run
    Run(RunArgs),
    /// Work on spec files
    #[command(subcommand)]
    Spec(SpecCommand),
}

#[derive(Debug, clap::Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(crate) struct CheckArgs {
    /// Objects, as `clang -target bpf -c` writes them
    #[arg(required = true, value_name = "OBJECT")]
    pub(crate) objects: Vec<PathBuf>,
    /// Check only the program with this name; may be given several times
    #[arg(long = "program", value_name = "NAME")]
    pub(crate) programs: Vec<String>,
    /// The type of a program, whatever its section says: a program type with or without
    /// BPF_PROG_TYPE_, and one of its attach types
    #[arg(long = "type", value_name = "PROGRAM=TYPE[/ATTACH]", value_parser = given_type)]
    pub(crate) types: Vec<GivenType>,
    /// BPF_F_* flags of loading, added to those of the sections; decimal, or hexadecimal after 0x
    #[arg(long, value_name = "N", default_value = "0", value_parser = number)]
    pub(crate) prog_flags: u32,
    /// Check for this version of the kernel; may be given several times. A version other than the
    /// one whose semantics the engine has (6.18) is experimental, and marked so
    #[arg(long = "kernel", value_name = "VERSION", value_parser = version)]
    pub(crate) kernels: Vec<Version>,
    /// Check for a loader without this capability, CAP_PERFMON; may be given several times. Without
    /// this, it has all of them
    #[arg(long = "without-cap", value_name = "CAP", value_parser = capability)]
    pub(crate) without_caps: Vec<String>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Link the objects statically into one, as `bpftool gen object` does
    #[arg(long)]
    pub(crate) link: bool,
    /// How the verdicts are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Print the log of each program in the form of the kernel's verifier log, before the verdicts.
    /// A sum of 1, the path to the error; 2, every path and what was found out on the way; and 4,
    /// statistics
    #[arg(long, value_name = "LEVEL", default_value = "0", value_parser = clap::value_parser!(u32).range(0..8))]
    pub(crate) log: u32,
    /// How many programs are checked at once; 0: as many as there are processors
    #[arg(long, short, value_name = "N", default_value_t = 0)]
    pub(crate) jobs: usize,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  probity list prog.o\n  probity list build/*.o --format jsonl")]
pub(crate) struct ListArgs {
    /// Objects
    #[arg(required = true, value_name = "OBJECT")]
    pub(crate) objects: Vec<PathBuf>,
    /// Link the objects statically into one, as `bpftool gen object` does
    #[arg(long)]
    pub(crate) link: bool,
    /// How the list is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  probity disasm prog.o\n  probity disasm prog.o --program filter")]
pub(crate) struct DisasmArgs {
    /// The object; with --link, the objects
    #[arg(required = true, value_name = "OBJECT")]
    pub(crate) objects: Vec<PathBuf>,
    /// Link several objects statically into one, as `bpftool gen object` does
    #[arg(long)]
    pub(crate) link: bool,
    /// Print only the program with this name; may be given several times
    #[arg(long = "program", value_name = "NAME")]
    pub(crate) programs: Vec<String>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArgs {
    /// The object; with --plugin, the memory as hexadecimal bytes
    #[arg(value_name = "OBJECT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The program; needed when the object has several
    #[arg(long, value_name = "NAME")]
    pub(crate) program: Option<String>,
    /// The type of a program, whatever its section says: as for `probity check`
    #[arg(long = "type", value_name = "PROGRAM=TYPE[/ATTACH]", value_parser = given_type)]
    pub(crate) types: Vec<GivenType>,
    /// The context: fields by name in JSON, or bytes
    #[arg(long, value_name = "FILE")]
    pub(crate) ctx: Option<PathBuf>,
    /// The packet, for programs that are called with one
    #[arg(long, value_name = "FILE", conflicts_with = "pcap")]
    pub(crate) packet: Option<PathBuf>,
    /// Run once for every packet of a pcap file
    #[arg(long, value_name = "FILE")]
    pub(crate) pcap: Option<PathBuf>,
    /// Run as machine code
    #[arg(long, conflicts_with = "checked")]
    pub(crate) jit: bool,
    /// Run without verifying, in the interpreter that checks every access
    #[arg(long)]
    pub(crate) checked: bool,
    /// How often, on fresh copies of the input; the median time a run is printed, and what the first
    /// run did. Maps are not fresh: they keep what every run did
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) repeat: u32,
    /// How many back edges and calls a run may take; without it, as many as it likes
    #[arg(long, value_name = "N")]
    pub(crate) fuel: Option<u64>,
    /// Fill a map from a JSON file before the first run; may be given several times
    #[arg(long = "map", value_name = "NAME=FILE", value_parser = given_map)]
    pub(crate) maps: Vec<(String, PathBuf)>,
    /// Print the maps after the last run, as --map takes them
    #[arg(long)]
    pub(crate) dump_maps: bool,
    /// Print the machine code
    #[arg(long)]
    pub(crate) dump_asm: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// How results are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// As the runner of bpf_conformance calls its plugins: the program as hexadecimal bytes on stdin,
    /// r0 in hexadecimal on stdout
    #[arg(long, conflicts_with_all = ["program", "types", "ctx", "packet", "pcap", "maps", "dump_maps", "dump_asm"])]
    pub(crate) plugin: bool,
    /// The runner passes it on when it gives programs as objects
    #[arg(long, hide = true, requires = "plugin")]
    pub(crate) elf: bool,
}

/// The kernel to load into.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// BTF of the target kernel, for CO-RE relocations and the kernel's functions and variables;
    /// by default, when an object needs it, the running kernel's /sys/kernel/btf/vmlinux
    #[arg(long, value_name = "FILE")]
    pub(crate) btf: Option<PathBuf>,
    /// The target kernel's .config, plain or gzip, for __kconfig variables; by default, when an
    /// object needs it, the running kernel's /proc/config.gz or /boot/config-RELEASE
    #[arg(long, value_name = "FILE")]
    pub(crate) kconfig: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SpecCommand {
    /// Check spec files: names, relations, layouts, reachability
    Check(SpecArgs),
    /// Lay spec files out in the one canonical form
    Fmt(SpecFmtArgs),
    /// Print a platform's C header for those who write programs
    Header(SpecPathArgs),
    /// Print a platform's reference page, in Markdown
    Doc(SpecPathArgs),
    /// List a platform's helpers, program types and map types, one a line
    List(SpecPathArgs),
    /// List what a kernel must answer as the spec says, one question a line; PATH may have @VERSION
    Probes(SpecPathArgs),
    /// Say what two platforms, or two versions of one, offer differently
    Diff(SpecDiffArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each PATH is a platform: a file, or a folder of files that make one platform together, or `linux`,
the one that is built in.

Examples:
  probity spec check spec/linux
  probity spec check spec/examples/firewall.bpfspec --deny-warnings")]
pub(crate) struct SpecArgs {
    /// Spec files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Refuse platforms with warnings too
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  probity spec fmt my.bpfspec
  probity spec fmt platform/ --check

Exit codes:
  0  every file is in canonical form (now)
  1  a file is not (--check), has errors, or has comments that would be lost
  3  a file can't be read or written")]
pub(crate) struct SpecFmtArgs {
    /// Spec files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Write nothing: name the files that are not in canonical form
    #[arg(long)]
    pub(crate) check: bool,
    /// Format files with `//` comments too: these comments are lost
    #[arg(long)]
    pub(crate) lose_comments: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SpecPathArgs {
    /// The platform: a spec file or a folder of them
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each of A and B is a PATH, or PATH@VERSION; without a version, the one that the spec describes. The
path `linux` is the platform that is built in.
A line begins with - for what only A has, + for what only B has, ~ for what differs.

Examples:
  probity spec diff linux@6.12 linux@6.18
  probity spec diff old.bpfspec new.bpfspec")]
pub(crate) struct SpecDiffArgs {
    /// A platform, and its version
    #[arg(value_name = "A")]
    pub(crate) from: PathBuf,
    /// Another platform, or another version of it
    #[arg(value_name = "B")]
    pub(crate) to: PathBuf,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One JSON object a line; the fields are stable
    Jsonl,
}

/// A program's type as the command line gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GivenType {
    pub(crate) program: String,
    pub(crate) prog_type: u32,
    pub(crate) attach: Option<u32>,
}

fn given_type(text: &str) -> Result<GivenType, String> {
    let (program, given) = text.split_once('=').ok_or("write PROGRAM=TYPE or PROGRAM=TYPE/ATTACH")?;
    let (name, attach) = match given.split_once('/') {
        Some((name, attach)) => (name, Some(attach)),
        None => (given, None),
    };
    let prog_type = PLATFORM.prog_type_named(name).ok_or_else(|| {
        let known: Vec<String> = PLATFORM.prog_types.iter().map(short_name).collect();
        format!("platform {} has no program type `{name}`; it has {}", PLATFORM.name, known.join(", "))
    })?;
    let attach = match attach {
        Some(attach) => Some(attach_type(prog_type, attach)?),
        None => None,
    };
    Ok(GivenType { program: program.to_owned(), prog_type: prog_type.number, attach })
}

fn attach_type(prog_type: &ProgType, name: &str) -> Result<u32, String> {
    let short = |name: &'static str| name.strip_prefix("BPF_").unwrap_or(name);
    let row = prog_type
        .attach
        .iter()
        .find(|row| row.name.eq_ignore_ascii_case(name) || short(row.name).eq_ignore_ascii_case(name));
    row.map(|row| row.number).ok_or_else(|| {
        let known: Vec<_> = prog_type.attach.iter().map(|row| short(row.name).to_lowercase()).collect();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        format!("{} has no attach type `{name}`; it has {known}", prog_type.name)
    })
}

/// A program type's name as people write it: `xdp`.
pub(crate) fn short_name(prog_type: &ProgType) -> String {
    prog_type.name.strip_prefix("BPF_PROG_TYPE_").unwrap_or(prog_type.name).to_lowercase()
}

/// A capability that a profile has.
fn capability(text: &str) -> Result<String, String> {
    let known = PLATFORM.default_profile().caps;
    if known.iter().any(|cap| cap == text) {
        return Ok(text.to_owned());
    }
    Err(format!("no rule asks for `{text}`; loaders have {}", known.join(", ")))
}

/// A version, `6.18`.
pub(crate) fn version(text: &str) -> Result<Version, String> {
    let number = |text: &str| text.parse::<u16>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let parts = text.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    let (major, minor) = parts.ok_or_else(|| format!("`{text}` is no version; write 6.18"))?;
    Ok(Version::new(major, minor))
}

fn given_map(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write NAME=FILE")?;
    Ok((name.to_owned(), file.into()))
}

fn number(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn types_are_read_by_name() {
        let given = |text| given_type(text).map(|given| (given.program, given.prog_type, given.attach));
        assert_eq!(given("a=xdp"), Ok(("a".into(), 6, None)));
        assert_eq!(given("a=BPF_PROG_TYPE_XDP/xdp_devmap"), Ok(("a".into(), 6, Some(33))));
        assert_eq!(given("a=Sched_Cls/BPF_TCX_INGRESS"), Ok(("a".into(), 3, Some(46))));
        assert!(given("a").unwrap_err().contains("PROGRAM=TYPE"));
        assert!(given("a=nothing").unwrap_err().contains("no program type `nothing`; it has "));
        assert!(given("a=xdp/tcx_ingress").unwrap_err().contains("it has xdp_devmap"));
    }

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        assert_eq!((number("17"), number("0x11"), number("0X1f")), (Ok(17), Ok(17), Ok(31)));
        assert!(number("-1").is_err() && number("0x").is_err() && number("4294967296").is_err());
    }
}
