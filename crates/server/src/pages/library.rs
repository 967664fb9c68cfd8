//! What is in the library: files page by page, one file, what is in doubt, and what went wrong.

use std::ops::Range;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use music::edit::{Edit, LONGEST_TEXT, Ticks};
use music::library::query::{self, Count, FileDetails, ListedProblem, PassageDetails, Status};
use music::views::picture::Picture;
use serde::Deserialize;

use crate::App;
use crate::api::etag;
use crate::error::Refusal;
use crate::fitted;
use crate::pages::{cut, lists, page, texts as t};
use crate::work::blocking;

/// Rows of a page. With long names that is about 40 kB. A guess.
const ROWS: u32 = 100;

/// Problems of one kind on a page: with long names that is about 35 kB.
const PROBLEMS: u32 = 50;

/// Passages of a file on a page: each has a form of some 2 kB. A guess: an album and a half.
const FORMS: u32 = 24;

/// Which page of the library.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    after: Option<String>,
    q: Option<String>,
}

/// Which file.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    #[serde(alias = "file")]
    name: String,
    /// The first passage that is shown, counted from 0.
    from: Option<usize>,
}

/// WKMP's page of the same name may be asked for without a file.
#[derive(Debug, Deserialize)]
pub(crate) struct MaybeNamed {
    file: Option<String>,
}

/// A length or position as `1:02:03`.
pub(crate) fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// An address with its parameters encoded.
pub(crate) fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    format!("{path}?{query}")
}

pub(crate) fn file_link(path: &str) -> Markup {
    html! { a href=(address("/file", &[("name", path)])) { (cut(path)) } }
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let words = asked.q.as_deref().unwrap_or("");
        let after = asked.after.as_deref();
        fitted::page(ROWS, |rows| {
        let listed = app.files(after, Some(words), rows)?;
        let main = html! {
            (lists::ways("/library"))
            form action="/library" method="get" role="search" {
                label for="q" { (t::SEARCH) }
                input #q name="q" type="search" value=(words);
                " "
                button type="submit" { (t::SEARCH_BUTTON) }
            }
            @if listed.unread > 0 { p role="status" { (t::UNREAD) " " (listed.unread) } }
            @if listed.files.is_empty() { p { (t::NOTHING_HERE) } } @else {
                div .wide {
                    table {
                        thead { tr {
                            th scope="col" { (t::FILE) } th scope="col" { (t::LENGTH) }
                            th scope="col" { (t::PASSAGES) } th scope="col" { (t::FORMAT) }
                            th scope="col" { (t::STATUS) }
                        } }
                        tbody {
                            @for file in &listed.files {
                                tr {
                                    th scope="row" { (file_link(&file.path)) }
                                    td { (file.seconds.map(clock).unwrap_or_default()) }
                                    td { (file.passages) }
                                    td { (file.format.as_deref().unwrap_or("")) }
                                    td { (cut(file.damage.as_deref().unwrap_or(&file.status))) }
                                }
                            }
                        }
                    }
                }
                @if let Some(last) = &listed.next {
                    p { a href=(address("/library", &[("q", words), ("after", last)])) { (t::NEXT) } }
                }
            }
        };
        Ok(page(t::LIBRARY, None, &main))
        })
    })
    .await
}

pub(crate) async fn file(
    State(app): State<Arc<App>>,
    Query(named): Query<Named>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let file = query::file_of(&app.library, &named.name)?;
        let edits = music::edit::list(app.library.db())?;
        let edits = edits.into_iter();
        let edits: Vec<_> = edits
            .filter(|edit| edit.path.as_ref() == Some(&file.path))
            .collect();
        let from = named.from.unwrap_or(0).min(file.passages.len());
        fitted::page(FORMS, |rows| {
            let end = (from + rows as usize).min(file.passages.len());
            let latest = edits.len().saturating_sub(2 * rows as usize);
            let main = html! { (details(&file, &(from..end))) (said(&edits[latest..])) };
            Ok(page(t::FILE, Some("file.js"), &main))
        })
    })
    .await
}

/// A way to the passages of a file from one on, where not all of them are on the page.
fn others(file: &FileDetails, shown: &Range<usize>) -> Markup {
    let all = file.passages.len();
    let from = |from: usize| {
        address(
            "/file",
            &[("name", &file.path), ("from", &from.to_string())],
        )
    };
    html! {
        @if shown.len() < all {
            p {
                (shown.start + 1) "–" (shown.end) " / " (all)
                @if shown.start > 0 {
                    " " a href=(from(shown.start.saturating_sub(FORMS as usize))) { (t::PASSAGES_BEFORE) }
                }
                @if shown.end < all { " " a href=(from(shown.end)) { (t::PASSAGES_AFTER) } }
            }
        }
    }
}

