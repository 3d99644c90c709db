//! Terms as SMT-LIB 2, and the answer of a solver that is on the path.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
    rc::Rc,
    sync::OnceLock,
};

use super::term::{Node, Op, Term};

/// What a solver said of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds for all inputs.
    Proved,
    /// It does not, and for which inputs.
    Refuted(String),
    /// The solver gave up, or its time was over.
    Unknown,
}

/// True when there is a solver.
#[must_use]
pub fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        let version =
            Command::new("z3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    })
}

/// How much a solver may do for a claim, in its own measure: unlike seconds it does not hang on what
/// else the machine does. Some seconds.
const EFFORT: u32 = 15_000_000;
/// Seconds after which something is wrong.
const SECONDS: u32 = 120;

/// Asks whether `claim` holds wherever `assumption` does.
///
/// # Panics
///
/// When the solver cannot be started or reports an error: a formula is wrong then.
#[must_use]
pub fn prove(assumption: &Term, claim: &Term) -> Answer {
    ask(&script(assumption, claim))
}

/// Asks whether a script is unsatisfiable.
///
/// # Panics
///
/// As [`prove`].
#[must_use]
pub fn ask(script: &str) -> Answer {
    let mut solver = Command::new("z3")
        .args(["-in", &format!("-T:{SECONDS}"), &format!("rlimit={EFFORT}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("z3 starts");
    let mut input = solver.stdin.take().expect("it is piped");
    // A solver that ends early closes it: its answer tells.
    let _ = input.write_all(script.as_bytes());
    drop(input);
    let output = solver.wait_with_output().expect("z3 ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match text.lines().next().unwrap_or_default() {
        "unsat" => Answer::Proved,
        "sat" => Answer::Refuted(text),
        "unknown" | "timeout" => Answer::Unknown,
        other => panic!("z3 says {other}"),
    }
}

/// What of an assumption speaks only of the inputs of the claim and of `free`: less is
/// assumed, so that what follows from it follows from all, and is found sooner.
#[must_use]
pub fn relevant(assumption: &Term, claim: &Term, free: &[u32]) -> Term {
    let mut inputs = HashSet::new();
    collect(claim, &mut inputs, &mut HashSet::new());
    inputs.extend(free);
    let mut left = vec![assumption.clone()];
    let mut kept = Term::yes();
    while let Some(term) = left.pop() {
        if term.0.op == Op::And {
            left.extend(term.0.args.iter().cloned());
            continue;
        }
        let mut own = HashSet::new();
        collect(&term, &mut own, &mut HashSet::new());
        if own.is_subset(&inputs) {
            kept = &kept & &term;
        }
    }
    kept
}

fn collect(term: &Term, inputs: &mut HashSet<u32>, seen: &mut HashSet<*const Node>) {
    if !seen.insert(Rc::as_ptr(&term.0)) {
        return;
    }
    if let Op::Var(input) = term.0.op {
        inputs.insert(input);
    }
    term.0.args.iter().for_each(|arg| collect(arg, inputs, seen));
}

/// A script that is unsatisfiable exactly when the claim follows.
#[must_use]
pub fn script(assumption: &Term, claim: &Term) -> String {
    let mut writer = Writer { text: "(set-logic QF_BV)\n".to_owned(), ..Writer::default() };
    let assumption = writer.name(assumption);
    let claim = writer.name(claim);
    let Writer { mut text, .. } = writer;
    let _ =
        writeln!(text, "(assert (= {assumption} #b1))\n(assert (= {claim} #b0))\n(check-sat)\n(get-model)");
    text
}

#[derive(Default)]
struct Writer {
    text: String,
    names: HashMap<*const Node, String>,
    inputs: HashMap<u32, String>,
}

impl Writer {
    fn name(&mut self, term: &Term) -> String {
        let key = Rc::as_ptr(&term.0);
        if let Some(name) = self.names.get(&key) {
            return name.clone();
        }
        let width = term.width();
        let name = match term.0.op {
            Op::Const(value) => format!("(_ bv{value} {width})"),
            Op::Var(input) => {
                let name = format!("x{input}");
                if self.inputs.insert(input, name.clone()).is_none() {
                    let _ = writeln!(self.text, "(declare-const {name} (_ BitVec {width}))");
                }
                name
            }
            op => {
                let args: Vec<String> = term.0.args.iter().map(|arg| self.name(arg)).collect();
                let body = body(op, term, &args);
                let name = format!("t{}", self.names.len());
                let _ = writeln!(self.text, "(define-fun {name} () (_ BitVec {width}) {body})");
                name
            }
        };
        self.names.insert(key, name.clone());
        name
    }
}

fn body(op: Op, term: &Term, args: &[String]) -> String {
    let width = term.width();
    let plain = |name: &str| format!("({name} {})", args.join(" "));
    let truth = |name: &str| format!("(ite ({name} {}) #b1 #b0)", args.join(" "));
    match op {
        Op::Add => plain("bvadd"),
        Op::Sub => plain("bvsub"),
        Op::Mul => plain("bvmul"),
        Op::And => plain("bvand"),
        Op::Or => plain("bvor"),
        Op::Xor => plain("bvxor"),
        Op::Not => plain("bvnot"),
        Op::Shl => plain("bvshl"),
        Op::Lshr => plain("bvlshr"),
        Op::Ashr => plain("bvashr"),
        Op::Ult => truth("bvult"),
        Op::Slt => truth("bvslt"),
        Op::Eq => truth("="),
        Op::UmulFits => truth("bvumul_noovfl"),
        Op::SmulFits => {
            let (a, b) = (&args[0], &args[1]);
            format!("(ite (and (bvsmul_noovfl {a} {b}) (bvsmul_noudfl {a} {b})) #b1 #b0)")
        }
        Op::Ite => format!("(ite (= {} #b1) {} {})", args[0], args[1], args[2]),
        Op::Extract(low) => format!("((_ extract {} {low}) {})", low + width - 1, args[0]),
        Op::ZeroExtend => format!("((_ zero_extend {}) {})", width - term.0.args[0].width(), args[0]),
        Op::SignExtend => format!("((_ sign_extend {}) {})", width - term.0.args[0].width(), args[0]),
        Op::Const(_) | Op::Var(_) => unreachable!("they have no operands"),
    }
}
