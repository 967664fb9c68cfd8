//! Compares what is stored with what is recorded, and puts back into the queue what is not right.
//!
//! Looking costs a request for each book; reading (`--read`) costs its bytes, and proves them: digest, compression, list
//! of files, text and description again. A sample of books is chosen by their barcodes, so that the same share names the
//! same books, and another seed others.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use blob::{Bucket, Key, Reader};
use futures_util::StreamExt as _;
use run::Cancel;
use serde::Serialize;

use crate::archive::{self, Limits};
use crate::catalogue::Catalogue;
use crate::catalogue::sync::{self as archives, SaidStored};
use crate::date;
use crate::error::Error;
use crate::run::RunConfig;
use crate::sync::Storage;

/// How thoroughly it is looked.
#[derive(Clone, Debug)]
pub struct Verify {
    /// The share of books that is looked at, from 0 to 1.
    pub share: f64,
    /// Chooses other books of the same share.
    pub seed: u64,
    /// Whether archives are read and hashed.
    pub read: bool,
    /// Whether a local folder that is empty is believed, and all that is said to be stored in it is lost.
    pub allow_empty: bool,
    /// Books looked at at once.
    pub at_once: usize,
}

impl Default for Verify {
    fn default() -> Self {
        Self {
            share: 1.0,
            seed: 0,
            read: false,
            allow_empty: false,
            at_once: 8,
        }
    }
}

/// What is wrong with one book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The book.
    pub barcode: String,
    /// What is wrong.
    pub reason: String,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verified {
    /// Books that are said to be stored.
    pub said: u64,
    /// Books looked at.
    pub looked_at: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Books that are not right.
    pub wrong: Vec<Wrong>,
    /// Books about which the store did not answer.
    pub unknown: Vec<Wrong>,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

/// What looking at one book brought.
enum Found {
    Right(u64),
    Wrong(String),
    /// The store did not answer: that says nothing about the book.
    Unknown(String),
}

/// Books read from the database at a time.
const STEP: u32 = 500;

/// Looks at what is stored.
///
/// # Errors
///
/// The database's, settings of the storage that make no sense, and [`Error::Emptied`].
pub fn verify(
    catalogue: &Catalogue,
    config: &RunConfig,
    options: &Verify,
    cancel: &Cancel,
    found: &(dyn Fn(&Wrong) + Sync),
) -> Result<Verified, Error> {
    let storage = Arc::new(Storage::open(config)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::file("start work with", Path::new("the network")))?;
    runtime.block_on(async {
        if !options.allow_empty {
            storage.check_filled(catalogue).await?;
        }
        let mut verified = Verified::default();
        let mut above = String::new();
        // Of few books a small share may be none, and nothing is proved by looking at nothing.
        let mut nearest: Option<(u64, SaidStored)> = None;
        loop {
            let books = archives::said_stored(catalogue, &above, STEP)?;
            let Some(last) = books.last() else {
                break;
            };
            above.clone_from(&last.barcode);
            verified.said += books.len() as u64;
            let first = books
                .iter()
                .min_by_key(|book| place(&book.barcode, options));
            let first = first.map(|book| (place(&book.barcode, options), book.clone()));
            nearest = [nearest, first]
                .into_iter()
                .flatten()
                .min_by_key(|(place, _)| *place);
            let chosen = books
                .into_iter()
                .filter(|book| is_chosen(&book.barcode, options))
                .collect();
            look_at(&storage, chosen, options, (cancel, found), &mut verified).await;
            if verified.stopped {
                return Ok(verified);
            }
        }
        if let (0, Some((_, book))) = (verified.looked_at, nearest) {
            look_at(
                &storage,
                vec![book],
                options,
                (cancel, found),
                &mut verified,
            )
            .await;
        }
        Ok(verified)
    })
}

/// Looks at some books, and adds what is found.
async fn look_at(
    storage: &Arc<Storage>,
    books: Vec<SaidStored>,
    options: &Verify,
    (cancel, found): (&Cancel, &(dyn Fn(&Wrong) + Sync)),
    verified: &mut Verified,
) {
    let looks = books.into_iter().map(|book| {
        let (storage, read) = (Arc::clone(storage), options.read);
        async move {
            let look = look(&storage, &book, read).await;
            (book.barcode, look)
        }
    });
    let mut looks = futures_util::stream::iter(looks).buffer_unordered(options.at_once.max(1));
    while let Some((barcode, look)) = looks.next().await {
        verified.looked_at += 1;
        match look {
            Found::Right(bytes) => verified.read_bytes += bytes,
            Found::Wrong(reason) => {
                let wrong = Wrong { barcode, reason };
                found(&wrong);
                verified.wrong.push(wrong);
            }
            Found::Unknown(reason) => verified.unknown.push(Wrong { barcode, reason }),
        }
        if cancel.is_requested() {
            verified.stopped = true;
            return;
        }
    }
}

/// Puts books back into the queue.
///
/// # Errors
///
/// The database's.
pub fn repair(catalogue: &Catalogue, wrong: &[Wrong]) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(Error::file("start work with", Path::new("the database")))?;
    for some in wrong.chunks(STEP as usize) {
        let books = some
            .iter()
            .map(|wrong| (wrong.barcode.clone(), wrong.reason.clone()));
        runtime.block_on(archives::doubt(catalogue, books.collect(), date::now()))?;
    }
    Ok(())
}

