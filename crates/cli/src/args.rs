//! The command line: one definition for parsing, help, completions and man pages.

pub(crate) mod books;
pub(crate) mod complete;
pub(crate) mod edit;
pub(crate) mod hear;
pub(crate) mod identify;
pub(crate) mod order;
pub(crate) mod refused;
pub(crate) mod serve;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;

use crate::args::books::Books;
use crate::args::edit::{Edit, Edits};
use crate::args::identify::{Flavor, Identify};
use crate::args::serve::Serve;
pub(crate) use crate::place::Place;
use crate::reference;

/// Takes whole collections in: completely, fast, and without losing anything.
#[derive(Debug, Parser)]
#[command(
    name = "accession",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The heading of the options that every command has.
const GLOBAL: &str = "Options of every command";

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// How results are printed
    #[arg(long, value_enum, default_value_t = Format::Text, global = true, help_heading = GLOBAL)]
    pub(crate) format: Format,
    /// Say less; twice: only errors
    #[arg(short, long, action = clap::ArgAction::Count, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    pub(crate) quiet: u8,
    /// Say more; twice: everything
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = GLOBAL)]
    pub(crate) verbose: u8,
    /// Whether errors, warnings and hints have colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto, global = true, help_heading = GLOBAL)]
    pub(crate) color: Color,
}

/// When there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Even into a pipe
    Always,
    /// Nowhere
    Never,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For machines: JSON, events as one object a line
    Json,
}

/// A shell that can be taught to complete commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Elvish => "elvish",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Zsh => "zsh",
        }
    }
}

/// A table of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reference {
    /// Every command
    Commands,
    /// Settings of a library
    Settings,
    /// Keys of the configuration file
    Configuration,
    /// Variables of the environment
    Environment,
    /// Files that are read or written
    Files,
    /// Exit codes
    ExitCodes,
    /// Examples
    Examples,
}

/// The whole command line, with examples below the help of each command.
pub(crate) fn command() -> clap::Command {
    with_examples(Cli::command(), &[])
}

