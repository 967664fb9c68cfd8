//! A folder to work in, a GRIN to ask, and the program.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use testkit::grin::{CLIENT_SECRET, FakeCatalogue, FakeGrin, stored};

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) grin: FakeGrin,
}

impl World {
    pub(crate) fn new(books: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let grin = FakeGrin::start(FakeCatalogue::of(books)).unwrap();
        std::fs::create_dir(folder.path().join("secret")).unwrap();
        grin.write_credentials(&folder.path().join("secret"))
            .unwrap();
        Self { folder, grin }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
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

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub(crate) fn collect(&self, more: &[&str]) -> Output {
        self.run(&[&COLLECT[..], more].concat())
    }

    /// Signs in anew by pasting the address that a browser would have ended at.
    pub(crate) fn sign_in(&self) -> Output {
        let client = format!(
            r#"{{"installed": {{"client_id": "id", "client_secret": "{CLIENT_SECRET}", "auth_uri": "https://accounts.example/auth",
                "token_uri": "{}/token", "redirect_uris": ["http://localhost"]}}}}"#,
            self.grin.url()
        );
        let secret = self.folder.path().join("secret");
        std::fs::write(secret.join("client_secret.json"), client).unwrap();
        let mut child = self
            .command(&["auth", "setup", "--remote", "--force"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pasted = b"http://127.0.0.1:58432/?code=4%2Fabc\n";
        child.stdin.take().unwrap().write_all(pasted).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The first page of a thousand books with something else in place of its link to the next one.
    pub(crate) fn page_without_link(pager: &str) -> String {
        let page = FakeCatalogue::of(3_000).first_page(1_000);
        let (list, _) = page.split_once("<p><a ").unwrap();
        format!("{list}{pager}</body></html>")
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.folder.path().join("output/R")
    }

    pub(crate) fn stored(&self) -> Vec<[String; 10]> {
        stored(&self.directory().join("books.db")).unwrap()
    }
}

pub(crate) const COLLECT: [&str; 11] = [
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

pub(crate) fn said(output: &Output) -> String {
    let bytes = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn code(output: &Output) -> i32 {
    output
        .status
        .code()
        .unwrap_or_else(|| panic!("{}", said(output)))
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
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