fn is_chosen(barcode: &str, options: &Verify) -> bool {
    options.share >= 1.0 || (place(barcode, options) as f64) < options.share * u64::MAX as f64
}

/// A number that stands for a book among those a sample is drawn from.
fn place(barcode: &str, options: &Verify) -> u64 {
    let mut hasher = DefaultHasher::new();
    (options.seed, barcode).hash(&mut hasher);
    hasher.finish()
}

async fn look(storage: &Storage, book: &SaidStored, read: bool) -> Found {
    match look_closely(storage, book, read).await {
        Ok(found) => found,
        // Something else lies in its place: a folder, a link, a pipe.
        Err(Error::Storage(error)) if error.reason() == blob::Reason::Different => {
            Found::Wrong(format!("the archive in the store: {error}"))
        }
        Err(error) => Found::Unknown(error.to_string()),
    }
}

async fn look_closely(storage: &Storage, book: &SaidStored, read: bool) -> Result<Found, Error> {
    let Some(key) = find(storage, &book.barcode).await? else {
        return Ok(Found::Wrong("the archive is not in the store".to_owned()));
    };
    let Some(head) = storage.raw.head(&key).await? else {
        return Ok(Found::Wrong("the archive is not in the store".to_owned()));
    };
    if head.size == 0 {
        return Ok(Found::Wrong("the archive in the store is empty".to_owned()));
    }
    let recorded = book.archive.as_ref();
    if let Some(archive) = recorded.filter(|archive| archive.bytes != head.size) {
        let reason = format!(
            "the archive in the store has {} bytes, {} are recorded",
            head.size, archive.bytes
        );
        return Ok(Found::Wrong(reason));
    }
    if let Some(reason) = &book.contradiction {
        return Ok(Found::Wrong(reason.clone()));
    }
    let mut texts = None;
    for packed in [true, false] {
        let text = storage.text(&book.barcode, packed)?;
        if storage.full.head(&text).await?.is_some() {
            texts = Some(text);
            break;
        }
    }
    if texts.is_none() && recorded.is_some_and(|archive| archive.pages.is_some()) {
        return Ok(Found::Wrong("the text is not in the store".to_owned()));
    }
    if !read {
        return Ok(Found::Right(0));
    }
    let expected = recorded
        .map(|archive| archive.sha256.clone())
        .or_else(|| head.metadata.get(blob::SHA256).cloned());
    read_back(
        storage,
        &key,
        texts,
        recorded.and_then(|archive| archive.pages),
        expected,
    )
    .await
}

/// The archive's name: that of today, or that of versions long ago.
async fn find(storage: &Storage, barcode: &str) -> Result<Option<Key>, Error> {
    let today = storage.archive(barcode)?;
    if storage.raw.head(&today).await?.is_some() {
        return Ok(Some(today));
    }
    let old = Key::new(format!("{barcode}/{barcode}.tar.gz"))?;
    Ok(storage.raw.head(&old).await?.map(|_| old))
}

