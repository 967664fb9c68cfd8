//! An archive that was read to its end is stored, and its text beside it.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use blob::{Bytes, Digests, Metadata, Parts, SHA256, Upload};
use serde_json::Value;

use crate::archive::{self, Contents};
use crate::catalogue::sync::StoredArchive;
use crate::date;
use crate::sync::book::Book;
use crate::sync::download::EncryptedArchive;
use crate::sync::shared::{BookOutcome, Fault, Halt, Tries, turn};

/// Bytes of a text that is stored in one piece from memory.
const SMALL_TEXT: u64 = 8 << 20;

/// An upload of a book to one of the rooms, remembered in the folder `staging`.
pub(in crate::sync) fn upload_of(
    staging: &Path,
    barcode: &str,
    room: &str,
    parts: &Parts,
) -> Upload {
    let memory = staging.join(format!("{barcode}.{room}.upload.json"));
    Upload::new(memory, parts.clone())
}

/// The text of a book, in a file of the staging folder.
pub(super) struct WrittenText {
    pub(super) file: PathBuf,
    digests: Digests,
    /// Lines it has.
    pages: u64,
    /// How long it took to read the archive.
    spent: Duration,
}

impl Book<'_> {
    /// Stores the archive and its text, and notes what is then true.
    pub(super) async fn store(
        &mut self,
        encrypted: &EncryptedArchive,
        plain: &Path,
        contents: Contents,
        text: Option<Result<WrittenText, String>>,
    ) -> Result<BookOutcome, Halt> {
        let shared = self.shared;
        let _turn = turn(&shared.stores).await?;
        let Contents {
            digests,
            crc64,
            marc,
            oddities,
            ..
        } = contents;
        let key = shared.storage.archive(self.barcode)?;
        let acquired = jiff::Zoned::now()
            .strftime("%Y-%m-%dT%H:%M:%S%.6f")
            .to_string();
        let barcode = ("barcode".to_owned(), self.barcode.to_owned());
        let acquired = ("acquisition_date".to_owned(), acquired);
        let metadata = Metadata::from([
            barcode.clone(),
            acquired.clone(),
            ("encrypted_etag".to_owned(), encrypted.etag.clone()),
            (
                "original_filename".to_owned(),
                format!("{}.tar.gz.gpg", self.barcode),
            ),
            (SHA256.to_owned(), digests.sha256.clone()),
        ]);
        self.store_file(&key, plain, &metadata, &digests, encrypted.resumed)
            .await?;
        let path = shared.storage.raw.address(&key);
        self.history
            .sync("uploaded", &[("path", path.clone().into())]);
        let now = date::now();
        self.record.fields.storage_path = Some(path.clone());
        self.record.fields.encrypted_etag = Some(encrypted.etag.clone());
        self.record.fields.is_decrypted = Some(true);
        self.record.fields.sync_timestamp = Some(now.clone());
        let (pages, missing) = self.extract((text, marc), &barcode, &acquired).await?;
        self.record.archive = Some(StoredArchive {
            barcode: self.barcode.to_owned(),
            storage_path: path,
            bytes: digests.size,
            sha256: digests.sha256,
            md5: digests.md5,
            crc64,
            encrypted_etag: encrypted.etag.clone(),
            pages,
            stored_at: now,
        });
        if !missing.is_empty() {
            // The archive is safe, and the book is not what it should be: that is not completed.
            self.is_over = true;
            return Err(Fault::new("extract", missing.join("; "), false).into());
        }
        self.record.recovered = true;
        self.history.sync("completed", &[]);
        Ok(BookOutcome::Stored {
            bytes: digests.size,
            pages,
            oddities,
        })
    }

    /// Notes the description and stores the text: how many pages it has, and what is missing and why.
    async fn extract(
        &mut self,
        (text, marc): (
            Option<Result<WrittenText, String>>,
            Result<archive::Marc, String>,
        ),
        barcode: &(String, String),
        acquired: &(String, String),
    ) -> Result<(Option<u64>, Vec<String>), Halt> {
        let shared = self.shared;
        let mut missing = Vec::new();
        if shared.options.marc {
            match marc {
                Ok(marc) => {
                    self.record.marc = Some(marc);
                    self.history.add(
                        "marc_extraction",
                        "completed",
                        &[("field_count", 17.into())],
                    );
                }
                Err(reason) => {
                    self.history.add(
                        "marc_extraction",
                        "failed",
                        &[("error", reason.clone().into())],
                    );
                    missing.push(reason);
                }
            }
        }
        let mut pages = None;
        match text {
            None => {}
            Some(Ok(text)) => {
                self.store_text(&text, barcode, acquired).await?;
                pages = Some(text.pages);
                let spent = Value::from(text.spent.as_millis() as u64);
                let metadata = [
                    ("page_count", text.pages.into()),
                    ("extraction_time_ms", spent),
                ];
                self.history.add("text_extraction", "completed", &metadata);
            }
            Some(Err(reason)) => {
                self.history.add(
                    "text_extraction",
                    "failed",
                    &[("error", reason.clone().into())],
                );
                missing.push(reason);
            }
        }
        Ok((pages, missing))
    }

    /// Stores the archive, going on where an earlier upload stopped.
    async fn store_file(
        &mut self,
        key: &blob::Key,
        plain: &Path,
        metadata: &Metadata,
        digests: &Digests,
        resumed: bool,
    ) -> Result<(), Halt> {
        let shared = self.shared;
        let raw = &shared.storage.raw;
        if resumed && raw.keeps_metadata() && self.is_there(key, metadata, digests).await {
            return Ok(());
        }
        let upload = self.upload("raw");
        let mut tries = Tries::of("the store");
        loop {
            let stored = tokio::select! {
                stored = raw.store_file(key, plain, metadata, digests, &upload) => stored,
                () = shared.stopped() => return Err(Halt::Stopped),
            };
            match stored {
                Ok(_) => {
                    shared.store_answered.fetch_add(1, Ordering::Relaxed);
                    self.look_for_metadata(key, metadata).await;
                    return Ok(());
                }
                Err(error) => {
                    let is_wrong = error.reason() == blob::Reason::Different;
                    if let Err(halt) = self.store_trouble(&mut tries, error, "store").await {
                        if let Halt::Fault(_) = &halt {
                            // Given up: nothing of it stays in the store.
                            let _ = raw.abandon(&upload).await;
                            if is_wrong {
                                let _ = raw.delete(key).await;
                            }
                        }
                        return Err(self.upload_failed(halt));
                    }
                }
            }
        }
    }

    /// Whether the store keeps what is said with an object, asked once: by it other tools know which version is there.
    async fn look_for_metadata(&self, key: &blob::Key, metadata: &Metadata) {
        let shared = self.shared;
        let raw = &shared.storage.raw;
        if !raw.keeps_metadata() || shared.metadata_asked.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Ok(Some(head)) = raw.head(key).await
            && head.metadata.get("encrypted_etag") != metadata.get("encrypted_etag")
        {
            shared.warn(format!(
                "the store does not keep the metadata of objects, `{key}` has none: other tools do not see which version \
                 is stored, and `books verify` goes by the database alone"
            ));
        }
    }

    /// Whether a killed process had stored this very archive already, and only not lived to note it.
    async fn is_there(&self, key: &blob::Key, metadata: &Metadata, digests: &Digests) -> bool {
        let same = |head: &blob::Head, name: &str| head.metadata.get(name) == metadata.get(name);
        let raw = &self.shared.storage.raw;
        let is_named_so = matches!(
            raw.head(key).await,
            Ok(Some(head)) if head.size == digests.size && same(&head, SHA256) && same(&head, "encrypted_etag")
        );
        // Metadata come with the first byte: they tell what was meant to be stored, and its bytes what is.
        is_named_so && matches!(raw.holds(key, digests).await, Ok(true))
    }

    /// Writes the text to a file of the staging folder.
    pub(super) async fn write_text(
        &mut self,
        mut text: archive::Text,
        spent: Duration,
    ) -> Result<WrittenText, Halt> {
        let pack = self.shared.options.pack_text;
        let end = if pack { ".gz" } else { "" };
        let name = format!("{}_ocr.jsonl{end}", self.barcode);
        let file = self.shared.staging.join(name);
        let (pages, target) = (text.pages, file.clone());
        let written = tokio::task::spawn_blocking(move || {
            let output = std::fs::File::create(&target)?;
            if pack {
                text.write_gzip(output)?;
            } else {
                text.write(output)?;
            }
            archive::digests(&target)
        });
        let digests = match written.await {
            Ok(Ok(digests)) => digests,
            Ok(Err(error)) => {
                return Err(self.fault("extract", "upload_failed", &error, true).into());
            }
            Err(error) => {
                return Err(self.fault("extract", "upload_failed", &error, false).into());
            }
        };
        Ok(WrittenText {
            file,
            digests,
            pages,
            spent,
        })
    }

    async fn store_text(
        &mut self,
        text: &WrittenText,
        barcode: &(String, String),
        acquired: &(String, String),
    ) -> Result<(), Halt> {
        let shared = self.shared;
        let pack = shared.options.pack_text;
        let WrittenText { file, digests, .. } = text;
        let metadata = Metadata::from([
            barcode.clone(),
            acquired.clone(),
            ("page_count".to_owned(), text.pages.to_string()),
        ]);
        let key = shared.storage.text(self.barcode, pack)?;
        let full = &shared.storage.full;
        let upload = self.upload("full");
        let mut tries = Tries::of("the store");
        loop {
            let put = async {
                // A file of this machine is moved; in pieces from memory it would be written twice.
                if digests.size <= SMALL_TEXT && !shared.storage.is_local() {
                    let bytes = tokio::fs::read(file).await.map(Bytes::from);
                    match bytes {
                        Ok(bytes) => full.put(&key, bytes, &metadata).await,
                        // The file is looked at again below.
                        Err(_) => {
                            full.store_file(&key, file, &metadata, digests, &upload)
                                .await
                        }
                    }
                } else {
                    full.store_file(&key, file, &metadata, digests, &upload)
                        .await
                }
            };
            let stored = tokio::select! {
                stored = put => stored,
                () = shared.stopped() => return Err(Halt::Stopped),
            };
            match stored {
                Ok(_) => return Ok(()),
                Err(error) => {
                    if let Err(halt) = self.store_trouble(&mut tries, error, "store").await {
                        let _ = full.abandon(&upload).await;
                        return Err(self.upload_failed(halt));
                    }
                }
            }
        }
    }

    fn upload(&self, room: &str) -> Upload {
        let shared = self.shared;
        upload_of(&shared.staging, self.barcode, room, &shared.parts)
    }

    fn upload_failed(&mut self, halt: Halt) -> Halt {
        if let Halt::Fault(fault) = &halt {
            let error = fault.reason.clone();
            self.history
                .sync("upload_failed", &[("error", error.into())]);
            self.record.archive = None;
        }
        halt
    }

    /// Waits where that may help.
    pub(super) async fn store_trouble(
        &self,
        tries: &mut Tries,
        error: blob::Error,
        stage: &'static str,
    ) -> Result<(), Halt> {
        use blob::Reason;
        match error.reason() {
            Reason::Unavailable | Reason::Different => {}
            Reason::Full => {
                self.shared
                    .say_waiting("room in the store", &error.to_string());
            }
            Reason::Missing | Reason::Denied => {
                return Err(Fault::new(stage, error, true).common().into());
            }
            Reason::Name => return Err(Fault::new(stage, error, true).into()),
        }
        let answered = || self.shared.store_answered.load(Ordering::Relaxed);
        tries.wait(self.shared, &error, None, answered, stage).await
    }
}
