//! Starting, watching and stopping an import.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Refusal;
use crate::events::stream;
use crate::jobs::{Moment, Terms};
use crate::object::Object;
use crate::wkmp::{parameters, terms, told};
use crate::work::blocking;
use crate::{App, error};

type Answer = std::result::Result<Json<Value>, error::Refusal>;

/// What to take in.
#[derive(Debug, Deserialize)]
pub(crate) struct Start {
    root_folder: PathBuf,
    #[serde(default)]
    parameters: Option<Value>,
}

pub(crate) async fn start(State(app): State<Arc<App>>, Object(start): Object<Start>) -> Answer {
    blocking(&app, move |app| {
        let terms = match &start.parameters {
            Some(parameters) => terms::of(parameters, &parameters::load(app)?)?,
            None => Terms::default(),
        };
        let folder = app.library.root().join(start.root_folder);
        let view = app.jobs.start(&folder, terms)?;
        Ok(Json(json!({
            "session_id": view.id,
            "state": view.state.capitals(),
            "started_at": view.started_at,
        })))
    })
    .await
}

pub(crate) async fn active(State(app): State<Arc<App>>) -> Json<Value> {
    let running = app.jobs.running();
    Json(running.map_or(Value::Null, |session| told::status(&session.view())))
}

pub(crate) async fn status(State(app): State<Arc<App>>, Path(id): Path<Uuid>) -> Answer {
    let session = app.jobs.find(id);
    let session = session.ok_or_else(|| Refusal::not_found("there is no such import"))?;
    Ok(Json(told::status(&session.view())))
}

pub(crate) async fn cancel(State(app): State<Arc<App>>, Path(id): Path<Uuid>) -> Answer {
    blocking(&app, move |app| {
        Ok(Json(told::cancelled(&app.jobs.cancel(Some(id))?)))
    })
    .await
}

pub(crate) async fn cancel_running(State(app): State<Arc<App>>) -> Answer {
    blocking(&app, |app| {
        Ok(Json(told::cancelled(&app.jobs.cancel(None)?)))
    })
    .await
}

/// Begins with where the latest import stands, so that a page that comes late or comes back is right at once.
pub(crate) async fn events(State(app): State<Arc<App>>) -> std::result::Result<Response, Refusal> {
    let place = app.listener()?;
    let jobs = Arc::clone(&app.jobs);
    let snapshot = move || {
        let session = jobs.latest()?;
        Some(told::event(Moment::GoesOn, &session.view()))
    };
    Ok(stream(&app.ring, app.stop.clone(), place, snapshot))
}
