//! WKMP's `import_parameters`: what `/analyze/amplitude` measures by.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use music::library::settings;
use music::views::amplitude::Parameters;
use serde_json::{Map, Value, json};

use crate::App;
use crate::error::Refusal;
use crate::object::Object;
use crate::work::blocking;

const SETTING: &str = "import_parameters";

/// The parameters in force.
pub(crate) fn load(app: &App) -> Result<Parameters, Refusal> {
    Ok(stored(app)?.1)
}

pub(crate) async fn show(State(app): State<Arc<App>>) -> Result<Json<Parameters>, Refusal> {
    blocking(&app, |app| Ok(Json(load(app)?))).await
}

/// Changes some of them; those that nobody knows are left alone, as WKMP's service does.
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Object(some): Object<Map<String, Value>>,
) -> Result<Json<Value>, Refusal> {
    blocking(&app, move |app| {
        let (mut all, _) = stored(app)?;
        let known = json!(Parameters::default());
        let some = some.into_iter();
        all.extend(some.filter(|(key, _)| known.get(key).is_some()));
        let bad = |reason: String| Refusal::bad_request(format!("parameters: {reason}"));
        let parameters: Parameters = serde_json::from_value(Value::Object(all.clone()))
            .map_err(|error| bad(error.to_string()))?;
        if parameters != parameters.sane() {
            return Err(bad("out of range".to_owned()));
        }
        let text = Value::Object(all).to_string();
        settings::set(app.library.db(), SETTING, Some(&text))?;
        Ok(Json(
            json!({ "status": "updated", "parameters": parameters }),
        ))
    })
    .await
}

/// What is stored, other programs' fields among it, and what it means. What cannot be read counts as nothing.
fn stored(app: &App) -> Result<(Map<String, Value>, Parameters), Refusal> {
    let text = settings::value(app.library.db(), SETTING)?.unwrap_or_default();
    let all: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let parameters: Option<Parameters> = serde_json::from_value(Value::Object(all.clone())).ok();
    Ok((all, parameters.unwrap_or_default().sane()))
}
