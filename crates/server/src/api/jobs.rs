//! Imports: what one would do, asking for one, and those that wait, run and have ended.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::error::Refusal;
use crate::jobs::{Job, Plan};
use crate::object::Object;
use crate::work::blocking;

/// What to take in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chosen {
    /// A folder below the root folder, or its absolute path; empty for the root folder itself.
    #[schema(value_type = String)]
    folder: PathBuf,
}

/// Imports, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List {
    jobs: Vec<Job>,
}

/// What an import of a folder would do; nothing is done.
#[utoipa::path(
    post,
    path = "/api/v1/plans",
    tag = "library",
    request_body = Chosen,
    responses(
        (status = 200, description = "What would be done", body = Plan),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn plan(
    State(app): State<Arc<App>>,
    Object(chosen): Object<Chosen>,
) -> Result<Json<Plan>, Refusal> {
    // One at a time: a plan reads files, and those who ask for many wait for each other.
    let _turn = app.planning.acquire().await.map_err(Refusal::stopping)?;
    blocking(&app, move |app| {
        Ok(Json(app.jobs.plan(&chosen.folder, &app.stop)?))
    })
    .await
}

/// Asks for an import: it begins when those before it have ended.
#[utoipa::path(
    post,
    path = "/api/v1/jobs",
    tag = "library",
    request_body = Chosen,
    responses(
        (status = 202, description = "The import, which waits or has begun", body = Job),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    Object(chosen): Object<Chosen>,
) -> Result<(StatusCode, Json<Job>), Refusal> {
    blocking(&app, move |app| {
        let view = app.jobs.queue(&chosen.folder)?;
        Ok((StatusCode::ACCEPTED, Json(app.jobs.listed(&view)?)))
    })
    .await
}

/// Lists imports: those that wait, the one under way, and those that have ended.
#[utoipa::path(
    get,
    path = "/api/v1/jobs",
    tag = "library",
    responses(
        (status = 200, description = "The latest first", body = List),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<List>, Refusal> {
    blocking(&app, |app| {
        Ok(Json(List {
            jobs: app.jobs.list()?,
        }))
    })
    .await
}

/// Stops an import, or takes one that waits out of the queue. Files in hand are finished.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/{id}/stop",
    tag = "library",
    params(("id" = Uuid, Path, description = "Id of the import")),
    responses(
        (status = 200, description = "The import", body = Job),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn stop(
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Job>, Refusal> {
    blocking(&app, move |app| {
        let view = app.jobs.cancel(Some(id))?;
        Ok(Json(app.jobs.listed(&view)?))
    })
    .await
}
