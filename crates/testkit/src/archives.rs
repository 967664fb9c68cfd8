//! A GRIN that has archives: lists, heads, whole files and parts of them, answers about conversions, and faults.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::http::{self, Asked, Server};

/// The passphrase of all archives.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// Where the archives, and what another tool made of them, are.
pub fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("books")
}

/// A book, and what GRIN says about it.
#[derive(Clone, Debug, Default)]
pub struct Shelved {
    /// Its barcode.
    pub barcode: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: String,
    /// Its encrypted archive, if there is one.
    pub archive: Option<Arc<Vec<u8>>>,
    /// Whether a conversion failed.
    pub failed: bool,
    /// Whether it is being converted.
    pub in_process: bool,
    /// What is said when its conversion is asked for; `Success` if empty.
    pub answer: String,
}

/// What goes wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFault {
    /// This status.
    Status(u16),
    /// The connection ends after so many bytes of the body.
    CutAfter(usize),
    /// So many bytes of the body, and then nothing for so long.
    SilentAfter(usize, Duration),
    /// The whole archive under another `ETag`, with another byte in its middle.
    OtherVersion,
    /// A page to sign in, with status 200 and an `ETag`.
    Page,
    /// No `ETag`.
    NoEtag,
    /// Range requests are answered with the whole file.
    NoRange,
    /// It does not say how long it is: in chunks.
    NoLength,
    /// Nothing for so long.
    Stalled(Duration),
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveCall {
    /// Its method.
    pub method: String,
    /// What follows the library's directory.
    pub target: String,
    /// The first byte that was asked for.
    pub from: u64,
}

type Plan = Box<dyn FnMut(&ArchiveCall) -> Option<ArchiveFault> + Send>;

/// The server; it ends when it is dropped.
pub struct ArchiveGrin {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    books: Mutex<Vec<Shelved>>,
    index: Mutex<HashMap<String, usize>>,
    calls: Mutex<Vec<ArchiveCall>>,
    plan: Mutex<Option<Plan>>,
    sent: Mutex<HashMap<String, u64>>,
    /// Books at most on a page of the converted ones, and what follows its table; `{next}` is where the next begins.
    pages: Mutex<Option<(usize, String)>>,
    /// Lists, and what is said in their place.
    said: Mutex<HashMap<String, String>>,
    ended: AtomicBool,
}

