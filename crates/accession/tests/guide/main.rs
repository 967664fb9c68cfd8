//! The guide is true: its commands run as they stand, its links lead somewhere, its tables are what the program says.
//!
//! `UPDATE_GUIDE=1` writes the tables anew.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends with its first error")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use tempfile::TempDir;
use testkit::archives::{ArchiveGrin, Shelved, archive, encrypt};
use testkit::grin::{CLIENT_SECRET, FakeCatalogue, FakeGrin};
use testkit::postgres::Postgres;
use testkit::services::{FakeServices, KEY, World};

fn workspace() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    folder.canonicalize().unwrap()
}

fn pages() -> Vec<PathBuf> {
    let source = workspace().join("docs/guide/src");
    let mut pages: Vec<_> = [source.clone(), source.join("reference")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .collect();
    pages.sort();
    assert!(pages.len() > 12, "{pages:?}");
    pages
}

/// The blocks of a page that a reader is told to run; `sh` on one machine, `bash` with a server at hand.
fn commands_of(page: &str, kind: &str) -> String {
    let text = fs::read_to_string(workspace().join("docs/guide/src").join(page)).unwrap();
    let mut commands = String::new();
    let mut inside = false;
    for line in text.lines() {
        match line {
            line if line.strip_prefix("```") == Some(kind) => inside = true,
            "```" => inside = false,
            line if inside => writeln!(commands, "{line}").unwrap(),
            _ => {}
        }
    }
    assert!(!commands.is_empty(), "{page} has no commands");
    commands
}

/// A home with music in it, and nobody's environment.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        testkit::corpus::collection_into(&home.path().join("Music")).unwrap();
        Self(home)
    }

    fn command(&self, program: &str) -> Command {
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_accession"));
        let mut path = binary.parent().unwrap().as_os_str().to_owned();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.0.path())
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    fn accession(&self, words: &[&str]) -> String {
        let output = self
            .command(env!("CARGO_BIN_EXE_accession"))
            .args(words)
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{words:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the commands of a page as a reader would, one after the other.
    fn follow(&self, page: &str, add: impl FnOnce(&mut Command)) {
        self.run(page, &commands_of(page, "sh").replace("YOUR-KEY", KEY), add);
    }

    fn run(&self, page: &str, commands: &str, add: impl FnOnce(&mut Command)) {
        let mut shell = self.command("bash");
        shell.args(["-e", "-u", "-x", "-o", "pipefail", "-c", commands]);
        add(&mut shell);
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{page}: {}", said(&output));
    }
}

fn said(output: &Output) -> String {
    let bytes = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn the_ways_of_music_can_be_followed() {
    let home = Home::new();
    home.follow("first-import.md", |_| {});
    let list = fs::read_to_string(home.0.path().join("all.m3u8")).unwrap();
    assert!(list.contains("Slow Water"), "{list}");
    home.follow("engineer.md", |_| {});
    home.follow("troubleshooting.md", |_| {});
    let fake = FakeServices::start(World::generate(1, 4)).unwrap();
    for (key, value) in fake.settings() {
        home.accession(&[
            "music",
            "settings",
            "set",
            key,
            &value,
            "--root-folder",
            "Music",
        ]);
    }
    home.follow("radio.md", |_| {});
    assert!(home.0.path().join("library-copy.db").is_file());
}

#[test]
fn the_way_of_books_can_be_followed() {
    let home = Home::new();
    let grin = FakeGrin::start(FakeCatalogue::of(200)).unwrap();
    let secrets = home.0.path().join(".config/grin-transfer");
    fs::create_dir_all(&secrets).unwrap();
    grin.write_credentials(&secrets).unwrap();
    let client = format!(
        r#"{{"installed": {{"client_id": "id", "client_secret": "{CLIENT_SECRET}", "auth_uri": "https://accounts.example/auth",
            "token_uri": "{}/token", "redirect_uris": ["http://localhost"]}}}}"#,
        grin.url()
    );
    fs::write(secrets.join("client_secret.json"), client).unwrap();
    home.follow("librarian.md", |shell| {
        // What a reader pastes when the browser has come to its end.
        let pasted = home.0.path().join("pasted");
        fs::write(&pasted, "http://127.0.0.1:58432/?code=4%2Fabc\n").unwrap();
        shell
            .stdin(fs::File::open(pasted).unwrap())
            .env("GRIN_BASE_URL", grin.url());
    });
    let csv = fs::read_to_string(home.0.path().join("output/2026/books_export.csv")).unwrap();
    assert_eq!(csv.matches("\r\n").count(), 201);
}

