//! How long what a host gives out is good. Each rule has programs that keep to it and twins that do
//! not: the twin uses the pointer once too late.

use std::sync::Arc;

use probity_engine::{Verdict, explain, verify};
use probity_isa::Insn;
use probity_platform::{Code, Lifetime, Platform};
use probity_program::{Btf, FuncInfo, Linkage, MapDef, Program};
use probity_tests::kernel::btf::BtfImage;

/// A table whose rows move. Nothing leaves it.
mod table {
    probity::spec! {
        platform table;
        use core::{ scalars, memory, context, ints, objects, stack_objects, functions, maps::{ array, helpers } };
        policy { allow loops; }

        view call size 16 { number: u64; result: u64 read write; }
        view page size 16 { id: u64; note: u64 read write; }
        kind PTR_TO_PAGE: view page { prints "page"; offset fixed; never_null; }

        object row { id: u64; amount: u64 read write; page: u64 -> PTR_TO_PAGE; }
        object cursor { rows: u64; }
        stack_object row_iter size 16 { prints "row_iter"; state active owned; state drained owned; }
        stack_object bag size 16 { prints "bag"; state open owned; }
        stack_object slip size 16 { prints "slip"; state open; }
        stack_object tag size 8 { prints "tag"; state open owned; }

        callback visit { sync; r1 = row; r2 = caller.ctx; returns 0..=1; }
        callback either { sync; r1 = row | PTR_MAYBE_NULL; r2 = row | PTR_MAYBE_NULL; returns 0..=1; }
        callback later { async; r1 = caller.of; returns 0..=0; }

        /// A number that is the same for all.
        helper plain = 7 { proto () -> RET_INTEGER; }

        /// Lets go of pages: in one of two ways.
        helper turn = 8 {
            overload turn_fast { proto () -> RET_INTEGER; }
            overload turn_slow { proto (pause: ARG_SCALAR) -> RET_INTEGER; }
        }

        helper page_get = 9 { proto (id: ARG_SCALAR) -> RET_PTR_TO_PAGE | PTR_MAYBE_NULL; lifetime until turn; }
        helper bytes_get = 10 { proto (id: ARG_SCALAR) -> RET_PTR_TO_MEM; returns bytes 16; lifetime until table_move; }
        helper bytes_keep = 11 { proto (id: ARG_SCALAR) -> RET_PTR_TO_MEM; returns bytes 16; lifetime run; }
        /// Some bytes of others.
        helper bytes_part = 12 { proto (of: ARG_PTR_TO_MEM(16)) -> RET_PTR_TO_MEM; returns bytes 8; casts of; }
        helper bytes_when = 13 {
            proto (id: ARG_SCALAR) -> RET_PTR_TO_MEM;
            returns bytes 8;
            acquires cursor when id.umax > 7;
        }

        kfunc row_get { proto (id: u64) -> row | PTR_MAYBE_NULL; lifetime until table_move; }
        kfunc row_must { proto (id: u64) -> row; lifetime until table_move; }
        kfunc row_keep { proto (id: u64) -> row; lifetime run; }
        kfunc row_next { proto (of: row) -> row; casts of; }
        kfunc row_step { proto (of: row) -> row; casts of; lifetime until table_turn; }
        kfunc row_sum { flags KF_TRUSTED_ARGS; proto (of: row) -> u64; }
        kfunc row_take { flags KF_ACQUIRE | KF_RET_NULL; proto (id: u64) -> row; }
        kfunc row_drop { flags KF_RELEASE; proto (of: row) -> void; }
        kfunc row_later { proto (of: row, call: ARG_PTR_TO_FUNC) -> void; calls call as later; }
        kfunc table_move { proto () -> void; }
        kfunc table_turn { proto () -> void; }

        kfunc cursor_open { flags KF_ACQUIRE | KF_RET_NULL; proto (id: u64) -> cursor; }
        kfunc cursor_close { flags KF_RELEASE; proto (of: cursor) -> void; }
        kfunc cursor_row { proto (of: cursor) -> row; casts of; lifetime until table_move; }

        kfunc row_iter_new { flags KF_ITER_NEW; proto (it: row_iter | MEM_UNINIT) -> s32; }
        kfunc row_iter_next { flags KF_ITER_NEXT | KF_RET_NULL; proto (it: row_iter) -> row; lifetime until row_iter_next; }
        kfunc row_iter_look { proto (it: row_iter) -> row; slices it; }
        kfunc row_iter_destroy { flags KF_ITER_DESTROY; proto (it: row_iter) -> void; }

        kfunc bag_open { proto (bag: bag | MEM_UNINIT) -> s32; constructs bag as open; }
        kfunc bag_copy { proto (bag: bag, to: bag | MEM_UNINIT) -> s32; clones bag to to; }
        kfunc bag_row { proto (bag: bag) -> row; slices bag; }
        kfunc bag_close { proto (bag: bag) -> void; destroys bag; }
        kfunc slip_open { proto (slip: slip | MEM_UNINIT) -> s32; constructs slip as open; }
        kfunc slip_row { proto (slip: slip) -> row; slices slip; }
        kfunc tag_open { proto (tag: tag | MEM_UNINIT) -> s32; constructs tag as open; }
        kfunc tag_close { proto (tag: tag) -> void; destroys tag; }

        kfunc for_each {
            proto (most: u32, call: ARG_PTR_TO_FUNC, ctx: ARG_PTR_TO_STACK | PTR_MAYBE_NULL) -> s64;
            calls call as visit;
        }
        kfunc for_pairs { proto (call: ARG_PTR_TO_FUNC) -> s64; calls call as either; }

        set all_helpers { plain; turn as turn_slow when sleepable; turn as turn_fast; page_get; bytes_get; bytes_keep; bytes_part; bytes_when; bpf_map_lookup_elem; }
        prog_type function = 1 { ctx call; helpers all_helpers; kfuncs all; section "function"; }
    }
}

