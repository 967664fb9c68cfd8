//! Several processes that bring the books of one run home together: whether they keep one pace, and what it costs that
//! the run is on a server.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bench::hear::children_cpu_seconds;
use testkit::accession_bin;
use testkit::archives::{ArchiveGrin, Shelved, archive, encrypt};
use testkit::postgres::Postgres;

/// What GRIN lets a library ask for in a second.
const A_SECOND: f64 = 5.0;

/// Measures both and prints what came of it.
pub(crate) fn run(paced: u32, books: u32, megabytes: usize) -> Result<()> {
    let server = Postgres::start(false).context("PostgreSQL is not installed")?;
    println!("| processes | requests | a second, of {A_SECOND} |");
    println!("|---:|---:|---:|");
    for processes in [1, 2, 4, 8] {
        let (requests, rate) = pace(&server, paced, processes)?;
        println!("| {processes} | {requests} | {rate:.2} |");
    }
    println!();
    let alone = sync(None, books, megabytes)?;
    let before = server_cpu_seconds(&server)?;
    let shared = sync(Some(&server), books, megabytes)?;
    let by_server = server_cpu_seconds(&server)? - before;
    let more = shared + by_server - alone;
    println!(
        "{books} books of {megabytes} MB: on a file {alone:.2} CPU s; on a server {shared:.2}, and {by_server:.2} of the server's \
         own: {:.1} % for the run being shared",
        100.0 * more / (shared + by_server)
    );
    Ok(())
}

/// Requests of so many processes together, and how many they were in a second.
fn pace(server: &Postgres, books: u32, processes: u32) -> Result<(usize, f64)> {
    let home = Home::new(books, 10_000, Some(server.database()))?;
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&times);
    home.grin.fail(move |_| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(Instant::now());
        None
    });
    let limit = A_SECOND.to_string();
    let start = |_| home.start(&["--rate-limit", &limit]);
    let children: Vec<Child> = (0..processes).map(start).collect::<Result<_>>()?;
    for mut child in children {
        ensure!(child.wait()?.success(), "a sync failed");
    }
    let times = times.lock().unwrap_or_else(PoisonError::into_inner);
    let (first, last) = times
        .iter()
        .min()
        .zip(times.iter().max())
        .context("no request")?;
    let rate = (times.len() - 1) as f64 / (*last - *first).as_secs_f64();
    Ok((times.len(), rate))
}

/// The CPU time of one process that brings so many books home with nothing to wait for.
fn sync(server: Option<&Postgres>, books: u32, megabytes: usize) -> Result<f64> {
    let home = Home::new(books, megabytes * 1_000_000, server.map(Postgres::database))?;
    let before = children_cpu_seconds()?;
    let ended = home.start(&["--rate-limit", "0"])?.wait()?;
    ensure!(ended.success(), "a sync ended with {ended}");
    Ok(children_cpu_seconds()? - before)
}

/// The CPU time of a server and of its processes, those that ended and those that run.
fn server_cpu_seconds(server: &Postgres) -> Result<f64> {
    let told = std::fs::read_to_string(server.folder().join("data/postmaster.pid"))?;
    let postmaster: u32 = told.lines().next().context("a process")?.parse()?;
    let mut ticks = ticks(postmaster, 4)?;
    let children = format!("/proc/{postmaster}/task/{postmaster}/children");
    for child in std::fs::read_to_string(children)?.split_whitespace() {
        // One that has ended meanwhile is counted with the postmaster the next time.
        ticks += self::ticks(child.parse()?, 2).unwrap_or_default();
    }
    Ok(ticks as f64 / 100.0)
}

/// Its own time in user and system mode, and with four `fields` that of the children it waited for: `utime`, `stime`,
/// `cutime` and `cstime` of `proc_pid_stat(5)`.
fn ticks(process: u32, fields: usize) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').context("a name in parentheses")?;
    let fields = rest.split_whitespace().skip(11).take(fields);
    let ticks: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum())
}

/// A run with its books collected, and the GRIN that has their archives.
pub(crate) struct Home {
    folder: tempfile::TempDir,
    pub(crate) grin: ArchiveGrin,
    database: Option<String>,
}

impl Home {
    pub(crate) fn new(books: u32, bytes: usize, database: Option<String>) -> Result<Self> {
        let plain = archive("volume", 200, bytes);
        let encrypted = Arc::new(encrypt(&plain).context("`gpg` is not installed")?);
        let book = |number| Shelved {
            barcode: format!("{:014}", 32_044_000_000_000_u64 + u64::from(number)),
            title: format!("volume {number}"),
            state: "CONVERTED".into(),
            archive: Some(Arc::clone(&encrypted)),
            ..Shelved::default()
        };
        let grin = ArchiveGrin::start((0..books).map(book).collect())?;
        let home = Self {
            folder: tempfile::tempdir()?,
            grin,
            database,
        };
        std::fs::create_dir(home.secret())?;
        home.grin.write_credentials(&home.secret())?;
        let collect = "collect --run-name crew --library-directory X --storage local --storage-path store --rate-limit 0 \
                       --sync-disk-space-threshold 1";
        let args: Vec<&str> = collect.split_whitespace().collect();
        let ended = home.command(&args).status()?;
        ensure!(ended.success(), "collecting ended with {ended}");
        Ok(home)
    }

    fn secret(&self) -> PathBuf {
        self.folder.path().join("secret")
    }

    fn start(&self, more: &[&str]) -> Result<Child> {
        Ok(self.sync(more).spawn()?)
    }

    /// The command that brings them home.
    pub(crate) fn sync(&self, more: &[&str]) -> Command {
        let sync = "sync --run-name crew --queue converted --skip-csv-export";
        let args: Vec<&str> = sync
            .split_whitespace()
            .chain(more.iter().copied())
            .collect();
        self.command(&args)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(accession_bin());
        command
            .arg("books")
            .args(args)
            .current_dir(self.folder.path())
            .env("GRIN_CREDENTIALS_DIR", self.secret())
            .env("GRIN_BASE_URL", self.grin.url())
            .envs(
                self.database
                    .iter()
                    .map(|url| ("ACCESSION_BOOKS_DATABASE", url)),
            )
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}
