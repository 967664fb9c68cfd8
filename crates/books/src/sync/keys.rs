//! Keys of archives are derived for several books at once.
//!
//! Deriving a key is made slow on purpose, and where archives are small it is most of the work. A processor derives the
//! keys of several messages side by side in the time of a few ([`crate::decrypt`]). Books gather here; whichever of them
//! has its turn at a processor takes as many keys as go together, and derives them for all.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, oneshot};

use crate::decrypt::{self, Derived, Slow};
use crate::sync::shared::{Halt, turn};

/// Keys that are waited for.
#[derive(Default)]
pub(super) struct Keys {
    waiting: Mutex<Vec<Waiting>>,
}

struct Waiting {
    slow: Slow,
    reply: oneshot::Sender<Derived>,
}

impl Keys {
    /// Derives a key, here or where others are derived. `None` if that failed, so that it is done in another way.
    pub(super) async fn derive(
        &self,
        processors: &Semaphore,
        slow: Slow,
    ) -> Result<Option<Derived>, Halt> {
        if decrypt::side_by_side().is_none() {
            return Ok(None);
        }
        let (reply, mut answer) = oneshot::channel();
        self.lock().push(Waiting { slow, reply });
        loop {
            let place = tokio::select! {
                biased;
                derived = &mut answer => return Ok(derived.ok()),
                place = turn(processors) => place?,
            };
            let some = self.some();
            if some.is_empty() {
                // Somebody derives it right now.
                drop(place);
                return Ok(answer.await.ok());
            }
            let (slow, replies): (Vec<Slow>, Vec<_>) = some
                .into_iter()
                .map(|waiting| (waiting.slow, waiting.reply))
                .unzip();
            let derived = tokio::task::spawn_blocking(move || decrypt::derive(&slow)).await;
            drop(place);
            for (derived, reply) in derived.into_iter().flatten().zip(replies) {
                // Whoever waited for it may have been stopped.
                let _ = reply.send(derived);
            }
        }
    }

    /// Keys that are derived in one go: as many as have room side by side, or one where they are too few for that.
    fn some(&self) -> Vec<Waiting> {
        let (most, worthwhile) = decrypt::side_by_side().unwrap_or((1, usize::MAX));
        let mut waiting = self.lock();
        // Nobody waits for those whose books were stopped.
        waiting.retain(|waiting| !waiting.reply.is_closed());
        let Some(first) = waiting.first().map(|waiting| waiting.slow.clone()) else {
            return Vec::new();
        };
        let mut digests = 0;
        let together: Vec<usize> = (0..waiting.len())
            .filter(|index| waiting[*index].slow.goes_with(&first))
            .take_while(|index| {
                digests += waiting[*index].slow.digests();
                digests <= most
            })
            .collect();
        let enough: usize = together
            .iter()
            .map(|index| waiting[*index].slow.digests())
            .sum();
        let count = if enough >= worthwhile {
            together.len()
        } else {
            1
        };
        let taken = together.into_iter().take(count).rev();
        taken.map(|index| waiting.remove(index)).collect()
    }

    /// A thread that panicked left nothing half done.
    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use web::Secret;

    /// Files whose keys take long, as `gpg` makes them. Without it there are none.
    fn slow(count: u32) -> Option<Vec<Slow>> {
        let folder = tempfile::tempdir().ok()?;
        let made = (0..count).map(|number| {
            let path = folder.path().join(number.to_string());
            std::fs::write(
                &path,
                testkit::archives::encrypt_with(b"text", &["--s2k-count", "1048576"])?,
            )
            .ok()?;
            decrypt::slow_key(&path, &Secret::new(testkit::archives::PASSPHRASE))
        });
        made.collect()
    }

    #[test]
    fn each_book_has_its_own_key_whoever_derived_it() {
        let Some(slow) = slow(9) else { return };
        let (keys, processors) = (Keys::default(), Semaphore::new(1));
        let all = slow
            .iter()
            .map(|slow| keys.derive(&processors, slow.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let all = runtime.block_on(futures_util::future::join_all(all));
        for (slow, found) in slow.iter().zip(all) {
            let alone = decrypt::derive(std::slice::from_ref(slow)).pop();
            let is_same = found
                .unwrap_or_default()
                .is_none_or(|found| Some(found) == alone);
            assert!(is_same);
        }
        assert!(keys.some().is_empty());
    }
}
