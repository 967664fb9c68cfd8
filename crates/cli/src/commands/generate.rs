//! `completions` and `man`, from the definition of the arguments.

use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use run::ExitStatus;

use crate::args::Cli;
use crate::printer::Printer;

/// Prints shell completions.
pub(crate) fn completions(shell: Shell) -> Result<ExitStatus> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "accession", &mut text);
    let mut out = Printer::stdout();
    match out.write_all(&text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot print the completions")
        }
        _ => Ok(ExitStatus::Done),
    }
}

/// Writes a man page for every command.
pub(crate) fn man(folder: &Path) -> Result<ExitStatus> {
    let cannot = || format!("cannot write man pages to `{}`", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    clap_mangen::generate_to(Cli::command(), folder).with_context(cannot)?;
    Ok(ExitStatus::Done)
}
