//! Functions by hand that are not made for their callable, and types that lie about their size: what safe
//! code can write, and what must come to nothing.

use std::panic::catch_unwind;

use probity::host::{
    Always, Bindings, Blank, Bytes, BytesMut, Callback, Caller, Copied, Ended, Fixed, FixedMut, Given, Guest,
    Handle, HostFunction, HostRun, Made, Map, Memory, Number, Place, Plain, Shared, SharedBytes, Used,
};

/// Callables in the order of their numbers among all: helpers by their numbers, kfuncs by their names.
mod shapes {
    probity::spec! {
        platform shapes;
        use core::{ scalars, memory, context, ints, objects, stack_objects, functions, maps::{ array } };
        view call size 16 { input: u64; result: u64 read write; }
        object row { id: u64; amount: u64 read write; }
        callback visit { sync; r1 = row; r2 = caller.with; r3 = SCALAR_VALUE; returns 0..=1; }
        stack_object walk size 16 { prints "walk"; state active owned; state drained owned; }
        helper two = 100 { proto (a: ARG_ANYTHING, b: ARG_ANYTHING) -> RET_INTEGER; }
        helper ranged = 101 { proto () -> RET_INTEGER; returns 0..=1; }
        helper memory = 102 { proto (of: ARG_PTR_TO_MEM(16) | MEM_RDONLY) -> RET_VOID; }
        helper blank = 103 { proto (to: ARG_PTR_TO_MEM | MEM_UNINIT | MEM_WRITE, size: ARG_CONST_SIZE) -> RET_VOID; }
        helper nullable = 104 { proto (of: ARG_PTR_TO_MEM(8) | MEM_RDONLY | PTR_MAYBE_NULL) -> RET_VOID; }
        helper bytes = 105 { proto () -> RET_PTR_TO_MEM | PTR_MAYBE_NULL; returns bytes 8; lifetime run; }
        helper context = 106 { proto (ctx: ARG_PTR_TO_CTX) -> RET_VOID; }
        helper behind = 107 { proto (of: ARG_PTR_TO_MEM | MEM_RDONLY, size: ARG_CONST_SIZE, flag: ARG_ANYTHING) -> RET_VOID; }
        kfunc a_call { proto (visit: ARG_PTR_TO_FUNC, with: ARG_PTR_TO_STACK | PTR_MAYBE_NULL) -> void; calls visit as visit; }
        kfunc b_get { proto (id: u64) -> row; lifetime until d_move; }
        kfunc c_int { proto (a: s32) -> u32; }
        kfunc d_move { proto () -> void; }
        kfunc e_use { proto (row: row) -> void; }
        kfunc f_take { flags KF_ACQUIRE | KF_RET_NULL; proto () -> row; }
        kfunc g_drop { flags KF_RELEASE; proto (row: row) -> void; }
        kfunc h_new { flags KF_ITER_NEW; proto (it: walk | MEM_UNINIT) -> s32; }
        kfunc i_next { flags KF_ITER_NEXT | KF_RET_NULL; proto (it: walk) -> row; lifetime run; }
        kfunc j_end { flags KF_ITER_DESTROY; proto (it: walk) -> void; }
        prog_type function = 1 { ctx call; helpers all; kfuncs all; section "function"; }
    }
}

use shapes::{PLATFORM, Row};

/// Why a function by hand is refused; None when it fits.
macro_rules! misfit {
    ($number:literal $name:literal ($($register:literal $arg:ty),*) -> $ret:ty) => {
        misfit!($number $name ($($register $arg),*) -> $ret, false, false)
    };
    ($number:literal $name:literal ($($register:literal $arg:ty),*) -> $ret:ty, $ranged:literal, $ends:literal) => {{
        struct Function;
        impl HostFunction<()> for Function {
            const NUMBER: u16 = $number;
            const NAME: &'static str = $name;
            const REGISTERS: &'static [u8] = &[$($register),*];
            const RANGED: bool = $ranged;
            const ENDS_LIFETIMES: bool = $ends;
            type Args<'a> = ($($arg,)*);
            type Ret = $ret;
            fn call<'a>(_host: &mut (), _run: &mut HostRun<'_>, _args: Self::Args<'a>) -> $ret {
                unreachable!("nobody calls it")
            }
        }
        Bindings::<()>::new(&PLATFORM).with::<Function>().link().err().map(|misfit| misfit.to_string())
    }};
}

