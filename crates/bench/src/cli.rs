//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::printer;
use crate::{
    boundaries, cuts, engine, hear, identify, import, lock, outage, pages, rescan, scale, tempo,
};

/// Measures what Accession promises. Run it in release mode, on a machine that does nothing else.
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Three ways to write down an audio file, side by side, under contention
    Lock(Lock),
    /// The whole import against decoding alone, and where its CPU time goes
    Import(Import),
    /// Hearing elsewhere and collecting, against importing in one process
    Hear(Elsewhere),
    /// An engine that hears a bucket while processes are killed, against importing
    Engine(Engine),
    /// How fast made-up records of three passages are collected, and in how much memory
    Collect(Made),
    /// Claims, leases and fencing among a thousand workers that crash and stall, in virtual time
    Scale(Scale),
    /// Importing again with nothing changed
    Rescan(Rescan),
    /// How right album rips are cut, and single tracks left whole
    Boundaries(Boundaries),
    /// How right recordings of every medium are cut, and the model that cuts them
    Cuts {
        #[command(subcommand)]
        step: CutsStep,
    },
    /// How right tempo and key are: on made songs, on annotated files, or between shifted copies of tracks
    #[command(args_conflicts_with_subcommands = true)]
    Tempo {
        #[command(flatten)]
        measure: Tempo,
        #[command(subcommand)]
        step: Option<TempoStep>,
    },
    /// How often identification is right, on a made MusicBrainz
    Identify(Identify),
    /// Fit the weights of identification on made worlds
    Train(Train),
    /// Learn how often an answer is right that is stated to be so and so sure
    Calibrate(Calibrate),
    /// What a service costs an import that answers too late or never
    Outage(Outage),
    /// How long a server takes for each page of a large library
    Pages(Pages),
    /// One measurement in a process of its own, as JSON
    #[command(hide = true)]
    Child {
        #[command(subcommand)]
        measured: import::Measured,
    },
}

