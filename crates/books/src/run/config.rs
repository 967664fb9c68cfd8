//! `run_config.json`: built in one place, written once, never rewritten.

mod difference;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::{Error, Setting};
use crate::run::database::DatabaseUrl;
use crate::run::json;
use crate::run::options::RunOptions;

/// The settings of a run, as its file has them. Keys and their order are an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// Its name.
    pub run_name: String,
    /// The library's directory in GRIN.
    pub library_directory: String,
    /// The run directory, as it was named.
    #[serde(default)]
    pub output_directory: Option<String>,
    /// The database, as it was named.
    #[serde(default)]
    pub sqlite_db_path: Option<String>,
    /// Where archives are stored.
    #[serde(default)]
    pub storage_config: Option<StorageConfig>,
    /// How archives are worked on.
    #[serde(default)]
    pub sync_config: Option<SyncConfig>,
    /// The log of all commands of the run.
    #[serde(default)]
    pub log_file: Option<String>,
    /// A folder with credentials.
    #[serde(default)]
    pub secrets_dir: Option<String>,
    /// The server that keeps the books, without a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_url: Option<DatabaseUrl>,
    /// What others put there.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Where archives are stored. Keys and passwords are never in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorageConfig {
    /// What kind of place.
    #[serde(rename = "type")]
    pub kind: StorageKind,
    /// `file`, `s3` or `gcs`.
    #[serde(default)]
    pub protocol: Option<String>,
    /// Buckets and addresses.
    #[serde(default, serialize_with = "in_order")]
    pub config: BTreeMap<String, Value>,
    /// Always empty.
    #[serde(default)]
    pub prefix: String,
    /// What others put there.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A kind of place for archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "args", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// A folder of this machine.
    Local,
    /// Amazon S3.
    S3,
    /// Cloudflare R2.
    R2,
    /// A `MinIO` server.
    Minio,
    /// Google Cloud Storage.
    Gcs,
}

impl StorageKind {
    /// How it is spoken to: `file`, `s3` or `gcs`.
    pub fn protocol(self) -> &'static str {
        match self {
            Self::Local => "file",
            Self::S3 | Self::R2 | Self::Minio => "s3",
            Self::Gcs => "gcs",
        }
    }
}

/// How archives are worked on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it, and are an interface")]
pub struct SyncConfig {
    pub task_check_concurrency: u32,
    pub task_download_concurrency: u32,
    pub task_decrypt_concurrency: u32,
    pub task_upload_concurrency: u32,
    pub task_unpack_concurrency: u32,
    pub task_extract_marc_concurrency: u32,
    pub task_extract_ocr_concurrency: u32,
    pub task_export_csv_concurrency: u32,
    pub task_cleanup_concurrency: u32,
    pub staging_dir: Option<String>,
    pub disk_space_threshold: f64,
    pub compression_full_enabled: bool,
    pub compression_meta_enabled: bool,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self {
            task_check_concurrency: 2,
            task_download_concurrency: 4,
            task_decrypt_concurrency: 40,
            task_upload_concurrency: 20,
            task_unpack_concurrency: 20,
            task_extract_marc_concurrency: 20,
            task_extract_ocr_concurrency: 20,
            task_export_csv_concurrency: 20,
            task_cleanup_concurrency: 20,
            staging_dir: None,
            disk_space_threshold: 0.9,
            compression_full_enabled: true,
            compression_meta_enabled: true,
            other: Map::new(),
        }
    }
}

/// What `storage_config` may hold, in the order of the file. Keys of access are not among it: the file is copied to
/// buckets.
const STORAGE_KEYS: [&str; 6] = [
    "bucket_raw",
    "bucket_meta",
    "bucket_full",
    "base_path",
    "endpoint_url",
    "credentials_file",
];

/// Where `minio` storage is unless said otherwise.
const MINIO: [(&str, &str); 4] = [
    ("endpoint_url", "http://localhost:9000"),
    ("bucket_raw", "grin-raw"),
    ("bucket_meta", "grin-meta"),
    ("bucket_full", "grin-full"),
];

/// Writes [`STORAGE_KEYS`] in their order, and what others put there after them.
fn in_order<S: Serializer>(
    config: &BTreeMap<String, Value>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let place = |key: &str| STORAGE_KEYS.iter().position(|known| *known == key);
    let mut pairs: Vec<_> = config.iter().collect();
    pairs.sort_by_key(|(key, _)| place(key).unwrap_or(STORAGE_KEYS.len()));
    serializer.collect_map(pairs)
}

/// Builds the settings of a run: the only place that does.
///
/// `directory` is the run directory as it is to be named.
///
/// # Errors
///
/// [`Error::Missing`] and [`Error::Setting`].
pub fn build(run_name: &str, directory: &Path, options: &RunOptions) -> Result<RunConfig, Error> {
    let library = options.library_directory.as_deref();
    let library = library.ok_or(Error::Missing(Setting::LibraryDirectory))?;
    let sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if library.is_empty() || !library.chars().all(sane) {
        return Err(Error::setting(Setting::LibraryDirectory, library));
    }
    let log_dir = options.log_dir.as_deref().unwrap_or("logs");
    let show = |path: &Path| path.to_string_lossy().into_owned();
    Ok(RunConfig {
        run_name: run_name.to_owned(),
        library_directory: library.to_owned(),
        output_directory: Some(show(directory)),
        sqlite_db_path: Some(show(&directory.join(crate::run::DATABASE))),
        storage_config: stores(options).then(|| storage(options)).transpose()?,
        sync_config: Some(sync(options)?),
        log_file: Some(show(
            &Path::new(log_dir).join(format!("grin_pipeline_{run_name}.log")),
        )),
        secrets_dir: options.secrets_dir.clone(),
        database_url: options.database.as_ref().map(DatabaseUrl::without_password),
        other: Map::new(),
    })
}

