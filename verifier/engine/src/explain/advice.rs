//! The table: by code, what is wrong as a C programmer would say it, and what to change.
//!
//! A suggestion has blanks in braces; the first suggestion of a row whose blanks are all known is
//! the one that is given. The blanks:
//!
//! | blank | what fills it |
//! |---|---|
//! | `line` | the C line of the failure |
//! | `var`, `index` | what C calls the failing value, and its index, when the line tells |
//! | `reg` | the register that failed |
//! | `size`, `end` | bytes of the access; bytes of the packet up to its end, from the pointer's base |
//! | `map`, `value_size`, `region` | the map and the size of its values; the size of the memory |
//! | `callable`, `arg`, `arg_text`, `needed_memory` | the callee, its failing argument, what C gives for it, the bytes used there |
//! | `view`, `field`, `field_size` | the struct of the context, its field, the field's bytes when they may be accessed together |
//! | `field_read_only` | the field, when it may be read and was written |
//! | `prog_type`, `license` | of the program |
//! | `exit_low`, `exit_high`, `exit_only` | the values that it may return |
//! | `origin_line`, `lost_line`, `acquired_line` | C lines of the history |
//! | `acquirer`, `release` | what acquired, and what releases such things |
//! | `hot_line` | the C line that was processed most often |
//! | `limit_stack`, `limit_frames`, `limit_processed`, `limit_pending` | of the platform |

use probity_platform::Code;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Advice {
    /// The code that it is about.
    pub code: Code,
    /// What is wrong.
    pub summary: &'static str,
    /// What to change: the first whose blanks are known.
    pub suggestions: &'static [&'static str],
}

