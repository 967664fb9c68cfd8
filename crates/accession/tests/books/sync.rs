//! Archives come home: what another tool makes of the same books, and what happens when something fails.

mod beside;
mod crew;
mod golden;
mod kept;
mod killed;
mod left;
mod memory;
mod stops;
mod whose;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use testkit::archives::{ArchiveFault, ArchiveGrin, Shelved, archive, encrypt};
use testkit::kill::kill_after;
use testkit::stores::{ACCESS_KEY, Habit, ObjectStore, SECRET_KEY, StoreFault};

use crate::support::{code, said};

/// A folder to work in, a GRIN with archives, and a store if it is not the folder.
struct Home {
    folder: tempfile::TempDir,
    grin: ArchiveGrin,
    store: Option<ObjectStore>,
    /// The server that keeps the run, if it is not a file.
    database: Option<String>,
}

impl Home {
    fn of(grin: ArchiveGrin, store: Option<ObjectStore>) -> Self {
        Self::with(grin, store, None)
    }

    fn with(grin: ArchiveGrin, store: Option<ObjectStore>, database: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::create_dir(&secret).unwrap();
        grin.write_credentials(&secret).unwrap();
        let home = Self {
            folder,
            grin,
            store,
            database,
        };
        let collected = home.run(&home.collect());
        assert_eq!(code(&collected), 0, "{}", said(&collected));
        home
    }

    fn cases(store: Option<ObjectStore>) -> Self {
        Self::of(ArchiveGrin::of_cases().unwrap(), store)
    }

    fn bucket_store() -> ObjectStore {
        ObjectStore::start(Habit::S3, &["g-raw", "g-meta", "g-full"])
    }

    fn collect(&self) -> Vec<String> {
        let mut args: Vec<String> =
            "collect --run-name g --library-directory Harvard --rate-limit 0 --sync-disk-space-threshold 1"
                .split(' ')
                .map(str::to_owned)
                .collect();
        let more = match &self.store {
            None => "--storage local --storage-path store".to_owned(),
            Some(store) => format!(
                "--storage minio --bucket-raw g-raw --bucket-meta g-meta --bucket-full g-full --storage-config endpoint_url={}",
                store.url()
            ),
        };
        args.extend(more.split(' ').map(str::to_owned));
        args
    }

    fn command(&self, args: &[impl AsRef<str>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_accession"));
        command
            .arg("books")
            .args(args.iter().map(AsRef::as_ref))
            .current_dir(self.folder.path())
            .env("GRIN_CREDENTIALS_DIR", self.folder.path().join("secret"))
            .env("GRIN_BASE_URL", self.grin.url())
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .envs(
                self.database
                    .iter()
                    .map(|url| ("ACCESSION_BOOKS_DATABASE", url)),
            );
        command
    }

    fn run(&self, args: &[impl AsRef<str>]) -> Output {
        self.command(args).output().unwrap()
    }

    fn sync(&self, more: &str) -> Output {
        self.run(&sync_args(more))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn database(&self) -> Connection {
        Connection::open(self.path("output/g/books.db")).unwrap()
    }

    /// Each book's history: kinds, values and metadata.
    fn history(&self) -> BTreeMap<String, Vec<String>> {
        let database = self.database();
        let mut statement = database
            .prepare("SELECT barcode, status_type, status_value, metadata FROM book_status_history ORDER BY id")
            .unwrap();
        let rows = statement
            .query_map([], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    line(
                        &row.get::<_, String>(1)?,
                        &row.get::<_, String>(2)?,
                        row.get::<_, Option<String>>(3)?.as_deref(),
                    ),
                ))
            })
            .unwrap();
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (barcode, line) in rows.map(Result::unwrap) {
            all.entry(barcode).or_default().push(line);
        }
        all
    }

    /// Syncs so many times with another passphrase than the right one, which is there again afterwards.
    fn sync_with_another_passphrase(&self, times: usize) {
        let path = self.path("secret/gpg_passphrase.asc");
        let right = std::fs::read(&path).unwrap();
        std::fs::write(&path, "another one").unwrap();
        for _ in 0..times {
            let synced = self.sync("--queue converted");
            assert_eq!(code(&synced), 1, "{}", said(&synced));
        }
        std::fs::write(&path, right).unwrap();
    }

    fn completed(&self) -> Vec<String> {
        let all = self.history();
        let done = all
            .iter()
            .filter(|(_, lines)| lines.iter().any(|line| line.starts_with("sync completed ")));
        done.map(|(barcode, _)| barcode.clone()).collect()
    }

    /// The archive of a book as it is stored.
    fn stored(&self, barcode: &str) -> Option<Vec<u8>> {
        match &self.store {
            None => std::fs::read(self.path(&format!("store/raw/{barcode}/{barcode}.tar.gz"))).ok(),
            Some(store) => std::fs::read(store.file("g-raw", &format!("g/{barcode}.tar.gz"))).ok(),
        }
    }

    fn text(&self, barcode: &str) -> Option<String> {
        let packed = match &self.store {
            None => {
                std::fs::read(self.path(&format!("store/full/g/{barcode}_ocr.jsonl.gz"))).ok()?
            }
            Some(store) => {
                std::fs::read(store.file("g-full", &format!("g/{barcode}_ocr.jsonl.gz"))).ok()?
            }
        };
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*packed)
            .read_to_string(&mut text)
            .unwrap();
        Some(text)
    }
}

