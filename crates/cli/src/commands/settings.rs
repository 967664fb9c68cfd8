//! `music settings get|set|list`.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, Result};
use music::library::settings::Listed;
use music::library::shown_flavor;
use run::ExitStatus;

use crate::args::Place;
use crate::commands::{open_to_read, open_to_tell};
use crate::hints::{self, advised};
use crate::printer::{Printer, Volume};
use crate::words::bare;

/// How keys end whose values are kept in WKMP's unit of time, which is nobody's.
const TICKS: &str = "_ticks";

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
        Some("-") => Some(first_line(key, printer)?),
        Some("") if music::library::settings::is_secret(key)? => None,
        Some(_) if music::library::settings::is_secret(key)? => {
            let command = hints::music(place, &["settings", "set", key, "-"]);
            return Err(advised(
                "a secret on the command line can be seen by every user of this machine",
                format!("`{command}` reads it from standard input; without a value it is removed"),
            ));
        }
        other => other.map(str::to_owned),
    };
    let typed = typed.map(|typed| in_ticks(key, typed));
    let library = open_to_tell(place, printer)?;
    let setting = music::library::settings::set(library.db(), key, typed.as_deref())?;
    if key == shown_flavor::SETTING {
        shown_flavor::settle(&library)?;
    }
    let heard = music::library::query::status(&library)?.passages;
    library.close()?;
    printer.show(&setting, || vec![line(&setting)]);
    if setting.is_heard && heard > 0 {
        let force = hints::music(place, &["import", "--force"]);
        printer.hint(
            Volume::Normal,
            &format!("files that are new or changed are heard with it from now on; `{force}` hears all of them again"),
        );
    }
    Ok(ExitStatus::Done)
}

/// A length as people write it, `300ms` or `0.3s`, in the ticks that the setting is kept in; anything else as it is.
fn in_ticks(key: &str, typed: String) -> String {
    if !key.ends_with(TICKS) {
        return typed;
    }
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let seconds = match typed.strip_suffix("ms") {
        Some(millis) => number(millis).map(|millis| millis / 1000.0),
        None => typed.strip_suffix('s').and_then(number),
    };
    let seconds = seconds.filter(|seconds| (0.0..=music::edit::LONGEST_SECONDS).contains(seconds));
    seconds.map_or(typed, |seconds| {
        music::edit::Ticks::from_seconds(seconds).0.to_string()
    })
}

fn first_line(key: &str, printer: Printer) -> Result<String> {
    if std::io::stdin().is_terminal() {
        let note = format!("type the value of `{key}` and press Enter; it is not shown");
        printer.note(Volume::Errors, &note);
        let typed = console::Term::stderr().read_secure_line();
        let typed = typed.context("cannot read from the terminal")?;
        return Ok(bare(&typed).unwrap_or_default());
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read standard input")?;
    Ok(bare(&line).unwrap_or_default())
}

/// Lists all settings.
pub(crate) fn list(place: &Place, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let settings = music::library::settings::list(library.db())?;
    printer.show(&settings, || settings.iter().flat_map(described).collect());
    Ok(ExitStatus::Done)
}

/// A setting on two lines: its value and where that comes from, and below what it does.
fn described(setting: &Listed) -> [String; 2] {
    [line(setting), format!("    {}", setting.meaning)]
}

fn line(setting: &Listed) -> String {
    let value = setting.value.as_deref().unwrap_or("(none)");
    let in_seconds = setting
        .key
        .ends_with(TICKS)
        .then(|| setting.value.as_ref()?.parse().ok())
        .flatten()
        .map_or_else(String::new, |ticks: i64| {
            format!(" = {} s", music::edit::Ticks(ticks).seconds())
        });
    format!("{}  {value}{in_seconds}  ({})", setting.key, setting.origin)
}
