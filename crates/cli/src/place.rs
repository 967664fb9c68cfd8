//! Which library is meant, by the words of a command.

use std::path::PathBuf;

use clap::Args;

/// Which library.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Place {
    /// The library's root folder [default: `WKMP_ROOT_FOLDER`, `WKMP_ROOT`, the configuration file, the
    /// library around the current folder, `~/Music`]
    #[arg(long, value_name = "DIR", visible_alias = "root")]
    pub(crate) root_folder: Option<PathBuf>,
    /// The database file [default: wkmp.db in the root folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
}

impl Place {
    /// The same place, where the root folder was named as `folder` instead.
    pub(crate) fn or_folder(mut self, folder: Option<PathBuf>) -> Self {
        self.root_folder = self.root_folder.or(folder);
        self
    }
}
