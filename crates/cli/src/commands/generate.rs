//! `completions`, `man` and `reference`, from the definition of the arguments and the tables beside it.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::env::Shells;
use clap_mangen::Man;
use roff::{Roff, bold, italic, roman};
use run::ExitStatus;

use crate::args::{self, Reference, Shell};
use crate::printer::Printer;
use crate::{config_file, env, reference};

/// The program's name, and what completions call.
const PROGRAM: &str = "accession";

/// The variable by which a shell asks for completions, clap's own.
const ASKED: &str = "COMPLETE";

/// Prints what makes a shell ask this program for completions, so that settings, runs and files are completed, too.
pub(crate) fn completions(shell: Shell) -> Result<ExitStatus> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let completer = shells
        .completer(shell.name())
        .context("this shell is not known")?;
    completer.write_registration(ASKED, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    print(&script, "the completions")
}

fn print(text: &[u8], what: &str) -> Result<ExitStatus> {
    let mut out = Printer::stdout();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).with_context(|| format!("cannot print {what}"))
        }
        _ => Ok(ExitStatus::Done),
    }
}

/// Writes a man page for every command.
pub(crate) fn man(folder: &Path, printer: Printer) -> Result<ExitStatus> {
    let cannot = || format!("cannot write man pages to `{}`", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    let mut command = args::command().disable_help_subcommand(true);
    command.build();
    let written = pages(&command, &[], folder).with_context(cannot)?;
    printer.wrote(written, "man page", folder);
    Ok(ExitStatus::Done)
}

/// Writes the pages of a command and of those below it; how many they are.
fn pages(command: &Command, path: &[&str], folder: &Path) -> Result<usize> {
    let name = [&[PROGRAM], path].concat().join("-");
    let file = File::create(folder.join(format!("{name}.1")))?;
    let mut file = BufWriter::new(file);
    page(command, path, &name, &mut file)?;
    file.flush()?;
    let mut written = 1;
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        let path = [path, &[below.get_name()]].concat();
        written += pages(below, &path, folder)?;
    }
    Ok(written)
}

fn page(command: &Command, path: &[&str], name: &str, out: &mut impl Write) -> Result<()> {
    let version = concat!("accession ", env!("CARGO_PKG_VERSION"));
    // Examples are a section of their own here.
    let bare = command.clone().after_help("").after_long_help("");
    let man = Man::new(bare)
        .title(name.to_uppercase())
        .source(version)
        .manual("Accession Manual");
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    if command.get_arguments().next().is_some() {
        man.render_options_section(out)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    let mut more = Roff::new();
    let examples: Vec<_> = if path.is_empty() {
        reference::EXAMPLES.iter().collect()
    } else {
        reference::examples(path)
    };
    if !examples.is_empty() {
        more.control("SH", ["EXAMPLES"]);
    }
    for example in examples {
        more.control("TP", []);
        more.text([bold(example.typed)]);
        more.text([roman(example.does)]);
    }
    list(&mut more, "ENVIRONMENT", env::ALL);
    list(&mut more, "FILES", reference::FILES);
    let codes = reference::EXIT_CODES;
    let codes: Vec<_> = codes
        .iter()
        .map(|(code, means)| (code.to_string(), *means))
        .collect();
    list(&mut more, "EXIT STATUS", codes);
    more.control("SH", ["SEE ALSO"]);
    more.text([italic(see_also(command, path).join(", "))]);
    more.to_writer(out)?;
    Ok(())
}

fn list<T: Into<String>>(
    page: &mut Roff,
    title: &str,
    rows: impl IntoIterator<Item = (T, &'static str)>,
) {
    page.control("SH", [title]);
    for (name, means) in rows {
        page.control("TP", []);
        page.text([bold(name)]);
        page.text([roman(means)]);
    }
}

/// The pages above and below one.
fn see_also(command: &Command, path: &[&str]) -> Vec<String> {
    let page = |words: &[&str]| format!("{}(1)", [&[PROGRAM], words].concat().join("-"));
    let above = (0..path.len()).map(|length| page(&path[..length]));
    let below = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set());
    let below = below.map(|below| page(&[path, &[below.get_name()]].concat()));
    above.chain(below).collect()
}

/// Prints a table of the guide, in Markdown.
pub(crate) fn reference(which: Reference) -> Result<ExitStatus> {
    let rows: Vec<[String; 2]> = match which {
        Reference::Settings => music::library::settings::every()
            .map(|setting| {
                let default = setting
                    .default
                    .map_or_else(String::new, |default| format!(" (default: `{default}`)"));
                [
                    setting.key.to_owned(),
                    format!("{}{default}", setting.meaning),
                ]
            })
            .collect(),
        Reference::Environment => owned(env::ALL),
        Reference::Files => owned(reference::FILES),
        Reference::Configuration => owned(config_file::KEYS),
        Reference::ExitCodes => reference::EXIT_CODES
            .map(|(code, means)| [code.to_string(), means.to_owned()])
            .into(),
        Reference::Examples => reference::EXAMPLES
            .iter()
            .map(|example| [example.typed.to_owned(), example.does.to_owned()])
            .collect(),
        Reference::Commands => {
            let mut command = args::command().disable_help_subcommand(true);
            command.build();
            let mut rows = Vec::new();
            commands(&command, &[], &mut rows);
            rows
        }
    };
    let mut table = String::from("| | |\n|---|---|\n");
    for [name, means] in rows {
        let means = means.replace('|', "\\|");
        table.push_str(&format_row(&name, &means));
    }
    print(table.as_bytes(), "the table")
}

fn format_row(name: &str, means: &str) -> String {
    format!("| `{name}` | {means} |\n")
}

fn owned<const N: usize>(rows: [(&str, &str); N]) -> Vec<[String; 2]> {
    rows.map(|(name, means)| [name.to_owned(), means.to_owned()])
        .into()
}

/// Every command that does something.
fn commands(command: &Command, path: &[&str], rows: &mut Vec<[String; 2]>) {
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        let path = [path, &[below.get_name()]].concat();
        if below.has_subcommands() {
            commands(below, &path, rows);
        } else {
            let about = below.get_about().map(ToString::to_string);
            rows.push([path.join(" "), about.unwrap_or_default()]);
        }
    }
}
