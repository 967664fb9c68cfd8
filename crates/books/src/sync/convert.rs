//! Asks GRIN to convert books, many in one request.
//!
//! Books that need it gather for a moment; the first of them asks for all. Where GRIN does not answer about each book of
//! a request, the others are asked for one by one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::run::Cancel;
use tokio::sync::oneshot;
use web::{Class, Classified as _};

use crate::error::Error;
use crate::grin::Grin;
use crate::work::patiently;

/// Books of one request. GRIN takes 200, as its users report.
const AT_ONCE: usize = 200;

/// The longest pause before GRIN is asked again for the same books. A guess: a limit of requests a minute needs no more.
const SHORT: Duration = Duration::from_mins(1);

/// How long the first book waits for others.
const GATHER: Duration = Duration::from_millis(250);

/// Bytes of an answer: a line of some tens of bytes for each book.
const LONGEST_ANSWER: usize = 1 << 20;

/// What GRIN said about one book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    /// It will be converted.
    Requested,
    /// It is being converted.
    InProcess,
    /// It is converted already.
    Available,
    /// It will never be.
    Refused,
    /// GRIN's queue is full.
    Full,
    /// Something else, which is no decision.
    Unknown,
}

/// What GRIN said, in its own words, and how many books were asked for before and with this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Converted {
    pub(super) conversion: Conversion,
    pub(super) response: String,
    pub(super) count: u64,
}

impl Conversion {
    fn of(words: &str) -> Self {
        let words = words.to_lowercase();
        let has = |part: &str| words.contains(part);
        if words == "success" {
            Self::Requested
        } else if has("already") && has("available") {
            Self::Available
        } else if has("already") && (has("process") || has("convert") || has("queue")) {
            Self::InProcess
        } else if has("not allowed") || has("not available") || has("cannot be") {
            Self::Refused
        } else {
            Self::Unknown
        }
    }
}

type Reply = oneshot::Sender<Result<Converted, String>>;

/// Gathers books and asks for them.
#[derive(Debug, Default)]
pub(super) struct Converter {
    waiting: Mutex<Vec<(String, Reply)>>,
    asking: AtomicBool,
    one_by_one: AtomicBool,
    full: AtomicBool,
    /// Seconds after which GRIN says to ask again; 0 if it does not say.
    again: AtomicU64,
    count: AtomicU64,
}

impl Converter {
    /// Asks for one book, together with others that come now.
    pub(super) async fn ask(
        &self,
        grin: &Grin,
        cancel: &Cancel,
        barcode: &str,
    ) -> Result<Converted, String> {
        if self.full.load(Ordering::SeqCst) {
            return Ok(self.told_full());
        }
        let (reply, answer) = oneshot::channel();
        self.lock().push((barcode.to_owned(), reply));
        if !self.asking.swap(true, Ordering::SeqCst) {
            self.ask_for_all(grin, cancel).await;
        }
        answer
            .await
            .unwrap_or_else(|_| Err("nobody asked".to_owned()))
    }

    /// Whether GRIN's queue is full.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// Why no more books are asked for in this run, if GRIN's queue is full.
    pub(super) fn why_no_more(&self) -> Option<String> {
        if !self.is_full() {
            return None;
        }
        let when = match self.again.load(Ordering::SeqCst) {
            0 => "when GRIN has worked some of it off".to_owned(),
            seconds => format!("and GRIN says to wait for {seconds} s"),
        };
        Some(format!(
            "GRIN's queue of conversions is full (it answered 429): {} conversions were asked for by this run, the other books \
             are asked for by the next one, {when}",
            self.count.load(Ordering::SeqCst)
        ))
    }

    /// Asks until nobody waits.
    async fn ask_for_all(&self, grin: &Grin, cancel: &Cancel) {
        loop {
            tokio::time::sleep(GATHER).await;
            loop {
                let some: Vec<_> = {
                    let mut waiting = self.lock();
                    let count = waiting.len().min(AT_ONCE);
                    waiting.drain(..count).collect()
                };
                if some.is_empty() {
                    break;
                }
                self.ask_for(grin, cancel, some).await;
            }
            self.asking.store(false, Ordering::SeqCst);
            // Somebody may have come in between, and counted on us.
            if self.lock().is_empty() || self.asking.swap(true, Ordering::SeqCst) {
                return;
            }
        }
    }

