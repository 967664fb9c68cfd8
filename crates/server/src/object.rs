//! The body of a request: an object, by the names of its fields.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::LARGEST_BODY;
use crate::error::Refusal;

/// As `Json`, without a list whose values would be taken for the fields in the order in which the code has them.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<T, S> FromRequest<S> for Object<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (head, body) = request.into_parts();
        // It was taken in before (`whole::taken_in`).
        let bytes = to_bytes(body, LARGEST_BODY).await;
        let bytes =
            bytes.map_err(|error| Refusal::bad_request(error.to_string()).into_response())?;
        let is_list = bytes.trim_ascii_start().starts_with(b"[");
        let request = Request::from_parts(head, Body::from(bytes));
        let parsed: Result<Json<T>, JsonRejection> = Json::from_request(request, state).await;
        let Json(value) = parsed.map_err(IntoResponse::into_response)?;
        if is_list {
            let refused = Refusal::unprocessable("expected an object, and this is a list");
            return Err(refused.into_response());
        }
        Ok(Self(value))
    }
}
