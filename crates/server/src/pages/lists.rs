//! The library by artists and albums, and as a map of what sounds alike.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use music::library::lists::{self, By, ListedPassage};
use serde::Deserialize;

use crate::App;
use crate::api::find;
use crate::error::Refusal;
use crate::fitted;
use crate::pages::library::{address, clock};
use crate::pages::{cut, page, texts as t};
use crate::work::blocking;

/// Rows of a page. With long names that is about 40 kB. A guess.
const ROWS: u32 = 100;

/// Which page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Behind {
    after: Option<String>,
}

/// Whose passages.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    name: String,
    after: Option<String>,
}

/// Ways to look at a library.
pub(crate) fn ways(current: &str) -> Markup {
    let ways = [
        ("/library", t::BY_FILES),
        ("/artists", t::BY_ARTISTS),
        ("/albums", t::BY_ALBUMS),
    ];
    html! {
        nav .ways aria-label=(t::WAYS) {
            @for (to, name) in ways {
                @if to == current { a href=(to) aria-current="page" { (name) } } @else { a href=(to) { (name) } }
            }
        }
    }
}

fn next(path: &str, parameters: &[(&str, &str)], after: Option<&String>) -> Markup {
    html! {
        @if let Some(after) = after {
            @let parameters = [parameters, &[("after", after)]].concat();
            p { a href=(address(path, &parameters)) { (t::NEXT) } }
        }
    }
}

pub(crate) async fn artists(
    State(app): State<Arc<App>>,
    Query(asked): Query<Behind>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        fitted::page(ROWS, |rows| {
        let page_of = lists::artists(app.library.db(), asked.after.as_deref(), rows)?;
        let main = html! {
            (ways("/artists"))
            @if page_of.rows.is_empty() { p { (t::NOTHING_HERE) } } @else {
                div .wide { table {
                    thead { tr { th scope="col" { (t::ARTIST) } th scope="col" { (t::PASSAGES) } } }
                    tbody { @for artist in &page_of.rows { tr {
                        th scope="row" { a href=(address("/artist", &[("name", &artist.key)])) { (cut(&artist.name)) } }
                        td { (artist.passages) }
                    } } }
                } }
            }
            (next("/artists", &[], page_of.next.as_ref()))
        };
        Ok(page(t::LIBRARY, None, &main))
        })
    })
    .await
}

pub(crate) async fn albums(
    State(app): State<Arc<App>>,
    Query(asked): Query<Behind>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        fitted::page(ROWS, |rows| {
        let page_of = lists::albums(app.library.db(), asked.after.as_deref(), rows)?;
        let main = html! {
            (ways("/albums"))
            @if page_of.rows.is_empty() { p { (t::NOTHING_HERE) } } @else {
                div .wide { table {
                    thead { tr {
                        th scope="col" { (t::ALBUM) } th scope="col" { (t::ARTIST) } th scope="col" { (t::PASSAGES) }
                    } }
                    tbody { @for album in &page_of.rows { tr {
                        th scope="row" { a href=(address("/album", &[("name", &album.key)])) { (cut(&album.title)) } }
                        td { (cut(album.artist.as_deref().unwrap_or(t::SEVERAL))) }
                        td { (album.passages) }
                    } } }
                } }
            }
            (next("/albums", &[], page_of.next.as_ref()))
        };
        Ok(page(t::LIBRARY, None, &main))
        })
    })
    .await
}

pub(crate) async fn artist(
    State(app): State<Arc<App>>,
    Query(asked): Query<Named>,
) -> Result<Response, Refusal> {
    passages(&app, asked, ("/artists", "/artist"), |name| {
        By::Artist(name)
    })
    .await
}

pub(crate) async fn album(
    State(app): State<Arc<App>>,
    Query(asked): Query<Named>,
) -> Result<Response, Refusal> {
    passages(&app, asked, ("/albums", "/album"), |name| By::Album(name)).await
}

/// The passages of a name; `way` is the list that it stands in, `here` this page.
async fn passages(
    app: &Arc<App>,
    asked: Named,
    (way, here): (&'static str, &'static str),
    by: fn(&str) -> By<'_>,
) -> Result<Response, Refusal> {
    blocking(app, move |app| {
        let after = asked.after.as_deref();
        fitted::page(ROWS, |rows| {
            let key = &asked.name;
            let listed = lists::passages(app.library.db(), by(key), after, rows)?;
            let Some(first) = listed.rows.first() else {
                return Err(Refusal::not_found(format!(
                    "nothing in the library is of `{key}`"
                )));
            };
            let name = if here == "/artist" {
                &first.artist
            } else {
                &first.album
            };
            let main = html! {
                (ways(way))
                h2 { (cut(name.as_deref().unwrap_or(key))) }
                (table(&listed.rows))
                (next(here, &[("name", key)], listed.next.as_ref()))
            };
            Ok(page(t::LIBRARY, None, &main))
        })
    })
    .await
}

fn table(passages: &[ListedPassage]) -> Markup {
    html! {
        div .wide { table {
            thead { tr {
                th scope="col" { (t::TITLE) } th scope="col" { (t::ARTIST) } th scope="col" { (t::ALBUM) }
                th scope="col" { (t::LENGTH) } th scope="col" { (t::SIMILAR) }
            } }
            tbody { @for passage in passages { tr {
                @let id = passage.id.to_string();
                @let name = cut(passage.title.as_deref().unwrap_or(&passage.path));
                th scope="row" { a href=(address("/file", &[("name", &passage.path)])) { (name) } }
                td { (cut(passage.artist.as_deref().unwrap_or(""))) }
                td { (cut(passage.album.as_deref().unwrap_or(""))) }
                td { (clock(passage.seconds)) }
                td { a href=(address("/similar", &[("passage", &id)]))
                    aria-label={ (t::SHOW) " " (t::SIMILAR_TO) " " (name) } { (t::SHOW) } }
            } } }
        } }
    }
}

/// Around which passage.
#[derive(Debug, Deserialize)]
pub(crate) struct Around {
    #[serde(default)]
    passage: String,
}

/// The map is drawn by its script, which asks for the places: for a large library that takes a moment.
pub(crate) async fn similar(
    State(app): State<Arc<App>>,
    Query(around): Query<Around>,
) -> Result<Response, Refusal> {
    if !around.passage.is_empty() {
        let id = around.passage.clone();
        blocking(&app, move |app| find(app, &id).map(drop)).await?;
    }
    let main = html! {
        p { (t::MAP_WHY) }
        p #said role="status" { (t::LOADING) }
        svg #map data-passage=(around.passage) data-reading=(t::STILL_READING) viewBox="-110 -110 220 220" role="group" aria-label=(t::MAP) {}
        audio #audio controls preload="none" {}
        h2 #nearest { (t::ON_THE_MAP) }
        ol #places .list aria-labelledby="nearest" {}
    };
    Ok(page(t::SIMILAR, Some("similar.js"), &main).into_response())
}
