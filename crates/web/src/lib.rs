//! Outgoing HTTP for long jobs: polite to the other side, patient with it, and careful with secrets.
//!
//! - **Paced.** All clones of a [`Client`] share one limit of requests in any second, and one pause when the other side
//!   asked for it by `Retry-After`.
//! - **Retried by class.** [`Retry`] repeats an operation by what failed ([`Class`]): an outage is tried again after
//!   growing pauses, a refusal is not.
//! - **Deadlines that do not punish slow answers.** There is a limit for connecting, for the first byte, and for
//!   silence in between. An answer as a whole may take as long as its bytes explain, however large it is.
//! - **A breaker.** When nothing works any more, requests fail at once for a while instead of knocking on.
//! - **Secrets stay.** A [`Secret`] never shows in `Debug`. It is sent to the origin of the base URL and to no other,
//!   wherever redirects lead.
//!
//! It knows no service, and follows redirects by hand so that it can keep these promises.

mod answer;
mod breaker;
mod client;
mod error;
mod pause;
mod rate;
mod retry;
mod secret;

pub use answer::Answer;
pub use bytes::Bytes;
pub use client::{Client, Options};
pub use error::{Class, Classified, Error};
pub use rate::Pace;
pub use retry::Retry;
pub use secret::Secret;
pub use url::Url;