fn details(file: &FileDetails, shown: &Range<usize>) -> Markup {
    let passages = &file.passages[shown.clone()];
    html! {
        p .path { (file.path) }
        @if let Some(damage) = &file.damage { p { strong { (t::DAMAGED) } ": " (cut(damage)) } }
        canvas #waveform hidden role="img" aria-label=(t::EDITOR) data-name=(file.path)
            data-seconds=[file.seconds] {}
        p #zoom hidden {
            button type="button" data-zoom="in" { (t::ZOOM_IN) } " "
            button type="button" data-zoom="out" { (t::ZOOM_OUT) } " "
            button type="button" data-zoom="earlier" { (t::EARLIER) } " "
            button type="button" data-zoom="later" { (t::LATER) } " "
            button type="button" data-zoom="undo" disabled { (t::UNDO_MOVE) } " "
            button type="button" data-zoom="redo" disabled { (t::REDO_MOVE) }
        }
        img .picture #picture src=(address("/picture", &[("name", &file.path)])) alt=(t::PICTURE) width="1200" height="240";
        audio #audio controls preload="none" src=(address(sound(file), &[("name", &file.path)])) {}
        p #said role="alert" {}
        h2 { (t::PASSAGES) }
        (others(file, shown))
        div .wide {
            table {
                thead { tr {
                    th scope="col" { (t::TITLE) } th scope="col" { (t::ARTIST) } th scope="col" { (t::ALBUM) }
                    th scope="col" { (t::START_POSITION) } th scope="col" { (t::END) } th scope="col" { (t::LOUDNESS) }
                    th scope="col" { (t::SIMILAR) }
                } }
                tbody { @for passage in passages { (row(passage)) } }
            }
        }
        h2 { (t::EDIT) }
        p { (t::SECONDS) }
        @for passage in passages { (form(passage)) }
    }
}

fn row(passage: &PassageDetails) -> Markup {
    html! {
        tr {
            th scope="row" { (cut(passage.title.as_deref().unwrap_or("–"))) }
            td { (cut(passage.artist.as_deref().unwrap_or(""))) }
            td { (cut(passage.album.as_deref().unwrap_or(""))) }
            td { (clock(passage.start_seconds)) }
            td { (clock(passage.end_seconds)) }
            td {
                @if let Some(lufs) = passage.integrated_lufs { (format!("{lufs:.1} LUFS")) }
                @if passage.is_no_song { " " (t::NOT_A_SONG) }
            }
            td { a href=(address("/similar", &[("passage", &passage.id.to_string())])) { (t::SHOW) } }
        }
    }
}

/// Where a browser gets the sound of a file: as it is, or decoded where browsers cannot do it.
fn sound(file: &FileDetails) -> &'static str {
    match file.format.as_deref() {
        Some("MP3" | "FLAC" | "OGG" | "OPUS" | "WAV" | "AAC") => "/api/v1/audio",
        _ => "/api/v1/wav",
    }
}

