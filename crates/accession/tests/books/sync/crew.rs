//! Several processes bring the books of one run home, and some of them do not live to see it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use testkit::archives::{ArchiveFault, ArchiveGrin, Shelved, archive, encrypt};
use testkit::kill::signal;
use testkit::postgres::Postgres;

use crate::support::{code, said};
use crate::sync::{Home, barcode, sync_args};

/// Books with the same archive, which takes a while to come.
fn slow_shelf(count: u32) -> Option<ArchiveGrin> {
    let encrypted = Arc::new(encrypt(&archive("volume", 4, 20_000))?);
    let book = |number| Shelved {
        barcode: barcode(number),
        title: format!("volume {number}"),
        state: "CONVERTED".into(),
        archive: Some(Arc::clone(&encrypted)),
        ..Shelved::default()
    };
    let grin = ArchiveGrin::start((0..count).map(book).collect()).unwrap();
    grin.fail(|call| {
        let is_archive = call.target.contains(".tar.gz") && call.method == "GET";
        is_archive.then_some(ArchiveFault::Stalled(Duration::from_millis(400)))
    });
    Some(grin)
}

/// What a process on its own would do, for a lease of two seconds.
const TOGETHER: &str = "--queue converted --lease 2 --in-the-air 3 --skip-csv-export --format json";

struct Crew<'a> {
    home: &'a Home,
    children: Vec<Child>,
    logs: u32,
}

impl<'a> Crew<'a> {
    fn of(home: &'a Home) -> Self {
        Self {
            home,
            children: Vec::new(),
            logs: 0,
        }
    }

    fn hire(&mut self) {
        self.hire_with(TOGETHER);
    }

    fn hire_with(&mut self, words: &str) {
        let log = self.home.path(&format!("told{}", self.logs));
        self.logs += 1;
        let child = self
            .home
            .command(&sync_args(words))
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&log).unwrap())
            .stderr(std::fs::File::create(log.with_extension("err")).unwrap())
            .spawn()
            .unwrap();
        self.children.push(child);
    }

    fn told(&self) -> String {
        (0..self.logs)
            .map(|number| {
                std::fs::read_to_string(self.home.path(&format!("told{number}"))).unwrap()
            })
            .collect()
    }
}

#[test]
fn each_book_is_recorded_once_whoever_dies_or_sleeps_over_it() {
    const BOOKS: u32 = 60;
    let Some(server) = Postgres::start(true) else {
        return;
    };
    let Some(grin) = slow_shelf(BOOKS) else {
        return;
    };
    let url = server.database();
    let home = Home::with(grin, None, Some(url.clone()));
    let count = |sql: &str| {
        server.rows(&url, &format!("SET search_path TO accession_g; {sql}"))[0]
            .parse::<u64>()
            .unwrap()
    };
    let stored = || count("SELECT count(*) FROM accession_archive");
    let mut crew = Crew::of(&home);
    (0..4).for_each(|_| crew.hire());
    let begun = Instant::now();
    while stored() < 4 {
        assert!(begun.elapsed() < Duration::from_mins(1), "{}", crew.told());
        sleep(Duration::from_millis(50));
    }
    // Everybody is seen, with what they do.
    let status = home.run(&["status", "--run-name", "g"]);
    let text = said(&status);
    assert!(
        text.contains("workers     4,") && text.contains(" under way, 3204410"),
        "{text}"
    );
    // One sleeps for longer than its lease while it has books, and goes on with them.
    signal(&crew.children[0], "-STOP");
    // Others are killed in the middle of it, and replaced.
    for victim in [1, 2, 3] {
        sleep(Duration::from_millis(300));
        crew.children[victim].kill().unwrap();
        crew.hire();
    }
    while count("SELECT count(*) FROM accession_worker") < 7 {
        sleep(Duration::from_millis(50));
    }
    // The server dies, too, and is back.
    server.kill();
    sleep(Duration::from_millis(300));
    server.begin();
    sleep(Duration::from_millis(4_500));
    signal(&crew.children[0], "-CONT");
    let ends: Vec<_> = crew
        .children
        .iter_mut()
        .map(|child| child.wait().unwrap().code())
        .collect();
    let killed = ends.iter().filter(|end| end.is_none()).count();
    let done = ends.iter().filter(|end| **end == Some(0)).count();
    assert_eq!((killed, done), (3, 4), "{ends:?}: {}", crew.told());

    let told = crew.told();
    assert_eq!(stored(), u64::from(BOOKS));
    assert_eq!(count("SELECT count(*) FROM accession_work"), 0);
    assert_eq!(
        count(
            "SELECT count(*) FROM accession_worker WHERE seen_at > CURRENT_TIMESTAMP - INTERVAL '1 second'"
        ),
        0
    );
    each_was_completed_once(&server, &url, BOOKS);
    assert_eq!(staging_left(&home.path("")), [""; 0]);
    assert!(
        told.contains("another process has taken it over"),
        "no late result was refused: {told}"
    );
    let verified = home.run(&["verify", "--run-name", "g", "--read"]);
    assert_eq!(code(&verified), 0, "{}", said(&verified));
}

