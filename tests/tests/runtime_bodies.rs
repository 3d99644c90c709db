//! What helpers do, through whole runs in the checked interpreter: small programs, what they return and
//! what they leave in memory.

use std::sync::{Arc, Mutex};

use probity::vm::{
    CheckedProgram, Executable, Fault, Input, Map, Packet, RingConsumer, RingProducer, RunError, Runtime,
    RuntimeOptions, Sink,
};
use probity_engine::{Verdict, verify};
use probity_isa::assemble;
use probity_linux::PLATFORM;
use probity_platform::Profile;
use probity_program::{MapDef, Program};
use probity_tests::bodies::frozen;

const SCHED_CLS: u32 = 3;
const ARRAY: u32 = 2;
const RINGBUF: u32 = 27;
const USER_RINGBUF: u32 = 31;
const HASH: u32 = 1;

/// Map 0: 64 bytes that programs write. Map 1: the constants. Map 2: a ring buffer. Map 3: an array of
/// numbers. Map 4: a ring buffer of user space. Map 5: a hash table.
const CONSTANTS: &[u8] = b"abcdefg\0%d+%x=%s\0......-12 0x1F zz\0";
/// Where the constants have a format, and text with numbers.
const FORMAT: usize = 8;
const NUMBERS: usize = 23;

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Sink for Lines {
    fn line(&self, text: &str) {
        self.0.lock().expect("nobody panics with it").push(text.to_owned());
    }
}

struct Ran {
    result: Result<u64, RunError>,
    out: Vec<u8>,
    lines: Vec<String>,
    maps: Vec<Arc<Map>>,
}

fn maps() -> Vec<MapDef> {
    vec![
        MapDef::new(ARRAY, 4, 64, 1),
        frozen(CONSTANTS),
        MapDef::new(RINGBUF, 0, 0, 4096),
        MapDef::new(ARRAY, 4, 8, 5),
        MapDef::new(USER_RINGBUF, 0, 0, 4096),
        MapDef::new(HASH, 4, 8, 5),
    ]
}

