//! States of what is asked for, as a request names them (RFC 9110, section 13).

use axum::http::header::{ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

/// The states that a header names, of which any will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Whatever state it is in, as long as it is there.
    Any,
    /// One of these tags, quotes included.
    Tags(Vec<String>),
}

impl Seen {
    /// What the header `name` says; several lines of it are one list. `None` without any.
    pub(crate) fn in_header(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut lines = headers.get_all(name).iter().peekable();
        lines.peek()?;
        let lines: Vec<_> = lines.filter_map(|line| line.to_str().ok()).collect();
        if lines.iter().any(|line| line.trim() == "*") {
            return Some(Self::Any);
        }
        // Tags of ours hold no comma, and one that does is none of ours.
        let tags = lines.iter().flat_map(|line| line.split(','));
        Some(Self::Tags(tags.map(|tag| tag.trim().to_owned()).collect()))
    }

    /// Whether it names this state, which is a strong tag.
    pub(crate) fn has(&self, state: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag == state),
        }
    }

    /// The same where the bytes need not be equal: for what a cache has already.
    fn has_weakly(&self, state: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags
                .iter()
                .any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == state),
        }
    }
}

/// The answer where the state that something is in makes the rest of the request void: it is another than was expected,
/// or the one that is known already.
pub(crate) fn settled(method: &Method, headers: &HeaderMap, state: &str) -> Option<Response> {
    let status = if Seen::in_header(headers, &IF_MATCH).is_some_and(|seen| !seen.has(state)) {
        StatusCode::PRECONDITION_FAILED
    } else if Seen::in_header(headers, &IF_NONE_MATCH).is_some_and(|seen| seen.has_weakly(state)) {
        if *method == Method::GET || *method == Method::HEAD {
            StatusCode::NOT_MODIFIED
        } else {
            StatusCode::PRECONDITION_FAILED
        }
    } else {
        return None;
    };
    let mut response = status.into_response();
    if let Ok(state) = HeaderValue::from_str(state) {
        response.headers_mut().insert(ETAG, state);
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lines: &[&'static str]) -> Option<Seen> {
        let lines = lines.iter();
        let headers = lines.map(|line| (IF_MATCH, HeaderValue::from_static(line)));
        let mut all = HeaderMap::new();
        headers.for_each(|(name, value)| {
            all.append(name, value);
        });
        Seen::in_header(&all, &IF_MATCH)
    }

    #[test]
    fn one_of_a_list_will_do_and_a_star_is_any() {
        assert_eq!(seen(&[]), None);
        assert_eq!(seen(&["*"]), Some(Seen::Any));
        for lines in [
            &["\"a\""][..],
            &["\"b\", \"a\""],
            &["\"b\"", "\"c\" ,\"a\""],
        ] {
            assert!(seen(lines).unwrap().has("\"a\""), "{lines:?}");
        }
        for lines in [&["\"b\""][..], &["a"], &["W/\"a\""], &[""]] {
            assert!(!seen(lines).unwrap().has("\"a\""), "{lines:?}");
        }
        assert!(seen(&["W/\"a\""]).unwrap().has_weakly("\"a\""));
    }
}
