//! Fields of the context: those that the host has in another way, those that it has not, and pointers,
//! which are the runtime's.

use probity::host::{Bytes, ContextOf, ContextStruct, Errno, Field, HostRun, Plain};
use probity_tests::hosts::{self, Everywhere, Extra};
use probity_vm::{LinkError, Packet, RunError};

use crate::desk::{self, Call, Desk};

/// A platform with packets: the context has pointers.
mod wire {
    probity::spec! {
        platform wire;
        use core::{ scalars, memory, context, packet };
        policy { allow loops; }
        view frame size 24 {
            mark: u32 read write;
            data: u32 -> PTR_TO_PACKET;
            data_end: u32 -> PTR_TO_PACKET_END;
            kind: u32 read write;
            last: u64 read write;
        }
        helper spoil = 100 { proto (ctx: ARG_PTR_TO_CTX, how: ARG_ANYTHING) -> RET_INTEGER; }
        prog_type filter = 1 { ctx frame; helpers all; packet read, write; section "filter"; }
    }
}

use wire::Frame;

/// A host that writes all of the context that it can, and more.
struct Spoiler;

impl wire::Host for Spoiler {
    fn spoil(&mut self, run: &mut HostRun<'_>, ctx: ContextOf<'_, Frame>, how: u64) -> Result<i64, Errno> {
        match how {
            0 => ctx.set(&Frame { mark: u32::MAX, kind: u32::MAX, last: u64::MAX }),
            // Fields at places that nobody declared.
            1 => {
                for at in 0..40 {
                    ctx.store(Field::<Frame, u64>::new(at), &u64::MAX);
                    ctx.store(Field::<Frame, [u64; 9]>::new(at), &[u64::MAX; 9]);
                }
            }
            _ => ctx.store(Field::<Frame, u64>::new(usize::MAX - 3), &u64::MAX),
        }
        Ok(run.packet().map_or(-1, |packet| packet.len() as i64))
    }
}

#[test]
fn the_context_s_pointers_are_the_runtime_s() {
    // Whatever the host writes, the packet is where it was.
    let text = "r6 = r1\ncall spoil\nr7 = r0\nr2 = *(u32 *)(r6 +4)\nr3 = *(u32 *)(r6 +8)\nr4 = r2\nr4 += 4\nr0 = 0\n\
                if r4 > r3 goto out\nr0 = *(u8 *)(r2 +3)\nr0 <<= 8\nr0 += r7\nout: exit";
    for how in [0, 1] {
        let text = text.replace("call spoil", &format!("r2 = {how}\ncall spoil"));
        let program = Everywhere::new(&wire::bindings::<Spoiler>(), &text, &[]);
        for (engine, ready, _) in &program.ready {
            let mut worker = program.runtime.worker().expect("a slot");
            let (mut packet, mut frame) = (Packet::new(&[1, 2, 3, 4, 5]), Frame::default());
            let extra = Extra { fuel: None, packet: Some(&mut packet) };
            let result = ready.run(&mut worker, &mut frame, &mut Spoiler, extra);
            assert_eq!(result, Ok(0x405), "{engine:?}, {how}");
            assert_eq!((frame.mark, frame.kind, frame.last), (u32::MAX, u32::MAX, u64::MAX), "{engine:?}");
        }
    }
    // An offset of no field at all: nothing is written, or it is a mistake that ends the run.
    let text = text.replace("call spoil", "r2 = 2\ncall spoil");
    let program = Everywhere::new(&wire::bindings::<Spoiler>(), &text, &[]);
    let (result, _) = program.agree(&Frame::default(), || Spoiler, None, |_, _, _| {});
    assert!(matches!(result, Ok(0) | Err(RunError::Panic { .. })), "{result:?}");
}

#[test]
fn what_an_embedder_puts_in_the_place_of_pointers_is_gone() {
    /// The struct of another context, which fills all of it.
    #[derive(Clone, Debug, PartialEq)]
    struct All;

    impl Plain for All {
        const SIZE: usize = 24;

        fn load(_from: probity::host::Bytes<'_>) -> All {
            All
        }

        fn store(&self, to: probity::host::BytesMut<'_>) {
            assert!(to.len() <= 64);
            to.write(&[0x41; 64]);
        }
    }

    impl ContextStruct for All {
        const VIEW: &'static str = "frame";
    }

    let text = "r6 = r1\nr2 = *(u32 *)(r6 +4)\nr3 = *(u32 *)(r6 +8)\nr4 = r2\nr4 += 4\nr0 = 7\n\
                if r4 > r3 goto out\nr0 = *(u8 *)(r2 +3)\nout: exit";
    let program = Everywhere::new(&wire::bindings::<Spoiler>(), text, &[]);
    let (result, _) = program.agree(&All, || Spoiler, None, |_, _, _| {});
    assert_eq!(result, Ok(7), "there is no packet");
}

