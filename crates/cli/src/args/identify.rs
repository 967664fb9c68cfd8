//! `music identify`.

use std::path::PathBuf;

use clap::Args;

use crate::args::Place;

/// Which passages, and whether the network or a person says what they are.
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
    /// Only these passages, whatever was found before
    #[arg(long, value_name = "PASSAGE", num_args = 1.., conflicts_with = "folder")]
    pub(crate) passages: Vec<String>,
    /// Say which recording a passage is; nothing overwrites that
    #[arg(long, num_args = 2, value_names = ["PASSAGE", "MBID"], conflicts_with_all = ["retry", "passages"])]
    pub(crate) set: Vec<String>,
    /// Say that the likeliest candidate of a passage is right
    #[arg(long, value_name = "PASSAGE", conflicts_with_all = ["retry", "passages", "set"])]
    pub(crate) accept: Option<String>,
    /// Say that a passage is not what was found
    #[arg(long, value_name = "PASSAGE", conflicts_with_all = ["retry", "passages", "set", "accept"])]
    pub(crate) reject: Option<String>,
}
