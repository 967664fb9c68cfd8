//! One book through all stages, read from top to bottom.

mod convert;
mod store;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use web::Classified as _;

pub(super) use self::store::upload_of;

use self::store::WrittenText;

use crate::archive::{self, Broken, Contents, Limits};
use crate::catalogue::sync::{self as archives, BookRecord, Claim, Failure, KnownBook, MOST_TRIES};
use crate::date;
use crate::decrypt::{DecryptError, decrypt};
use crate::error::Error;
use crate::grin::Want;
use crate::sync::download::{Downloaded, EncryptedArchive, Files, bare, download};
use crate::sync::history::History;
use crate::sync::shared::{BookOutcome, Fault, GRIN, Halt, Shared, Tries, lock, turn};
use crate::sync::staging;
use crate::sync::{Source, is_barcode};
use crate::work::stopped;

/// Works on one book, which has a place in the air, and records what came of it.
pub(super) async fn work_on(
    shared: &Shared,
    claim: Option<Claim>,
    barcode: String,
    place: OwnedSemaphorePermit,
) -> Result<(String, BookOutcome), Error> {
    if !is_barcode(&barcode) {
        finish(claim, &barcode).await?;
        // It would become part of names of files and objects.
        let reason = "it is not a barcode, expected 3 to 50 letters, digits, or one of `-_.:$`";
        let outcome = BookOutcome::Unconvertible(reason.to_owned());
        return Ok((barcode, outcome));
    }
    let mut book = Book {
        shared,
        barcode: &barcode,
        history: History::default(),
        record: BookRecord {
            barcode: barcode.clone(),
            ..BookRecord::default()
        },
        etag: None,
        is_over: false,
    };
    // Whatever a book waits for, GRIN or the store, ends soon after somebody asks to stop: what is on disk by then is gone on
    // with, as after a kill.
    let through = tokio::select! {
        through = book.through(place) => through,
        () = stopped(&shared.cancel) => Err(Halt::Stopped),
    };
    let outcome = match through {
        Ok(outcome) => outcome,
        Err(Halt::Stopped) => return Ok((barcode, BookOutcome::Stopped)),
        Err(Halt::Impossible(error)) => return Err(error),
        Err(Halt::Fault(fault)) => book.failed(fault),
    };
    let Book {
        history,
        mut record,
        is_over,
        ..
    } = book;
    record.statuses = history.statuses;
    let mut is_recorded = true;
    if !record.statuses.is_empty() || record.failure.is_some() {
        is_recorded = archives::record(&shared.catalogue, record, claim, date::now()).await?;
    } else {
        finish(claim, &barcode).await?;
    }
    match outcome {
        // Only now: until it is recorded, a killed process goes on from the encrypted archive.
        BookOutcome::Stored { .. } => Files::of(&shared.staging, &barcode).remove(),
        // Its archive is stored, and no other try would find more in it.
        _ if is_over => Files::of(&shared.staging, &barcode).remove(),
        // Another try goes on with what is there.
        BookOutcome::Failed { .. } | BookOutcome::Stopped => {}
        // What an earlier run has begun of it is of no more use.
        _ => staging::forget(shared, &shared.staging, &barcode).await,
    }
    if is_recorded {
        Ok((barcode, outcome))
    } else {
        Ok((barcode, BookOutcome::Skipped(TAKEN_OVER)))
    }
}

/// Why the result of a process that was silent for too long is not recorded.
const TAKEN_OVER: &str = "another process has taken it over, whose result counts";

/// Nothing of the book is to be recorded.
async fn finish(claim: Option<Claim>, barcode: &str) -> Result<(), Error> {
    if let Some((claims, queue)) = claim {
        claims.finish(queue, barcode.to_owned()).await?;
    }
    Ok(())
}

/// A book on its way.
struct Book<'a> {
    shared: &'a Shared,
    barcode: &'a str,
    history: History,
    record: BookRecord,
    /// Which version of GRIN's archive it is about.
    etag: Option<String>,
    /// Whether what was downloaded has done its work, although the book failed.
    is_over: bool,
}

/// What the check decided.
enum Checked {
    Download,
    Missing { stored: bool },
    Ended(BookOutcome),
}

