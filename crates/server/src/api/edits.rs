//! What a person says about a passage, and takes back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use axum::response::{IntoResponse, Response};
use music::edit::{self, Changes, LONGEST_SECONDS, Ticks};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::App;
use crate::api::review::Undone;
use crate::api::states::Seen;
use crate::api::{etag, find, with_etag};
use crate::error::Refusal;
use crate::object::Object;
use crate::work::blocking;

/// Edits that are listed, the latest of all. A guess: what a person looks through.
const MOST_EDITS: usize = 1000;

/// What is said; positions are in seconds from the beginning of the file.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Said {
    start: Option<f64>,
    end: Option<f64>,
    split_at: Option<f64>,
    join: bool,
    lead_in: Option<f64>,
    lead_out: Option<f64>,
    fade_in: Option<f64>,
    fade_out: Option<f64>,
    title: Option<String>,
    artist: Option<String>,
    album: Option<String>,
    no_song: bool,
    reset: bool,
}

impl Said {
    fn changes(self) -> Result<Changes, Refusal> {
        let ticks = |seconds: Option<f64>| match seconds {
            Some(seconds) if !(0.0..=LONGEST_SECONDS).contains(&seconds) => {
                Err(Refusal::bad_request(format!(
                    "`{seconds}` is no position, expected seconds from the beginning of the file"
                )))
            }
            seconds => Ok(seconds.map(Ticks::from_seconds)),
        };
        Ok(Changes {
            start: ticks(self.start)?,
            end: ticks(self.end)?,
            split_at: ticks(self.split_at)?,
            join: self.join,
            lead_in: ticks(self.lead_in)?,
            lead_out: ticks(self.lead_out)?,
            fade_in: ticks(self.fade_in)?,
            fade_out: ticks(self.fade_out)?,
            title: self.title,
            artist: self.artist,
            album: self.album,
            no_song: self.no_song,
            reset: self.reset,
        })
    }
}

/// Takes a person's word about a passage that is as they saw it.
#[utoipa::path(
    put,
    path = "/api/v1/passages/{id}/edits",
    tag = "library",
    params(("id" = String, Path, description = "Id of the passage"), ("If-Match" = String, Header, description = "The passage's `ETag`, as it was seen")),
    request_body = Said,
    responses(
        (status = 200, description = "The passage as it is now, or null where a file was cut anew", body = Option<music::library::query::PassageDetails>),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn say(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Object(said): Object<Said>,
) -> Result<Response, Refusal> {
    let seen = Seen::in_header(&headers, &IF_MATCH).ok_or_else(Refusal::precondition_required)?;
    blocking(&app, move |app| {
        let changes = said.changes()?;
        // Between looking and writing nobody else may write.
        let _turn = app.turn();
        let passage = find(app, &id)?;
        if !seen.has(&etag(&passage)) {
            return Err(Refusal::precondition_failed());
        }
        edit::edit(&app.library, &passage.id, &changes)?;
        // A reset may give the file other passages; the page asks for the file then.
        Ok(
            find(app, &id)
                .map_or_else(|_| Json(json!(null)).into_response(), |now| with_etag(&now)),
        )
    })
    .await
}

/// What was said and counts, the latest first.
#[utoipa::path(
    get,
    path = "/api/v1/edits",
    tag = "library",
    responses(
        (status = 200, description = "The latest first", body = [music::edit::Edit]),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    blocking(&app, |app| {
        let mut edits = edit::list(app.library.db())?;
        edits.reverse();
        edits.truncate(MOST_EDITS);
        Ok(Json(edits).into_response())
    })
    .await
}

/// Takes something back.
#[utoipa::path(
    post,
    path = "/api/v1/edits/{id}/undo",
    tag = "library",
    params(("id" = i64, Path, description = "Number of the edit")),
    responses(
        (status = 200, description = "What was taken back", body = Undone),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn undo(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let _turn = app.turn();
        let of_others = edit::undo(&app.library, &[id])?;
        Ok(Json(Undone {
            undone: id,
            of_others,
        })
        .into_response())
    })
    .await
}
