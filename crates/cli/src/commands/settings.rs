//! `music settings get|set|list`.

use std::io::BufRead;

use anyhow::{Context, Result, bail};
use music::Library;
use music::library::settings::Listed;
use music::library::shown_flavor;
use run::ExitStatus;

use crate::args::Place;
use crate::commands::{located, open_to_read};
use crate::printer::Printer;

/// Prints one setting's value.
pub(crate) fn get(place: &Place, key: &str, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let setting = music::library::settings::get(library.db(), key)?;
    printer.show(&setting, || vec![setting.value.clone().unwrap_or_default()]);
    Ok(ExitStatus::Done)
}

/// Chooses a value, or goes back to the default.
pub(crate) fn set(
    place: &Place,
    key: &str,
    value: Option<&str>,
    printer: Printer,
) -> Result<ExitStatus> {
    let typed = match value {
        Some("-") => Some(first_line()?),
        Some(_) if music::library::settings::is_secret(key)? => bail!(
            "a secret on the command line can be seen by every user of this machine\n\
             hint: `accession music settings set {key} -` reads it from standard input"
        ),
        other => other.map(str::to_owned),
    };
    let located = located(place, printer)?;
    let library = Library::open(&located.database, &located.root)?;
    let setting = music::library::settings::set(library.db(), key, typed.as_deref())?;
    if key == shown_flavor::SETTING {
        shown_flavor::settle(&library)?;
    }
    library.close()?;
    printer.show(&setting, || vec![line(&setting)]);
    Ok(ExitStatus::Done)
}

fn first_line() -> Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read standard input")?;
    Ok(line.trim().to_owned())
}

/// Lists all settings.
pub(crate) fn list(place: &Place, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let settings = music::library::settings::list(library.db())?;
    printer.show(&settings, || settings.iter().map(line).collect());
    Ok(ExitStatus::Done)
}

fn line(setting: &Listed) -> String {
    format!(
        "{:<38} {:<12} {:<8} {}",
        setting.key,
        setting.value.as_deref().unwrap_or("-"),
        setting.origin,
        setting.meaning
    )
}
