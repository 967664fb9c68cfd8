//! The one error type of the crate, and what each error asks for.

use std::time::Duration;

/// What a failure asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The other side or the way to it failed: trying again may help.
    Transient,
    /// The other side asked to slow down, perhaps for how long.
    Throttled(Option<Duration>),
    /// A token is missing, stale or not accepted: a new one may help.
    Unauthorised,
    /// The other side understood and refused, or the request makes no sense: trying again is a waste.
    Final,
}

/// An error that knows what it asks for.
pub trait Classified {
    /// What it asks for.
    fn class(&self) -> Class;
}

/// What can go wrong with a request. No variant carries a token or the query of a URL.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client itself cannot be made.
    #[error("cannot prepare for requests: {reason}")]
    Setup {
        /// What is wrong.
        reason: String,
    },
    /// No connection, or it broke.
    #[error("no answer from `{host}`: {reason}")]
    Connection {
        /// The host asked.
        host: String,
        /// What the system said.
        reason: String,
    },
    /// Nothing came for too long.
    #[error("`{host}` was silent for {} s", limit.as_secs())]
    Silence {
        /// The host asked.
        host: String,
        /// The limit.
        limit: Duration,
    },
    /// The answer came, but so slowly that it might never have ended.
    #[error("`{host}` sent {received} bytes in {} s, which is too slow", elapsed.as_secs())]
    Slow {
        /// The host asked.
        host: String,
        /// Bytes that had come.
        received: u64,
        /// Since its first byte.
        elapsed: Duration,
    },
    /// The answer ended before its end, or cannot be decompressed.
    #[error("the answer of `{host}` broke off after {received} bytes: {reason}")]
    Truncated {
        /// The host asked.
        host: String,
        /// Bytes that had come, decompressed.
        received: u64,
        /// What was noticed.
        reason: String,
    },
    /// An answer with a status that is no success.
    #[error("`{host}` answered {status}{}", explain(*status))]
    Status {
        /// The host asked.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` said.
        retry_after: Option<Duration>,
    },
    /// The other side wants somebody to sign in.
    #[error("`{host}` wants a sign-in")]
    SignIn {
        /// The host asked.
        host: String,
    },
    /// Redirects without end, or to where no request can go.
    #[error("`{host}` redirects to nowhere: {reason}")]
    Redirect {
        /// The host asked.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// Too many failures in a row; nothing is sent for a while.
    #[error("`{host}` has failed many times in a row; no request for {} s", left.as_secs().max(1))]
    Breaker {
        /// The host that would have been asked.
        host: String,
        /// How long it stays so.
        left: Duration,
    },
    /// The answer is larger than anything that makes sense.
    #[error("the answer of `{host}` is larger than {limit} bytes")]
    TooLarge {
        /// The host asked.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Connection { .. }
            | Error::Silence { .. }
            | Error::Slow { .. }
            | Error::Truncated { .. } => Class::Transient,
            Error::Breaker { left, .. } => Class::Throttled(Some(*left)),
            Error::SignIn { .. } | Error::Status { status: 401, .. } => Class::Unauthorised,
            Error::Status {
                status,
                retry_after,
                ..
            } => match (status, retry_after) {
                (429, after) => Class::Throttled(*after),
                (500..=599, Some(after)) => Class::Throttled(Some(*after)),
                (408 | 425 | 500..=599, _) => Class::Transient,
                _ => Class::Final,
            },
            Error::Setup { .. } | Error::Redirect { .. } | Error::TooLarge { .. } => Class::Final,
        }
    }
}

impl Error {
    /// What a person may do about it, where something is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Status { status: 403, .. } => {
                Some("a change of access rights can take 12 hours")
            }
            // A bare system or image has none.
            Error::Setup { .. } => Some(
                "are the system's certificates there? The package `ca-certificates` has them, or SSL_CERT_FILE names a file of them",
            ),
            _ => None,
        }
    }
}

fn explain(status: u16) -> &'static str {
    match status {
        401 => ", the token is not accepted",
        403 => ", access is not granted",
        404 => ", there is no such thing",
        429 => ", too many requests",
        500..=599 => ", it cannot serve at the moment",
        _ => "",
    }
}

/// The innermost cause in words, without the URL and what its query may hold.
pub(crate) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        said = inner.to_string();
        cause = inner.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_classed_by_what_may_help() {
        let class = |status, after: Option<u64>| {
            Error::Status {
                host: "x".into(),
                status,
                retry_after: after.map(Duration::from_secs),
            }
            .class()
        };
        assert_eq!(class(503, None), Class::Transient);
        assert_eq!(
            class(503, Some(3)),
            Class::Throttled(Some(Duration::from_secs(3)))
        );
        assert_eq!(class(429, None), Class::Throttled(None));
        assert_eq!(class(401, None), Class::Unauthorised);
        for status in [400, 403, 404, 410, 304] {
            assert_eq!(class(status, None), Class::Final, "{status}");
        }
    }
}