/// The same where pointers may be seen.
mod open_table {
    probity::spec! {
        platform open_table;
        use core::{ scalars, memory, context, ints, objects };
        policy { allow pointer_leaks, unaligned, loops; }
        view call size 16 { number: u64; result: u64 read write; }
        object row { id: u64; amount: u64 read write; }
        kfunc row_must { proto (id: u64) -> row; lifetime until table_move; }
        kfunc table_move { proto () -> void; }
        prog_type function = 1 { ctx call; kfuncs all; section "function"; }
    }
}

/// A program: `call NAME` is a kfunc, `helper N` a helper.
fn program(platform: &'static Platform, text: &str) -> Program {
    let mut program = Program::from_insns(1, Vec::new());
    program.kfuncs = platform.kfuncs.iter().map(|row| row.name.to_owned()).collect();
    let line = |line: &str| match line.trim().rsplit_once("call ") {
        Some((before, name)) => match program.kfuncs.iter().position(|kfunc| kfunc == name.trim()) {
            Some(index) => format!("{before}call kfunc {index}"),
            None => line.to_owned(),
        },
        None => line.replace("helper ", "call "),
    };
    let text: String = text.lines().map(|text| line(text) + "\n").collect();
    program.insns = probity_isa::assemble(&text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    describe(&mut program, Linkage::Static);
    program
}

/// The function that an instruction calls, and the one that it has the address of.
fn named(pc: usize, insn: &Insn) -> Option<usize> {
    const CALL: u8 = 0x85;
    const WIDE: u8 = 0x18;
    let named = (insn.code == CALL && insn.src == 1) || (insn.code == WIDE && insn.src == 4);
    named.then(|| (pc as i64 + 1 + i64::from(insn.imm)) as usize)
}

/// Types of the functions: global ones take a pointer to 16 bytes, which is not null.
fn describe(program: &mut Program, linkage: Linkage) {
    let mut image = BtfImage::new(Vec::new(), vec![0]);
    let mut name = |text| image.string(text);
    const FUNC: u32 = 12 << 24;
    let words = [
        &[name("int"), 1 << 24, 4, 1 << 24 | 32][..],
        &[0, 13 << 24, 1],
        &[name("main"), FUNC | 1, 2],
        &[name("long"), 1 << 24, 8, 1 << 24 | 64],
        &[0, 3 << 24, 0, 4, 1, 2],
        &[0, 2 << 24, 5],
        &[0, 13 << 24 | 1, 1, name("bytes"), 6],
        &[name("other"), FUNC | u32::from(linkage == Linkage::Global), 7],
        &[name("arg:nonnull"), 17 << 24, 8, 0],
    ]
    .concat();
    let types = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    program.btf = Some(Arc::new(Btf::parse(&image.with_types(types).to_bytes()).expect("BTF")));
    let mut starts: Vec<usize> =
        program.insns.iter().enumerate().filter_map(|(pc, insn)| named(pc, insn)).collect();
    starts.sort_unstable();
    starts.dedup();
    let function = |pc, name: &str, btf_id, linkage| FuncInfo { pc, name: name.to_owned(), btf_id, linkage };
    program.funcs = vec![function(0, "main", 3, Linkage::Global)];
    program.funcs.extend(starts.into_iter().map(|pc| function(pc, "other", 8, linkage)));
}

/// The code and the message of a rejection; none of an accepted program. Map 0 is an array.
fn ask(platform: &'static Platform, text: &str) -> Option<(Code, String)> {
    verdict(platform, program(platform, text))
}

fn verdict(platform: &'static Platform, mut program: Program) -> Option<(Code, String)> {
    if !platform.map_types.is_empty() {
        program.maps.push(MapDef::new(2, 4, 16, 1));
    }
    match verify(&program, platform, &platform.default_profile()).verdict {
        Verdict::Accepted(_) => None,
        Verdict::Rejected(finding) | Verdict::Unsupported(finding) => {
            Some((finding.rejection.code, finding.last_line().to_owned()))
        }
    }
}

#[track_caller]
fn accepted(text: &str) {
    assert_eq!(ask(&table::PLATFORM, text), None, "{text}");
}

#[track_caller]
fn rejected(text: &str, code: Code, message: &str) {
    assert_eq!(ask(&table::PLATFORM, text), Some((code, message.to_owned())), "{text}");
}

/// A register is used that is no pointer any more.
#[track_caller]
fn gone(text: &str, register: u8) {
    rejected(text, Code::UninitializedRegister, &format!("R{register} !read_ok"));
}

const OUT: &str = "\nr0 = 0\nexit";

#[test]
fn an_index_says_which_table_a_callable_is_in() {
    let platform = &table::PLATFORM;
    assert!(!platform.callables.is_empty(), "helpers stand before kfuncs");
    let until = |lifetime: Lifetime| match lifetime {
        Lifetime::Until(at) => platform.callable_at(at).map(|row| row.name),
        _ => None,
    };
    let kfunc = |name: &str| platform.kfuncs.iter().find(|row| row.name == name).map(|row| row.ret.lifetime);
    let helper =
        |name: &str| platform.callables.iter().find(|row| row.name == name).map(|row| row.ret.lifetime);
    assert_eq!(kfunc("row_get").and_then(until), Some("table_move"));
    assert_eq!(kfunc("row_iter_next").and_then(until), Some("row_iter_next"));
    assert_eq!(helper("bytes_get").and_then(until), Some("table_move"));
    // What has overloads only is meant by any of them.
    assert_eq!(helper("page_get").and_then(until), Some("turn"));
    assert_eq!(kfunc("row_keep"), Some(Lifetime::Run));
    let all = platform.callables.len() + platform.kfuncs.len();
    assert!(platform.callable_at(all as u16).is_none());
}

#[test]
fn a_pointer_is_good_until_a_call() {
    let row = |between: &str, used: &str| format!("r1 = 1\ncall row_must\nr6 = r0\n{between}\n{used}{OUT}");
    accepted(&row("call table_turn", "r1 = *(u64 *)(r6 +0)"));
    accepted(&row("r1 = *(u64 *)(r6 +0)", "call table_move"));
    gone(&row("call table_move", "r1 = *(u64 *)(r6 +0)"), 6);
    gone(&row("call table_move", "r1 = r6\ncall row_sum"), 6);
    gone(&row("call table_move", "*(u64 *)(r6 +8) = 1"), 6);
    accepted("r1 = 1\ncall row_keep\nr6 = r0\ncall table_move\nr1 = *(u64 *)(r6 +0)\nr0 = 0\nexit");
    // A new one is a new one.
    accepted(&row("call table_move\nr1 = 1\ncall row_must\nr6 = r0", "r1 = *(u64 *)(r6 +0)"));
    // With a null check before, behind, or none.
    let nullable = |text: &str| format!("r1 = 1\ncall row_get\nr6 = r0\n{text}\nout:{OUT}");
    accepted(&nullable("if r6 == 0 goto out\nr1 = *(u64 *)(r6 +0)\ncall table_move"));
    gone(&nullable("if r6 == 0 goto out\ncall table_move\nr1 = *(u64 *)(r6 +0)"), 6);
    gone(&nullable("call table_move\nif r6 == 0 goto out"), 6);
}

#[test]
fn what_derives_from_it_goes_with_it() {
    let row = |before: &str, used: &str| {
        format!("r1 = 1\ncall row_must\nr6 = r0\n{before}\ncall table_move\n{used}{OUT}")
    };
    gone(&row("r7 = r6", "r1 = *(u64 *)(r7 +0)"), 7);
    gone(&row("r7 = r6\nr7 += 8", "r1 = *(u64 *)(r7 +0)"), 7);
    gone(&row("*(u64 *)(r10 -8) = r6", "r7 = *(u64 *)(r10 -8)\nr1 = *(u64 *)(r7 +0)"), 7);
    accepted(&row("*(u64 *)(r10 -8) = r6", "*(u64 *)(r10 -8) = 0\nr7 = *(u64 *)(r10 -8)\nr0 = r7"));
    gone(&row("r1 = r6\ncall row_next\nr7 = r0", "r1 = *(u64 *)(r7 +0)"), 7);
    accepted(&row("r1 = r6\ncall row_next\nr7 = r0\nr1 = *(u64 *)(r7 +0)", ""));
    // What a field of it holds.
    gone(&row("r7 = *(u64 *)(r6 +16)", "r1 = *(u64 *)(r7 +0)"), 7);
    accepted(&row("r7 = *(u64 *)(r6 +16)\nr1 = *(u64 *)(r7 +0)", ""));
    // What has two ends ends with either.
    let stepped = |call: &str| {
        format!(
            "r1 = 1\ncall row_must\nr1 = r0\ncall row_step\nr6 = r0\ncall {call}\nr1 = *(u64 *)(r6 +0){OUT}"
        )
    };
    gone(&stepped("table_move"), 6);
    gone(&stepped("table_turn"), 6);
    accepted(&format!(
        "r1 = 1\ncall row_must\nr1 = r0\ncall row_step\nr6 = r0\nhelper 7\nr1 = *(u64 *)(r6 +0){OUT}"
    ));
}

#[test]
fn memory_and_views_end_as_objects_do() {
    let bytes = |get: u32, between: &str| {
        format!("r1 = 1\nhelper {get}\nr6 = r0\n{between}\nr1 = *(u64 *)(r6 +8){OUT}")
    };
    accepted(&bytes(10, "call table_turn"));
    gone(&bytes(10, "call table_move"), 6);
    accepted(&bytes(11, "call table_move"));
    // A part of them.
    let part = |of: u32, between: &str| {
        format!("r1 = 1\nhelper {of}\nr1 = r0\nhelper 12\nr6 = r0\n{between}\nr1 = *(u64 *)(r6 +0){OUT}")
    };
    accepted(&part(10, "helper 7"));
    gone(&part(10, "call table_move"), 6);
    accepted(&part(11, "call table_move"));
    // The stack is followed by the engine: nothing else may name it.
    let text = format!(
        "*(u64 *)(r10 -8) = 0\n*(u64 *)(r10 -16) = 0\nr1 = r10\nr1 += -16\nhelper 12\nr1 = *(u64 *)(r0 +0){OUT}"
    );
    let said = "bytes_part (another name for memory that is followed)";
    rejected(&text, Code::Unsupported, said);
    // A clause that does not hold says nothing.
    let said = "bytes_when (nothing says how long the pointer is good)";
    rejected(&format!("r1 = 1\nhelper 13{OUT}"), Code::Unsupported, said);
    // A view, and a helper that is offered as one of its overloads.
    let page = |between: &str| {
        format!("r1 = 1\nhelper 9\nif r0 == 0 goto out\nr6 = r0\n{between}\nr1 = *(u64 *)(r6 +8)\nout:{OUT}")
    };
    accepted(&page("helper 7"));
    accepted(&page("call table_move"));
    gone(&page("helper 8"), 6);
}

#[test]
fn other_paths_do_not_hide_the_call() {
    // Two paths that join: only one has called. Both orders.
    let joined = |op: &str| {
        format!(
            "r7 = *(u64 *)(r1 +0)\nr1 = 1\ncall row_must\nr6 = r0\nif r7 {op} 0 goto over\ncall table_move\n\
             over: r0 = 0\nr1 = *(u64 *)(r6 +0){OUT}"
        )
    };
    gone(&joined("=="), 6);
    gone(&joined("!="), 6);
    gone(
        &format!(
            "r7 = *(u64 *)(r1 +0)\nr1 = 1\ncall row_must\nr6 = r0\nif r7 == 0 goto moved\ngoto over\n\
             moved: call table_move\nover: r0 = 0\nr1 = *(u64 *)(r6 +0){OUT}"
        ),
        6,
    );
    // On one path the pointer ends with the call behind the join, on the other it does not.
    let kinds = |first: &str, second: &str| {
        format!(
            "r7 = *(u64 *)(r1 +0)\nr1 = 1\nif r7 == 0 goto other\ncall {first}\ngoto over\n\
             other: call {second}\nover: r6 = r0\nr0 = 0\ncall table_move\nr1 = *(u64 *)(r6 +0){OUT}"
        )
    };
    gone(&kinds("row_keep", "row_must"), 6);
    gone(&kinds("row_must", "row_keep"), 6);
    accepted(&kinds("row_keep", "row_keep"));
}

#[test]
fn a_loop_takes_the_pointer_of_the_round_before() {
    let counted = |outside: &str, inside: &str| {
        format!(
            "r7 = 0\nr1 = 1\n{outside}\nagain:\n{inside}\nr1 = *(u64 *)(r6 +0)\ncall table_move\nr7 += 1\n\
             if r7 < 10 goto again{OUT}"
        )
    };
    accepted(&counted("", "r1 = 1\ncall row_must\nr6 = r0"));
    gone(&counted("call row_must\nr6 = r0", ""), 6);
}

/// A walk over rows: `body` has the row in r0, `end` stands behind the last.
fn walked(body: &str, end: &str) -> String {
    format!(
        "r6 = 0\nr1 = r10\nr1 += -16\ncall row_iter_new\nagain: r1 = r10\nr1 += -16\ncall row_iter_next\n\
         if r0 == 0 goto drained\n{body}\ngoto again\ndrained: r1 = r10\nr1 += -16\n{end}{OUT}"
    )
}

#[test]
fn an_element_ends_with_the_next_and_with_the_iterator() {
    let destroy = "call row_iter_destroy";
    accepted(&walked("r1 = *(u64 *)(r0 +0)", destroy));
    accepted(&walked("r6 = r0\nr1 = *(u64 *)(r6 +0)\nr6 = 0", destroy));
    // Kept over the next call, in a register and in the stack.
    let kept = "if r6 == 0 goto first\nr1 = *(u64 *)(r6 +0)\nfirst: r6 = r0";
    gone(&walked(kept, destroy), 6);
    let spilled = "r1 = r0\nr2 = *(u64 *)(r10 -24)\nif r2 == 0 goto first\nr3 = *(u64 *)(r2 +0)\n\
                   first: *(u64 *)(r10 -24) = r1";
    let text = walked(spilled, destroy).replacen("r6 = 0", "*(u64 *)(r10 -24) = 0", 1);
    gone(&text, 2);
    // Left by the element's path, and destroyed.
    let broken = |before: &str, behind: &str| {
        format!(
            "r1 = r10\nr1 += -16\ncall row_iter_new\nr1 = r10\nr1 += -16\ncall row_iter_next\nr6 = r0\n\
             if r6 == 0 goto none\n{before}\nr1 = r10\nr1 += -16\ncall row_iter_destroy\n{behind}\nr0 = 0\nexit\n\
             none: r1 = r10\nr1 += -16\ncall row_iter_destroy{OUT}"
        )
    };
    accepted(&broken("r1 = *(u64 *)(r6 +0)", ""));
    gone(&broken("", "r1 = *(u64 *)(r6 +0)"), 6);
    // It is no reference: nothing holds it, and nothing may release it.
    let text = walked("r1 = r0\ncall row_drop", destroy);
    rejected(&text, Code::NotReferenced, "release kernel function row_drop expects refcounted PTR_TO_BTF_ID");
    // What is cut from an iterator goes with it.
    let looked = |between: &str| {
        format!(
            "r1 = r10\nr1 += -16\ncall row_iter_new\nr1 = r10\nr1 += -16\ncall row_iter_look\nr6 = r0\n\
             {between}\nr1 = r10\nr1 += -16\ncall row_iter_destroy"
        )
    };
    accepted(&(looked("r1 = *(u64 *)(r6 +0)") + OUT));
    gone(&(looked("") + "\nr1 = *(u64 *)(r6 +0)" + OUT), 6);
}

#[test]
fn stack_objects_take_what_was_cut_from_them() {
    let bag = |text: &str| {
        format!("r1 = r10\nr1 += -16\ncall bag_open\nr1 = r10\nr1 += -16\ncall bag_row\nr6 = r0\n{text}{OUT}")
    };
    let close = "\nr1 = r10\nr1 += -16\ncall bag_close\n";
    accepted(&bag(&format!("r1 = *(u64 *)(r6 +0){close}")));
    gone(&bag(&format!("{close}r1 = *(u64 *)(r6 +0)")), 6);
    let leak = "BPF_EXIT instruction in main prog would lead to reference leak";
    rejected(&bag(""), Code::ReferenceLeak, leak);
    rejected(
        &bag(&format!("r1 = r6\ncall row_drop{close}")),
        Code::NotReferenced,
        "release kernel function row_drop expects refcounted PTR_TO_BTF_ID",
    );
    // A copy in a caller's frame ends with what it is a copy of.
    let copied = |used: &str| {
        format!(
            "r1 = r10\nr1 += -32\ncall fill\n{used}\nr0 = 0\nexit\n\
             fill: r6 = r1\nr1 = r10\nr1 += -16\ncall bag_open\nr1 = r10\nr1 += -16\nr2 = r6\ncall bag_copy\n\
             r1 = r10\nr1 += -16\ncall bag_close\nr0 = 0\nexit"
        )
    };
    accepted(&copied(""));
    rejected(
        &copied("r1 = r10\nr1 += -32\ncall bag_row"),
        Code::StackObject,
        "expected an initialized bag as arg #0".replace("expected", "Expected").as_str(),
    );
    // Nothing says when these end.
    let slip = format!("r1 = r10\nr1 += -16\ncall slip_open\nr1 = r10\nr1 += -16\ncall slip_row{OUT}");
    let said = "slices of a stack object that need not be destroyed (slip_row)";
    rejected(&slip, Code::Unsupported, said);
    let tag = format!("r1 = r10\nr1 += -8\ncall tag_open{OUT}");
    rejected(&tag, Code::Unsupported, "tag without a region");
}

/// Calls `visit` for rows; r6 is a row of before, and the callback gets a pointer to fp-8.
fn visited(visit: &str, behind: &str) -> String {
    format!(
        "r1 = 1\ncall row_must\nr6 = r0\n*(u64 *)(r10 -8) = 0\nr1 = 4\nr2 = func[visit] ll\nr3 = r10\nr3 += -8\n\
         call for_each\n{behind}\nr0 = 0\nexit\nvisit:\n{visit}\nr0 = 0\nexit"
    )
}

#[test]
fn calls_of_a_function_that_is_called_back_count() {
    accepted(&visited("r1 = *(u64 *)(r1 +0)", "r1 = *(u64 *)(r6 +0)"));
    accepted(&visited("call table_turn", "r1 = *(u64 *)(r6 +0)"));
    gone(&visited("call table_move", "r1 = *(u64 *)(r6 +0)"), 6);
    accepted(&visited("call table_move", ""));
}

#[test]
fn what_a_callback_is_given_ends_with_it() {
    let take = "r3 = *(u64 *)(r10 -8)\nif r3 == 0 goto none\nr4 = *(u64 *)(r3 +0)\nnone:";
    accepted(&visited("r3 = *(u64 *)(r1 +0)\n*(u64 *)(r2 +0) = r3", "r3 = *(u64 *)(r10 -8)\nr0 = r3"));
    gone(&visited("*(u64 *)(r2 +0) = r1", take), 3);
    gone(&visited("r3 = r1\nr3 += 8\n*(u64 *)(r2 +0) = r3", take), 3);
    // Nor what comes from it.
    let derived = "r6 = r2\ncall row_next\n*(u64 *)(r6 +0) = r0";
    gone(&visited(derived, take), 3);
    // Nor does the next round find it.
    let next =
        "r3 = *(u64 *)(r2 +0)\nif r3 == 0 goto first\nr4 = *(u64 *)(r3 +0)\nfirst: *(u64 *)(r2 +0) = r1";
    gone(&visited(next, ""), 3);
    // In its own frame, and in functions that it calls, it is good.
    accepted(&visited("r6 = r1\n*(u64 *)(r10 -8) = r6\nr1 = *(u64 *)(r10 -8)\ncall row_sum", ""));
    accepted(
        &visited("r6 = r1\ncall look\nr0 = *(u64 *)(r6 +0)", "")
            .replace("r0 = 0\nexit\nvisit:", "r0 = 0\nexit\nlook: r0 = *(u64 *)(r1 +0)\nexit\nvisit:"),
    );
    // What it did not get is good behind it, wherever it puts that.
    let own = "r6 = r2\nr1 = 1\ncall row_must\n*(u64 *)(r6 +0) = r0";
    accepted(&visited(own, take));
    gone(&visited(own, &format!("call table_move\n{take}")), 3);
}

#[test]
fn callbacks_check_each_pointer_for_itself() {
    let pairs =
        |body: &str| format!("r1 = func[pair] ll\ncall for_pairs{OUT}\npair: {body}\nout: r0 = 0\nexit");
    accepted(&pairs("if r1 == 0 goto out\nr3 = *(u64 *)(r1 +0)"));
    rejected(
        &pairs("if r1 == 0 goto out\nr3 = *(u64 *)(r2 +0)"),
        Code::MaybeNull,
        "R2 invalid mem access 'ptr_or_null_'",
    );
    // Nothing that ends is passed on to what is called later.
    let later = format!(
        "r1 = 1\ncall row_must\nr1 = r0\nr2 = func[late] ll\ncall row_later{OUT}\nlate: r0 = 0\nexit"
    );
    assert!(matches!(ask(&table::PLATFORM, &later), Some((Code::Unsupported, _))), "{later}");
}

#[test]
fn subprograms_take_part() {
    let called = |body: &str, behind: &str| {
        format!(
            "r1 = 1\ncall row_must\nr6 = r0\nr1 = r6\ncall sub\n{behind}\nr0 = 0\nexit\nsub:\n{body}\nr0 = 0\nexit"
        )
    };
    accepted(&called("r1 = *(u64 *)(r1 +0)", "r1 = *(u64 *)(r6 +0)"));
    gone(&called("call table_move", "r1 = *(u64 *)(r6 +0)"), 6);
    gone(&called("r7 = r1\ncall table_move\nr1 = *(u64 *)(r7 +0)", ""), 7);
    // One that a subprogram returns, or puts into its caller's stack.
    let got = |between: &str| {
        format!(
            "r1 = 1\ncall sub\nr6 = r0\n{between}\nr1 = *(u64 *)(r6 +0)\nr0 = 0\nexit\nsub: call row_must\nexit"
        )
    };
    accepted(&got(""));
    gone(&got("call table_move"), 6);
}

#[test]
fn global_functions_say_what_they_call() {
    let called = |body: &str, behind: &str| {
        let text = format!(
            "r1 = 1\nhelper 10\nr6 = r0\nr1 = r6\ncall other\n{behind}\nr0 = 0\nexit\nother:\n{body}\nr0 = 0\nexit"
        );
        let mut program = program(&table::PLATFORM, &text);
        describe(&mut program, Linkage::Global);
        verdict(&table::PLATFORM, program)
    };
    assert_eq!(called("r1 = *(u64 *)(r1 +8)\ncall table_turn", "r1 = *(u64 *)(r6 +8)"), None);
    // It would use its argument behind the call.
    let said = "Caller passes invalid args into func#1 ('other')".to_owned();
    let wrong = Some((Code::ArgumentType, said));
    assert_eq!(called("r6 = r1\ncall table_move\nr1 = *(u64 *)(r6 +8)", ""), wrong);
    assert_eq!(called("call table_move", ""), wrong);
    // And what its caller keeps is gone, where it gets something else.
    let beside = |body: &str| {
        let text = format!(
            "r1 = 1\nhelper 10\nr6 = r0\nr1 = 1\nhelper 11\nr1 = r0\ncall other\nr1 = *(u64 *)(r6 +8)\nr0 = 0\n\
             exit\nother:\n{body}\nr0 = 0\nexit\ndeeper: call table_move\nr0 = 0\nexit"
        );
        let mut program = program(&table::PLATFORM, &text);
        describe(&mut program, Linkage::Global);
        verdict(&table::PLATFORM, program)
    };
    let gone = Some((Code::UninitializedRegister, "R6 !read_ok".to_owned()));
    assert_eq!(beside("call table_move\ncall deeper"), gone);
    assert_eq!(beside("call deeper"), gone);
}

#[test]
fn such_a_pointer_is_no_reference() {
    let release = "release kernel function row_drop expects refcounted PTR_TO_BTF_ID";
    for get in ["row_must", "row_keep"] {
        let text = format!("r1 = 1\ncall {get}\nr1 = r0\ncall row_drop{OUT}");
        rejected(&text, Code::NotReferenced, release);
        // It is trusted, and a path may end with it.
        accepted(&format!("r1 = 1\ncall {get}\nr6 = r0\nr1 = r0\ncall row_sum{OUT}"));
    }
    accepted(&visited("call row_sum", ""));
    // A reference is one, and what is released is gone.
    let taken =
        |text: &str| format!("r1 = 1\ncall row_take\nif r0 == 0 goto out\nr6 = r0\n{text}\nout:{OUT}");
    accepted(&taken("call table_move\nr1 = r6\ncall row_sum\nr1 = r6\ncall row_drop"));
    gone(&taken("r1 = r6\ncall row_drop\nr1 = *(u64 *)(r6 +0)"), 6);
    // With what derives from it and has another end too.
    let cursor = |text: &str| {
        format!(
            "r1 = 1\ncall cursor_open\nif r0 == 0 goto out\nr6 = r0\nr1 = r6\ncall cursor_row\nr7 = r0\n{text}\nout:{OUT}"
        )
    };
    accepted(&cursor("r1 = *(u64 *)(r7 +0)\nr1 = r6\ncall cursor_close"));
    gone(&cursor("r1 = r6\ncall cursor_close\nr1 = *(u64 *)(r7 +0)"), 7);
    gone(&cursor("call table_move\nr1 = *(u64 *)(r7 +0)\nr1 = r6\ncall cursor_close"), 7);
    accepted(&cursor("call table_move\nr1 = *(u64 *)(r6 +0)\nr1 = r6\ncall cursor_close"));
}

#[test]
fn objects_are_accessed_by_their_fields_and_do_not_leave() {
    let row = |text: &str| format!("r6 = r1\nr1 = 1\ncall row_must\nr7 = r0\n{text}{OUT}");
    accepted(&row("r1 = *(u64 *)(r7 +8)\n*(u64 *)(r7 +8) = 3"));
    let write = "R7 invalid write to row off=0 size=8";
    rejected(&row("*(u64 *)(r7 +0) = 3"), Code::InvalidContextAccess, write);
    let read = "R7 invalid read of row off=24 size=8";
    rejected(&row("r1 = *(u64 *)(r7 +24)"), Code::InvalidContextAccess, read);
    for (at, into) in [("r7 +8", "row"), ("r6 +8", "ctx")] {
        let text = row(&format!("*(u64 *)({at}) = r7"));
        rejected(&text, Code::PointerLeak, &format!("R7 leaks addr into {into}"));
    }
    let map = "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[0] ll\nhelper 1\nif r0 == 0 goto out\n\
               *(u64 *)(r0 +0) = r7\nout:";
    rejected(&row(map), Code::PointerLeak, "R7 leaks addr into map");
    let text = "r1 = 1\ncall row_must\nexit";
    rejected(text, Code::PointerLeak, "R0 leaks addr as return value");
}

#[test]
fn where_pointers_may_be_seen_they_become_numbers() {
    let row = |used: &str| format!("r1 = 1\ncall row_must\nr6 = r0\ncall table_move\n{used}\nr0 = 0\nexit");
    assert_eq!(ask(&open_table::PLATFORM, &row("r6 += 1")), None);
    let said = Some((Code::InvalidMemAccess, "R6 invalid mem access 'scalar'".to_owned()));
    assert_eq!(ask(&open_table::PLATFORM, &row("r1 = *(u64 *)(r6 +0)")), said);
}

/// The last steps of the explanation of a rejected program.
fn told(text: &str) -> Vec<String> {
    let program = program(&table::PLATFORM, text);
    let profile = table::PLATFORM.default_profile();
    let Verdict::Rejected(finding) = verify(&program, &table::PLATFORM, &profile).verdict else {
        panic!("{text}");
    };
    let explanation = explain(&program, &table::PLATFORM, &profile, &finding);
    explanation.history.iter().map(|step| step.text.clone()).collect()
}

#[test]
fn explanations_name_the_call() {
    let row = format!("r1 = 1\ncall row_must\nr6 = r0\ncall table_move\nr1 = *(u64 *)(r6 +0){OUT}");
    assert_eq!(
        told(&row).last().map(String::as_str),
        Some("the call of `table_move` makes r6 stale: it is no pointer any more")
    );
    let back = told(&visited("call table_move", "r1 = *(u64 *)(r6 +0)"));
    let text = "the call of `table_move` makes r6 stale: it is no pointer any more";
    assert!(back.iter().any(|step| step == text), "{back:?}");
    let used = "r3 = *(u64 *)(r10 -8)\nif r3 == 0 goto none\nr4 = *(u64 *)(r3 +0)\nnone:";
    let given = told(&visited("*(u64 *)(r2 +0) = r1", used));
    let text = "the function that was called back ends, and with it what it was given: the stack at fp-8 is no \
                pointer any more";
    assert!(given.iter().any(|step| step == text), "{given:?}");
}
