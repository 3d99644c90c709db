//! Each sort of argument and result, in all engines with the same results.

use probity::host::Shared;
use probity_program::MapDef;
use probity_tests::hosts::Everywhere;

use crate::desk::{self, Call, Desk, Row};

/// Runs a program in all engines: r0, `result`, and the host's log.
#[track_caller]
pub(crate) fn run(input: u64, text: &str) -> (u64, Call, Vec<String>) {
    let program = Everywhere::new(&desk::bindings::<Desk>(), text, &[MapDef::new(2, 4, 16, 1)]);
    let call = Call { input, ..Call::default() };
    let mut logs: Vec<Vec<String>> = Vec::new();
    let make = || Desk::with_rows(5);
    let (result, call) = program.agree(&call, make, None, |engine, host, _| {
        assert!(host.open.is_empty(), "{engine:?}: {:?}", host.open);
        logs.push(std::mem::take(&mut host.log));
    });
    assert!(logs.windows(2).all(|pair| pair[0] == pair[1]), "{logs:?}");
    (result.unwrap_or_else(|error| panic!("{error}\n{text}")), call, logs.swap_remove(0))
}

/// r0 alone.
#[track_caller]
fn r0(text: &str) -> u64 {
    run(0, text).0
}

const OUT: &str = "\nexit";

#[test]
fn integers_of_all_widths() {
    // What is above an integer's width is not looked at.
    let (value, _, log) =
        run(0, "r1 = 0x1ff\nr2 = 0x180\nr3 = 0x1ffff\nr4 = 0x18000\nr5 = 1\ncall take_narrow\nexit");
    assert_eq!((value as i64, log[0].as_str()), (-128 - 32768, "255 -128 65535 -32768 1"));
    let wide = "r1 = 0x1ffffffff ll\nr2 = 0x180000000 ll\nr3 = -1\nr4 = -1\ncall take_wide\nexit";
    let (value, _, log) = run(0, wide);
    assert_eq!((value, log[0].as_str()), (u64::MAX, "4294967295 -2147483648 18446744073709551615 -1"));
    let given = |name: &str| r0(&format!("r1 = 0x8182838485868788 ll\ncall {name}\nexit"));
    assert_eq!(given("as_u8"), 0x88);
    assert_eq!(given("as_s8"), 0xffff_ffff_ffff_ff88);
    assert_eq!(given("as_u16"), 0x8788);
    assert_eq!(given("as_s16"), 0xffff_ffff_ffff_8788);
    assert_eq!(given("as_u32"), 0x8586_8788);
    assert_eq!(given("as_s32"), 0xffff_ffff_8586_8788);
}

#[test]
fn numbers_in_a_range_and_errors() {
    assert_eq!(r0(&format!("r1 = 0\ncall status{OUT}")) as i64, -16);
    assert_eq!(r0(&format!("r1 = 1\ncall status{OUT}")), 100);
    assert_eq!(r0(&format!("r1 = 6\ncall roll{OUT}")), 1);
}

#[test]
fn the_context() {
    // The program sees what the host wrote, and the other way round.
    let text = "r6 = r1\nr2 = *(u64 *)(r1 +0)\n*(u64 *)(r1 +8) = 40\ncall add_to\nr7 = r0\nr0 = *(u64 *)(r6 +8)\n\
                r1 = *(u64 *)(r6 +24)\nr0 += r1\nr0 += r7\nexit";
    let (value, call, _) = run(2, text);
    assert_eq!((value, call.result, call.last), (42 + 1 + 40, 42, 1));
}

