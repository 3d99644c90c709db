//! The JIT's tests under AddressSanitizer, the examples under ThreadSanitizer, and the tests of the
//! runtime's maps and interpreter under Miri. All take a nightly toolchain and minutes, so they run when
//! `PROBITY_SANITIZERS` is set.

use std::{env, path::Path, process::Command};

/// Whether nightly has a component, and somebody asked for it.
fn wanted(name: &str, component: &[&str]) -> bool {
    if env::var_os("PROBITY_SANITIZERS").is_none() {
        println!("skipped: {name}: set PROBITY_SANITIZERS=1");
        return false;
    }
    let found = Command::new("rustup").args(["run", "nightly"]).args(component).output();
    let there = found.is_ok_and(|output| output.status.success());
    if !there {
        println!("skipped: {name}: nightly has no {}", component.join(" "));
    }
    there
}

/// Runs cargo of nightly in the workspace, in a target folder of its own.
fn cargo(args: &[&str], variables: &[(&str, &str)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]).args(args).current_dir(&root);
    command.env("CARGO_TARGET_DIR", env::temp_dir().join("probity-sanitizers"));
    // What the outer cargo set is for another toolchain.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    let status = command.envs(variables.iter().copied()).status().expect("rustup runs");
    assert!(status.success(), "{args:?}: {status}");
}

#[test]
fn machine_code_under_address_sanitizer() {
    if wanted("machine code under AddressSanitizer", &["rustc", "--version"]) {
        let target = "x86_64-unknown-linux-gnu";
        let flags = [("RUSTFLAGS", "-Zsanitizer=address"), ("ASAN_OPTIONS", "detect_leaks=0")];
        cargo(&["test", "-p", "probity-jit", "--target", target], &flags);
    }
}

/// As programs of their own: the standard library is not built for the sanitizer, and what libtest sends
/// between threads through it would be reported. The threads of the examples meet in atomics, barriers and
/// maps. Machine code is not watched; so the firewall, whose threads share maps, is interpreted too.
#[test]
fn the_examples_under_thread_sanitizer() {
    if wanted("the examples under ThreadSanitizer", &["rustc", "--version"]) {
        let target = "x86_64-unknown-linux-gnu";
        let flags = [("RUSTFLAGS", "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer")];
        for example in [&["firewall"][..], &["firewall", "--", "--interpreted"], &["table"]] {
            let run = ["run", "-p", "probity", "--features", "jit", "--target", target, "--example"];
            cargo(&[&run, example].concat(), &flags);
        }
    }
}

#[test]
fn the_runtime_under_miri() {
    if wanted("the runtime under Miri", &["cargo", "miri", "--version"]) {
        let flags = [("MIRIFLAGS", "-Zmiri-permissive-provenance -Zmiri-ignore-leaks")];
        cargo(&["miri", "test", "-p", "probity-vm", "--lib"], &flags);
    }
}
