//! `probity disasm`: instructions with their C lines.

use std::fmt::Write as _;

use probity::object::{LoadOptions, Object, SectionType, Sections, object::Entry};
use probity::program::Program;
use probity::report::insn;
use probity::{PlatformSections, global_data};

use crate::args::DisasmArgs;
use crate::output::{BOLD, DIM, Exit, Failure, Painted, clean, complain, count, note, print};
use crate::target::Target;
use crate::{PLATFORM, input};

pub(crate) fn run(args: &DisasmArgs) -> Result<Exit, Failure> {
    if args.objects.len() > 1 && !args.link {
        return Err(Failure::usage("several objects are shown as one only: add --link"));
    }
    let Some((path, object)) = input::objects(&args.objects, args.link).into_iter().next() else {
        return Ok(Exit::Accepted);
    };
    let object = object.map_err(|error| Failure::unreadable(format!("{}: {error}", path.display())))?;
    let target = Target::find(&args.target, std::iter::once(&object))?;
    for text in target.notes(&object) {
        note(&text);
    }
    let known = |name: &String| object.programs().iter().any(|entry| entry.name == *name);
    if let Some(name) = args.programs.iter().find(|name| !known(name)) {
        let text = format!("the object has no program `{name}`; see `probity list`");
        return Err(Failure::usage(text));
    }
    // Any section will do: instructions can be shown without a type.
    let sections = |section: &str| -> Option<SectionType> {
        Some(PlatformSections(PLATFORM).resolve(section).unwrap_or_default())
    };
    let mut options = LoadOptions::new(&sections, global_data(PLATFORM));
    options.target = target.types.as_ref();
    options.kconfig = target.kconfig.as_ref();
    let mut exit = Exit::Accepted;
    let mut first = true;
    for entry in object.programs() {
        if !args.programs.is_empty() && !args.programs.contains(&entry.name) {
            continue;
        }
        match program(&object, entry, &options) {
            Ok(text) => {
                print(if first { "" } else { "\n" })?;
                print(&text)?;
                first = false;
            }
            Err(error) => {
                complain(&error);
                exit = Exit::Unreadable;
            }
        }
    }
    Ok(exit)
}

fn program(object: &Object, entry: &Entry, options: &LoadOptions<'_>) -> Result<String, String> {
    let linked = input::guarded(|| object.program(&entry.name, options))?;
    let program = linked.map_err(|error| error.to_string())?;
    let head = format!("; section {}, {}", entry.section, count(program.insns.len() as u64, "instruction"));
    let mut text = format!("{}\n", Painted(clean(&head), DIM));
    body(&program, &mut text);
    Ok(text)
}

fn body(program: &Program, text: &mut String) {
    let mut pc = 0;
    let mut lines = program.lines.iter().peekable();
    let mut last = None;
    while pc < program.insns.len() {
        if let Ok(index) = program.funcs.binary_search_by_key(&pc, |func| func.pc) {
            let _ = writeln!(text, "{}", Painted(format!("{}:", clean(&program.funcs[index].name)), BOLD));
            last = None;
        } else if pc == 0 {
            let _ = writeln!(text, "{}", Painted(format!("{}:", clean(&program.name)), BOLD));
        }
        let mut here = None;
        while let Some(line) = lines.next_if(|line| line.pc <= pc) {
            here = Some(line);
        }
        if let Some(line) = here
            && last != Some((&line.file, line.line))
        {
            let line_text = format!("; {} @ {}:{}", line.text.trim(), line.file, line.line);
            let _ = writeln!(text, "{}", Painted(clean(&line_text), DIM));
            last = Some((&line.file, line.line));
        }
        let (insn, slots) = insn::text(program, PLATFORM, pc);
        let _ = writeln!(text, "{pc:4}: {}", clean(&insn));
        pc += slots.max(1);
    }
}
