//! `music settings get|set|list`.

use anyhow::Result;
use music::Library;
use music::settings::Listed;
use run::ExitStatus;

use crate::args::Place;
use crate::commands::{located, open_to_read};
use crate::printer::Printer;

/// Prints one setting's value.
pub(crate) fn get(place: &Place, key: &str, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let setting = music::settings::get(library.db(), key)?;
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
    let located = located(place, printer)?;
    let library = Library::open(&located.database, &located.root)?;
    let setting = music::settings::set(library.db(), key, value)?;
    library.close()?;
    printer.show(&setting, || vec![line(&setting)]);
    Ok(ExitStatus::Done)
}

/// Lists all settings.
pub(crate) fn list(place: &Place, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let settings = music::settings::list(library.db())?;
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
