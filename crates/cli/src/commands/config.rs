//! `config`: every value that is in force, and where it comes from.

use anyhow::Result;
use music::Library;
use music::library::settings;
use run::ExitStatus;
use serde::Serialize;

use crate::api_key;
use crate::args::Place;
use crate::args::books::Output;
use crate::commands::books::settings as of_books;
use crate::config_file;
use crate::env;
use crate::printer::Printer;
use crate::settings::{Origin, config_folder, locate};

/// A value in force.
#[derive(Debug, Clone, Serialize)]
struct Value {
    name: String,
    #[serde(rename = "value")]
    shown: Option<String>,
    /// An option, a variable, a file, the library, or the default.
    origin: String,
}

impl Value {
    fn new(name: impl Into<String>, shown: Option<String>, origin: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            shown,
            origin: origin.into(),
        }
    }
}

/// Lists what is in force; changes nothing.
pub(crate) fn config(place: &Place, printer: Printer) -> Result<ExitStatus> {
    let located = locate(place)?;
    for warning in &located.warnings {
        printer.warning(warning);
    }
    let database = match &place.database {
        Some(_) => Origin::Argument.to_string(),
        None => "default: in the root folder".to_owned(),
    };
    let shown = |path: &std::path::Path| Some(path.display().to_string());
    let mut values = vec![
        Value::new(
            "root_folder",
            shown(&located.root),
            located.origin.to_string(),
        ),
        Value::new("database", shown(&located.database), database),
    ];
    values.extend(files());
    values.extend(variables());
    let key = api_key::beside_library().map(|origin| {
        let shown = Some("***".to_owned());
        Value::new(config_file::ACOUSTID_API_KEY, shown, origin.to_string())
    });
    if located.database.exists() {
        let library = Library::open_read_only(&located.database, &located.root)?;
        for setting in settings::list(library.db())? {
            let origin = match setting.origin {
                "default" => "default",
                "chosen" => "library: chosen",
                _ => "library: stored by WKMP",
            };
            let value = Value::new(setting.key, setting.value, origin);
            let beside = key
                .clone()
                .filter(|key| key.name == value.name && value.shown.is_none());
            values.push(beside.unwrap_or(value));
        }
    } else {
        values.extend(key);
    }
    let output = of_books::output(&Output { output_dir: None });
    let origin = match std::env::var_os(env::OUTPUT_DIR).filter(|value| !value.is_empty()) {
        Some(_) => Origin::Variable(env::OUTPUT_DIR),
        None => Origin::Default,
    };
    values.push(Value::new(
        "books: output_dir",
        shown(&output),
        origin.to_string(),
    ));
    let credentials = of_books::credentials(None, None).credentials;
    let origin = match std::env::var_os(env::CREDENTIALS_DIR).filter(|value| !value.is_empty()) {
        Some(_) => Origin::Variable(env::CREDENTIALS_DIR),
        None => Origin::Default,
    };
    values.push(Value::new(
        "books: credentials",
        shown(&credentials),
        origin.to_string(),
    ));
    printer.show(&values, || lines(&values));
    Ok(ExitStatus::Done)
}

/// The configuration files, and whether they are there.
fn files() -> Vec<Value> {
    let Some(folder) = config_folder() else {
        return Vec::new();
    };
    let file = |name: &&str| {
        let path = folder.join(name);
        let state = match config_file::read(&path) {
            Ok(Some(_)) => "read".to_owned(),
            Ok(None) => "not there".to_owned(),
            Err(error) => error.to_string(),
        };
        Value::new("file", Some(path.display().to_string()), state)
    };
    config_file::FILES.iter().map(file).collect()
}

/// The variables that are set; secrets are not shown.
fn variables() -> Vec<Value> {
    let known = env::ALL.iter().map(|(name, _)| (*name).to_owned());
    let of_runs = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with(env::RUN_PREFIX));
    let set = |name: String| {
        let value = std::env::var_os(&name).filter(|value| !value.is_empty())?;
        let value = if env::is_secret(&name) {
            "***".to_owned()
        } else {
            value.to_string_lossy().into_owned()
        };
        Some(Value::new(name, Some(value), "environment"))
    };
    known.chain(of_runs).filter_map(set).collect()
}

fn lines(values: &[Value]) -> Vec<String> {
    let widest = values.iter().map(|value| value.name.len()).max();
    let widest = widest.unwrap_or_default();
    values
        .iter()
        .map(|value| {
            let shown = value.shown.as_deref().unwrap_or("(none)");
            format!("{:widest$}  {shown}  ({})", value.name, value.origin)
        })
        .collect()
}
