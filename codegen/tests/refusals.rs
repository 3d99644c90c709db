//! What is refused, and with which code: a sound platform, one thing wrong with it at a time.

use probity_codegen::diagnostic::Style;
use probity_codegen::{Built, Options, SourceMap, build};

/// A sound platform; `more` is put behind it, `clauses` into its helper, `fields` into its view,
/// `entries` into its set, `prog` into its program type.
struct Spec<'a> {
    more: &'a str,
    clauses: &'a str,
    fields: &'a str,
    entries: &'a str,
    prog: &'a str,
}

const SOUND: Spec<'static> = Spec { more: "", clauses: "", fields: "", entries: "", prog: "" };

impl Spec<'_> {
    fn text(&self) -> String {
        format!(
            "platform sample;
use core::{{ scalars, memory, context, packet, maps::{{ array }} }};
view ctx size 64 {{ length: u32; at 8 id: u64; {fields} }}
helper ask = 7 {{
    proto (map: ARG_CONST_MAP_PTR, key: ARG_PTR_TO_MAP_KEY, number: ARG_ANYTHING) -> RET_INTEGER;
    {clauses}
}}
set all_of_it {{ ask; {entries} }}
prog_type filter = 1 {{ ctx ctx; helpers all_of_it; section \"filter\"; {prog} }}
{more}",
            fields = self.fields,
            clauses = self.clauses,
            entries = self.entries,
            prog = self.prog,
            more = self.more,
        )
    }
}

fn built(text: &str) -> Built {
    let mut sources = SourceMap::new();
    sources.add("sample.bpfspec", text);
    build(sources, &Options::default())
}

fn codes(text: &str) -> Vec<String> {
    built(text).diagnostics.iter().map(|found| found.code.to_string()).collect()
}

#[track_caller]
fn refused(spec: &Spec<'_>, code: &str) {
    let built = built(&spec.text());
    let found: Vec<String> = built.diagnostics.iter().map(|found| found.code.to_string()).collect();
    assert_eq!(found, [code], "{}", built.report(Style::Plain));
}

fn more(more: &str) -> Spec<'_> {
    Spec { more, ..SOUND }
}

fn clauses(clauses: &str) -> Spec<'_> {
    Spec { clauses, ..SOUND }
}

fn fields(fields: &str) -> Spec<'_> {
    Spec { fields, ..SOUND }
}

fn entries(entries: &str) -> Spec<'_> {
    Spec { entries, ..SOUND }
}

fn prog(prog: &str) -> Spec<'_> {
    Spec { prog, ..SOUND }
}

/// A helper beside the sample's, reachable.
fn helper(proto: &str) -> String {
    format!("helper other = 8 {{ unsupported \"x\"; proto {proto}; }}")
}

#[test]
fn the_sample_is_sound() {
    let built = built(&SOUND.text());
    assert!(built.diagnostics.is_empty(), "{}", built.report(Style::Plain));
    assert_eq!(built.platform(), Some("sample"));
    assert!(built.rust.is_some());
}

#[test]
fn names_that_nothing_declares() {
    refused(&more("kind PTR_TO_RING: packet { bound PTR_TO_PACKET_ENDE; }"), "S020");
    refused(&more("argclass ARG_X: pointer { accepts PTR_TO_CTY; }"), "S020");
    refused(&more("extend ARG_PTR_TO_MEMO { accepts PTR_TO_CTX; }"), "S020");
    let text = SOUND.text().replace(", maps::{ array }", ", maps::{ hash }");
    assert_eq!(codes(&format!("{text} global_data BPF_MAP_TYPE_ARRAY;")), ["S020"]);
    refused(&more(&helper("(x: ARG_NOTHING) -> RET_INTEGER")), "S020");
    refused(&more(&helper("(x: ARG_ANYTHING | MEM_RDONLI) -> RET_INTEGER")), "S020");
    refused(&more(&helper("() -> RET_INTEGRE")), "S020");
    refused(&more("policy { allow everything; }"), "S020");
    refused(&more("policy { follow everything; }"), "S020");
    refused(&more("policy { allow loops when cap(CAP_BPF) && sleepable; }"), "S050");
    refused(&more("limits { stak 512; }"), "S020");
    refused(&more("switch array_key_elisio since 6.14;"), "S020");
    refused(&more("use gore;"), "S020");
    refused(&more("use core::{ packed };"), "S020");
    refused(&clauses("precise size;"), "S020");
    refused(&clauses("invalidates packets;"), "S020");
    refused(&clauses("where map.typ == 2;"), "S020");
    refused(&clauses("where map.type == BPF_MAP_TYPE_ARAY;"), "S020");
    refused(&clauses("where BPF_MAP_TYPE_ARAY != map.type;"), "S020");
    refused(&clauses("where map.type in { 1, BPF_MAP_TYPE_ARAY };"), "S020");
    refused(&clauses("where map.type == filter;"), "S020");
    refused(&clauses("where number.umax <= nr_cpu;"), "S020");
    refused(&clauses("returns 0..=nothing;"), "S020");
    refused(&more("map_type MINE = 9 { key 4; value 4; used_by { aks } }"), "S020");
    refused(&fields("at 16 p: u64 -> PTR_TO_PAKET;"), "S020");
    refused(&entries("bsk;"), "S020");
    refused(&entries("ask as other;"), "S020");
    refused(&entries("include rest;"), "S020");
    refused(&more("extend set basics { }"), "S020");
    refused(&prog("section \"x\" attach NOWHERE;"), "S020");
    refused(&prog("section \"x\" flags BPF_F_SLEEP;"), "S020");
    refused(&prog("returns any when attach in { NOWHERE };"), "S020");
    refused(&prog("packet reed;"), "S020");
}

