//! `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::args::Place;
use crate::args::books::Output;

/// Where to serve which library, and to whom.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The root folder, as for import
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Make a library where there is none, also in a folder that holds no music yet
    #[arg(long)]
    pub(crate) create: bool,
    /// Show how far a run of books is, and what failed, instead of a library
    #[arg(long = "run", value_name = "NAME", conflicts_with_all = ["folder", "root_folder", "database", "create", "jobs", "offline"])]
    pub(crate) run: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Where to listen; beyond this machine visitors need a token, which is printed
    /// [default: 127.0.0.1, on the port of the last time, or the first free of 5723, 15723, 25723, 17203, 23403]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// A name that browsers may use for this machine, besides its addresses and `localhost`; may be repeated
    #[arg(long = "name", value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Files that an import works on at once [default: the setting `ai_processing_thread_count`, or one per core]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Ask no service on the network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Open the first page in a browser; where a token is needed, open the address that is printed instead
    #[arg(long)]
    pub(crate) open: bool,
}
