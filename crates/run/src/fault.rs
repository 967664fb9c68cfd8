//! One item that failed.

use serde::{Deserialize, Serialize};

/// Whether trying the same item again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// The world was at fault (a full disk, a missing permission): the next run tries again.
    Later,
    /// The item itself is at fault: trying again before it changes is a waste.
    WhenChanged,
}

/// Why one item failed: where in the chain, and a reason a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The stage that gave up, in the words of the chain (`scan`, `decode`, ..).
    pub stage: &'static str,
    /// What was wrong, in one line, without the item's own name.
    pub reason: String,
    /// Whether the next run should try again.
    pub retry: Retry,
}

impl Fault {
    /// A fault of the item itself, which stays until the item changes.
    pub fn in_item(stage: &'static str, reason: impl std::fmt::Display) -> Self {
        Self {
            stage,
            reason: one_line(&format!("{reason}")),
            retry: Retry::WhenChanged,
        }
    }

    /// A fault of the surroundings, to be tried again at the next run.
    pub fn retry_later(stage: &'static str, reason: impl std::fmt::Display) -> Self {
        Self {
            retry: Retry::Later,
            ..Self::in_item(stage, reason)
        }
    }
}

/// A reason may carry bytes of a broken file; it must still be one printable line.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_printable_line() {
        let fault = Fault::in_item("decode", "bad\nheader\u{7}\r\n at 12");
        assert_eq!(fault.reason, "bad header  at 12");
        assert_eq!(fault.retry, Retry::WhenChanged);
        assert_eq!(Fault::retry_later("hash", "x").retry, Retry::Later);
    }
}