impl ArchiveGrin {
    /// Serves these books on a free port.
    pub fn start(books: Vec<Shelved>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let index = books.iter().enumerate();
        let index = index.map(|(at, book)| (book.barcode.clone(), at)).collect();
        let shared = Arc::new(Shared {
            books: Mutex::new(books),
            index: Mutex::new(index),
            calls: Mutex::default(),
            plan: Mutex::default(),
            sent: Mutex::default(),
            pages: Mutex::default(),
            said: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || http::accept(&listener, &serving));
        Ok(Self { address, shared })
    }

    /// Serves the books of [`cases`].
    pub fn of_cases() -> io::Result<Self> {
        let cases = cases();
        let text = std::fs::read_to_string(cases.join("books.json"))?;
        let books: Vec<serde_json::Value> = serde_json::from_str(&text)?;
        let books = books.iter().map(|book| {
            let text = |key: &str| book[key].as_str().unwrap_or_default().to_owned();
            let barcode = text("barcode");
            let archive = std::fs::read(cases.join(format!("{barcode}.tar.gz.gpg")));
            Shelved {
                title: text("title"),
                state: text("state"),
                archive: archive.ok().map(Arc::new),
                failed: book["failed"].as_bool().unwrap_or(false),
                in_process: book["in_process"].as_bool().unwrap_or(false),
                answer: text("process"),
                barcode,
            }
        });
        Self::start(books.collect())
    }

    /// Its address, to be given as the base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Writes the files that a client needs: tokens, and the passphrase.
    pub fn write_credentials(&self, folder: &Path) -> io::Result<()> {
        let url = self.url();
        let text = format!(
            r#"{{"token": "t", "refresh_token": "r", "token_uri": "{url}/token", "client_id": "id", "client_secret": "s", "scopes": ["openid"]}}"#
        );
        std::fs::write(folder.join("credentials.json"), text)?;
        std::fs::write(folder.join("gpg_passphrase.asc"), format!("{PASSPHRASE}\n"))
    }

    /// Answers go wrong as `plan` says from now on.
    pub fn fail(&self, plan: impl FnMut(&ArchiveCall) -> Option<ArchiveFault> + Send + 'static) {
        *lock(&self.shared.plan) = Some(Box::new(plan));
    }

    /// Answers are right from now on.
    pub fn recover(&self) {
        *lock(&self.shared.plan) = None;
    }

    /// The list of converted books comes in pages of so many books at most; behind the table of each page that is not
    /// the last stands `link`, where `{next}` is the number of books before the next page.
    pub fn page_converted(&self, books: usize, link: &str) {
        *lock(&self.shared.pages) = Some((books, link.to_owned()));
    }

    /// A list, such as `_failed`, is answered with this from now on.
    pub fn say(&self, list: &str, answer: &str) {
        lock(&self.shared.said).insert(list.to_owned(), answer.to_owned());
    }

    /// Changes a book.
    pub fn change(&self, barcode: &str, change: impl FnOnce(&mut Shelved)) {
        let at = lock(&self.shared.index).get(barcode).copied();
        if let Some(at) = at {
            change(&mut lock(&self.shared.books)[at]);
        }
    }

    /// The requests so far.
    pub fn calls(&self) -> Vec<ArchiveCall> {
        lock(&self.shared.calls).clone()
    }

    /// Bytes of its archive that were sent of each book.
    pub fn sent(&self) -> HashMap<String, u64> {
        lock(&self.shared.sent).clone()
    }
}

impl Drop for ArchiveGrin {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

impl Server for Shared {
    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    fn answer(&self, stream: &TcpStream, asked: &Asked) -> io::Result<bool> {
        let target = asked
            .target
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let from = asked
            .header("range")
            .and_then(|range| range.strip_prefix("bytes="))
            .and_then(|range| range.split('-').next()?.parse().ok())
            .unwrap_or(0);
        let call = ArchiveCall {
            method: asked.method.clone(),
            target,
            from,
        };
        let fault = lock(&self.plan).as_mut().and_then(|plan| plan(&call));
        lock(&self.calls).push(call.clone());
        match fault {
            Some(ArchiveFault::Status(status)) => {
                return http::send(stream, &format!("{status} On Purpose"), "", b"").map(|()| true);
            }
            Some(ArchiveFault::Page) => {
                let headers = "Content-Type: text/html\r\nETag: \"page\"\r\n";
                let page = b"<!DOCTYPE html><title>Sign in</title>";
                return http::send(stream, "200 OK", headers, page).map(|()| true);
            }
            Some(ArchiveFault::Stalled(pause)) => std::thread::sleep(pause),
            _ => {}
        }
        if let Some(barcode) = call.target.strip_suffix(".tar.gz.gpg") {
            return self.archive(stream, asked, &call, barcode, fault);
        }
        match self.list(&call.target) {
            Some((kind, body)) => {
                let headers = format!("Content-Type: {kind}\r\n");
                http::send(stream, "200 OK", &headers, body.as_bytes()).map(|()| true)
            }
            None => http::send(stream, "404 Not Found", "", b"").map(|()| true),
        }
    }
}

impl Shared {
    fn archive(
        &self,
        mut stream: &TcpStream,
        asked: &Asked,
        call: &ArchiveCall,
        barcode: &str,
        fault: Option<ArchiveFault>,
    ) -> io::Result<bool> {
        let at = lock(&self.index).get(barcode).copied();
        let archive = at.and_then(|at| lock(&self.books)[at].archive.clone());
        let Some(archive) = archive else {
            return http::send(stream, "404 Not Found", "", b"").map(|()| true);
        };
        let mut bytes = archive;
        if fault == Some(ArchiveFault::OtherVersion) {
            let mut other = (*bytes).clone();
            let middle = other.len() / 2;
            other[middle] ^= 1;
            bytes = Arc::new(other);
        }
        let etag = format!("\"{:016x}\"", sum(&bytes));
        let same = asked.header("if-range").is_none_or(|said| said == etag);
        let ranged = call.from > 0 && same && fault != Some(ArchiveFault::NoRange);
        if ranged && call.from >= bytes.len() as u64 {
            return http::send(stream, "416 Range Not Satisfiable", "", b"").map(|()| true);
        }
        let begin = if ranged { call.from as usize } else { 0 };
        let mut headers =
            String::from("Content-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\n");
        if fault != Some(ArchiveFault::NoEtag) {
            let _ = write!(headers, "ETag: {etag}\r\n");
        }
        if ranged {
            let (last, all) = (bytes.len() - 1, bytes.len());
            let _ = write!(headers, "Content-Range: bytes {begin}-{last}/{all}\r\n");
        }
        let status = if ranged {
            "206 Partial Content"
        } else {
            "200 OK"
        };
        let body = &bytes[begin..];
        if fault == Some(ArchiveFault::NoLength) {
            return self.in_chunks(stream, status, &headers, (barcode, body));
        }
        http::head(stream, status, &headers, body.len())?;
        if asked.method == "HEAD" {
            return Ok(true);
        }
        let count = match fault {
            Some(ArchiveFault::CutAfter(count) | ArchiveFault::SilentAfter(count, _)) => {
                count.min(body.len())
            }
            _ => body.len(),
        };
        for piece in body[..count].chunks(64 << 10) {
            stream.write_all(piece)?;
            *lock(&self.sent).entry(barcode.to_owned()).or_default() += piece.len() as u64;
        }
        if let Some(ArchiveFault::SilentAfter(_, pause)) = fault {
            std::thread::sleep(pause);
        }
        Ok(count == body.len())
    }

