//! A book's archive comes from GRIN: as a stream, from where an interrupted download stopped.

mod received;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use web::{Answer, Class, Classified as _};

use self::received::Received;

use crate::error::Error;
use crate::grin::Want;
use crate::sync::disk::{Reserved, Room};
use crate::sync::shared::{Fault, GRIN, Halt, Shared, Tries};

/// Room on disk for each byte of an encrypted archive: itself, the plain one, and its text.
const ROOM: f64 = 2.2;

/// Room whatever its size.
const LEAST_ROOM: u64 = 16 << 20;

/// An encrypted archive, whole as far as GRIN's length tells.
#[derive(Debug)]
pub(super) struct EncryptedArchive {
    pub(super) path: PathBuf,
    /// Without quotes.
    pub(super) etag: String,
    /// Whether some of it came in an earlier run.
    pub(super) resumed: bool,
    /// Kept until the book's files are gone.
    pub(super) _room: Option<Room>,
}

/// Which version is being downloaded, kept beside it.
#[derive(Debug, Serialize, Deserialize)]
struct Version {
    /// As GRIN sends it.
    etag: String,
    length: Option<u64>,
}

/// The files of a download.
pub(super) struct Files {
    pub(super) archive: PathBuf,
    version: PathBuf,
}

impl Files {
    pub(super) fn of(staging: &Path, barcode: &str) -> Self {
        Self {
            archive: staging.join(format!("{barcode}.tar.gz.gpg")),
            version: staging.join(format!("{barcode}.download.json")),
        }
    }

    /// Whether there is something to go on with.
    pub(super) fn begun(&self) -> bool {
        self.version.exists() && self.archive.exists()
    }

    /// Removes them.
    pub(super) fn remove(&self) {
        for path in [&self.archive, &self.version] {
            // What is not there need not be removed; what cannot be is found by the next run.
            let _ = std::fs::remove_file(path);
        }
    }

    /// The version and how many of its bytes are there; files that do not belong together are worth nothing.
    fn state(&self) -> Option<(Version, u64)> {
        let version: Version = serde_json::from_slice(&std::fs::read(&self.version).ok()?).ok()?;
        let there = std::fs::metadata(&self.archive).ok()?.len();
        let fits = version.length.is_none_or(|length| there <= length);
        // A weak ETag does not promise the same bytes.
        (fits && there > 0 && !version.etag.starts_with("W/")).then_some((version, there))
    }
}

/// What came of asking GRIN.
pub(super) enum Downloaded {
    Archive(EncryptedArchive),
    /// GRIN has no such file.
    Missing,
}

/// Brings an archive to the staging folder.
pub(super) async fn download(shared: &Shared, barcode: &str) -> Result<Downloaded, Halt> {
    let files = Files::of(&shared.staging, barcode);
    let resumed = files.state().is_some();
    let mut tries = Tries::of(GRIN);
    loop {
        let before = there(&files);
        let result = attempt(shared, barcode, &files, resumed).await;
        let error = match result {
            Err(Attempt::Failed(error)) => error,
            Err(Attempt::Halt(halt)) => return Err(halt),
            Ok(done) => {
                shared.grin_answered.fetch_add(1, Ordering::Relaxed);
                return Ok(done);
            }
        };
        if let Error::Web(web::Error::Status { status: 404, .. }) = error {
            shared.grin_answered.fetch_add(1, Ordering::Relaxed);
            return Ok(Downloaded::Missing);
        }
        if there(&files) > before {
            tries.progressed();
        }
        let class = error.class();
        if error.is_about_access() {
            return Err(Fault::new("download", &error, true).common().into());
        }
        if matches!(class, Class::Final | Class::Unauthorised) {
            let later = class == Class::Unauthorised || !matches!(error, Error::Web(_));
            return Err(Fault::new("download", &error, later).into());
        }
        let asked = match class {
            Class::Throttled(pause) => tries.throttled(pause),
            _ => None,
        };
        let answered = || shared.grin_answered.load(Ordering::Relaxed);
        tries
            .wait(shared, &error, asked, answered, "download")
            .await?;
    }
}

fn there(files: &Files) -> u64 {
    std::fs::metadata(&files.archive).map_or(0, |found| found.len())
}

