//! The mode that takes anything.
