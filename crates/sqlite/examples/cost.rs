//! What a write costs on this machine: `cargo run --release -p accession-sqlite --example cost [directory]`.
//!
//! The first table has 16 threads that each write units of five rows, committed alone and in groups. The second has
//! wide rows with random keys, inserted one by one through a prepared statement and by statements of many rows.

#![expect(
    clippy::print_stdout,
    reason = "printing its measurements is all it does"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlite::{Db, Error, Newer, Options, Schema, Synchronous, params_from_iter, types::Value};

const THREADS: usize = 16;
const UNITS: usize = 4_000;
const ROWS: usize = 200_000;

const SCHEMA: Schema = Schema {
    component: "cost",
    version: 1,
    ddl: "CREATE TABLE IF NOT EXISTS file (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, body BLOB);
          CREATE TABLE IF NOT EXISTS passage (id INTEGER PRIMARY KEY, file INTEGER NOT NULL REFERENCES file, body BLOB);
          CREATE INDEX IF NOT EXISTS passage_file ON passage (file);
          CREATE TABLE IF NOT EXISTS wide (key TEXT PRIMARY KEY, a TEXT, b TEXT, c TEXT, d TEXT, e INTEGER, f REAL,
              body BLOB) WITHOUT ROWID;",
    columns: &[],
    migrations: &[],
    newer: Newer::Refuse,
};

fn main() -> Result<(), Error> {
    let directory = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    println!("{THREADS} threads, {UNITS} units of 5 rows");
    println!(
        "{:>12} {:>6} {:>9} {:>12} {:>10} {:>10} {:>10}",
        "synchronous", "group", "units/s", "transactions", "wait p50", "wait p99", "wait max"
    );
    for synchronous in [Synchronous::Normal, Synchronous::Full] {
        for group in [
            Duration::ZERO,
            Duration::from_millis(5),
            Duration::from_millis(50),
        ] {
            units(&directory, synchronous, group)?;
        }
    }
    println!("\n{ROWS} rows of some 560 bytes with random keys, synchronous = NORMAL");
    println!(
        "{:>16} {:>10} {:>10}",
        "rows/transaction", "rows/stmt", "rows/s"
    );
    for per_unit in [100, 1_000, 10_000] {
        for per_statement in [1, 10, 100] {
            rows(&directory, per_unit, per_statement)?;
        }
    }
    Ok(())
}

fn open(
    directory: &Path,
    synchronous: Synchronous,
    group: Duration,
) -> Result<(Db, tempfile::TempDir), Error> {
    let directory = tempfile::tempdir_in(directory).expect("a directory to measure in");
    let options = Options::new(directory.path().join("cost.db")).schema(SCHEMA);
    Ok((
        options.synchronous(synchronous).group_limit(group).open()?,
        directory,
    ))
}

fn units(directory: &Path, synchronous: Synchronous, group: Duration) -> Result<(), Error> {
    let (db, _directory) = open(directory, synchronous, group)?;
    let started = Instant::now();
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let db = &db;
            threads.spawn(move || {
                for unit in 0..UNITS / THREADS {
                    unit_of_five_rows(db, format!("{thread}/{unit}"))
                        .expect("nothing else uses the file");
                }
            });
        }
    });
    let rate = UNITS as f64 / started.elapsed().as_secs_f64();
    let report = db.close()?;
    let wait = report.labels["file"].wait;
    println!(
        "{:>12} {:>6} {rate:>9.0} {:>12} {:>10.1} {:>10.1} {:>10.1}",
        format!("{synchronous:?}"),
        group.as_millis(),
        report.transactions,
        wait.p50,
        wait.p99,
        wait.max
    );
    Ok(())
}

fn unit_of_five_rows(db: &Db, path: String) -> Result<(), Error> {
    db.write("file", move |tx| {
        let body = vec![7_u8; 400];
        let sql = "INSERT INTO file (path, body) VALUES (?1, ?2) RETURNING id";
        let ids: Vec<i64> = tx.returning(sql, (&path, &body), |row| row.get(0))?;
        let passages = (0..4).map(|_| (ids[0], &body));
        tx.insert_rows("passage", &["file", "body"], "", passages)?;
        Ok(())
    })
}

fn rows(directory: &Path, per_unit: usize, per_statement: usize) -> Result<(), Error> {
    const COLUMNS: [&str; 8] = ["key", "a", "b", "c", "d", "e", "f", "body"];
    let (db, _directory) = open(directory, Synchronous::Normal, Duration::ZERO)?;
    let mut random = fastrand::Rng::with_seed(1);
    let all: Vec<[Value; 8]> = (0..ROWS).map(|_| row(&mut random)).collect();
    let units: Vec<_> = all.chunks(per_unit).map(<[_]>::to_vec).collect();
    let started = Instant::now();
    for unit in units {
        db.write("rows", move |tx| {
            if per_statement == 1 {
                return tx.insert_rows("wide", &COLUMNS, "", unit).map(|_| ());
            }
            let values = vec![format!("({})", vec!["?"; COLUMNS.len()].join(", ")); per_statement]
                .join(", ");
            let sql = format!("INSERT INTO wide ({}) VALUES {values}", COLUMNS.join(", "));
            for chunk in unit.chunks(per_statement) {
                tx.execute(&sql, params_from_iter(chunk.iter().flatten()))?;
            }
            Ok::<(), Error>(())
        })?;
    }
    let rate = ROWS as f64 / started.elapsed().as_secs_f64();
    println!("{per_unit:>16} {per_statement:>10} {rate:>10.0}");
    db.close().map(|_| ())
}

fn row(random: &mut fastrand::Rng) -> [Value; 8] {
    let mut text = |length| {
        Value::Text(
            std::iter::repeat_with(|| random.alphanumeric())
                .take(length)
                .collect(),
        )
    };
    let [key, a, b, c, d] = [16, 20, 40, 60, 60].map(&mut text);
    [
        key,
        a,
        b,
        c,
        d,
        Value::Integer(5),
        Value::Real(0.5),
        Value::Blob(vec![1; 350]),
    ]
}
