//! How several processes share the books of a sync, on a server.
//!
//! Books that are to come home are rows of `accession_work`. A process claims some of them for the time of a lease, by the
//! server's clock, and renews all its leases together. What came of a book is recorded in the transaction that proves
//! that the lease still holds, and takes the row away (`held`): a process that was stopped for too long
//! records nothing, since another one may have taken over. A claim is counted when it is made, so that a book over which
//! processes die is given up after five of them, or later where processes die without it, too.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::catalogue::server::{Server, lock};
use crate::catalogue::store::{Conflict, Recorded, Store, Tx};
use crate::catalogue::sync::{Failure, fail};
use crate::error::Error;

/// Claims after which a book is given up, if none of them came to an end. As many as a book's own failures. A crew of six
/// machines survives such a book, if nobody starts its processes again.
const MOST_CLAIMS: u32 = 5;

/// The same where processes also die without such books: somebody kills them, and most of these books were only there.
/// Where processes live for eight seconds and a book takes three, four books of 700 were claimed five times in vain
/// (BENCHMARKS.md), which is 0.36 a claim; twenty times that is one book in a thousand million.
const MOST_CLAIMS_AMONG_KILLED: u32 = 20;

/// Processes that died with no book in hand that could be why, after which it is not books that processes die of.
const KILLED: u32 = 5;

/// Claims without an end after which a book is worked on by a process that has no other such book. Books of one process
/// are taken over together: without this, a book over which processes die would take those beside it along, until all
/// of them are given up. Once is what a machine that is switched off does to books, and many of them wait then.
const DOUBTED: u32 = 2;

/// How often in a lease it is renewed, and what may have ended looked for.
pub(crate) const LOOKS: u32 = 4;

/// A process's part in a sync that others may share.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    server: Server,
    owner: Arc<str>,
    lease: Duration,
    look: Arc<Mutex<Look>>,
}

/// Where a queue is looked at next. Rows in front of it have been claimed, and most of them are gone; where a snapshot
/// keeps what is gone, looking at it again with every claim would take longer and longer.
#[derive(Debug)]
struct Look {
    queue: &'static str,
    /// Behind this row.
    behind: i64,
    /// The last row that was claimed: whatever was claimed and is left lies in front of it.
    last: i64,
    /// When it was last looked at from the first row on, where claims may have ended.
    whole: Instant,
    /// When a book in doubt was last found there. One is taken with each such look, and there may be more.
    doubted: Option<Instant>,
}

impl Look {
    fn at(queue: &'static str, last: i64, doubted: Option<Instant>) -> Self {
        Self {
            queue,
            behind: 0,
            last,
            whole: Instant::now(),
            doubted,
        }
    }

    /// Whether it is time to look from the first row on again: as often as leases are renewed, so that what a dead process
    /// had waits a quarter of a lease at most, and with every claim while there are books in doubt.
    fn is_due(&self, queue: &str, lease: Duration) -> bool {
        let is_doubted = self.doubted.is_some_and(|found| found.elapsed() < lease);
        self.queue != queue || is_doubted || self.whole.elapsed() >= lease / LOOKS
    }
}

/// What a look at a queue brought.
struct Found {
    claimed: Claimed,
    /// The last row of those that are in no doubt.
    last: i64,
    is_doubted: bool,
}

impl Found {
    fn none(claimed: Claimed) -> Self {
        Self {
            claimed,
            last: 0,
            is_doubted: false,
        }
    }
}

/// What a process tells of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) stored: u64,
    pub(crate) failed: u64,
    pub(crate) bytes: u64,
}

/// What a claim brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// Books to work on.
    Books(Vec<String>),
    /// Nothing now: others work on what is left, and may not come to an end with it.
    Later,
    /// Nothing is left.
    End,
    /// There may be more, but this process is to claim no more.
    Drained,
}

impl Claims {
    /// This process's part in the run of `catalogue`; none where that is a file, which one process has to itself.
    pub(crate) fn of(catalogue: &Catalogue, lease: Duration) -> Option<Self> {
        let Store::Server(server) = &catalogue.store else {
            return None;
        };
        server.idle_at_most(lease / LOOKS);
        Some(Self {
            server: server.clone(),
            owner: uuid::Uuid::new_v4().to_string().into(),
            lease,
            look: Arc::new(Mutex::new(Look::at("", 0, None))),
        })
    }

