//! Requests as a whole: their bodies within a time, and refusals in one form.

use std::error::Error as _;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;

use crate::LARGEST_BODY;
use crate::error::Refusal;

/// How long a body may take to arrive, as a head may. A guess: nearly all bodies are one packet.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Bytes that are read of what a refusal said before it was told in our form. Sentences are shorter.
const LONGEST_REASON: usize = 4 << 10;

/// Takes in a body before anything is done for it, so that whoever sends it byte by byte holds nothing but a connection,
/// and that for ten seconds. All bodies are JSON, and small.
pub(crate) async fn taken_in(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match tokio::time::timeout(BODY_TIME, to_bytes(body, LARGEST_BODY)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(error)) if is_too_long(&error) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Ok(Err(_)) => StatusCode::BAD_REQUEST.into_response(),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    matches!(error.source(), Some(cause) if cause.is::<LengthLimitError>())
}

/// Tells every refusal of our own interface in the form that is described, also those of the framework. WKMP's interface
/// has them as its service has them.
pub(crate) async fn told_alike(request: Request, next: Next) -> Response {
    let is_ours = request.uri().path().starts_with("/api/v1/");
    let response = next.run(request).await;
    let status = response.status();
    let is_refused = status.is_client_error() || status.is_server_error();
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    // A part that lies outside tells in its head where the inside is.
    if !is_ours || !is_refused || is_json || status == StatusCode::RANGE_NOT_SATISFIABLE {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let said = to_bytes(body, LONGEST_REASON).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let (_, body) = Refusal::of(status, said).into_response().into_parts();
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(
        CONTENT_TYPE,
        axum::http::HeaderValue::from_static("application/json"),
    );
    Response::from_parts(head, body)
}
