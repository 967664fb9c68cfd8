//! Which books are next.

use std::collections::{HashSet, VecDeque};

use crate::catalogue::claims::{Claimed, Claims};
use crate::catalogue::sync::{self as archives, Wanted};
use crate::catalogue::{query, stored};
use crate::error::Error;
use crate::event::Event;
use crate::sync::lists::{self, Queue};
use crate::sync::{Source, SyncOptions};
use crate::work::Work;

/// Barcodes looked up at a time.
const STEP: usize = 500;

/// Books offered to other processes in one transaction.
const OFFERED: usize = 5_000;

/// Books claimed at once at most.
const MOST_CLAIMED: u32 = 32;

/// The books of one queue, a few at a time.
pub(super) struct Books {
    ready: VecDeque<String>,
    more: More,
    expected: u64,
    /// What was looked at, for people who wonder why there is nothing.
    searched: Searched,
    shared: Option<SharedQueue>,
}

/// Where the books of a queue were looked for.
enum Searched {
    Given,
    /// GRIN's list of converted books, and how many it names.
    List(usize),
    /// The books known, of which some are being converted.
    Known(Wanted, usize),
}

/// A queue that other processes may take books from, too.
struct SharedQueue {
    claims: Claims,
    name: &'static str,
    /// Books claimed at once: what this process can begin with soon, so that others find some as well.
    most: u32,
}

/// What is next.
pub(super) enum Next {
    Book(String),
    /// Others work on what is left. It may yet fall to this process.
    Later,
    End,
    /// This process is to take no more.
    Drained,
}

enum More {
    None,
    /// A queue that the database knows, after this row.
    Rows {
        queue: Wanted,
        above: i64,
        /// Books that are being converted.
        in_process: HashSet<String>,
    },
}

impl Books {
    /// Opens a queue, or the list of barcodes.
    pub(super) async fn open(
        work: &Work<'_>,
        options: &SyncOptions,
        queue: Option<Queue>,
    ) -> Result<Self, Error> {
        let rows = |queue, in_process| More::Rows {
            queue,
            above: 0,
            in_process,
        };
        let mut searched = Searched::Given;
        let (ready, more) = match queue {
            None => (given(work, options)?, More::None),
            Some(Queue::Converted) => {
                let all = lists::converted(work).await?;
                searched = Searched::List(all.len());
                let mut wanted = Vec::new();
                for some in all.chunks(STEP) {
                    if options.force {
                        wanted.extend_from_slice(some);
                    } else {
                        wanted.append(&mut archives::unsynced(work.catalogue, some)?);
                    }
                }
                (wanted, More::None)
            }
            Some(Queue::Previous) => (Vec::new(), rows(Wanted::Previous, in_process(work).await)),
            Some(Queue::Unconverted) => (
                Vec::new(),
                rows(Wanted::Unconverted, in_process(work).await),
            ),
            Some(Queue::Changed) => (Vec::new(), rows(Wanted::Stored, HashSet::new())),
        };
        let mut seen = HashSet::new();
        let ready: VecDeque<String> = ready
            .into_iter()
            .filter(|barcode| seen.insert(barcode.clone()))
            .collect();
        let mut expected = ready.len() as u64;
        if let More::Rows {
            queue, in_process, ..
        } = &more
        {
            searched = Searched::Known(*queue, in_process.len());
            expected = stored::count_wanted(work.catalogue, *queue)?;
        }
        Ok(Self {
            expected,
            ready,
            more,
            searched,
            shared: None,
        })
    }

    /// Why there is no book in it.
    pub(super) fn why_empty(&self, work: &Work<'_>) -> Result<String, Error> {
        let known = query::count_books(work.catalogue)?;
        Ok(match self.searched {
            Searched::Given => "no barcode is given".to_owned(),
            Searched::List(0) => "GRIN lists no converted book".to_owned(),
            Searched::List(listed) => {
                format!("all {listed} books that GRIN lists as converted are stored")
            }
            Searched::Known(..) if known == 0 => "no book is collected yet".to_owned(),
            Searched::Known(Wanted::Stored, _) => match stored::count_stored(work.catalogue)? {
                0 => format!("none of the {known} books known is stored, so none can have changed"),
                stored => format!(
                    "of none of the {stored} books that are stored it is recorded which version of GRIN's archive it is"
                ),
            },
            Searched::Known(queue, in_process) => {
                let of_state = match queue {
                    Wanted::Previous => "was converted once and is kept by GRIN no more",
                    _ => "was never converted",
                };
                format!(
                    "none of the {known} books known {of_state}, or GRIN was asked for them lately, refuses them, or they are \
                     stored; {in_process} are being converted"
                )
            }
        })
    }

