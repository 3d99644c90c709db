//! The four kinds of call, from the spec to all engines, on an embedder's platform and on Linux: functions
//! of the program, functions of the platform, functions that are called back, other programs. Each has
//! twins that are refused, with the right code.

use std::sync::Arc;

use probity::host::{Errno, Guest, Handle, HostRun, Shared};
use probity_linux::PLATFORM as LINUX;
use probity_platform::Code;
use probity_program::MapDef;
use probity_tests::hosts::{Engine, Everywhere, Ready, program, verified};
use probity_vm::{Input, Packet, Runtime};

/// An embedder's platform.
mod shop {
    probity::spec! {
        platform shop;
        use core::{ scalars, memory, context, ints, objects, functions, loops, maps::{ array, helpers, tail_calls } };
        policy { allow loops; }
        limits { frames 4; }
        view call size 16 { input: u64; result: u64 read write; }
        object item { price: u64; }
        object basket { items: u64; }
        callback visit { sync; r1 = item; r2 = caller.ctx; returns 0..=1; }
        kfunc item_get { proto (id: u64) -> item | PTR_MAYBE_NULL; lifetime run; }
        kfunc item_price { flags KF_TRUSTED_ARGS; proto (item: item) -> u64; }
        kfunc item_secret { gpl_only; proto (item: item) -> u64; }
        kfunc basket_take { flags KF_ACQUIRE | KF_RET_NULL; proto (id: u64) -> basket; }
        kfunc basket_drop { flags KF_RELEASE; proto (basket: basket) -> void; }
        kfunc each_item {
            proto (most: u32, visit: ARG_PTR_TO_FUNC, ctx: ARG_PTR_TO_STACK | PTR_MAYBE_NULL) -> s64;
            calls visit as visit up_to most.umax;
        }
        /// Not for everybody.
        kfunc audit { proto () -> u64; }
        set common { item_get; item_price; item_secret; basket_take; basket_drop; each_item; }
        set all_of_it { include common; audit; }
        prog_type buyer = 1 { ctx call; helpers all; kfuncs common; section "buyer"; }
        prog_type auditor = 2 { ctx call; helpers all; kfuncs all_of_it; section "auditor"; }
    }
}

/// Items that cost ten times their number.
struct Shop {
    items: Vec<Shared<shop::Item>>,
    baskets: usize,
}

impl Shop {
    fn new() -> Shop {
        let items = (0..4).map(|id| shop::Item { price: 10 * id });
        Shop { items: Shared::array(items), baskets: 0 }
    }
}

impl shop::Host for Shop {
    fn item_get(&mut self, _run: &mut HostRun<'_>, id: u64) -> Option<Shared<shop::Item>> {
        self.items.get(id as usize).cloned()
    }

    fn item_price(&mut self, _run: &mut HostRun<'_>, item: Guest<'_, shop::Item>) -> u64 {
        item.get().price
    }

    fn item_secret(&mut self, _run: &mut HostRun<'_>, item: Guest<'_, shop::Item>) -> u64 {
        item.token()
    }

    fn basket_take(&mut self, _run: &mut HostRun<'_>, id: u64) -> Option<Handle<shop::Basket>> {
        self.baskets += 1;
        Some(Handle::new(shop::Basket { items: id }))
    }

    fn basket_drop(&mut self, _run: &mut HostRun<'_>, _basket: Handle<shop::Basket>) {
        self.baskets -= 1;
    }

    fn each_item(
        &mut self,
        run: &mut HostRun<'_>,
        most: u32,
        mut visit: shop::Visit<'_>,
    ) -> Result<i64, Errno> {
        let items: Vec<_> = self.items.iter().take(most as usize).cloned().collect();
        for item in &items {
            if visit.call(self, run, item)? != 0 {
                break;
            }
        }
        Ok(items.len() as i64)
    }

    fn audit(&mut self, _run: &mut HostRun<'_>) -> u64 {
        self.baskets as u64
    }
}

fn arrays() -> [MapDef; 2] {
    [MapDef::new(2, 4, 16, 1), MapDef::new(3, 4, 4, 2)]
}

