//! A platform that a build script compiles, in a package outside of the workspace: the example of a
//! table, with `include_platform!` in the place of `platform!`.

use std::fs;

use probity_tests::outside::{Outside, checkout};

const WITH_MACRO: &str = "/// The platform, from its spec.\npub(crate) mod table {\n    probity::platform!(\"../../spec/examples/table.bpfspec\");\n}\n";
const INCLUDED: &str = "probity::include_platform!(table);\n";

#[test]
fn a_build_script_and_include_platform_give_a_host() {
    let outside = Outside::new("build-script", env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (folder, checkout) = (outside.work(), checkout());
    let example = checkout.join("verifier/probity/examples/table");
    let main = fs::read_to_string(example.join("main.rs")).expect("the example");
    assert!(main.contains(WITH_MACRO), "the example includes its platform otherwise");
    let at = checkout.display();
    let manifest = format!(
        "[package]\nname = \"with-build-script\"\nedition = \"2024\"\n\n\
         [dependencies]\nprobity = {{ path = \"{at}/verifier/probity\", default-features = false, features = [\"jit\", \"report\"] }}\n\n\
         [build-dependencies]\nprobity-codegen = {{ path = \"{at}/codegen\" }}\n"
    );
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("writable");
    fs::create_dir(folder.join("src")).expect("a folder");
    write("Cargo.toml", &manifest);
    write("build.rs", "fn main() {\n    probity_codegen::compile(\"table.bpfspec\");\n}\n");
    write("src/main.rs", &main.replace(WITH_MACRO, INCLUDED));
    let spec = checkout.join("spec/examples/table.bpfspec");
    fs::copy(spec, folder.join("table.bpfspec")).expect("the spec");
    for object in ["functions.o", "leaky.o"] {
        fs::copy(example.join(object), folder.join("src").join(object)).expect("an object");
    }
    outside.lock(&folder).expect("the lock file of the workspace");
    let run = |arguments: &[&str]| {
        let cargo = outside.command("cargo");
        cargo.and_then(|mut cargo| cargo.args(arguments).current_dir(&folder).output()).expect("cargo runs")
    };
    let good = run(&["run", "-q"]);
    let (text, errors) = (String::from_utf8_lossy(&good.stdout), String::from_utf8_lossy(&good.stderr));
    assert!(good.status.success(), "{errors}");
    // Nothing of what the build script made is warned about.
    assert_eq!(errors, "");
    assert!(
        text.contains("total(0) = 105 (status 0)\n")
            && text.contains("leaky.o is refused:\nerror[reference-leak]"),
        "{text}"
    );

    // A spec that is refused ends the build, with the report.
    write("table.bpfspec", "platform table;\nuse core::{ scalars, context };\nview v size 8 { a: u63; }\n");
    let bad = run(&["build", "-q"]);
    let errors = String::from_utf8_lossy(&bad.stderr);
    assert!(!bad.status.success() && errors.contains("--> table.bpfspec:3:"), "{errors}");
}
