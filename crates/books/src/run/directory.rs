//! The run directory: how it is named, begun and opened, and how its files are written.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use run::output::OutputOptions;

use crate::error::{Error, Setting};
use crate::run::config::{self, RunConfig, StorageKind};
use crate::run::database::{Access, DatabaseUrl, ServerAddress};
use crate::run::lock::LOCK;
use crate::run::options::RunOptions;
use crate::run::summary::SUMMARY;

/// The name of a run's database.
pub const DATABASE: &str = "books.db";

/// The name of a run's settings.
pub const CONFIG: &str = "run_config.json";

/// The name of the file of what a collection has fetched and not written yet, beside the database.
pub(crate) const JOURNAL: &str = "books.db-fetched";

/// How a file is written that a person wants of the run in `directory`: not over what the run works with.
pub fn outputs(directory: &Path) -> OutputOptions {
    let options = OutputOptions::new().protect_database(&directory.join(DATABASE));
    let own = [CONFIG, SUMMARY, LOCK, JOURNAL];
    own.iter().fold(options, |options, name| {
        options.protect(directory.join(name))
    })
}

/// Where runs are unless said otherwise.
pub const OUTPUT: &str = "output";

/// A run's directory and settings.
#[derive(Debug)]
pub struct Run {
    directory: PathBuf,
    config: RunConfig,
    created: bool,
    access: Access,
}

/// A run's name as it becomes a directory: letters, digits, `-` and `_`; everything else is left out.
///
/// # Errors
///
/// [`Error::Setting`] if nothing is left.
pub fn clean_name(name: &str) -> Result<String, Error> {
    let clean: String = name
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        .collect();
    if clean.is_empty() {
        return Err(Error::setting(Setting::RunName, name));
    }
    Ok(clean)
}

/// A run's name as [`clean_name`] leaves it. Only runs that exist in `output` are found by a name of which something is
/// left out, as they always were; two names for one run are begun no more.
///
/// # Errors
///
/// Those of [`clean_name`], and [`Error::RunName`].
fn name_in(output: &Path, name: &str) -> Result<String, Error> {
    let clean = clean_name(name)?;
    if clean != name && !output.join(&clean).join(CONFIG).exists() {
        return Err(Error::RunName {
            name: name.to_owned(),
            possible: clean,
        });
    }
    Ok(clean)
}

/// A name for a run that was given none.
pub fn default_name() -> String {
    jiff::Zoned::now().strftime("run_%Y%m%d_%H%M%S").to_string()
}

impl Run {
    /// Opens the run `name` in `output`, or begins it with `options`.
    ///
    /// The settings are written once, atomically; those of an existing run are only compared. A run that stores nothing
    /// yet can be told later where to store.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSettings`] with the difference, and whatever files do.
    pub fn begin(output: &Path, name: &str, options: &RunOptions) -> Result<Self, Error> {
        let name = name_in(output, name)?;
        let directory = output.join(&name);
        let path = directory.join(CONFIG);
        if path.exists() {
            return Self::go_on(name, directory, options);
        }
        let config = config::build(&name, &directory, options)?;
        may_make_folders(&config)?;
        fs::create_dir_all(&directory).map_err(Error::file("make", &directory))?;
        match write_new(&path, &config.to_bytes()) {
            // Another process began it at the same instant.
            Err(_) if path.exists() => return Self::go_on(name, directory, options),
            written => written?,
        }
        make_folders(&config)?;
        Ok(Self {
            directory,
            config,
            created: true,
            access: Access::default(),
        })
    }

    /// Opens a run that exists, if it has these settings.
    fn go_on(name: String, directory: PathBuf, options: &RunOptions) -> Result<Self, Error> {
        let config = RunConfig::read(&directory.join(CONFIG))?;
        let difference = config.difference(&directory, options)?;
        let run = Self {
            directory,
            config,
            created: false,
            access: Access::default(),
        };
        match difference.as_slice() {
            [] => {
                // Whoever began it may have been killed before it made them. Later, folders that are gone are on a disk
                // that is not mounted.
                if !run.is_served() && !run.database().exists() {
                    make_folders(&run.config)?;
                }
                Ok(run)
            }
            _ if run.only_lacks_storage(options) => run.begin_anew(options),
            _ => Err(Error::OtherSettings {
                run: name,
                difference: difference.join("; "),
            }),
        }
    }

