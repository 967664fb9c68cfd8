//! The pages: plain HTML whose scripts and styles are files of their own.
//!
//! Every text that comes from a file, a tag or a service is escaped by `maud`, or put into the page as text by a script.

mod library;
mod lists;
mod review;
pub(crate) mod texts;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use music::library::settings::Listed;

use crate::App;
use crate::choices::{Class, class};
use crate::error::Refusal;
use crate::work::blocking;
use texts as t;

/// Files that pages ask for, with their types.
const ASSETS: [(&str, &str, &str); 10] = [
    (
        "accession.css",
        "text/css; charset=utf-8",
        include_str!("../assets/accession.css"),
    ),
    (
        "events.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/events.js"),
    ),
    (
        "file.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/file.js"),
    ),
    (
        "waveform.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/waveform.js"),
    ),
    (
        "run.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/run.js"),
    ),
    (
        "review.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/review.js"),
    ),
    (
        "import.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/import.js"),
    ),
    (
        "similar.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/similar.js"),
    ),
    (
        "settings.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/settings.js"),
    ),
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../assets/icon.svg"),
    ),
];

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(import))
        .route("/library", get(library::list))
        .route("/file", get(library::file))
        .route("/artists", get(lists::artists))
        .route("/artist", get(lists::artist))
        .route("/albums", get(lists::albums))
        .route("/album", get(lists::album))
        .route("/similar", get(lists::similar))
        .route("/picture", get(library::picture))
        .route("/review", get(review::review))
        .route("/report", get(library::report))
        .route("/settings", get(settings))
        .route("/import-progress", get(import))
        .route("/import-complete", get(library::report))
        .route("/file-report", get(library::report))
        .route("/segment-editor", get(library::segment_editor))
}

/// Scripts, styles and the icon, which every page has.
pub(crate) fn assets() -> Router {
    Router::new().route("/static/{name}", get(asset)).route(
        "/favicon.ico",
        get(|| async { Redirect::permanent("/static/icon.svg") }),
    )
}

/// Letters of a name that a page shows; its own page has more of it. A guess: two lines of a table.
const SHOWN: usize = 200;

/// A text as a page shows it where it is one of many.
fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

async fn asset(Path(name): Path<String>) -> Response {
    let Some((_, kind, text)) = ASSETS.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = (*text).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A whole page on a library around `main`; `script` names its script, if it has one.
fn page(title: &str, script: Option<&str>, main: &Markup) -> Markup {
    let links = [
        ("/", t::IMPORT),
        ("/library", t::LIBRARY),
        ("/similar", t::SIMILAR),
        ("/review", t::REVIEW),
        ("/report", t::REPORT),
        ("/settings", t::SETTINGS),
    ];
    page_with(&links, title, script, main)
}

/// The same with other pages to go to.
pub(crate) fn page_with(
    links: &[(&str, &str)],
    title: &str,
    script: Option<&str>,
    main: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Accession" }
                link rel="icon" href="/static/icon.svg";
                link rel="stylesheet" href="/static/accession.css";
                @if let Some(script) = script {
                    script type="module" src={ "/static/" (script) } {}
                }
            }
            body {
                a .skip href="#main" { (t::SKIP) }
                header {
                    strong { "Accession" }
                    nav aria-label=(t::PAGES) {
                        @for &(to, name) in links {
                            @if name == title {
                                a href=(to) aria-current="page" { (name) }
                            } @else {
                                a href=(to) { (name) }
                            }
                        }
                    }
                }
                main #main {
                    h1 { (title) }
                    (main)
                }
                footer { (t::VERSION) " " (env!("CARGO_PKG_VERSION")) }
            }
        }
    }
}

