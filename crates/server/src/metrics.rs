//! Figures in the form that Prometheus reads.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// Answers with figures: of each its name behind `accession_`, its kind, and its value.
pub(crate) fn answer<'a>(figures: impl IntoIterator<Item = (&'a str, &'a str, u64)>) -> Response {
    let figures = figures.into_iter();
    let lines: Vec<_> = figures
        .map(|(name, kind, value)| {
            format!("# TYPE accession_{name} {kind}\naccession_{name} {value}\n")
        })
        .collect();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(CONTENT_TYPE, kind)], lines.concat()).into_response()
}