    /// The run as [`begin`](Self::begin) would leave it. Nothing is written.
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Self::begin).
    pub(crate) fn preview(output: &Path, name: &str, options: &RunOptions) -> Result<Self, Error> {
        let name = name_in(output, name)?;
        let directory = output.join(&name);
        if !directory.join(CONFIG).exists() {
            let config = config::build(&name, &directory, options)?;
            may_make_folders(&config)?;
            return Ok(Self {
                directory,
                config,
                created: true,
                access: Access::default(),
            });
        }
        let run = Self::open(output, &name)?;
        let difference = run.config.difference(&run.directory, options)?;
        match difference.as_slice() {
            [] => Ok(run),
            _ if run.only_lacks_storage(options) => run.corrected(options),
            _ => Err(Error::OtherSettings {
                run: name,
                difference: difference.join("; "),
            }),
        }
    }

    /// The run with the settings of `options` in place of its own. Nothing is written.
    pub(crate) fn corrected(self, options: &RunOptions) -> Result<Self, Error> {
        let config = self.with(options)?;
        may_make_folders(&config)?;
        Ok(Self {
            config,
            directory: self.directory,
            created: true,
            access: self.access,
        })
    }

    /// Whether all that `options` add is where to store, which can still be said later.
    fn only_lacks_storage(&self, options: &RunOptions) -> bool {
        let storing = RunOptions {
            storage: options.storage,
            storage_path: options.storage_path.clone(),
            storage_config: options.storage_config.clone(),
            ..RunOptions::default()
        };
        self.config.storage_config.is_none() && self.with(options).ok() == self.with(&storing).ok()
    }

    /// Begins a run anew that exists and has collected nothing yet, with the settings of `options` in place of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`], those of [`begin`](Self::begin), and whatever files do.
    pub(crate) fn correct(output: &Path, name: &str, options: &RunOptions) -> Result<Self, Error> {
        Self::open(output, name)?.begin_anew(options)
    }

    /// The run's settings, with those of `options` in place of its own.
    fn with(&self, options: &RunOptions) -> Result<RunConfig, Error> {
        let mut own = self.config.as_options();
        if config::stores(options) {
            // A place is said as a whole: the folder of one kind means nothing to another.
            own.storage = None;
            own.storage_config = None;
        }
        let all = options.clone().or(own);
        let config = config::build(&self.config.run_name, &self.directory, &all)?;
        let log_file = match &options.log_dir {
            Some(_) => config.log_file,
            None => self.config.log_file.clone(),
        };
        Ok(RunConfig {
            other: self.config.other.clone(),
            log_file,
            ..config
        })
    }

    fn begin_anew(self, options: &RunOptions) -> Result<Self, Error> {
        let _lock = self.lock()?;
        let run = self.corrected(options)?;
        replace(&run.directory.join(CONFIG), &run.config.to_bytes(), false)?;
        make_folders(&run.config)?;
        Ok(run)
    }

    /// Opens a run that exists.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`], [`Error::Malformed`].
    pub fn open(output: &Path, name: &str) -> Result<Self, Error> {
        let directory = output.join(name_in(output, name)?);
        let path = directory.join(CONFIG);
        if !path.exists() {
            return Err(Error::NoRun { path: directory });
        }
        Ok(Self {
            config: RunConfig::read(&path)?,
            directory,
            created: false,
            access: Access::default(),
        })
    }

    /// Its settings.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The run, reached in another way than its settings say.
    #[must_use]
    pub fn with_access(self, access: &Access) -> Self {
        Self {
            access: access.clone(),
            ..self
        }
    }

    /// The server that has its database; none if it is a file.
    pub(crate) fn server(&self) -> Result<Option<ServerAddress>, Error> {
        let url = self.access.database.as_ref();
        let url = url.or(self.config.database_url.as_ref());
        url.map(|url| self.address(url)).transpose()
    }

    /// Where an address leads, with what is known of passwords.
    pub(crate) fn address(&self, url: &DatabaseUrl) -> Result<ServerAddress, Error> {
        ServerAddress::new(url, &self.access)
    }

    /// From now on its database is on this server, or in its own file again.
    ///
    /// # Errors
    ///
    /// [`Error::File`].
    pub fn move_to(&mut self, server: Option<&DatabaseUrl>) -> Result<(), Error> {
        self.config.database_url = server.map(DatabaseUrl::without_password);
        self.access.database = server.cloned();
        let path = self.directory.join(CONFIG);
        replace(&path, &self.config.to_bytes(), false)
    }

    /// Where its database is, for people.
    pub fn shown_database(&self) -> String {
        let url = self.access.database.as_ref();
        match url.or(self.config.database_url.as_ref()) {
            Some(url) => url.to_string(),
            None => self.database().display().to_string(),
        }
    }

    /// Whether its database is on a server.
    pub fn is_served(&self) -> bool {
        self.access.database.is_some() || self.config.database_url.is_some()
    }

    /// Its database, where that is a file.
    pub fn database(&self) -> PathBuf {
        self.directory.join(DATABASE)
    }

    /// Whether it began with this call.
    pub fn is_new(&self) -> bool {
        self.created
    }
}