/// Whether anything is said about where to store. A run that only collects needs no place.
pub(super) fn stores(options: &RunOptions) -> bool {
    let buckets = [
        &options.bucket_raw,
        &options.bucket_meta,
        &options.bucket_full,
        &options.storage_path,
    ];
    options.storage.is_some()
        || buckets.into_iter().any(Option::is_some)
        || options.storage_config.iter().flatten().next().is_some()
}

fn storage(options: &RunOptions) -> Result<StorageConfig, Error> {
    let kind = options.storage.ok_or(Error::Missing(Setting::Storage))?;
    let mut config = BTreeMap::new();
    let buckets = [
        ("bucket_raw", &options.bucket_raw),
        ("bucket_meta", &options.bucket_meta),
        ("bucket_full", &options.bucket_full),
    ];
    for (key, bucket) in buckets {
        if let Some(bucket) = bucket {
            config.insert(key.to_owned(), Value::from(bucket.as_str()));
        }
    }
    for pair in options.storage_config.iter().flatten() {
        let (key, value) = storage_pair(pair)?;
        config.insert(key.to_owned(), Value::from(value));
    }
    if kind == StorageKind::Minio {
        for (key, usual) in MINIO {
            config.entry(key.to_owned()).or_insert(Value::from(usual));
        }
    }
    base_path(kind, options, &mut config)?;
    Ok(StorageConfig {
        kind,
        protocol: Some(kind.protocol().to_owned()),
        config,
        prefix: String::new(),
        other: Map::new(),
    })
}

/// A `key=value` of the storage.
fn storage_pair(text: &str) -> Result<(&str, &str), Error> {
    let pair = text.split_once('=');
    let (key, value) = pair.ok_or_else(|| Error::setting(Setting::StoragePair, text))?;
    match key {
        _ if STORAGE_KEYS.contains(&key) => Ok((key, value)),
        "access_key" | "secret_key" => Err(Error::setting(Setting::StorageSecret, key)),
        _ => Err(Error::setting(Setting::StorageKey, key)),
    }
}

/// The folder of local storage is absolute, so that later commands find it from anywhere.
fn base_path(
    kind: StorageKind,
    options: &RunOptions,
    config: &mut BTreeMap<String, Value>,
) -> Result<(), Error> {
    let said = config
        .get("base_path")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let path = match (&options.storage_path, said) {
        (Some(_), Some(said)) => {
            return Err(Error::setting(Setting::OtherStoragePath, said));
        }
        (Some(path), None) => path.clone(),
        (None, Some(said)) => said,
        (None, None) if kind == StorageKind::Local => {
            return Err(Error::Missing(Setting::StoragePath));
        }
        (None, None) => return Ok(()),
    };
    let mut full = Path::new(&path).to_owned();
    if kind == StorageKind::Local {
        if let (Ok(rest), Some(home)) = (full.strip_prefix("~"), std::env::home_dir()) {
            full = home.join(rest);
        }
        full = std::path::absolute(&full).map_err(Error::file("make sense of", &full))?;
    }
    let full = full.to_string_lossy().into_owned();
    config.insert("base_path".to_owned(), Value::from(full));
    Ok(())
}

fn sync(options: &RunOptions) -> Result<SyncConfig, Error> {
    let usual = SyncConfig::default();
    let threshold = options
        .sync_disk_space_threshold
        .unwrap_or(usual.disk_space_threshold);
    if !(0.0..=1.0).contains(&threshold) {
        return Err(Error::setting(Setting::DiskShare, threshold.to_string()));
    }
    let or = |said: Option<u32>, usual: u32| said.unwrap_or(usual).max(1);
    Ok(SyncConfig {
        task_check_concurrency: or(
            options.sync_task_check_concurrency,
            usual.task_check_concurrency,
        ),
        task_download_concurrency: or(
            options.sync_task_download_concurrency,
            usual.task_download_concurrency,
        ),
        task_decrypt_concurrency: or(
            options.sync_task_decrypt_concurrency,
            usual.task_decrypt_concurrency,
        ),
        task_upload_concurrency: or(
            options.sync_task_upload_concurrency,
            usual.task_upload_concurrency,
        ),
        task_unpack_concurrency: or(
            options.sync_task_unpack_concurrency,
            usual.task_unpack_concurrency,
        ),
        task_extract_marc_concurrency: or(
            options.sync_task_extract_marc_concurrency,
            usual.task_extract_marc_concurrency,
        ),
        task_extract_ocr_concurrency: or(
            options.sync_task_extract_ocr_concurrency,
            usual.task_extract_ocr_concurrency,
        ),
        task_export_csv_concurrency: or(
            options.sync_task_export_csv_concurrency,
            usual.task_export_csv_concurrency,
        ),
        task_cleanup_concurrency: or(
            options.sync_task_cleanup_concurrency,
            usual.task_cleanup_concurrency,
        ),
        staging_dir: options.sync_staging_dir.clone(),
        disk_space_threshold: threshold,
        ..usual
    })
}

impl RunConfig {
    /// Reads a run's settings, whichever tool wrote them.
    ///
    /// # Errors
    ///
    /// [`Error::File`] and [`Error::Malformed`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = run::read_small_text(path).map_err(Error::file("read", path))?;
        serde_json::from_str(&text).map_err(|error| Error::Malformed {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        json::pretty(self)
    }
}

#[cfg(test)]
mod tests;
