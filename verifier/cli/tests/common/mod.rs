//! Runs the command in the project's folder, and compares with golden files.

#![allow(dead_code, reason = "each test uses a part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// What a run of the command gave.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The command, not started.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probity"));
    command.args(args).current_dir(root()).stdin(Stdio::null()).env_remove("CLICOLOR_FORCE");
    command
}

/// Runs the command.
pub(crate) fn probity(args: &[&str]) -> Run {
    let output = command(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs `probity check` with `--format jsonl`: the exit code and a value a line.
pub(crate) fn jsonl(args: &[&str]) -> (i32, Vec<serde_json::Value>) {
    let run = probity(&[&["check", "--format", "jsonl"], args].concat());
    assert_eq!(run.err, "");
    (run.code, run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Compares text with the golden file of a name; with `BLESS=1`, writes the file.
pub(crate) fn golden(name: &str, text: &str) {
    let path = root().join("tests/golden/cli").join(name);
    if env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        wanted == text,
        "{} differs; BLESS=1 rewrites it.\n--- wanted\n{wanted}\n--- found\n{text}",
        path.display()
    );
}