/// A name as it can be edited: as much of it as a person may say.
fn editable(name: &str) -> &str {
    let mut end = name.len().min(LONGEST_TEXT);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// What a person may say about a passage. What is left as it is, is not said.
fn form(passage: &PassageDetails) -> Markup {
    let seconds = |value: Option<f64>| value.map(|value| format!("{value:.3}")).unwrap_or_default();
    let positions = [
        ("start", t::START_POSITION, Some(passage.start_seconds)),
        ("end", t::END, Some(passage.end_seconds)),
        ("lead_in", t::LEAD_IN, passage.lead_in_seconds),
        ("lead_out", t::LEAD_OUT, passage.lead_out_seconds),
        ("fade_in", t::FADE_IN, passage.fade_in_seconds),
        ("fade_out", t::FADE_OUT, passage.fade_out_seconds),
    ];
    let texts = [
        ("title", t::TITLE, &passage.title),
        ("artist", t::ARTIST, &passage.artist),
        ("album", t::ALBUM, &passage.album),
    ];
    html! {
        details {
            summary { (cut(passage.title.as_deref().unwrap_or("–"))) ", " (clock(passage.start_seconds)) }
            form .passage data-id=(passage.id) data-etag=(etag(passage)) data-start=(passage.start_seconds) {
                @for (name, label, value) in positions {
                    label { (label) " "
                        input type="number" name=(name) min="0" step="0.001" value=(seconds(value)); }
                }
                @for (name, label, value) in texts {
                    label { (label) " " input type="text" name=(name) maxlength=(LONGEST_TEXT)
                        value=(editable(value.as_deref().unwrap_or(""))); }
                }
                p {
                    button type="submit" { (t::SAVE) } " "
                    button type="button" data-do="hear" { (t::HEAR) } " "
                    button type="button" data-do="transition" { (t::TRANSITION) } " "
                    button type="button" data-do="split" { (t::SPLIT) } " "
                    button type="button" data-do="join" { (t::JOIN) } " "
                    button type="button" data-do="no_song" { (t::NOT_A_SONG) } " "
                    button type="button" data-do="reset" { (t::RESET) }
                }
            }
        }
    }
}

fn said(edits: &[Edit]) -> Markup {
    html! {
        h2 { (t::EDITS) }
        @if edits.is_empty() { p { (t::NOTHING_HERE) } }
        @else {
            ul .list {
                @for edit in edits {
                    li {
                        (edit.said.field.word()) " " (clock(Ticks(edit.said.start_ticks).seconds())) ": "
                        (cut(&edit.said.value)) " (" (edit.said.source) ", " (edit.said.made_at.as_deref().unwrap_or_default()) ") "
                        button type="button" .undo data-id=(edit.id) { (t::UNDO) }
                    }
                }
            }
        }
    }
}

pub(crate) async fn picture(
    State(app): State<Arc<App>>,
    Query(named): Query<Named>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let svg = Picture::of(&app.library, &named.name)?.svg();
        let mut response = svg.into_response();
        let kind = HeaderValue::from_static("image/svg+xml");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(response)
    })
    .await
}

/// WKMP's page for a file's boundaries; here they are shown on the file's own page, and without a file one is chosen.
pub(crate) async fn segment_editor(
    State(app): State<Arc<App>>,
    Query(named): Query<MaybeNamed>,
) -> Result<Response, Refusal> {
    match named.file.filter(|name| !name.is_empty()) {
        Some(name) => file(State(app), Query(Named { name, from: None })).await,
        None => list(State(app), Query(Asked::default())).await,
    }
}

pub(crate) async fn report(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    blocking(&app, |app| {
        fitted::page(PROBLEMS, |rows| {
            let report = |status: &Status| Ok(report_of(status, rows as usize));
            Ok(app.status.ask(&app.library, report)?)
        })
    })
    .await
}

fn report_of(status: &Status, rows: usize) -> Markup {
    let main = html! {
        dl .figures {
            div { dt { (t::PASSAGES) } dd { (status.passages) } }
            div { dt { (t::LENGTH) } dd { (clock(status.audio_seconds)) } }
            @for count in &status.files { div { dt { (t::FILES) " " (count.name) } dd { (count.count) } } }
        }
        (problems(t::PROBLEMS, &status.problems, rows))
        (problems(t::DAMAGED, &status.damaged, rows))
        (problems(t::MISNAMED, &status.misnamed, rows))
        (left_out(&status.left_out))
    };
    page(t::REPORT, None, &main)
}

fn left_out(counts: &[Count]) -> Markup {
    html! {
        h2 { (t::LEFT_OUT) }
        @if counts.is_empty() { p { (t::NOTHING_HERE) } }
        @else { ul .list { @for count in counts { li { (count.count) " " (count.name) } } } }
    }
}

fn problems(title: &str, problems: &[ListedProblem], rows: usize) -> Markup {
    html! {
        h2 { (title) " (" (problems.len()) ")" }
        @if problems.is_empty() { p { (t::NOTHING_HERE) } }
        @else {
            ul .list {
                @for problem in problems.iter().take(rows) {
                    li { span .path { (cut(&problem.path)) } ": " (cut(&problem.reason)) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_files_are_text_and_never_markup() {
        let shown = file_link("\"><script>alert(1)</script>&x=1.mp3").into_string();
        assert!(!shown.contains("<script"), "{shown}");
        assert!(!shown.contains("&x=1.mp3\""), "{shown}");
    }

    #[test]
    fn a_position_is_told_as_a_clock() {
        assert_eq!(clock(59.6), "1:00");
        assert_eq!(clock(3723.0), "1:02:03");
        assert_eq!(clock(-1.0), "0:00");
    }
}
