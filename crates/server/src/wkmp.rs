//! The interface of WKMP's ingest service: its paths, bodies, states and events.
//!
//! Where its documents and its program differ, both are served: two paths for one thing, two fields for one reason.
//! Bodies that lack a field are refused by `axum` in the words that WKMP's service has from it, too.

mod classification;
mod folders;
mod import;
pub(crate) mod parameters;
mod settings;
mod terms;
pub(crate) mod told;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::App;
use crate::error::Refusal;
use crate::health::Condition;
use crate::work::blocking;
use crate::{amplitude, events};

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(health))
        .route("/events", get(lamp))
        .route("/import/start", post(import::start))
        .route("/import/active", get(import::active))
        .route("/import/status/{session_id}", get(import::status))
        .route("/import/cancel", post(import::cancel_running))
        .route("/import/cancel/{session_id}", post(import::cancel))
        .route("/import/events", get(import::events))
        .route("/import/validate-acoustid", post(settings::validate))
        .route("/import/acoustid-key", post(settings::resume_with_key))
        .route("/import/acoustid-skip", post(settings::skip))
        .route("/import/skip-acoustid", post(settings::skip))
        .route(
            "/api/settings/acoustid_api_key",
            get(settings::key).post(settings::set_key),
        )
        .route("/api/settings", get(settings::all).post(settings::set_some))
        .route(
            "/api/import/file-classification",
            get(classification::classify),
        )
        .route("/api/folders/tree", get(folders::tree))
        .route("/api/folders/validate", post(folders::validate))
        .route(
            "/parameters/global",
            get(parameters::show).post(parameters::change),
        )
        .route("/analyze/amplitude", post(amplitude::analyze))
}

/// How long `/health` waits for the disk that the library is on: those who ask wait for two seconds at most.
const LOOK: Duration = Duration::from_secs(1);

/// Answers from memory and a look at the place of the database.
async fn health(State(app): State<Arc<App>>) -> (StatusCode, Json<Value>) {
    let look = blocking(&app, |app| Ok(app.health.condition(&app.library)));
    let condition = match tokio::time::timeout(LOOK, look).await {
        Ok(Ok(condition)) => condition,
        _ => Condition {
            is_well: false,
            last_error: Some("the disk that the library is on does not answer".to_owned()),
        },
    };
    let (status, word) = if condition.is_well {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unhealthy")
    };
    let mut told = json!({
        "status": word,
        "module": "wkmp-ai",
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": app.started.elapsed().as_secs(),
    });
    if let Some(error) = condition.last_error {
        told["last_error"] = error.into();
    }
    (status, Json(told))
}

async fn lamp(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    Ok(events::lamp(app.stop.clone(), app.listener()?))
}