    /// How long a claim holds unless it is renewed.
    pub(crate) fn lease(&self) -> Duration {
        self.lease
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Recorded<T> {
        Recorded::Server(self.server.write(move |tx| work(&Tx::Server(tx))))
    }

    /// Tells that this process is there, what it has done, and that it still works on what it has claimed. Whether it is
    /// to claim no more.
    pub(crate) fn tell(&self, told: Told) -> Recorded<bool> {
        let (owner, lease) = (Arc::clone(&self.owner), self.lease.as_secs());
        let (host, process) = (host(), std::process::id());
        self.write(move |tx| {
            let owner = &*owner;
            tx.execute(
                "UPDATE accession_work SET lease_until = CURRENT_TIMESTAMP + CAST(?2 AS BIGINT) * INTERVAL '1 second'
                 WHERE owner = ?1 AND lease_until > CURRENT_TIMESTAMP",
                &[owner.into(), lease.into()],
            )?;
            let draining: Vec<bool> = tx.returning(
                "INSERT INTO accession_worker (worker, host, process, lease, stored, failed, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (worker) DO UPDATE SET seen_at = CURRENT_TIMESTAMP, stored = excluded.stored,
                     failed = excluded.failed, bytes = excluded.bytes
                 RETURNING is_draining",
                &[
                    owner.into(),
                    (&host).into(),
                    process.into(),
                    lease.into(),
                    told.stored.into(),
                    told.failed.into(),
                    told.bytes.into(),
                ],
                |row| row.get(0),
            )?;
            Ok(draining == [true])
        })
    }

    /// Puts books into a queue; those in it stay where they are.
    pub(crate) fn offer(&self, queue: &'static str, barcodes: Vec<String>) -> Recorded<u64> {
        self.write(move |tx| {
            let rows = barcodes
                .iter()
                .map(|barcode| [queue.into(), barcode.into()]);
            tx.insert_rows("accession_work", &["queue", "barcode"], Some(OFFERED), rows)
        })
    }

    /// Claims some books of a queue.
    pub(crate) async fn claim(&self, queue: &'static str, most: u32) -> Result<Claimed, Error> {
        let (behind, last) = {
            let mut look = lock(&self.look);
            if look.is_due(queue, self.lease) {
                let (last, doubted) = if look.queue == queue {
                    (look.last, look.doubted)
                } else {
                    (0, None)
                };
                *look = Look::at(queue, last, doubted);
            }
            (look.behind, look.last)
        };
        let mut found = self.claim_behind(queue, most, (behind, last)).await?;
        if behind > 0 && matches!(found.claimed, Claimed::Later | Claimed::End) {
            // Nothing is left there; in front of it, claims may have ended.
            found = self.claim_behind(queue, most, (0, last)).await?;
            found.last = 0;
        }
        let mut look = lock(&self.look);
        look.behind = look.behind.max(found.last);
        look.last = look.last.max(found.last);
        if found.is_doubted {
            look.doubted = Some(Instant::now());
        }
        Ok(found.claimed)
    }

    /// The same behind a row. Where it looks from the first row on, it may add one of the books that are in doubt.
    fn claim_behind(
        &self,
        queue: &'static str,
        most: u32,
        (behind, last): (i64, i64),
    ) -> Recorded<Found> {
        let (owner, lease) = (Arc::clone(&self.owner), self.lease.as_secs());
        self.write(move |tx| {
            let owner = &*owner;
            let draining: Vec<bool> = tx.returning(
                // That it is there it tells from time to time: a row that changed with every claim would leave as many
                // dead ones, which each look at it has to pass while somebody holds a snapshot.
                "SELECT is_draining FROM accession_worker WHERE worker = ?1",
                &[owner.into()],
                |row| row.get(0),
            )?;
            if draining == [true] {
                return Ok(Found::none(Claimed::Drained));
            }
            let mut books: Vec<(i64, String)> = tx.returning(
                &taking("id > ?4 AND tries < ?6", "?5"),
                &[queue.into(), owner.into(), lease.into(), behind.into(), most.into(), DOUBTED.into()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let now_last = books.iter().map(|(id, _)| *id).max().unwrap_or_default();
            let certain = books.len();
            if behind == 0 {
                // What was ever claimed lies in front of the last claim; where nothing else is left, so is everything.
                let until = if books.is_empty() { i64::MAX } else { last.max(now_last) };
                books.extend(tx.returning(
                    &taking(
                        "id <= ?4 AND tries >= ?5 AND tries < ?6 AND NOT EXISTS (SELECT 1 FROM accession_work AS held
                             WHERE held.owner = ?2 AND held.tries > ?5 AND held.lease_until > CURRENT_TIMESTAMP
                                AND held.queue = ?1 AND held.id <= ?4)",
                        "1",
                    ),
                    &[queue.into(), owner.into(), lease.into(), until.into(), DOUBTED.into(), most_claims(tx, queue, until)?.into()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?);
            }
            if !books.is_empty() {
                let is_doubted = books.len() > certain;
                let barcodes = books.into_iter().map(|(_, barcode)| barcode).collect();
                return Ok(Found {
                    claimed: Claimed::Books(barcodes),
                    last: now_last,
                    is_doubted,
                });
            }
            give_up(tx, queue)?;
            let left: Vec<u64> = tx.returning(
                "SELECT count(*) FROM accession_work WHERE queue = ?1",
                &[queue.into()],
                |row| row.get(0),
            )?;
            let nothing = if left == [0] { Claimed::End } else { Claimed::Later };
            Ok(Found::none(nothing))
        })
    }

    /// Takes the book's row away if this process still holds it; nothing may be recorded of the book otherwise.
    pub(crate) fn held(&self, tx: &Tx<'_>, queue: &str, barcode: &str) -> Result<bool, Error> {
        let taken = tx.execute(
            "DELETE FROM accession_work
             WHERE queue = ?1 AND barcode = ?2 AND owner = ?3 AND lease_until > CURRENT_TIMESTAMP",
            &[queue.into(), barcode.into(), (&*self.owner).into()],
        )?;
        Ok(taken == 1)
    }

    /// A book needs nothing that would be recorded.
    pub(crate) fn finish(&self, queue: &'static str, barcode: String) -> Recorded<bool> {
        let own = self.clone();
        self.write(move |tx| own.held(tx, queue, &barcode))
    }

    /// Leaves what it holds to others, as if it had never claimed it.
    pub(crate) fn leave(&self) -> Recorded<()> {
        let owner = Arc::clone(&self.owner);
        self.write(move |tx| {
            tx.execute(
                "UPDATE accession_work SET owner = NULL, claimed_at = NULL, lease_until = NULL, tries = tries - 1
                 WHERE owner = ?1",
                &[(&*owner).into()],
            )?;
            tx.execute(
                "DELETE FROM accession_worker WHERE worker = ?1",
                &[(&*owner).into()],
            )?;
            Ok(())
        })
    }
}

/// Takes the first free rows of the queue `?1` that fulfil a condition, `most` of them, for the owner `?2` and `?3` seconds.
fn taking(condition: &str, most: &str) -> String {
    format!(
        "WITH chosen AS (SELECT id FROM accession_work
             WHERE queue = ?1 AND (lease_until IS NULL OR lease_until < CURRENT_TIMESTAMP) AND {condition}
             ORDER BY id LIMIT {most} FOR UPDATE SKIP LOCKED)
         UPDATE accession_work SET owner = ?2, claimed_at = CURRENT_TIMESTAMP, tries = tries + 1,
             lease_until = CURRENT_TIMESTAMP + CAST(?3 AS BIGINT) * INTERVAL '1 second'
         FROM chosen WHERE accession_work.id = chosen.id RETURNING accession_work.id, barcode"
    )
}

/// Who is in the queue stays where it is.
const OFFERED: Conflict = Conflict {
    key: &["queue", "barcode"],
    then: "DO NOTHING",
};

/// Claims of a book that may end with their processes: more where at least [`KILLED`] processes died that were not those
/// of books in doubt. A process that died a day ago is forgotten, so this is about what happens now. Whatever was ever
/// claimed lies up to the row `until`.
fn most_claims(tx: &Tx<'_>, queue: &str, until: i64) -> Result<u32, Error> {
    let count = |found: Vec<u64>| found.first().copied().unwrap_or_default();
    let died = count(tx.returning(
        "SELECT count(*) FROM accession_worker
         WHERE seen_at + CAST(lease AS BIGINT) * INTERVAL '1 second' < CURRENT_TIMESTAMP",
        &[],
        |row| row.get(0),
    )?);
    // As a rule, and then the queue is not gone through.
    if died < u64::from(KILLED + MOST_CLAIMS) {
        return Ok(MOST_CLAIMS);
    }
    // Over each of these one process at least died that had no other book in doubt.
    let in_doubt = count(tx.returning(
        "SELECT CAST(coalesce(sum(tries), 0) AS BIGINT) FROM accession_work
         WHERE queue = ?1 AND id <= ?2 AND tries > ?3",
        &[queue.into(), until.into(), DOUBTED.into()],
        |row| row.get(0),
    )?);
    let given_up = count(tx.returning(
        "SELECT count(*) FROM accession_sync_failure WHERE stage = ?1",
        &[GIVEN_UP.into()],
        |row| row.get(0),
    )?);
    let of_books = in_doubt + given_up * u64::from(MOST_CLAIMS);
    Ok(if died >= of_books + u64::from(KILLED) {
        MOST_CLAIMS_AMONG_KILLED
    } else {
        MOST_CLAIMS
    })
}

/// The stage at which a book failed whose processes died.
const GIVEN_UP: &str = "work";

/// Books over which one process after the other has died.
fn give_up(tx: &Tx<'_>, queue: &str) -> Result<(), Error> {
    let dead: Vec<String> = tx.returning(
        "DELETE FROM accession_work WHERE queue = ?1 AND tries >= ?2 AND lease_until < CURRENT_TIMESTAMP
         RETURNING barcode",
        &[queue.into(), most_claims(tx, queue, i64::MAX)?.into()],
        |row| row.get(0),
    )?;
    for barcode in dead {
        let failure = Failure {
            barcode,
            stage: GIVEN_UP.to_owned(),
            reason: "every process that worked on it ended without a result".to_owned(),
            tries: 1,
            later: false,
            encrypted_etag: None,
            happened_at: crate::date::now(),
        };
        fail(tx, &failure)?;
    }
    Ok(())
}

pub(super) fn host() -> String {
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let named = named.map(|name| name.trim().to_owned());
    named.unwrap_or_else(|_| std::env::var("COMPUTERNAME").unwrap_or_default())
}

/// A process that works on the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Worker {
    /// Its machine.
    pub host: String,
    /// Its number there.
    pub process: u64,
    /// Seconds since it began.
    pub since_seconds: u64,
    /// Seconds since it told anything.
    pub silent_seconds: u64,
    /// Whether it has been silent for so long that others take over what it had.
    pub is_lost: bool,
    /// Whether it finishes what it has and claims no more.
    pub is_draining: bool,
    /// Books it has stored.
    pub stored: u64,
    /// Books that failed.
    pub failed: u64,
    /// Bytes it has stored.
    pub bytes: u64,
    /// Books that it has stored a minute since it began.
    pub stored_a_minute: f64,
    /// Books it works on.
    pub holds: u64,
    /// The book that it has worked on for longest.
    pub oldest_book: Option<String>,
    /// For how many seconds.
    pub oldest_seconds: Option<u64>,
}

/// Who works on a run, and what may be in their way.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Crew {
    /// The processes, longest first.
    pub workers: Vec<Worker>,
    /// The sum of what they have done and do.
    pub total: Total,
    /// Books in queues that nobody works on.
    pub waiting: u64,
    /// Rows that changes have left behind, and no cleaning has removed.
    pub dead_rows: Option<u64>,
    /// Seconds since the oldest transaction of the server began, which keeps dead rows from being removed.
    pub oldest_transaction_seconds: Option<u64>,
    /// What should be looked after, before it hurts.
    pub warnings: Vec<String>,
}

/// What all processes on a run have done and do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Total {
    /// Books stored.
    pub stored: u64,
    /// Books that failed.
    pub failed: u64,
    /// Bytes stored.
    pub bytes: u64,
    /// Books that those store a minute that are still there.
    pub stored_a_minute: f64,
    /// Books under way.
    pub holds: u64,
}

