//! Pointers of an embedder's own kinds: into views that may be written, acquired, and derived from
//! one of several arguments.

use probity_engine::{Verdict, verify};
use probity_platform::{Code, Platform};
use probity_program::Program;

/// A bank that lets no pointer out.
mod bank {
    probity::spec! {
        platform bank;
        use core::{ scalars, memory, context };

        view input size 8 { number: u64; }
        view account size 16 { id: u64; balance: u64 read write; }
        kind PTR_TO_ACCOUNT: view account { prints "account"; offset fixed; never_null; }
        argclass ARG_PTR_TO_ACCOUNT: pointer { accepts PTR_TO_ACCOUNT; }

        /// Opens an account.
        helper open = 100 {
            proto (input: ARG_PTR_TO_CTX) -> RET_PTR_TO_ACCOUNT | PTR_MAYBE_NULL;
            acquires account;
        }

        /// Closes it.
        helper close = 101 {
            proto (account: ARG_PTR_TO_ACCOUNT | OBJ_RELEASE) -> RET_VOID;
            releases account;
        }

        /// The account that `of` is paid from, if `by` may see it. It lives as long as `of`.
        helper source = 102 {
            proto (by: ARG_PTR_TO_ACCOUNT, of: ARG_PTR_TO_ACCOUNT) -> RET_PTR_TO_ACCOUNT | PTR_MAYBE_NULL;
            casts of;
        }

        prog_type transfer = 1 { ctx input; helpers all; section "transfer"; }
    }
}

/// The same views where pointers may be seen.
mod open_bank {
    probity::spec! {
        platform open_bank;
        use core::{ scalars, memory, context };
        policy { allow pointer_leaks; }
        view input size 8 { number: u64; }
        view account size 16 { id: u64; balance: u64 read write; }
        kind PTR_TO_ACCOUNT: view account { prints "account"; offset fixed; never_null; }
        helper open = 100 { proto (input: ARG_PTR_TO_CTX) -> RET_PTR_TO_ACCOUNT | PTR_MAYBE_NULL; lifetime run; }
        prog_type transfer = 1 { ctx input; helpers all; section "transfer"; }
    }
}

/// The code and the message of a rejection; none of an accepted program.
fn ask(platform: &'static Platform, text: &str) -> Option<(Code, String)> {
    let insns = probity_isa::assemble(text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let report = verify(&Program::from_insns(1, insns), platform, &platform.default_profile());
    match report.verdict {
        Verdict::Accepted(_) => None,
        Verdict::Rejected(finding) | Verdict::Unsupported(finding) => {
            Some((finding.rejection.code, finding.last_line().to_owned()))
        }
    }
}

#[track_caller]
fn rejected(text: &str, code: Code, message: &str) {
    assert_eq!(ask(&bank::PLATFORM, text), Some((code, message.to_owned())), "{text}");
}

#[test]
fn pointers_are_not_stored_into_views() {
    let store = |what: &str| {
        format!("r6 = r1\ncall 100\nif r0 == 0 goto out\nr1 = r0\nr7 = r0\n{what}\nout: r0 = 0\nexit")
    };
    let leak = "R6 leaks addr into account";
    rejected(&store("*(u64 *)(r7 +8) = r6\ncall 101"), Code::PointerLeak, leak);
    rejected(&store("*(u64 *)(r7 +8) = r10\ncall 101"), Code::PointerLeak, "R10 leaks addr into account");
    // Nor the view's own address.
    rejected(&store("*(u64 *)(r7 +8) = r7\ncall 101"), Code::PointerLeak, "R7 leaks addr into account");
    assert_eq!(ask(&bank::PLATFORM, &store("*(u64 *)(r7 +8) = 5\ncall 101")), None);
    assert_eq!(ask(&bank::PLATFORM, &store("r2 = 7\n*(u64 *)(r7 +8) = r2\ncall 101")), None);
    assert_eq!(ask(&open_bank::PLATFORM, &store("*(u64 *)(r7 +8) = r6")), None);
    // What may not be written stays so, whatever is stored.
    let unwritable = "invalid access to account off=0 size=8";
    rejected(&store("*(u64 *)(r7 +0) = 5\ncall 101"), Code::InvalidContextAccess, unwritable);
}

/// Two accounts in r6 and r7, the source of the one in r7 in r8; `rest` follows.
fn two_accounts(rest: &str) -> String {
    format!(
        "r9 = r1
         call 100
         if r0 == 0 goto none
         r6 = r0
         r1 = r9
         call 100
         if r0 == 0 goto one
         r7 = r0
         r1 = r6
         r2 = r7
         call 102
         if r0 == 0 goto two
         r8 = r0
         {rest}
         goto none
         two: r1 = r7
         call 101
         one: r1 = r6
         call 101
         none: r0 = 0
         exit"
    )
}

#[test]
fn a_cast_pointer_goes_with_the_argument_that_is_named() {
    let closed_first = |first: &str, used: &str, second: &str| {
        two_accounts(&format!("r1 = {first}\ncall 101\nr2 = *(u64 *)({used} +0)\nr1 = {second}\ncall 101"))
    };
    // The other argument's end takes nothing away.
    assert_eq!(ask(&bank::PLATFORM, &closed_first("r6", "r8", "r7")), None);
    assert_eq!(ask(&bank::PLATFORM, &closed_first("r7", "r6", "r6")), None);
    // That of the named one does.
    rejected(&closed_first("r7", "r8", "r6"), Code::UninitializedRegister, "R8 !read_ok");
    // A derived pointer may be closed in its place, once.
    assert_eq!(ask(&bank::PLATFORM, &closed_first("r8", "r6", "r6")), None);
    rejected(&closed_first("r8", "r7", "r6"), Code::UninitializedRegister, "R7 !read_ok");
    let twice = two_accounts("r1 = r7\ncall 101\nr1 = r8\ncall 101\nr1 = r6\ncall 101");
    rejected(&twice, Code::UninitializedRegister, "R8 !read_ok");
    let kept = two_accounts("r1 = r7\ncall 101");
    rejected(&kept, Code::ReferenceLeak, "BPF_EXIT instruction in main prog would lead to reference leak");
}
