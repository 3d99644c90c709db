//! The line of the spec for rejections that no row of a table demands: the policy and the limits
//! stand in one place, and what they refuse is refused all over the engine.

use probity_platform::{Code, Platform, Policy, Profile, Rejection, Site};

/// A rejection with the line that demands it, when it has none of its own.
pub(crate) fn complete(platform: &Platform, profile: &Profile, rejection: Rejection) -> Rejection {
    if rejection.site != Site::NONE {
        return rejection;
    }
    let policy = platform.policy(profile);
    let nothing = Policy::default();
    let site = match rejection.code {
        Code::PointerLeak | Code::PointerComparison if !policy.pointer_leaks => {
            platform.policy_site(Policy { pointer_leaks: true, ..nothing })
        }
        Code::UninitializedStack if !policy.uninit_stack => {
            platform.policy_site(Policy { uninit_stack: true, ..nothing })
        }
        Code::BackEdge if !policy.loops => platform.policy_site(Policy { loops: true, ..nothing }),
        Code::Misaligned if !policy.unaligned => platform.policy_site(Policy { unaligned: true, ..nothing }),
        Code::ProgramSize => platform.limit_site("insns"),
        Code::TooComplex => platform.limit_site("processed"),
        Code::TooManyBranches => platform.limit_site("pending"),
        Code::TooManySubprograms => platform.limit_site("subprogs"),
        Code::CallDepth => platform.limit_site("frames"),
        Code::StackDepth | Code::StackOutOfBounds => platform.limit_site("stack"),
        _ => return rejection,
    };
    rejection.at(site)
}