#[test]
fn memory_of_a_fixed_size() {
    let eight = "r1 = 0x0102030405060708 ll\n*(u64 *)(r10 -8) = r1\nr1 = r10\nr1 += -8\ncall sum_small\nexit";
    assert_eq!(r0(eight), 36);
    // Not aligned.
    let odd = "*(u64 *)(r10 -16) = 0\nr1 = 0x0102030405060708 ll\n*(u64 *)(r10 -8) = r1\nr1 = r10\nr1 += -11\n\
               call sum_small\nexit";
    assert_eq!(r0(odd), 8 + 7 + 6 + 5 + 4);
    let pair = "*(u32 *)(r10 -16) = 3\n*(u32 *)(r10 -12) = 4\n*(u64 *)(r10 -8) = 100\nr1 = r10\nr1 += -16\n\
                call add_pair\nr0 = *(u64 *)(r10 -8)\nexit";
    assert_eq!(r0(pair), 7);
    let made = "r1 = r10\nr1 += -16\nr2 = 9\ncall make_pair\nr0 = *(u64 *)(r10 -8)\nr1 = *(u32 *)(r10 -12)\n\
                r0 += r1\nexit";
    let (value, _, log) = run(0, made);
    assert_eq!(value, 11);
    assert_eq!(log, ["Pair { one: 0, two: 0, sum: 0 }"], "it holds nothing before");
    let large = "r1 = r10\nr1 += -104\nr2 = 2\ncall fill_large\nr1 = r10\nr1 += -104\ncall sum_large\nexit";
    assert_eq!(r0(large), 100, "50 bytes of 2, and zeros");
}

#[test]
fn memory_of_another_size() {
    let slice = "r1 = 0x0102 ll\n*(u64 *)(r10 -8) = r1\nr1 = r10\nr1 += -8\nr2 = 2\ncall sum_slice\nexit";
    assert_eq!(r0(slice), 2003);
    let none = "*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\nr2 = 0\ncall sum_slice\nexit";
    assert_eq!(r0(none), 0);
    let flipped = "*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -13\nr2 = 3\ncall flip_slice\n\
                   r0 = *(u64 *)(r10 -16)\nr1 = *(u64 *)(r10 -8)\nr0 += r1\nexit";
    assert_eq!(r0(flipped), 0x0000_ffff_ff00_0000);
    // A value of a map.
    let value = "r1 = map_value[0] + 4 ll\nr6 = r1\nr2 = 2\ncall flip_slice\nr0 = *(u32 *)(r6 +0)\nexit";
    assert_eq!(r0(value), 0xffff);
    // An object in between is the program's again.
    let whole = "r1 = r10\nr1 += -16\nr2 = 16\nr3 = 16\ncall write_slice\nr0 = *(u8 *)(r10 -1)\nexit";
    assert_eq!(r0(whole), 9);
}

#[test]
fn what_nobody_filled_is_zeros() {
    // Old bytes of the stack are there: a function that was called before has written them.
    let called = |fill: &str| {
        format!(
            "call dirty\ncall filled\nexit\nfilled:\n{fill}\nr0 = *(u64 *)(r10 -16)\nr1 = *(u64 *)(r10 -8)\n\
             r0 |= r1\nexit\ndirty:\nr1 = -1\n*(u64 *)(r10 -8) = r1\n*(u64 *)(r10 -16) = r1\nr1 = r10\nr1 += -16\n\
             r2 = 16\ncall sum_slice\nexit"
        )
    };
    let slice = "r1 = r10\nr1 += -16\nr2 = 16\nr3 = 1\ncall write_slice";
    assert_eq!(r0(&called(slice)), 9, "one byte");
    assert_eq!(r0(&called("r1 = r10\nr1 += -16\nr2 = 0\ncall make_pair")), 0);
    let large = "call dirty\ncall filled\nexit\nfilled:\nr1 = r10\nr1 += -104\nr2 = 0\ncall fill_large\n\
                 r1 = r10\nr1 += -104\ncall sum_large\nexit\n\
                 dirty:\nr1 = -1\n*(u64 *)(r10 -16) = r1\n*(u64 *)(r10 -8) = r1\nr1 = r10\nr1 += -16\nr2 = 16\n\
                 call sum_slice\nexit";
    assert_eq!(r0(large), 0);
}

#[test]
fn what_may_be_null() {
    assert_eq!(r0(&format!("r1 = 0\nr2 = 0\ncall maybe_slice{OUT}")) as i64, -1);
    let some = "*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\nr2 = 5\ncall maybe_slice\nexit";
    assert_eq!(r0(some), 5);
    assert_eq!(r0(&format!("r1 = 0\ncall maybe_pair{OUT}")) as i64, -14);
    let pair = "*(u64 *)(r10 -16) = 7\n*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -16\ncall maybe_pair\n\
                r1 = *(u32 *)(r10 -16)\nr0 += r1\nexit";
    assert_eq!(r0(pair), 16);
    assert_eq!(r0(&format!("r1 = 0\ncall row_id{OUT}")), u64::MAX);
    assert_eq!(r0(&format!("r1 = 3\ncall row_must\nr1 = r0\ncall row_id{OUT}")), 3);
}

