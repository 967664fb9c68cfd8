//! A run of books: how far it is, and what failed. It is only read; the commands that work on it may go on meanwhile.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use books::Catalogue;
use books::catalogue::{claims, query, sync};
use maud::html;
use serde_json::{Value, json};
use web::Secret;

use crate::error::Refusal;
use crate::metrics;
use crate::pages;
use crate::pages::texts as t;
use crate::work::run_blocking;

/// How long a look at the database counts for everyone: of five million books it takes seconds, and pages ask often.
const FRESH: Duration = Duration::from_secs(5);

/// Failures that are shown, those that failed most often first. A guess: what a person looks through.
const MOST_FAILURES: u32 = 100;

/// A run to be shown, and to whom.
pub struct CollectionOptions {
    /// The run's name.
    pub name: String,
    /// Its database, open for reading.
    pub catalogue: Catalogue,
    /// As [`crate::Options::names`].
    pub names: Vec<String>,
    /// As [`crate::Options::token`].
    pub token: Option<Secret>,
}

impl std::fmt::Debug for CollectionOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CollectionOptions")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

struct Shown {
    name: String,
    catalogue: Catalogue,
    started: Instant,
    /// The last look, and when it was taken. It is held during the next one, so that many who ask cost one look.
    last: Mutex<Option<(Instant, Value)>>,
}

impl Shown {
    fn look(&self) -> Result<Value, Refusal> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, value)) = &*last
            && at.elapsed() < FRESH
        {
            return Ok(value.clone());
        }
        let failed = |error: books::Error| {
            tracing::error!("cannot read the run: {error}");
            Refusal::internal("the run cannot be read now")
        };
        let mut value = json!(query::status(&self.catalogue).map_err(failed)?);
        value["failures"] = json!(sync::failures(&self.catalogue, MOST_FAILURES).map_err(failed)?);
        value["crew"] = json!(claims::crew(&self.catalogue).map_err(failed)?);
        value["run"] = json!(self.name);
        *last = Some((Instant::now(), value.clone()));
        Ok(value)
    }
}

pub(crate) fn routes(options: CollectionOptions) -> Router {
    let shown = Arc::new(Shown {
        name: options.name,
        catalogue: options.catalogue,
        started: Instant::now(),
        last: Mutex::default(),
    });
    Router::new()
        .route("/", get(page))
        .route("/api/v1/run", get(run))
        .route("/metrics", get(figures))
        .route("/health", get(health))
        .with_state(shown)
        .merge(pages::assets())
}

async fn look(shown: Arc<Shown>) -> Result<Value, Refusal> {
    run_blocking(move || shown.look()).await
}

async fn run(State(shown): State<Arc<Shown>>) -> Result<Json<Value>, Refusal> {
    Ok(Json(look(shown).await?))
}

async fn health(State(shown): State<Arc<Shown>>) -> Json<Value> {
    Json(json!({
        "status": "ok",
        "module": "accession-books",
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": shown.started.elapsed().as_secs(),
    }))
}

async fn figures(State(shown): State<Arc<Shown>>) -> Result<Response, Refusal> {
    let value = look(shown).await?;
    let count = |name: &str| value[name].as_u64().unwrap_or(0);
    let mut all = vec![
        ("run_books", "gauge", count("books")),
        ("run_enriched", "gauge", count("enriched")),
        ("run_not_found", "gauge", count("not_found")),
        ("run_vanished", "gauge", count("vanished")),
    ];
    let crew = &value["crew"];
    if let Some(workers) = crew["workers"].as_array() {
        let lost = workers.iter().filter(|one| one["is_lost"] == true).count();
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        all.extend([
            ("run_workers", "gauge", (workers.len() - lost) as u64),
            ("run_workers_lost", "gauge", lost as u64),
            ("run_under_way", "gauge", number(&crew["total"]["holds"])),
            ("run_waiting", "gauge", number(&crew["waiting"])),
        ]);
        // A server that keeps no such statistics has no such figures.
        for (name, field) in [
            ("run_dead_rows", "dead_rows"),
            (
                "run_oldest_transaction_seconds",
                "oldest_transaction_seconds",
            ),
        ] {
            all.extend(crew[field].as_u64().map(|value| (name, "gauge", value)));
        }
    }
    Ok(metrics::answer(all))
}

/// The script fills the page in, and again every few seconds.
async fn page(State(shown): State<Arc<Shown>>) -> Response {
    let main = html! {
        p { code { (shown.name) } }
        p #connection role="status" { (t::CONNECTING) }
        dl .figures {
            @for (id, name) in [
                ("books", t::BOOKS), ("enriched", t::ENRICHED), ("not_found", t::NOT_FOUND), ("vanished", t::VANISHED),
            ] {
                div { dt { (name) } dd id=(id) { "–" } }
            }
        }
        section #crew hidden {
            h2 { (t::WORKERS) }
            div role="alert" { ul #warnings .list hidden {} }
            p #total {}
            ul #workers .list {}
        }
        h2 { (t::STATES) }
        ul #states .list {}
        h2 { (t::PROBLEMS) }
        ul #problems .list {}
    };
    pages::page_with(&[], t::RUN, Some("run.js"), &main).into_response()
}