impl Total {
    fn of(workers: &[Worker]) -> Self {
        let sum = |of: fn(&Worker) -> u64| workers.iter().map(of).sum();
        let there = workers.iter().filter(|worker| !worker.is_lost);
        Self {
            stored: sum(|worker| worker.stored),
            failed: sum(|worker| worker.failed),
            bytes: sum(|worker| worker.bytes),
            stored_a_minute: there.map(|worker| worker.stored_a_minute).sum(),
            holds: sum(|worker| worker.holds),
        }
    }
}

/// Dead rows from which claims begin to take longer. Measured by others: with 90,000 of them a third of the claims a
/// second was lost.
const MANY_DEAD_ROWS: u64 = 50_000;

/// Seconds for which a transaction may be open without harm. A guess: a dump of a small database.
const LONG_TRANSACTION: u64 = 600;

impl Crew {
    fn what_hurts(&self) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(rows) = self.dead_rows.filter(|rows| *rows >= MANY_DEAD_ROWS) {
            all.push(format!("{rows} dead rows slow the claims of books down"));
        }
        let open = self.oldest_transaction_seconds;
        if let Some(seconds) = open.filter(|seconds| *seconds >= LONG_TRANSACTION) {
            all.push(format!(
                "a transaction has been open on the server for {seconds} s, which keeps dead rows from being removed"
            ));
        }
        all
    }
}