/// Folders and locks of processes below a folder.
fn staging_left(folder: &Path) -> Vec<String> {
    let mut left = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("worker-") {
            left.push(name);
        } else if path.is_dir() {
            left.extend(staging_left(&path));
        }
    }
    left
}

fn each_was_completed_once(server: &Postgres, url: &str, books: u32) {
    let times = server.rows(
        url,
        "SELECT barcode || ' ' || count(*) FROM accession_g.book_status_history
         WHERE status_type = 'sync' AND status_value = 'completed' GROUP BY barcode",
    );
    let times: BTreeMap<&str, &str> = times
        .iter()
        .filter_map(|line| line.split_once(' '))
        .collect();
    assert_eq!(times.len() as u32, books);
    assert!(times.values().all(|times| *times == "1"), "{times:?}");
}

#[test]
fn processes_ask_grin_no_more_often_together_than_one_may_alone() {
    const A_SECOND: u32 = 10;
    let Some(server) = Postgres::start(true) else {
        return;
    };
    let Some(grin) = slow_shelf(15) else { return };
    grin.recover();
    let home = Home::with(grin, None, Some(server.database()));
    let before = home.grin.calls().len();
    let begun = Instant::now();
    let paced = || {
        let mut args = sync_args(TOGETHER);
        args.extend(["--rate-limit".to_owned(), A_SECOND.to_string()]);
        let place = args.iter().position(|arg| arg == "--rate-limit").unwrap();
        args.drain(place..place + 2);
        home.command(&args).stdout(Stdio::null()).spawn().unwrap()
    };
    let children: Vec<Child> = (0..3).map(|_| paced()).collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let calls = home.grin.calls().len() - before;
    let least = Duration::from_secs(calls as u64 - 1) / A_SECOND;
    assert!(calls > 15, "{calls} calls");
    let took = begun.elapsed();
    assert!(took >= least.mul_f64(0.95), "{calls} calls in {took:?}");
}

#[test]
fn a_book_over_which_every_process_dies_is_given_up_and_a_drained_process_ends() {
    let Some(server) = Postgres::start(true) else {
        return;
    };
    // More than a process brings home while another one starts, on a machine that is busy.
    let Some(grin) = slow_shelf(60) else { return };
    let url = server.database();
    let home = Home::with(grin, None, Some(url.clone()));
    let sql = |sql: &str| server.rows(&url, &format!("SET search_path TO accession_g; {sql}"));
    // Five processes have claimed it, and none of them came back.
    sql(&format!(
        "INSERT INTO accession_work (queue, barcode, owner, lease_until, tries)
         VALUES ('converted', '{}', 'dead', CURRENT_TIMESTAMP - INTERVAL '1 second', 5)",
        barcode(3)
    ));
    let mut crew = Crew::of(&home);
    crew.hire();
    while sql("SELECT count(*) FROM accession_archive") == ["0"] {
        sleep(Duration::from_millis(50));
    }
    let drained = home.run(&["drain", "--run-name", "g"]);
    assert!(said(&drained).contains("1 process"), "{}", said(&drained));
    assert_eq!(
        crew.children[0].wait().unwrap().code(),
        Some(0),
        "{}",
        crew.told()
    );
    let left: u32 = sql("SELECT count(*) FROM accession_work WHERE owner IS NULL")[0]
        .parse()
        .unwrap();
    assert!(
        (1..59).contains(&left),
        "{left}: what it had not begun is free for others"
    );
    let rest = home.sync(TOGETHER);
    assert_eq!(code(&rest), 0, "{}", said(&rest));
    assert_eq!(sql("SELECT count(*) FROM accession_archive"), ["59"]);
    let failed = sql("SELECT barcode || stage || later FROM accession_sync_failure");
    assert_eq!(failed, [format!("{}work0", barcode(3))]);
}

