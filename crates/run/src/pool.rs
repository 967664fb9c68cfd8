//! The threads of a job: the one place that starts any.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Cancel;

/// Calls `work(worker, item)` for every item, on `jobs` threads, in order of
/// beginning, and returns when all are done.
///
/// A worker that has finished takes the next item, so no item waits for a slow
/// neighbour. Once `cancel` is requested no further item is begun. A panic in
/// `work` reaches the caller after the other workers have finished their items.
pub fn for_each<T: Sync>(
    jobs: usize,
    items: &[T],
    cancel: &Cancel,
    work: impl Fn(usize, &T) + Sync,
) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..jobs.clamp(1, items.len().max(1)) {
            let (next, work) = (&next, &work);
            scope.spawn(move || {
                step_back();
                while !cancel.is_requested() {
                    let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        break;
                    };
                    work(worker, item);
                }
            });
        }
    });
}

/// Lets everything else on the machine go first.
///
/// Workers keep every core busy; the thread that writes must not wait for one
/// while it holds the database's lock, nor the user for the mouse. On Linux this
/// is a matter of the calling thread only; elsewhere it would be the process.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(refused) = rustix::process::nice(5) {
        // A system that does not allow it is only less polite.
        let _ = refused;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::Signal;

    #[test]
    fn every_item_is_worked_once_whatever_the_number_of_jobs() {
        for jobs in [0, 1, 3, 64] {
            let seen = Mutex::new(Vec::new());
            let items: Vec<usize> = (0..40).collect();
            for_each(jobs, &items, &Cancel::new(), |_, item| {
                seen.lock().unwrap().push(*item);
            });
            let mut seen = seen.into_inner().unwrap();
            seen.sort_unstable();
            assert_eq!(seen, items);
        }
    }

    #[test]
    fn nothing_new_is_begun_after_a_request_to_stop() {
        let cancel = Cancel::new();
        let done = AtomicUsize::new(0);
        for_each(1, &[(); 10], &cancel, |_, ()| {
            if done.fetch_add(1, Ordering::Relaxed) == 3 {
                cancel.request(Signal::Interrupt);
            }
        });
        assert_eq!(done.into_inner(), 4);
    }
}
