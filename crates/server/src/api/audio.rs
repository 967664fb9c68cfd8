//! A file's bytes as they are, whole or in part, for a browser's player.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::extract::{Query, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use music::library::query::{self, Shown};
use run::LibraryPath;

use crate::App;
use crate::api::Named;
use crate::api::ranges::{Part, asked_for, only_if};
use crate::api::states::settled;
use crate::error::Refusal;
use crate::work::{blocking, body_of};

/// Hands out a file as it is.
#[utoipa::path(
    get,
    path = "/api/v1/audio",
    tag = "library",
    params(Named),
    responses(
        (status = 200, description = "The file's bytes as they are; parts of them for a `Range`", content_type = "audio/*"),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn play(
    State(app): State<Arc<App>>,
    Query(named): Query<Named>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (asked, only_if) = (asked_for(&method, &headers), only_if(&headers));
    blocking(&app, move |app| {
        let path = match query::show(&app.library, &named.name)? {
            Shown::File(file) => file.path,
            Shown::Passage(passage) => passage.path,
        };
        let path = LibraryPath::try_from(path).map_err(|_| missing())?;
        let (mut file, opened) = open(app.library.root(), &path).map_err(|_| missing())?;
        let (length, state) = (opened.len(), format!("\"{}\"", state_of(&opened)));
        if let Some(settled) = settled(&method, &headers, &state) {
            return Ok(settled);
        }
        // Parts of two contents make none.
        let asked = asked.filter(|_| only_if.is_none_or(|known| known == state));
        let kind = kind_of(path.as_str());
        let part = match Part::of(asked.as_deref(), length) {
            Ok(part) => part,
            Err(outside) => return Ok(outside.into_response()),
        };
        file.seek(SeekFrom::Start(part.first))
            .map_err(|_| missing())?;
        let mut response = part.answer(kind, body_of(file, part.last - part.first));
        if let Ok(state) = HeaderValue::from_str(&state) {
            response.headers_mut().insert(ETAG, state);
        }
        Ok(response)
    })
    .await
}

pub(crate) fn missing() -> Refusal {
    Refusal::not_found("the file is not there now")
}

/// Opens a file below the root folder, without following a link out of it, nor one that is put there while it is opened.
pub(crate) fn open(root: &Path, path: &LibraryPath) -> std::io::Result<(File, Metadata)> {
    let root = root.canonicalize()?;
    let real = path.below(&root).canonicalize()?;
    if !real.starts_with(&root) {
        return Err(ErrorKind::PermissionDenied.into());
    }
    let file = run::file_without_links(&real)?;
    let opened = file.metadata()?;
    Ok((file, opened))
}

/// The state of a file's content, for an `ETag`: its length, and when it was changed.
pub(crate) fn state_of(file: &Metadata) -> String {
    let changed = file.modified().ok();
    let since = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanoseconds = since.map_or(0, |since| since.as_nanos());
    format!("{:x}-{nanoseconds:x}", file.len())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_root_folder_is_not_followed() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(elsewhere.path().join("a.mp3"), "x").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("link")).unwrap();
        std::fs::write(root.path().join("b.mp3"), "xy").unwrap();
        let path = |text: &str| LibraryPath::try_from(text.to_owned()).unwrap();
        assert!(open(root.path(), &path("link/a.mp3")).is_err());
        assert_eq!(open(root.path(), &path("b.mp3")).unwrap().1.len(), 2);
    }
}
