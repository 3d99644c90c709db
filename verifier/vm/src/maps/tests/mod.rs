//! Tests of maps.
