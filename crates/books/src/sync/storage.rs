//! Where the things of a run are stored: the only place that forms their names.

use std::path::{Path, PathBuf};

use blob::{Bucket, Key, Kind, Metadata, Remote};
use futures_util::StreamExt as _;
use serde_json::Value;

use crate::catalogue::{Catalogue, stored};
use crate::error::{Error, Setting};
use crate::run::{RunConfig, StorageKind};

/// The three places of a run.
#[derive(Clone, Debug)]
pub struct Storage {
    /// Archives.
    pub raw: Bucket,
    /// Texts.
    pub full: Bucket,
    /// Exports, copies of the database, summaries.
    pub meta: Bucket,
    run: String,
    /// The folder of local storage.
    base: Option<PathBuf>,
}

/// One of the three places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "args", derive(clap::ValueEnum))]
pub enum Room {
    /// Archives.
    Raw,
    /// Exports, copies of the database, summaries.
    Meta,
    /// Texts.
    Full,
}

impl From<StorageKind> for Kind {
    fn from(kind: StorageKind) -> Self {
        match kind {
            StorageKind::Local => Self::Local,
            StorageKind::S3 => Self::S3,
            StorageKind::R2 => Self::R2,
            StorageKind::Minio => Self::Minio,
            StorageKind::Gcs => Self::Gcs,
        }
    }
}

impl Storage {
    /// The folders of local storage in which objects lie.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let base = self.base.iter();
        base.flat_map(|base| ["raw", "full", "meta"].map(|room| base.join(room)))
            .collect()
    }

    /// That of a run. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a bucket or folder that the run does not name, and what the store makes of the rest.
    pub fn open(config: &RunConfig) -> Result<Self, Error> {
        let storage = config.storage_config.as_ref();
        let storage = storage.ok_or(Error::Missing(Setting::Storage))?;
        let said = |key: &str| {
            let value = storage.config.get(key).and_then(Value::as_str);
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let run = config.run_name.clone();
        if storage.kind == StorageKind::Local {
            let base = said("base_path").ok_or(Error::Missing(Setting::StoragePath))?;
            let base = PathBuf::from(base);
            return Ok(Self {
                raw: Bucket::local_kept(base.join("raw")),
                full: Bucket::local_kept(base.join("full")),
                meta: Bucket::local_kept(base.join("meta")),
                run,
                base: Some(base),
            });
        }
        let settings = blob::Settings {
            kind: storage.kind.into(),
            endpoint: said("endpoint_url"),
            credentials_file: said("credentials_file").map(PathBuf::from),
        };
        let bucket = |key: &str| {
            let name = said(key).ok_or(Error::Missing(Setting::Bucket))?;
            Ok::<_, Error>(Bucket::remote(Remote::open(&settings, &name)?))
        };
        Ok(Self {
            raw: bucket("bucket_raw")?,
            full: bucket("bucket_full")?,
            meta: bucket("bucket_meta")?,
            run,
            base: None,
        })
    }

    /// Whether the folders of local storage are there.
    ///
    /// # Errors
    ///
    /// That of the first that is not.
    pub(crate) fn check_there(&self) -> Result<(), Error> {
        for bucket in [&self.raw, &self.full, &self.meta] {
            bucket.check_there()?;
        }
        Ok(())
    }

    /// Whether there is anything of the run, if it says that there is. A folder on which a disk is to be mounted is empty as
    /// long as it is not: then nothing is said of its books, and nothing belongs in it. A bucket without anything may be
    /// another one of its name, at another address. One that cannot be asked, or may not be listed, is no empty one.
    ///
    /// # Errors
    ///
    /// [`Error::Emptied`], and the database's.
    pub(crate) async fn check_filled(&self, catalogue: &Catalogue) -> Result<(), Error> {
        let (archive, text) = stored::any_stored(catalogue)?;
        let prefix = self.prefix()?;
        let within = Some(&prefix).filter(|_| self.base.is_none());
        let rooms = [(archive, &self.raw, "raw"), (text, &self.full, "full")];
        for (is_said, bucket, name) in rooms {
            if is_said && bucket.list(within).next().await.is_none() {
                let folder = self.base.as_ref().map(|base| base.join(name));
                return Err(Error::Emptied {
                    is_bucket: folder.is_none(),
                    place: match folder {
                        Some(folder) => folder.display().to_string(),
                        None => bucket.address(&prefix),
                    },
                });
            }
        }
        Ok(())
    }

    /// The folder of local storage.
    pub(crate) fn base(&self) -> Option<&Path> {
        self.base.as_deref()
    }

    /// One of its places.
    pub fn room(&self, room: Room) -> &Bucket {
        match room {
            Room::Raw => &self.raw,
            Room::Full => &self.full,
            Room::Meta => &self.meta,
        }
    }

    /// What all names of the run begin with. Archives in a local folder do not: other tools expect them without.
    ///
    /// # Errors
    ///
    /// A name of the run that is no name of an object.
    pub fn prefix(&self) -> Result<Key, Error> {
        Ok(Key::new(self.run.clone())?)
    }

    /// Whether it is a folder of this machine.
    pub fn is_local(&self) -> bool {
        self.base.is_some()
    }

    /// The name of a book's archive.
    pub(crate) fn archive(&self, barcode: &str) -> Result<Key, Error> {
        Ok(Key::new(match self.base {
            Some(_) => format!("{barcode}/{barcode}.tar.gz"),
            None => format!("{}/{barcode}.tar.gz", self.run),
        })?)
    }

    /// The name of a book's text.
    pub(crate) fn text(&self, barcode: &str, packed: bool) -> Result<Key, Error> {
        let end = if packed { ".gz" } else { "" };
        Ok(Key::new(format!("{}/{barcode}_ocr.jsonl{end}", self.run))?)
    }

    /// The name of something about the run as a whole.
    pub(crate) fn about_run(&self, name: &str) -> Result<Key, Error> {
        Ok(Key::new(format!("{}/{name}", self.run))?)
    }

    /// Stores something small about the run as a whole.
    pub(crate) async fn put_about_run(&self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let key = self.about_run(name)?;
        self.meta.put(&key, bytes.into(), &Metadata::new()).await?;
        Ok(())
    }

    /// The folder of what is under way. It is on the disk of local storage, so that an archive need not be copied.
    pub(crate) fn staging(&self, config: &RunConfig, directory: &Path) -> PathBuf {
        let said = config
            .sync_config
            .as_ref()
            .and_then(|sync| sync.staging_dir.as_deref());
        match (&self.base, said) {
            (Some(base), _) => base.join("staging").join(&self.run),
            (None, Some(folder)) => Path::new(folder).join(&self.run),
            (None, None) => directory.join("staging"),
        }
    }
}