/// The row of a book that so many processes had in hand when they died.
fn claimed_in_vain(number: u32, tries: u32) -> String {
    format!(
        "INSERT INTO accession_work (queue, barcode, owner, lease_until, tries)
         VALUES ('converted', '{}', 'dead', CURRENT_TIMESTAMP - INTERVAL '1 second', {tries})",
        barcode(number)
    )
}

/// The rows of so many processes that have died.
fn died(processes: u32) -> String {
    format!(
        "INSERT INTO accession_worker (worker, host, process, seen_at, lease, stored, failed, bytes)
         SELECT gen_random_uuid(), 'h', 1, CURRENT_TIMESTAMP - INTERVAL '1 minute', 2, 0, 0, 0
         FROM generate_series(1, {processes})"
    )
}

#[test]
fn a_book_that_was_there_when_processes_were_killed_is_not_given_up_for_it() {
    let Some(server) = Postgres::start(true) else {
        return;
    };
    let Some(grin) = slow_shelf(6) else { return };
    grin.recover();
    let url = server.database();
    let home = Home::with(grin, None, Some(url.clone()));
    let sql = |sql: &str| server.rows(&url, &format!("SET search_path TO accession_g; {sql}"));
    // Five of the processes that died had this book in hand, and the others had none in doubt.
    sql(&claimed_in_vain(3, 5));
    sql(&died(10));
    let all = home.sync(TOGETHER);
    assert_eq!(code(&all), 0, "{}", said(&all));
    assert_eq!(sql("SELECT count(*) FROM accession_archive"), ["6"]);
    assert_eq!(sql("SELECT count(*) FROM accession_sync_failure"), ["0"]);
}

#[test]
fn a_book_is_given_up_where_processes_died_over_books_like_it_and_after_twenty_claims_anyway() {
    let Some(server) = Postgres::start(true) else {
        return;
    };
    let Some(grin) = slow_shelf(6) else { return };
    grin.recover();
    let url = server.database();
    let home = Home::with(grin, None, Some(url.clone()));
    let sql = |sql: &str| server.rows(&url, &format!("SET search_path TO accession_g; {sql}"));
    // All of the processes that died had one of these two in hand.
    sql(&claimed_in_vain(2, 5));
    sql(&claimed_in_vain(3, 20));
    sql(&died(25));
    let rest = home.sync(TOGETHER);
    assert_eq!(code(&rest), 0, "{}", said(&rest));
    let failed = sql("SELECT barcode || stage FROM accession_sync_failure ORDER BY barcode");
    assert_eq!(
        failed,
        [2, 3].map(|number| format!("{}work", barcode(number)))
    );
}

#[test]
fn books_that_processes_died_over_are_not_worked_on_together() {
    let Some(server) = Postgres::start(true) else {
        return;
    };
    let Some(grin) = slow_shelf(8) else { return };
    let url = server.database();
    let home = Home::with(grin, None, Some(url.clone()));
    let sql = |sql: &str| server.rows(&url, &format!("SET search_path TO accession_g; {sql}"));
    // One of them killed two processes, and the others were there both times.
    for number in 1..6 {
        sql(&format!(
            "INSERT INTO accession_work (queue, barcode, owner, lease_until, tries)
             VALUES ('converted', '{}', 'dead', CURRENT_TIMESTAMP - INTERVAL '1 second', 2)",
            barcode(number)
        ));
    }
    let mut crew = Crew::of(&home);
    crew.hire();
    let (mut together, mut seen) = (0, 0);
    while crew.children[0].try_wait().unwrap().is_none() {
        let held: u32 = sql("SELECT count(*) FROM accession_work WHERE tries = 3")[0]
            .parse()
            .unwrap();
        together = together.max(held);
        seen += u32::from(held > 0);
        sleep(Duration::from_millis(20));
    }
    assert_eq!(sql("SELECT count(*) FROM accession_archive"), ["8"]);
    assert!(
        seen > 0 && together == 1,
        "{together} at once: {}",
        crew.told()
    );
}