/// Runs a program as often as it is told, after `before` had its maps.
fn run_with(text: &str, times: usize, before: impl FnOnce(&[Arc<Map>])) -> Ran {
    let insns = assemble(text, &()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let mut program = Program::from_insns(SCHED_CLS, insns);
    program.maps = maps();
    program.kfuncs = ["new", "next", "destroy"].map(|name| format!("bpf_iter_num_{name}")).to_vec();
    let lines = Arc::new(Lines::default());
    let runtime = Runtime::new(RuntimeOptions { sink: lines.clone(), ..RuntimeOptions::default() });
    let maps: Vec<Arc<Map>> =
        program.maps.iter().map(|map| runtime.map(&PLATFORM, map).expect("a map")).collect();
    before(&maps);
    let profile = PLATFORM.default_profile();
    let checked = CheckedProgram::new(&program, &PLATFORM, &profile, maps.clone()).expect("it links");
    let mut worker = runtime.worker().expect("a slot");
    let mut result = Ok(0);
    for _ in 0..times {
        let mut packet = Packet::new(&[0; 64]);
        let input = Input { packet: Some(&mut packet), fuel: Some(1_000_000), ..Input::default() };
        result = checked.run(&mut worker, input);
    }
    let lines = lines.0.lock().expect("nobody panics with it").clone();
    let out = maps[0].get(&0u32.to_ne_bytes()).expect("it is there");
    Ran { result, out, lines, maps }
}

fn run(text: &str) -> Ran {
    run_with(text, 1, |_| ())
}

#[track_caller]
fn gives(text: &str, r0: u64, out: &[u8]) -> Ran {
    let ran = run(text);
    assert_eq!(ran.result, Ok(r0), "{text}");
    assert_eq!(&ran.out[..out.len()], out, "{text}");
    assert!(ran.out[out.len()..].iter().all(|&byte| byte == 0), "{text}: {:?}", ran.out);
    ran
}

#[track_caller]
fn faults(text: &str, wanted: &str) {
    match run(text).result {
        Err(RunError::Fault { fault: fault @ Fault::Argument { .. }, .. }) => {
            assert!(fault.to_string().contains(wanted), "{text}: {fault}");
        }
        other => panic!("{text}: {other:?}"),
    }
}

fn errno(number: i64) -> u64 {
    (-number).cast_unsigned()
}

/// A dynptr at r10-16 of the first 16 bytes of map 0, and a word at r10-24.
const DYNPTR: &str = "r1 = map_value[0] + 0 ll\nr2 = 16\nr3 = 0\nr4 = r10\nr4 += -16\ncall 197\n\
    *(u64 *)(r10 -24) = 0x44332211\n";

fn dynptr_write(offset: u32, len: u32, flags: u32) -> String {
    format!("r1 = r10\nr1 += -16\nr2 = {offset}\nr3 = r10\nr3 += -24\nr4 = {len}\nr5 = {flags}\ncall 202\n")
}

fn dynptr_read(offset: u32, len: u32, flags: u32) -> String {
    format!("r1 = r10\nr1 += -32\nr2 = {len}\nr3 = r10\nr3 += -16\nr4 = {offset}\nr5 = {flags}\ncall 201\n")
}

#[test]
fn dynptrs() {
    let write = dynptr_write(4, 4, 0);
    let out = [0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44];
    gives(&format!("{DYNPTR}exit"), 0, &[]);
    gives(&format!("{DYNPTR}{write}exit"), 0, &out);
    gives(
        &format!("{DYNPTR}{write}{}r0 = *(u64 *)(r10 -32)\nexit", dynptr_read(2, 8, 0)),
        0x4433_2211_0000,
        &out,
    );
    for (offset, len, flags, error) in [(13, 4, 0, 7), (u32::MAX >> 1, 4, 0, 7), (0, 4, 1, 22)] {
        gives(&format!("{DYNPTR}{}exit", dynptr_write(offset, len, flags)), errno(error), &[]);
        gives(&format!("{DYNPTR}{}exit", dynptr_read(offset, len, flags)), errno(error), &[]);
    }
    let data = "r1 = r10\nr1 += -16\nr2 = 8\nr3 = 8\ncall 203\n";
    gives(&format!("{DYNPTR}{data}*(u64 *)(r0 +0) = 5\nr0 = 1\nexit"), 1, &[0, 0, 0, 0, 0, 0, 0, 0, 5]);
    let data = "r1 = r10\nr1 += -16\nr2 = 8\nr3 = 9\ncall 203\n";
    gives(&format!("{DYNPTR}{data}exit"), 0, &[]);
    // Flags that nobody has make a null one.
    let null = DYNPTR.replace("r3 = 0", "r3 = 1");
    gives(&format!("{null}exit"), errno(22), &[]);
    gives(&format!("{null}{write}exit"), errno(22), &[]);
    gives(&format!("{null}{data}exit"), 0, &[]);
}

#[test]
fn a_dynptr_that_a_program_wrote_itself_leads_nowhere() {
    let forged = |address: &str| {
        format!("{address}\n*(u64 *)(r10 -16) = r1\n*(u64 *)(r10 -8) = 8\n*(u64 *)(r10 -24) = 1\n")
    };
    for call in [dynptr_write(0, 8, 0), dynptr_read(0, 8, 0)] {
        for address in ["r1 = 0x10000 ll", "r1 = map[0] ll", "r1 = r10", "r1 = map_value[0] + 57 ll"] {
            faults(&format!("{}{call}exit", forged(address)), "behind it");
        }
    }
    faults(&format!("{}{}exit", forged("r1 = map_value[1] + 0 ll"), dynptr_write(0, 8, 0)), "behind it");
    gives(&format!("{}{}exit", forged("r1 = map_value[0] + 0 ll"), dynptr_write(0, 8, 0)), 0, &[1]);
}

#[test]
fn records_by_dynptr() {
    let reserve = |len: &str, flags: u32| {
        format!(
            "*(u64 *)(r10 -24) = 0x44332211\nr1 = map[2] ll\nr2 = {len}\nr3 = {flags}\nr4 = r10\nr4 += -16\ncall 198\nr6 = r0\n"
        )
    };
    let finish = |helper: u32| format!("r1 = r10\nr1 += -16\nr2 = 0\ncall {helper}\nr0 = r6\nexit");
    let records = |ran: &Ran| {
        let consumer = RingConsumer::new(ran.maps[2].clone()).expect("a ring buffer");
        std::iter::from_fn(|| consumer.next()).collect::<Vec<_>>()
    };
    let write = dynptr_write(2, 4, 0);
    let record = vec![0, 0, 0x11, 0x22, 0x33, 0x44];
    let submitted = gives(&format!("{}{write}{}", reserve("6", 0), finish(199)), 0, &[]);
    assert_eq!(records(&submitted), [record]);
    let discarded = gives(&format!("{}{write}{}", reserve("6", 0), finish(200)), 0, &[]);
    assert!(records(&discarded).is_empty());
    // One that was forgotten is given up; the next run's is read.
    let forgotten = run_with(&format!("{}{write}r0 = r6\nexit", reserve("6", 0)), 3, |_| ());
    assert_eq!(forgotten.result, Ok(0));
    assert!(records(&forgotten).is_empty());
    // Without room, or with flags, there is an error and a null one, with which nothing happens.
    for (len, flags, error) in [("4096", 0, 22), ("0x1000000", 0, 7), ("6", 1, 22)] {
        for helper in [199, 200] {
            let ran = gives(&format!("{}{}", reserve(len, flags), finish(helper)), errno(error), &[]);
            assert!(records(&ran).is_empty());
        }
        gives(&format!("{}{write}exit", reserve(len, flags)), errno(22), &[]);
    }
    // Handed on, it is null: twice does nothing, and nothing is written.
    let twice = format!(
        "{}r1 = r10\nr1 += -16\nr2 = 0\ncall 199\nr1 = r10\nr1 += -16\nr2 = 0\ncall 200\n{write}exit",
        reserve("6", 0)
    );
    assert_eq!(records(&gives(&twice, errno(22), &[])).len(), 1);
}

#[test]
fn locks() {
    let lock = "r1 = map_value[0] + 4 ll\ncall 93\n";
    let unlock = "r1 = map_value[0] + 4 ll\ncall 94\n";
    let set = "r1 = map_value[0] + 0 ll\n*(u32 *)(r1 +0) = 9\nr0 = 3\n";
    gives(&format!("{lock}{set}{unlock}r0 = 3\nexit"), 3, &[9]);
    gives(&format!("{lock}{set}exit"), 3, &[9]);
    let again = run_with(&format!("{lock}{set}exit"), 3, |_| ());
    assert_eq!(again.result, Ok(3), "what was forgotten is given back");
    let twice = run(&format!("{lock}{lock}r0 = 0\nexit"));
    assert!(matches!(twice.result, Err(RunError::Internal(_))), "{:?}", twice.result);
    assert_eq!(twice.out, [0; 64]);
    // Nobody gives back what he does not hold.
    let other = format!(
        "{lock}r1 = map_value[0] + 8 ll\ncall 94\nr1 = map_value[0] + 4 ll\nr0 = *(u32 *)(r1 +0)\nexit"
    );
    gives(&other, 1, &[]);
    faults("r1 = map_value[0] + 5 ll\ncall 93\nr0 = 0\nexit", "aligned");
    faults("*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\ncall 93\nr0 = 0\nexit", "no value of a map");
    faults("r1 = map_value[1] + 0 ll\ncall 93\nr0 = 0\nexit", "no value of a map");
}

/// 3, 255 and "abcdefg" as arguments at r10-24.
const ARGUMENTS: &str = "*(u64 *)(r10 -24) = -3\n*(u64 *)(r10 -16) = 255\nr1 = map_value[1] + 0 ll\n\
    *(u64 *)(r10 -8) = r1\n";

#[test]
fn text_out() {
    let snprintf = |size: u32| {
        format!(
            "{ARGUMENTS}r1 = map_value[0] + 0 ll\nr2 = {size}\nr3 = map_value[1] + {FORMAT} ll\nr4 = r10\n\
             r4 += -24\nr5 = 24\ncall 165\nexit"
        )
    };
    gives(&snprintf(64), 14, b"-3+ff=abcdefg\0");
    gives(&snprintf(6), 14, b"-3+ff\0");
    gives(&snprintf(0), 14, b"");
    // The prototype does not say that it writes; all the same it does.
    let constant = snprintf(6).replace("r1 = map_value[0] + 0 ll", "r1 = map_value[1] + 0 ll");
    faults(&constant, "memory that may only be read");
    let vprintk = format!(
        "{ARGUMENTS}r1 = map_value[1] + {FORMAT} ll\nr2 = 9\nr3 = r10\nr3 += -24\nr4 = 24\ncall 177\nexit"
    );
    assert_eq!(gives(&vprintk, 13, &[]).lines, ["-3+ff=abcdefg"]);
    let printk = format!(
        "r1 = map_value[1] + {FORMAT} ll\nr2 = 9\nr3 = 7\nr4 = 16\nr5 = map_value[1] + 4 ll\ncall 6\nexit"
    );
    assert_eq!(gives(&printk, 8, &[]).lines, ["7+10=efg"]);
    // Text without an end is no format.
    assert_eq!(gives("r1 = map_value[1] + 0 ll\nr2 = 4\ncall 6\nexit", errno(22), &[]).lines, [""; 0]);
}

#[test]
fn text_in() {
    let number = |helper: u32, at: usize, flags: u32| {
        format!(
            "r1 = map_value[1] + {at} ll\nr2 = 8\nr3 = {flags}\nr4 = map_value[0] + 8 ll\ncall {helper}\nexit"
        )
    };
    let at_8 = |value: i64| [[0; 8], value.to_ne_bytes()].concat();
    let (minus, hex) = (NUMBERS, NUMBERS + 3);
    gives(&number(105, minus, 0), 3, &at_8(-12));
    gives(&number(106, minus, 0), errno(22), &[]);
    for helper in [105, 106] {
        gives(&number(helper, hex, 0), 5, &at_8(31));
        gives(&number(helper, hex, 16), 5, &at_8(31));
        gives(&number(helper, hex, 10), 2, &[]);
        gives(&number(helper, 0, 16), 6, &at_8(0xab_cdef));
        gives(&number(helper, 0, 10), errno(22), &[]);
        gives(&number(helper, hex, 7), errno(22), &[]);
    }
    let compare = |text: u32, len: u32| {
        format!(
            "*(u32 *)(r10 -8) = {text}\n*(u32 *)(r10 -4) = 0\nr1 = r10\nr1 += -8\nr2 = {len}\n\
             r3 = map_value[1] + 0 ll\ncall 182\nexit"
        )
    };
    let abcd = u32::from_ne_bytes(*b"abcd");
    gives(&compare(abcd, 4), 0, &[]);
    gives(&compare(abcd, 8), errno(1), &[]);
    gives(&compare(u32::from_ne_bytes(*b"abdd"), 4), 1, &[]);
    gives(&compare(u32::from_ne_bytes(*b"abdd"), 2), 0, &[]);
}

#[test]
fn checksums() {
    let diff = |from: &str, from_size: u32, to: &str, to_size: u32, seed: u32| {
        format!(
            "*(u32 *)(r10 -8) = 0x1020304\n*(u32 *)(r10 -4) = 0x5060708\n{from}\nr2 = {from_size}\n{to}\n\
             r4 = {to_size}\nr5 = {seed}\ncall 28\nexit"
        )
    };
    let (low, high) = ("r1 = r10\nr1 += -8", "r3 = r10\nr3 += -4");
    gives(&diff("r1 = 0", 0, "r3 = 0", 0, 5), 5, &[]);
    gives(&diff("r1 = 0", 0, high, 4, 0), 0x506 + 0x708, &[]);
    gives(&diff(low, 4, high, 4, 0), 0x506 + 0x708 - 0x102 - 0x304, &[]);
    gives(&diff("r1 = 0", 0, "r3 = r10\nr3 += -8", 8, 1), 0x506 + 0x708 + 0x102 + 0x304 + 1, &[]);
}

#[test]
fn loops() {
    // Adds what it counts to the word that it is given, and stops at 5.
    let counts = "counts:\nr3 = *(u64 *)(r2 +0)\nr3 += r1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nif r1 != 5 goto end\n\
        r0 = 1\nend:\nexit\n";
    let program = |rounds: &str, flags: u32, last: &str| {
        format!(
            "*(u64 *)(r10 -8) = 100\nr1 = {rounds}\nr2 = func[counts] ll\nr3 = r10\nr3 += -8\nr4 = {flags}\n\
             call 181\n{last}exit\n{counts}"
        )
    };
    let sum = "r0 = *(u64 *)(r10 -8)\n";
    for (rounds, made, total) in [("0", 0, 100), ("4", 4, 106), ("100", 6, 115)] {
        gives(&program(rounds, 0, ""), made, &[]);
        gives(&program(rounds, 0, sum), total, &[]);
    }
    gives(&program("4", 1, ""), errno(22), &[]);
    gives(&program("0x800001", 0, ""), errno(7), &[]);
    // Loops nest.
    let nested = "r1 = 3\nr2 = func[outer] ll\nr3 = 0\nr4 = 0\ncall 181\nr1 = map_value[0] + 0 ll\n\
        r0 = *(u64 *)(r1 +0)\nexit\n\
        outer:\nr1 = 4\nr2 = func[inner] ll\nr3 = 0\nr4 = 0\ncall 181\nr0 = 0\nexit\n\
        inner:\nr1 = map_value[0] + 0 ll\nr2 = *(u64 *)(r1 +0)\nr2 += 1\n*(u64 *)(r1 +0) = r2\nr0 = 0\nexit";
    gives(nested, 12, &[12]);
}

#[test]
fn iterators() {
    let iterate = |start: i32, end: i32| {
        format!(
            "r6 = 0\nr1 = r10\nr1 += -8\nr2 = {start}\nr3 = {end}\ncall kfunc 0\nr7 = map_value[0] + 0 ll\n\
             *(u32 *)(r7 +0) = r0\nagain:\nr1 = r10\nr1 += -8\ncall kfunc 1\nif r0 == 0 goto end\n\
             r1 = *(s32 *)(r0 +0)\nr6 += r1\ngoto again\nend:\nr1 = r10\nr1 += -8\ncall kfunc 2\nr0 = r6\nexit"
        )
    };
    gives(&iterate(0, 5), 10, &[]);
    gives(&iterate(-3, 0), errno(6), &[]);
    gives(&iterate(4, 4), 0, &[]);
    gives(&iterate(5, 4), 0, &(-22i32).to_ne_bytes());
    gives(&iterate(0, i32::MAX), 0, &(-7i32).to_ne_bytes());
}

#[test]
fn elements() {
    // Adds the keys to the word that it is given, and the key to the value; stops at key 3.
    let each = |map: usize, store: &str| {
        format!(
            "*(u64 *)(r10 -8) = 0\nr1 = map[{map}] ll\nr2 = func[each] ll\nr3 = r10\nr3 += -8\nr4 = 0\ncall 164\n\
             r1 = map_value[0] + 0 ll\nr2 = *(u64 *)(r10 -8)\n*(u64 *)(r1 +0) = r2\nexit\n\
             each:\nr5 = *(u32 *)(r2 +0)\nr1 = *(u64 *)(r4 +0)\nr1 += r5\n*(u64 *)(r4 +0) = r1\n{store}\n\
             r0 = 0\nif r5 != 3 goto end\nr0 = 1\nend:\nexit"
        )
    };
    let array = gives(&each(3, "*(u64 *)(r3 +0) = r5"), 4, &[6]);
    let values: Vec<u8> = array.maps[3].pairs().iter().map(|(_, value)| value[0]).collect();
    assert_eq!(values, [0, 1, 2, 3, 0]);
    gives(&each(5, "*(u64 *)(r3 +0) = r5"), 0, &[]);
    let two = |maps: &[Arc<Map>]| {
        for key in [7u32, 9] {
            maps[5].update(&key.to_ne_bytes(), &[0; 8], 0).expect("room");
        }
    };
    let hash = run_with(&each(5, "*(u64 *)(r3 +0) = r5"), 1, two);
    assert_eq!((hash.result, hash.out[0]), (Ok(2), 16));
    // Keys are not written.
    for map in [3, 5] {
        let writes = run_with(&each(map, "*(u32 *)(r2 +0) = r5"), 1, two);
        assert!(matches!(writes.result, Err(RunError::Fault { .. })), "{:?}", writes.result);
    }
}

#[test]
fn samples_of_user_space() {
    // Reads 4 bytes of each into the word that it is given, and adds them up in map 0.
    let drain = "r1 = map[4] ll\nr2 = func[each] ll\nr3 = 0\nr4 = 0\ncall 209\nexit\n\
        each:\nr3 = r1\nr1 = r10\nr1 += -8\nr2 = 4\nr4 = 1\nr5 = 0\ncall 201\nr6 = r0\nr1 = map_value[0] + 0 ll\n\
        r2 = *(u32 *)(r10 -8)\nr3 = *(u32 *)(r1 +0)\nr3 += r2\n*(u32 *)(r1 +0) = r3\nr0 = 0\nexit";
    let ran = run_with(drain, 1, |maps| {
        let producer = RingProducer::new(maps[4].clone()).expect("a ring buffer");
        for record in [[0, 1, 0, 0, 0], [0, 0, 2, 0, 0]] {
            producer.push(&record).expect("room");
        }
    });
    assert_eq!((ran.result, &ran.out[..3]), (Ok(2), &[1, 2, 0][..]));
}

/// A proof knows that processors' numbers are below the profile's, and is used on no other slot.
#[test]
fn slots_are_processors_of_the_proof() {
    let profile = Profile { nr_cpus: 1, ..PLATFORM.default_profile() };
    let runs = |text: &str| {
        let insns = assemble(text, &()).expect("it assembles");
        let program = Program::from_insns(SCHED_CLS, insns);
        let Verdict::Accepted(proof) = verify(&program, &PLATFORM, &profile).verdict else {
            panic!("{text}: refused")
        };
        let executable = Executable::new(&proof, Vec::new()).expect("it links");
        let runtime = Runtime::new(RuntimeOptions { slots: 2, ..RuntimeOptions::default() });
        let mut workers = [runtime.worker().expect("a slot"), runtime.worker().expect("another")];
        workers.each_mut().map(|worker| executable.run(worker, Input::default()).is_ok())
    };
    assert_eq!(runs("call 8\nexit"), [true, false]);
    assert_eq!(runs("r0 = 0\nexit"), [true, true]);
}
