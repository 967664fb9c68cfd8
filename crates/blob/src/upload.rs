//! Sends files to a remote store in parts, and remembers which parts the store has.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::sync::Semaphore;

use crate::error::{Error, Reason};
use crate::key::Key;
use crate::object::{Metadata, Reader};
use crate::remote::Remote;

/// Size of a part in bytes. S3 wants 5 MiB at least and R2 parts of one size; 10,000 parts of this size are 80 GiB,
/// larger files get larger parts.
pub const PART_BYTES: u64 = 8 << 20;

/// The most parts that any store takes for one object.
const MOST_PARTS: u64 = 10_000;

/// Parts of one file that are under way at once.
const PARTS_AT_ONCE: usize = 4;

/// The name, among an object's metadata, of its SHA-256 in hexadecimal digits.
pub const SHA256: &str = "sha256";

/// What is known of a file's bytes before it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// Bytes in all.
    pub size: u64,
    /// SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// MD5, in hexadecimal digits.
    pub md5: String,
}

impl Digests {
    /// Those of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            sha256: hex(&Sha256::digest(bytes)),
            md5: hex(&Md5::digest(bytes)),
        }
    }

    /// The `ETag` that S3 gives an object sent in `parts` with these MD5s, or in one piece if there are none.
    pub(crate) fn etag(&self, parts: &[[u8; 16]]) -> String {
        if parts.is_empty() {
            return self.md5.clone();
        }
        let all = Md5::digest(parts.concat());
        format!("{}-{}", hex(&all), parts.len())
    }
}

/// The parts of all files together that may be in memory at once.
#[derive(Clone, Debug)]
pub struct Parts(Arc<Semaphore>);

impl Parts {
    /// At most `count` parts at once.
    pub fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count.max(1))))
    }
}

/// Where one file's upload is remembered, so that it goes on after the process has ended in whatever way.
#[derive(Clone, Debug)]
pub struct Upload {
    memory: PathBuf,
    parts: Parts,
}

/// What a store has of a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    bucket: String,
    key: String,
    upload_id: String,
    part_size: u64,
    sha256: String,
    /// By their number from 0.
    parts: BTreeMap<usize, Part>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Part {
    /// What the store calls it.
    id: String,
    md5: [u8; 16],
}

impl Upload {
    /// An upload that is remembered in the file `memory`.
    pub fn new(memory: impl Into<PathBuf>, parts: Parts) -> Self {
        Self {
            memory: memory.into(),
            parts,
        }
    }

    /// Sends a file, or what the store does not have of it. Gives what the store calls the object, and the MD5s of its
    /// parts, none if it went in one piece.
    pub(crate) async fn send(
        &self,
        remote: &Remote,
        key: &Key,
        file: &Path,
        metadata: &Metadata,
        digests: &Digests,
    ) -> Result<(Option<String>, Vec<[u8; 16]>), Error> {
        if digests.size <= PART_BYTES {
            self.abandon(remote).await?;
            let _room = self.parts.0.acquire().await;
            let bytes = read_part(file, 0, digests.size)
                .await
                .map_err(Error::io(key))?;
            return Ok((remote.put(key, bytes, metadata).await?, Vec::new()));
        }
        match self.send_parts(remote, key, file, metadata, digests).await {
            // The store has forgotten the upload: it was completed and nobody lived to note that, or a rule of the
            // bucket, or somebody's tidying, has removed it.
            Err(error) if error.reason() == Reason::Missing => {
                if let Some(completed) = self.completed(remote, key, digests).await? {
                    return Ok(completed);
                }
                self.forget().await?;
                self.send_parts(remote, key, file, metadata, digests).await
            }
            result => result,
        }
    }

    async fn send_parts(
        &self,
        remote: &Remote,
        key: &Key,
        file: &Path,
        metadata: &Metadata,
        digests: &Digests,
    ) -> Result<(Option<String>, Vec<[u8; 16]>), Error> {
        let mut state = match self.remembered()? {
            Some(state) if state.is_of(remote, key, digests) => state,
            Some(_) => {
                self.abandon(remote).await?;
                self.begin(remote, key, metadata, digests).await?
            }
            None => self.begin(remote, key, metadata, digests).await?,
        };
        let count = digests.size.div_ceil(state.part_size) as usize;
        let missing: Vec<usize> = (0..count)
            .filter(|number| !state.parts.contains_key(number))
            .collect();
        let (part_size, id) = (state.part_size, state.upload_id.clone());
        let send = |number: usize| {
            let id = &id;
            async move {
                let _room = self.parts.0.acquire().await;
                let begin = number as u64 * part_size;
                let length = part_size.min(digests.size - begin);
                let bytes = read_part(file, begin, length)
                    .await
                    .map_err(Error::io(key))?;
                let (bytes, md5) = digest(bytes).await;
                let id = remote.put_part(key, id, number, bytes).await?;
                Ok::<_, Error>((number, Part { id, md5 }))
            }
        };
        let mut missing = missing.into_iter();
        let mut under_way: FuturesUnordered<_> =
            missing.by_ref().take(PARTS_AT_ONCE).map(send).collect();
        while let Some(sent) = under_way.next().await {
            let (number, part) = sent?;
            state.parts.insert(number, part);
            self.remember(&state).await?;
            under_way.extend(missing.next().map(send));
        }
        let ids = state.parts.values().map(|part| part.id.clone()).collect();
        let etag = remote.complete(key, &state.upload_id, ids).await?;
        Ok((etag, state.parts.values().map(|part| part.md5).collect()))
    }