#[test]
fn what_dead_processes_had_is_taken_over_before_the_queue_is_at_its_end() {
    let Some(server) = Postgres::start(true) else {
        return;
    };
    let Some(grin) = slow_shelf(60) else { return };
    let url = server.database();
    let home = Home::with(grin, None, Some(url.clone()));
    let sql = |sql: &str| server.rows(&url, &format!("SET search_path TO accession_g; {sql}"));
    // The lease of one ends a while after the queue was looked at first; over the others two processes have died.
    for number in 0..5 {
        let (end, tries) = if number == 0 { ("+", 1) } else { ("-", 2) };
        sql(&format!(
            "INSERT INTO accession_work (queue, barcode, owner, lease_until, tries)
             VALUES ('converted', '{}', 'dead', CURRENT_TIMESTAMP {end} INTERVAL '2 seconds', {tries})",
            barcode(number)
        ));
    }
    let mut crew = Crew::of(&home);
    crew.hire_with(&TOGETHER.replace("--lease 2", "--lease 12"));
    let first_five = format!("barcode <= '{}'", barcode(4));
    let left = |which: &str| -> u32 {
        let count = sql(&format!(
            "SELECT count(*) FROM accession_work WHERE {which}"
        ));
        count[0].parse().unwrap()
    };
    let begun = Instant::now();
    while left(&first_five) > 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "{}", crew.told());
        sleep(Duration::from_millis(50));
    }
    let waiting = left("owner IS NULL");
    assert!(waiting > 0, "they came last: {}", crew.told());
    assert_eq!(crew.children[0].wait().unwrap().code(), Some(0));
    assert_eq!(sql("SELECT count(*) FROM accession_archive"), ["60"]);
}

#[test]
fn what_a_process_that_stands_still_has_locked_is_free_soon_after_its_lease() {
    let Some(server) = Postgres::start(true) else {
        return;
    };
    let Some(grin) = slow_shelf(6) else { return };
    let url = server.database();
    let home = Home::with(grin, None, Some(url.clone()));
    let sql = |sql: &str| server.rows(&url, &format!("SET search_path TO accession_g; {sql}"));
    let wait_for = |what: &str| {
        let begun = Instant::now();
        let query = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {what}"
        );
        while sql(&query) == ["0"] {
            assert!(begun.elapsed() < Duration::from_mins(1), "never: {what}");
            sleep(Duration::from_millis(20));
        }
    };
    // Somebody has the row of a book, so that a process waits in the middle of recording it.
    let mut other = server
        .session(
            &url,
            &format!(
                "BEGIN; UPDATE accession_g.books SET title = title WHERE barcode = '{}';",
                barcode(0)
            ),
        )
        .unwrap();
    wait_for("state = 'idle in transaction'");
    let mut crew = Crew::of(&home);
    crew.hire();
    wait_for("wait_event_type = 'Lock'");
    signal(&crew.children[0], "-STOP");
    other.kill().unwrap();
    other.wait().unwrap();
    wait_for("state = 'idle in transaction' AND query NOT LIKE '%SET title = title%'");
    let stopped = Instant::now();
    crew.hire();
    let end = crew.children[1].wait().unwrap().code();
    let took = stopped.elapsed();
    signal(&crew.children[0], "-CONT");
    let late = crew.children[0].wait().unwrap().code();
    assert_eq!((end, late), (Some(0), Some(0)), "{}", crew.told());
    assert!(took < Duration::from_secs(30), "it took {took:?}");
    assert_eq!(sql("SELECT count(*) FROM accession_archive"), ["6"]);
    each_was_completed_once(&server, &url, 6);
}
