//! Settings that a visitor changes: all of some at once, or none, and none that would hand them more than the library.

use music::library::settings::{self, Listed};
use music::library::shown_flavor;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::App;
use crate::error::Refusal;

/// What a change of a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    /// Only the command line changes it: it decides what is run or who is asked.
    Owner,
    /// Its value is never shown.
    Secret,
    /// Files that were heard before show it once they are heard again.
    Hearing,
    /// It works from the next import or look on.
    Plain,
}

/// The class of a setting.
pub(crate) fn class(setting: &Listed) -> Result<Class, Refusal> {
    Ok(if is_for_the_owner(setting.key) {
        Class::Owner
    } else if settings::is_secret(setting.key)? {
        Class::Secret
    } else if setting.is_heard {
        Class::Hearing
    } else {
        Class::Plain
    })
}

/// Stores some settings; `null` goes back to the default. All of them are looked at before the first is stored.
pub(crate) fn change(app: &App, some: Map<String, Value>) -> Result<(), Refusal> {
    let some: Vec<(String, Option<String>)> = some
        .into_iter()
        .map(|(key, value)| {
            let text = match value {
                Value::Null => None,
                Value::String(text) => Some(text),
                other => Some(other.to_string()),
            };
            (key, text)
        })
        .collect();
    let some = without_masks(app, some)?;
    for (key, value) in &some {
        if is_for_the_owner(key) {
            return Err(Refusal::bad_request(format!(
                "`{key}` decides what is run or who is asked: expected it to be set on the command line"
            )));
        }
        settings::check(key, value.as_deref())?;
    }
    for (key, value) in &some {
        set(app, key, value.as_deref())?;
    }
    Ok(())
}

/// Leaves out secrets that are sent back as they were shown: masked, and not meant.
fn without_masks(
    app: &App,
    some: Vec<(String, Option<String>)>,
) -> Result<Vec<(String, Option<String>)>, Refusal> {
    let shown = settings::list(app.library.db())?;
    let is_mask = |key: &str, value: &Option<String>| {
        value.is_some()
            && settings::is_secret(key).unwrap_or(false)
            && shown
                .iter()
                .any(|one| one.key == key && one.value == *value)
    };
    Ok(some
        .into_iter()
        .filter(|(key, value)| !is_mask(key, value))
        .collect())
}

/// Stores one setting.
pub(crate) fn set(app: &App, key: &str, value: Option<&str>) -> Result<(), Refusal> {
    settings::set(app.library.db(), key, value)?;
    if key == shown_flavor::SETTING {
        shown_flavor::settle(&app.library)?;
    }
    Ok(())
}

/// What would let a visitor run a program, or send the key for `AcoustID` to an address of its own.
fn is_for_the_owner(key: &str) -> bool {
    key == "ffmpeg_path" || key.ends_with("_base_url")
}