    /// The object itself, if all its parts were sent and it is there with the right digest in its metadata.
    async fn completed(
        &self,
        remote: &Remote,
        key: &Key,
        digests: &Digests,
    ) -> Result<Option<(Option<String>, Vec<[u8; 16]>)>, Error> {
        let Some(state) = self.remembered()? else {
            return Ok(None);
        };
        let count = digests.size.div_ceil(state.part_size.max(1));
        let head = remote.head(key).await?.filter(|head| {
            state.parts.len() as u64 == count
                && head.size == digests.size
                && head.metadata.get(SHA256) == Some(&digests.sha256)
        });
        let parts = state.parts.values().map(|part| part.md5).collect();
        Ok(head.map(|head| (head.etag, parts)))
    }

    async fn begin(
        &self,
        remote: &Remote,
        key: &Key,
        metadata: &Metadata,
        digests: &Digests,
    ) -> Result<State, Error> {
        let part_size = PART_BYTES.max(digests.size.div_ceil(MOST_PARTS));
        let state = State {
            bucket: remote.name().to_owned(),
            key: key.to_string(),
            upload_id: remote.begin_upload(key, metadata).await?,
            part_size,
            sha256: digests.sha256.clone(),
            parts: BTreeMap::new(),
        };
        self.remember(&state).await?;
        Ok(state)
    }

    /// Tells the store to forget what it has of the file, and forgets it, too.
    pub(crate) async fn abandon(&self, remote: &Remote) -> Result<(), Error> {
        let Some(state) = self.remembered()? else {
            return self.forget().await;
        };
        if state.bucket == remote.name()
            && let Ok(key) = Key::new(state.key)
        {
            match remote.abort(&key, &state.upload_id).await {
                Err(error) if error.reason() != Reason::Missing => return Err(error),
                _ => {}
            }
        }
        self.forget().await
    }

    /// Forgets the upload, which is complete or given up.
    pub(crate) async fn forget(&self) -> Result<(), Error> {
        match tokio::fs::remove_file(&self.memory).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(self.memory.display())(error))
            }
            _ => Ok(()),
        }
    }

    /// What an earlier call has reached. A file that cannot be read as such is worth nothing: the upload begins anew.
    fn remembered(&self) -> Result<Option<State>, Error> {
        match std::fs::read(&self.memory) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(self.memory.display())(error)),
        }
    }

    async fn remember(&self, state: &State) -> Result<(), Error> {
        let bytes = serde_json::to_vec(state).unwrap_or_default();
        let path = self.memory.clone();
        let written = tokio::task::spawn_blocking(move || {
            let folder = path.parent().unwrap_or(Path::new("."));
            let mut beside = tempfile::NamedTempFile::new_in(folder)?;
            beside.write_all(&bytes)?;
            beside.persist(&path).map_err(|error| error.error)?;
            Ok(())
        })
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(Error::io(self.memory.display()))
    }
}

impl State {
    fn is_of(&self, remote: &Remote, key: &Key, digests: &Digests) -> bool {
        self.bucket == remote.name()
            && self.key == key.as_str()
            && self.sha256 == digests.sha256
            && self.part_size >= PART_BYTES
    }
}

async fn read_part(file: &Path, begin: u64, length: u64) -> io::Result<Bytes> {
    let file = file.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::open(file)?;
        file.seek(SeekFrom::Start(begin))?;
        let mut bytes = vec![0; length as usize];
        file.read_exact(&mut bytes)?;
        Ok(Bytes::from(bytes))
    })
    .await
    .unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// The MD5 of a part, computed where it keeps nobody waiting.
async fn digest(bytes: Bytes) -> (Bytes, [u8; 16]) {
    let copy = bytes.clone();
    let md5 = tokio::task::spawn_blocking(move || Md5::digest(&copy).into()).await;
    (bytes, md5.unwrap_or_default())
}

/// The SHA-256 of an object, read to its end.
pub(crate) async fn sha256_of(mut reader: Reader) -> Result<String, Error> {
    let mut sha256 = Sha256::new();
    while let Some(piece) = reader.piece().await? {
        sha256.update(&piece);
    }
    Ok(hex(&sha256.finalize()))
}

/// Hexadecimal digits in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_are_those_of_s3() {
        let whole = Digests::of(b"hello");
        assert_eq!(whole.etag(&[]), "5d41402abc4b2a76b9719d911017c592");
        // aws s3api, two parts "hello" and "hello".
        let part: [u8; 16] = Md5::digest(b"hello").into();
        assert_eq!(
            whole.etag(&[part, part]),
            format!("{}-2", hex(&Md5::digest([part, part].concat())))
        );
    }
}