    fn in_chunks(
        &self,
        mut stream: &TcpStream,
        status: &str,
        headers: &str,
        (barcode, body): (&str, &[u8]),
    ) -> io::Result<bool> {
        write!(
            stream,
            "HTTP/1.1 {status}\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
        )?;
        for piece in body.chunks(64 << 10) {
            write!(stream, "{:x}\r\n", piece.len())?;
            stream.write_all(piece)?;
            stream.write_all(b"\r\n")?;
            *lock(&self.sent).entry(barcode.to_owned()).or_default() += piece.len() as u64;
        }
        stream.write_all(b"0\r\n\r\n")?;
        Ok(true)
    }

    fn list(&self, target: &str) -> Option<(&'static str, String)> {
        let books = lock(&self.books);
        let (html, text) = ("text/html; charset=utf-8", "text/plain; charset=utf-8");
        let (name, query) = target.split_once('?').unwrap_or((target, ""));
        if let Some(answer) = lock(&self.said).get(name) {
            return Some((text, answer.clone()));
        }
        Some(match name {
            "token" => (
                "application/json",
                r#"{"access_token": "t", "expires_in": 3600}"#.to_owned(),
            ),
            "" => (text, "ok".to_owned()),
            "_all_books" => (html, all_books(&books)),
            "_converted" => (html, self.converted(&books, query)),
            "_failed" => (html, failed(&books)),
            "_in_process" => {
                let of = books.iter().filter(|book| book.in_process);
                (
                    text,
                    of.fold(String::new(), |all, book| all + &book.barcode + "\n"),
                )
            }
            "_process" => {
                let asked = query.strip_prefix("barcodes=").unwrap_or_default();
                let asked = asked.replace("%2C", ",").replace("%24", "$");
                (text, process(&books, &asked))
            }
            _ => return None,
        })
    }