#[test]
fn the_way_of_a_server_can_be_followed() {
    let Some(server) = Postgres::shared() else {
        return;
    };
    let Some(encrypted) = encrypt(&archive("Walden", 3, 100)) else {
        return;
    };
    let encrypted = Arc::new(encrypted);
    let book = |number| Shelved {
        barcode: format!("3204410{number:07}"),
        title: format!("Walden, volume {number}"),
        state: "CONVERTED".to_owned(),
        archive: Some(Arc::clone(&encrypted)),
        ..Shelved::default()
    };
    let grin = ArchiveGrin::start((0..3).map(book).collect()).unwrap();
    let follow = |commands: &str| {
        let home = Home::new();
        let secrets = home.0.path().join(".config/grin-transfer");
        fs::create_dir_all(&secrets).unwrap();
        grin.write_credentials(&secrets).unwrap();
        // The database is made, and is elsewhere.
        let commands = commands
            .replace("createdb books\n", "")
            .replace("postgres://me@db.example/books", &server.database())
            // A test does not wait for room on a disk that others fill.
            .replace(
                "--storage local",
                "--storage local --sync-disk-space-threshold 1",
            );
        home.run("librarian.md", &commands, |shell| {
            shell
                .env("GRIN_BASE_URL", grin.url())
                .env("GRIN_RATE_LIMIT_QPS", "0");
        });
        home
    };
    let commands = commands_of("librarian.md", "bash");
    let (on_server, copied) = commands.split_at(commands.find("accession books db copy").unwrap());
    assert!(on_server.contains("createdb books\n"), "{on_server}");
    let home = follow(on_server);
    let stored = fs::read_dir(home.0.path().join("archives")).unwrap();
    assert!(stored.count() > 0);
    // A run that begins in its file.
    let begin = "accession books collect --run-name 2026 --library-directory Harvard\n";
    let home = follow(&format!("{begin}{copied}"));
    assert!(home.0.path().join("for-other-tools.db").is_file());
}

/// What stands in a sentence is no step of a way: it is asked whether there is such a command with such options.
#[test]
fn commands_in_sentences_are_commands() {
    let home = Home::new();
    let readme = workspace().join("README.md");
    let mut asked = 0;
    for page in pages().into_iter().chain([readme]) {
        let text = fs::read_to_string(&page).unwrap();
        for code in text
            .split('`')
            .filter(|code| code.starts_with("accession "))
        {
            // Of a form with a choice in it, nothing can be asked.
            if code.contains(['<', '[', '\n']) || code.contains("..") {
                continue;
            }
            let mut shell = home.command("bash");
            let output = shell.args(["-c", &format!("{code} --help")]).output();
            let output = output.unwrap();
            assert!(
                output.status.success(),
                "{}: `{code}`: {}",
                page.display(),
                said(&output)
            );
            asked += 1;
        }
    }
    assert!(asked > 15, "only {asked} commands were found");
}

#[test]
fn tables_are_what_the_program_says_and_links_lead_somewhere() {
    let home = Home::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let made = with_tables(&home, &text);
        if std::env::var_os("UPDATE_GUIDE").is_some() {
            fs::write(&page, &made).unwrap();
        } else {
            assert_eq!(text, made, "{} (UPDATE_GUIDE=1 writes it)", page.display());
        }
        for link in links(&text) {
            let target = link.split('#').next().unwrap_or_default();
            let place = page.parent().unwrap().join(target);
            assert!(
                target.is_empty() || place.exists(),
                "{}: {link}",
                page.display()
            );
        }
    }
    let summary = fs::read_to_string(workspace().join("docs/guide/src/SUMMARY.md")).unwrap();
    for page in pages() {
        let source = workspace().join("docs/guide/src");
        let name = page
            .strip_prefix(source)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            name == "SUMMARY.md" || summary.contains(&format!("({name})")),
            "{name}"
        );
    }
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    for link in links(&readme) {
        let target = link.split('#').next().unwrap_or_default();
        assert!(
            target.is_empty() || workspace().join(target).exists(),
            "README.md: {link}"
        );
    }
}

/// A page with what follows each marker made anew: a table of the program's, or the events of a source file.
fn with_tables(home: &Home, text: &str) -> String {
    let mut made = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        made.push_str(line);
        made.push('\n');
        let marker = line
            .strip_prefix("<!-- ")
            .and_then(|line| line.strip_suffix(" -->"));
        let Some((kind, name)) = marker.and_then(|marker| marker.split_once(": ")) else {
            continue;
        };
        let table = match kind {
            "table" => home.accession(&["reference", name]),
            _ => events(&fs::read_to_string(workspace().join(name)).unwrap()),
        };
        made.push('\n');
        made.push_str(&table);
        while lines
            .next_if(|line| line.is_empty() || line.starts_with('|'))
            .is_some()
        {}
        if lines.peek().is_some() {
            made.push('\n');
        }
    }
    made
}

/// The events of an enumeration, each with the first line of its comment, by the names that serde gives them.
fn events(source: &str) -> String {
    let (_, body) = source.split_once("Event {\n").unwrap();
    let (body, _) = body.split_once("\n}\n").unwrap();
    let mut table = String::from("| | |\n|---|---|\n");
    let mut comment = String::new();
    for line in body.lines() {
        let Some(line) = line
            .strip_prefix("    ")
            .filter(|line| !line.starts_with(' '))
        else {
            continue;
        };
        if let Some(text) = line.strip_prefix("/// ") {
            comment = if comment.is_empty() {
                text.to_owned()
            } else {
                comment + " " + text
            };
        } else if line.starts_with(char::is_uppercase) {
            let name: String = line
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            let name: String = name
                .char_indices()
                .flat_map(|(at, c)| {
                    let gap = (at > 0 && c.is_uppercase()).then_some('_');
                    gap.into_iter().chain(c.to_lowercase())
                })
                .collect();
            writeln!(table, "| `{name}` | {} |", comment.replace('|', "\\|")).unwrap();
            comment.clear();
        }
    }
    assert!(table.lines().count() > 8, "{table}");
    table
}

/// The targets of links and pictures that lie in the repository.
fn links(text: &str) -> Vec<String> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.contains("://"))
        .map(str::to_owned)
        .collect()
}