#[test]
fn a_map() {
    let text = "r1 = map[0] ll\nr2 = 5\ncall map_bump\nr1 = map[0] ll\nr2 = 6\ncall map_bump\n\
                r1 = map_value[0] + 0 ll\nr1 = *(u64 *)(r1 +0)\nr0 += r1\nexit";
    assert_eq!(r0(text), 16);
}

#[test]
fn memory_of_the_host() {
    let always = "r1 = 5\ncall bytes_always\nr1 = *(u8 *)(r0 +15)\n*(u8 *)(r0 +15) = 9\nr2 = *(u8 *)(r0 +15)\n\
                  r0 = r1\nr0 += r2\nexit";
    assert_eq!(r0(always), 14);
    let maybe = |size: u32| {
        format!(
            "r1 = {size}\ncall bytes_maybe\nif r0 == 0 goto out\nr0 = *(u8 *)(r0 +{})\nout: exit",
            size - 1
        )
    };
    assert_eq!(r0(&maybe(1)), 3);
    assert_eq!(r0(&maybe(4096)), 3);
    assert_eq!(r0(&maybe(13)), 0);
    assert_eq!(r0("call pair_get\nr1 = *(u64 *)(r0 +8)\nr0 = *(u32 *)(r0 +4)\nr0 += r1\nexit"), 13);
    // As an argument of another function.
    assert_eq!(r0("r1 = 2\ncall bytes_always\nr1 = r0\nr2 = 16\ncall sum_slice\nexit"), 16032);
    assert_eq!(r0("call pair_get\nr6 = r0\nr1 = r0\ncall add_pair\nr0 = *(u64 *)(r6 +8)\nexit"), 11);
}

#[test]
fn objects_references_and_walks() {
    let row = "r1 = 2\ncall row_get\nif r0 == 0 goto out\nr1 = *(u64 *)(r0 +8)\nr1 += 1\n*(u64 *)(r0 +8) = r1\n\
               r0 = *(u64 *)(r0 +8)\nout: exit";
    assert_eq!(r0(row), 21);
    assert_eq!(r0(&row.replace("r1 = 2\n", "r1 = 77\n")), 0);
    let cursor = "r1 = 4\ncall cursor_open\nif r0 == 0 goto out\nr6 = r0\nr1 = r0\ncall cursor_rows\nr7 = r0\n\
                  r1 = r6\ncall cursor_close\nr0 = r7\nout: exit";
    let (value, _, log) = run(0, cursor);
    assert_eq!((value, &log[..]), (4, &["cursor_open(4)".to_owned(), "cursor_close(1)".to_owned()][..]));
    assert_eq!(r0(&cursor.replace("r1 = 4\n", "r1 = 99\n")), 0);
    let walk = |from: u32| {
        format!(
            "r7 = 0\nr1 = r10\nr1 += -16\nr2 = {from}\ncall walk_new\nr6 = r0\nnext: r1 = r10\nr1 += -16\n\
             call walk_next\nif r0 == 0 goto done\nr1 = *(u64 *)(r0 +8)\nr7 += r1\ngoto next\n\
             done: r1 = r10\nr1 += -16\ncall walk_destroy\nr0 = r7\nr0 += r6\nexit"
        )
    };
    let (value, _, log) = run(0, &walk(2));
    assert_eq!(value, 20 + 30 + 40);
    assert_eq!((log.first(), log.last()), (Some(&"walk_new(2)".into()), Some(&"walk_destroy(1)".into())));
    // Where making it failed, there is nothing to walk or to end.
    let (value, _, log) = run(0, &walk(99));
    assert_eq!((value as i64, &log[..]), (-2, &["walk_new(99)".to_owned()][..]));
    // Two at a time.
    let two = "r7 = 0\nr1 = r10\nr1 += -16\nr2 = 3\ncall walk_new\nr1 = r10\nr1 += -32\nr2 = 4\ncall walk_new\n\
               r1 = r10\nr1 += -32\ncall walk_next\nif r0 == 0 goto one\nr7 = *(u64 *)(r0 +8)\n\
               one: r1 = r10\nr1 += -32\ncall walk_destroy\nr1 = r10\nr1 += -16\ncall walk_next\n\
               if r0 == 0 goto two\nr1 = *(u64 *)(r0 +8)\nr7 += r1\n\
               two: r1 = r10\nr1 += -16\ncall walk_destroy\nr0 = r7\nexit";
    assert_eq!(r0(two), 70);
}