    fn converted(&self, books: &[Shelved], query: &str) -> String {
        let of = books.iter().filter(|book| book.state == "CONVERTED");
        let rows: Vec<_> = of
            .map(|book| {
                vec![
                    format!("{}.tar.gz.gpg", book.barcode),
                    book.title.clone(),
                    DATE.to_owned(),
                ]
            })
            .collect();
        let headings = ["Filename", "Title", "Scanned Date"];
        let Some((most, link)) = lock(&self.pages).clone() else {
            return table(&headings, rows.into_iter());
        };
        let asked = |name| usize::try_from(http::number(query, name)).unwrap_or(usize::MAX);
        let first = asked("first=").min(rows.len());
        let end = (first + most.min(asked("result_count="))).min(rows.len());
        let page = table(&headings, rows[first..end].iter().cloned());
        if end == rows.len() {
            return page;
        }
        let link = link.replace("{next}", &end.to_string());
        page.replace("</table>", &format!("</table>{link}"))
    }
}

fn table(headings: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut page = String::from("<html><body><table><thead><tr class=\"heading\">");
    for heading in headings {
        let _ = write!(page, "<td><span class=\"hd3\">{heading}</span></td>");
    }
    page.push_str("</tr></thead><tbody>\n");
    for row in rows {
        page.push_str("<tr>");
        for cell in row {
            let cell = cell.replace('&', "&amp;").replace('<', "&lt;");
            let _ = write!(page, "<td>{cell}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></body></html>\n");
    page
}

const DATE: &str = "2016/05/24 03:07";

fn all_books(books: &[Shelved]) -> String {
    let headings = [
        "Barcode",
        "Title",
        "Status",
        "Scanned Date",
        "Converted Date",
    ];
    let rows = books.iter().map(|book| {
        let converted = if book.state == "CONVERTED" { DATE } else { "" };
        [&book.barcode, &book.title, &book.state, DATE, converted]
            .map(str::to_owned)
            .to_vec()
    });
    table(&headings, rows)
}

fn failed(books: &[Shelved]) -> String {
    let headings = [
        "Barcode",
        "Title",
        "Convert Failed Date",
        "Convert Failed Info",
        "Detailed Convert Failed Info",
    ];
    let rows = books.iter().filter(|book| book.failed).map(|book| {
        [
            &book.barcode,
            &book.title,
            DATE,
            "IMAGE_ERROR",
            "page 7 unreadable",
        ]
        .map(str::to_owned)
        .to_vec()
    });
    table(&headings, rows)
}

fn process(books: &[Shelved], asked: &str) -> String {
    let mut answer = String::from("Barcode\tStatus\n");
    for barcode in asked.split(',') {
        let book = books.iter().find(|book| book.barcode == barcode);
        let said = book.map_or("", |book| book.answer.as_str());
        let said = if said.is_empty() { "Success" } else { said };
        let _ = writeln!(answer, "{barcode}\t{said}");
    }
    answer
}

/// FNV-1a: what tells versions apart.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Encrypts as GRIN does: by `gpg`, with the passphrase. `None` where there is no `gpg`.
pub fn encrypt(plain: &[u8]) -> Option<Vec<u8>> {
    encrypt_with(plain, &["--s2k-count", "65536", "--compress-algo", "none"])
}

/// The same with other options of `gpg`.
pub fn encrypt_with(plain: &[u8], options: &[&str]) -> Option<Vec<u8>> {
    let home = tempfile::tempdir().ok()?;
    #[cfg(unix)]
    std::fs::set_permissions(
        home.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o700),
    )
    .ok()?;
    let file = home.path().join("passphrase");
    std::fs::write(&file, PASSPHRASE).ok()?;
    let mut child = Command::new("gpg")
        .arg("--homedir")
        .arg(home.path())
        .args([
            "--batch",
            "--quiet",
            "--pinentry-mode",
            "loopback",
            "--passphrase-file",
        ])
        .arg(&file)
        .arg("--symmetric")
        .args(options)
        .args(["--output", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    let plain = plain.to_vec();
    let feeding = std::thread::spawn(move || input.write_all(&plain));
    let output = child.wait_with_output().ok()?;
    feeding.join().ok()?.ok()?;
    output.status.success().then_some(output.stdout)
}

/// A book's archive: a description, `pages` pages, and `picture` bytes of pictures that no packer shrinks.
pub fn archive(title: &str, pages: u32, picture: usize) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    let mut add = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, content)
            .expect("memory takes every byte");
    };
    let mets = format!(
        "<METS:mets xmlns:METS='http://www.loc.gov/METS/' xmlns:s='http://www.loc.gov/MARC21/slim'><METS:dmdSec><METS:mdWrap>\
         <METS:xmlData><s:record><s:datafield tag='245'><s:subfield code='a'>{title}</s:subfield></s:datafield></s:record>\
         </METS:xmlData></METS:mdWrap></METS:dmdSec></METS:mets>"
    );
    add("HVD_1.xml", mets.as_bytes());
    let mut state = u64::from(pages) + title.len() as u64;
    for page in 1..=pages {
        add(
            &format!("{page:08}.txt"),
            format!("page {page} of {title}\n").as_bytes(),
        );
        let noise: Vec<u8> = (0..picture / pages as usize)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        add(&format!("{page:08}.jp2"), &noise);
    }
    builder
        .into_inner()
        .and_then(flate2::write::GzEncoder::finish)
        .expect("memory takes every byte")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
