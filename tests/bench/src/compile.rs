//! Compiles programs, into a folder that lives as long as the benchmark.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Failure, Source};

/// How often a small program does the one thing that it is about.
pub const ITERATIONS: u32 = 1000;

const CLANG: &str = "clang-22";

/// What a program is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// XDP as Linux has it: a context with two 32-bit fields for the packet.
    Xdp,
    /// A context of two 64-bit pointers.
    Pointers,
    /// The packet in r1, its length in r2.
    Memory,
    /// A shared object for this machine.
    Native,
}

impl Form {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Form::Xdp => &["-target", "bpf", "-mcpu=v3", "-g", "-c", "-DFOR_XDP"],
            Form::Pointers => &["-target", "bpf", "-mcpu=v3", "-g", "-c", "-DFOR_POINTERS"],
            Form::Memory => &["-target", "bpf", "-mcpu=v3", "-g", "-c", "-DFOR_MEMORY"],
            Form::Native => {
                &["-fno-vectorize", "-fno-slp-vectorize", "-fPIC", "-shared", "-Wno-unused", "-DFOR_NATIVE"]
            }
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Form::Xdp => "xdp.o",
            Form::Pointers => "pointers.o",
            Form::Memory => "memory.o",
            Form::Native => "so",
        }
    }
}

/// Where programs are compiled. The folder goes with it.
#[derive(Debug)]
pub struct Workshop {
    folder: PathBuf,
}

impl Workshop {
    /// A new folder for what is compiled; None where there is no `clang-22`.
    ///
    /// # Errors
    ///
    /// When the folder can't be made.
    pub fn open() -> io::Result<Option<Workshop>> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let found = Command::new(CLANG).arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            return Ok(None);
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("probity-bench-{}-{number}", process::id()));
        fs::create_dir(&folder)?;
        Ok(Some(Workshop { folder }))
    }

    /// Compiles a program and says where the result is.
    ///
    /// # Errors
    ///
    /// What the compiler said.
    pub fn compile(&self, source: &Source, form: Form) -> Result<PathBuf, Failure> {
        let target = self.folder.join(format!("{}.{}", source.name, form.ending()));
        let output = Command::new(CLANG)
            .args(["-O2", "-Wall", "-Werror", &format!("-DITERATIONS={ITERATIONS}")])
            .args(form.arguments())
            .arg("-o")
            .args([&target, &source.path])
            .output()
            .map_err(|error| Failure::new(format!("{CLANG}: {error}")))?;
        if output.status.success() {
            return Ok(target);
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Failure::new(format!("{CLANG} for {form:?}: {said}")))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("{}: {error}", self.folder.display());
        }
    }
}
