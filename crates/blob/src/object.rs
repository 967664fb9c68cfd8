//! What stores tell of objects, and an object that is being read.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use crate::error::{Error, Reason};
use crate::key::Key;

/// Pairs that a store keeps with an object. A local folder keeps none.
pub type Metadata = BTreeMap<String, String>;

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
    /// What the store calls this version of it, without quotes; a local folder has no name for it.
    pub etag: Option<String>,
}

/// What lies right in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Child {
    /// An object.
    Object(Entry),
    /// A folder with something below it.
    Folder(Key),
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
