//! A file's bytes as they are, whole or in part, for a browser's player.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use music::library::query::{self, Shown};
use run::LibraryPath;

use crate::App;
use crate::api::Named;
use crate::error::Refusal;
use crate::work::{blocking, body_of};

pub(crate) async fn play(
    State(app): State<Arc<App>>,
    Query(named): Query<Named>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let asked = headers.get(RANGE).and_then(|value| value.to_str().ok());
    let asked = asked.map(str::to_owned);
    blocking(&app, move |app| {
        let path = match query::show(&app.library, &named.name)? {
            Shown::File(file) => file.path,
            Shown::Passage(passage) => passage.path,
        };
        let path = LibraryPath::try_from(path).map_err(|_| missing())?;
        let (mut file, length) = open(app.library.root(), &path).map_err(|_| missing())?;
        let kind = HeaderValue::from_static(kind_of(path.as_str()));
        let (status, first, last) = match asked.as_deref().map(|text| range(text, length)) {
            // A form of range that is not served here may be answered whole.
            None | Some(Range::Other) => (StatusCode::OK, 0, length),
            Some(Range::Part(first, last)) => (StatusCode::PARTIAL_CONTENT, first, last),
            Some(Range::Outside) => {
                let whole = format!("bytes */{length}");
                let status = StatusCode::RANGE_NOT_SATISFIABLE;
                return Ok((status, [(CONTENT_RANGE, whole)]).into_response());
            }
        };
        file.seek(SeekFrom::Start(first)).map_err(|_| missing())?;
        let mut response = (status, body_of(file, last - first)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, kind);
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(CONTENT_LENGTH, (last - first).into());
        if status == StatusCode::PARTIAL_CONTENT {
            let part = format!("bytes {first}-{}/{length}", last - 1);
            if let Ok(value) = HeaderValue::from_str(&part) {
                headers.insert(CONTENT_RANGE, value);
            }
        }
        Ok(response)
    })
    .await
}

fn missing() -> Refusal {
    Refusal::not_found("the file is not there now")
}

/// Opens a file below the root folder, without following a link out of it: what was opened is compared with what lies at
/// the path without links afterwards, so that a link that is put there in between is noticed.
fn open(root: &Path, path: &LibraryPath) -> std::io::Result<(File, u64)> {
    let root = root.canonicalize()?;
    let at = |root: &Path| -> std::io::Result<PathBuf> {
        let real = path.below(root).canonicalize()?;
        if real.starts_with(root) {
            Ok(real)
        } else {
            Err(ErrorKind::PermissionDenied.into())
        }
    };
    let real = at(&root)?;
    let file = run::regular_file(&real)?;
    let opened = file.metadata()?;
    let again = at(&root)?;
    if again != real || !is_same(&opened, &again.symlink_metadata()?) {
        return Err(ErrorKind::PermissionDenied.into());
    }
    Ok((file, opened.len()))
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    one.len() == other.len() && other.is_file()
}

/// What a browser is told that the bytes are.
fn kind_of(path: &str) -> &'static str {
    let extension = path.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
    match extension.as_str() {
        "mp3" | "mp2" => "audio/mpeg",
        "flac" => "audio/flac",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "m4a" | "m4b" | "mp4" => "audio/mp4",
        "aac" => "audio/aac",
        "wav" => "audio/wav",
        "aif" | "aiff" => "audio/aiff",
        _ => "application/octet-stream",
    }
}

/// What a `Range` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// From the first byte to the one before the second.
    Part(u64, u64),
    /// Nothing that is there.
    Outside,
    /// Several parts, another unit, or no range at all.
    Other,
}

fn range(text: &str, length: u64) -> Range {
    let Some((first, last)) = text
        .strip_prefix("bytes=")
        .and_then(|part| part.trim().split_once('-'))
    else {
        return Range::Other;
    };
    let (first, last) = match (first, last) {
        ("", last) => match last.parse::<u64>() {
            Ok(count) => (length.saturating_sub(count), length),
            Err(_) => return Range::Other,
        },
        (first, "") => match first.parse::<u64>() {
            Ok(first) => (first, length),
            Err(_) => return Range::Other,
        },
        (first, last) => match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(length)),
            _ => return Range::Other,
        },
    };
    if first < last {
        Range::Part(first, last)
    } else {
        Range::Outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_never_leaves_the_file() {
        for (text, expected) in [
            ("bytes=0-99", Range::Part(0, 10)),
            ("bytes=2-3", Range::Part(2, 4)),
            ("bytes=9-", Range::Part(9, 10)),
            ("bytes=-3", Range::Part(7, 10)),
            ("bytes=-99", Range::Part(0, 10)),
            ("bytes=10-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=0-18446744073709551615", Range::Part(0, 10)),
            ("bytes=0-1,3-4", Range::Other),
            ("bytes=3-2", Range::Other),
            ("bytes=+1-2", Range::Part(1, 3)),
            ("bytes=a-b", Range::Other),
            ("items=0-1", Range::Other),
        ] {
            assert_eq!(range(text, 10), expected, "{text}");
        }
        assert_eq!(range("bytes=0-", 0), Range::Outside);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_root_folder_is_not_followed() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(elsewhere.path().join("a.mp3"), "x").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("link")).unwrap();
        std::fs::write(root.path().join("b.mp3"), "xy").unwrap();
        let path = |text: &str| LibraryPath::try_from(text.to_owned()).unwrap();
        assert!(open(root.path(), &path("link/a.mp3")).is_err());
        assert_eq!(open(root.path(), &path("b.mp3")).unwrap().1, 2);
    }
}
