//! Loops by callback.

use super::{Args, Body};
use crate::errno::Errno;
use crate::run::{Left, Run};

/// More rounds than these are refused.
pub(super) const MOST: u64 = 8 << 20;

/// `(rounds, function, its context, flags)`: until the function gives something else than 0.
pub(super) struct Loop;

impl Body for Loop {
    const MAY_LEAVE: bool = true;

    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        // All 64 bits count, as where the kernel writes the loop out.
        let rounds = args.number(0);
        if args.number(3) != 0 {
            return Ok(Errno::EINVAL.to_r0());
        }
        if rounds > MOST {
            return Ok(Errno::E2BIG.to_r0());
        }
        for round in 0..rounds {
            if run.call_back(args.number(1), [round, args.number(2), 0, 0, 0])? != 0 {
                return Ok(round + 1);
            }
        }
        Ok(rounds)
    }
}
