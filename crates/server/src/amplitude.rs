//! `/analyze/amplitude`: the levels of a stretch of a file, one decoding at a time.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use music::views::amplitude::{self, Parameters, Refused};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::App;
use crate::error::Refusal;
use crate::object::Object;
use crate::wkmp::parameters;
use crate::work::{StopWhenDropped, blocking};

/// What to measure.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    file_path: PathBuf,
    start_time: f64,
    #[serde(default)]
    end_time: Option<f64>,
    #[serde(default)]
    parameters: Option<Value>,
}

pub(crate) async fn analyze(
    State(app): State<Arc<App>>,
    Object(asked): Object<Asked>,
) -> Result<Json<Value>, Refusal> {
    let _turn = app.decoding.acquire().await.map_err(Refusal::stopping)?;
    let guard = StopWhenDropped::default();
    let cancel = guard.cancel();
    blocking(&app, move |app| {
        let measure_by = match asked.parameters {
            // Names that nobody knows are left alone; WKMP's own page sends two of them.
            Some(own) if !own.is_object() => {
                return Err(Refusal::bad_request("parameters: expected an object"));
            }
            Some(own) => serde_json::from_value::<Parameters>(own)
                .map_err(|error| Refusal::bad_request(format!("parameters: {error}")))?,
            None => parameters::load(app)?,
        };
        let span = (asked.start_time, asked.end_time);
        let measured =
            amplitude::measure(&app.library, &asked.file_path, span, &measure_by, &cancel)
                .map_err(|refused| match refused {
                    Refused::Asked(reason) => Refusal::bad_request(reason),
                    Refused::File(reason) => Refusal::internal(reason),
                })?;
        Ok(Json(json!({
            "file_path": asked.file_path,
            "peak_rms": measured.peak_rms,
            "lead_in_duration": measured.lead_in_seconds,
            "lead_out_duration": measured.lead_out_seconds,
            "quick_ramp_up": measured.quick_ramp_up,
            "quick_ramp_down": measured.quick_ramp_down,
            "rms_profile": measured.profile,
            "analyzed_at": Timestamp::now(),
        })))
    })
    .await
}
