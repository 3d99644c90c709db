//! The text of a kernel's configuration, and what a loader adds to it.
//!
//! The names that are no options are those of libbpf's documentation and headers; what they are was
//! measured with libbpf 1.1 on a 6.18 kernel.

use std::collections::BTreeMap;

/// A kernel's version: 6, 18, 44.
pub type KernelVersion = (u32, u32, u32);

/// The options of a kernel's `.config`: `CONFIG_X` to `y`, `m`, a number or a quoted string. What is
/// not set is not there.
#[must_use]
pub fn options(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .map(str::trim)
        .filter(|line| line.starts_with("CONFIG_"))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The version that the head of a `.config` names: `# Linux/x86 6.18.44 Kernel Configuration`.
#[must_use]
pub fn version(text: &str) -> Option<KernelVersion> {
    let line = text.lines().take(8).find(|line| line.ends_with("Kernel Configuration"))?;
    line.split(' ').find_map(release)
}

/// The version in a kernel's release: `6.18.44-generic`.
#[must_use]
pub fn release(text: &str) -> Option<KernelVersion> {
    let mut numbers = text.splitn(3, '.');
    let mut number = || {
        let digits: &str = numbers.next()?;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().ok()
    };
    let (major, minor) = (number()?, number()?);
    Some((major, minor, number().unwrap_or(0)))
}

/// Adds the names that are no options: the kernel's version, and what it can do.
pub fn add_virtual(options: &mut BTreeMap<String, String>, (major, minor, patch): KernelVersion) {
    let code = (major.min(0xffff) << 16) + (minor.min(255) << 8) + patch.min(255);
    let has = |yes: bool| if yes { "1" } else { "0" }.to_owned();
    // bpf_get_attach_cookie came with 5.15.
    let cookie = has((major, minor) >= (5, 15));
    // libbpf finds out with a kprobe: a kernel without them is one without wrappers.
    let is_set = |name: &str| options.get(name).is_some_and(|value| value == "y");
    let wrapper = has(is_set("CONFIG_ARCH_HAS_SYSCALL_WRAPPER") && is_set("CONFIG_KPROBES"));
    options.insert("LINUX_KERNEL_VERSION".into(), format!("{code:#x}"));
    options.insert("LINUX_HAS_BPF_COOKIE".into(), cookie);
    options.insert("LINUX_HAS_SYSCALL_WRAPPER".into(), wrapper);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read() {
        let text = "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.18.44 Kernel Configuration\n#\n\
                    CONFIG_BPF=y\n# CONFIG_X is not set\nCONFIG_S=\"a=b\"\nCONFIG_ARCH_HAS_SYSCALL_WRAPPER=y\nCONFIG_KPROBES=y\nnoise\n";
        assert_eq!(version(text), Some((6, 18, 44)));
        let mut found = options(text);
        assert_eq!(found.len(), 4);
        assert_eq!(found["CONFIG_S"], "\"a=b\"");
        add_virtual(&mut found, (6, 18, 300));
        assert_eq!(found["LINUX_KERNEL_VERSION"], "0x612ff");
        assert_eq!(
            (found["LINUX_HAS_BPF_COOKIE"].as_str(), found["LINUX_HAS_SYSCALL_WRAPPER"].as_str()),
            ("1", "1")
        );
        found.remove("CONFIG_KPROBES");
        add_virtual(&mut found, (5, 14, 0));
        assert_eq!(
            (found["LINUX_HAS_BPF_COOKIE"].as_str(), found["LINUX_HAS_SYSCALL_WRAPPER"].as_str()),
            ("0", "0")
        );
    }

    #[test]
    fn releases_have_versions() {
        assert_eq!(release("6.18.44-fc-v657"), Some((6, 18, 44)));
        assert_eq!(release("6.1"), Some((6, 1, 0)));
        assert_eq!(release("5.15-rc1"), Some((5, 15, 0)));
        assert_eq!((release(""), release("linux"), release("6.x"), version("")), (None, None, None, None));
    }
}