const fn row(code: Code, summary: &'static str, suggestions: &'static [&'static str]) -> Advice {
    Advice { code, summary, suggestions }
}

/// The table.
pub const ADVICE: &[Advice] = &[
    row(
        Code::PacketOutOfBounds,
        "the access may lie behind the end of the packet",
        &[
            "before line {line}, add `if ((void *)({var} + 1) > data_end) return ...;`: it must be the pointer that line {line} uses, compared after its last change",
            "before line {line}, add `if ({arg_text} + {needed_memory} > data_end) return ...;`",
            "before the access, compare the same pointer plus the bytes to be used with the packet's end: `if ((void *)(p + 1) > data_end) return ...;`",
        ],
    ),
    row(
        Code::InvalidContextAccess,
        "the context has no such field, or the field does not allow this access here",
        &[
            "access `{field}` of `{view}` as it is declared: {field_size} bytes at once, and no part of it that the spec's line does not name",
            "`{field_read_only}` of `{view}` can only be read by programs of type {prog_type}: don't write it at line {line}",
            "don't access `{field}` of `{view}` here: programs of type {prog_type} can't",
            "there is no field of `{view}` where line {line} accesses it: use the fields by their names, and stay inside the struct",
            "access the context by the names of its fields only",
        ],
    ),
    row(
        Code::OutOfBounds,
        "the access may lie outside its memory",
        &[
            "before line {line}, bound the index: `if ({index} >= N) return ...;` with the number of elements for N, so that every byte lies in the {value_size} bytes of a value of `{map}`",
            "before line {line}, bound the offset so that every byte lies in the {value_size} bytes of a value of `{map}`",
            "before line {line}, bound the index: `if ({index} >= N) return ...;`, with the number of elements for N",
            "give `{callable}` memory of at least {needed_memory} bytes for `{arg}`, or a smaller size",
            "the memory has {region} bytes: bound the offset so that the whole access at line {line} lies inside, or get more memory",
            "bound the offset before the access: `if (offset > SIZE - sizeof(*p)) return ...;`",
        ],
    ),
    row(
        Code::ExitRange,
        "the program may return a value that its type does not allow",
        &[
            "return {exit_only}, the only value that {prog_type} allows",
            "return only values from {exit_low} to {exit_high}: before line {line}, set the result to a constant, or bound it with `if (ret < {exit_low} || ret > {exit_high}) ret = {exit_low};`",
            "return only values from {exit_low} to {exit_high}, the ones that {prog_type} allows",
            "return one of the values that the program type allows",
        ],
    ),
    row(
        Code::ArgumentSize,
        "the size that is passed is not bounded, may be negative, or may be 0",
        &[
            "before line {line}, bound the size from both sides: `if ({var} < 1 || {var} > sizeof(buffer)) return ...;`, with an unsigned type for `{var}`",
            "before line {line}, bound what is passed for `{arg}` of `{callable}`: keep it in an unsigned variable, and leave when it is 0 or more than the buffer has",
            "bound the size before the call: `if (size == 0 || size > sizeof(buffer)) return ...;`",
        ],
    ),
    row(
        Code::ReferenceLeak,
        "something was acquired and is not released on this path",
        &[
            "call `{release}` on every path from line {acquired_line} to line {line}, early returns included",
            "call `{release}` for what `{acquirer}` returned, on every path, early returns included",
            "release what `{acquirer}` gave, on every path, early returns included",
            "release what was acquired on every path, early returns included",
        ],
    ),
    row(
        Code::PointerOffset,
        "a pointer is moved too far, or by a number without bounds",
        &[
            "before line {line}, bound `{index}`: `if ({index} >= N) return ...;`, with an unsigned type and the number of elements for N",
            "before line {line}, bound the number that is added to the pointer: keep it in an unsigned variable, and compare it with a constant",
            "bound the number that is added to the pointer: `if (offset > MAX) return ...;`, with an unsigned type",
        ],
    ),
    row(
        Code::StackOutOfBounds,
        "the access lies outside the stack of the function",
        &[
            "pass `{callable}` a variable of at least {needed_memory} bytes for `{arg}`: `{arg_text}` has fewer",
            "bound the index before line {line}, or make the array larger: a function has {limit_stack} bytes of stack",
            "keep the access inside the local variable; a function has {limit_stack} bytes of stack",
        ],
    ),
    row(
        Code::MaybeNull,
        "a pointer that may be null is used",
        &[
            "after line {origin_line}, add `if (!{var}) return ...;`",
            "compare the pointer with NULL between line {origin_line} and line {line}: `if (!p) return ...;`",
            "compare the pointer with NULL before it is used: `if (!p) return ...;`",
        ],
    ),
    row(
        Code::CallableNotOffered,
        "programs of this type can't call this helper",
        &[
            "don't call `{callable}` here: {prog_type} does not offer it. Call it from a program type that does, or find another helper for the purpose in the list of {prog_type}",
            "use a helper that the program type offers",
        ],
    ),
    row(
        Code::UninitializedRegister,
        "a value is used that was never set, or that a call has made unusable",
        &[
            "the call at line {lost_line} destroys it: keep the value in a local variable (or in r6 to r9), and use that at line {line}",
            "initialise the variable where it is declared, so that it has a value on every path to line {line}; a function that is not void must return one",
            "give it a value on every path; calls destroy r1 to r5, and a program must set r0 before it ends",
        ],
    ),
    row(
        Code::InvalidMemAccess,
        "something is dereferenced that points to no memory",
        &[
            "the pointer became a plain number at line {lost_line}: load it again behind that line, and check it again",
            "`{var}` is no pointer to memory that can be accessed directly at line {line}: read kernel or user memory with a helper made for it, and don't keep pointers as integers",
            "only pointers that the platform gave out can be dereferenced: read other memory with a helper made for it",
        ],
    ),
    row(
        Code::PointerArithmetic,
        "pointers of this kind do not take this arithmetic",
        &[
            "at line {line}, use the pointer as it is, with the fields of its struct; only `p + n` and `p - n` are allowed, on pointers to data",
            "use the pointer as it was given out; only `p + n` and `p - n` are allowed, on pointers to data",
        ],
    ),
    row(
        Code::ReadOnly,
        "memory is written that may only be read",
        &[
            "don't write through it at line {line}; if the map `{map}` is to be written, create it without BPF_F_RDONLY_PROG, and keep variables that change out of `const`",
            "copy the data to a local variable, change the copy, and leave the memory as it is",
        ],
    ),
    row(
        Code::ArgumentType,
        "an argument is not what the helper takes",
        &[
            "the pointer is of no use since line {lost_line}, because of what is called there: don't pass it at line {line}, or get it again",
            "at line {line}, pass for `{arg}` of `{callable}` what its declaration asks for, not `{arg_text}`",
            "pass for `{arg}` of `{callable}` what its declaration asks for",
            "pass what the helper's declaration asks for",
        ],
    ),
    row(
        Code::UnboundedAccess,
        "the offset of the access has no upper bound",
        &[
            "before line {line}, add `if ({index} >= N) return ...;`, with the number of elements for N and an unsigned type for the index",
            "before line {line}, bound the offset with a constant: `if (offset > MAX) return ...;`, or `offset &= MAX` where MAX is a power of two less one",
            "bound the offset with a constant before the access: `if (offset > MAX) return ...;`",
        ],
    ),
    row(
        Code::ArgumentMaybeNull,
        "an argument may be null, and the helper does not take null",
        &[
            "after line {origin_line}, add `if (!{var}) return ...;`",
            "compare the pointer with NULL between line {origin_line} and line {line}: `if (!p) return ...;`",
            "compare the pointer with NULL before it is passed: `if (!p) return ...;`",
        ],
    ),
    row(
        Code::ModifiedContext,
        "the context is used through a pointer that was moved",
        &[
            "at line {line}, use `ctx->field` with the pointer that the program was given, and a constant offset; don't add to it, and don't pass a pointer into it",
            "use the context pointer as it was given, with constant offsets only",
        ],
    ),
    row(
        Code::Misaligned,
        "the access is not aligned to its size",
        &[
            "align the data at line {line} to {size} bytes, or copy it bytewise (`__builtin_memcpy` from a packed struct); on the stack, use a variable of the type",
            "align the data to the size of the access, or copy it bytewise",
        ],
    ),
    row(
        Code::DivisionByZero,
        "a number is divided by the constant 0",
        &["divide by a number that is not 0 at line {line}", "divide by a number that is not 0"],
    ),
    row(
        Code::UnknownCallable,
        "there is no helper with this number",
        &[
            "line {line} calls a function that the target does not have: declare helpers with the numbers that its header gives them, and define the functions of your own in this object",
            "call helpers by their declarations in the target's header; the target may be older than the helper",
        ],
    ),
    row(
        Code::UnreachableInsn,
        "no path leads to this instruction",
        &[
            "remove the code at line {line}, or the jump that skips it",
            "remove the code that nothing reaches",
        ],
    ),
    row(
        Code::InfiniteLoop,
        "a loop makes no progress: a round ends as it began",
        &[
            "make the loop at line {line} count: `for (i = 0; i < N; i++)` with a constant N, where nothing else changes `i`",
            "make the loop count up to a constant, with a counter that every round changes",
        ],
    ),
    row(
        Code::InvalidAtomic,
        "an atomic operation can't be done on this memory",
        &[
            "use atomic operations on values of maps and on the stack only; at line {line}, write the field by a plain store, or count in a map",
            "use atomic operations of 4 or 8 bytes, on values of maps and on the stack",
        ],
    ),
    row(
        Code::NotReferenced,
        "something is released that is not held",
        &[
            "at line {line}, pass to `{callable}` the pointer that was acquired, once, and not after it was released",
            "release each thing that was acquired once, with the pointer that the acquiring call returned",
        ],
    ),
    row(
        Code::SpecialField,
        "a lock or the like in a map's value is used as bytes, or is not where a pointer says",
        &[
            "at line {line}, pass the address of the field itself, `&value->lock`, of a value of `{map}`, and leave its bytes alone",
            "pass the address of the field itself, `&value->lock`, and never read, write or copy its bytes",
        ],
    ),
    row(
        Code::StackObject,
        "an object in the stack, such as an iterator or a dynptr, is not there, or is used as bytes",
        &[
            "before `{callable}` at line {line}, make the object on every path, pass its own address, and leave its bytes alone",
            "make the object on every path before it is used, end it once, pass its own address, and leave its bytes alone",
        ],
    ),
    row(
        Code::Region,
        "a section that is closed again on every path is left open, or is not open",
        &[
            "pair what enters the section with what leaves it on every path, and keep calls that may sleep out of it: `{callable}` at line {line}",
            "pair what enters the section with what leaves it on every path, and keep calls that may sleep out of it",
        ],
    ),
    row(
        Code::CallUnderLock,
        "something is called while a lock is held",
        &[
            "give the lock back before `{callable}` is called at line {line}: take what it needs out of the value first",
            "give the lock back before the call; while it is held only static functions of the program may be called",
        ],
    ),
    row(
        Code::NotLocked,
        "a lock is given back that this path did not take",
        &[
            "at line {line}, give back the lock of the same value that was locked, found by the same lookup",
            "give back each lock once, through the pointer that it was taken with",
        ],
    ),
    row(
        Code::LockHeld,
        "the program ends while a lock is held",
        &[
            "give the lock back on every path before line {line}, early returns included",
            "give the lock back on every path, early returns included",
        ],
    ),
    row(
        Code::FunctionInfo,
        "the object's list of functions does not fit its instructions",
        &["build the object again with one compiler run: its BTF and its code do not belong together"],
    ),
    row(
        Code::ContradictoryBounds,
        "what is known of a number contradicts itself, and the program asked to be told so",
        &["load the program without BPF_F_TEST_REG_INVARIANTS: the flag is for tests of verifiers"],
    ),
    row(
        Code::NegativeOffset,
        "the access may begin before its memory: its offset may be negative",
        &[
            "make `{index}` unsigned, or add `if ({index} < 0) return ...;` before line {line}",
            "make the index unsigned, or add `if (index < 0) return ...;` before line {line}",
            "make the index unsigned, or leave when it is negative",
        ],
    ),
    row(
        Code::JumpOutOfRange,
        "a jump leads out of its function",
        &["let the jump end inside the function; branches between functions have to be calls"],
    ),
    row(
        Code::PacketArgument,
        "the helper does not take packet memory",
        &[
            "before line {line}, copy the bytes from the packet to a local variable, and pass its address for `{arg}`",
            "copy the bytes from the packet to a local variable, and pass its address",
        ],
    ),
    row(
        Code::NotAllowed,
        "the program type or the platform does not allow this",
        &[
            "do without what line {line} does: {prog_type} does not allow it",
            "do without it: the platform or the program type does not allow it",
        ],
    ),
    row(
        Code::MightSleep,
        "a helper that may sleep is called by a program that must not",
        &[
            "load the program as one that may sleep (a section that ends with `.s`), where its type can; else don't call `{callable}`",
            "load the program as one that may sleep, where its type can",
        ],
    ),
    row(
        Code::TooManyBranches,
        "too many branches wait to be explored",
        &[
            "put less branching into a loop: at most {limit_pending} branches may wait. Most of the work is at line {hot_line}",
            "put less branching into a loop: at most {limit_pending} branches may wait",
        ],
    ),
    row(
        Code::FramePointerWrite,
        "the frame pointer r10 is written",
        &["copy r10 to another register and change that: r10 is read-only"],
    ),
    row(
        Code::InvalidMap,
        "an instruction refers to a map that is not there, or there are too many maps",
        &["declare the map in section `.maps` of this object, and use it by its address: `&map`"],
    ),
    row(
        Code::InvalidMapAddress,
        "an address inside a map's value is used that the map does not offer",
        &[
            "use the address of a global variable only inside its object, and values of other maps after a lookup",
        ],
    ),
    row(
        Code::ArgumentOffset,
        "a pointer is passed that was moved",
        &[
            "at line {line}, pass for `{arg}` of `{callable}` the pointer that was given out, without anything added",
            "pass the pointer that was given out, without anything added",
        ],
    ),
    row(
        Code::TooComplex,
        "the program is too complex: all its paths together take too many instructions",
        &[
            "let loops end sooner and branch less inside them, or move them into functions of their own: more than {limit_processed} instructions were processed, most often those of line {hot_line}",
            "let loops end sooner and branch less inside them: at most {limit_processed} instructions are processed over all paths",
        ],
    ),
    row(
        Code::MapType,
        "the helper does not take maps of this type",
        &[
            "use `{callable}` with a map of another type than `{map}` has, or another helper for `{map}`",
            "use another helper for this type of map",
        ],
    ),
    row(
        Code::MixedPointers,
        "one instruction would have to access two kinds of memory",
        &[
            "make the compiler keep the accesses at line {line} apart: dereference in each branch, or put `asm volatile(\"\" ::: \"memory\")` between them",
            "dereference in each branch, so that every access has one kind of pointer",
        ],
    ),
    row(
        Code::ArgumentNotConstant,
        "an argument must be a constant",
        &[
            "pass a constant for `{arg}` of `{callable}` at line {line}: a literal, or a variable that has one value on every path",
            "pass a literal, or a variable that has one value on every path",
        ],
    ),
    row(
        Code::ArgumentCondition,
        "the arguments do not meet a condition of the helper",
        &[
            "at line {line}, call `{callable}` with arguments for which the condition holds that is named under `needed`",
            "call the helper with arguments for which its condition holds",
        ],
    ),
    row(
        Code::GplOnly,
        "this helper may only be called by programs under a licence compatible with the GPL",
        &[
            "the licence of the object is {license}: give it one that is compatible (`char _license[] SEC(\"license\") = \"GPL\";`), or don't call `{callable}`",
            "give the object a licence that is compatible with the GPL, or don't call the helper",
        ],
    ),
    row(
        Code::UninitializedStack,
        "bytes of the stack are read that were never written",
        &[
            "initialise the variable that `{arg_text}` points to before line {line}, its padding too: `__builtin_memset(&v, 0, sizeof(v));`",
            "initialise the local variable where it is declared, its padding too: `= {}` or `__builtin_memset(&v, 0, sizeof(v));`",
        ],
    ),
    row(
        Code::PartialPointer,
        "a part of a pointer is stored or loaded",
        &["keep pointers in variables of 8 bytes, and don't copy a part of one"],
    ),
    row(
        Code::StackEscape,
        "a pointer to a function's stack would outlive the function",
        &[
            "don't return or store a pointer to a local variable at line {line}: let the caller own the memory and pass its address",
            "let the caller own the memory and pass its address",
        ],
    ),
    row(
        Code::StackDepth,
        "the functions of a call chain use too much stack together",
        &[
            "keep large variables in a map (an array with one value for each processor): a call chain has {limit_stack} bytes of stack",
        ],
    ),
    row(
        Code::CallDepth,
        "functions call each other too deeply",
        &[
            "inline some of the functions (`__always_inline`), and don't recurse: at most {limit_frames} frames are allowed",
        ],
    ),
    row(
        Code::InvalidTailCall,
        "a tail call is not allowed here",
        &["make the tail call from the program itself, and with nothing held"],
    ),
    row(
        Code::PointerLeak,
        "the value of a pointer would become visible",
        &[
            "at line {line}, store or return a number, not the pointer itself",
            "store or return a number, not the pointer itself",
        ],
    ),
    row(
        Code::PointerComparison,
        "pointers are compared where their values are secret",
        &["compare pointers with NULL, and packet pointers with the packet's end, and with nothing else"],
    ),
    row(
        Code::InvalidShift,
        "a number is shifted by more bits than it has, or by a negative number",
        &[
            "shift by a number below the width of the type at line {line}",
            "shift by a number below the width of the type",
        ],
    ),
    row(
        Code::BackEdge,
        "the platform does not allow loops",
        &["unroll the loop: `#pragma unroll` above a `for` with a constant number of rounds"],
    ),
    row(
        Code::InvalidCall,
        "what is called is no function",
        &["call functions by name, and define them in this object"],
    ),
    row(
        Code::FallsOffEnd,
        "a function ends without returning",
        &[
            "end every path of the function with `return`; a function that clang proves to never return ends so too",
        ],
    ),
    row(
        Code::ProgramSize,
        "the program is empty or too long",
        &["split the program: unroll less, inline less, use tail calls"],
    ),
    row(
        Code::TooManySubprograms,
        "the program has too many functions",
        &["inline small functions (`__always_inline`)"],
    ),
    row(Code::UnknownOpcode, "this is no instruction", &["compile the object again, for the bpf target"]),
    row(
        Code::ReservedField,
        "a field of the instruction that must be 0 is not",
        &["compile the object again, for the bpf target"],
    ),
    row(
        Code::InvalidRegister,
        "the instruction names a register that does not exist",
        &["use r0 to r10 only"],
    ),
    row(
        Code::InvalidLoadImm64,
        "a 64-bit load is not well-formed",
        &["compile the object again, for the bpf target"],
    ),
    row(
        Code::JumpIntoLoadImm64,
        "a jump leads into the middle of a 64-bit load",
        &["let the jump lead to the load's beginning: it takes two slots"],
    ),
    row(Code::SelfCheck, "a consistency check of the kernel's verifier fails for this program", &[]),
    row(Code::Unsupported, "this version does not model what the program uses", &[]),
];

/// What is wrong, for every code.
#[must_use]
pub fn summary(code: Code) -> &'static str {
    find(code).map_or("the program is not proved safe", |row| row.summary)
}

