//! The `parameters` of `/import/start`: each is honoured, or refused with a reason. Names that nobody knows are left alone,
//! as WKMP's service does.

use music::Only;
use music::views::amplitude::Parameters;
use serde_json::{Value, json};

use crate::error::Refusal;
use crate::jobs::Terms;

/// Extensions that are named at most, and the longest of them in bytes. A guess: there are some forty of audio.
const MOST_EXTENSIONS: usize = 100;
const LONGEST_EXTENSION: usize = 16;

/// The terms of an import that is asked for with `parameters`; `levels` are what amplitudes are measured by.
pub(crate) fn of(parameters: &Value, levels: &Parameters) -> Result<Terms, Refusal> {
    if parameters.is_null() {
        return Ok(Terms::default());
    }
    if !parameters.is_object() {
        return Err(refused("parameters", "an object"));
    }
    let asked = |name: &str| parameters.get(name).filter(|value| !value.is_null());
    let yes_or_no = |name: &'static str| match asked(name) {
        None => Ok(None),
        Some(value) => value
            .as_bool()
            .map(Some)
            .ok_or_else(|| refused(name, "true or false")),
    };
    if let Some(amplitude) = asked("amplitude") {
        are_in_force(amplitude, levels)?;
    }
    Ok(Terms {
        only: Only {
            extensions: asked("file_extensions").map(extensions).transpose()?,
            leave_folders: yes_or_no("scan_subdirectories")? == Some(false),
            leave_hidden: yes_or_no("skip_hidden_files")? == Some(true),
        },
        workers: asked("parallelism").map(workers).transpose()?,
    })
}

fn refused(name: &str, expected: &str) -> Refusal {
    Refusal::bad_request(format!("{name}: expected {expected}"))
}

/// Extensions in small letters and without their dots.
fn extensions(value: &Value) -> Result<Vec<String>, Refusal> {
    let read = || {
        let all = value.as_array()?;
        let all = all.iter().map(|one| {
            let text = one.as_str()?.trim().to_lowercase();
            let text = text.strip_prefix('.').unwrap_or(&text).to_owned();
            let is_one =
                (1..=LONGEST_EXTENSION).contains(&text.len()) && !text.contains(['.', '/', '\\']);
            is_one.then_some(text)
        });
        all.collect::<Option<Vec<_>>>()
    };
    read()
        .filter(|all| (1..=MOST_EXTENSIONS).contains(&all.len()))
        .ok_or_else(|| refused("file_extensions", "a list of extensions such as `.mp3`"))
}

fn workers(value: &Value) -> Result<usize, Refusal> {
    let workers = value.as_u64().and_then(|count| usize::try_from(count).ok());
    workers
        .filter(|count| *count > 0)
        .ok_or_else(|| refused("parallelism", "a whole number from 1"))
}

/// An import measures by the parameters that are stored, whoever asks for it.
fn are_in_force(amplitude: &Value, levels: &Parameters) -> Result<(), Refusal> {
    let levels = json!(levels);
    let Some(amplitude) = amplitude.as_object() else {
        return Err(refused("amplitude", "an object"));
    };
    let same = |one: &Value, other: &Value| match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        _ => one == other,
    };
    for (name, value) in amplitude {
        if let Some(level) = levels.get(name)
            && !same(value, level)
        {
            let expected = format!(
                "`{name}` as in `/parameters/global`, which every import goes by: change it there"
            );
            return Err(refused("amplitude", &expected));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_honoured_or_refused() {
        let levels = Parameters::default();
        let terms = |parameters: Value| of(&parameters, &levels);
        assert_eq!(terms(json!(null)).unwrap(), Terms::default());
        assert_eq!(terms(json!({ "mood": 1 })).unwrap(), Terms::default());
        let asked = json!({
            "scan_subdirectories": false, "file_extensions": [".MP3", "flac"], "skip_hidden_files": true,
            "parallelism": 4, "amplitude": levels,
        });
        let expected = Terms {
            only: Only {
                extensions: Some(vec!["mp3".to_owned(), "flac".to_owned()]),
                leave_folders: true,
                leave_hidden: true,
            },
            workers: Some(4),
        };
        assert_eq!(terms(asked).unwrap(), expected);
        for wrong in [
            json!([]),
            json!("x"),
            json!({ "scan_subdirectories": "no" }),
            json!({ "skip_hidden_files": 1 }),
            json!({ "file_extensions": "x" }),
            json!({ "file_extensions": [] }),
            json!({ "file_extensions": [".mp3", 1] }),
            json!({ "file_extensions": ["a/b"] }),
            json!({ "parallelism": -1 }),
            json!({ "parallelism": 0 }),
            json!({ "parallelism": 1.5 }),
            json!({ "amplitude": { "rms_window_ms": 77 } }),
            json!({ "amplitude": 1 }),
        ] {
            assert!(terms(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