/// Whole seconds by the server's clock.
fn seconds_since(time: &str) -> String {
    format!("CAST(greatest(extract(epoch FROM CURRENT_TIMESTAMP - {time}), 0) AS BIGINT)")
}

/// Who works on a run; nobody but this process where it is a file.
///
/// # Errors
///
/// [`Error::Server`].
pub fn crew(catalogue: &Catalogue) -> Result<Option<Crew>, Error> {
    let Store::Server(_) = &catalogue.store else {
        return Ok(None);
    };
    let mut crew = catalogue.read(|reader| {
        let workers = reader.all(
            &format!(
                "SELECT host, process, {}, {}, lease, is_draining, stored, failed, bytes,
                     (SELECT count(*) FROM accession_work WHERE owner = worker),
                     (SELECT barcode FROM accession_work WHERE owner = worker ORDER BY claimed_at LIMIT 1),
                     (SELECT {} FROM accession_work WHERE owner = worker)
                 FROM accession_worker ORDER BY started_at",
                seconds_since("started_at"),
                seconds_since("seen_at"),
                seconds_since("min(claimed_at)")
            ),
            &[],
            |row| {
                let (silent, lease): (u64, u64) = (row.get(3)?, row.get(4)?);
                let (since, stored): (u64, u64) = (row.get(2)?, row.get(6)?);
                // One that is lost did nothing since it was heard of last.
                let worked = since.saturating_sub(if silent > lease { silent } else { 0 });
                Ok(Worker {
                    host: row.get(0)?,
                    process: row.get(1)?,
                    since_seconds: since,
                    silent_seconds: silent,
                    is_lost: silent > lease,
                    is_draining: row.get(5)?,
                    stored,
                    failed: row.get(7)?,
                    bytes: row.get(8)?,
                    stored_a_minute: stored as f64 * 60.0 / worked.max(1) as f64,
                    holds: row.get(9)?,
                    oldest_book: row.get(10)?,
                    oldest_seconds: row.get(11)?,
                })
            },
        )?;
        Ok(Crew {
            total: Total::of(&workers),
            workers,
            waiting: reader.one(
                "SELECT count(*) FROM accession_work
                 WHERE queue <> 'command' AND (lease_until IS NULL OR lease_until < CURRENT_TIMESTAMP)",
                &[],
                |row| row.get(0),
            )?,
            ..Crew::default()
        })
    })?;
    // Servers that only speak the protocol keep no such statistics.
    let statistic = |sql: &str| {
        let found = catalogue.read(|reader| reader.one(sql, &[], |row| row.get::<Option<u64>>(0)));
        found.ok().flatten()
    };
    crew.dead_rows = statistic(
        "SELECT CAST(sum(n_dead_tup) AS BIGINT) FROM pg_stat_user_tables
         WHERE schemaname = current_schema()
            AND relname IN ('accession_work', 'accession_worker', 'accession_writer', 'accession_pace')",
    );
    crew.oldest_transaction_seconds = statistic(
        "SELECT CAST(max(extract(epoch FROM CURRENT_TIMESTAMP - xact_start)) AS BIGINT) FROM pg_stat_activity
         WHERE backend_xmin IS NOT NULL",
    );
    crew.warnings = crew.what_hurts();
    Ok(Some(crew))
}

/// Asks every process that works on a run now to finish what it has and to claim no more; how many there are.
///
/// # Errors
///
/// [`Error::OnlyOnServer`] for a run that is a file, [`Error::Server`].
pub fn drain(catalogue: &Catalogue) -> Result<u64, Error> {
    let Store::Server(_) = &catalogue.store else {
        return Err(Error::OnlyOnServer("other processes to drain"));
    };
    catalogue.write_now("drain", |tx| {
        tx.execute(
            "UPDATE accession_worker SET is_draining = TRUE WHERE NOT is_draining",
            &[],
        )
    })
}
