//! `music identify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use crate::args::{Place, complete};

/// Which passages, and whether the network or a person says what they are.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
pub(crate) struct Identify {
    /// The folder whose passages to identify: the root folder, or with --root-folder a folder in it
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Try again also what nobody knew and what was left in doubt
    #[arg(long)]
    pub(crate) retry: bool,
    /// Fetch also how the identified recordings sound from AcousticBrainz, one a second
    #[arg(long)]
    pub(crate) flavor: bool,
    /// Fetch also the front covers of the albums from the Cover Art Archive, one a second
    #[arg(long)]
    pub(crate) covers: bool,
    /// Not for this command, which asks services and nobody else
    #[arg(long, hide = true)]
    pub(crate) offline: bool,
    /// Only these passages, whatever was found before
    #[arg(long, value_name = "PASSAGE", num_args = 1.., conflicts_with = "folder", add = ArgValueCompleter::new(complete::passages))]
    pub(crate) passages: Vec<String>,
    /// Say which recording a passage is; nothing overwrites that
    #[arg(long, num_args = 2, value_names = ["PASSAGE", "MBID"], conflicts_with_all = ["retry", "passages"])]
    pub(crate) set: Vec<String>,
    /// Say that the likeliest candidate of a passage is right
    #[arg(long, value_name = "PASSAGE", conflicts_with_all = ["retry", "passages", "set"], add = ArgValueCompleter::new(complete::passages))]
    pub(crate) accept: Option<String>,
    /// Say that a passage is not what was found
    #[arg(long, value_name = "PASSAGE", conflicts_with_all = ["retry", "passages", "set", "accept"], add = ArgValueCompleter::new(complete::passages))]
    pub(crate) reject: Option<String>,
}

/// How recordings sound according to AcousticBrainz, and which flavor players see.
#[derive(Debug, Args)]
pub(crate) struct Flavor {
    /// The root folder, as for import
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Take what this downloaded dump (.tar.zst, .tar.gz or .tar) says of the library's recordings; run it again
    /// after a stop to go on
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) from_dump: Vec<PathBuf>,
    /// From now on show players this flavor where both are known
    #[arg(long, value_enum, value_name = "WHICH")]
    pub(crate) show: Option<FlavorSource>,
}

/// Whose flavor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FlavorSource {
    /// What was heard in the file
    Local,
    /// What AcousticBrainz says of the recording
    #[value(name = "acousticbrainz")]
    AcousticBrainz,
}

impl FlavorSource {
    /// As the setting has it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::AcousticBrainz => "acousticbrainz",
        }
    }
}
