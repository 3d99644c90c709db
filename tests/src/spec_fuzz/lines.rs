//! Thousands of lines: random tokens, damaged lines of real specs, and what is hard on a parser.

use super::{
    Platform,
    text::{Sort, tokens},
};
use crate::generate::rng::Rng;

/// Lines of an input.
pub const LINES: usize = 5000;

/// What random lines are made of.
pub struct Pool {
    lines: Vec<String>,
    tokens: Vec<String>,
}

impl Pool {
    /// The lines and tokens of some platforms.
    #[must_use]
    pub fn of(platforms: &[Platform]) -> Pool {
        let texts = || platforms.iter().flatten().map(|(_, text)| text);
        let lines = texts().flat_map(|text| text.lines()).map(str::to_owned).collect();
        let mut all: Vec<String> = texts()
            .flat_map(|text| tokens(text).into_iter().map(|(_, range)| text[range].to_owned()))
            .filter(|token| !token.starts_with("//"))
            .collect();
        all.sort();
        all.dedup();
        // Marks and keywords would be rare among thousands of names.
        let marks = ["{", "}", "(", ")", "[", "]", ";", ",", ":", "|", "=", "->", "..=", "==", "&&", "."];
        let words = probity_codegen::syntax::item_keywords();
        let words: Vec<&str> = words.chain(probity_codegen::syntax::clause_keywords()).collect();
        let often = all.len() / (marks.len() + words.len()) + 1;
        for word in marks.iter().chain(&words) {
            all.extend(std::iter::repeat_n((*word).to_owned(), often));
        }
        Pool { lines, tokens: all }
    }
}

/// A platform of 5,000 lines, in up to four files. Its number says what sort of lines they are.
#[must_use]
pub fn platform(rng: &mut Rng, pool: &Pool, number: u64) -> Platform {
    // Lines as they follow one another in real specs, with damage here and there; or any.
    let damaged = [100, 100, 60, 20, 5, 1][usize::try_from(number % 6).unwrap_or(0)];
    let in_order = !number.is_multiple_of(3);
    let start = rng.below(pool.lines.len());
    let files = 1 + rng.below(4);
    let mut all: Platform = (0..files).map(|file| (format!("{file}.bpfspec"), String::new())).collect();
    for index in 0..LINES {
        let real = if in_order { (start + index) % pool.lines.len() } else { rng.below(pool.lines.len()) };
        let real = &pool.lines[real];
        let line = if rng.chance(damaged) { line(rng, pool, real) } else { real.clone() };
        let text = &mut all[index * files / LINES].1;
        text.push_str(&line);
        text.push('\n');
    }
    all
}

fn line(rng: &mut Rng, pool: &Pool, real: &str) -> String {
    match rng.weighted(&[60, 20, 1, 4, 3, 2, 2, 1]) {
        0 => damage(rng, pool, real),
        1 => {
            let words: Vec<&str> = (0..rng.below(24)).map(|_| token(rng, pool)).collect();
            words.join(rng.pick(&[" ", " ", " ", ""]))
        }
        2 => {
            let open = rng.pick(&["(", "{", "[", "a(", "!", "-", "a {", "a::{", "x in {", "part a {"]);
            let close = rng.pick(&["", ")", "}", "]", ";"]);
            let depth = 1 << rng.below(12);
            format!("{}{}{}", token(rng, pool), open.repeat(depth), close.repeat(depth))
        }
        3 => {
            let number = number(rng);
            let range = tokens(real).into_iter().find(|(sort, _)| *sort == Sort::Number);
            range.map_or(number.clone(), |(_, range)| replaced(real, range, &number))
        }
        4 => format!("{real} \"{}", token(rng, pool)),
        5 => {
            let name = rng.pick(&["a", "_", "ab_", "ü"]).repeat(1 << rng.below(14));
            let range = tokens(real).into_iter().rev().find(|(sort, _)| *sort == Sort::Name);
            range.map_or(name.clone(), |(_, range)| replaced(real, range, &name))
        }
        6 => (0..rng.below(60)).filter_map(|_| char::from_u32(rng.bits() as u32 % 0x3000)).collect(),
        _ => format!(
            "{} a{};",
            token(rng, pool),
            rng.pick(&[" + a", ", a", " | a", "::a", " && a"]).repeat(2000)
        ),
    }
}

fn token<'a>(rng: &mut Rng, pool: &'a Pool) -> &'a str {
    &pool.tokens[rng.below(pool.tokens.len())]
}

/// A number at which something changes, or one that is too large.
pub(super) fn number(rng: &mut Rng) -> String {
    const EDGES: [u64; 18] = [
        0,
        1,
        2,
        3,
        5,
        8,
        16,
        255,
        256,
        511,
        512,
        65535,
        65536,
        0x7fff_ffff,
        0xffff_ffff,
        1 << 32,
        1 << 63,
        u64::MAX,
    ];
    match rng.below(12) {
        0 => "9".repeat(1 << rng.below(12)),
        1 => format!("{:#x}", rng.bits()),
        2 => format!("0x{}", "f".repeat(17 + rng.below(200))),
        3 => (rng.bits() >> rng.below(64)).to_string(),
        _ => rng.pick(&EDGES).to_string(),
    }
}

pub(super) fn replaced(text: &str, range: std::ops::Range<usize>, by: &str) -> String {
    format!("{}{by}{}", &text[..range.start], &text[range.end..])
}

/// A line with one to four places changed.
fn damage(rng: &mut Rng, pool: &Pool, real: &str) -> String {
    let mut line = real.to_owned();
    for _ in 0..=rng.below(4) {
        let known = tokens(&line);
        if known.is_empty() {
            return token(rng, pool).to_owned();
        }
        let (_, range) = known[rng.below(known.len())].clone();
        let other = token(rng, pool);
        line = match rng.below(7) {
            0 => replaced(&line, range, ""),
            1 => replaced(&line, range.end..range.end, &format!(" {other} ")),
            2 | 3 => replaced(&line, range, other),
            4 => line[..range.end].to_owned(),
            5 => format!("{line} {}", &line[range.start..]),
            _ => {
                let other = &pool.lines[rng.below(pool.lines.len())];
                format!("{} {other}", &line[..range.start])
            }
        };
    }
    line
}