/// r0 of a program of the shop, in all engines.
#[track_caller]
fn sold(text: &str) -> u64 {
    let program = Everywhere::new(&shop::bindings::<Shop>(), text, &arrays());
    let (result, _) = program.agree(&shop::Call::default(), Shop::new, None, |engine, shop, _| {
        assert_eq!(shop.baskets, 0, "{engine:?}");
    });
    result.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A program of the shop is refused.
#[track_caller]
fn refused(text: &str, code: Code, message: &str) {
    refused_as(shop::prog_types::BUYER, "GPL", text, code, message);
}

#[track_caller]
fn refused_as(prog_type: u32, license: &str, text: &str, code: Code, message: &str) {
    let mut program = program(&shop::PLATFORM, prog_type, text);
    program.maps = arrays().to_vec();
    program.license = license.to_owned();
    check(verified(&shop::PLATFORM, &program).map(|_| ()), text, code, message);
}

#[track_caller]
fn check(found: Result<(), Box<probity_engine::Finding>>, text: &str, code: Code, message: &str) {
    let finding = found.expect_err(text);
    assert_eq!((finding.rejection.code, finding.last_line()), (code, message), "{text}");
}

const XDP: u32 = 6;

/// A program on Linux, with an array and an array of programs.
fn on_linux(text: &str) -> probity_program::Program {
    let mut program = program(&LINUX, XDP, text);
    program.maps = arrays().to_vec();
    program
}

/// r0 of a program on Linux, in all engines; `target` is in the place 1 of its array of programs.
#[track_caller]
fn ran(text: &str, target: Option<&str>) -> u64 {
    let mut all: Vec<(Engine, u64)> = Vec::new();
    for &engine in Engine::ALL {
        let runtime = Runtime::default();
        let program = on_linux(text);
        let maps: Vec<_> = program.maps.iter().map(|map| runtime.map(&LINUX, map).expect("a map")).collect();
        let ready = Ready::new(engine, &LINUX, &program, maps.clone(), None).expect("it links");
        if let Some(target) = target {
            let ready = Ready::new(engine, &LINUX, &on_linux(target), maps.clone(), None).expect("it links");
            ready.put(&maps[1], 1).expect("it fits");
        }
        let mut worker = runtime.worker().expect("a slot");
        let mut packet = Packet::new(&[0; 64]);
        let input = Input { packet: Some(&mut packet), ..Input::default() };
        let result = match &ready {
            Ready::Verified(program) => program.run(&mut worker, input),
            Ready::Checked(program) => program.run(&mut worker, input),
        };
        all.push((engine, result.unwrap_or_else(|error| panic!("{engine:?}: {error}\n{text}"))));
    }
    assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].1), "{all:?}");
    all[0].1
}

#[track_caller]
fn refused_on_linux(text: &str, code: Code, message: &str) {
    check(verified(&LINUX, &on_linux(text)).map(|_| ()), text, code, message);
}

/// Functions that call functions, three deep.
const FUNCTIONS: &str = "r1 = 4\nr2 = 5\ncall outer\nexit\nouter:\nr6 = r2\nr2 = r1\ncall inner\nr1 = r6\nr0 *= r1\nexit\n\
                         inner:\nr0 = r1\nr0 += r2\nexit";

/// Five functions, each calling the next.
fn chain(depth: u32) -> String {
    let mut text = "call f1\nexit\n".to_owned();
    for at in 1..depth {
        text.push_str(&format!("f{at}:\ncall f{}\nexit\n", at + 1));
    }
    text + &format!("f{depth}:\nr0 = 1\nexit")
}

#[test]
fn functions_of_the_program() {
    assert_eq!(sold(FUNCTIONS), 40);
    assert_eq!(ran(FUNCTIONS, None), 40);
    assert_eq!(sold(&chain(3)), 1);
    assert_eq!(ran(&chain(7), None), 1);
    // A pointer to the caller's stack.
    let stack = "r1 = r10\nr1 += -8\ncall fill\nr0 = *(u64 *)(r10 -8)\nexit\nfill:\n*(u64 *)(r1 +0) = 6\nr0 = 0\nexit";
    assert_eq!((sold(stack), ran(stack, None)), (6, 6));
}

#[test]
fn functions_of_the_program_that_are_refused() {
    refused(&chain(4), Code::CallDepth, "the call stack of 5 frames is too deep");
    refused_on_linux(&chain(8), Code::CallDepth, "the call stack of 9 frames is too deep");
    let again = "call f\nexit\nf:\ncall f\nexit";
    refused(again, Code::CallDepth, "the call stack of 5 frames is too deep");
    refused_on_linux(again, Code::CallDepth, "the call stack of 9 frames is too deep");
    // What the function does with its argument is looked at in each call.
    let number = "r1 = 8\ncall fill\nr0 = 0\nexit\nfill:\n*(u64 *)(r1 +0) = 6\nr0 = 0\nexit";
    refused(number, Code::InvalidMemAccess, "R1 invalid mem access 'scalar'");
    refused_on_linux(number, Code::InvalidMemAccess, "R1 invalid mem access 'scalar'");
    let outside = "r1 = r10\ncall fill\nr0 = 0\nexit\nfill:\n*(u64 *)(r1 +0) = 6\nr0 = 0\nexit";
    refused(outside, Code::StackOutOfBounds, "invalid write to stack R1 off=0 size=8");
    refused_on_linux(outside, Code::StackOutOfBounds, "invalid write to stack R1 off=0 size=8");
}

