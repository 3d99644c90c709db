//! A folder outside of the workspace, where a user's packages are built: offline, with the crates of
//! others that the workspace is locked to.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The clang of all tests: what it makes of a program is the same everywhere.
pub const CLANG: &str = "clang-22";

/// The folder.
#[derive(Debug)]
pub struct Outside {
    folder: PathBuf,
    target: PathBuf,
}

impl Outside {
    /// An empty folder, the same whenever a test of this checkout asks by this name: what cargo has built
    /// for it is found again. `tmp` is the test's `CARGO_TARGET_TMPDIR`, which tells where cargo builds.
    ///
    /// # Errors
    ///
    /// When it can't be made.
    pub fn new(name: &str, tmp: &str) -> io::Result<Outside> {
        let mut hasher = DefaultHasher::new();
        checkout().hash(&mut hasher);
        let folder = env::temp_dir().join(format!("probity-{name}-{:016x}", hasher.finish()));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(folder.join("work"))?;
        fs::create_dir_all(folder.join("programs"))?;
        let folder = folder.canonicalize()?;
        if let Some(clang) = clang() {
            std::os::unix::fs::symlink(clang, folder.join("programs/clang"))?;
        }
        let target = Path::new(tmp).parent().unwrap_or(Path::new(tmp)).to_owned();
        Ok(Outside { folder, target })
    }

    /// Where the user works; nothing is in it.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// True when there is a `clang` for the user.
    #[must_use]
    pub fn has_clang(&self) -> bool {
        self.folder.join("programs/clang").exists()
    }

    /// Locks a package to what the workspace is locked to, in the place of a registry.
    ///
    /// # Errors
    ///
    /// When the file can't be copied.
    pub fn lock(&self, package: &Path) -> io::Result<()> {
        fs::copy(checkout().join("Cargo.lock"), package.join("Cargo.lock")).map(drop)
    }

    /// A command. Cargo builds offline, where it builds the workspace and with its profile: what is built
    /// there already is not built again.
    ///
    /// # Errors
    ///
    /// When the search path can't be made.
    pub fn command(&self, program: &str) -> io::Result<Command> {
        let own = [self.folder.join("programs"), self.folder.join("installed/bin")];
        let path = env::var_os("PATH").unwrap_or_default();
        let path =
            env::join_paths(own.into_iter().chain(env::split_paths(&path))).map_err(io::Error::other)?;
        let mut command = Command::new(program);
        command
            .env("PATH", path)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INSTALL_ROOT", self.folder.join("installed"))
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
        Ok(command)
    }
}

/// The checkout.
#[must_use]
pub fn checkout() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace is above").to_owned()
}

/// Where clang is.
fn clang() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(CLANG)).find(|file| file.exists())
}