/// The folder of local storage.
fn local_storage(config: &RunConfig) -> Option<&Path> {
    let storage = config.storage_config.as_ref();
    let storage = storage.filter(|storage| storage.kind == StorageKind::Local)?;
    storage.config.get("base_path")?.as_str().map(Path::new)
}

/// Whether the folder of local storage is there, or that in which it is to be made: a mistyped path, or the place of a disk that is
/// not mounted, must not be filled without a word.
fn may_make_folders(config: &RunConfig) -> Result<(), Error> {
    let away = local_storage(config).and_then(|path| {
        let parent = path.parent()?;
        (!path.is_dir() && !parent.is_dir()).then_some((path, parent))
    });
    match away {
        None => Ok(()),
        Some((path, parent)) => Err(Error::StorageAway {
            path: path.to_owned(),
            parent: parent.to_owned(),
        }),
    }
}

/// Local storage has its folders from the beginning.
fn make_folders(config: &RunConfig) -> Result<(), Error> {
    if let Some(base) = local_storage(config) {
        for folder in ["raw", "meta", "full"] {
            let path = base.join(folder);
            fs::create_dir_all(&path).map_err(Error::file("make", &path))?;
        }
    }
    Ok(())
}

/// Writes a file that must not exist yet: whole, or not at all.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write(path, bytes, &OutputOptions::new().create_new())
}

/// Replaces a file: whole, or not at all. Only the owner may read it if `private`, else everyone whom the umask lets.
pub(crate) fn replace(path: &Path, bytes: &[u8], private: bool) -> Result<(), Error> {
    if private {
        replace_private(path, bytes)
    } else {
        write(path, bytes, &OutputOptions::new())
    }
}

fn write(path: &Path, bytes: &[u8], options: &OutputOptions) -> Result<(), Error> {
    let mut output = options.open(path)?;
    output
        .write_all(bytes)
        .map_err(Error::file("write", path))?;
    Ok(output.finish()?)
}

/// Even where others could read it before, they cannot any more. A link stays, and its target is replaced.
fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty());
    let failed = || Error::file("write", path);
    // A temporary file is for its owner alone.
    let mut file = tempfile::Builder::new()
        .prefix(".accession-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    file.as_file().sync_all().map_err(failed())?;
    file.persist(&target)
        .map_err(|error| failed()(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> RunOptions {
        RunOptions {
            library_directory: Some("Harvard".into()),
            storage: Some(StorageKind::S3),
            ..RunOptions::default()
        }
    }

    #[test]
    fn settings_are_written_once_and_then_only_compared() {
        let folder = tempfile::tempdir().unwrap();
        let unclean = Run::begin(folder.path(), "my run!", &options()).unwrap_err();
        assert!(unclean.to_string().contains("`myrun`"), "{unclean}");
        assert!(!folder.path().join("myrun").exists());
        let run = Run::begin(folder.path(), "myrun", &options()).unwrap();
        assert!(run.is_new());
        let path = folder.path().join("myrun").join(CONFIG);
        let before = fs::read(&path).unwrap();
        let again = Run::begin(folder.path(), "my run!", &RunOptions::default()).unwrap();
        assert!(!again.is_new());
        let other = RunOptions {
            library_directory: Some("Yale".into()),
            ..options()
        };
        let refused = Run::begin(folder.path(), "my run!", &other).unwrap_err();
        assert!(refused.to_string().contains("`Harvard`"), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn storage_can_be_said_later() {
        let folder = tempfile::tempdir().unwrap();
        let begin = |options: &RunOptions| Run::begin(folder.path(), "R", options).unwrap();
        let library = RunOptions {
            library_directory: Some("Harvard".into()),
            ..RunOptions::default()
        };
        assert!(begin(&library).config().storage_config.is_none());
        let stored = begin(&options());
        let storage = stored.config().storage_config.as_ref();
        assert_eq!(storage.map(|storage| storage.kind), Some(StorageKind::S3));
        let read = Run::open(folder.path(), "R").unwrap();
        assert_eq!(read.config(), stored.config());
    }

    #[test]
    fn one_session_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::begin(folder.path(), "R", &options()).unwrap();
        let lock = run.lock().unwrap();
        assert!(matches!(run.lock(), Err(Error::Busy { .. })));
        drop(lock);
        run.lock().unwrap();
    }

    #[test]
    fn a_name_without_letters_is_none() {
        assert_eq!(clean_name("ä run-1_x/..").unwrap(), "ärun-1_x");
        assert!(clean_name("../..").is_err());
    }
}