#[test]
fn the_nearest_name_is_suggested() {
    let built = built(&entries("aks;").text());
    let suggestion = built.diagnostics[0].suggestion.as_ref().expect("a suggestion");
    assert_eq!(suggestion.replacement, "ask");
}

#[test]
fn what_is_said_twice() {
    refused(&more("kind PTR_TO_CTX: context { prints \"ctx\"; }"), "S021");
    refused(&more("view ctx size 8 { x: u64; }"), "S021");
    refused(&more("set all_of_it { ask; }"), "S021");
    refused(&more("special_field lock: struct; special_field lock: struct;"), "S021");
    refused(&entries("ask;"), "S021");
    refused(&fields("at 16 id: u64;"), "S021");
    refused(&more(&helper("(x: ARG_ANYTHING, x: ARG_ANYTHING) -> RET_VOID")), "S021");
    refused(&prog("section \"filter\";"), "S021");
    refused(&more("helper other = 7 { unsupported \"x\"; proto () -> RET_VOID; }"), "S022");
    refused(&more("map_type MINE = 2 { key 4; value 4; }"), "S022");
    refused(&prog("attach A = 1, B = 1;"), "S022");
    refused(&clauses("pkt_access; pkt_access;"), "S028");
    refused(&prog("ctx ctx;"), "S028");
    refused(&more("map_type MINE = 9 { key 4; value 4; key 4; }"), "S028");
    refused(&more("version 1.0; version 1.1;"), "S028");
    refused(&more("limits { stack 8; stack 16; }"), "S028");
    refused(&more("global_data BPF_MAP_TYPE_ARRAY;"), "S028");
}

#[test]
fn both_places_of_a_conflict_are_labelled() {
    let built = built(&more("view ctx size 8 { x: u64; }").text());
    let found = &built.diagnostics[0];
    assert_eq!(built.sources.line_column(found.primary.span).0, 10);
    assert_eq!(built.sources.line_column(found.secondary[0].span).0, 3);
}

#[test]
fn the_platform_as_a_whole() {
    assert_eq!(codes("version 1.0;"), ["S024"]);
    refused(&more("platform other;"), "S025");
    refused(&more("kind PTR_TO_X: wobble { prints \"x\"; }"), "S023");
    refused(&more("argclass ARG_X: wobble;"), "S023");
    refused(&more("special_field lock: union;"), "S023");
    refused(
        &more("helper other = 8 { since 5.4; until 5.3; unsupported \"x\"; proto () -> RET_VOID; }"),
        "S026",
    );
    refused(&more("map_type MINE = 9 { key 8..=4; value 4; }"), "S027");
    refused(&clauses("returns 3..=2;"), "S027");
    refused(&prog("returns 1..=0;"), "S027");
    refused(&more("map_type MINE = 9 { key 4; }"), "S029");
    refused(&more("kind PTR_TO_X: packet { prints \"x\"; }"), "S029");
    refused(&more("kind PTR_TO_X: view { prints \"x\"; }"), "S029");
    refused(&more("argclass ARG_X: pointer;"), "S029");
    refused(&more("prog_type empty = 2 { section \"empty\"; }"), "S029");
    refused(&more("helper other = 4294967296 { unsupported \"x\"; proto () -> RET_VOID; }"), "S030");
    refused(&prog("entry r6 = ctx;"), "S030");
    refused(&more("part x { }"), "S031");
    refused(&more("kind PTR_TO_X: handle { bound PTR_TO_CTX; }"), "S031");
}