impl Book<'_> {
    async fn through(&mut self, place: OwnedSemaphorePermit) -> Result<BookOutcome, Halt> {
        let known = archives::book(&self.shared.catalogue, self.barcode)?;
        match self.check(&known).await? {
            Checked::Ended(outcome) => return Ok(outcome),
            Checked::Missing { stored: true } => return Ok(self.reconcile()),
            Checked::Missing { stored: false } => return self.convert(place).await,
            Checked::Download => {}
        }
        let mut second = false;
        loop {
            let (resumed, result) = match self.download_and_process().await {
                Ok(Some(done)) => done,
                Ok(None) => return self.convert(place).await,
                Err(halt) => (false, Err(halt)),
            };
            match result {
                // Whatever failed with the disk of the staging folder gone did so for that reason.
                Err(Halt::Fault(_)) if staging::is_gone(self.shared) => {
                    self.history.statuses.clear();
                    staging::back(self.shared).await?;
                }
                // What was put together from two runs may be two halves of different files. It comes again, whole.
                Err(Halt::Fault(fault))
                    if resumed
                        && !second
                        && !fault.is_common
                        && matches!(fault.stage, "decrypt" | "read") =>
                {
                    second = true;
                    self.history.statuses.clear();
                    Files::of(&self.shared.staging, self.barcode).remove();
                }
                other => return other,
            }
        }
    }

    /// Brings the archive and does everything with it: whether some of it came in an earlier run, and what came of it;
    /// nothing if GRIN has no archive.
    async fn download_and_process(
        &mut self,
    ) -> Result<Option<(bool, Result<BookOutcome, Halt>)>, Halt> {
        staging::back(self.shared).await?;
        let downloaded = {
            let _turn = turn(&self.shared.downloads).await?;
            download(self.shared, self.barcode).await?
        };
        let Downloaded::Archive(encrypted) = downloaded else {
            return Ok(None);
        };
        self.etag = Some(encrypted.etag.clone());
        let result = self.process(&encrypted).await;
        Ok(Some((encrypted.resumed, result)))
    }

    /// Compares what is stored with GRIN. A book of which nothing is stored is not asked about twice: its download tells.
    async fn check(&mut self, known: &KnownBook) -> Result<Checked, Halt> {
        let shared = self.shared;
        let _turn = turn(&shared.checks).await?;
        let explicit = matches!(shared.options.source, Source::Barcodes(_));
        let given_up = known.failure.as_ref().filter(|failure| {
            let tired = failure.tries >= MOST_TRIES || !failure.later;
            tired && !explicit && !shared.options.force
        });
        let stored = self.stored_etag(known).await?;
        if stored.is_none() && given_up.is_none() {
            if lock(&shared.failed_conversions).contains_key(self.barcode) {
                return Ok(Checked::Missing { stored: false });
            }
            return Ok(Checked::Download);
        }
        let head = self.head().await?;
        let Some(etag) = head else {
            return Ok(match given_up {
                Some(failure) if stored.is_none() => {
                    Checked::Ended(BookOutcome::GivenUp(said(failure)))
                }
                _ => Checked::Missing {
                    stored: stored.is_some(),
                },
            });
        };
        self.etag = Some(etag.clone());
        if let Some(failure) = given_up
            && failure.encrypted_etag.as_ref().is_none_or(|of| *of == etag)
        {
            return Ok(Checked::Ended(BookOutcome::GivenUp(said(failure))));
        }
        let begun = Files::of(&shared.staging, self.barcode).begun();
        let again = shared.options.force
            || (explicit && !known.is_completed)
            || (begun && !known.is_completed);
        if stored.as_deref() == Some(etag.as_str()) && !again {
            self.record.fields.last_etag_check = Some(date::now());
            self.history
                .sync("skipped", &[("reason", "skip_etag_match".into())]);
            return Ok(Checked::Ended(BookOutcome::Skipped(
                "it is stored in this version",
            )));
        }
        Ok(Checked::Download)
    }

    /// Which version of the archive is stored, if any is. In a bucket the object itself says so; in a folder the
    /// database does, if the file is there and somebody recorded that it was put there.
    async fn stored_etag(&self, known: &KnownBook) -> Result<Option<String>, Halt> {
        let shared = self.shared;
        // An object of the right size and name is no proof once somebody has read it and found it wrong.
        if known.is_doubted {
            return Ok(None);
        }
        let key = shared.storage.archive(self.barcode)?;
        if shared.storage.is_local() && !(known.is_uploaded && known.encrypted_etag.is_some()) {
            return Ok(None);
        }
        let mut tries = Tries::of("the store");
        let head = loop {
            match shared.storage.raw.head(&key).await {
                Ok(head) => break head,
                // A bucket that lets nobody list says so of everything that is not there.
                Err(error) if error.reason() == blob::Reason::Denied && !known.is_uploaded => {
                    break None;
                }
                Err(error) => self.store_trouble(&mut tries, error, "check").await?,
            }
        };
        shared.store_answered.fetch_add(1, Ordering::Relaxed);
        let Some(head) = head else { return Ok(None) };
        if known
            .archive
            .as_ref()
            .is_some_and(|archive| archive.bytes != head.size)
        {
            return Ok(None);
        }
        if shared.storage.is_local() {
            return Ok(known.encrypted_etag.clone());
        }
        Ok(head.metadata.get("encrypted_etag").cloned())
    }

    /// GRIN's version; `None` if it has no such file.
    async fn head(&mut self) -> Result<Option<String>, Halt> {
        let shared = self.shared;
        let mut tries = Tries::of(GRIN);
        loop {
            let error = match shared.ask(self.barcode, Want::Head).await {
                Ok(answer) => {
                    shared.grin_answered.fetch_add(1, Ordering::Relaxed);
                    let etag = answer
                        .header("etag")
                        .map(bare)
                        .filter(|etag| !etag.is_empty());
                    let etag =
                        etag.ok_or_else(|| Fault::new("check", "GRIN's answer has no ETag", true))?;
                    return Ok(Some(etag.to_owned()));
                }
                Err(Error::Web(web::Error::Status { status: 404, .. })) => {
                    shared.grin_answered.fetch_add(1, Ordering::Relaxed);
                    return Ok(None);
                }
                Err(error) => error,
            };
            let asked = match error.class() {
                web::Class::Transient => None,
                web::Class::Throttled(asked) => tries.throttled(asked),
                _ if error.is_about_access() => {
                    return Err(Fault::new("check", &error, true).common().into());
                }
                _ => return Err(Fault::new("check", &error, true).into()),
            };
            let answered = || shared.grin_answered.load(Ordering::Relaxed);
            tries.wait(shared, &error, asked, answered, "check").await?;
        }
    }

    /// Everything from the encrypted archive to the end.
    async fn process(&mut self, encrypted: &EncryptedArchive) -> Result<BookOutcome, Halt> {
        let etag = Value::from(encrypted.etag.as_str());
        self.record.fields.last_etag_check = Some(date::now());
        self.history.sync("checked", &[("etag", etag.clone())]);
        self.history.sync("downloaded", &[("etag", etag)]);
        let plain = self.shared.staging.join(format!("{}.tar.gz", self.barcode));
        let (contents, text) = self.decrypt_and_read(encrypted, &plain).await?;
        let written = text.as_ref().and_then(|text| text.as_ref().ok());
        let written = written.map(|text| text.file.clone());
        let result = self.store(encrypted, &plain, contents, text).await;
        // A local store has taken them; for others they have done their work. An interrupted upload needs them no more
        // either: the encrypted one makes the same bytes again.
        for path in written.into_iter().chain([plain]) {
            let _ = std::fs::remove_file(path);
        }
        result
    }

    /// Decrypts it and reads it from front to back, on a thread of its own. Its text is written to a file while it has its
    /// turn: of a book that waits for the store, next to nothing is in memory.
    async fn decrypt_and_read(
        &mut self,
        encrypted: &EncryptedArchive,
        plain: &Path,
    ) -> Result<(Contents, Option<Result<WrittenText, String>>), Halt> {
        let shared = self.shared;
        let _turn = turn(&shared.cpu).await?;
        let (source, target) = (encrypted.path.clone(), plain.to_owned());
        let (passphrase, cancel) = (shared.passphrase.clone(), shared.cancel.clone());
        let decrypted =
            tokio::task::spawn_blocking(move || decrypt(&source, &target, &passphrase, &cancel));
        match decrypted.await {
            Ok(Ok(())) => {
                shared.opened.fetch_add(1, Ordering::Relaxed);
                self.history.sync("decrypted", &[]);
            }
            Ok(Err(DecryptError::Stopped)) => return Err(Halt::Stopped),
            Ok(Err(error)) => {
                // A passphrase can be mended, and what was damaged on its way may come whole.
                let fault = self.fault("decrypt", "decrypt_failed", &error, true);
                if matches!(error, DecryptError::File { .. }) {
                    // A disk's failure says nothing about the archive.
                    return Err(fault.common().into());
                }
                // One archive may be damaged. A second that does not open, where none does, tells of the passphrase.
                let is_first = shared.unopened.fetch_add(1, Ordering::Relaxed) == 0;
                let is_common = !is_first && shared.opened.load(Ordering::Relaxed) == 0;
                return Err(if is_common { fault.common() } else { fault }.into());
            }
            // A library that panics on what was sent has met something damaged.
            Err(error) => {
                return Err(self
                    .fault("decrypt", "decrypt_failed", &error, false)
                    .into());
            }
        }
        let (source, folder) = (plain.to_owned(), shared.staging.clone());
        let began = Instant::now();
        let read = tokio::task::spawn_blocking(move || {
            archive::read_within(&source, &folder, &Limits::default())
        });
        let mut contents = match read.await {
            Ok(Ok(contents)) => contents,
            Ok(Err(error)) => {
                let later = matches!(error, Broken::Unreadable(_));
                return Err(self.fault("read", "unpack_failed", &error, later).into());
            }
            Err(error) => {
                return Err(self.fault("read", "unpack_failed", &error, false).into());
            }
        };
        self.history.sync("unpacked", &[]);
        let spent = began.elapsed();
        let text = std::mem::replace(&mut contents.text, Err(String::new()));
        let text = match text {
            _ if !shared.options.text => None,
            Ok(text) => Some(Ok(self.write_text(text, spent).await?)),
            Err(reason) => Some(Err(reason)),
        };
        Ok((contents, text))
    }

    /// A failure with its line of history. The plain archive is worth nothing then.
    pub(super) fn fault(
        &mut self,
        stage: &'static str,
        value: &'static str,
        error: &impl ToString,
        later: bool,
    ) -> Fault {
        let reason = error.to_string();
        self.history
            .sync(value, &[("error", reason.clone().into())]);
        let plain = self.shared.staging.join(format!("{}.tar.gz", self.barcode));
        let _ = std::fs::remove_file(plain);
        Fault::new(stage, reason, later)
    }

    /// Notes that the book failed.
    fn failed(&mut self, fault: Fault) -> BookOutcome {
        let Fault {
            stage,
            reason,
            later,
            is_common,
        } = fault;
        let value = match stage {
            "check" => Some("check_failed"),
            "download" => Some("download_failed"),
            _ => None,
        };
        if let Some(value) = value {
            self.history
                .sync(value, &[("error", reason.clone().into())]);
        }
        if !is_common && (stage == "decrypt" || stage == "read") {
            // Another try downloads it anew. A passphrase or a disk is at fault for none of what has come.
            Files::of(&self.shared.staging, self.barcode).remove();
        }
        self.record.failure = Some(Failure {
            barcode: self.barcode.to_owned(),
            stage: stage.to_owned(),
            reason: reason.clone(),
            tries: u64::from(!is_common),
            later,
            encrypted_etag: self.etag.clone(),
            happened_at: date::now(),
        });
        *lock(&self.shared.last_error) = Some(format!("{}: {reason}", self.barcode));
        BookOutcome::Failed { stage, reason }
    }
}

fn said(failure: &Failure) -> String {
    let times = if failure.tries <= 1 {
        "once"
    } else {
        "repeatedly"
    };
    format!("it failed {times} at {}: {}", failure.stage, failure.reason)
}
