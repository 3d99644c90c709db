//! Compiles spec/linux.

fn main() {
    probity_codegen::Compiler::new()
        .root_path("::probity_platform")
        .regenerate("cargo build -p probity-linux")
        .compile("../spec/linux");
}
