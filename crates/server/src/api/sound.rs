//! Sound that has to be decoded first: as WAV for browsers that cannot play a file as it is, and as a drawing.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use music::views::stretch::{self, Wav};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use crate::App;
use crate::api::Named;
use crate::api::audio::{self, missing};
use crate::api::ranges::{Part, asked_for, only_if};
use crate::api::states::settled;
use crate::error::Refusal;
use crate::work::{StopWhenDropped, blocking, body_by};

/// A passage, or a file, as WAV of 16 bits; in parts, too.
#[utoipa::path(
    get,
    path = "/api/v1/wav",
    tag = "library",
    params(Named),
    responses(
        (status = 200, description = "WAV of 16 bits; parts of it for a `Range`", content_type = "audio/wav"),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn wav(
    State(app): State<Arc<App>>,
    Query(named): Query<Named>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let turn = Arc::clone(&app.listening).acquire_owned().await;
    let turn = turn.map_err(Refusal::stopping)?;
    let (wav, state) = blocking(&app, move |app| {
        let wav = Wav::of(&app.library, &named.name)?;
        let state = state_of(&wav).ok_or_else(missing)?;
        Ok((wav, state))
    })
    .await?;
    if let Some(settled) = settled(&method, &headers, &state) {
        return Ok(settled);
    }
    // Parts of two contents make none.
    let asked = asked_for(&method, &headers);
    let asked = asked.filter(|_| only_if(&headers).is_none_or(|known| known == state));
    let part = match Part::of(asked.as_deref(), wav.length()) {
        Ok(part) => part,
        Err(outside) => return Ok(outside.into_response()),
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        body(&app, wav, part, turn).await?
    };
    let mut response = part.answer("audio/wav", body);
    if let Ok(state) = HeaderValue::from_str(&state) {
        response.headers_mut().insert(ETAG, state);
    }
    Ok(response)
}

/// The state of what is sent as a strong `ETag`: that of the file, and which part of it; `None` where no file is there.
fn state_of(wav: &Wav) -> Option<String> {
    let file = std::fs::metadata(wav.path())
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    let (whole, frames) = (audio::state_of(&file), wav.frames());
    Some(format!("\"{}-{:x}-{:x}\"", whole, frames.start, frames.end))
}

/// Decodes as fast as somebody listens, and no longer than that. What cannot be decoded from its first sound on is told
/// instead of an answer that breaks off.
async fn body(
    app: &Arc<App>,
    wav: Wav,
    part: Part,
    turn: OwnedSemaphorePermit,
) -> Result<Body, Refusal> {
    let app = Arc::clone(app);
    // The header of a WAV file is made without a look at the file.
    let first = part.first.max(stretch::HEADER).min(part.last) - part.first;
    let made = body_by(first + 1, move |take| {
        let _turn = turn;
        let read = wav.read(&app.library, part.first..part.last, &app.stop, take);
        read.map_err(|error| {
            tracing::warn!("a listener was cut off: {error}");
            std::io::Error::other("the file cannot be decoded")
        })
    });
    made.await.map_err(|_| {
        Refusal::conflict(
            "the file cannot be decoded now: it is damaged, or another one than was taken in",
        )
    })
}

/// Which stretch of a file, in seconds, in how many points.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Stretch {
    name: String,
    from: f64,
    to: f64,
    points: usize,
}

/// Two bytes a point, as `music::views::stretch::drawn` has them.
#[utoipa::path(
    get,
    path = "/api/v1/detail",
    tag = "library",
    params(Stretch),
    responses(
        (status = 200, description = "Two bytes a point, the least and the greatest sample as numbers with a sign", content_type = "application/octet-stream"),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn detail(
    State(app): State<Arc<App>>,
    Query(asked): Query<Stretch>,
) -> Result<Response, Refusal> {
    let _turn = app.decoding.acquire().await.map_err(Refusal::stopping)?;
    let guard = StopWhenDropped::default();
    let cancel = guard.cancel();
    blocking(&app, move |app| {
        let seconds = asked.from..asked.to;
        let drawn = stretch::drawn(&app.library, &asked.name, seconds, asked.points, &cancel)?;
        Ok(drawn.into_response())
    })
    .await
}
