//! Why the server cannot run, and what a request is answered when something is wrong.

use std::net::SocketAddr;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use music::Trouble;
use serde_json::json;

/// After how many seconds it is worth asking again where another program holds the lock. A guess: its transactions are
/// over by then.
const TRY_AGAIN: &str = "5";

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// No address was named.
    #[error("expected an address to listen on")]
    NoAddress,
    /// Anyone in the network could come in.
    #[error("cannot listen on `{address}` without a token: it can be reached from other machines")]
    NoToken {
        /// Where.
        address: SocketAddr,
    },
    /// The runtime did not start.
    #[error("cannot serve")]
    Runtime(#[source] std::io::Error),
    /// The library cannot be used.
    #[error(transparent)]
    Music(#[from] music::Error),
}

/// The result of what may fail for one of these reasons.
pub type Result<T> = std::result::Result<T, Error>;

/// What a request is answered that cannot be served, in WKMP's form.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// What is the matter with the library, where it is that.
    trouble: Option<Trouble>,
}

impl Refusal {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// It is well-formed, and still cannot be done.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "BAD_REQUEST", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message)
    }

    /// What is asked for would begin now, and the server ends.
    pub(crate) fn stopping<E>(_: E) -> Self {
        Self::internal("the server is being stopped")
    }

    /// There are as many of these already as there may be.
    pub(crate) fn busy(message: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, "SERVICE_UNAVAILABLE", message)
    }

    /// A change did not say for which state of a passage it was made.
    pub(crate) fn precondition_required() -> Self {
        Self::new(
            StatusCode::PRECONDITION_REQUIRED,
            "PRECONDITION_REQUIRED",
            "expected `If-Match` with the passage's `ETag`",
        )
    }

    /// Somebody else was quicker.
    pub(crate) fn precondition_failed() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "PRECONDITION_FAILED",
            "the passage has changed since it was shown",
        )
    }

    /// What the framework refused, in its words, or in the standard's where it has none.
    pub(crate) fn of(status: StatusCode, said: String) -> Self {
        let code = match status {
            StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
            StatusCode::FORBIDDEN => "FORBIDDEN",
            StatusCode::NOT_FOUND => "NOT_FOUND",
            StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED",
            StatusCode::REQUEST_TIMEOUT => "REQUEST_TIMEOUT",
            StatusCode::PAYLOAD_TOO_LARGE => "PAYLOAD_TOO_LARGE",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "UNSUPPORTED_MEDIA_TYPE",
            StatusCode::PRECONDITION_FAILED => "PRECONDITION_FAILED",
            StatusCode::MISDIRECTED_REQUEST => "MISDIRECTED_REQUEST",
            StatusCode::SERVICE_UNAVAILABLE => "SERVICE_UNAVAILABLE",
            status if status.is_server_error() => "INTERNAL_ERROR",
            _ => "BAD_REQUEST",
        };
        let reason = status.canonical_reason().unwrap_or("Refused");
        let message = if said.is_empty() {
            reason.to_lowercase()
        } else {
            said
        };
        Self::new(status, code, message)
    }

    /// What is the matter with the library, where it is that.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            trouble: None,
        }
    }

    /// The library cannot be used now, whatever is asked of it.
    fn of_trouble(trouble: Trouble) -> Self {
        let unavailable = (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE");
        let ((status, code), message) = match trouble {
            Trouble::Locked => (
                unavailable,
                "another program is writing to the library and holds its lock: try again when it is done",
            ),
            Trouble::Full => (
                (StatusCode::INSUFFICIENT_STORAGE, "INSUFFICIENT_STORAGE"),
                "there is no space left on the disk that the library's database is on: make some, and try again",
            ),
            Trouble::Gone => (
                unavailable,
                "the library's database was moved, deleted or replaced while this server had it open, and what is written \
                 now would be lost: put it back, or start the server again",
            ),
            Trouble::ReadOnly => (unavailable, "the library's database may not be written"),
            Trouble::Damaged => (
                unavailable,
                "the library's database is damaged: stop the server, and restore a backup",
            ),
            Trouble::Unreachable => (
                unavailable,
                "the disk that the library's database is on cannot be read or written; the server's log tells more",
            ),
            Trouble::Closed => (unavailable, "the server is being stopped"),
        };
        Self {
            trouble: Some(trouble),
            ..Self::new(status, code, message)
        }
    }
}

impl From<music::Error> for Refusal {
    fn from(error: music::Error) -> Self {
        if let Some(trouble) = error.trouble() {
            tracing::error!("a request failed: {error}");
            return Self::of_trouble(trouble);
        }
        match error {
            music::Error::NotFound { .. } | music::Error::NoFlavor { .. } => {
                Self::not_found(error.to_string())
            }
            music::Error::Ambiguous { .. }
            | music::Error::NotOnePassage { .. }
            | music::Error::NoCandidate { .. }
            | music::Error::NothingToJoin { .. }
            | music::Error::Misplaced { .. }
            | music::Error::UnknownSetting { .. }
            | music::Error::BadSetting { .. } => Self::bad_request(error.to_string()),
            music::Error::BadText { .. } => Self::unprocessable(error.to_string()),
            music::Error::Unanswered { .. }
            | music::Error::Unheard { .. }
            | music::Error::OtherAudio { .. }
            | music::Error::BuiltUpon { .. } => Self::conflict(error.to_string()),
            // What went wrong within is for the log; a visitor can do nothing with it.
            other => {
                tracing::error!("a request failed: {other}");
                Self::internal("the library could not be read or written")
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let mut response = (self.status, Json(body)).into_response();
        if self.trouble == Some(Trouble::Locked) {
            let seconds = HeaderValue::from_static(TRY_AGAIN);
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}
