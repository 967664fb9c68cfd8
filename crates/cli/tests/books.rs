//! The `books` commands as a user runs them, against a GRIN of our own.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends with its first error")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use testkit::grin::{
    CLIENT_SECRET, COLUMNS_LISTED, Catalogue, FIRST_TOKEN, FakeGrin, Fault, On, REFRESH_TOKEN,
    listed,
};
use testkit::json_events;
use testkit::kill::kill_after;

struct World {
    folder: TempDir,
    grin: FakeGrin,
}

impl World {
    fn new(books: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let grin = FakeGrin::start(Catalogue::of(books)).unwrap();
        std::fs::create_dir(folder.path().join("secret")).unwrap();
        grin.write_credentials(&folder.path().join("secret"))
            .unwrap();
        Self { folder, grin }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_accession"));
        command
            .args(["books"])
            .args(args)
            .current_dir(self.folder.path())
            .env("GRIN_CREDENTIALS_DIR", self.folder.path().join("secret"))
            .env("GRIN_BASE_URL", self.grin.url())
            .env("ACCESSION_LOG", "trace");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn collect(&self, more: &[&str]) -> Output {
        self.run(&[&COLLECT[..], more].concat())
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("output/R")
    }

    fn sql(&self) -> Connection {
        Connection::open(self.directory().join("books.db")).unwrap()
    }

    fn stored(&self) -> Vec<[String; 10]> {
        let sql = format!(
            "SELECT {} FROM books ORDER BY rowid",
            COLUMNS_LISTED.join(", ")
        );
        let connection = self.sql();
        let mut statement = connection.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| {
            let mut values: [String; 10] = Default::default();
            for (index, value) in values.iter_mut().enumerate() {
                *value = row.get::<_, Option<String>>(index)?.unwrap_or_default();
            }
            Ok(values)
        });
        rows.unwrap().map(Result::unwrap).collect()
    }
}

const COLLECT: [&str; 11] = [
    "collect",
    "--run-name",
    "R",
    "--library-directory",
    "X",
    "--storage",
    "local",
    "--storage-path",
    "data",
    "--rate-limit",
    "0",
];

