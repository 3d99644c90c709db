//! Takes the text of the Linux spec into the command, so that a report can show the line of the spec
//! that demands something.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root =
        env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("CARGO_MANIFEST_DIR is not set"))?;
    let spec = Path::new(&root).join("../../spec");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", spec.display());
    let mut files: Vec<(String, PathBuf)> = vec![("core.bpfspec".into(), spec.join("core.bpfspec"))];
    let linux = spec.join("linux");
    collect(&linux, &linux, &mut files)?;
    files.sort();
    let mut text = String::from("&[\n");
    for (name, path) in files {
        let path = path.canonicalize()?;
        let folder = if name == "core.bpfspec" { "spec" } else { "spec/linux" };
        let _ = writeln!(text, "    ({name:?}, \"{folder}/{name}\", include_str!({path:?})),");
    }
    text.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&out).join("spec_text.rs"), text)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "bpfspec") {
            let below = path.strip_prefix(root).unwrap_or(&path);
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            files.push((parts.join("/"), path));
        }
    }
    Ok(())
}