/// A struct of so many bytes.
#[derive(Clone, Debug)]
struct Sized<const N: usize>;

impl<const N: usize> Plain for Sized<N> {
    const SIZE: usize = N;

    fn load(_from: Bytes<'_>) -> Sized<N> {
        Sized
    }

    fn store(&self, to: BytesMut<'_>) {
        assert!(to.len() == N, "{} bytes and not {N}", to.len());
    }
}

#[track_caller]
fn fits(misfit: Option<String>) {
    assert_eq!(misfit, None);
}

#[track_caller]
fn refused(misfit: Option<String>, why: &str) {
    let misfit = misfit.expect("it is refused");
    assert!(misfit.contains(why), "{misfit}");
}

#[test]
fn numbers_and_names() {
    fits(misfit!(0 "two" (0 Number<u64>, 1 Number<u64>) -> i64));
    fits(misfit!(10 "c_int" (0 Number<i32>) -> u32));
    refused(misfit!(0 "three" (0 Number<u64>, 1 Number<u64>) -> i64), "another callable in its place");
    refused(misfit!(1 "two" (0 Number<u64>, 1 Number<u64>) -> i64), "another callable in its place");
    refused(misfit!(999 "two" (0 Number<u64>, 1 Number<u64>) -> i64), "another callable in its place");
    assert_eq!(PLATFORM.callable_at(10).map(|row| row.name), Some("c_int"));
}

