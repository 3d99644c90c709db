//! Our log of a program beside the kernel's.

/// Where two logs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The number of the line, from 1.
    pub line: usize,
    /// The kernel's line; empty where its log ends.
    pub kernel: String,
    /// Ours; empty where our log ends.
    pub ours: String,
}

/// The lines of a log that do not differ from run to run: without the time, and with neither the
/// addresses that instructions load nor our names for them.
pub fn lines(log: &str) -> impl Iterator<Item = String> + '_ {
    log.lines().filter(|line| !line.starts_with("verification time ")).map(without_address)
}

fn without_address(line: &str) -> String {
    let Some(at) = line.find("(18) r").filter(|_| !line.starts_with(';')) else { return line.to_owned() };
    let (before, load) = line.split_at(at);
    let (insn, state) = match load.find(';') {
        Some(at) => load.split_at(at),
        None => (load, ""),
    };
    let Some((target, value)) = insn.split_once(" = ") else { return line.to_owned() };
    let address = value.trim_end().ends_with(" ll") || value.trim_end().starts_with("0xffff");
    if !address {
        return line.to_owned();
    }
    format!("{before}{target} = ADDRESS {state}")
}

/// The first line in which the logs differ.
#[must_use]
pub fn parting(kernel: &str, ours: &str) -> Option<Parting> {
    let (mut kernel, mut ours) = (lines(kernel), lines(ours));
    let mut line = 0;
    loop {
        line += 1;
        match (kernel.next(), ours.next()) {
            (None, None) => return None,
            (kernel, ours) if kernel == ours => {}
            (kernel, ours) => {
                return Some(Parting {
                    line,
                    kernel: kernel.unwrap_or_default(),
                    ours: ours.unwrap_or_default(),
                });
            }
        }
    }
}