#[test]
fn arguments_that_do_not_hang_together() {
    let six = "(a: ARG_ANYTHING, b: ARG_ANYTHING, c: ARG_ANYTHING, d: ARG_ANYTHING, e: ARG_ANYTHING, f: ARG_ANYTHING) -> RET_VOID";
    refused(&more(&helper(six)), "S040");
    refused(&more(&helper("(a: ARG_PTR_TO_MEM) -> RET_VOID")), "S041");
    refused(&more(&helper("(a: ARG_PTR_TO_MEM, b: ARG_ANYTHING, c: ARG_ANYTHING) -> RET_VOID")), "S041");
    refused(&more(&helper("(a: ARG_CONST_SIZE) -> RET_VOID")), "S042");
    refused(&more(&helper("(a: ARG_PTR_TO_MEM(8), b: ARG_CONST_SIZE) -> RET_VOID")), "S042");
    refused(&more(&helper("(k: ARG_PTR_TO_MAP_KEY, m: ARG_CONST_MAP_PTR) -> RET_VOID")), "S043");
    refused(&more(&helper("(a: ARG_ANYTHING) -> RET_PTR_TO_MAP_VALUE")), "S043");
    refused(&more(&helper("(a: ARG_ANYTHING | PTR_MAYBE_NULL) -> RET_VOID")), "S044");
    refused(&more("helper other = 8 { unsupported \"x\"; }"), "S046");
    refused(&more("extend ARG_PTR_TO_MEM { accepts PTR_TO_CTX | PTR_MAYBE_NULL; }"), "S045");
}

#[test]
fn clauses_on_the_wrong_argument() {
    refused(&clauses("precise map;"), "S044");
    refused(&clauses("where number.value_size == 8;"), "S044");
    refused(&clauses("where map.umax == 8;"), "S044");
    refused(&clauses("tail_call number, number;"), "S044");
    refused(&clauses("nonnull when number in map;"), "S044");
    refused(&clauses("where number;"), "S050");
    refused(&clauses("where map.type == number;"), "S050");
    refused(&clauses("returns 0..=number;"), "S050");
    refused(&clauses("where attach == number.umax;"), "S050");
    refused(&clauses("body map_lokup;"), "S047");
    refused(&clauses("body map_lookup;"), "S048");
    refused(&clauses("gpl_only when sleepable;"), "S031");
    refused(&clauses("variadic when sleepable;"), "S031");
    refused(&more("helper none = 90 { unsupported \"x\"; variadic; proto () -> RET_VOID; }"), "S031");
}

#[test]
fn fields_that_do_not_fit() {
    refused(&fields("at 12 half: u32;"), "S070");
    refused(&fields("at 18 odd: u32;"), "S071");
    refused(&fields("at 60 last: [u32; 2];"), "S072");
    refused(&fields("at 16 p: u16 -> PTR_TO_PACKET;"), "S073");
    refused(&fields("at 16 p: u32 sizes 3;"), "S074");
    refused(&fields("at 16 p: u32 sizes 8;"), "S074");
    refused(&fields("at 16 p: u32 none write;"), "S074");
    refused(&fields("at 16 p: [u32; 2] narrow first;"), "S074");
    refused(&fields("at 16 p: u8 narrow first;"), "S074");
    refused(&fields("at 16 p: u32 sizes 4 narrow first;"), "S074");
    refused(&fields("at 16 p: u64 -> PTR_TO_PACKET narrow first;"), "S074");
    refused(&fields("at 16 p: u32 narrow first 0;"), "S074");
    refused(&fields("at 16 p: u32 narrow first 4;"), "S074");
    refused(&fields("at 16 p: u32 narrow first 4294967297;"), "S074");
    refused(&fields("at 16 p: u32 narrow first narrow first;"), "S028");
    refused(&fields("at 16 p: u32 narrow;"), "S001");
}

