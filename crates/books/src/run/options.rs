//! The settings of a run as flags, a file and the environment give them: one type for all three.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Setting};
use crate::run::config::StorageKind;
use crate::run::database::DatabaseUrl;

/// The heading of options that say where archives go.
#[cfg(feature = "args")]
const STORING: &str = "Where archives go, for commands that store";

/// The heading of options that only `sync` heeds, and keeps in the run.
#[cfg(feature = "args")]
const SYNC: &str = "How `sync` works later";

/// Settings of a run. What is `None` was not said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "args", derive(clap::Args))]
#[serde(default, deny_unknown_fields)]
pub struct RunOptions {
    /// The library's directory in GRIN, such as `Harvard`
    #[cfg_attr(feature = "args", arg(long, value_name = "NAME"))]
    pub library_directory: Option<String>,
    /// A PostgreSQL server that keeps the books, such as `postgres://user@host/name` [default: a file, books.db in the
    /// run directory]
    #[cfg_attr(feature = "args", arg(long = "database", value_name = "URL"))]
    pub database: Option<DatabaseUrl>,
    /// Where archives are stored
    #[cfg_attr(feature = "args", arg(long, value_name = "KIND", value_enum, help_heading = STORING))]
    pub storage: Option<StorageKind>,
    /// The bucket, or folder, of archives
    #[cfg_attr(feature = "args", arg(long, value_name = "NAME", help_heading = STORING))]
    pub bucket_raw: Option<String>,
    /// The bucket, or folder, of exports and copies of the database
    #[cfg_attr(feature = "args", arg(long, value_name = "NAME", help_heading = STORING))]
    pub bucket_meta: Option<String>,
    /// The bucket, or folder, of full texts
    #[cfg_attr(feature = "args", arg(long, value_name = "NAME", help_heading = STORING))]
    pub bucket_full: Option<String>,
    /// More about the storage, such as `base_path=/data` or `endpoint_url=https://..`; repeatable
    #[cfg_attr(feature = "args", arg(long, value_name = "KEY=VALUE", help_heading = STORING))]
    pub storage_config: Option<Vec<String>>,
    /// The folder of local storage; short for `--storage-config base_path=..`
    #[cfg_attr(feature = "args", arg(long, value_name = "DIR", help_heading = STORING))]
    pub storage_path: Option<String>,
    /// A folder with credentials, besides `~/.config/grin-transfer`
    #[cfg_attr(feature = "args", arg(long, value_name = "DIR"))]
    pub secrets_dir: Option<String>,
    /// The folder of logs [default: logs]
    #[cfg_attr(feature = "args", arg(long, value_name = "DIR"))]
    pub log_dir: Option<String>,
    /// Where archives are staged [default: staging in the run directory]
    #[cfg_attr(feature = "args", arg(long, value_name = "DIR", help_heading = SYNC, hide_short_help = true))]
    pub sync_staging_dir: Option<String>,
    /// Downloads wait when the staging disk is fuller than this, 0 to 1 [default: 0.9]
    #[cfg_attr(feature = "args", arg(long, value_name = "SHARE", help_heading = SYNC, hide_short_help = true))]
    pub sync_disk_space_threshold: Option<f64>,
    /// Books checked at once by `sync` [default: 2]
    #[cfg_attr(feature = "args", arg(long, value_name = "N", help_heading = SYNC, hide_short_help = true))]
    pub sync_task_check_concurrency: Option<u32>,
    /// Archives downloaded at once by `sync` [default: 4]
    #[cfg_attr(feature = "args", arg(long, value_name = "N", help_heading = SYNC, hide_short_help = true))]
    pub sync_task_download_concurrency: Option<u32>,
    /// Archives decrypted at once by `sync` [default: 40]
    #[cfg_attr(feature = "args", arg(long, value_name = "N", help_heading = SYNC, hide_short_help = true))]
    pub sync_task_decrypt_concurrency: Option<u32>,
    /// Archives uploaded at once by `sync` [default: 20]
    #[cfg_attr(feature = "args", arg(long, value_name = "N", help_heading = SYNC, hide_short_help = true))]
    pub sync_task_upload_concurrency: Option<u32>,
    /// Archives unpacked at once by `sync` [default: 20]
    #[cfg_attr(feature = "args", arg(long, value_name = "N", help_heading = SYNC, hide_short_help = true))]
    pub sync_task_unpack_concurrency: Option<u32>,
    /// Archives read for metadata at once by `sync` [default: 20]
    #[cfg_attr(feature = "args", arg(long, value_name = "N", help_heading = SYNC, hide_short_help = true))]
    pub sync_task_extract_marc_concurrency: Option<u32>,
    /// Archives read for text at once by `sync` [default: 20]
    #[cfg_attr(feature = "args", arg(long, value_name = "N", help_heading = SYNC, hide_short_help = true))]
    pub sync_task_extract_ocr_concurrency: Option<u32>,
    /// Exports at once by `sync` [default: 20]
    #[cfg_attr(feature = "args", arg(long, value_name = "N", help_heading = SYNC, hide_short_help = true))]
    pub sync_task_export_csv_concurrency: Option<u32>,
    /// Archives cleaned up at once by `sync` [default: 20]
    #[cfg_attr(feature = "args", arg(long, value_name = "N", help_heading = SYNC, hide_short_help = true))]
    pub sync_task_cleanup_concurrency: Option<u32>,
}

