//! Damaged objects: a short run of what `--bin fuzz -- --seconds N` does for as long as one likes.
//!
//! Here a panic or a long wait fails; the binary bounds memory too, in processes of their own.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use probity_tests::fuzz::{
    input, rng, seeds,
    targets::{Surroundings, Tally, run},
};

/// The longest time for one input, with a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(20);

#[test]
fn damaged_objects_are_read_soon_and_without_a_crash() {
    let seeds = seeds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).expect("our own objects");
    let around = Surroundings::of(&seeds);
    let mut tally = Tally::default();
    for number in 0..6000 {
        let bytes = input(&seeds, 0, number);
        let start = Instant::now();
        run(&mut rng(1, number), &bytes, &around, &mut tally);
        assert!(start.elapsed() < LONGEST, "input {number} took {:?}", start.elapsed());
    }
    println!("{tally:?}");
    // The damage is not so great that nothing behind the first check is reached.
    let Tally { inputs, objects, programs, judged, types, joined } = tally;
    assert_eq!(inputs, 6000);
    for (count, least) in [(objects, 1500), (programs, 1500), (judged, 300), (types, 1500), (joined, 100)] {
        assert!(count > least, "{tally:?}");
    }
}

#[test]
fn an_input_is_a_function_of_its_number() {
    let seeds = [vec![1; 200], vec![2; 300]];
    assert_eq!(input(&seeds, 3, 4), input(&seeds, 3, 4));
    assert!((0..20).any(|number| input(&seeds, 3, number) != input(&seeds, 4, number)));
}
