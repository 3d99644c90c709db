//! Functions of a host that programs call: each sort of argument and result, in all engines; how runs
//! end early and what is given back then; how long things live; what is refused.
//!
//! | module | subject |
//! |---|---|
//! | `desk` | a platform with all of it, and a host |
//! | `values` | what functions are given and give back |
//! | `early_ends` | panics, ends, fuel, numbers out of range: and that all is given back |
//! | `lifetimes` | how long memory of the host stays |
//! | `contexts` | fields of the context that the host has in another way, or that are pointers |
//! | `hosts` | no host, another's, several threads |
//! | `misfits` | functions that are not made for their callable, types that lie |

mod contexts;
mod desk;
mod early_ends;
mod hosts;
mod lifetimes;
mod misfits;
mod values;
