//! One request about many books, and what becomes of them when it fails.
//!
//! A single book can spoil the answer about all those asked for with it. A request that fails is therefore asked in
//! halves, as long as any of them succeeds; books of a server that is out of order are left for the next run instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use run::Cancel;
use web::{Class, Classified, Retry};

use crate::enrich::answer::{Reading, read_answer};
use crate::enrich::requests::{Kind, Request, SEARCH};
use crate::error::Error;
use crate::grin::Grin;
use crate::page::PageError;
use crate::work::patiently_by;

/// More bytes than an answer about one URL's books has: 500 books of 25 columns take less than 1 MB.
const LONGEST_ANSWER: usize = 64 << 20;

/// Requests that fail in a row before a whole request is given up: halving one of 500 books down to a single one takes
/// nine steps.
const MOST_FAILURES: u32 = 10;

/// What was learned about some of the books of a request.
pub(crate) struct Answered {
    pub(crate) asked: Vec<String>,
    pub(crate) kind: Kind,
    /// Whether a book that GRIN knows was asked for with them, and told of.
    pub(crate) witnessed: bool,
    pub(crate) result: Result<Reading, Error>,
}

/// Asks, in halves where need be.
///
/// `alive` is shared by all requests of a run: whether the last one was of any use, so that an outage is not halved.
pub(crate) async fn ask(
    grin: Grin,
    request: Request,
    cancel: Cancel,
    alive: Arc<AtomicBool>,
) -> Vec<Answered> {
    let Request {
        asked,
        witness,
        kind,
    } = request;
    let witnessed = witness.is_some();
    let answered = |asked, result| Answered {
        asked,
        kind,
        witnessed,
        result,
    };
    let mut answers = Vec::new();
    let mut left = vec![asked];
    let (mut failures, mut gave_up) = (0, None::<String>);
    let mut is_whole = true;
    while let Some(mut asked) = left.pop() {
        if cancel.is_requested() {
            answers.push(answered(asked, Err(Error::Stopped)));
            continue;
        }
        if let Some(error) = &gave_up {
            let reason = error.clone();
            let result = Err(Error::Answer { reason });
            answers.push(answered(asked, result));
            continue;
        }
        // The halves of a request that failed patiently are asked for once each: some of them will fail again.
        let patience = if is_whole { None } else { Some(1) };
        is_whole = false;
        let result = attempt(&grin, &asked, witness.as_deref(), kind, &cancel, patience).await;
        match result {
            Ok(reading) => {
                failures = 0;
                alive.store(true, Ordering::Relaxed);
                answers.push(answered(asked, Ok(reading)));
            }
            Err(Error::Stopped) => answers.push(answered(asked, Err(Error::Stopped))),
            Err(error) => {
                failures += 1;
                let may_help = may_be_one_book(&error) && !cancel.is_requested();
                let is_out = !alive.load(Ordering::Relaxed);
                if asked.len() > 1 && may_help && !is_out && failures < MOST_FAILURES {
                    let rest = asked.split_off(asked.len() / 2);
                    left.push(rest);
                    left.push(asked);
                    continue;
                }
                if asked.len() > 1 {
                    // What no halving mends, a refused token for one, says nothing about the requests beside this one.
                    if may_help {
                        alive.store(false, Ordering::Relaxed);
                    }
                    gave_up = Some(match &error {
                        Error::Answer { reason } => reason.clone(),
                        other => other.to_string(),
                    });
                }
                answers.push(answered(asked, Err(error)));
            }
        }
    }
    answers
}

/// Whether fewer books may do where these do not.
fn may_be_one_book(error: &Error) -> bool {
    match error {
        Error::Web(web::Error::Status { status: 403, .. }) => false,
        Error::Web(web::Error::Status { .. } | web::Error::Truncated { .. })
        | Error::Page(PageError::Unavailable)
        | Error::Answer { .. } => {
            !matches!(error.class(), Class::Throttled(_) | Class::Unauthorised)
        }
        _ => false,
    }
}

async fn attempt(
    grin: &Grin,
    asked: &[String],
    witness: Option<&str>,
    kind: Kind,
    cancel: &Cancel,
    patience: Option<u32>,
) -> Result<Reading, Error> {
    let again = |error: &Error, pause: Duration| {
        let first = asked.first().map_or("", String::as_str);
        tracing::info!(
            "asking again for `{first}` and those after it in {:.1} s: {error}",
            pause.as_secs_f64()
        );
    };
    let retry = Retry {
        attempts: grin.retry().attempts.min(patience.unwrap_or(u32::MAX)),
        ..*grin.retry()
    };
    let once = || once(grin, asked, witness, kind);
    patiently_by(grin, &retry, cancel, again, once).await
}

/// Asks once. A witness is a book that GRIN knows, asked for last: an answer without it is not whole.
pub(crate) async fn once(
    grin: &Grin,
    asked: &[String],
    witness: Option<&str>,
    kind: Kind,
) -> Result<Reading, Error> {
    let all: Vec<String> = asked
        .iter()
        .cloned()
        .chain(witness.map(str::to_owned))
        .collect();
    let encoded: String = url::form_urlencoded::byte_serialize(all.join(" ").as_bytes()).collect();
    let url = grin.url(&format!("{SEARCH}{encoded}"))?;
    let answer = grin.get(&url).await?;
    let content_type = answer.header("content-type").map(str::to_owned);
    let body = answer.bytes(LONGEST_ANSWER).await?;
    let exact = kind == Kind::Alone;
    let mut reading = read_answer(&body, content_type.as_deref(), &all, exact)?;
    if let Some(witness) = witness {
        let before = reading.found.len() + reading.doubtful.len();
        reading.found.retain(|book| book.barcode != witness);
        reading.doubtful.retain(|barcode| barcode != witness);
        if reading.found.len() + reading.doubtful.len() == before {
            return Err(Error::Answer {
                reason: format!("it does not tell of `{witness}`, which GRIN knows"),
            });
        }
    }
    Ok(reading)
}
