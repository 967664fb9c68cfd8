//! A job queue in one file: eight threads claim jobs, do them and say so, and none is done twice.
//!
//! `cargo run --example queue -- /tmp/queue.db` may be killed at any moment and run again: it goes on where it was.

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use sqlite::{Db, Error, Newer, Options, Schema};

const QUEUE: Schema = Schema {
    component: "queue",
    version: 1,
    ddl: "CREATE TABLE IF NOT EXISTS job (
        id INTEGER PRIMARY KEY,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'claimed', 'done')),
        result INTEGER
    ) STRICT;
    CREATE INDEX IF NOT EXISTS job_waiting ON job (id) WHERE state = 'waiting';",
    columns: &[],
    migrations: &[],
    newer: Newer::Refuse,
};

const JOBS: i64 = 1000;

fn main() -> Result<(), Error> {
    let path = std::env::args_os().nth(1).map_or_else(
        || std::env::temp_dir().join(format!("queue-{}.db", std::process::id())),
        PathBuf::from,
    );
    let db = Options::new(&path).schema(QUEUE).open()?;

    // All of it or nothing: jobs are there once, however often this runs.
    db.write("fill", |tx| {
        tx.execute(
            "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?1)
             INSERT OR IGNORE INTO job (id) SELECT n FROM number",
            [JOBS],
        )?;
        // Whoever claimed these was killed.
        tx.execute(
            "UPDATE job SET state = 'waiting' WHERE state = 'claimed'",
            [],
        )?;
        Ok(())
    })?;

    thread::scope(|scope| {
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(|| work(&db))).collect();
        workers.into_iter().try_for_each(|worker| {
            // A panic of a worker is one of ours.
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })?;

    let done: i64 = db.read(|snapshot| {
        snapshot.query_row("SELECT count(*) FROM job WHERE state = 'done'", [], |row| {
            row.get(0)
        })
    })?;
    let report = db.close()?;
    let claims = &report.labels["claim"];
    println!("{done} jobs are done, in `{}`", path.display());
    println!(
        "{} units in {} transactions",
        report.units, report.transactions
    );
    println!(
        "a claim waited {:.1} ms at the median and {:.1} ms at most for the units before it",
        claims.wait.p50, claims.wait.max
    );
    Ok(())
}

/// Does jobs until there are none.
fn work(db: &Db) -> Result<(), Error> {
    while let Some(id) = claim(db)? {
        // The work itself holds no lock.
        thread::sleep(Duration::from_millis(1));
        db.write("done", move |tx| {
            tx.execute(
                "UPDATE job SET state = 'done', result = ?2 WHERE id = ?1",
                [id, id * id],
            )?;
            Ok(())
        })?;
    }
    Ok(())
}

/// Takes the next job that waits; two threads never get the same.
fn claim(db: &Db) -> Result<Option<i64>, Error> {
    db.write("claim", |tx| {
        let ids = tx.returning(
            "UPDATE job SET state = 'claimed'
             WHERE id = (SELECT min(id) FROM job WHERE state = 'waiting') RETURNING id",
            [],
            |row| row.get(0),
        )?;
        Ok(ids.first().copied())
    })
}
