//! Our own interface below `/api/v1`: files, passages, a person's word about them, and what is in doubt.
//!
//! A change names the state that it was made for (`If-Match`), so that of two people who move one boundary the second
//! is told. What was said is recorded before anything is heard again.

mod audio;
mod edits;
mod jobs;
mod lists;
mod ranges;
pub(crate) mod review;
mod settings;
mod sound;
mod states;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use music::library::browse;
use music::library::query::{self, PassageDetails, Shown};
use music::views::peaks;
use music::views::similar::{Neighbour, Sounds};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::error::Refusal;
use crate::fitted;
use crate::jobs::State as JobState;
use crate::metrics;
use crate::work::blocking;

/// Rows that one answer holds at most. A guess; of long rows there are fewer (`fitted`).
const MOST_ROWS: u32 = 500;

/// Neighbours that one answer names at most, for the same reason.
const MOST_NEIGHBOURS: usize = 200;

/// What a request is answered that is refused.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes what `Refusal` writes")]
struct Refused {
    error: Reason,
}

/// Why it is refused.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes what `Refusal` writes")]
struct Reason {
    /// A word for programs, such as `NOT_FOUND`.
    code: String,
    /// A sentence for people.
    message: String,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Accession",
        description = "A music library: what is in it, what is in doubt, and what a person says about it."
    ),
    components(schemas(Refused, Reason))
)]
struct Description;

/// What is answered from the database, or at once.
fn quick_routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(files))
        .routes(routes!(file))
        .routes(routes!(passage))
        .routes(routes!(neighbours))
        .routes(routes!(edits::list))
        .routes(routes!(review::list))
        .routes(routes!(jobs::list, jobs::ask))
        .routes(routes!(jobs::stop))
        .routes(routes!(settings::list, settings::set))
        .routes(routes!(audio::play))
        .routes(routes!(waveform))
        .routes(routes!(lists::artists))
        .routes(routes!(lists::albums))
        .routes(routes!(lists::passages))
        .routes(routes!(lists::problems))
        .routes(routes!(lists::map))
        .routes(routes!(lists::cover))
}

/// What may hear a file again or ask a service first.
fn long_routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(edits::say))
        .routes(routes!(sound::wav))
        .routes(routes!(sound::detail))
        .routes(routes!(jobs::plan))
        .routes(routes!(edits::undo))
        .routes(routes!(review::decide))
        .routes(routes!(review::undo))
}

/// What is answered from the database, or at once; and the description of all of it.
pub(crate) fn routes() -> Router<Arc<App>> {
    let (router, mut description) = quick_routes().split_for_parts();
    description.merge(long_routes().into_openapi());
    let description = description.to_json().unwrap_or_default();
    router.route("/metrics", get(figures)).route(
        "/api/v1/openapi.json",
        get(async || ([(CONTENT_TYPE, "application/json")], description)),
    )
}

/// What may hear a file again or ask a service first.
pub(crate) fn slow_routes() -> Router<Arc<App>> {
    long_routes().into()
}

/// How many rows of those that were asked for are answered; 100 where nothing was said.
fn rows(asked: Option<u32>) -> u32 {
    asked.unwrap_or(100).clamp(1, MOST_ROWS)
}

/// Which files: those behind `after` by path, of these the ones that `q` stands in, at most `limit`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    after: Option<String>,
    q: Option<String>,
    limit: Option<u32>,
}

/// Lists files by path.
#[utoipa::path(
    get,
    path = "/api/v1/files",
    tag = "library",
    params(Asked),
    responses(
        (status = 200, description = "Files by path", body = browse::Page),
        (status = "4XX", description = "Refused, and why", body = Refused),
    )
)]
async fn files(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let (after, words) = (asked.after.as_deref(), asked.q.as_deref());
        fitted::list(rows(asked.limit), |limit| app.files(after, words, limit))
    })
    .await
}

/// Which file or passage: a path, the end of one, or an id.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Named {
    pub(crate) name: String,
}

/// Tells all about a file or a passage.
#[utoipa::path(
    get,
    path = "/api/v1/file",
    tag = "library",
    params(Named),
    responses(
        (status = 200, description = "A file with its passages, or a passage", body = Shown),
        (status = "4XX", description = "Refused, and why", body = Refused),
    )
)]
async fn file(
    State(app): State<Arc<App>>,
    Query(named): Query<Named>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        Ok(Json(query::show(&app.library, &named.name)?).into_response())
    })
    .await
}

/// The passage with an id.
pub(crate) fn find(app: &App, id: &str) -> Result<PassageDetails, Refusal> {
    match query::show(&app.library, id)? {
        Shown::Passage(passage) if passage.id.as_str().eq_ignore_ascii_case(id) => Ok(*passage),
        _ => Err(Refusal::not_found(format!("there is no passage `{id}`"))),
    }
}

