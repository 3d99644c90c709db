//! Tests of BTF against a kernel's own.
