//! What a person should listen to: boundaries that may be wrong, and matches in doubt.

use serde::Serialize;
use serde_json::Value;
use sqlite::{Row, RowResult, params};

use crate::error::{Error, Result};
use crate::id::{FileId, PassageId};
use crate::library::Library;
use crate::library::query::if_readable;
use crate::library::verdicts::{decided_boundaries, decided_matches};
use audio::Ticks;

/// A boundary surer than 0.85 needs no look. The condition of an index, word by word.
const UNSURE: &str = "b.confidence < 0.85";

/// A doubtful boundary.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Doubt {
    /// The passage that ends there, or that would be cut in two there; `None` where there is none.
    pub passage_id: Option<PassageId>,
    /// The file's id.
    #[serde(skip)]
    pub file_id: FileId,
    /// Where, in ticks.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schema(value_type = i64))]
    pub at_ticks: Ticks,
    /// The file's path in the library.
    pub path: String,
    /// Where, in seconds.
    pub at_seconds: f64,
    /// What made it, in a word.
    pub kind: String,
    /// Whether the file is cut there.
    pub is_cut: bool,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Why, in words.
    pub reason: String,
}

/// From this share of the odds on, another candidate is a close second. A High answer leaves less than that to all others
/// together; what was found before it did may not.
const CLOSE: f64 = 0.02;

/// The passages that need a look. A candidate less likely than a tenth is not worth it: on the made worlds none of those
/// was right. The condition of an index, word by word; its second number is [`CLOSE`].
const IN_DOUBT: &str = "(i.state = 'doubtful' \
    OR (i.state = 'identified' AND (i.level <> 'high' \
        OR coalesce(CASE WHEN json_valid(i.reasoning) THEN \
            json_extract(i.reasoning, '$.candidates[1].confidence') END, 0) >= 0.02)) \
    OR (i.state = 'none' AND i.confidence >= 0.1))";

/// A passage that may be one of several recordings, or none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DoubtfulMatch {
    /// The passage's id, for `music identify --accept` and the like.
    pub passage_id: PassageId,
    /// The file's path in the library.
    pub path: String,
    /// Where the passage starts, in seconds.
    pub start_seconds: f64,
    /// How sure the best candidate is, 0 to 1.
    pub confidence: f64,
    /// Whether the best candidate is linked all the same.
    pub is_linked: bool,
    /// The title that the library has.
    pub title: Option<String>,
    /// The artist that the library has.
    pub artist: Option<String>,
    /// What would decide it.
    pub decided_by: String,
    /// The candidates, the best first, as identification weighed them.
    pub candidates: Vec<Value>,
}

/// Some of what is in doubt.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// What is in doubt, the worst first.
    pub rows: Vec<T>,
    /// What the next page is to be behind; `None` on the last.
    pub next: Option<String>,
    /// How many are in doubt in all.
    pub total: u64,
    /// How many of a kind were put off, and are shown when those are asked for.
    pub put_off: u64,
}

/// Which part of what is in doubt.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part<'a> {
    /// Those behind this one, as [`Page::next`] has it.
    pub after: Option<&'a str>,
    /// Those that were put off, instead of those that were not.
    pub put_off: bool,
}

impl Part<'_> {
    /// The condition on what was decided, `d` being the decision.
    fn decided(self) -> &'static str {
        if self.put_off {
            "d.is_settled = 0"
        } else {
            "d.is_settled IS NULL"
        }
    }

    /// The values of the last key, or ones before all.
    fn key(self) -> Result<(i64, f64, String)> {
        let Some(text) = self.after.filter(|text| !text.is_empty()) else {
            return Ok((-1, -1.0, String::new()));
        };
        let mut parts = text.splitn(3, ',');
        let (rank, confidence, row) = (parts.next(), parts.next(), parts.next());
        let read = || {
            let confidence: f64 = confidence?.parse().ok().filter(|c: &f64| c.is_finite())?;
            Some((rank?.parse().ok()?, confidence, row?.to_owned()))
        };
        read().ok_or_else(|| Error::not_found(text.to_owned()))
    }
}

const MATCH: &str = "SELECT p.guid, f.path, p.start_time_ticks, i.confidence, i.reasoning, i.state = 'identified', \
        coalesce(p.user_title, p.title), p.artist ";

/// All that are in doubt, with what was decided: the index of doubts leads.
const ALL_MATCHES: &str = "FROM accession_identifications i INDEXED BY idx_accession_identifications_doubt \
    JOIN passages p ON p.guid = i.passage_id JOIN files f ON f.guid = p.file_id \
    LEFT JOIN decided d ON d.passage_id = p.guid ";