async fn import(State(app): State<Arc<App>>) -> Response {
    let root = app.library.root().to_string_lossy();
    let main = html! {
        p #connection role="status" { (t::CONNECTING) }
        section aria-labelledby="choose" {
            h2 #choose { (t::CHOOSE_FOLDER) }
            p { (t::BELOW) " " code #folder { (root) } }
            ul #folders .list aria-label=(t::FOLDERS) {}
            p {
                button #up type="button" { (t::UP) }
                " "
                button #start type="button" { (t::START) }
                " "
                button #stop type="button" disabled { (t::STOP) }
            }
            p #said role="alert" {}
            div #plan hidden {
                h3 #planned tabindex="-1" { (t::PLANNED) }
                dl .figures {
                    @for (name, label) in [
                        ("new", t::PLAN_NEW), ("changed", t::PLAN_CHANGED), ("moved", t::PLAN_MOVED),
                        ("unchanged", t::PLAN_UNCHANGED), ("duplicates", t::PLAN_DUPLICATES), ("gone", t::PLAN_GONE),
                    ] {
                        div { dt { (label) } dd data-plan=(name) { "–" } }
                    }
                }
                h4 { (t::PLAN_LEFT_OUT) }
                ul #left-out .list {}
                p {
                    button #commit type="button" .main { (t::COMMIT) } " "
                    button #dismiss type="button" { (t::DISMISS) }
                }
            }
            h3 { (t::QUEUE) }
            ul #queue .list {}
        }
        section aria-labelledby="how-far" {
            h2 #how-far { (t::PROGRESS) }
            p #operation { (t::NOTHING_RUNS) }
            progress #bar max="100" value="0" aria-labelledby="operation" {}
            dl .figures {
                @for (id, name) in [
                    ("files", t::FILES), ("passages", t::PASSAGES), ("failed", t::FAILED),
                    ("elapsed", t::ELAPSED), ("remaining", t::REMAINING),
                ] {
                    div { dt { (name) } dd id=(id) { "–" } }
                }
            }
            h3 { (t::STEPS) }
            ol #steps .list {}
            h3 { (t::WORKERS) }
            ul #workers .list {}
            h3 { (t::PROBLEMS) }
            ul #problems .list {}
        }
    };
    page(t::IMPORT, Some("import.js"), &main).into_response()
}

/// A field to change a setting with, where a visitor may.
fn change(setting: &Listed) -> Result<Markup, Refusal> {
    Ok(match class(setting)? {
        Class::Owner => html! { (t::COMMAND_LINE) },
        Class::Secret => html! { (t::ABOVE) },
        Class::Hearing | Class::Plain => html! {
            form .setting data-key=(setting.key) {
                input type="text" name="value" aria-label=(setting.key) required
                    value=(setting.value.as_deref().unwrap_or(""));
                " " button type="submit" aria-label={ (t::SAVE) " " (setting.key) } { (t::SAVE) }
                " " button type="button" data-do="default" aria-label={ (t::DEFAULT) " " (setting.key) } { (t::DEFAULT) }
            }
        },
    })
}

async fn settings(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    blocking(&app, |app| {
        let settings = music::library::settings::list(app.library.db())?;
        let main = html! {
            form #key-form {
                h2 { (t::KEY) }
                p { (t::KEY_WHY) }
                label for="key" { (t::KEY_LABEL) }
                input #key type="password" autocomplete="off" required;
                " "
                button #check type="button" { (t::KEY_CHECK) }
                " "
                button type="submit" { (t::KEY_SAVE) }
            }
            p #said role="status" {}
            h2 { (t::ALL_SETTINGS) }
            div .wide {
                table {
                    thead { tr {
                        th scope="col" { (t::NAME) } th scope="col" { (t::VALUE) }
                        th scope="col" { (t::ORIGIN) } th scope="col" { (t::MEANING) } th scope="col" { (t::CHANGE) }
                    } }
                    tbody {
                        @for setting in &settings {
                            tr {
                                th scope="row" { code { (setting.key) } }
                                td { (setting.value.as_deref().unwrap_or("–")) }
                                td { (setting.origin) }
                                td { (setting.meaning) @if setting.is_heard { " " (t::HEARD_AGAIN) } }
                                td { (change(setting)?) }
                            }
                        }
                    }
                }
            }
        };
        Ok(page(t::SETTINGS, Some("settings.js"), &main).into_response())
    })
    .await
}
