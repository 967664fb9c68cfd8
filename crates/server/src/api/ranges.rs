//! Parts of something long, as a browser's player asks for them (RFC 9110, section 14).

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

/// What a request says in `Range`, which has a meaning only where content is asked for (RFC 9110, section 14.2).
pub(crate) fn asked_for(method: &Method, headers: &HeaderMap) -> Option<String> {
    text_of(headers, &RANGE).filter(|_| *method == Method::GET)
}

/// The state that a part is asked for of; where it is another now, the whole is the answer (RFC 9110, section 13.1.5).
pub(crate) fn only_if(headers: &HeaderMap) -> Option<String> {
    text_of(headers, &IF_RANGE)
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.map(str::to_owned)
}

/// The part that is answered: from the first byte to the one before the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    status: StatusCode,
    length: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// Nothing of what is there was asked for.
#[derive(Debug)]
pub(crate) struct Outside {
    length: u64,
}

impl IntoResponse for Outside {
    fn into_response(self) -> Response {
        let whole = format!("bytes */{}", self.length);
        let status = StatusCode::RANGE_NOT_SATISFIABLE;
        (status, [(CONTENT_RANGE, whole)]).into_response()
    }
}

impl Part {
    pub(crate) fn of(asked: Option<&str>, length: u64) -> Result<Self, Outside> {
        let (status, first, last) = match asked.map(|text| range(text, length)) {
            // A form of range that is not served here may be answered whole.
            None | Some(Range::Other) => (StatusCode::OK, 0, length),
            Some(Range::Part(first, last)) => (StatusCode::PARTIAL_CONTENT, first, last),
            Some(Range::Outside) => return Err(Outside { length }),
        };
        Ok(Self {
            status,
            length,
            first,
            last,
        })
    }

    pub(crate) fn answer(self, kind: &'static str, body: Body) -> Response {
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(CONTENT_LENGTH, (self.last - self.first).into());
        if self.status == StatusCode::PARTIAL_CONTENT {
            let part = format!("bytes {}-{}/{}", self.first, self.last - 1, self.length);
            if let Ok(value) = HeaderValue::from_str(&part) {
                headers.insert(CONTENT_RANGE, value);
            }
        }
        response
    }
}

/// What a `Range` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// From the first byte to the one before the second.
    Part(u64, u64),
    /// Nothing that is there.
    Outside,
    /// Several parts, another unit, or no range at all.
    Other,
}

fn range(text: &str, length: u64) -> Range {
    let Some((first, last)) = text
        .strip_prefix("bytes=")
        .and_then(|part| part.trim().split_once('-'))
    else {
        return Range::Other;
    };
    let (first, last) = match (first, last) {
        ("", last) => match last.parse::<u64>() {
            Ok(count) => (length.saturating_sub(count), length),
            Err(_) => return Range::Other,
        },
        (first, "") => match first.parse::<u64>() {
            Ok(first) => (first, length),
            Err(_) => return Range::Other,
        },
        (first, last) => match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(length)),
            _ => return Range::Other,
        },
    };
    if first < last {
        Range::Part(first, last)
    } else {
        Range::Outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_never_leaves_the_file() {
        for (text, expected) in [
            ("bytes=0-99", Range::Part(0, 10)),
            ("bytes=2-3", Range::Part(2, 4)),
            ("bytes=9-", Range::Part(9, 10)),
            ("bytes=-3", Range::Part(7, 10)),
            ("bytes=-99", Range::Part(0, 10)),
            ("bytes=10-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=0-18446744073709551615", Range::Part(0, 10)),
            ("bytes=0-1,3-4", Range::Other),
            ("bytes=3-2", Range::Other),
            ("bytes=+1-2", Range::Part(1, 3)),
            ("bytes=a-b", Range::Other),
            ("items=0-1", Range::Other),
        ] {
            assert_eq!(range(text, 10), expected, "{text}");
        }
        assert_eq!(range("bytes=0-", 0), Range::Outside);
    }
}