/// A short name for the state of a passage, in quotes.
pub(crate) fn etag(passage: &PassageDetails) -> String {
    let text = serde_json::to_string(&(
        &passage.id,
        passage.start_ticks.0,
        passage.end_ticks.0,
        &passage.title,
        &passage.artist,
        &passage.album,
        (&passage.recording_mbid, passage.is_no_song),
        [
            passage.lead_in_seconds,
            passage.lead_out_seconds,
            passage.fade_in_seconds,
            passage.fade_out_seconds,
        ],
    ));
    let digest = Sha256::digest(text.unwrap_or_default());
    let half = digest.first_chunk().copied().unwrap_or_default();
    format!("\"{:032x}\"", u128::from_be_bytes(half))
}

fn with_etag(passage: &PassageDetails) -> Response {
    let mut response = Json(passage).into_response();
    if let Ok(value) = HeaderValue::from_str(&etag(passage)) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

/// Tells all about a passage.
#[utoipa::path(
    get,
    path = "/api/v1/passages/{id}",
    tag = "library",
    params(("id" = String, Path, description = "Id of the passage")),
    responses(
        (status = 200, description = "The passage; `ETag` names the state that it is in", body = PassageDetails),
        (status = "4XX", description = "Refused, and why", body = Refused),
    )
)]
async fn passage(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Refusal> {
    blocking(&app, move |app| Ok(with_etag(&find(app, &id)?))).await
}

/// Which file, and how many tenths of a second a point stands for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Drawn {
    name: String,
    every: Option<u32>,
}

/// Two bytes a point, as `music::views::peaks` has them; `X-Points-In-Ten-Seconds` tells how many there are.
#[utoipa::path(
    get,
    path = "/api/v1/peaks",
    tag = "library",
    params(Drawn),
    responses(
        (status = 200, description = "Two bytes a point, the least and the greatest sample as numbers with a sign; `X-Points-In-Ten-Seconds` tells how many points there are", content_type = "application/octet-stream"),
        (status = "4XX", description = "Refused, and why", body = Refused),
    )
)]
async fn waveform(
    State(app): State<Arc<App>>,
    Query(drawn): Query<Drawn>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let peaks = peaks::peaks(&app.library, &drawn.name, drawn.every.unwrap_or(1))?;
        let mut response = peaks.bytes.into_response();
        response
            .headers_mut()
            .insert("x-points-in-ten-seconds", peaks.in_ten_seconds.into());
        Ok(response)
    })
    .await
}

/// How many neighbours.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Count {
    count: Option<usize>,
}

/// Finds the passages that sound most like one.
#[utoipa::path(
    get,
    path = "/api/v1/similar/{id}",
    tag = "library",
    params(("id" = String, Path, description = "Id of the passage"), Count),
    responses(
        (status = 200, description = "The nearest first", body = [Neighbour]),
        (status = "4XX", description = "Refused, and why", body = Refused),
    )
)]
async fn neighbours(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<Count>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let count = asked.count.unwrap_or(10).min(MOST_NEIGHBOURS);
        let similar = |sounds: &Sounds| sounds.similar(&app.library, &id, count);
        Ok(Json(app.sounds.ask(&app.library, similar)?).into_response())
    })
    .await
}

/// Figures for Prometheus, from memory only.
async fn figures(State(app): State<Arc<App>>) -> Response {
    let view = app.jobs.latest().map(|session| session.view());
    let is_live = |state: JobState| state == JobState::Scanning || state.is_processing();
    let running = view.as_ref().is_some_and(|view| is_live(view.state));
    let told = view.as_ref().map(|view| &view.told);
    let number = |value: Option<u64>| value.unwrap_or(0);
    let writes = app.library.db().report();
    let figures = [
        ("uptime_seconds", "gauge", app.started.elapsed().as_secs()),
        ("import_running", "gauge", u64::from(running)),
        (
            "import_files_found",
            "gauge",
            number(told.and_then(|told| told.found)),
        ),
        (
            "import_files_recorded",
            "gauge",
            number(told.map(|told| told.files)),
        ),
        (
            "import_files_failed",
            "gauge",
            number(told.map(|told| told.failed + told.misleading)),
        ),
        (
            "import_passages_recorded",
            "gauge",
            number(told.map(|told| told.passages)),
        ),
        (
            "database_transactions_total",
            "counter",
            writes.transactions,
        ),
        ("database_rows_total", "counter", writes.rows),
        ("database_retries_total", "counter", writes.retries),
    ];
    metrics::answer(figures)
}
