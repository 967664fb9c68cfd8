//! The library by artists, albums and passages, on a map, and the pictures of albums.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use music::library::lists::{self, By, ListedAlbum, ListedArtist, ListedPassage, Page};
use music::library::query::{self, ListedProblem, Shown};
use music::views::similar::{Placed, Sounds};
use run::LibraryPath;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::api::audio::open;
use crate::api::{Named, find, rows};
use crate::error::Refusal;
use crate::fitted;
use crate::work::{beside, blocking};

/// Points of a map. A guess: more would cover each other on a screen.
const MOST_PLACED: usize = 300;

/// Largest picture in bytes. Covers have some hundred kilobytes.
const LARGEST_PICTURE: u64 = 16 << 20;

/// Which rows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Behind {
    after: Option<String>,
    limit: Option<u32>,
}

/// Some rows of a list, as it tells them.
async fn page<T, F>(app: &Arc<App>, asked: Behind, list: F) -> Result<Response, Refusal>
where
    T: Serialize,
    F: Fn(&App, Option<&str>, u32) -> music::Result<Page<T>> + Send + 'static,
{
    blocking(app, move |app| {
        let after = asked.after.as_deref();
        fitted::list(rows(asked.limit), |limit| Ok(list(app, after, limit)?))
    })
    .await
}

/// Lists artists by name.
#[utoipa::path(
    get,
    path = "/api/v1/artists",
    tag = "library",
    params(Behind),
    responses(
        (status = 200, description = "Artists by name", body = Page<ListedArtist>),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn artists(
    State(app): State<Arc<App>>,
    Query(asked): Query<Behind>,
) -> Result<Response, Refusal> {
    page(&app, asked, |app, after, limit| {
        lists::artists(app.library.db(), after, limit)
    })
    .await
}

/// Lists albums by title.
#[utoipa::path(
    get,
    path = "/api/v1/albums",
    tag = "library",
    params(Behind),
    responses(
        (status = 200, description = "Albums by title", body = Page<ListedAlbum>),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn albums(
    State(app): State<Arc<App>>,
    Query(asked): Query<Behind>,
) -> Result<Response, Refusal> {
    page(&app, asked, |app, after, limit| {
        lists::albums(app.library.db(), after, limit)
    })
    .await
}

/// Lists files with which something is wrong, by kind and path.
#[utoipa::path(
    get,
    path = "/api/v1/problems",
    tag = "library",
    params(Behind),
    responses(
        (status = 200, description = "Problems by kind and path", body = Page<ListedProblem>),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn problems(
    State(app): State<Arc<App>>,
    Query(asked): Query<Behind>,
) -> Result<Response, Refusal> {
    page(&app, asked, |app, after, limit| {
        lists::problems(app.library.db(), after, limit)
    })
    .await
}

/// Whose passages, and which rows of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    /// A name, or the `key` that a list has for it.
    artist: Option<String>,
    /// A title, or the `key` that a list has for it.
    album: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

/// Lists the passages of an artist or of an album.
#[utoipa::path(
    get,
    path = "/api/v1/passages",
    tag = "library",
    params(Whose),
    responses(
        (status = 200, description = "Passages, album by album", body = Page<ListedPassage>),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn passages(
    State(app): State<Arc<App>>,
    Query(asked): Query<Whose>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let by = match (&asked.artist, &asked.album) {
            (Some(artist), None) => By::Artist(artist),
            (None, Some(album)) => By::Album(album),
            _ => return Err(Refusal::bad_request("expected either `artist` or `album`")),
        };
        let after = asked.after.as_deref();
        fitted::list(rows(asked.limit), |limit| {
            Ok(lists::passages(app.library.db(), by, after, limit)?)
        })
    })
    .await
}

/// Around which passage, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Around {
    passage: Option<String>,
    count: Option<usize>,
}

/// Passages on a plane.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Map {
    passages: Vec<Placed>,
    /// The library is still being read: these are some from all over it, and not the nearest. Ask again in a moment.
    #[serde(rename = "still_reading")]
    is_sample: bool,
}

/// Places passages on a plane, those that sound alike near each other.
#[utoipa::path(
    get,
    path = "/api/v1/map",
    tag = "library",
    params(Around),
    responses(
        (status = 200, description = "Passages on a plane", body = Map),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn map(
    State(app): State<Arc<App>>,
    Query(asked): Query<Around>,
) -> Result<Json<Map>, Refusal> {
    blocking(&app, move |app| {
        let count = asked.count.unwrap_or(100).min(MOST_PLACED);
        let passage = asked.passage.as_deref().filter(|id| !id.is_empty());
        let map = |sounds: &Sounds| sounds.map(&app.library, passage, count);
        let is_sample = app.sounds.is_unread() && Sounds::are_many(&app.library)?;
        let passages = if is_sample {
            let (sounds, library) = (Arc::clone(&app.sounds), app.library.clone());
            beside(move || sounds.read_ahead(&library));
            map(&Sounds::sample(&app.library, count, passage)?)?
        } else {
            app.sounds.ask(&app.library, map)?
        };
        Ok(Json(Map {
            passages,
            is_sample,
        }))
    })
    .await
}

/// The front cover of the album that a passage, or a file's first passage, is on.
#[utoipa::path(
    get,
    path = "/api/v1/cover",
    tag = "library",
    params(Named),
    responses(
        (status = 200, description = "The picture", content_type = "image/*"),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn cover(
    State(app): State<Arc<App>>,
    Query(named): Query<Named>,
) -> Result<Response, Refusal> {
    let missing = || Refusal::not_found("there is no cover");
    blocking(&app, move |app| {
        let passage = match query::show(&app.library, &named.name)? {
            Shown::Passage(passage) => *passage,
            Shown::File(file) => {
                let first = file.passages.first().ok_or_else(missing)?;
                find(app, first.id.as_str())?
            }
        };
        let cover = passage.cover.ok_or_else(missing)?;
        let bytes = picture(app, Path::new(&cover.path)).ok_or_else(missing)?;
        let kind = kind_of(&bytes).ok_or_else(missing)?;
        let mut response = bytes.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("private, max-age=3600"),
        );
        Ok(response)
    })
    .await
}

/// Reads a picture that lies below the root folder, or beside the database where covers are kept.
fn picture(app: &App, path: &Path) -> Option<Vec<u8>> {
    let beside = app.library.path().parent()?;
    let folders = [app.library.root(), beside];
    folders.into_iter().find_map(|folder| {
        let below = path.strip_prefix(folder).ok()?.to_str()?;
        let below = LibraryPath::try_from(below.to_owned()).ok()?;
        let (file, opened) = open(folder, &below).ok()?;
        let mut bytes = Vec::new();
        (opened.len() <= LARGEST_PICTURE).then_some(())?;
        file.take(LARGEST_PICTURE).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    })
}

/// The kind of picture, by its first bytes; whatever else lies there is not handed out.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}
