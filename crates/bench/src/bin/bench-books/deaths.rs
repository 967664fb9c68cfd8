//! Processes that bring the books of one run home while they are killed at random moments, one is stopped for longer than
//! its lease, and the server is killed: whether each book is recorded once, and none is lost.

use std::fs::File;
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use testkit::archives::ArchiveFault;
use testkit::kill::signal;
use testkit::postgres::Postgres;

use crate::crew::Home;

/// What happens to whom.
#[derive(Debug, Args)]
pub(crate) struct Deaths {
    /// Books to bring home
    #[arg(long, default_value_t = 700)]
    books: u32,
    /// Processes that are killed
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// Seconds from one to the next on average
    #[arg(long, default_value_t = 2.0)]
    every: f64,
    /// Processes at a time
    #[arg(long, default_value_t = 4)]
    crew: usize,
    /// Seconds of a lease
    #[arg(long, default_value_t = 6)]
    lease: u64,
    /// Milliseconds that an archive takes at least to come; some take twice as long
    #[arg(long, default_value_t = 1_500)]
    slow: u64,
    /// Times that one is stopped for two leases
    #[arg(long, default_value_t = 4)]
    stops: u32,
    /// Times that the server is killed and started again
    #[arg(long, default_value_t = 3)]
    server_kills: u32,
    /// Seed of what is random
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Processes with what they say.
struct Crew<'a> {
    home: &'a Home,
    lease: String,
    log: &'a Path,
    hired: u32,
}

impl Crew<'_> {
    fn hire(&mut self) -> Result<Child> {
        self.hired += 1;
        let said = File::create(self.log.join(self.hired.to_string()))?;
        let more = [
            "--rate-limit",
            "0",
            "--lease",
            &self.lease,
            "--in-the-air",
            "4",
            "--format",
            "json",
        ];
        let mut sync = self.home.sync(&more);
        Ok(sync.stderr(said.try_clone()?).stdout(said).spawn()?)
    }
}

/// Does all of it and prints what came of it.
pub(crate) fn run(how: &Deaths) -> Result<()> {
    let server = Postgres::start(false).context("PostgreSQL is not installed")?;
    let url = server.database();
    let home = Home::new(how.books, 16_000, Some(url.clone()))?;
    let schema = server.rows(
        &url,
        "SELECT schemaname FROM pg_tables WHERE tablename = 'accession_work'",
    );
    let schema = schema.first().context("the run has a schema")?;
    let count = |sql: &str| -> Result<u32> {
        let rows = server.rows(&url, &format!("SET search_path TO \"{schema}\"; {sql}"));
        Ok(rows.first().context("a number")?.parse()?)
    };
    let mut random = fastrand::Rng::with_seed(how.seed);
    let mut slow = random.fork();
    let least = how.slow;
    home.grin.fail(move |call| {
        let is_archive = call.target.contains(".tar.gz") && call.method == "GET";
        let stall = Duration::from_millis(slow.u64(least..=2 * least));
        is_archive.then_some(ArchiveFault::Stalled(stall))
    });
    let log = tempfile::tempdir()?;
    let mut crew = Crew {
        home: &home,
        lease: how.lease.to_string(),
        log: log.path(),
        hired: 0,
    };
    let began = Instant::now();
    let killed = disturb(how, &mut crew, &server, &mut random)?;
    let took = began.elapsed().as_secs();
    let ended = "status_type = 'sync' AND status_value = 'completed'";
    let stored = count("SELECT count(*) FROM accession_archive")?;
    let twice = count(&format!(
        "SELECT count(*) FROM (SELECT barcode FROM book_status_history WHERE {ended}
         GROUP BY barcode HAVING count(*) > 1) AS twice"
    ))?;
    let failed = count("SELECT count(*) FROM accession_sync_failure")?;
    let given_up = count("SELECT count(*) FROM accession_sync_failure WHERE stage = 'work'")?;
    let mut refused = 0;
    for entry in std::fs::read_dir(log.path())? {
        let said = std::fs::read_to_string(entry?.path())?;
        refused += said.matches("another process has taken it over").count();
    }
    home.grin.recover();
    let mut verify = home.command(&["verify", "--run-name", "crew", "--read"]);
    let verified = verify.status()?;
    println!(
        "{} books, {killed} kills in {took} s, {} stops, {} of the server: {stored} recorded, {twice} twice, {given_up} given up, \
         {} failed otherwise, {refused} late results refused; verified: {verified}",
        how.books,
        how.stops,
        how.server_kills,
        failed - given_up
    );
    ensure!(
        twice == 0 && stored + failed >= how.books,
        "a book is lost, or was recorded twice"
    );
    Ok(())
}

/// Kills and stops until all is done; how many were killed.
fn disturb(
    how: &Deaths,
    crew: &mut Crew<'_>,
    server: &Postgres,
    random: &mut fastrand::Rng,
) -> Result<u32> {
    let hired = (0..how.crew).map(|_| crew.hire());
    let mut children: Vec<Child> = hired.collect::<Result<_>>()?;
    let mut asleep: Option<(usize, Instant)> = None;
    let (mut killed, mut left) = (0, false);
    while killed < how.kills && !left {
        sleep(Duration::from_secs_f64(how.every * (0.5 + random.f64())));
        if let Some((who, _)) = asleep.filter(|(_, until)| Instant::now() > *until) {
            signal(&children[who], "-CONT");
            asleep = None;
        }
        let victim = random.usize(..how.crew);
        if asleep.is_some_and(|(who, _)| who == victim) {
            continue;
        }
        children[victim].kill()?;
        // One that ended by itself found nothing to do.
        left = children[victim].wait()?.code() == Some(0);
        if left {
            break;
        }
        killed += 1;
        children[victim] = crew.hire()?;
        if is_due(killed, how.kills, how.stops) && asleep.is_none() {
            let who = (victim + 1) % how.crew;
            signal(&children[who], "-STOP");
            asleep = Some((who, Instant::now() + Duration::from_secs(2 * how.lease)));
        }
        if is_due(killed, how.kills, how.server_kills) {
            server.kill();
            sleep(Duration::from_secs(1));
            server.begin();
        }
    }
    if let Some((who, until)) = asleep {
        sleep(until.saturating_duration_since(Instant::now()));
        signal(&children[who], "-CONT");
    }
    for mut child in children {
        child.wait()?;
    }
    Ok(killed)
}

/// Whether one of `times` things that are spread over `all` kills is due after this one.
fn is_due(killed: u32, all: u32, times: u32) -> bool {
    times > 0 && killed < all && killed.is_multiple_of((all / (times + 1)).max(1))
}