#[test]
fn fields_that_the_host_has_wider_or_not_at_all() {
    // The host's struct has `wide` in 8 bytes, and no `absent`.
    let call = Call { wide: 0x1_0000_0007, last: 5, ..Call::default() };
    assert_eq!(Call::SIZE, 32);
    let text = "r6 = *(u32 *)(r1 +16)\nr7 = *(u32 *)(r1 +20)\n*(u32 *)(r1 +20) = 9\nr8 = *(u32 *)(r1 +20)\nr0 = r6\nr0 <<= 8\n\
                r0 += r7\nr0 += r8\nr2 = *(u64 *)(r1 +24)\nr0 += r2\nexit";
    let program = Everywhere::new(&desk::bindings::<Desk>(), text, &[]);
    let (result, after) = program.agree(&call, Desk::default, None, |_, _, _| {});
    // The verifier has it that no more than 32 bits are loaded.
    assert_eq!(result, Ok((7 << 8) + 5));
    assert_eq!(after, call, "what is stored to a field that is not there is lost");
    // What the host changes is what the program sees, in each engine.
    let text = "r6 = r1\nr2 = 0\ncall add_to\nr0 = *(u32 *)(r6 +16)\nexit";
    let program = Everywhere::new(&desk::bindings::<Desk>(), text, &[]);
    let call = Call { wide: 1, ..Call::default() };
    let (result, after) = program.agree(&call, Desk::default, None, |_, _, _| {});
    assert_eq!((result, after.wide, after.last), (Ok(0), 1 << 32, 1));
    // And what the program stores is the host's.
    let text = "*(u32 *)(r1 +16) = 77\nr0 = 0\nexit";
    let program = Everywhere::new(&desk::bindings::<Desk>(), text, &[]);
    let call = Call { wide: u64::MAX, ..Call::default() };
    let (_, after) = program.agree(&call, Desk::default, None, |_, _, _| {});
    assert_eq!(after.wide, 0xffff_ffff_0000_004d, "the low bytes");
}

#[test]
fn a_context_of_another_type_is_an_error() {
    let program = Everywhere::new(&desk::bindings::<Desk>(), "r0 = 0\nexit", &[]);
    let linked = desk::bindings::<Desk>().link().expect("it fits");
    let checked = probity_tests::hosts::program(&desk::PLATFORM, 1, "r0 = 0\nexit");
    let profile = desk::PLATFORM.default_profile();
    let checked =
        probity_vm::CheckedProgram::with_host(&checked, &desk::PLATFORM, &profile, Vec::new(), &linked);
    let mut worker = program.runtime.worker().expect("a slot");
    let result = probity::module::run_checked(
        &checked.expect("it links"),
        &mut worker,
        &mut Frame::default(),
        None,
        &mut Desk::default(),
    );
    assert_eq!(result, Err(RunError::Internal("a context of another program type")));
}

/// A platform whose context promises memory that nobody puts there.
mod promised {
    probity::spec! {
        platform promised;
        use core::{ scalars, memory, context };
        view input size 16 {
            area: u64 -> PTR_TO_MEM;
            perhaps: u64 -> PTR_TO_MEM | PTR_MAYBE_NULL;
        }
        helper sum = 1 { proto (of: ARG_PTR_TO_MEM | MEM_RDONLY | PTR_MAYBE_NULL, size: ARG_CONST_SIZE_OR_ZERO) -> RET_INTEGER; }
        prog_type run = 1 { ctx input; helpers all; section "run"; }
    }
}

/// A host for it.
struct Sum;
impl promised::Host for Sum {
    fn sum(&mut self, _run: &mut HostRun<'_>, of: Option<Bytes<'_>>) -> Result<i64, Errno> {
        Ok(of.map_or(0, |of| of.len() as i64))
    }
}

/// Reads as null what nobody sets: only where the verifier had to think of null.
#[test]
fn a_pointer_that_nobody_sets_is_refused_unless_it_may_be_null() {
    let linked = |field: u32| {
        let text = format!("r1 = *(u64 *)(r1 +{field})\nr2 = 0\ncall sum\nr0 = 0\nexit");
        let program = hosts::program(&promised::PLATFORM, 1, &text);
        let proof = hosts::verified(&promised::PLATFORM, &program).unwrap_or_else(|why| panic!("{why:?}"));
        let host = promised::bindings::<Sum>().link().expect("generated bindings fit");
        probity_vm::Executable::with_host(&proof, Vec::new(), &host).map(|_| ())
    };
    let refused = LinkError::NoMemoryModel("PTR_TO_MEM, of field area of the context".to_owned());
    assert_eq!(linked(0), Err(refused));
    assert_eq!(linked(8), Ok(()));
}
