//! What the verifier's log says: the reason and the statistics.

/// The reason and the numbers in a log of level 1 to 7.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSummary {
    /// The last line that gives a reason; empty when there is none.
    pub message: String,
    /// How many instructions were walked over.
    pub processed: u64,
    /// The largest number of states that were compared at one instruction.
    pub max_states_per_insn: u64,
    /// How many states were kept.
    pub total_states: u64,
    /// How many states were kept at the same time.
    pub peak_states: u64,
    /// The stack depths of the functions, as the log has them: `8+16`. Level 4 only.
    pub stack_depth: String,
}

/// Reads a log.
#[must_use]
pub fn summarize(log: &str) -> LogSummary {
    let mut summary = LogSummary::default();
    // Some messages lack their newline: the statistics begin in the middle of a line then.
    let end = statistics_start(log);
    for line in log[end..].lines() {
        if let Some(depth) = line.strip_prefix("stack depth ") {
            summary.stack_depth = depth.trim().to_owned();
        } else if line.starts_with("processed ") {
            summary.processed = number_after(line, "processed");
            summary.max_states_per_insn = number_after(line, "max_states_per_insn");
            summary.total_states = number_after(line, "total_states");
            summary.peak_states = number_after(line, "peak_states");
        }
    }
    let reason = log[..end].lines().rev().find(|line| is_reason(line));
    summary.message = reason.unwrap_or_default().trim_end().to_owned();
    summary
}

/// Where the statistics begin that end a log; the end of the log when there are none.
fn statistics_start(log: &str) -> usize {
    let processed = log.rfind("processed ").filter(|&at| log[at..].contains(" insns (limit "));
    let Some(processed) = processed else { return log.len() };
    // Two more lines come before it at level 4.
    log[..processed].rfind("verification time ").unwrap_or(processed)
}

/// Lines about precision and about stack liveness interrupt a trace and never end it.
fn is_reason(line: &str) -> bool {
    let liveness = line.starts_with('(') && (line.contains(") frame ") || line.contains(") live "));
    !line.trim().is_empty() && !line.starts_with("mark_precise:") && !liveness
}

fn number_after(line: &str, name: &str) -> u64 {
    let mut words = line.split_ascii_whitespace();
    let found = words.find(|&word| word == name).and_then(|_| words.next());
    found.and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATISTICS: &str = "verification time 14 usec\nstack depth 8+0\n\
        processed 93 insns (limit 1000000) max_states_per_insn 1 total_states 8 peak_states 7 \
        mark_read 0\n";

    #[test]
    fn reason_and_numbers() {
        let log = format!("0: R1=ctx() R10=fp0\n0: (bf) r0 = r3\nR3 !read_ok\n{STATISTICS}");
        let expected = LogSummary {
            message: "R3 !read_ok".into(),
            processed: 93,
            max_states_per_insn: 1,
            total_states: 8,
            peak_states: 7,
            stack_depth: "8+0".into(),
        };
        assert_eq!(summarize(&log), expected);
    }

    #[test]
    fn a_message_without_its_newline() {
        let log = format!("expected prog array map for tail call{STATISTICS}");
        assert_eq!(summarize(&log).message, "expected prog array map for tail call");
        assert_eq!(summarize(&log).processed, 93);
    }

    #[test]
    fn precision_is_no_reason() {
        let log = "div by zero\nmark_precise: frame0: last_idx 7 first_idx 7 subseq_idx -1 \n";
        assert_eq!(summarize(log).message, "div by zero");
        assert_eq!(summarize("").message, "");
    }
}
