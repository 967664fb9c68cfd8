//! One transaction: the unit in front, and those behind it that are ready to join.
//!
//! The first unit needs no savepoint: if it fails, nothing else is in the transaction yet, and all of it is rolled
//! back. Each further unit has its own, so that a failing one spoils no other.

use std::time::Instant;

use crate::error::Error;
use crate::gate::Ticket;
use crate::report::Sample;
use crate::tx::Tx;
use crate::writer::{Writer, sample};

/// A unit that ran; its caller is told after the commit.
struct Member {
    ticket: Ticket,
    sample: Sample,
}

/// How a unit ended.
enum Ended {
    /// Its changes are part of the transaction.
    Done(Member),
    /// Its changes are undone, those of others are not.
    Undone(Member),
    /// SQLite rolled all of the transaction back.
    Lost(Member, Error),
}

impl Writer {
    /// Runs and commits the unit in front and whoever can join, then answers them. The lock is held already.
    pub(super) fn commit_group(&mut self) {
        let granted = Instant::now();
        let mut group = Vec::new();
        let mut next = self.line.pop_front();
        let committed = loop {
            let Some(ticket) = next else {
                break self.commit();
            };
            match self.run_unit(ticket, granted, group.is_empty()) {
                Ended::Done(member) => group.push(member),
                Ended::Undone(member) if group.is_empty() => {
                    // Nothing is in the transaction any more.
                    self.meter.record_transaction(granted.elapsed(), false);
                    return self.answer(member, granted, Ok(()));
                }
                Ended::Undone(member) => self.answer(member, granted, Ok(())),
                Ended::Lost(member, error) => {
                    group.push(member);
                    break Err(error);
                }
            }
            next = self.joining(granted);
        };
        if committed.is_err() {
            self.end_transaction();
        }
        let hold = granted.elapsed();
        self.meter.record_transaction(hold, committed.is_ok());
        for mut member in group {
            member.sample.committed = committed.is_ok();
            member.sample.hold = Some(hold);
            self.meter.record_unit(&member.sample);
            member.ticket.settle(committed.clone());
        }
    }

    /// The next unit, if one waits and the transaction is young.
    fn joining(&mut self, granted: Instant) -> Option<Ticket> {
        if granted.elapsed() >= self.settings.group_limit {
            return None;
        }
        loop {
            let ticket = self
                .line
                .pop_front()
                .or_else(|| self.gate.try_recv().ok())?;
            if !ticket.is_abandoned() {
                return Some(ticket);
            }
            ticket.discard();
        }
    }

    fn run_unit(&self, mut ticket: Ticket, granted: Instant, first: bool) -> Ended {
        let lost = |error| Error::sqlite(&self.settings.path, error);
        let mut sample = sample(&ticket, granted.max(ticket.queued));
        if !first && let Err(error) = self.execute("SAVEPOINT unit") {
            return Ended::Lost(Member { ticket, sample }, lost(error));
        }
        let tx = Tx::new(&self.connection, &self.settings.path);
        let succeeded = ticket.run(&tx);
        sample.rows = tx.rows_changed();
        let fatal = tx.into_fatal();
        let member = Member { ticket, sample };
        if self.connection.is_autocommit() {
            return Ended::Lost(member, fatal.unwrap_or_else(aborted));
        }
        let ended = match (first, succeeded) {
            (true, true) => Ok(()),
            (true, false) => self.execute("ROLLBACK"),
            (false, true) => self.execute("RELEASE unit"),
            (false, false) => self
                .execute("ROLLBACK TO unit")
                .and_then(|()| self.execute("RELEASE unit")),
        };
        match ended {
            Ok(()) if succeeded => Ended::Done(member),
            Ok(()) => Ended::Undone(member),
            Err(error) => Ended::Lost(member, lost(error)),
        }
    }

    fn commit(&self) -> Result<(), Error> {
        let path = &self.settings.path;
        self.execute("COMMIT")
            .map_err(|error| Error::statement(path, "COMMIT", error))
    }

    /// Answers one unit whose fate does not depend on the commit.
    fn answer(&self, mut member: Member, granted: Instant, committed: Result<(), Error>) {
        member.sample.committed = false;
        member.sample.hold = Some(granted.elapsed());
        self.meter.record_unit(&member.sample);
        member.ticket.settle(committed);
    }
}

/// What SQLite answers to statements whose transaction was rolled back under them.
fn aborted() -> Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK);
    Error::from(rusqlite::Error::SqliteFailure(code, None))
}