/// Reads an archive from its store to its end.
async fn read_back(
    storage: &Storage,
    key: &Key,
    text: Option<Key>,
    pages: Option<u64>,
    expected: Option<String>,
) -> Result<Found, Error> {
    let contents = match contents(&storage.raw, key).await? {
        Ok(contents) => contents,
        Err(reason) => return Ok(Found::Wrong(reason)),
    };
    let bytes = contents.digests.size;
    if let Some(expected) = expected.filter(|expected| *expected != contents.digests.sha256) {
        let reason = format!(
            "the archive's SHA-256 is {}, expected {expected}",
            contents.digests.sha256
        );
        return Ok(Found::Wrong(reason));
    }
    let Ok(mut found) = contents.text else {
        return Ok(Found::Right(bytes));
    };
    if pages.is_none() && text.is_none() {
        return Ok(Found::Right(bytes));
    }
    let Some(text) = text else {
        return Ok(Found::Wrong("the text is not in the store".to_owned()));
    };
    let stored = lines(&storage.full, &text).await?;
    let mut lines = Vec::new();
    if found.write(&mut lines).is_err() || stored != Some(lines) {
        return Ok(Found::Wrong(
            "the text in the store is not that of the archive".to_owned(),
        ));
    }
    Ok(Found::Right(bytes))
}

/// Bytes of a text that are compared: a thousand pages have some millions.
const LONGEST_TEXT: u64 = 256 << 20;

/// A text from its store, unpacked; `None` if it is damaged.
async fn lines(bucket: &Bucket, key: &Key) -> Result<Option<Vec<u8>>, Error> {
    let packed = Path::new(key.as_str())
        .extension()
        .is_some_and(|end| end == "gz");
    let reader = bucket.read(key).await?;
    let source = Blocking::new(reader);
    let read = tokio::task::spawn_blocking(move || {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        let read = if packed {
            flate2::read::MultiGzDecoder::new(source)
                .take(LONGEST_TEXT)
                .read_to_end(&mut bytes)
        } else {
            source.take(LONGEST_TEXT).read_to_end(&mut bytes)
        };
        read.is_ok().then_some(bytes)
    });
    read.await.map_err(|_| Error::Gone("reading a text"))
}

/// What is in a stored archive, or why it is not whole.
async fn contents(bucket: &Bucket, key: &Key) -> Result<Result<archive::Contents, String>, Error> {
    let reader = bucket.read(key).await?;
    let size = reader.size();
    let source = Blocking::new(reader);
    let failed = Arc::clone(&source.failed);
    let read = tokio::task::spawn_blocking(move || {
        archive::read_from(source, size, &Limits::default()).map_err(|error| error.to_string())
    });
    let contents = read.await.map_err(|_| Error::Gone("reading an archive"))?;
    let failed = failed
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .take();
    match failed {
        // The store's failure says nothing about the archive.
        Some(error) => Err(error.into()),
        None => Ok(contents),
    }
}

/// A stream as something that blocks, for a thread of its own.
struct Blocking {
    reader: Reader,
    runtime: tokio::runtime::Handle,
    piece: blob::Bytes,
    failed: Arc<std::sync::Mutex<Option<blob::Error>>>,
}

impl Blocking {
    fn new(reader: Reader) -> Self {
        Self {
            reader,
            runtime: tokio::runtime::Handle::current(),
            piece: blob::Bytes::new(),
            failed: Arc::default(),
        }
    }
}

impl std::io::Read for Blocking {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.runtime.block_on(self.reader.piece()) {
                Ok(Some(piece)) => self.piece = piece,
                Ok(None) => return Ok(0),
                Err(error) => {
                    let said = std::io::Error::other(error.to_string());
                    let mut failed = self
                        .failed
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    *failed = Some(error);
                    return Err(said);
                }
            }
        }
        let count = buffer.len().min(self.piece.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}
