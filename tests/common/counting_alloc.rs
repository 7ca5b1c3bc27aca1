//! The test binary's allocator: the system's, and a count of what one thread does while it asks to be watched.
#![allow(unsafe_code, reason = "an allocator is unsafe by its nature; this one only counts and passes on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts, and passes on.
pub struct CountingAlloc;

#[global_allocator]
static ALLOCATOR: CountingAlloc = CountingAlloc;

/// What a watched section did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocCount {
    /// Allocations, and growths in place.
    pub allocations: u64,
    /// Frees.
    pub frees: u64,
}

thread_local! {
    // Constant and without destructor: touching it never allocates.
    static WATCHED: Cell<Option<AllocCount>> = const { Cell::new(None) };
    /// Bytes held now and at most since the watch began, in excess of its beginning.
    static HELD: Cell<Option<(i64, i64)>> = const { Cell::new(None) };
}

/// Runs `section` and gives the most bytes that this thread held in it at once, beyond what it held before.
pub fn peak_bytes<T>(section: impl FnOnce() -> T) -> (T, i64) {
    HELD.set(Some((0, 0)));
    let result = section();
    (result, HELD.take().unwrap_or_default().1)
}

fn hold(bytes: i64) {
    let _ = HELD.try_with(|held| {
        if let Some((now, peak)) = held.get() {
            held.set(Some((now + bytes, peak.max(now + bytes))));
        }
    });
}

/// Runs `section` and counts what this thread allocates and frees in it; other threads are not counted.
pub fn count_allocations<T>(section: impl FnOnce() -> T) -> (T, AllocCount) {
    WATCHED.set(Some(AllocCount::default()));
    let result = section();
    (result, WATCHED.take().unwrap_or_default())
}

fn count(change: impl FnOnce(&mut AllocCount)) {
    // A thread that is going down has no thread-locals any more, and is not watched.
    let _ = WATCHED.try_with(|watched| {
        if let Some(mut counted) = watched.get() {
            change(&mut counted);
            watched.set(Some(counted));
        }
    });
}

unsafe impl GlobalAlloc for CountingAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|counted| counted.allocations += 1);
        hold(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(|counted| counted.allocations += 1);
        hold(layout.size() as i64);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(|counted| counted.allocations += 1);
        hold(new_size as i64 - layout.size() as i64);
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(|counted| counted.frees += 1);
        hold(-(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[test]
fn the_counting_allocator_sees_an_allocation_and_a_free() {
    let (kept, count) = count_allocations(|| {
        drop(std::hint::black_box(Box::new(1_u8)));
        std::hint::black_box(Box::new(2_u8))
    });
    assert_eq!(count, AllocCount { allocations: 2, frees: 1 });
    drop(kept);
    let ((), count) = count_allocations(|| {});
    assert_eq!(count, AllocCount::default());
}

#[test]
fn the_counting_allocator_sees_the_most_bytes_at_once() {
    let ((), peak) = peak_bytes(|| {
        drop(std::hint::black_box(vec![1_u8; 1000]));
        drop(std::hint::black_box(vec![1_u8; 3000]));
    });
    assert_eq!(peak, 3000);
}
