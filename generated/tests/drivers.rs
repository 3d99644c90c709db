//! What the drivers of some Linux helpers ask and do, seen by an engine that only takes notes.

use probity_linux::{PLATFORM, helpers};
use probity_platform::{
    CallbackCall, Code, Effects, Guard, PointerClass, RegType, Rejection, ReturnOf, Site,
};

#[derive(Default)]
struct Notes {
    map_type: Option<u32>,
    calls: Vec<String>,
}

impl Effects for Notes {
    fn umin(&self, _: u8) -> u64 {
        0
    }
    fn umax(&self, arg: u8) -> u64 {
        // As wide as numbers get for argument 2, the size of `bpf_get_stack`.
        if arg == 2 { u64::MAX } else { 64 }
    }
    fn smin(&self, _: u8) -> i64 {
        0
    }
    fn smax(&self, _: u8) -> i64 {
        64
    }
    fn constant(&self, _: u8) -> Option<u64> {
        None
    }
    fn is_null(&self, _: u8) -> bool {
        false
    }
    fn map_type(&self, _: u8) -> Option<u32> {
        self.map_type
    }
    fn map_value_size(&self, _: u8) -> u64 {
        8
    }
    fn map_key_size(&self, _: u8) -> u64 {
        4
    }
    fn map_max_entries(&self, _: u8) -> u64 {
        1
    }
    fn nr_cpus(&self) -> u64 {
        4
    }
    fn holds(&self, _: &Guard) -> bool {
        true
    }
    fn require_map_type(&mut self, map: u8, allowed: &[u32], _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("map type of {map} in {allowed:?}"));
        Ok(())
    }
    fn require_const(&mut self, arg: u8, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("{arg} is constant"));
        Ok(())
    }
    fn require(&mut self, holds: bool, text: &'static str, site: Site) -> Result<(), Rejection> {
        assert_ne!(site, Site::NONE);
        if holds { Ok(()) } else { Err(Rejection::new(Code::ArgumentCondition, text)) }
    }
    fn precise(&mut self, arg: u8) -> Result<(), Rejection> {
        self.calls.push(format!("{arg} is precise"));
        Ok(())
    }
    fn return_range(&mut self, smin: i64, smax: i64) {
        self.calls.push(format!("returns {smin}..={smax}"));
    }
    fn return_type(&mut self, _: RegType) {}
    fn return_bytes(&mut self, bytes: u64) {
        self.calls.push(format!("returns {bytes} bytes"));
    }
    fn nonnull_for_constant_key(&mut self, map: u8, key: u8) -> Result<(), Rejection> {
        self.calls.push(format!("not null for {key} in {map}"));
        Ok(())
    }
    fn acquire(&mut self, class: &'static str, _: Site) {
        self.calls.push(format!("acquires {class}"));
    }
    fn cast(&mut self, arg: u8) {
        self.calls.push(format!("casts {arg}"));
    }
    fn return_of(&mut self, what: ReturnOf, arg: u8, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("returns {what:?} of {arg}"));
        Ok(())
    }
    fn enter(&mut self, region: u16, by: Option<u8>, fallible: bool, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("enters {region} by {by:?}, may fail: {fallible}"));
        Ok(())
    }
    fn leave(&mut self, region: u16, by: Option<u8>, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("leaves {region} by {by:?}"));
        Ok(())
    }
    fn construct(&mut self, arg: u8, state: u8, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("constructs {arg} as {state}"));
        Ok(())
    }
    fn advance(&mut self, arg: u8, drained: u8, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("advances {arg} to {drained}"));
        Ok(())
    }
    fn destroy(&mut self, arg: u8, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("destroys {arg}"));
        Ok(())
    }
    fn clone_object(&mut self, from: u8, to: u8, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("clones {from} to {to}"));
        Ok(())
    }
    fn slice(&mut self, arg: u8) {
        self.calls.push(format!("slices {arg}"));
    }
    fn disown(&mut self, arg: u8, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("disowns {arg}"));
        Ok(())
    }
    fn call_back(&mut self, call: &CallbackCall, times: Option<u64>) -> Result<(), Rejection> {
        self.calls.push(format!("calls {} as {} {:?} times {times:?}", call.func, call.callback, call.entry));
        Ok(())
    }
    fn require_member(&mut self, field: u8, map: u8, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("{field} is of map {map}"));
        Ok(())
    }
    fn format(&mut self, format: u8, data: u8, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("{format} formats {data}"));
        Ok(())
    }
    fn throw(&mut self, _: Site) -> Result<(), Rejection> {
        self.calls.push("throws".to_owned());
        Ok(())
    }
    fn invalidate(&mut self, class: PointerClass) {
        self.calls.push(format!("invalidates {class:?}"));
    }
    fn tail_call(&mut self, map: u8, index: u8, _: Site) -> Result<(), Rejection> {
        self.calls.push(format!("tail call {index} of {map}"));
        Ok(())
    }
    fn unsupported(&mut self, name: &'static str, _: Site) -> Result<(), Rejection> {
        Err(Rejection::new(Code::Unsupported, name))
    }
}

/// What the driver of a helper did, or the message with which it refused.
fn drive(number: u32, map_type: Option<u32>) -> Result<Vec<String>, String> {
    let row = PLATFORM.callables.iter().find(|row| row.number == number).expect("a helper");
    let driver = row.driver.expect("a driver");
    let mut notes = Notes { map_type, ..Notes::default() };
    match driver(&mut notes) {
        Ok(_) => Ok(notes.calls),
        Err(rejection) => Err(rejection.message),
    }
}

#[test]
fn clauses_become_calls_in_the_canonical_order() {
    let said = |calls: &[&str]| Ok(calls.iter().map(|call| (*call).to_owned()).collect());
    assert_eq!(drive(helpers::BPF_GET_SMP_PROCESSOR_ID, None), said(&["returns 0..=3"]));
    assert_eq!(drive(helpers::BPF_MAP_LOOKUP_ELEM, Some(2)), said(&["not null for 1 in 0"]));
    assert_eq!(drive(helpers::BPF_REDIRECT_MAP, Some(14)), said(&["map type of 0 in [14, 25, 16, 17]"]));
    let calls = said(&["invalidates Packet", "tail call 2 of 1"]);
    assert_eq!(drive(helpers::BPF_TAIL_CALL, Some(3)), calls);
    assert_eq!(drive(helpers::BPF_XDP_ADJUST_HEAD, None), said(&["invalidates Packet"]));
}

#[test]
fn a_size_beyond_what_is_returned_is_cut() {
    let said = Ok(vec![format!("returns -4095..={}", i64::MAX)]);
    assert_eq!(drive(helpers::BPF_GET_STACK, None), said);
}

#[test]
fn what_is_not_modelled_says_so() {
    let refused = |text: &str| Err(text.to_owned());
    assert_eq!(drive(helpers::BPF_SK_LOOKUP_TCP, None), Ok(vec!["acquires socket".to_owned()]));
    assert_eq!(drive(helpers::BPF_TAIL_CALL, Some(1)), refused("expected prog array map for tail call"));
}