fn find(code: Code) -> Option<&'static Advice> {
    ADVICE.iter().find(|row| row.code == code)
}

/// What to change; `known` gives what stands in a blank.
#[must_use]
pub fn suggest<'a>(code: Code, known: &dyn Fn(&str) -> Option<&'a str>) -> Option<String> {
    find(code)?.suggestions.iter().find_map(|text| fill(text, known))
}

/// A text with its blanks filled; None when one is not known. Braces around anything but a name
/// are C.
fn fill<'a>(text: &str, known: &dyn Fn(&str) -> Option<&'a str>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let inside = &rest[open + 1..];
        let end = inside.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(inside.len());
        out.push_str(&rest[..open]);
        if end > 0 && inside[end..].starts_with('}') {
            out.push_str(known(&inside[..end])?);
            rest = &inside[end + 1..];
        } else {
            out.push('{');
            rest = inside;
        }
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blanks that are known of every program of a known type.
    const ALWAYS: [&str; 6] =
        ["limit_stack", "limit_frames", "limit_processed", "limit_pending", "prog_type", "license"];

    /// The codes that reject most programs of the corpus, and those of them that C makes easily.
    const FREQUENT: [Code; 36] = [
        Code::PacketOutOfBounds,
        Code::InvalidContextAccess,
        Code::OutOfBounds,
        Code::ExitRange,
        Code::ArgumentSize,
        Code::ReferenceLeak,
        Code::PointerOffset,
        Code::StackOutOfBounds,
        Code::MaybeNull,
        Code::CallableNotOffered,
        Code::UninitializedRegister,
        Code::InvalidMemAccess,
        Code::PointerArithmetic,
        Code::ReadOnly,
        Code::ArgumentType,
        Code::UnboundedAccess,
        Code::ArgumentMaybeNull,
        Code::ModifiedContext,
        Code::Misaligned,
        Code::DivisionByZero,
        Code::UnknownCallable,
        Code::UnreachableInsn,
        Code::InfiniteLoop,
        Code::InvalidAtomic,
        Code::NotReferenced,
        Code::NegativeOffset,
        Code::JumpOutOfRange,
        Code::PacketArgument,
        Code::NotAllowed,
        Code::MightSleep,
        Code::TooManyBranches,
        Code::FramePointerWrite,
        Code::InvalidMap,
        Code::ArgumentOffset,
        Code::TooComplex,
        Code::MapType,
    ];

    #[test]
    fn every_code_has_one_row() {
        for &code in Code::ALL {
            let rows = ADVICE.iter().filter(|row| row.code == code).count();
            assert_eq!(rows, 1, "{code:?}");
        }
    }

    #[test]
    fn frequent_codes_have_a_suggestion_even_when_nothing_is_known() {
        let known = |name: &str| ALWAYS.contains(&name).then_some("?");
        for code in FREQUENT {
            let text = suggest(code, &known).unwrap_or_else(|| panic!("{code:?} has no suggestion"));
            assert!(text.len() > 20, "{code:?}: {text}");
        }
        let all = |_: &str| Some("?");
        let silent: Vec<_> = ADVICE.iter().filter(|row| suggest(row.code, &all).is_none()).collect();
        assert_eq!(silent.len(), 2, "{silent:?}");
    }

    #[test]
    fn every_row_ends_with_what_can_always_be_said() {
        let known = |name: &str| ALWAYS.contains(&name).then_some("?");
        for row in ADVICE {
            if let Some(last) = row.suggestions.last() {
                assert!(fill(last, &known).is_some() || fill(last, &|_| None).is_some(), "{:?}", row.code);
            }
        }
    }

    #[test]
    fn every_blank_is_one_that_the_table_of_the_module_names() {
        let doc = include_str!("advice.rs");
        let table: Vec<&str> = doc.lines().filter(|line| line.starts_with("//! | `")).collect();
        for row in ADVICE {
            for text in row.suggestions {
                let _ = fill(text, &|name| {
                    let quoted = format!("`{name}`");
                    assert!(table.iter().any(|line| line.contains(&quoted)), "{name} in {:?}", row.code);
                    Some("?")
                });
            }
        }
    }

    #[test]
    fn braces_of_c_stay() {
        assert_eq!(fill("v = {}; {x}", &|_| Some("1")).as_deref(), Some("v = {}; 1"));
        assert_eq!(fill("{x", &|_| Some("1")).as_deref(), Some("{x"));
        assert_eq!(fill("{y}", &|_| None), None);
    }
}
