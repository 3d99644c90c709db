//! Terms as SMT-LIB 2, and the answer of a solver that is on the path.

use std::{
    collections::HashMap,
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

/// Asks whether `claim` holds wherever `assumption` does, for so many seconds.
///
/// # Panics
///
/// When the solver cannot be started or reports an error: a formula is wrong then.
#[must_use]
pub fn prove(assumption: &Term, claim: &Term, seconds: u32) -> Answer {
    ask(&script(assumption, claim), seconds)
}

/// Asks whether a script is unsatisfiable, for so many seconds.
///
/// # Panics
///
/// As [`prove`].
#[must_use]
pub fn ask(script: &str, seconds: u32) -> Answer {
    let mut solver = Command::new("z3")
        .args(["-in", &format!("-T:{seconds}")])
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