fn sync_args(more: &str) -> Vec<String> {
    format!("sync --run-name g --rate-limit 0 {more}")
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// A line of history without what differs from run to run: places, times, versions.
fn line(kind: &str, value: &str, metadata: Option<&str>) -> String {
    let mut metadata = metadata.unwrap_or("None").to_owned();
    for key in [
        "\"path\": ",
        "\"extraction_time_ms\": ",
        "\"etag\": \"",
        "\"request_count\": ",
    ] {
        if let Some(at) = metadata.find(key) {
            let begin = at + key.len();
            let end = metadata[begin..]
                .find([',', '}'])
                .map_or(metadata.len(), |end| begin + end);
            metadata.replace_range(begin..end, "..");
        }
    }
    format!("{kind} {value} {metadata}")
}

fn barcode(number: u32) -> String {
    format!("3204410{number:07}")
}

/// Books whose archives have so many pages and bytes of pictures. Without `gpg` there are none.
fn shelf(count: u32, picture: usize) -> Option<Vec<Shelved>> {
    let mut books = Vec::new();
    for number in 0..count {
        let title = format!("volume {number}");
        let encrypted = encrypt(&archive(&title, 4, picture));
        assert!(
            encrypted.is_some() || std::env::var_os("CI").is_none(),
            "CI has to have gpg"
        );
        books.push(Shelved {
            barcode: barcode(number),
            title,
            state: "CONVERTED".into(),
            archive: Some(Arc::new(encrypted?)),
            ..Shelved::default()
        });
    }
    Some(books)
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let Some(books) = shelf(1, 3 << 20) else {
        return;
    };
    let size = books[0].archive.as_ref().unwrap().len() as u64;
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let mut cuts = 3;
    home.grin.fail(move |call| {
        let archive = call.method == "GET" && call.target.ends_with(".tar.gz.gpg");
        cuts -= i32::from(archive);
        (archive && cuts >= 0).then_some(ArchiveFault::CutAfter(700_000))
    });
    let output = home.sync("--queue converted");
    assert_eq!(code(&output), 0, "{}", said(&output));
    let sent = home.grin.sent()[&barcode(0)];
    assert!(sent < size + 300_000, "{sent} bytes were sent of {size}");
    assert_eq!(home.completed(), [barcode(0)]);
}

#[test]
fn another_version_in_the_middle_of_a_download_is_never_patched_together() {
    let Some(books) = shelf(1, 3 << 20) else {
        return;
    };
    let whole = books[0].archive.clone().unwrap();
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let mut first = true;
    home.grin.fail(move |call| {
        let archive = call.method == "GET" && call.target.ends_with(".tar.gz.gpg");
        (archive && std::mem::take(&mut first)).then_some(ArchiveFault::CutAfter(700_000))
    });
    home.grin
        .change(&barcode(0), |book| book.archive = Some(Arc::clone(&whole)));
    let output = home.sync("--queue converted");
    assert_eq!(code(&output), 0, "{}", said(&output));
    // A server that ignores what was asked for sends everything again.
    home.grin.fail(|_| Some(ArchiveFault::NoRange));
    let output = home.sync("--queue converted --force");
    assert_eq!(code(&output), 0, "{}", said(&output));
    home.grin.fail(|call| {
        call.target
            .ends_with(".tar.gz.gpg")
            .then_some(ArchiveFault::NoEtag)
    });
    let output = home.sync("--queue converted --force");
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(said(&output).contains("ETag"), "{}", said(&output));
}

#[test]
fn a_damaged_archive_fails_with_its_stage_and_the_others_come() {
    let Some(mut books) = shelf(3, 10_000) else {
        return;
    };
    let mut damaged = (**books[1].archive.as_ref().unwrap()).clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    books[1].archive = Some(Arc::new(damaged));
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let output = home.sync("--queue converted");
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(
        said(&output).contains(&format!("failed: {}: decrypt: it is damaged", barcode(1))),
        "{}",
        said(&output)
    );
    assert_eq!(home.completed(), [barcode(0), barcode(2)]);
    assert_eq!(home.stored(&barcode(1)), None);
    // It stays possible, and is not taken for stored because its version is known.
    for _ in 0..4 {
        assert_eq!(code(&home.sync("--queue converted")), 1);
    }
    let calls = home.grin.calls().len();
    let given_up = home.sync("--queue converted");
    assert!(
        said(&given_up).contains("left alone"),
        "{}",
        said(&given_up)
    );
    let later = home.grin.calls().split_off(calls);
    assert!(
        !later
            .iter()
            .any(|call| call.method == "GET" && call.target.ends_with(".tar.gz.gpg")),
        "{later:?}"
    );
}

/// With every fifth call of the store failing, in whatever way, nothing is called completed that is not stored right.
#[test]
fn a_store_that_fails_often_loses_nothing() {
    let Some(books) = shelf(12, 20_000) else {
        return;
    };
    let home = Home::of(
        ArchiveGrin::start(books).unwrap(),
        Some(Home::bucket_store()),
    );
    let store = home.store.as_ref().unwrap();
    let mut count = 0u32;
    store.fail(move |_| {
        count += 1;
        let faults = [
            StoreFault::Status(500),
            StoreFault::Status(503),
            StoreFault::AnswerLost,
            StoreFault::HalfAnswer,
        ];
        (count.is_multiple_of(5)).then_some(faults[(count / 5) as usize % faults.len()])
    });
    let first = home.sync("--queue converted");
    store.recover();
    for barcode in home.completed() {
        let stored = home
            .stored(&barcode)
            .unwrap_or_else(|| panic!("{barcode} is not there"));
        let number: u32 = barcode[7..].parse().unwrap();
        assert!(
            stored == archive(&format!("volume {number}"), 4, 20_000),
            "{barcode} differs"
        );
    }
    let last = home.sync("--queue converted");
    assert_eq!(code(&last), 0, "{}\n{}", said(&first), said(&last));
    assert_eq!(home.completed().len(), 12);
    assert_eq!(store.unfinished(), Vec::<String>::new());
}

#[test]
fn a_store_that_refuses_is_a_failure_and_not_a_completed_book() {
    let Some(books) = shelf(2, 1000) else { return };
    let home = Home::of(
        ArchiveGrin::start(books).unwrap(),
        Some(Home::bucket_store()),
    );
    let store = home.store.as_ref().unwrap();
    store.fail(|call| (call.method == "PUT").then_some(StoreFault::Status(403)));
    let output = home.sync("--queue converted");
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(home.completed().is_empty());
    store.recover();
    let before = home.grin.sent();
    let output = home.sync("--queue converted");
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(home.completed().len(), 2);
    assert_eq!(home.grin.sent(), before, "what had come did not come again");
}

fn survives_kills(store: Option<ObjectStore>, kills: u64) {
    let Some(books) = shelf(8, 400_000) else {
        return;
    };
    let sizes: u64 = books
        .iter()
        .map(|book| book.archive.as_ref().unwrap().len() as u64)
        .sum();
    let home = Home::of(ArchiveGrin::start(books).unwrap(), store);
    let args = sync_args("--queue converted --bwlimit 2M");
    let mut killed = 0;
    for round in 0..kills {
        let delay = Duration::from_millis(40 + (round * 61) % 260);
        killed += u64::from(kill_after(home.command(&args), delay).unwrap());
    }
    assert!(
        killed >= kills / 4,
        "{killed} of {kills} were killed before they ended"
    );
    let last = home.run(&args);
    assert_eq!(code(&last), 0, "{}", said(&last));
    assert_eq!(home.completed().len(), 8);
    for number in 0..8 {
        let expected = archive(&format!("volume {number}"), 4, 400_000);
        assert!(
            home.stored(&barcode(number)) == Some(expected),
            "{number} differs"
        );
        let lines = &home.history()[&barcode(number)];
        let completed = lines
            .iter()
            .filter(|line| line.starts_with("sync completed "))
            .count();
        assert_eq!(completed, 1, "{lines:?}");
    }
    // What was on its way between two writes to disk comes again, and nothing else.
    let sent: u64 = home.grin.sent().values().sum();
    assert!(
        sent < sizes + killed * 4 * (1 << 20),
        "{sent} bytes were sent of {sizes}, {killed} kills"
    );
    match &home.store {
        None => assert!(!home.path("store/staging").exists()),
        Some(store) => {
            assert!(!home.path("output/g/staging").exists());
            assert_eq!(store.unfinished(), Vec::<String>::new());
        }
    }
}

#[test]
fn killed_at_random_moments_a_local_run_ends_as_if_undisturbed() {
    survives_kills(None, 20);
}

#[test]
fn killed_at_random_moments_a_run_in_buckets_ends_as_if_undisturbed() {
    survives_kills(Some(Home::bucket_store()), 20);
}

#[test]
fn a_bandwidth_limit_holds() {
    let Some(books) = shelf(2, 1 << 20) else {
        return;
    };
    let sizes: usize = books
        .iter()
        .map(|book| book.archive.as_ref().unwrap().len())
        .sum();
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let began = Instant::now();
    let output = home.sync("--queue converted --bwlimit 700k");
    assert_eq!(code(&output), 0, "{}", said(&output));
    let taken = began.elapsed().as_secs_f64();
    let least = sizes as f64 / (700.0 * 1024.0);
    assert!(
        taken > least * 0.95,
        "{sizes} bytes came in {taken} s, expected {least} s"
    );
}

#[test]
fn barcodes_come_from_standard_input_and_queues_that_cannot_be_had_are_no_success() {
    let home = Home::cases(None);
    let mut child = home
        .command(&sync_args("--barcodes-file -"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let given = format!(
        "# two books\n{}\n\n{}  # the second\n",
        barcode(0),
        barcode(1)
    );
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), given.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(home.completed(), [barcode(0), barcode(1)]);
    home.grin.fail(|call| {
        call.target
            .starts_with("_converted")
            .then_some(ArchiveFault::Status(404))
    });
    let output = home.sync("--queue converted");
    assert_eq!(code(&output), 2, "{}", said(&output));
    home.grin.recover();
    let wrong = home.sync("--barcodes ../../x");
    assert_eq!(code(&wrong), 2, "{}", said(&wrong));
    let limited = home.sync("--queue converted --limit 3");
    assert_eq!(home.completed().len(), 5, "{}", said(&limited));
    let planned = home.sync("--queue converted --dry-run");
    assert_eq!(code(&planned), 0, "{}", said(&planned));
    assert_eq!(home.completed().len(), 5);
}

#[test]
fn files_of_others_in_the_staging_folder_stay() {
    let home = Home::cases(None);
    let theirs = home.path("store/staging/precious.txt");
    std::fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    std::fs::write(&theirs, "mine").unwrap();
    home.sync("--queue converted");
    assert_eq!(std::fs::read_to_string(theirs).unwrap(), "mine");
    assert!(home.path("output/g/backups").is_dir());
}

/// A list is read to its end whatever the link to its next page looks like, and lists that cannot be read say nothing.
#[test]
fn lists_of_conversions_are_read_whole_or_not_at_all() {
    let Some(books) = shelf(7, 1_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let planned = |books: usize, link: &str| {
        home.grin.page_converted(books, link);
        let output = home.sync("--queue converted --dry-run");
        (code(&output), said(&output))
    };
    for link in [
        "<a href='?first={next}&result_count=3'>Next</a>",
        "<form action='?first={next}'><button>Continue</button></form>",
        "",
    ] {
        for size in [2, 3] {
            let (code, said) = planned(size, link);
            assert_eq!(code, 0, "{size}, {link}: {said}");
            assert!(said.contains("7 books"), "{size}, {link}: {said}");
        }
    }
    for (list, answer) in [("_failed", "<p>Sorry"), ("_in_process", "Sorry, later\n")] {
        home.grin.say(list, answer);
        let output = home.sync("--queue unconverted --dry-run");
        assert!(said(&output).contains("is not known"), "{}", said(&output));
    }
}
