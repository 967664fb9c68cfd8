//! A folder of this machine or of the network, or a part of a bucket, by the address that a person gives.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blob::{Bucket, Bytes, Child, Entry, Key, Kind, Metadata, Reason, Remote, Settings};
use futures_util::StreamExt as _;
use run::Cancel;
use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Result};

/// Where objects are. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Place {
    address: String,
    bucket: Bucket,
    /// What all names begin with; a folder is a bucket of its own.
    prefix: Option<Key>,
    folder: Option<PathBuf>,
    runtime: Arc<Runtime>,
}

impl Place {
    /// The place at `address`: `s3://bucket/prefix`, `r2://`, `minio://` or `gs://` likewise, or a folder. `endpoint` is
    /// the address of a store that is not the kind's own.
    ///
    /// # Errors
    ///
    /// When the address is none, or credentials cannot be read. Nothing is asked yet.
    pub fn open(address: &str, endpoint: Option<&str>) -> Result<Self> {
        let failed = |reason: String| Error::Place {
            place: address.to_owned(),
            reason,
        };
        let runtime = Arc::new(runtime()?);
        let Some((scheme, rest)) = address.split_once("://") else {
            // One that is not there yet is made where it was meant.
            let folder = match run::canonical_path(address.as_ref()) {
                Ok(folder) => folder,
                Err(_) => std::path::absolute(address)?,
            };
            return Ok(Self {
                address: address.to_owned(),
                bucket: Bucket::local(&folder),
                prefix: None,
                folder: Some(folder),
                runtime,
            });
        };
        let kind = match scheme {
            "gs" => Kind::Gcs,
            "s3" | "r2" | "minio" => scheme.parse().map_err(|_| failed(String::new()))?,
            _ => {
                let expected = "expected a folder, or `s3://bucket/prefix` (or r2, minio, gs)";
                return Err(failed(expected.to_owned()));
            }
        };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let prefix = (!prefix.is_empty()).then(|| Key::new(prefix)).transpose();
        if name.is_empty() {
            return Err(failed("expected the name of a bucket".to_owned()));
        }
        let settings = Settings {
            kind,
            endpoint: endpoint.map(str::to_owned),
            credentials_file: None,
        };
        let remote = Remote::open(&settings, name).map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            address: address.to_owned(),
            bucket: Bucket::remote(remote),
            prefix: prefix.map_err(|error| failed(error.to_string()))?,
            folder: None,
            runtime,
        })
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The name of an object by its name in this place.
    fn key(&self, name: &str) -> Result<Key, blob::Error> {
        Key::new(match &self.prefix {
            Some(prefix) => format!("{prefix}/{name}"),
            None => name.to_owned(),
        })
    }

    /// The name in this place of an object.
    fn name<'a>(&self, key: &'a Key) -> &'a str {
        let key = key.as_str();
        match &self.prefix {
            Some(prefix) => key
                .strip_prefix(prefix.as_str())
                .map_or(key, |name| name.trim_start_matches('/')),
            None => key,
        }
    }

    pub(crate) fn failed(&self, error: &dyn fmt::Display) -> Error {
        Error::Place {
            place: self.address.clone(),
            reason: error.to_string(),
        }
    }

    /// Whether there is an object of this name.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) fn has(&self, name: &str) -> Result<bool, blob::Error> {
        let key = self.key(name)?;
        match self.runtime.block_on(self.bucket.head(&key)) {
            Ok(head) => Ok(head.is_some()),
            // A store that lets nobody list says so of what is not there.
            Err(error) if error.reason() == Reason::Denied => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Stores bytes whole, in place of what was there.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from confirming them.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), blob::Error> {
        let key = self.key(name)?;
        let none = Metadata::new();
        let put = self.bucket.put(&key, Bytes::from(bytes), &none);
        self.runtime.block_on(put).map(drop)
    }

    async fn reader(&self, name: &str) -> std::io::Result<blob::Reader> {
        let key = self.key(name).map_err(std::io::Error::other)?;
        self.bucket.read(&key).await.map_err(std::io::Error::other)
    }

    /// Reads an object of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// The store's, or that it is larger.
    pub(crate) fn get(&self, name: &str, limit: u64) -> std::io::Result<Vec<u8>> {
        if let Some(folder) = &self.folder {
            return run::read_regular_file(&folder.join(name), limit);
        }
        self.runtime.block_on(async {
            let mut reader = self.reader(name).await?;
            if reader.size() > limit {
                let reason = format!("larger than {limit} bytes");
                return Err(std::io::Error::new(
                    std::io::ErrorKind::FileTooLarge,
                    reason,
                ));
            }
            let mut bytes = Vec::with_capacity(reader.size() as usize);
            while let Some(piece) = reader.piece().await.map_err(std::io::Error::other)? {
                bytes.extend_from_slice(&piece);
            }
            Ok(bytes)
        })
    }

    /// The first bytes of an object.
    pub(crate) fn head(&self, name: &str, bytes: u64) -> Result<Bytes, blob::Error> {
        let key = self.key(name)?;
        self.runtime.block_on(self.bucket.read_head(&key, bytes))
    }

    /// Copies an object to a file that is made for it, as it comes.
    ///
    /// # Errors
    ///
    /// The store's, the disk's, or that the object has another size than `size`.
    pub(crate) fn download(&self, name: &str, to: &Path, size: u64) -> std::io::Result<()> {
        self.runtime.block_on(async {
            let mut reader = self.reader(name).await?;
            if reader.size() != size {
                let reason = format!(
                    "it has {} bytes, and had {size} when it was listed",
                    reader.size()
                );
                return Err(std::io::Error::other(reason));
            }
            let mut file = std::fs::File::create_new(to)?;
            while let Some(piece) = reader.piece().await.map_err(std::io::Error::other)? {
                file.write_all(&piece)?;
            }
            file.flush()
        })
    }

    /// What lies right in a folder of this place, or in the place itself, with names in this place, in order.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) fn children(&self, folder: &str) -> Result<Children> {
        let within = if folder.is_empty() {
            self.prefix.clone()
        } else {
            Some(self.key(folder).map_err(|error| self.failed(&error))?)
        };
        let children = self.bucket.children(within.as_ref());
        let found = self
            .runtime
            .block_on(children)
            .map_err(|error| self.failed(&error))?;
        let mut children = Children::default();
        for child in found {
            match child {
                Child::Object(entry) => children.objects.push(self.object(&entry)),
                Child::Folder(key) => children.folders.push(self.name(&key).to_owned()),
            }
        }
        Ok(children)
    }

    fn object(&self, entry: &Entry) -> Object {
        Object {
            name: self.name(&entry.key).to_owned(),
            size: entry.size,
            modified_s: entry.modified,
            etag: entry.etag.clone(),
        }
    }

    /// Calls `each` for every object below this place, in no particular order, until it is asked to stop.
    ///
    /// # Errors
    ///
    /// The store's, and those of `each`.
    pub(crate) fn for_each(
        &self,
        cancel: &Cancel,
        mut each: impl FnMut(Object) -> Result<()>,
    ) -> Result<()> {
        self.runtime.block_on(async {
            let mut entries = self.bucket.list(self.prefix.as_ref());
            while let Some(entry) = entries.next().await {
                if cancel.is_requested() {
                    break;
                }
                each(self.object(&entry.map_err(|error| self.failed(&error))?))?;
            }
            Ok(())
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

/// What lies right in a folder.
#[derive(Debug, Default)]
pub(crate) struct Children {
    pub(crate) objects: Vec<Object>,
    pub(crate) folders: Vec<String>,
}

/// An object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its name in the place.
    pub(crate) name: String,
    /// In bytes.
    pub(crate) size: u64,
    /// When it was written, in seconds since 1970.
    pub(crate) modified_s: i64,
    /// What the store calls this version of it.
    pub(crate) etag: Option<String>,
}

/// Carries the bytes of all workers of a process; they wait for it, each for its own object.
fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread()
        // One would do for the network; a second one keeps a slow disk from standing in its way.
        .worker_threads(2)
        .enable_all()
        .build()?)
}