    async fn ask_for(&self, grin: &Grin, cancel: &Cancel, some: Vec<(String, Reply)>) {
        let together = some.len() > 1 && !self.one_by_one.load(Ordering::SeqCst);
        let mut told = HashMap::new();
        if together {
            let barcodes: Vec<&str> = some.iter().map(|(barcode, _)| barcode.as_str()).collect();
            match self.request(grin, cancel, &barcodes).await {
                Ok(answers) => told = answers,
                Err(Asked::Full) => {}
                Err(Asked::Failed(_)) => self.one_by_one.store(true, Ordering::SeqCst),
            }
            if told.len() < some.len() && !self.full.load(Ordering::SeqCst) {
                self.one_by_one.store(true, Ordering::SeqCst);
            }
        }
        for (barcode, reply) in some {
            let answer = match told.remove(&barcode) {
                Some(words) => Ok(self.told(words)),
                None if self.full.load(Ordering::SeqCst) => Ok(self.told_full()),
                None => match self.request(grin, cancel, &[&barcode]).await {
                    Ok(mut answers) => match answers.remove(&barcode) {
                        Some(words) => Ok(self.told(words)),
                        None => Err("GRIN's answer does not name the book".to_owned()),
                    },
                    Err(Asked::Full) => Ok(self.told_full()),
                    Err(Asked::Failed(reason)) => Err(reason),
                },
            };
            // Whoever asked may have been stopped.
            let _ = reply.send(answer);
        }
    }

    fn told(&self, response: String) -> Converted {
        Converted {
            conversion: Conversion::of(&response),
            response,
            count: self.count.fetch_add(1, Ordering::SeqCst) + 1,
        }
    }

    fn told_full(&self) -> Converted {
        Converted {
            conversion: Conversion::Full,
            response: "HTTP 429".to_owned(),
            count: self.count.load(Ordering::SeqCst),
        }
    }

    /// Asks once, patiently: what GRIN says about each book.
    async fn request(
        &self,
        grin: &Grin,
        cancel: &Cancel,
        barcodes: &[&str],
    ) -> Result<HashMap<String, String>, Asked> {
        let list: Vec<String> = barcodes
            .iter()
            .map(|barcode| url::form_urlencoded::byte_serialize(barcode.as_bytes()).collect())
            .collect();
        let address = format!("_process?barcodes={}", list.join(","));
        let result = patiently(
            grin,
            cancel,
            |_, _| (),
            || async {
                match answers(grin, &address).await {
                    // A full queue is not emptied by asking again; only a short pause is worth waiting for.
                    Err(error) => match error.class() {
                        Class::Throttled(pause) if pause.is_none_or(|pause| pause > SHORT) => {
                            Ok(Err(pause))
                        }
                        _ => Err(error),
                    },
                    Ok(answers) => Ok(Ok(answers)),
                }
            },
        )
        .await;
        let pause = match result {
            Ok(Ok(answers)) => return Ok(answers),
            Ok(Err(pause)) => pause,
            Err(error) => match error.class() {
                Class::Throttled(pause) => pause,
                _ => return Err(Asked::Failed(error.to_string())),
            },
        };
        let seconds = pause.unwrap_or_default().as_secs();
        self.again.store(seconds, Ordering::SeqCst);
        self.full.store(true, Ordering::SeqCst);
        Err(Asked::Full)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(String, Reply)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answers(grin: &Grin, address: &str) -> Result<HashMap<String, String>, Error> {
    let answer = grin.get(&grin.url(address)?).await?;
    let bytes = answer.bytes(LONGEST_ANSWER).await?;
    read(&String::from_utf8_lossy(&bytes))
}

enum Asked {
    Full,
    Failed(String),
}

/// Reads lines of `barcode<tab>words`, after a line of headings.
fn read(text: &str) -> Result<HashMap<String, String>, Error> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let headings = lines.next().unwrap_or_default().to_lowercase();
    if !headings.starts_with("barcode") {
        return Err(Error::Answer {
            reason: "the answer about conversions has no headings".to_owned(),
        });
    }
    let pairs = lines.filter_map(|line| line.split_once('\t'));
    let pairs = pairs.map(|(barcode, words)| (barcode.trim().to_owned(), words.trim().to_owned()));
    Ok(pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_understood_and_others_decide_nothing() {
        for (words, expected) in [
            ("Success", Conversion::Requested),
            (
                "Book is already in process for conversion",
                Conversion::InProcess,
            ),
            ("Already being converted", Conversion::InProcess),
            ("Already available for download", Conversion::Available),
            ("Not allowed to be downloaded", Conversion::Refused),
            ("Book not available for conversion", Conversion::Refused),
            ("Other error", Conversion::Unknown),
            ("", Conversion::Unknown),
        ] {
            assert_eq!(Conversion::of(words), expected, "{words}");
        }
    }

    #[test]
    fn an_answer_is_lines_under_headings() {
        let answers = read("Barcode\tStatus\n1\tSuccess\r\n2\tOther error\n").unwrap();
        assert_eq!(answers.get("1").map(String::as_str), Some("Success"));
        assert_eq!(answers.len(), 2);
        assert!(read("<html>").is_err());
        assert!(read("").is_err());
    }
}
