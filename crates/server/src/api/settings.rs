//! Settings: what is in force, what it takes to change them, and their change.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use music::library::settings::{self, Listed};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::App;
use crate::choices::{Class, change, class};
use crate::error::Refusal;
use crate::object::Object;
use crate::work::blocking;

/// A setting.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Shown {
    #[serde(flatten)]
    #[schema(inline)]
    setting: Listed,
    class: Class,
}

/// All settings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct All {
    settings: Vec<Shown>,
}

fn all(app: &App) -> Result<Json<All>, Refusal> {
    let listed = settings::list(app.library.db())?.into_iter();
    let shown = listed.map(|setting| {
        let class = class(&setting)?;
        Ok(Shown { setting, class })
    });
    Ok(Json(All {
        settings: shown.collect::<Result<_, Refusal>>()?,
    }))
}

/// Lists every setting with its value; secrets are masked.
#[utoipa::path(
    get,
    path = "/api/v1/settings",
    tag = "library",
    responses((status = 200, description = "Every setting", body = All))
)]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<All>, Refusal> {
    blocking(&app, all).await
}

/// Changes some settings, all of them or none; `null` goes back to the default.
#[utoipa::path(
    patch,
    path = "/api/v1/settings",
    tag = "library",
    request_body(content = Object, description = "Values by key"),
    responses(
        (status = 200, description = "Every setting", body = All),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn set(
    State(app): State<Arc<App>>,
    Object(some): Object<Map<String, Value>>,
) -> Result<Json<All>, Refusal> {
    blocking(&app, move |app| {
        change(app, some)?;
        all(app)
    })
    .await
}