fn with_examples(command: clap::Command, path: &[&str]) -> clap::Command {
    let lines = reference::examples(path).into_iter();
    let lines: Vec<_> = lines
        .map(|example| format!("  {}\n      {}", example.typed, example.does))
        .collect();
    let command = if lines.is_empty() {
        command
    } else {
        command.after_help(format!("Examples:\n{}", lines.join("\n")))
    };
    let below: Vec<String> = command
        .get_subcommands()
        .map(|below| below.get_name().to_owned())
        .collect();
    below.iter().fold(command, |command, name| {
        let path = [path, &[name]].concat();
        command.mut_subcommand(name, |below| with_examples(below, &path))
    })
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A folder of audio files becomes a library for an automatic radio
    #[command(subcommand)]
    Music(Music),
    /// A library's catalogue in GRIN becomes a database
    #[command(subcommand)]
    Books(Books),
    /// Serve a library to browsers, and to programs that know WKMP's ingest service
    Serve(Serve),
    /// Look at everything that a command may need: configuration, permissions, disk, database, services, ffmpeg, keys
    Doctor {
        /// The root folder, as for import
        folder: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
        /// Try to reach no service on the network
        #[arg(long)]
        offline: bool,
    },
    /// List each value in force and where it comes from: option, environment, file, library, default
    Config {
        /// The root folder, as for import
        folder: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Print shell completions
    Completions {
        /// The shell to print them for
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write man pages, one a command
    Man {
        /// The folder to write them to
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Print a table of the guide
    #[command(hide = true)]
    Reference {
        /// Which one
        #[arg(value_enum)]
        table: Reference,
    },
}

impl Command {
    /// Which library was named, for hints to name it too.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Music(music) => music.place(),
            Self::Serve(serve) => serve.place.clone().or_folder(serve.folder.clone()),
            Self::Doctor { folder, place, .. } | Self::Config { folder, place } => {
                place.clone().or_folder(folder.clone())
            }
            Self::Books(_)
            | Self::Completions { .. }
            | Self::Man { .. }
            | Self::Reference { .. } => Place::default(),
        }
    }
}

impl Music {
    fn place(&self) -> Place {
        let (place, folder) = match self {
            Self::Hear(_) | Self::Plan(_) => return Place::default(),
            Self::Import(import) => (&import.place, &import.folder),
            Self::Identify(identify) => (&identify.place, &identify.folder),
            Self::Status { folder, place, .. }
            | Self::Review { folder, place }
            | Self::Check { folder, place } => (place, folder),
            Self::Flavor(flavor) => (&flavor.place, &None),
            Self::Collect(collect) => (&collect.place, &None),
            Self::Edit(edit) => (&edit.place, &None),
            Self::Edits(edits) => (&edits.place, &None),
            Self::Export(export) => (&export.place, &export.folder),
            Self::Show { place, .. }
            | Self::Similar { place, .. }
            | Self::Adopt { place, .. }
            | Self::Backup { place, .. }
            | Self::Restore { place, .. }
            | Self::Settings(
                Settings::Get { place, .. }
                | Settings::Set { place, .. }
                | Settings::List { place },
            ) => (place, &None),
        };
        place.clone().or_folder(folder.clone())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Music {
    /// Take a folder in; run again to take in what is new or changed
    Import(Import),
    /// Hear files without a library, on as many machines as you like, into records
    Hear(hear::Hear),
    /// Take what was heard elsewhere into a library, as an import would have
    Collect(hear::Collect),
    /// Divide files into even lists for several machines to hear
    Plan(hear::Plan),
    /// Find out which recordings the passages are
    Identify(Identify),
    /// Take flavors from a dump of AcousticBrainz, and choose which flavor players see
    Flavor(Flavor),
    /// Tell what is in the library, what failed, and why
    Status {
        /// The root folder, as for import
        folder: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
        /// List every problem, not only the first twenty
        #[arg(long)]
        all: bool,
    },
    /// Show everything about a file or a passage
    Show {
        #[command(flatten)]
        place: Place,
        /// A path, the end of one, or the id of a file or passage (8 characters or more)
        #[arg(value_name = "FILE|PASSAGE", add = ArgValueCompleter::new(complete::passages))]
        name: String,
        /// Draw its waveform, passages, leads and silences to this file
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
    },
    /// Find the passages that sound most like one
    Similar {
        #[command(flatten)]
        place: Place,
        /// The id of a passage, or the path of a file that has one
        #[arg(value_name = "PASSAGE", add = ArgValueCompleter::new(complete::passages))]
        name: String,
        /// How many to name
        #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
        count: usize,
    },
    /// Say where a passage begins and ends, what it is called, or that it is no song; nothing overwrites that
    Edit(Edit),
    /// List what was said by hand, take it back, or carry it to another library
    Edits(Edits),
    /// List boundaries and matches that may be wrong, with the reason for each
    Review {
        /// The root folder, as for import
        folder: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Read and change the library's settings
    #[command(subcommand)]
    Settings(Settings),
    /// Check the library: integrity, references, orphans, files missing on the disk
    Check {
        /// The root folder, as for import
        folder: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Take over what was done by hand in a database of WKMP, Vaino or beets, which is only read
    Adopt {
        #[command(flatten)]
        place: Place,
        /// The other program's database
        #[arg(value_name = "DATABASE")]
        theirs: PathBuf,
        /// Say what would be taken over, and do nothing; as without --yes
        #[arg(short = 'n', long, conflicts_with = "yes")]
        dry_run: bool,
        /// Take it over
        #[arg(long)]
        yes: bool,
    },
    /// Copy the library to a file, whether or not something is being imported
    Backup {
        #[command(flatten)]
        place: Place,
        /// The file to write
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Replace a file that is there already
        #[arg(long)]
        replace: bool,
    },
    /// Put a copy that `backup` made in the library's place; what is there is moved aside
    Restore {
        #[command(flatten)]
        place: Place,
        /// The copy
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Move a library that is sound aside, too
        #[arg(long)]
        replace: bool,
    },
    /// Write the passages out for other programs
    Export(Export),
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The folder to take in: the root folder, or with --root-folder a folder in it
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Files worked on at once [default: the setting `ai_processing_thread_count`, or one per core]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Ask no service on the network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Remove from the library what is gone from the disk
    #[arg(long)]
    pub(crate) prune: bool,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Analyse again what is in the library already
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Settings {
    /// Print one setting's value
    Get {
        #[command(flatten)]
        place: Place,
        /// Its key
        #[arg(add = ArgValueCompleter::new(complete::settings))]
        key: String,
    },
    /// Choose a value
    Set {
        #[command(flatten)]
        place: Place,
        /// Its key
        #[arg(add = ArgValueCompleter::new(complete::settings))]
        key: String,
        /// Its value, `-` to read it from standard input; without one, back to the default
        #[arg(allow_hyphen_values = true)]
        value: Option<String>,
    },
    /// List all settings with their values
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The root folder, as for import
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// The form to write [default: by the file's extension; csv, or jsonl with --format json]
    #[arg(long = "as", value_enum, value_name = "FORM")]
    pub(crate) form: Option<Form>,
    /// The same as `--as cue`
    #[arg(long, conflicts_with = "form")]
    pub(crate) cue: bool,
    /// The file to write (for cue sheets and Vaino, the folder); standard output if none
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write over cue sheets that exist; without it they are named and left alone
    #[arg(long)]
    pub(crate) replace: bool,
    /// For Vaino: leave out the files whose `audio_md5` stands in this file, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) have: Option<PathBuf>,
    /// For Vaino: copy the audio files into the bundle, as is the default
    #[arg(long, conflicts_with = "link")]
    pub(crate) copy: bool,
    /// For Vaino: give the audio files a second name in the bundle, which takes no room
    #[arg(long)]
    pub(crate) link: bool,
}

/// A form to write passages in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Comma-separated values with a header
    Csv,
    /// One JSON object a line
    #[value(alias = "json", alias = "json-lines")]
    Jsonl,
    /// A playlist
    #[value(alias = "m3u")]
    M3u8,
    /// A cue sheet for every file of several passages
    Cue,
    /// Parquet: all that was measured, one row a passage
    Parquet,
    /// A folder that Vaino's `import_bundle` takes in: a payload, and the audio files
    Vaino,
}
