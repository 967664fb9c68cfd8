//! What is in doubt, the worst first: what the library has, what was found, and a person's word about it.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use music::library::review::{self as doubts, Doubt, DoubtfulMatch, Part};
use serde_json::Value;

use crate::App;
use crate::api::review::Asked;
use crate::error::Refusal;
use crate::fitted;
use crate::pages::library::{address, clock, file_link};
use crate::pages::{cut, page, texts as t};
use crate::work::blocking;

/// Doubtful things of one kind on a page: with long names that is about 25 kB.
const ROWS: u32 = 20;

/// Candidates that are named; the rest is in the JSON.
const CANDIDATES: usize = 3;

/// How long before a boundary playing begins, in seconds, so that the end of what is before is heard.
const BEFORE: f64 = 5.0;

/// Buttons about a recording, with the keys that do the same.
const ABOUT_MATCH: [(&str, &str, &str); 4] = [
    ("use_match", "u", t::USE_MATCH),
    ("keep_ours", "k", t::KEEP_OURS),
    ("not_a_song", "n", t::NOT_A_SONG),
    ("later", "l", t::DECIDE_LATER),
];

/// Buttons about a boundary.
const ABOUT_BOUNDARY: [(&str, &str, &str); 3] = [
    ("boundary", "b", t::IS_BOUNDARY),
    ("not_a_boundary", "n", t::NOT_A_BOUNDARY),
    ("later", "l", t::DECIDE_LATER),
];

pub(crate) async fn review(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let part = |after| Part {
            after,
            put_off: asked.put_off,
        };
        let (after_match, after_boundary) =
            (asked.after_match.as_deref(), asked.after_boundary.as_deref());
        fitted::page(ROWS, |rows| {
        let matches = doubts::page_of_matches(&app.library, part(after_match), rows)?;
        let boundaries = doubts::page_of_boundaries(&app.library, part(after_boundary), rows)?;
        let put_off = matches.put_off + boundaries.put_off;
        // The next page of one list leaves the other where it is.
        let next = |with: (&str, &str), other: (&str, Option<&str>)| {
            let mut parameters = vec![with];
            parameters.extend(other.1.map(|after| (other.0, after)));
            if asked.put_off {
                parameters.push(("put_off", "true"));
            }
            address("/review", &parameters)
        };
        let main = html! {
            p { (t::REVIEW_KEYS) }
            p {
                button #undo type="button" disabled { (t::UNDO_DECISION) } " "
                @if asked.put_off { a href="/review" { (t::NOT_PUT_OFF) } }
                @else if put_off > 0 { a href="/review?put_off=true" { (t::PUT_OFF) " (" (put_off) ")" } }
            }
            p #said role="alert" {}
            audio #audio controls preload="none" {}
            h2 { (t::MATCHES) " (" (matches.total) ")" }
            @if matches.rows.is_empty() { p { (t::NOTHING_HERE) } }
            @else { ul .doubts { @for doubt in &matches.rows { (about_match(doubt)) } } }
            @if let Some(key) = &matches.next {
                p { a href=(next(("after_match", key), ("after_boundary", after_boundary))) { (t::MORE_MATCHES) } }
            }
            h2 { (t::BOUNDARIES) " (" (boundaries.total) ")" }
            @if boundaries.rows.is_empty() { p { (t::NOTHING_HERE) } }
            @else { ul .doubts { @for doubt in &boundaries.rows { (about_boundary(doubt)) } } }
            @if let Some(key) = &boundaries.next {
                p { a href=(next(("after_boundary", key), ("after_match", after_match))) { (t::MORE_BOUNDARIES) } }
            }
        };
        Ok(page(t::REVIEW, Some("review.js"), &main))
        })
    })
    .await
}

fn about_match(doubt: &DoubtfulMatch) -> Markup {
    let ours = named(doubt.title.as_deref(), doubt.artist.as_deref());
    html! {
        li .doubt data-id=(doubt.passage_id) data-path=(doubt.path) data-from=(doubt.start_seconds) {
            p { (file_link(&doubt.path)) ", " (clock(doubt.start_seconds)) }
            dl {
                dt { (t::OURS) } dd { (ours) @if doubt.is_linked { " (" (t::LINKED) ")" } }
                dt { (t::FOUND) }
                @for candidate in doubt.candidates.iter().take(CANDIDATES) { dd { (found(candidate)) } }
                dt { (t::DECIDED_BY) } dd { (doubt.decided_by) }
            }
            (buttons(&ABOUT_MATCH))
        }
    }
}

fn found(candidate: &Value) -> Markup {
    let text = |key: &str| candidate[key].as_str();
    let share = candidate["confidence"].as_f64().unwrap_or_default();
    html! { (named(text("title"), text("artist"))) ", " (percent(share)) }
}

fn named(title: Option<&str>, artist: Option<&str>) -> String {
    let text = |name: Option<&str>| cut(name.unwrap_or("?")).into_owned();
    format!("{} – {}", text(title), text(artist))
}

fn about_boundary(doubt: &Doubt) -> Markup {
    html! {
        li .doubt data-path=(doubt.path) data-at=(doubt.at_seconds) data-from=((doubt.at_seconds - BEFORE).max(0.0)) {
            p {
                (file_link(&doubt.path)) ", " (clock(doubt.at_seconds)) ": "
                (if doubt.is_cut { t::IS_CUT } else { t::IS_NOT_CUT }) ", " (percent(doubt.confidence)) ". " (doubt.reason)
            }
            (buttons(&ABOUT_BOUNDARY))
        }
    }
}

fn buttons(verbs: &[(&str, &str, &str)]) -> Markup {
    html! {
        p .verbs {
            button type="button" data-do="hear" data-key="p" { (t::HEAR) " " kbd { "p" } }
            @for (verb, key, label) in verbs {
                " " button type="button" data-verb=(verb) data-key=(key) { (label) " " kbd { (key) } }
            }
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