#[test]
fn functions_that_are_called_back() {
    // Rows, and memory of the caller.
    let each = "*(u64 *)(r10 -8) = 0\nr1 = 3\nr2 = func[visit] ll\nr3 = r10\nr3 += -8\ncall each\nr1 = *(u64 *)(r10 -8)\n\
                r0 *= 1000\nr0 += r1\nexit\nvisit:\nr3 = *(u64 *)(r1 +8)\nr4 = *(u64 *)(r2 +0)\nr4 += r3\n\
                *(u64 *)(r2 +0) = r4\nr0 = 0\nif r4 != 30 goto go_on\nr0 = 1\ngo_on: exit";
    assert_eq!(r0(each), 3030);
    assert_eq!(r0(&each.replace("r4 != 30", "r4 != 10")), 2010, "1 ends it");
    // Without memory.
    let null =
        "r1 = 2\nr2 = func[visit] ll\nr3 = 0\ncall each\nexit\nvisit:\nr0 = *(u64 *)(r1 +0)\nr0 &= 0\nexit";
    assert_eq!(r0(null), 2);
    // Numbers of the host.
    let tally = "*(u64 *)(r10 -8) = 0\nr1 = func[count] ll\nr2 = r10\nr2 += -8\ncall tally\nr1 = *(u64 *)(r10 -8)\n\
                 r1 *= 100\nr0 += r1\nexit\ncount:\nr3 = *(u64 *)(r2 +0)\nr3 += r1\n*(u64 *)(r2 +0) = r3\nr0 = 2\nexit";
    assert_eq!(r0(tally), 606);
    // One in another: the function calls the host, which calls back.
    let nested = "*(u64 *)(r10 -8) = 0\nr1 = 2\nr2 = func[outer] ll\nr3 = r10\nr3 += -8\ncall each\n\
                  r0 = *(u64 *)(r10 -8)\nexit\n\
                  outer:\nr3 = r2\nr1 = 3\nr2 = func[inner] ll\ncall each\nr0 = 0\nexit\n\
                  inner:\nr3 = *(u64 *)(r2 +0)\nr3 += 1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nexit";
    assert_eq!(r0(nested), 6);
    // The same row, at two depths at once, is the outer function's behind the inner one.
    let same = "r1 = 1\nr2 = func[outer] ll\nr3 = 0\ncall each\nexit\n\
                outer:\nr6 = r1\nr1 = 1\nr2 = func[inner] ll\nr3 = 0\ncall each\nr0 = *(u64 *)(r6 +0)\nr1 = r6\n\
                call row_id\nr0 &= 1\nexit\ninner:\nr0 = 0\nexit";
    assert_eq!(r0(same), 1);
}

#[test]
fn host_and_program_share_an_object() {
    let text = "r6 = 0\ntop: r1 = 1\ncall row_must\nr1 = *(u64 *)(r0 +8)\n*(u64 *)(r0 +8) = r1\nr6 += 1\n\
                if r6 < 2000 goto top\nr0 = *(u32 *)(r0 +16)\nexit";
    let program = Everywhere::new(&desk::bindings::<Desk>(), text, &[]);
    for (engine, ready, _) in &program.ready {
        let mut host = Desk::with_rows(2);
        let row: Shared<Row> = host.rows[1].clone();
        let on = std::sync::atomic::AtomicBool::new(true);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while on.load(std::sync::atomic::Ordering::Relaxed) {
                    row.guest().fetch_add(Row::FLAGS, 1);
                    row.store(Row::ID, &1);
                }
            });
            let mut worker = program.runtime.worker().expect("a slot");
            for _ in 0..20 {
                let result = ready.run(&mut worker, &mut Call::default(), &mut host, Default::default());
                assert!(result.is_ok(), "{engine:?}: {result:?}");
            }
            on.store(false, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(row.load(Row::AMOUNT), 10, "nobody else wrote it");
    }
}