#[test]
fn structs_that_are_none() {
    refused(&more("struct s { a: u32 read; }"), "S075");
    refused(&more("struct s { a: u32 sizes 4; }"), "S075");
    refused(&more("struct s { a: u32 narrow first; }"), "S075");
    refused(&more("struct s { a: u32 when sleepable; }"), "S075");
    refused(&more("struct s { a: u32 host u64; }"), "S075");
    refused(&more("struct s { a: u32 { read; write; } }"), "S075");
    refused(&more("struct s { a: u32 {} }"), "S075");
    refused(&more("struct s { a: u64 -> PTR_TO_PACKET; }"), "S075");
    refused(&more("struct s { }"), "S029");
    refused(&more(&helper("(a: ARG_PTR_TO_MEM(0)) -> RET_VOID")), "S030");
    refused(&more("struct s { a: s32; }"), "S001");
    refused(&more("struct s { a: u32; at 2 b: u16; }"), "S070");
    refused(&more("struct s { at 2 a: u32; }"), "S071");
    refused(&more("struct s size 4 { a, b: u32; }"), "S072");
    refused(&more("struct s { a: [u8; 4294967296]; }"), "S072");
    refused(&more("struct s { a, a: u32; }"), "S021");
    refused(&more("struct s { a: u32; } struct s { a: u32; }"), "S021");
    refused(&more("struct ctx { a: u32; }"), "S021");
    refused(&more("struct s { a: u32; } object s { a: u32; }"), "S021");
    refused(&more("struct s { a: u32; } object t btf s;"), "S021");
    refused(&more("struct s { a: u32; } special_field s: struct { size 4; }"), "S021");
    refused(&more(&helper("(a: ARG_PTR_TO_MEM(ctx)) -> RET_VOID")), "S020");
    refused(&more("struct s { a: u32; } extend ARG_PTR_TO_MEM { accepts PTR_TO_MEM(s); }"), "S044");
    let of = |proto: &str| format!("struct s {{ a: u32; }} {}", helper(proto));
    refused(&more(&of("(a: ARG_ANYTHING(s)) -> RET_VOID")), "S044");
    refused(&more(&of("(a: ARG_PTR_TO_MEM(s + 1)) -> RET_VOID")), "S050");
    refused(&more(&of("() -> RET_INTEGER(s)")), "S044");
    refused(&more(&of("(m: ARG_CONST_MAP_PTR) -> RET_PTR_TO_MAP_VALUE(s)")), "S044");
}

#[test]
fn sets_that_do_not_add_up() {
    refused(&entries("include all_of_it;"), "S080");
    let text = more("set a { include b; } set b { include a; }").text();
    assert_eq!(codes(&text), ["S080"]);
    refused(&entries("exclude ask, ask;"), "S081");
    refused(
        &Spec {
            more: "helper other = 8 { until 5.0; proto () -> RET_VOID; }",
            entries: "other when since 5.4; other when since 4.0;",
            ..SOUND
        },
        "S082",
    );
}

#[test]
fn warnings_do_not_refuse() {
    let spec = more("helper other = 8 { proto () -> RET_VOID; }");
    refused(&spec, "S049");
    assert!(built(&spec.text()).rust.is_some());
    let spec = more("prog_type silent = 2 { ctx ctx; }");
    refused(&spec, "S083");
    let mut sources = SourceMap::new();
    sources.add("sample.bpfspec", spec.text());
    let strict = Options { deny_warnings: true, ..Options::default() };
    assert!(build(sources, &strict).rust.is_none());
}

#[test]
fn all_errors_are_reported_at_once() {
    let spec = Spec {
        more: "kind PTR_TO_X: wobble { prints \"x\"; }",
        clauses: "precise map;",
        fields: "at 12 half: u32;",
        entries: "bsk;",
        prog: "returns 1..=0;",
    };
    let mut found = codes(&spec.text());
    found.sort();
    assert_eq!(found, ["S020", "S023", "S027", "S044", "S070"]);
}

#[test]
fn unknown_names_of_the_prelude_are_reported_in_it_only_when_taken() {
    // Without `context` there is no kind for r1, and the class of contexts is not there.
    let text = SOUND.text().replace("context, ", "");
    assert_eq!(codes(&text), ["S029"]);
    let text = SOUND.text().replace("scalars, memory, context, packet, maps::{ array }", "context");
    // Needs bring `scalars`; nothing brings maps.
    assert!(codes(&text).iter().all(|code| code == "S020"), "{:?}", codes(&text));
}
