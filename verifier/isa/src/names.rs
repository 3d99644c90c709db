//! The names of functions, which instructions know only by number.

/// Who knows the names of the functions that a program can call. `()` knows none.
pub trait Names {
    /// The name of the helper with this number, as `bpf_ktime_get_ns` for 5.
    fn helper(&self, id: i32) -> Option<&str> {
        let _ = id;
        None
    }

    /// The name of the kernel function with this BTF id in the module that `off` selects.
    fn kfunc(&self, id: i32, off: i16) -> Option<&str> {
        let _ = (id, off);
        None
    }

    /// The number of a helper, for the assembler's `call bpf_ktime_get_ns`.
    fn helper_id(&self, name: &str) -> Option<i32> {
        let _ = name;
        None
    }
}

impl Names for () {}
