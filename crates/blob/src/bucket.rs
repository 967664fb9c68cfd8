//! One bucket, or one folder that stands for one, and what can be done with it.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::error::{Error, Reason};
use crate::key::Key;
use crate::local::Folder;
use crate::object::{Child, Entry, Head, Metadata, Proof, Reader, Stored};
use crate::remote::Remote;
use crate::upload::{Digests, Upload};

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

impl Bucket {
    /// The folder `root`, which is made when something is stored.
    pub fn local(root: impl Into<PathBuf>) -> Self {
        Self {
            place: Place::Local(Folder::new(root.into(), true)),
        }
    }

    /// The folder `root`, which somebody has made. Where it is missing, its disk is not mounted: that says nothing about
    /// its objects, and nothing is written in its place.
    pub fn local_kept(root: impl Into<PathBuf>) -> Self {
        Self {
            place: Place::Local(Folder::new(root.into(), false)),
        }
    }

    /// Whether a folder that has to be there is there. A remote store tells with each call.
    ///
    /// # Errors
    ///
    /// [`Reason::Unavailable`].
    pub fn check_there(&self) -> Result<(), Error> {
        match &self.place {
            Place::Local(folder) => folder.check(),
            Place::Remote(_) => Ok(()),
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

    /// Stores a few bytes, in place of what was there. Where the store's answer has their MD5, that is the proof; otherwise
    /// they are read back.
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
                // To ask for the object again would tell nothing more, and costs as much as to store it: records of
                // heard files come by the million.
                if etag.as_deref() == Some(&digests.etag(&[])) {
                    return Ok(Stored {
                        size: digests.size,
                        etag,
                        proof: Proof::Digest,
                    });
                }
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
                let proved = self.prove(key, digests, etag, &parts).await;
                // Parts that make something else are not to be trusted a second time: the next try sends all of them.
                let is_over = match &proved {
                    Ok(_) => true,
                    Err(error) => error.reason() == Reason::Different,
                };
                if is_over {
                    upload.forget().await?;
                }
                proved
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

    /// Whether a remote object is the very bytes with these digests, which is read back unless its `ETag` tells.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn holds(&self, key: &Key, digests: &Digests) -> Result<bool, Error> {
        match self.prove(key, digests, None, &[]).await {
            Ok(_) => Ok(true),
            Err(error) if error.reason() == Reason::Different => Ok(false),
            Err(error) => Err(error),
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

    /// The first `bytes` bytes of an object, or all of it if it has fewer.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`], or the store's.
    pub async fn read_head(&self, key: &Key, bytes: u64) -> Result<Bytes, Error> {
        match &self.place {
            Place::Local(folder) => folder.read_head(key, bytes).await,
            Place::Remote(remote) => remote.read_head(key, bytes).await,
        }
    }

    /// All objects whose names begin with `folder` and a `/`, or all objects, in no particular order, a page at a time.
    pub fn list<'a>(
        &self,
        folder: impl Into<Option<&'a Key>>,
    ) -> BoxStream<'static, Result<Entry, Error>> {
        match &self.place {
            Place::Local(local) => local.list(folder.into()),
            Place::Remote(remote) => remote.list(folder.into()),
        }
    }

    /// What lies right in `folder`, or in the bucket itself, in order of names.
    ///
    /// # Errors
    ///
    /// The store's. A folder that is not there is empty: a store has no folders but names with a `/`.
    pub async fn children(&self, folder: Option<&Key>) -> Result<Vec<Child>, Error> {
        let mut children = match &self.place {
            Place::Local(local) => local.children(folder).await,
            Place::Remote(remote) => remote.children(folder).await,
        }?;
        let key = |child: &Child| match child {
            Child::Object(entry) => entry.key.clone(),
            Child::Folder(key) => key.clone(),
        };
        children.sort_by_cached_key(key);
        Ok(children)
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
