//! The one error type of the crate.

use std::{fmt, io};

/// What a failure is about, and so what may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There is no such object, or bucket.
    Missing,
    /// The store does not accept who we are, or does not let us do this.
    Denied,
    /// The store or the way to it failed; trying again may help.
    Unavailable,
    /// There is no room left.
    Full,
    /// What is stored is not what was sent.
    Different,
    /// A name or a setting makes no sense.
    Name,
}

/// What can go wrong with a store.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what} `{object}`: {detail}", what = said(*.reason))]
pub struct Error {
    reason: Reason,
    /// The object, or the bucket.
    object: String,
    detail: String,
}

/// Bytes of an answer's text that an error keeps.
const LONGEST_DETAIL: usize = 400;

impl Error {
    pub(crate) fn new(
        reason: Reason,
        object: impl fmt::Display,
        detail: impl fmt::Display,
    ) -> Self {
        Self {
            reason,
            object: object.to_string(),
            detail: one_line(&detail.to_string()),
        }
    }

    /// An error of the system about `object`.
    pub(crate) fn io(object: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => Reason::Missing,
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Reason::Denied
                }
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Reason::Full,
                _ => Reason::Unavailable,
            };
            Self::new(reason, object, error)
        }
    }

    /// An error of a remote store about `object`.
    pub(crate) fn remote(object: impl fmt::Display) -> impl FnOnce(object_store::Error) -> Self {
        use object_store::Error as Remote;
        move |error| {
            let reason = match &error {
                Remote::NotFound { .. } => Reason::Missing,
                Remote::PermissionDenied { .. } | Remote::Unauthenticated { .. } => Reason::Denied,
                Remote::InvalidPath { .. }
                | Remote::UnknownConfigurationKey { .. }
                | Remote::NotSupported { .. } => Reason::Name,
                _ => Reason::Unavailable,
            };
            let mut detail = error.to_string();
            let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
            while let Some(inner) = cause {
                detail = inner.to_string();
                cause = inner.source();
            }
            // Some calls give no status but in words.
            let gone = detail.contains("NoSuchUpload") || detail.contains("404 Not Found");
            let reason = if gone { Reason::Missing } else { reason };
            Self::new(reason, object, detail)
        }
    }

    /// What it is about.
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

fn said(reason: Reason) -> &'static str {
    match reason {
        Reason::Missing => "the store has no",
        Reason::Denied => "the store does not allow access to",
        Reason::Unavailable => "the store cannot be used for",
        Reason::Full => "there is no room for",
        Reason::Different => "the store does not hold what was sent as",
        Reason::Name => "not a name or setting of a store,",
    }
}

/// What a store answers may be a page of markup; an error is one line of it.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_control() || c == ' ')
        .filter(|word| !word.is_empty())
        .collect();
    let mut line = words.join(" ");
    if line.len() > LONGEST_DETAIL {
        let cut = (0..=LONGEST_DETAIL)
            .rev()
            .find(|at| line.is_char_boundary(*at));
        line.truncate(cut.unwrap_or(0));
        line.push_str(" ..");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_short_line() {
        let error = Error::new(
            Reason::Unavailable,
            "a/b",
            format!("<Error>\n  {}", "ü".repeat(900)),
        );
        let line = error.to_string();
        assert!(
            line.starts_with("the store cannot be used for `a/b`: <Error> ü"),
            "{line}"
        );
        assert!(line.len() < 500 && !line.contains('\n'));
    }

    #[test]
    fn a_full_disk_is_told_from_a_missing_file() {
        let of = |kind| Error::io("x")(io::Error::from(kind)).reason();
        assert_eq!(of(io::ErrorKind::StorageFull), Reason::Full);
        assert_eq!(of(io::ErrorKind::NotFound), Reason::Missing);
        assert_eq!(of(io::ErrorKind::TimedOut), Reason::Unavailable);
    }
}
