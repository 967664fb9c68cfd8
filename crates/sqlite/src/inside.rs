//! Notices calls from inside a closure of the same database, which would wait for themselves.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// The databases whose closures run on this thread.
    static INSIDE: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
}

/// Tells the databases of a process apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(u64);

impl Id {
    /// An identity that no other database of this process has.
    pub(crate) fn unique() -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Id(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether this thread runs a closure of this database.
    pub(crate) fn is_inside(self) -> bool {
        INSIDE.with_borrow(|inside| inside.contains(&self))
    }

    /// Marks this thread until the guard is dropped.
    pub(crate) fn enter(self) -> Guard {
        INSIDE.with_borrow_mut(|inside| inside.push(self));
        Guard(self)
    }
}

/// Takes the mark away.
pub(crate) struct Guard(Id);

impl Drop for Guard {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(|inside| {
            if let Some(index) = inside.iter().rposition(|id| *id == self.0) {
                inside.remove(index);
            }
        });
    }
}