/// The price of the third item, asked for in two ways.
const ITEM: &str = "r1 = 2\ncall item_get\nif r0 == 0 goto out\nr6 = r0\nr1 = r0\ncall item_price\nr1 = *(u64 *)(r6 +0)\n\
                    r0 += r1\nout: exit";

/// The sum of the numbers from 3 to 6.
const NUMBERS: &str = "r6 = 0\nr1 = r10\nr1 += -8\nr2 = 3\nr3 = 7\ncall bpf_iter_num_new\nnext: r1 = r10\nr1 += -8\n\
                       call bpf_iter_num_next\nif r0 == 0 goto done\nr0 = *(u32 *)(r0 +0)\nr6 += r0\ngoto next\n\
                       done: r1 = r10\nr1 += -8\ncall bpf_iter_num_destroy\nr0 = r6\nexit";

#[test]
fn functions_of_the_platform() {
    assert_eq!(sold(ITEM), 40);
    assert_eq!(sold(&ITEM.replace("item_price", "item_secret")), 22);
    assert_eq!(ran(NUMBERS, None), 18);
}

#[test]
fn functions_of_the_platform_that_are_refused() {
    let audit = "call audit\nexit";
    refused(audit, Code::CallableNotOffered, "calling kernel function audit is not allowed");
    let audit = verified(&shop::PLATFORM, &program(&shop::PLATFORM, shop::prog_types::AUDITOR, audit));
    assert!(audit.is_ok(), "it is offered to auditors");
    let secret = ITEM.replace("item_price", "item_secret");
    let why = "cannot call kernel function from non-GPL compatible program";
    refused_as(shop::prog_types::BUYER, "Proprietary", &secret, Code::GplOnly, why);
    let basket = "r1 = 2\ncall basket_take\nif r0 == 0 goto out\nr6 = r0\nr1 = r0\ncall item_price\nr1 = r6\ncall basket_drop\n\
                  out: r0 = 0\nexit";
    let why = "kernel function item_price args#0 expected pointer to STRUCT item but R1 has a pointer to STRUCT basket";
    refused(basket, Code::ArgumentType, why);
    let null = ITEM.replace("if r0 == 0 goto out\n", "");
    let why = "Possibly NULL pointer passed to trusted arg0";
    refused(&null, Code::ArgumentMaybeNull, why);
    // Hosts are given what is there, whether the spec demands trust or not.
    refused(&null.replace("item_price", "item_secret"), Code::ArgumentMaybeNull, why);
    // Never ended.
    let walk = "r1 = r10\nr1 += -8\nr2 = 3\nr3 = 7\ncall bpf_iter_num_new\nr0 = 0\nexit";
    refused_on_linux(
        walk,
        Code::ReferenceLeak,
        "BPF_EXIT instruction in main prog would lead to reference leak",
    );
    // Not for this type of program.
    let other = "r2 = 0\nr3 = r10\nr3 += -16\ncall bpf_dynptr_from_skb\nr0 = 0\nexit";
    let why = "calling kernel function bpf_dynptr_from_skb is not allowed";
    refused_on_linux(other, Code::CallableNotOffered, why);
}

/// The prices of three items, summed up by a function.
const EACH: &str = "*(u64 *)(r10 -8) = 0\nr1 = 3\nr2 = func[visit] ll\nr3 = r10\nr3 += -8\ncall each_item\nr0 = *(u64 *)(r10 -8)\n\
                    exit\nvisit:\nr3 = *(u64 *)(r1 +0)\nr4 = *(u64 *)(r2 +0)\nr4 += r3\n*(u64 *)(r2 +0) = r4\nr0 = 0\nexit";

/// The numbers below 5, summed up by a function.
const LOOP: &str = "*(u64 *)(r10 -8) = 0\nr1 = 5\nr2 = func[round] ll\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop\n\
                    r0 = *(u64 *)(r10 -8)\nexit\nround:\nr3 = *(u64 *)(r2 +0)\nr3 += r1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nexit";