enum Attempt {
    /// Another attempt may help.
    Failed(Error),
    Halt(Halt),
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Halt> for Attempt {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

async fn attempt(
    shared: &Shared,
    barcode: &str,
    files: &Files,
    resumed: bool,
) -> Result<Downloaded, Attempt> {
    let state = files.state();
    let whole = state
        .as_ref()
        .is_some_and(|(version, there)| version.length == Some(*there));
    if let (true, Some((version, _))) = (whole, &state) {
        let head = shared.ask(barcode, Want::Head).await?;
        if head.header("etag") == Some(version.etag.as_str()) {
            return Ok(archive(files, &version.etag, resumed, None));
        }
        files.remove();
        return Err(Attempt::Failed(Error::Changed));
    }
    let want = match &state {
        Some((version, there)) => Want::Rest(*there, &version.etag),
        None => Want::Whole,
    };
    let answer = match shared.ask(barcode, want).await {
        Err(Error::Web(web::Error::Status { status: 416, .. })) => {
            files.remove();
            return Err(Attempt::Failed(Error::Changed));
        }
        other => other?,
    };
    let begin = match (answer.status(), &state) {
        (206, Some((version, there))) => {
            let fits = answer
                .header("etag")
                .is_none_or(|etag| etag == version.etag)
                && begins_at(&answer) == Some(*there);
            if !fits {
                files.remove();
                return Err(Attempt::Failed(Error::Changed));
            }
            *there
        }
        _ => 0,
    };
    receive(
        shared,
        answer,
        files,
        begin,
        state.map(|(version, _)| version),
        resumed,
    )
    .await
}

/// Where a part begins.
fn begins_at(answer: &Answer) -> Option<u64> {
    let range = answer.header("content-range")?.strip_prefix("bytes ")?;
    range.split('-').next()?.trim().parse().ok()
}

/// Takes the body of an answer that begins at `begin`.
async fn receive(
    shared: &Shared,
    mut answer: Answer,
    files: &Files,
    begin: u64,
    known: Option<Version>,
    resumed: bool,
) -> Result<Downloaded, Attempt> {
    let version = match known {
        Some(version) if begin > 0 => version,
        _ => {
            let version = version_of(&answer)?;
            files.remove();
            write_version(files, &version).map_err(|error| disk(&files.version, &error))?;
            version
        }
    };
    let expected = version.length.map(|length| length.saturating_sub(begin));
    let room = reserve(shared, version.length.unwrap_or(0), expected.unwrap_or(0)).await?;
    let mut total = begin;
    let mut received = Received::open(&files.archive)?;
    let ended = loop {
        let chunk = tokio::select! {
            chunk = answer.chunk() => chunk,
            () = received.is_due() => {
                received.write()?;
                continue;
            }
            () = shared.stopped() => {
                received.write()?;
                return Err(Halt::Stopped.into());
            }
        };
        match chunk {
            Ok(Some(bytes)) => {
                let is_page = total == 0 && is_page(&bytes);
                total += bytes.len() as u64;
                if is_page || version.length.is_some_and(|length| total > length) {
                    drop(received);
                    files.remove();
                    return Err(instead(is_page));
                }
                received.take(&bytes)?;
                shared
                    .counts
                    .downloaded_bytes
                    .fetch_add(bytes.len() as u64, Ordering::Relaxed);
                if shared.limiter.is_limited() {
                    received.write()?;
                    shared.limiter.pass(bytes.len()).await;
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    received.write()?;
    ended.map_err(Error::from)?;
    match version.length {
        Some(length) if total != length => Err(Attempt::Failed(Error::Short {
            received: total,
            expected: length,
        })),
        Some(_) => Ok(archive(files, &version.etag, resumed, room)),
        None => {
            // GRIN did not say how long it is; now it is known to be whole.
            let length = Some(total);
            let version = Version { length, ..version };
            write_version(files, &version).map_err(|error| disk(&files.version, &error))?;
            Ok(archive(files, &version.etag, resumed, room))
        }
    }
}

/// Which version an answer sends.
fn version_of(answer: &Answer) -> Result<Version, Halt> {
    let etag = answer
        .header("etag")
        .filter(|etag| !etag.trim_matches('"').is_empty());
    let etag =
        etag.ok_or_else(|| Halt::from(Fault::new("download", "GRIN's answer has no ETag", true)))?;
    let length = answer.header("content-length");
    Ok(Version {
        etag: etag.to_owned(),
        length: length.and_then(|length| length.trim().parse().ok()),
    })
}

fn archive(files: &Files, etag: &str, resumed: bool, room: Option<Room>) -> Downloaded {
    Downloaded::Archive(EncryptedArchive {
        path: files.archive.clone(),
        etag: bare(etag).to_owned(),
        resumed,
        _room: room,
    })
}

/// An `ETag` without what marks it as one.
pub(super) fn bare(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

fn write_version(files: &Files, version: &Version) -> io::Result<()> {
    let bytes = serde_json::to_vec(version)?;
    std::fs::write(&files.version, bytes)
}

/// Waits for room on the disk. Room for what is still to come of the encrypted archive, and for the plain one.
async fn reserve(shared: &Shared, length: u64, missing: u64) -> Result<Option<Room>, Halt> {
    let plain = (length as f64 * (ROOM - 1.0)) as u64;
    let bytes = missing + plain + LEAST_ROOM;
    let mut told = false;
    loop {
        match shared.disk.reserve(bytes) {
            Reserved::Room(room) => return Ok(Some(room)),
            Reserved::TooLarge => {
                let reason =
                    format!("the disk of the staging folder has no room for {bytes} bytes");
                return Err(Fault::new("download", reason, true).common().into());
            }
            Reserved::Full => {
                if !told {
                    shared.say_waiting("room on the disk of the staging folder", "it is full");
                    told = true;
                }
                shared.pause(Duration::from_secs(1)).await?;
            }
        }
    }
}

/// The disk of the staging folder fails for every book.
fn disk(path: &Path, error: &io::Error) -> Halt {
    let reason = format!("cannot write `{}`: {error}", path.display());
    Fault::new("download", reason, true).common().into()
}

/// Whether these first bytes are those of a web page: no `OpenPGP` message begins so, armoured or not.
fn is_page(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"<")
}

/// Why what comes is not the archive.
fn instead(is_page: bool) -> Attempt {
    let reason = "GRIN sent a web page in place of the archive; is the sign-in still valid?";
    if is_page {
        Attempt::Halt(Fault::new("download", reason, true).common().into())
    } else {
        Attempt::Failed(Error::Changed)
    }
}
