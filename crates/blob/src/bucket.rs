//! One bucket, or one folder that stands for one, and what can be done with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use crate::error::{Error, Reason};
use crate::key::Key;
use crate::local::Folder;
use crate::remote::Remote;
use crate::upload::{Digests, Upload};

/// Pairs that a store keeps with an object. A local folder keeps none.
pub type Metadata = BTreeMap<String, String>;

/// A bucket, or a folder that stands for one. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Bucket {
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Local(Folder),
    Remote(Remote),
}

/// How it is known that an object is what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The store's own digest is the expected one.
    Digest,
    /// The object was read back and hashed.
    ReadBack,
    /// The file itself was moved into place on the same disk.
    Moved,
}

/// An object that is stored, and proved to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its size in bytes.
    pub size: u64,
    /// What the store calls this version of it, without quotes.
    pub etag: Option<String>,
    /// How it is known.
    pub proof: Proof,
}

/// What a store tells about an object without sending it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its size in bytes.
    pub size: u64,
    /// What the store calls this version of it, without quotes.
    pub etag: Option<String>,
    /// What was kept with it.
    pub metadata: Metadata,
}

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, in seconds since 1970.
    pub modified: i64,
}

impl Bucket {
    /// The folder `root`, which is made when something is stored.
    pub fn local(root: impl Into<PathBuf>) -> Self {
        Self {
            place: Place::Local(Folder::new(root.into())),
        }
    }

    /// A bucket of a remote store.
    pub fn remote(remote: Remote) -> Self {
        Self {
            place: Place::Remote(remote),
        }
    }

    /// Where an object is, as people and other tools write it: `bucket/key`, or an absolute path.
    pub fn address(&self, key: &Key) -> String {
        match &self.place {
            Place::Local(folder) => folder.path(key).to_string_lossy().into_owned(),
            Place::Remote(remote) => format!("{}/{key}", remote.name()),
        }
    }

    /// Whether metadata are kept with objects.
    pub fn keeps_metadata(&self) -> bool {
        matches!(self.place, Place::Remote(_))
    }

    /// Stores a few bytes, in place of what was there.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from confirming them.
    pub async fn put(&self, key: &Key, bytes: Bytes, metadata: &Metadata) -> Result<Stored, Error> {
        match &self.place {
            Place::Local(folder) => folder.put(key, bytes).await,
            Place::Remote(remote) => {
                let digests = Digests::of(&bytes);
                let etag = remote.put(key, bytes, metadata).await?;
                self.prove(key, &digests, etag, &[]).await
            }
        }
    }

    /// Stores a file whose digests are known, in place of what was there. A local folder takes the file itself; a
    /// remote store leaves it where it is. `upload` remembers what a remote store has of it.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from confirming it. What is stored of it by then is remembered, and the next call goes
    /// on from there.
    pub async fn store_file(
        &self,
        key: &Key,
        file: &Path,
        metadata: &Metadata,
        digests: &Digests,
        upload: &Upload,
    ) -> Result<Stored, Error> {
        match &self.place {
            Place::Local(folder) => folder.take(key, file, digests).await,
            Place::Remote(remote) => {
                let (etag, parts) = upload.send(remote, key, file, metadata, digests).await?;
                let stored = self.prove(key, digests, etag, &parts).await?;
                upload.forget().await?;
                Ok(stored)
            }
        }
    }

    /// Gives an unfinished upload up: the store forgets its parts.
    ///
    /// # Errors
    ///
    /// The store's. Parts that it has forgotten before are no error.
    pub async fn abandon(&self, upload: &Upload) -> Result<(), Error> {
        match &self.place {
            Place::Local(_) => upload.forget().await,
            Place::Remote(remote) => upload.abandon(remote).await,
        }
    }

    /// Compares what the store holds with what was sent: by size and by its digest, or by reading it back where the
    /// store's digest is of another kind (R2, encryption with keys, Google's composed objects).
    async fn prove(
        &self,
        key: &Key,
        digests: &Digests,
        etag: Option<String>,
        parts: &[[u8; 16]],
    ) -> Result<Stored, Error> {
        let head = self
            .head(key)
            .await?
            .ok_or_else(|| Error::new(Reason::Different, key, "it was stored, and is not there"))?;
        let wrong = |detail: String| Error::new(Reason::Different, key, detail);
        if head.size != digests.size {
            return Err(wrong(format!(
                "it has {} bytes, expected {}",
                head.size, digests.size
            )));
        }
        let etag = etag.or(head.etag);
        let proof = if etag.as_deref() == Some(&digests.etag(parts)) {
            Proof::Digest
        } else {
            let sha256 = crate::upload::sha256_of(self.read(key).await?).await?;
            if sha256 != digests.sha256 {
                return Err(wrong(format!(
                    "its SHA-256 is {sha256}, expected {}",
                    digests.sha256
                )));
            }
            Proof::ReadBack
        };
        Ok(Stored {
            size: head.size,
            etag,
            proof,
        })
    }

    /// What the store tells about an object; `None` if it has none of that name.
    ///
    /// # Errors
    ///
    /// The store's. A store that lets nobody list a bucket answers [`Reason::Denied`] for an object that is not there.
    pub async fn head(&self, key: &Key) -> Result<Option<Head>, Error> {
        match &self.place {
            Place::Local(folder) => folder.head(key).await,
            Place::Remote(remote) => remote.head(key).await,
        }
    }

    /// Opens an object to read it from its beginning.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`], or the store's.
    pub async fn read(&self, key: &Key) -> Result<Reader, Error> {
        match &self.place {
            Place::Local(folder) => folder.read(key).await,
            Place::Remote(remote) => remote.read(key).await,
        }
    }

    /// All objects whose names begin with `folder` and a `/`, in no particular order, a page at a time.
    pub fn list(&self, folder: &Key) -> BoxStream<'static, Result<Entry, Error>> {
        match &self.place {
            Place::Local(local) => local.list(folder),
            Place::Remote(remote) => remote.list(folder),
        }
    }

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn delete(&self, key: &Key) -> Result<(), Error> {
        match &self.place {
            Place::Local(folder) => folder.delete(key).await,
            Place::Remote(remote) => remote.delete(key).await,
        }
    }
}

/// An object that is being read.
pub struct Reader {
    size: u64,
    left: u64,
    key: Key,
    pieces: BoxStream<'static, Result<Bytes, Error>>,
}

impl Reader {
    pub(crate) fn new(
        key: &Key,
        size: u64,
        pieces: BoxStream<'static, Result<Bytes, Error>>,
    ) -> Self {
        Self {
            size,
            left: size,
            key: key.clone(),
            pieces,
        }
    }

    /// The size of the whole object in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The next piece; `None` at its end.
    ///
    /// # Errors
    ///
    /// The store's, and [`Reason::Unavailable`] if the object ends early or goes on too long.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(piece) = self.pieces.next().await.transpose()? else {
            if self.left == 0 {
                return Ok(None);
            }
            let detail = format!("it ended {} bytes before its end", self.left);
            return Err(Error::new(Reason::Unavailable, &self.key, detail));
        };
        let Some(left) = self.left.checked_sub(piece.len() as u64) else {
            let detail = format!("it goes on after its {} bytes", self.size);
            return Err(Error::new(Reason::Unavailable, &self.key, detail));
        };
        self.left = left;
        Ok(Some(piece))
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("key", &self.key)
            .field("size", &self.size)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