#[test]
fn how_many_and_where() {
    refused(misfit!(0 "two" (0 Number<u64>) -> i64), "it takes 1 arguments and not 2");
    refused(
        misfit!(0 "two" (0 Number<u64>, 1 Number<u64>, 2 Number<u64>) -> i64),
        "it takes 3 arguments and not 2",
    );
    refused(misfit!(0 "two" (1 Number<u64>, 0 Number<u64>) -> i64), "what it takes from r1 is");
    refused(misfit!(0 "two" (0 Number<u64>, 200 Number<u64>) -> i64), "what it takes from r2 is");
    // The size belongs to the memory before it.
    fits(misfit!(7 "behind" (0 Bytes<'a>, 2 Number<u64>) -> ()));
    refused(misfit!(7 "behind" (0 Bytes<'a>, 1 Number<u64>) -> ()), "what it takes from r3 is");
}

#[test]
fn registers_for_arguments_that_are_not_there() {
    struct Short;
    impl HostFunction<()> for Short {
        const NUMBER: u16 = 0;
        const NAME: &'static str = "two";
        const REGISTERS: &'static [u8] = &[0];
        const RANGED: bool = false;
        const ENDS_LIFETIMES: bool = false;
        type Args<'a> = (Number<u64>, Number<u64>);
        type Ret = i64;
        fn call<'a>(_host: &mut (), _run: &mut HostRun<'_>, _args: Self::Args<'a>) -> i64 {
            0
        }
    }
    let error = Bindings::<()>::new(&PLATFORM).with::<Short>().link().map(|_| ());
    refused(error.err().map(|misfit| misfit.to_string()), "it takes 2 arguments and not 2");
}

#[test]
fn what_is_taken() {
    refused(misfit!(0 "two" (0 Number<i64>, 1 Number<u64>) -> i64), "from r1");
    refused(misfit!(0 "two" (0 Number<u32>, 1 Number<u64>) -> i64), "from r1");
    refused(misfit!(0 "two" (0 &'a Map, 1 Number<u64>) -> i64), "from r1");
    refused(misfit!(0 "two" (0 Guest<'a, Row>, 1 Number<u64>) -> i64), "from r1");
    refused(misfit!(0 "two" (0 Bytes<'a>, 1 Number<u64>) -> i64), "from r1");
    refused(misfit!(0 "two" (0 Callback<'a, ()>, 1 Number<u64>) -> i64), "from r1");
    refused(misfit!(0 "two" (0 Used<u8>, 1 Number<u64>) -> i64), "from r1");
    refused(misfit!(10 "c_int" (0 Number<u32>) -> u32), "from r1");
}

#[test]
fn memory() {
    fits(misfit!(2 "memory" (0 Fixed<'a, 16>) -> ()));
    fits(misfit!(2 "memory" (0 Copied<Sized<16>>) -> ()));
    refused(misfit!(2 "memory" (0 Fixed<'a, 17>) -> ()), "from r1");
    refused(misfit!(2 "memory" (0 Copied<Sized<24>>) -> ()), "from r1");
    refused(misfit!(2 "memory" (0 FixedMut<'a, 16, false>) -> ()), "from r1");
    refused(misfit!(2 "memory" (0 Place<'a, Sized<16>, false>) -> ()), "from r1");
    refused(misfit!(2 "memory" (0 Bytes<'a>) -> ()), "from r1");
    refused(misfit!(2 "memory" (0 Option<Fixed<'a, 16>>) -> ()), "from r1");
    fits(misfit!(3 "blank" (0 Blank<'a>) -> ()));
    refused(misfit!(3 "blank" (0 BytesMut<'a>) -> ()), "from r1");
    refused(misfit!(3 "blank" (0 Bytes<'a>) -> ()), "from r1");
    fits(misfit!(4 "nullable" (0 Option<Copied<u64>>) -> ()));
    refused(misfit!(4 "nullable" (0 Copied<u64>) -> ()), "from r1");
    refused(misfit!(7 "behind" (0 BytesMut<'a>, 2 Number<u64>) -> ()), "from r1");
}

#[test]
fn objects() {
    fits(misfit!(12 "e_use" (0 Guest<'a, Row>) -> ()));
    refused(misfit!(12 "e_use" (0 Guest<'a, Sized<24>>) -> ()), "from r1");
    refused(misfit!(12 "e_use" (0 Handle<Row>) -> ()), "from r1");
    fits(misfit!(14 "g_drop" (0 Handle<Row>) -> ()));
    refused(misfit!(14 "g_drop" (0 Handle<Sized<8>>) -> ()), "from r1");
    refused(misfit!(14 "g_drop" (0 Guest<'a, Row>) -> ()), "from r1");
    fits(misfit!(16 "i_next" (0 Used<u8>) -> Option<Shared<Row>>));
    refused(misfit!(16 "i_next" (0 Ended<u8>) -> Option<Shared<Row>>), "from r1");
    fits(misfit!(17 "j_end" (0 Ended<u8>) -> ()));
    refused(misfit!(17 "j_end" (0 Used<u8>) -> ()), "from r1");
}

#[test]
fn functions_that_are_called_back() {
    fits(misfit!(8 "a_call" (0 Callback<'a, (Shared<Row>, Caller<1>, Given)>) -> ()));
    refused(misfit!(8 "a_call" (0 Callback<'a, (Shared<Sized<24>>, Caller<1>, Given)>) -> ()), "from r1");
    refused(misfit!(8 "a_call" (0 Callback<'a, (Shared<Row>, Caller<0>, Given)>) -> ()), "from r1");
    refused(misfit!(8 "a_call" (0 Callback<'a, (Given, Caller<1>, Given)>) -> ()), "from r1");
    refused(misfit!(8 "a_call" (0 Callback<'a, (Shared<Row>, Given, Given)>) -> ()), "from r1");
    refused(misfit!(8 "a_call" (0 Callback<'a, (Shared<Row>, Caller<1>)>) -> ()), "from r1");
    refused(misfit!(8 "a_call" (0 Callback<'a, (Shared<Row>, Caller<1>, Given, Given)>) -> ()), "from r1");
    refused(misfit!(8 "a_call" (0 Number<u64>) -> ()), "from r1");
}

#[test]
fn what_is_given_back() {
    refused(misfit!(0 "two" (0 Number<u64>, 1 Number<u64>) -> u64), "it gives");
    refused(misfit!(0 "two" (0 Number<u64>, 1 Number<u64>) -> i32), "it gives");
    refused(misfit!(0 "two" (0 Number<u64>, 1 Number<u64>) -> ()), "it gives");
    refused(misfit!(0 "two" (0 Number<u64>, 1 Number<u64>) -> Always<SharedBytes>), "it gives");
    fits(misfit!(5 "bytes" () -> Option<SharedBytes>));
    fits(misfit!(5 "bytes" () -> Option<Memory<u64>>));
    refused(misfit!(5 "bytes" () -> Always<SharedBytes>), "it gives");
    refused(misfit!(5 "bytes" () -> Option<Shared<Row>>), "it gives");
    refused(misfit!(5 "bytes" () -> u64), "it gives");
    fits(misfit!(9 "b_get" (0 Number<u64>) -> Always<Shared<Row>>));
    refused(misfit!(9 "b_get" (0 Number<u64>) -> Option<Shared<Row>>), "it gives");
    refused(misfit!(9 "b_get" (0 Number<u64>) -> Always<Handle<Row>>), "it gives");
    refused(misfit!(9 "b_get" (0 Number<u64>) -> Always<Shared<Sized<8>>>), "it gives");
    fits(misfit!(13 "f_take" () -> Option<Handle<Row>>));
    refused(misfit!(13 "f_take" () -> Option<Shared<Row>>), "it gives");
    fits(misfit!(15 "h_new" () -> Made<u8>));
    refused(misfit!(15 "h_new" () -> i32), "it gives");
}

#[test]
fn ranges_and_ends() {
    fits(misfit!(1 "ranged" () -> i64, true, false));
    refused(misfit!(1 "ranged" () -> i64), "held to other bounds");
    refused(misfit!(0 "two" (0 Number<u64>, 1 Number<u64>) -> i64, true, false), "held to other bounds");
    fits(misfit!(11 "d_move" () -> (), false, true));
    refused(misfit!(11 "d_move" () -> ()), "ends other lifetimes");
    refused(misfit!(12 "e_use" (0 Guest<'a, Row>) -> (), false, true), "ends other lifetimes");
}

/// A type that is no larger than it says and writes all that it is given, and tries for more.
#[derive(Clone, Debug, PartialEq)]
struct Liar;

impl Plain for Liar {
    const SIZE: usize = 8;

    fn load(from: Bytes<'_>) -> Liar {
        assert_eq!(from.len(), 8);
        assert_eq!((from.get::<u64>(1), from.get::<u8>(8), from.from(9).len()), (None, None, 0));
        assert_eq!((from.get::<u64>(usize::MAX), from.from(usize::MAX).len()), (None, 0));
        let mut all = [7; 100];
        assert_eq!((from.read(&mut all), all[8]), (8, 7));
        Liar
    }

    fn store(&self, to: BytesMut<'_>) {
        assert_eq!(to.write(&[0xee; 100]), 8);
        assert_eq!(to.set(1, &u64::MAX), None);
        assert_eq!(to.set(usize::MAX, &[u64::MAX; 4]), None);
        to.from(4).write(&[0xee; 100]);
        to.from(usize::MAX).write(&[0xee; 100]);
    }
}

#[test]
fn a_type_that_writes_elsewhere_writes_nothing() {
    let mut objects = Shared::array([Liar, Liar, Liar]);
    for (at, object) in (0..).zip(&objects) {
        assert_eq!(object.token(), at, "the tokens are between them");
    }
    objects[1].set(&Liar);
    assert_eq!(objects[1].get(), Liar);
    assert_eq!((objects[0].token(), objects[2].token()), (0, 2));
    let last = objects.pop().expect("three");
    drop(objects);
    assert_eq!((last.get(), last.token()), (Liar, 2), "it keeps the others' memory");
}

#[test]
fn a_type_that_is_as_large_as_no_memory_is_no_object() {
    fn none<const N: usize>(count: usize) {
        assert!(catch_unwind(|| Shared::array(vec![Sized::<N>; count])).is_err(), "{count} of {N} bytes");
    }
    none::<{ usize::MAX }>(1);
    none::<{ usize::MAX }>(8);
    none::<{ usize::MAX - 7 }>(8);
    none::<{ usize::MAX / 2 }>(4);
    none::<{ 1 << 61 }>(64);
    none::<{ (1 << 62) + 64 }>(32);
    assert_eq!(Shared::array(vec![Sized::<0>; 3]).len(), 3);
}