/// Those about which something was decided, which are few: the decisions lead.
const DECIDED_MATCHES: &str = "FROM decided d CROSS JOIN accession_identifications i ON i.passage_id = d.passage_id \
    JOIN passages p ON p.guid = i.passage_id JOIN files f ON f.guid = p.file_id ";

/// The passages whose recording is in doubt: those that are linked and not at High, those with a close
/// second, and those with a candidate that was not sure enough. What is linked and least sure comes first.
///
/// # Errors
///
/// When the database cannot be read.
pub fn doubtful_matches(library: &Library) -> Result<Vec<DoubtfulMatch>> {
    library.db().read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            &format!(
                "WITH decided AS ({}) {MATCH} {ALL_MATCHES} \
                 WHERE {IN_DOUBT} AND d.is_settled IS NOT 1 \
                 ORDER BY i.state = 'identified' DESC, i.confidence, f.path, p.start_time_ticks",
                decided_matches()
            ),
            params![],
            doubtful_match,
        )?)
    })
}

/// The next `count` passages whose recording is in doubt.
///
/// # Errors
///
/// When `part` is behind nothing that can be, or the database cannot be read.
pub fn page_of_matches(
    library: &Library,
    part: Part<'_>,
    count: u32,
) -> Result<Page<DoubtfulMatch>> {
    let (rank, confidence, row) = part.key()?;
    library.db().read(|snapshot| {
        let mut rows = snapshot.query_all(
            &format!(
                "WITH decided AS ({}) {MATCH} {} \
                 WHERE {IN_DOUBT} AND {} AND (i.state <> 'identified', i.confidence, i.passage_id) > (?1, ?2, ?3) \
                 ORDER BY (i.state <> 'identified'), i.confidence, i.passage_id LIMIT ?4",
                decided_matches(),
                if part.put_off { DECIDED_MATCHES } else { ALL_MATCHES },
                part.decided()
            ),
            params![rank, confidence, row, count.saturating_add(1)],
            doubtful_match,
        )?;
        let next = cut_to(&mut rows, count, |last: &DoubtfulMatch| {
            format!("{},{},{}", u8::from(!last.is_linked), last.confidence, last.passage_id)
        });
        let number = |sql: &str| snapshot.query_row(sql, params![], |row| row.get::<_, u64>(0));
        let all = number(&format!("SELECT count(*) FROM accession_identifications i INDEXED BY idx_accession_identifications_doubt \
             WHERE {IN_DOUBT}"))?;
        let of_decided = |what: &str| {
            number(&format!(
                "WITH decided AS ({}) SELECT count(*) FROM decided d \
                 CROSS JOIN accession_identifications i ON i.passage_id = d.passage_id WHERE {IN_DOUBT} {what}",
                decided_matches()
            ))
        };
        let (decided, put_off) = (of_decided("")?, of_decided("AND d.is_settled = 0")?);
        let total = if part.put_off { put_off } else { all.saturating_sub(decided) };
        Ok(Page { rows, next, total, put_off })
    })
}

/// Takes what is more than `count` away; the key of the last that is left, if there was more.
fn cut_to<T>(rows: &mut Vec<T>, count: u32, key: impl Fn(&T) -> String) -> Option<String> {
    let has_more = rows.len() > count as usize;
    rows.truncate(count as usize);
    rows.last().filter(|_| has_more).map(key)
}

fn doubtful_match(row: &Row<'_>) -> RowResult<DoubtfulMatch> {
    let reasoning: String = row.get(4)?;
    let reasoning: Value = serde_json::from_str(&reasoning).unwrap_or_default();
    Ok(DoubtfulMatch {
        passage_id: row.get(0)?,
        path: row.get(1)?,
        start_seconds: Ticks(row.get(2)?).seconds(),
        confidence: row.get(3)?,
        is_linked: row.get(5)?,
        title: if_readable(row, 6)?,
        artist: if_readable(row, 7)?,
        decided_by: decided_by(&reasoning),
        candidates: reasoning["candidates"]
            .as_array()
            .cloned()
            .unwrap_or_default(),
    })
}

