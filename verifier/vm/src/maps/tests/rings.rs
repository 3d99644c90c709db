//! Ring buffers of both directions.

use std::time::Duration;

use super::*;
use crate::errno::Errno;
use crate::maps::ring::{FORCE_WAKEUP, NO_WAKEUP, Ring};
use crate::maps::{Kind, RingConsumer, RingProducer};

fn ring(map: &Map) -> &Ring {
    let Kind::Ring(ring) = &map.kind else { panic!("no ring buffer") };
    ring
}

#[allow(unsafe_code)]
fn finish(record: u64, discard: bool, flags: u64) {
    // SAFETY: the tests call it once for each record that they reserved.
    unsafe { Ring::finish(record, discard, flags) };
}

#[test]
fn records_come_in_the_order_of_their_reservation() {
    let map = map(MapBody::Ringbuf, 0, 0, 4096);
    let consumer = RingConsumer::new(Arc::clone(&map)).expect("a ring buffer");
    let ring = ring(&map);
    let one = ring.reserve(5).expect("room");
    let two = ring.reserve(0).expect("room");
    let three = ring.reserve(8).expect("room");
    one.write(b"hello");
    three.write(&[3; 8]);
    assert_eq!(map.value_at(one.address() + 4), Some((one.address(), 5, true)));
    finish(three.address(), false, 0);
    assert_eq!(consumer.next(), None);
    finish(one.address(), false, NO_WAKEUP);
    assert_eq!(map.value_at(one.address() + 4), None);
    finish(two.address(), true, FORCE_WAKEUP);
    assert_eq!(consumer.next().as_deref(), Some(&b"hello"[..]));
    assert_eq!(consumer.next(), Some(vec![3; 8]));
    assert_eq!(consumer.next(), None);
    assert_eq!([0, 1, 2, 3, 4].map(|what| ring.query(what)), [0, 4096, 40, 40, 0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let map = map(MapBody::Ringbuf, 0, 0, 4096);
    let consumer = RingConsumer::new(Arc::clone(&map)).expect("a ring buffer");
    let ring = ring(&map);
    assert!(ring.reserve(4096).is_none());
    assert!(ring.reserve(u64::MAX).is_none());
    assert!(ring.reserve(u64::from(u32::MAX)).is_none());
    // Never quite full.
    assert!(ring.reserve(4088).is_none());
    let value = Copied::of(&[7; 4000]);
    for _ in 0..20 {
        assert_eq!(ring.output(value.bytes(), 0), Ok(()));
        assert_eq!(ring.output(value.bytes(), 0), Err(Errno::EAGAIN));
        assert_eq!(consumer.next(), Some(vec![7; 4000]));
    }
    assert_eq!(ring.output(value.bytes(), 4), Err(Errno::EINVAL));
}

#[test]
fn readers_wait() {
    let map = map(MapBody::Ringbuf, 0, 0, 4096);
    let consumer = RingConsumer::new(Arc::clone(&map)).expect("a ring buffer");
    assert_eq!(consumer.next_timeout(Duration::from_millis(1)), None);
    let reader = std::thread::spawn(move || {
        let next = || consumer.next_timeout(Duration::from_secs(60)).expect("a record");
        (0..100).map(|_| next()[0]).collect::<Vec<u8>>()
    });
    for number in 0..100u8 {
        let value = Copied::of(&[number; 100]);
        while ring(&map).output(value.bytes(), 0).is_err() {
            std::thread::yield_now();
        }
    }
    assert_eq!(reader.join().expect("no panic"), (0..100).collect::<Vec<u8>>());
}

#[test]
fn user_space_writes_records() {
    let map = map(MapBody::UserRingbuf, 0, 0, 4096);
    let producer = RingProducer::new(Arc::clone(&map)).expect("a user ring buffer");
    let Kind::UserRing(ring) = &map.kind else { panic!("no user ring buffer") };
    assert_eq!(producer.push(&[0; 4089]), Err(Errno::E2BIG));
    for lap in 0..20u8 {
        producer.push(&[lap; 2000]).expect("room");
        producer.push(&[lap; 2000]).expect("room");
        assert_eq!(producer.push(&[lap; 2000]), Err(Errno::ENOSPC));
        assert_eq!(producer.push_timeout(&[lap; 2000], Duration::from_millis(1)), Err(Errno::ENOSPC));
        let reading = ring.read().expect("nobody reads");
        assert_eq!(ring.read().err(), Some(Errno::EBUSY));
        for _ in 0..2 {
            let sample = reading.sample().expect("a record");
            assert_eq!(sample.to_vec(), [lap; 2000]);
            assert_eq!(map.value_at(sample.address() + 1999), Some((sample.address(), 2000, true)));
            reading.release(sample);
        }
        assert!(reading.sample().is_none());
    }
}