/// `$this` keeps what it says, and takes from `$other` what it does not.
macro_rules! fill {
    ($this:ident, $other:ident: $($field:ident),+ $(,)?) => {
        Self { $($field: $this.$field.or($other.$field)),+ }
    };
}

impl RunOptions {
    /// These settings where they say something, `other` where they do not.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        fill!(self, other:
            library_directory, database, storage, bucket_raw, bucket_meta, bucket_full, storage_config, storage_path,
            secrets_dir, log_dir, sync_staging_dir, sync_disk_space_threshold, sync_task_check_concurrency,
            sync_task_download_concurrency, sync_task_decrypt_concurrency, sync_task_upload_concurrency,
            sync_task_unpack_concurrency, sync_task_extract_marc_concurrency, sync_task_extract_ocr_concurrency,
            sync_task_export_csv_concurrency, sync_task_cleanup_concurrency,
        )
    }

    /// Settings from pairs of name and text, as the environment has them.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for an unknown setting, or one that should be a number and is not.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let mut all = serde_json::Map::new();
        for (name, text) in pairs {
            let value = match name.as_str() {
                "storage_config" => text.split(',').map(str::to_owned).collect(),
                number if number.starts_with("sync_task") || number.ends_with("threshold") => {
                    serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text))
                }
                _ => serde_json::Value::String(text),
            };
            all.insert(name, value);
        }
        serde_json::from_value(all.into())
            .map_err(|error| Error::setting(Setting::Named, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_become_settings_and_the_first_word_counts() {
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let said = RunOptions::from_pairs([
            pair("library_directory", "Harvard"),
            pair("sync_task_check_concurrency", "7"),
            pair("storage_config", "base_path=/x,endpoint_url=y"),
        ])
        .unwrap();
        assert_eq!(said.sync_task_check_concurrency, Some(7));
        assert_eq!(said.storage_config.as_ref().map(Vec::len), Some(2));
        let flags = RunOptions {
            library_directory: Some("Yale".into()),
            ..RunOptions::default()
        };
        let both = flags.or(said);
        assert_eq!(both.library_directory.as_deref(), Some("Yale"));
        assert_eq!(both.sync_task_check_concurrency, Some(7));
        assert!(RunOptions::from_pairs([pair("libary", "x")]).is_err());
        assert!(RunOptions::from_pairs([pair("sync_task_check_concurrency", "many")]).is_err());
    }
}
