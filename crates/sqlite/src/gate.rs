//! The gate: units of work queue here first come, first served, and their callers wait for the answer.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::tx::Tx;

/// What a caller receives: its result, or the panic of its closure.
pub(crate) type Reply<T, E> = std::thread::Result<Result<T, E>>;

/// A unit in the queue, together with what its wait has cost so far.
pub(crate) struct Ticket {
    pub(crate) label: &'static str,
    pub(crate) queued: Instant,
    /// Since when other processes, and not this one, are what it waits for.
    pub(crate) busy_since: Option<Instant>,
    pub(crate) attempts: u32,
    /// How long it waits for other processes, where that is less than others wait.
    pub(crate) patience: Option<Duration>,
    unit: Box<dyn Unit>,
}

/// A caller's closure with its types erased.
trait Unit: Send {
    fn is_abandoned(&self) -> bool;
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    fn settle(self: Box<Self>, committed: Result<(), Error>);
}

impl Ticket {
    /// A unit that queues from now on.
    pub(crate) fn new<T, E, F>(
        label: &'static str,
        work: F,
        reply: oneshot::Sender<Reply<T, E>>,
    ) -> Ticket
    where
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let unit = Box::new(Task {
            progress: Progress::Waiting(work),
            reply,
        });
        Ticket {
            label,
            queued: Instant::now(),
            busy_since: None,
            attempts: 0,
            patience: None,
            unit,
        }
    }

    /// Whether nobody waits for the answer any more. Such a unit does not start.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.unit.is_abandoned()
    }

    /// Runs the closure and keeps its result; whether it succeeded. A panic is a failure and stops here.
    pub(crate) fn run(&mut self, tx: &Tx<'_>) -> bool {
        self.unit.run(tx)
    }

    /// Answers the caller. A closure that succeeded, or never ran, has failed after all if `committed` is an error.
    ///
    /// Values of the caller may be dropped here, and a panic of theirs must not end the writer.
    pub(crate) fn settle(self, committed: Result<(), Error>) {
        let unit = self.unit;
        let _ = catch_unwind(AssertUnwindSafe(move || unit.settle(committed)));
    }

    /// Drops a unit that nobody waits for.
    pub(crate) fn discard(self) {
        let _ = catch_unwind(AssertUnwindSafe(move || drop(self)));
    }

    /// How long it has waited for other processes at `now`.
    pub(crate) fn busy(&self, now: Instant) -> Duration {
        self.busy_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

struct Task<F, T, E> {
    progress: Progress<F, T, E>,
    reply: oneshot::Sender<Reply<T, E>>,
}

enum Progress<F, T, E> {
    Waiting(F),
    Ended(Result<T, E>),
    Panicked(Box<dyn Any + Send>),
    Running,
}

impl<F, T, E> Unit for Task<F, T, E>
where
    F: FnOnce(&Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, tx: &Tx<'_>) -> bool {
        let Progress::Waiting(work) = std::mem::replace(&mut self.progress, Progress::Running)
        else {
            return false;
        };
        // A unit that panics is rolled back, so that nothing it left in between can be observed.
        self.progress = match catch_unwind(AssertUnwindSafe(|| work(tx))) {
            Ok(result) => Progress::Ended(result),
            Err(panic) => Progress::Panicked(panic),
        };
        matches!(self.progress, Progress::Ended(Ok(_)))
    }

    fn settle(self: Box<Self>, committed: Result<(), Error>) {
        let reply = match (self.progress, committed) {
            (Progress::Panicked(panic), _) => Err(panic),
            (Progress::Ended(Err(error)), _) => Ok(Err(error)),
            (Progress::Ended(Ok(value)), Ok(())) => Ok(Ok(value)),
            (_, Err(error)) => Ok(Err(E::from(error))),
            (Progress::Waiting(_) | Progress::Running, Ok(())) => return,
        };
        // A caller that left in the meantime does not want to know.
        let _ = self.reply.send(reply);
    }
}

/// A unit that was queued by [`Db::write_async`](crate::Db::write_async), as a future for any runtime.
///
/// Dropped before the unit starts, the unit never runs. Dropped later, it commits in full.
#[must_use = "a write that nobody awaits may never run"]
pub struct Pending<T, E> {
    state: State<T, E>,
    closed: Error,
}

enum State<T, E> {
    Refused(Error),
    Queued(oneshot::AsyncReceiver<Reply<T, E>>),
}

impl<T, E: From<Error>> Pending<T, E> {
    /// A unit that waits in the queue; `closed` is for the case that the writer never answers.
    pub(crate) fn queued(receiver: oneshot::AsyncReceiver<Reply<T, E>>, closed: Error) -> Self {
        Pending {
            state: State::Queued(receiver),
            closed,
        }
    }

    /// A unit that did not get into the queue.
    pub(crate) fn refused(error: Error) -> Self {
        Pending {
            state: State::Refused(error.clone()),
            closed: error,
        }
    }
}

impl<T, E: From<Error>> Future for Pending<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            State::Refused(error) => Poll::Ready(Err(E::from(error.clone()))),
            State::Queued(receiver) => Pin::new(receiver)
                .poll(context)
                .map(|answer| received(answer.ok(), &self.closed)),
        }
    }
}

impl<T, E> std::fmt::Debug for Pending<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

/// Turns the writer's answer into the caller's result; a panic goes on where the closure came from.
pub(crate) fn received<T, E: From<Error>>(
    answer: Option<Reply<T, E>>,
    closed: &Error,
) -> Result<T, E> {
    match answer {
        Some(Ok(result)) => result,
        Some(Err(panic)) => resume_unwind(panic),
        None => Err(E::from(closed.clone())),
    }
}
