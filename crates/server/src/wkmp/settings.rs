//! Settings, and the key for `AcoustID`, which leaves the process in clear only where WKMP's own page needs it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, State};
use music::catalogue::Fingerprint;
use music::library::settings;
use music::services::{Endpoints, Patience, Services, Trouble};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use web::Secret;

use crate::App;
use crate::choices::{change, set};
use crate::error::Refusal;
use crate::jobs::Key;
use crate::object::Object;
use crate::peer::Peer;
use crate::work::blocking;

type Answer = Result<Json<Value>, Refusal>;

const KEY: &str = "acoustid_api_key";

/// How long the service is waited for, as WKMP's page waits for this answer for ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);

/// The shortest text that is a fingerprint, of silence: its answer does not matter, only whether the key is known.
const SILENCE: &str = "AQAAAA";

/// A key that somebody typed.
#[derive(Deserialize)]
pub(crate) struct Typed {
    api_key: String,
}

/// A key for an import that waits for one.
#[derive(Deserialize)]
pub(crate) struct Resume {
    session_id: Uuid,
    api_key: String,
}

/// An import that is to go on without `AcoustID`.
#[derive(Debug, Deserialize)]
pub(crate) struct Skip {
    session_id: Uuid,
}

/// WKMP's page sends the key back to have it checked, so it gets it, on this machine only.
pub(crate) async fn key(State(app): State<Arc<App>>, Extension(peer): Extension<Peer>) -> Answer {
    let is_near = peer.0.ip().to_canonical().is_loopback();
    blocking(&app, move |app| {
        let key = settings::value(app.library.db(), KEY)?.filter(|key| !key.is_empty());
        Ok(Json(match key {
            Some(key) if is_near => json!({ "configured": true, "api_key": key }),
            key => json!({ "configured": key.is_some() }),
        }))
    })
    .await
}

pub(crate) async fn set_key(State(app): State<Arc<App>>, Object(typed): Object<Typed>) -> Answer {
    let key = typed.api_key.trim().to_owned();
    if key.is_empty() {
        return Err(Refusal::bad_request("API key cannot be empty"));
    }
    blocking(&app, move |app| {
        set(app, KEY, Some(&key))?;
        Ok(Json(json!({ "success": true, "message": "API key saved" })))
    })
    .await
}

/// Asks `AcoustID` whether it knows the key.
pub(crate) async fn validate(State(app): State<Arc<App>>, Object(typed): Object<Typed>) -> Answer {
    let (valid, message) = is_valid(&app, typed.api_key.trim()).await?;
    Ok(Json(json!({ "valid": valid, "message": message })))
}

async fn is_valid(app: &Arc<App>, key: &str) -> Result<(bool, String), Refusal> {
    if key.is_empty() {
        return Ok((false, "API key cannot be empty".to_owned()));
    }
    if app.offline {
        let message = "not checked: this server was told to ask no service";
        return Ok((false, message.to_owned()));
    }
    let key = Secret::new(key);
    let services = blocking(app, move |app| {
        let endpoints = Endpoints {
            patience: PATIENCE,
            attempts: 1,
            ..Endpoints::load(app.library.db(), Some(key))?
        };
        Ok(Services::new(&endpoints)?)
    })
    .await?;
    let Some(acoustid) = &services.acoustid else {
        return Ok((false, "API key cannot be empty".to_owned()));
    };
    let silence = Fingerprint {
        seconds: 1,
        text: SILENCE.to_owned(),
    };
    let patience = Patience::new(app.stop.clone());
    Ok(match acoustid.lookup(&[silence], &patience).await {
        Ok(_) => (true, "AcoustID knows this key".to_owned()),
        Err(Trouble::Refused { .. }) => (false, "AcoustID does not know this key".to_owned()),
        Err(trouble) => (false, format!("not checked: {trouble}")),
    })
}

/// An import that `AcoustID` has refused goes on listening, and asks with the new key what it could not ask. Where it is
/// over by then, the key is kept for the next one, and the answer says so.
pub(crate) async fn resume_with_key(
    State(app): State<Arc<App>>,
    Object(resume): Object<Resume>,
) -> Answer {
    let id = resume.session_id;
    let key = resume.api_key.trim();
    let (success, message) = if app.jobs.find(id).is_none() {
        (false, "there is no such import".to_owned())
    } else {
        match is_valid(&app, key).await? {
            (true, _) => {
                let key = key.to_owned();
                blocking(&app, move |app| set(app, KEY, Some(&key))).await?;
                let message = if app.jobs.answer(id, Key::Given) {
                    "API key saved; the import goes on with it"
                } else {
                    "API key saved for the next identification"
                };
                (true, message.to_owned())
            }
            refused => refused,
        }
    };
    Ok(Json(
        json!({ "session_id": id, "success": success, "message": message }),
    ))
}

/// Takes note that nobody is going to give another key.
pub(crate) async fn skip(State(app): State<Arc<App>>, Object(skip): Object<Skip>) -> Json<Value> {
    app.jobs.answer(skip.session_id, Key::DoneWithout);
    Json(json!({
        "session_id": skip.session_id,
        "message": "the import does not wait for AcoustID",
    }))
}

/// Every setting with its value; secrets are masked.
pub(crate) async fn all(State(app): State<Arc<App>>) -> Answer {
    blocking(&app, |app| {
        let mut all = Map::new();
        for setting in settings::list(app.library.db())? {
            all.insert(setting.key.to_owned(), json!(setting.value));
        }
        Ok(Json(Value::Object(all)))
    })
    .await
}

/// Stores some settings; `null` goes back to the default. All of them are looked at before the first is stored.
pub(crate) async fn set_some(
    State(app): State<Arc<App>>,
    Object(some): Object<Map<String, Value>>,
) -> Answer {
    blocking(&app, move |app| {
        change(app, some)?;
        Ok(Json(
            json!({ "success": true, "message": "settings saved" }),
        ))
    })
    .await
}
