//! Claims and finishes a second of two queue libraries, to be set beside those of `bench-books pg`.
//!
//! `queues URL LIBRARY JOBS [record]`: makes so many jobs, works all of them in this process, 32 at once, and tells the
//! rate. With `record`, each job's work is what a sync records of a book that it has stored: one transaction of seven
//! statements, which the library cannot take its own part in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use apalis::prelude::*;
use apalis_postgres::{Config, PostgresStorage};
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, WorkerOptions,
};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::sync::Notify;

/// As many as `bench-books pg` claims at once.
const AT_ONCE: usize = 32;

/// What jobs have in common.
#[derive(Clone, Debug)]
struct Work {
    pool: PgPool,
    records: bool,
    left: Arc<AtomicU64>,
    over: Arc<Notify>,
}

impl Work {
    async fn of(&self, book: u64) -> Result<(), sqlx::Error> {
        if self.records {
            let barcode = format!("REHEARSED{book}");
            let mut unit = self.pool.begin().await?;
            for step in [
                "checked",
                "downloaded",
                "decrypted",
                "unpacked",
                "uploaded",
                "completed",
            ] {
                sqlx::query(
                    "INSERT INTO history (barcode, kind, value, at) VALUES ($1, 'sync', $2, now())",
                )
                .bind(&barcode)
                .bind(step)
                .execute(&mut *unit)
                .await?;
            }
            sqlx::query(
                "INSERT INTO archive (barcode, bytes, stored_at) VALUES ($1, 1048576, now())",
            )
            .bind(&barcode)
            .execute(&mut *unit)
            .await?;
            unit.commit().await?;
        }
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.over.notify_one();
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Book(u64);

impl TaskHandler for Book {
    const IDENTIFIER: &'static str = "book";

    async fn run(self, context: graphile_worker::WorkerContext) -> impl IntoTaskHandlerResult {
        let work = context.get_ext::<Work>().ok_or("no work")?;
        work.of(self.0).await.map_err(|error| error.to_string())
    }
}

/// Batches of 32 are fetched at once, and finished together where they finish within a millisecond.
async fn graphile(work: &Work, jobs: u64) -> Result<Duration> {
    let worker = WorkerOptions::default()
        .concurrency(AT_ONCE)
        .schema("graphile")
        .define_job::<Book>()
        .pg_pool(work.pool.clone())
        .add_extension(work.clone())
        .local_queue(LocalQueueConfig::default().with_size(AT_ONCE))
        .complete_job_batch_delay(Duration::from_millis(1))
        .init()
        .await?;
    let (utils, spec) = (worker.create_utils(), JobSpec::default());
    let books: Vec<_> = (0..jobs).map(|number| (Book(number), &spec)).collect();
    for some in books.chunks(5_000) {
        utils.add_jobs::<Book>(some).await?;
    }
    let begun = Instant::now();
    let running = tokio::spawn(async move { worker.run().await });
    work.over.notified().await;
    left(&work.pool, "SELECT count(*) FROM graphile.jobs").await?;
    let taken = begun.elapsed();
    running.abort();
    Ok(taken)
}

/// Batches of 32 are fetched at once; each is acknowledged by itself.
async fn apalis(work: &Work, jobs: u64) -> Result<Duration> {
    PostgresStorage::setup(&work.pool).await?;
    let config = Config::default().queue("books").batch_size(AT_ONCE);
    let mut backend = PostgresStorage::new(&work.pool).with_config(config);
    for first in (0..jobs).step_by(5_000) {
        let some = (first..jobs.min(first + 5_000)).collect::<Vec<u64>>();
        backend
            .push_bulk(some)
            .await
            .map_err(|error| anyhow::anyhow!("{error}"))?;
    }
    let worker = WorkerBuilder::new("bench")
        .backend(backend)
        .data(work.clone())
        .concurrency(AT_ONCE)
        .build(book);
    let begun = Instant::now();
    let running = tokio::spawn(worker.run());
    work.over.notified().await;
    left(
        &work.pool,
        "SELECT count(*) FROM apalis.jobs WHERE status <> 'Done'",
    )
    .await?;
    let taken = begun.elapsed();
    running.abort();
    Ok(taken)
}

async fn book(number: u64, work: Data<Work>) -> Result<(), BoxDynError> {
    work.of(number).await.map_err(Into::into)
}

/// Waits until the last job is finished in the database, too.
async fn left(pool: &PgPool, question: &'static str) -> Result<()> {
    for _ in 0..3_000 {
        let (left,): (i64,) = sqlx::query_as(question).fetch_one(pool).await?;
        if left == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bail!("jobs are left")
}

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, library, jobs, rest @ ..] = words.as_slice() else {
        bail!("usage: queues URL graphile|apalis JOBS [record]");
    };
    let jobs: u64 = jobs.parse().context("the number of jobs")?;
    let pool = PgPoolOptions::new()
        .max_connections(AT_ONCE as u32 + 4)
        .connect(url)
        .await?;
    for table in [
        "CREATE TABLE IF NOT EXISTS history (id bigserial PRIMARY KEY, barcode text, kind text, value text, at timestamptz)",
        "CREATE INDEX IF NOT EXISTS history_barcode ON history (barcode)",
        "CREATE TABLE IF NOT EXISTS archive (barcode text PRIMARY KEY, bytes bigint, stored_at timestamptz)",
        "TRUNCATE history, archive",
    ] {
        sqlx::query(table).execute(&pool).await?;
    }
    let work = Work {
        pool,
        records: !rest.is_empty(),
        left: Arc::new(AtomicU64::new(jobs)),
        over: Arc::default(),
    };
    let taken = match library.as_str() {
        "graphile" => graphile(&work, jobs).await?,
        "apalis" => apalis(&work, jobs).await?,
        _ => bail!("`{library}`: expected graphile or apalis"),
    };
    let what = if work.records { ", recorded" } else { "" };
    println!(
        "{library}: {:.0} a second{what}",
        jobs as f64 / taken.as_secs_f64()
    );
    Ok(())
}