/// What would decide a match, in words: what tells the first two apart, or what speaks most against the
/// first.
fn decided_by(reasoning: &Value) -> String {
    let candidates = &reasoning["candidates"];
    let noticed = |at: usize| -> Vec<(&str, f64)> {
        let reasons = candidates[at]["reasons"].as_array().into_iter().flatten();
        let read = |reason: &'_ Value| -> Option<f64> { reason["weight"].as_f64() };
        reasons
            .filter_map(|reason| Some((reason["noticed"].as_str()?, read(reason)?)))
            .collect()
    };
    let (first, second) = (noticed(0), noticed(1));
    if candidates[1]["confidence"].as_f64().unwrap_or(0.0) >= CLOSE {
        let only_first: Vec<_> = first
            .iter()
            .filter(|one| !second.contains(one))
            .map(|(name, _)| *name)
            .collect();
        if only_first.is_empty() {
            return "nothing that is known tells the first two apart: an album or an id in the tags would".to_owned();
        }
        return format!(
            "which of the first two it is; the first by {}",
            only_first.join(", ")
        );
    }
    if reasoning["another_version"]["confidence"]
        .as_f64()
        .unwrap_or(0.0)
        >= CLOSE
    {
        return "whether it is this version or another one".to_owned();
    }
    let against = first
        .iter()
        .filter(|(_, weight)| *weight < 0.0)
        .min_by(|a, b| a.1.total_cmp(&b.1));
    against.map_or_else(
        || "more tags, or a sound that AcoustID knows".to_owned(),
        |(name, _)| format!("whether this is right all the same: {name}"),
    )
}

const BOUNDARY: &str = "SELECT f.path, b.at_ticks, b.kind, b.is_cut, b.confidence, b.reason, b.file_id, \
        (SELECT p.guid FROM passages p WHERE p.file_id = b.file_id AND p.start_time_ticks < b.at_ticks \
         ORDER BY p.start_time_ticks DESC LIMIT 1) ";

/// As [`ALL_MATCHES`].
const ALL_BOUNDARIES: &str = "FROM accession_boundaries b JOIN files f ON f.guid = b.file_id \
    LEFT JOIN decided d ON d.file_id = b.file_id AND d.at_ticks = b.at_ticks ";

/// As [`DECIDED_MATCHES`].
const DECIDED_BOUNDARIES: &str = "FROM decided d CROSS JOIN accession_boundaries b \
        ON b.file_id = d.file_id AND b.at_ticks = d.at_ticks \
    JOIN files f ON f.guid = b.file_id ";

/// The doubtful boundaries of a library, file by file, the file with the least sure one first.
///
/// # Errors
///
/// When the database cannot be read.
pub fn review(library: &Library) -> Result<Vec<Doubt>> {
    library.db().read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            &format!(
                "WITH decided AS ({}) {BOUNDARY} {ALL_BOUNDARIES} \
                 WHERE {UNSURE} AND d.is_settled IS NOT 1 \
                 ORDER BY min(b.confidence) OVER (PARTITION BY b.file_id), f.path, b.at_ticks",
                decided_boundaries()
            ),
            params![],
            doubt,
        )?)
    })
}

/// The next `count` doubtful boundaries, the least sure first.
///
/// # Errors
///
/// When `part` is behind nothing that can be, or the database cannot be read.
pub fn page_of_boundaries(library: &Library, part: Part<'_>, count: u32) -> Result<Page<Doubt>> {
    let (at, confidence, file) = part.key()?;
    library.db().read(|snapshot| {
        let mut rows = snapshot.query_all(
            &format!(
                "WITH decided AS ({}) {BOUNDARY} {} \
                 WHERE {UNSURE} AND {} AND (b.confidence, b.file_id, b.at_ticks) > (?1, ?2, ?3) \
                 ORDER BY b.confidence, b.file_id, b.at_ticks LIMIT ?4",
                decided_boundaries(),
                if part.put_off {
                    DECIDED_BOUNDARIES
                } else {
                    ALL_BOUNDARIES
                },
                part.decided()
            ),
            params![confidence, file, at, count.saturating_add(1)],
            doubt,
        )?;
        let next = cut_to(&mut rows, count, |last: &Doubt| {
            format!("{},{},{}", last.at_ticks.0, last.confidence, last.file_id)
        });
        let number = |sql: &str| snapshot.query_row(sql, params![], |row| row.get::<_, u64>(0));
        let all = number(&format!(
            "SELECT count(*) FROM accession_boundaries b WHERE {UNSURE}"
        ))?;
        let of_decided = |what: &str| {
            number(&format!(
                "WITH decided AS ({}) SELECT count(*) FROM decided d {what}",
                decided_boundaries()
            ))
        };
        let (decided, put_off) = (of_decided("")?, of_decided("WHERE d.is_settled = 0")?);
        let total = if part.put_off {
            put_off
        } else {
            all.saturating_sub(decided)
        };
        Ok(Page {
            rows,
            next,
            total,
            put_off,
        })
    })
}

fn doubt(row: &Row<'_>) -> RowResult<Doubt> {
    let at = Ticks(row.get(1)?);
    Ok(Doubt {
        path: row.get(0)?,
        at_ticks: at,
        at_seconds: at.seconds(),
        kind: row.get(2)?,
        is_cut: row.get(3)?,
        confidence: row.get(4)?,
        reason: row.get(5)?,
        file_id: row.get(6)?,
        passage_id: row.get(7)?,
    })
}