#[derive(Debug, Args)]
struct Lock {
    /// Threads that write
    #[arg(long, default_value_t = 16)]
    workers: usize,
    /// Passages per file, one round of all designs for each
    #[arg(long, value_delimiter = ',', default_value = "1,2,3,5,10,25")]
    passages: Vec<usize>,
    /// Files in each cell of the table, at most
    #[arg(long, default_value_t = 2000)]
    files: usize,
    /// No file is begun after this many seconds in a cell
    #[arg(long, default_value_t = 3.0)]
    seconds_per_cell: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Import {
    /// A folder of music; without one, sample music many times over
    folder: Option<PathBuf>,
    /// Workers of the measured imports
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    jobs: Vec<usize>,
    /// How often each configuration is measured, in turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Leave out the measurement of single stages
    #[arg(long)]
    no_stages: bool,
}

#[derive(Debug, Args)]
struct Elsewhere {
    /// Files to take in
    #[arg(long, default_value_t = 60)]
    files: usize,
    /// Length of each in seconds
    #[arg(long, default_value_t = 66.0)]
    seconds: f64,
    /// How often both are measured, in turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Hear them by so many lists of `music plan`, each in a process of its own
    #[arg(long, default_value_t = 0)]
    lists: usize,
    /// Files and records lie in a store that speaks S3, in this process
    #[arg(long)]
    in_store: bool,
}

#[derive(Debug, Args)]
struct Engine {
    /// The folder of its adapter in `deploy`
    #[arg(value_parser = ["dask", "ray"])]
    adapter: String,
    /// The Python in which it is installed
    #[arg(long, default_value = "/usr/bin/python3")]
    python: PathBuf,
    /// Songs to hear
    #[arg(long, default_value_t = 2_000)]
    files: usize,
    /// Length of each in seconds
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Processes at a time
    #[arg(long, default_value_t = 4)]
    workers: usize,
    /// Processes that are killed
    #[arg(long, default_value_t = 10)]
    kills: usize,
}

#[derive(Debug, Args)]
struct Made {
    /// Records to collect
    #[arg(long, default_value_t = 100_000)]
    records: usize,
    /// Where to make them, if not in the folder of temporary files; a million take 12 GB
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Scale {
    /// Items to be worked
    #[arg(long, default_value_t = 10_000_000)]
    items: u32,
    /// Workers
    #[arg(long, default_value_t = 1_000)]
    workers: u32,
    /// The number that everything is a function of
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
struct Rescan {
    /// Files in the made library
    #[arg(long, default_value_t = 6000)]
    files: usize,
    /// Length of each in seconds
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Workers
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// How often it is imported again
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Debug, Args)]
struct Pages {
    /// Files in the made library
    #[arg(long, default_value_t = 50_000)]
    files: usize,
    /// Passages in all
    #[arg(long, default_value_t = 200_000)]
    passages: usize,
    /// How often each page is asked for
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[derive(Debug, Args)]
struct Boundaries {
    /// A folder of real tracks, each a file
    folder: PathBuf,
    /// Rips of each medium
    #[arg(long, default_value_t = 8)]
    rips: usize,
    /// The number that the choice of tracks is a function of
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum CutsStep {
    /// Make recordings of the corpus, hear them, and add what was heard to a file
    Hear(Hear),
    /// Fit the model on what was heard
    Fit {
        /// What `hear` wrote of the training sources
        #[arg(long, value_delimiter = ',', required = true)]
        training: Vec<PathBuf>,
        /// What it wrote of the validation sources
        #[arg(long, value_delimiter = ',', required = true)]
        validation: Vec<PathBuf>,
        /// Fit the model that the program comes with further, instead of a new one
        #[arg(long)]
        further: bool,
        /// Where to write the weights
        #[arg(long, default_value = "crates/audio/src/segment/weights.json")]
        output: PathBuf,
    },
    /// Cut what was heard and compare with the truth
    Measure {
        /// Files that `hear` wrote
        #[arg(required = true)]
        heard: Vec<PathBuf>,
        /// Tell every recording that is not all right
        #[arg(long)]
        tell: bool,
    },
}

#[derive(Debug, Args)]
struct Hear {
    /// A folder with the packages of crates/bench/corpus/sources.tsv, each unpacked into a folder of its name
    corpus: PathBuf,
    /// Which part of the corpus
    #[arg(long, value_enum)]
    split: cuts::tracks::Split,
    /// Recordings of each kind
    #[arg(long, default_value_t = 3)]
    each: usize,
    /// The number that everything is a function of
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to write; what is there stays
    #[arg(long)]
    out: PathBuf,
    /// Only these kinds
    #[arg(long, value_delimiter = ',')]
    kinds: Vec<String>,
    /// Every song of the split by itself, as it lies in its folder, instead of made recordings
    #[arg(long)]
    singles: bool,
}

#[derive(Debug, Subcommand)]
enum TempoStep {
    /// Fit what speaks for a key on annotated files
    Fit {
        /// Lists to fit on, each with lines of path,bpm,key
        #[arg(long, value_delimiter = ',', required = true)]
        training: Vec<PathBuf>,
        /// Lists to choose settings on
        #[arg(long, value_delimiter = ',', required = true)]
        validation: Vec<PathBuf>,
        /// Where to write the weights
        #[arg(long, default_value = "crates/audio/src/flavor/weights.json")]
        output: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Tempo {
    /// A list of files, audio or MIDI, one a line: path,bpm,key
    #[arg(long, conflicts_with = "folder")]
    annotations: Option<PathBuf>,
    /// A folder of tracks, each compared with a copy that is shifted and out of tune
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Made songs of each style
    #[arg(long, default_value_t = 10)]
    songs: usize,
    /// Whose rhythms and sound font the made songs have
    #[arg(long, value_enum, default_value = "validation")]
    split: cuts::tracks::Split,
    /// The number that everything is a function of
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the made songs, as MIDI with a list of their tempos and keys, in this folder
    #[arg(long)]
    keep: Option<PathBuf>,
    /// The sound font that MIDI is rendered with, instead of Debian's
    #[arg(long)]
    font: Option<PathBuf>,
    /// Tell every file that is not all right
    #[arg(long)]
    tell: bool,
}

#[derive(Debug, Args)]
struct Identify {
    /// The number that everything is a function of
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Albums of the world; with editions and the like some three releases for each
    #[arg(long, default_value_t = 80)]
    albums: usize,
    /// Folders of files
    #[arg(long, default_value_t = 200)]
    folders: usize,
    /// Situations of each kind in the world of reported errors
    #[arg(long, default_value_t = 4)]
    situations: usize,
    /// Times each situation of the world of collectors' shelves
    #[arg(long, default_value_t = 1)]
    shelves: usize,
    /// Album rips
    #[arg(long, default_value_t = 200)]
    rips: u64,
    /// Tell every answer that is wrong or missing
    #[arg(long)]
    tell: bool,
}

#[derive(Debug, Args)]
struct Train {
    /// Seeds to fit on
    #[arg(long, value_delimiter = ',', default_value = "101,102,103,104,105,106")]
    seeds: Vec<u64>,
    /// Seeds to validate on
    #[arg(long, value_delimiter = ',', default_value = "201,202")]
    validate: Vec<u64>,
    /// Where to write the weights
    #[arg(long, default_value = "crates/music/src/identify/weights.json")]
    output: PathBuf,
}

#[derive(Debug, Args)]
struct Calibrate {
    /// Seeds to learn from
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "301,302,303,304,305,306,307,308"
    )]
    seeds: Vec<u64>,
    /// The weights that the map is written into
    #[arg(long, default_value = "crates/music/src/identify/weights.json")]
    output: PathBuf,
}

#[derive(Debug, Args)]
struct Outage {
    /// Files to take in
    #[arg(long, default_value_t = 100)]
    files: usize,
    /// Length of each in seconds
    #[arg(long, default_value_t = 66.0)]
    seconds: f64,
    /// How often each import is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Runs one command.
pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Lock(args) => measure_locks(&args),
        Command::Import(args) => import::run(&import::Plan {
            folder: args.folder,
            jobs: args.jobs,
            rounds: args.rounds,
            stages: !args.no_stages,
            program: std::env::current_exe()?,
        }),
        Command::Hear(args) => hear::overhead(&hear::Elsewhere {
            files: args.files,
            seconds: args.seconds,
            rounds: args.rounds,
            lists: args.lists,
            in_store: args.in_store,
        }),
        Command::Engine(args) => engine::run(&engine::Killed {
            engine: args.adapter,
            python: args.python,
            files: args.files,
            seconds: args.seconds,
            workers: args.workers,
            kills: args.kills,
        }),
        Command::Collect(args) => hear::collect(args.records, args.folder.as_deref()),
        Command::Scale(args) => scale::run(args.items, args.workers, args.seed),
        Command::Rescan(args) => rescan::run(&rescan::Plan {
            files: args.files,
            seconds: args.seconds,
            jobs: args.jobs,
            rounds: args.rounds,
            program: std::env::current_exe()?,
        }),
        Command::Pages(args) => pages::run(&pages::Plan {
            files: args.files,
            passages: args.passages,
            rounds: args.rounds,
        }),
        Command::Boundaries(args) => boundaries::run(&boundaries::Plan {
            folder: args.folder,
            rips: args.rips,
            seed: args.seed,
        }),
        Command::Cuts { step } => run_cuts(step),
        Command::Tempo { measure, step } => run_tempo(measure, step),
        Command::Identify(args) => identify::run(&identify::Plan {
            seed: args.seed,
            albums: args.albums,
            folders: args.folders,
            situations: args.situations,
            shelves: args.shelves,
            rips: args.rips,
            verbose: args.tell,
        }),
        Command::Train(args) => identify::train::run(&identify::train::Plan {
            train: args.seeds,
            validate: args.validate,
            output: args.output,
        }),
        Command::Calibrate(args) => identify::calibrate::run(&identify::calibrate::Plan {
            seeds: args.seeds,
            output: args.output,
        }),
        Command::Outage(args) => outage::run(&outage::Plan {
            files: args.files,
            seconds: args.seconds,
            rounds: args.rounds,
        }),
        Command::Child { measured } => {
            printer::result(&measured.measure()?);
            Ok(())
        }
    }
}

fn run_tempo(measure: Tempo, step: Option<TempoStep>) -> Result<()> {
    match step {
        Some(TempoStep::Fit {
            training,
            validation,
            output,
        }) => tempo::fit::run(&tempo::fit::Plan {
            training,
            validation,
            output,
        }),
        None => tempo::run(&tempo::Plan {
            annotations: measure.annotations,
            folder: measure.folder,
            songs: measure.songs,
            split: measure.split,
            seed: measure.seed,
            keep: measure.keep,
            font: measure.font,
            tell: measure.tell,
        }),
    }
}

fn run_cuts(step: CutsStep) -> Result<()> {
    match step {
        CutsStep::Hear(args) => cuts::examples::collect(&cuts::Corpus {
            folder: args.corpus,
            split: args.split,
            each: args.each,
            seed: args.seed,
            out: args.out,
            kinds: args.kinds,
            singles: args.singles,
        }),
        CutsStep::Fit {
            training,
            validation,
            further,
            output,
        } => cuts::fit::run(&cuts::fit::Plan {
            training,
            validation,
            further,
            output,
        }),
        CutsStep::Measure { heard, tell } => cuts::measure::run(&heard, tell),
    }
}

fn measure_locks(args: &Lock) -> Result<()> {
    let plan = lock::Plan {
        workers: args.workers,
        passages: args.passages.clone(),
        files: args.files,
        limit: Duration::from_secs_f64(args.seconds_per_cell),
    };
    let cells = lock::run(&plan, |cell| {
        let rate = cell.files as f64 / cell.seconds;
        printer::note(&format!(
            "{:?}, {} passages: {rate:.0} files/s, rows and integrity as expected",
            cell.design, cell.passages
        ));
    })?;
    if args.json {
        printer::result(&serde_json::to_string(&cells)?);
    } else {
        printer::result(&lock::ratios(&cells).to_string());
        printer::result(&lock::table(&cells).to_string());
    }
    Ok(())
}
