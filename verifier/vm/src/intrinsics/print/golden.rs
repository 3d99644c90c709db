//! What the platform's kernel says of formats, a line each, in `tests/print.golden`: the format, the
//! arguments (numbers, or text at an address behind a quote), the buffer's size, and behind the last
//! tab what came of it. Bytes that would be hard to read are escaped, long runs are shortened.

/// A line.
pub(crate) struct Case {
    /// All of the line but what came of it.
    pub(crate) line: String,
    /// The format.
    pub(crate) format: Vec<u8>,
    /// The arguments.
    pub(crate) args: Vec<Arg>,
    /// The buffer's size.
    pub(crate) size: usize,
    /// What came of it.
    pub(crate) result: String,
}

/// An argument.
pub(crate) enum Arg {
    /// A number.
    Number(u64),
    /// The address of bytes, with a zero behind.
    Bytes(Vec<u8>),
}

/// Reads the lines.
pub(crate) fn cases(golden: &str) -> Vec<Case> {
    let case = |line: &str| {
        let mut parts = line.splitn(4, '\t');
        let mut part = || parts.next().unwrap_or_default();
        let (format, args, size, result) = (part(), part(), part(), part());
        Case {
            line: [format, args, size].join("\t"),
            format: bytes(format),
            args: args.split(' ').filter(|arg| !arg.is_empty()).map(arg).collect(),
            size: size.parse().expect("a size"),
            result: result.to_owned(),
        }
    };
    golden.lines().map(case).collect()
}

fn arg(text: &str) -> Arg {
    if let Some(text) = text.strip_prefix('"') {
        return Arg::Bytes(bytes(text));
    }
    Arg::Number(match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).expect("hex digits"),
        None => text.parse::<i64>().expect("a number").cast_unsigned(),
    })
}

/// Bytes of text with escapes: `\x00`, and `\{a*100}` for a run.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        if let Some(run) = rest.strip_prefix('{') {
            let (run, behind) = run.split_once('}').expect("a run ends");
            let (byte, count) = run.split_once('*').expect("a run has a count");
            bytes.resize(bytes.len() + count.parse::<usize>().expect("a count"), byte.as_bytes()[0]);
            rest = behind;
        } else {
            bytes.push(u8::from_str_radix(&rest[1..3], 16).expect("hex digits"));
            rest = &rest[3..];
        }
    }
    bytes.extend(rest.as_bytes());
    bytes
}

/// The text of what came of a case: the number, and the buffer up to its zero.
pub(crate) fn result(returned: i64, buffer: &[u8]) -> String {
    if returned < 0 {
        return returned.to_string();
    }
    let end = buffer.iter().position(|&byte| byte == 0).unwrap_or(buffer.len());
    let mut text = format!("{returned} ");
    for run in buffer[..end].chunk_by(|left, right| left == right) {
        match run {
            [byte @ (b' '..=b'[' | b']'..=b'~'), ..] if run.len() > 20 => {
                text += &format!("\\{{{}*{}}}", char::from(*byte), run.len());
            }
            _ => {
                for &byte in run {
                    match byte {
                        b' '..=b'[' | b']'..=b'~' => text.push(byte.into()),
                        _ => text += &format!("\\x{byte:02x}"),
                    }
                }
            }
        }
    }
    text
}
