//! What formats come out as.

use proptest::prelude::*;

use super::{golden, print};
use crate::errno::Errno;

/// Texts lie at round addresses.
const PAGE: u64 = 0x1_0000;

fn run(fmt: &[u8], args: &[golden::Arg], size: usize) -> Result<super::Rendered, Errno> {
    let mut texts: Vec<Vec<u8>> = Vec::new();
    let mut number = |arg: &golden::Arg| match arg {
        golden::Arg::Number(number) => *number,
        golden::Arg::Bytes(bytes) => {
            texts.push([bytes, &[0; 8][..]].concat());
            texts.len() as u64 * PAGE
        }
    };
    let args: Vec<u64> = args.iter().map(&mut number).collect();
    let mut memory = |address: u64, len: usize| {
        let text = (address / PAGE).checked_sub(1).and_then(|index| texts.get(index as usize));
        let from = text.and_then(|text| text.get((address % PAGE) as usize..)).unwrap_or_default();
        from[..len.min(from.len())].to_vec()
    };
    print(fmt, &args, size, &mut memory, 7)
}

#[test]
fn as_the_kernel_does() {
    let cases = golden::cases(include_str!("../../../tests/print.golden"));
    assert!(cases.len() > 300, "{} cases", cases.len());
    for case in cases {
        let result = match run(&case.format, &case.args, case.size) {
            _ if case.args.len() > super::MOST => continue,
            Ok(rendered) => {
                let buffer = if case.size == 0 { &[][..] } else { &rendered.bytes };
                golden::result(rendered.len as i64 + 1, buffer)
            }
            Err(Errno::EINVAL) => "refused".to_owned(),
            Err(error) => (-i64::from(error.0)).to_string(),
        };
        assert_eq!(result, case.result, "{}", case.line);
    }
}

#[test]
fn addresses_are_hidden() {
    let text = |value: i64| {
        let rendered = run(b"%p", &[golden::Arg::Number(value.cast_unsigned())], 64).expect("a format");
        String::from_utf8(rendered.bytes).expect("text")
    };
    assert_eq!(text(0), "0000000000000000");
    assert_eq!(text(-1), "ffffffffffffffff");
    for address in [1, 0x1234, 0x7fff_1234_5678, -4096] {
        let hidden = text(address);
        assert!(hidden.starts_with("00000000"), "{hidden}");
        assert_ne!(hidden, format!("{address:016x}"));
        assert_eq!(hidden, text(address), "the same each time");
    }
    assert_ne!(text(1), text(2));
}

proptest! {
    /// Where both know a conversion, the formatter of the language is the model.
    #[test]
    fn as_the_language_does(value: i64, width in 1usize..30, text in "[a-z]{0,20}") {
        let print = |fmt: &str, arg: golden::Arg| {
            let rendered = run(fmt.as_bytes(), &[arg], 100).expect("a format");
            prop_assert_eq!(rendered.len as usize, rendered.bytes.len());
            Ok(String::from_utf8(rendered.bytes).expect("text"))
        };
        let number = || golden::Arg::Number(value as u64);
        let word = value as i32;
        prop_assert_eq!(print(&format!("%{width}lld"), number())?, format!("{value:width$}"));
        prop_assert_eq!(print(&format!("%-{width}lld"), number())?, format!("{value:<width$}"));
        prop_assert_eq!(print(&format!("%0{width}lld"), number())?, format!("{value:0width$}"));
        prop_assert_eq!(print(&format!("%+{width}d"), number())?, format!("{word:+width$}"));
        prop_assert_eq!(print(&format!("%{width}lx"), number())?, format!("{value:width$x}"));
        prop_assert_eq!(print(&format!("%0{width}X"), number())?, format!("{word:0width$X}"));
        prop_assert_eq!(print("%llu", number())?, (value as u64).to_string());
        prop_assert_eq!(print("%u", number())?, (word as u32).to_string());
        let bytes = || golden::Arg::Bytes(text.clone().into_bytes());
        prop_assert_eq!(print(&format!("%{width}s"), bytes())?, format!("{text:>width$}"));
        prop_assert_eq!(print(&format!("%-{width}s"), bytes())?, format!("{text:<width$}"));
    }

    #[test]
    fn nothing_panics(fmt in "([ a-z%0-9+-]|%[0-9 +-]{0,3}(ll?)?[a-zA-Z]{1,3}[46]?){0,8}", args in prop::collection::vec(any::<u64>(), 0..13), size in 0usize..600) {
        let args: Vec<golden::Arg> = args.into_iter().map(golden::Arg::Number).collect();
        if let Ok(rendered) = run(fmt.as_bytes(), &args, size) {
            prop_assert!(rendered.bytes.len() < size.max(1));
            prop_assert!(rendered.bytes.len() as u64 == rendered.len.min(size.saturating_sub(1) as u64));
        }
    }
}