#[test]
fn functions_that_are_called_back() {
    assert_eq!(sold(EACH), 30);
    assert_eq!((sold(LOOP), ran(LOOP, None)), (10, 10));
}

#[test]
fn functions_that_are_called_back_and_refused() {
    let two = |text: &str| text.replace("r0 = 0\nexit", "r0 = 2\nexit");
    let range = |register: &str| {
        format!("At callback return the register {register} has smin=2 smax=2 should have been in [0, 1]")
    };
    refused(&two(EACH), Code::ExitRange, &range("R0"));
    refused(&two(LOOP), Code::ExitRange, &range("R0"));
    refused_on_linux(&two(LOOP), Code::ExitRange, &range("R0"));
    // It gives up what it acquired, or it is refused.
    let keeps = |round: &str, call: &str| {
        format!(
            "r1 = 2\nr2 = func[visit] ll\nr3 = 0\nr4 = 0\ncall {round}\nr0 = 0\nexit\nvisit:\n{call}r0 = 0\nexit"
        )
    };
    let take = "r1 = 1\ncall basket_take\nif r0 == 0 goto none\nr1 = r0\n";
    let drops = format!("{take}call basket_drop\nnone:\n");
    assert_eq!(sold(&keeps("each_item", &drops)), 0);
    let keep = format!("{take}none:\n");
    // In the kernel's words, which are the same for all exits.
    let why = "BPF_EXIT instruction in main prog would lead to reference leak";
    refused(&keeps("each_item", &keep), Code::ReferenceLeak, why);
    refused(&keeps("bpf_loop", &keep), Code::ReferenceLeak, why);
    let walk = "r1 = r10\nr1 += -8\nr2 = 3\nr3 = 7\ncall bpf_iter_num_new\n";
    refused_on_linux(&keeps("bpf_loop", walk), Code::ReferenceLeak, why);
}

/// Goes to the program at the place 1.
const HOP: &str = "r2 = map[1] ll\nr3 = 1\ncall bpf_tail_call\nr0 = 7\nexit";

#[test]
fn other_programs() {
    assert_eq!(ran(HOP, None), 7, "there is none");
    assert_eq!(ran(HOP, Some("r0 = 2\nexit")), 2);
    // The embedder's, which calls the host.
    for (target, wanted) in [(None, 7), (Some(ITEM), 40)] {
        for &engine in Engine::ALL {
            let runtime = Runtime::default();
            let linked = shop::bindings::<Shop>().link().expect("it fits");
            let ready = |text: &str, maps: &[Arc<probity_vm::Map>]| {
                let mut program = program(&shop::PLATFORM, shop::prog_types::BUYER, text);
                program.maps = arrays().to_vec();
                Ready::new(engine, &shop::PLATFORM, &program, maps.to_vec(), Some(&linked)).expect("it links")
            };
            let maps: Vec<_> =
                arrays().iter().map(|map| runtime.map(&shop::PLATFORM, map).expect("a map")).collect();
            let first = ready(HOP, &maps);
            if let Some(target) = target {
                ready(target, &maps).put(&maps[1], 1).expect("it fits");
            }
            let mut worker = runtime.worker().expect("a slot");
            let result =
                first.run(&mut worker, &mut shop::Call::default(), &mut Shop::new(), Default::default());
            assert_eq!(result, Ok(wanted), "{engine:?}");
        }
    }
}

#[test]
fn other_programs_that_are_refused() {
    // Nobody would give back what is held.
    let held = "r7 = r1\nr1 = 1\ncall basket_take\nif r0 == 0 goto out\nr6 = r0\nr1 = r7\nr2 = map[1] ll\nr3 = 1\n\
                call bpf_tail_call\nr1 = r6\ncall basket_drop\nout: r0 = 0\nexit";
    refused(held, Code::ReferenceLeak, "tail_call would lead to reference leak");
    let walk = "r7 = r1\nr1 = r10\nr1 += -8\nr2 = 3\nr3 = 7\ncall bpf_iter_num_new\nr1 = r7\nr2 = map[1] ll\nr3 = 1\n\
                call bpf_tail_call\nr1 = r10\nr1 += -8\ncall bpf_iter_num_destroy\nr0 = 0\nexit";
    refused_on_linux(walk, Code::ReferenceLeak, "tail_call would lead to reference leak");
    // An array of something else.
    let other = HOP.replace("map[1]", "map[0]");
    refused(&other, Code::ArgumentCondition, "expected prog array map for tail call");
    refused_on_linux(&other, Code::ArgumentCondition, "expected prog array map for tail call");
}