    /// Books that are left out although they may belong to it, and why.
    pub(super) fn left_out(&self, work: &Work<'_>) -> Result<Option<String>, Error> {
        let Searched::Known(Wanted::Stored, _) = self.searched else {
            return Ok(None);
        };
        let stored = stored::count_stored(work.catalogue)?;
        let left_out = stored.saturating_sub(self.expected);
        Ok((left_out > 0 && self.expected > 0).then(|| {
            format!(
                "{left_out} of {stored} stored books are not compared with GRIN: it is not recorded which version of GRIN's \
                 archive they are"
            )
        }))
    }

    /// Puts all books where every process that works on the run finds them, and takes them from there.
    pub(super) async fn share(
        &mut self,
        work: &Work<'_>,
        claims: &Claims,
        name: &'static str,
        most: u32,
    ) -> Result<(), Error> {
        while !work.cancel.is_requested() {
            let some: Vec<String> = std::iter::from_fn(|| self.listed(work).transpose())
                .take(OFFERED)
                .collect::<Result<_, Error>>()?;
            if some.is_empty() {
                break;
            }
            claims.offer(name, some).await?;
        }
        self.shared = Some(SharedQueue {
            claims: claims.clone(),
            name,
            most: (most / 2).clamp(1, MOST_CLAIMED),
        });
        Ok(())
    }

    /// The next book.
    pub(super) async fn next(&mut self, work: &Work<'_>) -> Result<Next, Error> {
        let Some(shared) = &self.shared else {
            return Ok(self.listed(work)?.map_or(Next::End, Next::Book));
        };
        if self.ready.is_empty() {
            match shared.claims.claim(shared.name, shared.most).await? {
                Claimed::Books(barcodes) => self.ready.extend(barcodes),
                Claimed::Later => return Ok(Next::Later),
                Claimed::End => return Ok(Next::End),
                Claimed::Drained => return Ok(Next::Drained),
            }
        }
        Ok(self.ready.pop_front().map_or(Next::Later, Next::Book))
    }

    /// How many books there are, as far as it is known.
    pub(super) fn expected(&self) -> u64 {
        self.expected
    }

    /// The next book of the list.
    fn listed(&mut self, work: &Work<'_>) -> Result<Option<String>, Error> {
        loop {
            if let Some(barcode) = self.ready.pop_front() {
                return Ok(Some(barcode));
            }
            let More::Rows {
                queue,
                above,
                in_process,
            } = &mut self.more
            else {
                return Ok(None);
            };
            let before = *above;
            let (barcodes, last) = archives::wanted(work.catalogue, *queue, before, STEP as u32)?;
            if last == before {
                return Ok(None);
            }
            *above = last;
            let barcodes = barcodes
                .into_iter()
                .filter(|barcode| !in_process.contains(barcode));
            self.ready.extend(barcodes);
        }
    }
}

/// Barcodes that a person gave.
fn given(work: &Work<'_>, options: &SyncOptions) -> Result<Vec<String>, Error> {
    let Source::Barcodes(barcodes) = &options.source else {
        return Ok(Vec::new());
    };
    let mut unknown = Vec::new();
    for some in barcodes.chunks(STEP) {
        unknown.append(&mut archives::unknown(work.catalogue, some)?);
    }
    if !unknown.is_empty() {
        let first: Vec<&str> = unknown.iter().take(10).map(String::as_str).collect();
        (work.tell)(&Event::Warning {
            message: format!(
                "{} of {} barcodes are not in the catalogue: {}{}",
                unknown.len(),
                barcodes.len(),
                first.join(", "),
                if unknown.len() > first.len() {
                    ", .."
                } else {
                    ""
                }
            ),
        });
    }
    Ok(barcodes.clone())
}

/// Books that are being converted. Without the list they are asked for again, and GRIN says so.
async fn in_process(work: &Work<'_>) -> HashSet<String> {
    match lists::in_process(work).await {
        Ok(barcodes) => barcodes,
        Err(error) => {
            (work.tell)(&Event::Warning {
                message: format!("the list of books in process is not known: {error}"),
            });
            HashSet::new()
        }
    }
}