fn said(output: &Output) -> String {
    let bytes = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn code(output: &Output) -> i32 {
    output
        .status
        .code()
        .unwrap_or_else(|| panic!("{}", said(output)))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

#[test]
fn killed_at_random_moments_it_ends_in_the_same_catalogue_and_asks_for_few_pages_again() {
    const BOOKS: u64 = 24_000;
    const KILLS: usize = 20;
    let world = World::new(BOOKS);
    world.grin.set_latency(Duration::from_millis(15));
    let args = [&COLLECT[..], &["--page-size", "2000"]].concat();
    // Delays that grow, so that every run gets further than where the one before it died, or nearly.
    let mut killed = 0;
    for round in 0..KILLS {
        let delay = Duration::from_millis(30 + (round as u64 * 37) % 90);
        killed += usize::from(kill_after(world.command(&args), delay).unwrap());
    }
    assert!(
        killed >= KILLS / 2,
        "{killed} were killed before they ended"
    );
    let last = world.run(&args);
    assert_eq!(code(&last), 0, "{}", said(&last));
    let expected: Vec<_> = (0..BOOKS).map(|number| listed(number, 0)).collect();
    assert!(world.stored() == expected, "the catalogue differs");
    let pages = (BOOKS / 2_000) as usize;
    let asked = world.grin.page_requests();
    assert!(
        asked <= pages + killed,
        "{asked} requests for {pages} pages and {killed} kills"
    );
    let check = world.run(&["check", "--run-name", "R"]);
    assert_eq!(code(&check), 0, "{}", said(&check));
}

#[test]
fn the_settings_are_written_once_and_no_command_changes_a_byte() {
    let world = World::new(1_200);
    let written = world.collect(&["--write-config"]);
    assert_eq!(code(&written), 0, "{}", said(&written));
    let path = world.directory().join("run_config.json");
    let before = std::fs::read(&path).unwrap();
    assert!(!world.directory().join("books.db").exists());
    assert_eq!(code(&world.collect(&[])), 0);
    let other = World::new(1_200);
    std::fs::create_dir_all(other.folder.path().join("x")).unwrap();
    for args in [
        &["collect", "--run-name", "R"][..],
        &["collect", "--run-name", "R", "--refresh"],
        &["enrich", "--run-name", "R", "--library-directory", "X"],
        &["export", "--run-name", "R"],
        &["export", "--run-name", "R", "--as", "parquet"],
        &["export", "--run-name", "R", "--as", "jsonl"],
        &["status", "--run-name", "R"],
        &["check", "--run-name", "R"],
    ] {
        let output = world.run(args);
        assert_eq!(code(&output), 0, "{args:?}: {}", said(&output));
        assert_eq!(std::fs::read(&path).unwrap(), before, "{args:?}");
    }
    let refused = world.run(&["collect", "--run-name", "R", "--library-directory", "Y"]);
    assert_eq!(code(&refused), 2);
    let text = said(&refused);
    assert!(
        text.contains("library_directory is `X`, asked for `Y`") && text.contains("hint:"),
        "{text}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let csv = std::fs::read_to_string(world.directory().join("books_export.csv")).unwrap();
    assert_eq!(csv.matches("\r\n").count(), 1_201);
}

#[test]
fn a_plain_collection_writes_the_settings_that_were_announced() {
    let announced = World::new(10);
    announced.collect(&["--write-config"]);
    let text = std::fs::read_to_string(announced.directory().join("run_config.json")).unwrap();
    std::fs::remove_dir_all(announced.directory()).unwrap();
    announced.collect(&[]);
    let again = std::fs::read_to_string(announced.directory().join("run_config.json")).unwrap();
    assert_eq!(text, again);
}

#[test]
fn flags_environment_and_file_are_one_and_the_first_of_them_wins() {
    let world = World::new(10);
    let file = world.folder.path().join("run.toml");
    std::fs::write(&file, "library_directory = \"File\"\nstorage = \"s3\"\nbucket_raw = \"file\"\nsync_task_check_concurrency = 9\n").unwrap();
    let output = world
        .command(&[
            "collect",
            "--run-name",
            "R",
            "--config",
            "run.toml",
            "--bucket-raw",
            "flag",
            "--write-config",
        ])
        .env("ACCESSION_BOOKS_LIBRARY_DIRECTORY", "Environment")
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = std::fs::read_to_string(world.directory().join("run_config.json")).unwrap();
    for part in [
        r#""library_directory": "Environment""#,
        r#""bucket_raw": "flag""#,
        r#""task_check_concurrency": 9"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    std::fs::write(&file, "libary = \"x\"").unwrap();
    assert_eq!(
        code(&world.run(&["collect", "--run-name", "Q", "--config", "run.toml"])),
        2
    );
}

#[test]
fn tokens_are_in_no_file_but_their_own_and_in_no_log_at_any_level() {
    let world = World::new(3_000);
    world.grin.revoke_token();
    world
        .grin
        .fail(On::Page(2_000), Fault::Status(503, None), 1);
    let mut outputs = vec![world.collect(&["--page-size", "1000", "-vv"])];
    outputs.push(world.run(&[
        "enrich",
        "--run-name",
        "R",
        "--rate-limit",
        "0",
        "--format",
        "json",
    ]));
    world.grin.fail(On::Any, Fault::Status(401, None), 100);
    outputs.push(world.run(&["collect", "--run-name", "R", "--refresh", "--retries", "0"]));
    assert_eq!(outputs.iter().map(code).collect::<Vec<_>>(), [0, 0, 1]);
    assert!(world.grin.refreshes() >= 2);
    let secrets = [FIRST_TOKEN, REFRESH_TOKEN, CLIENT_SECRET, "ya29."];
    for output in &outputs {
        let text = said(output);
        assert!(
            secrets.iter().all(|secret| !text.contains(secret)),
            "{text}"
        );
    }
    let mut seen = 0;
    for file in files(world.folder.path()) {
        if file.ends_with("secret/credentials.json") {
            continue;
        }
        seen += 1;
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        assert!(
            secrets.iter().all(|secret| !text.contains(secret)),
            "{}",
            file.display()
        );
    }
    assert!(
        seen >= 4,
        "settings, summary, database and log are among them"
    );
}

#[test]
fn exit_codes_events_and_lines_tell_how_it_went() {
    let world = World::new(3_000);
    world
        .grin
        .fail(On::Page(2_000), Fault::Status(404, None), 1);
    let failed = world.collect(&["--page-size", "1000", "--format", "json"]);
    assert_eq!(code(&failed), 1);
    let events = json_events(&failed.stdout);
    let names: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(
        names,
        [
            "collect_started",
            "page_recorded",
            "page_recorded",
            "page_failed",
            "collect_completed"
        ]
    );
    assert!(
        events[4]["missing"]
            .as_str()
            .unwrap_or_default()
            .contains("page 3")
    );
    let status = said(&world.run(&["status", "--run-name", "R"]));
    assert!(
        status.contains("goes on with `_all_books?result_count=1000&first=2000`"),
        "{status}"
    );
    assert_eq!(code(&world.run(&["check", "--run-name", "R"])), 1);
    assert_eq!(code(&world.collect(&["--page-size", "1000"])), 0);
    assert_eq!(code(&world.run(&["status", "--run-name", "Nobody"])), 2);
    assert_eq!(code(&world.run(&["collect", "--run-name", "New"])), 2);
    let log =
        std::fs::read_to_string(world.folder.path().join("logs/grin_pipeline_R.log")).unwrap();
    assert!(log.contains(" - ERROR - failed: page 3"), "{log}");
    assert!(log.contains("collection completed"), "{log}");
}

#[test]
fn signals_stop_after_the_page_in_hand_and_sessions_exclude_each_other() {
    for (signal, expected) in [("INT", 130), ("TERM", 143)] {
        let world = World::new(6_000);
        world.grin.set_latency(Duration::from_millis(300));
        let args = [&COLLECT[..], &["--page-size", "500"]].concat();
        let child = world
            .command(&args)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        while world.grin.page_requests() < 2 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let busy = world.run(&["enrich", "--run-name", "R"]);
        assert_eq!(code(&busy), 2);
        assert!(
            said(&busy).contains("another session is running for `R`"),
            "{}",
            said(&busy)
        );
        let kill = Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status()
            .unwrap();
        assert!(kill.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), expected, "{}", said(&output));
        let asked = world.grin.page_requests();
        assert_eq!(
            world.stored().len(),
            asked * 500,
            "the page in hand was recorded"
        );
        world.grin.set_latency(Duration::ZERO);
        assert_eq!(code(&world.run(&args)), 0);
        assert_eq!(world.stored().len(), 6_000);
    }
}

#[test]
fn the_rate_limit_holds_in_any_second() {
    let world = World::new(900);
    let args: Vec<&str> = COLLECT
        .iter()
        .copied()
        .filter(|arg| !matches!(*arg, "--rate-limit" | "0"))
        .collect();
    let output = world.run(&[&args[..], &["--page-size", "100"]].concat());
    assert_eq!(code(&output), 0, "{}", said(&output));
    let requests = world.grin.requests();
    assert_eq!(requests.len(), 9);
    for window in requests.windows(6) {
        // The clock of the other side sees a request a little later or earlier than it was sent.
        assert!(window[5].at - window[0].at >= Duration::from_millis(950));
    }
}

#[test]
fn signing_in_by_a_pasted_address_keeps_the_tokens_privately() {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let world = World::new(10);
    let secret = world.folder.path().join("secret");
    let path = secret.join("credentials.json");
    std::fs::remove_file(&path).unwrap();
    let none = world.run(&["auth", "setup", "--remote"]);
    assert_eq!(code(&none), 2);
    assert!(
        said(&none).contains("client_secret.json"),
        "{}",
        said(&none)
    );
    let client = format!(
        r#"{{"installed": {{"client_id": "id", "client_secret": "{CLIENT_SECRET}", "auth_uri": "https://accounts.example/auth",
            "token_uri": "{}/token", "redirect_uris": ["http://localhost"]}}}}"#,
        world.grin.url()
    );
    std::fs::write(secret.join("client_secret.json"), client).unwrap();
    let mut child = world
        .command(&["auth", "setup", "--remote"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"http://127.0.0.1:58432/?code=4%2Fabc\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = said(&output);
    assert!(
        text.contains("code_challenge_method=S256")
            && !text.contains(CLIENT_SECRET)
            && !text.contains("ya29."),
        "{text}"
    );
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.contains("ya29.token-number-1"), "{kept}");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = world.run(&["auth", "setup"]);
    assert_eq!(code(&again), 0);
    assert!(said(&again).contains("signed in already"));
}
