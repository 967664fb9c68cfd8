//! What is in doubt, the worst first, and a person's decisions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use music::edit::{self, Changes};
use music::identify::ask::CachedServices;
use music::identify::decide;
use music::library::answers::Answers;
use music::library::review as doubts;
use music::services::{Endpoints, Patience, Services};
use serde::Deserialize;
use serde_json::json;

use crate::App;
use crate::api::find;
use crate::error::Refusal;
use crate::work::blocking;

/// Rows of one answer. A guess: candidates come with their evidence, some kilobytes each.
const MOST_ROWS: usize = 50;

/// Passages that are decided at once. A guess: what fits on a screen or two.
const MOST_DECISIONS: usize = 200;

/// Which page.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    offset: usize,
}

/// What a person decides about some passages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    verb: Verb,
    passages: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verb {
    /// The likeliest candidate is right.
    UseMatch,
    /// It is no song that is known.
    NotASong,
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let all = doubts::doubtful_matches(&app.library)?;
        let total = all.len();
        let rows: Vec<_> = all.into_iter().skip(asked.offset).take(MOST_ROWS).collect();
        let next = asked.offset.saturating_add(rows.len());
        let next = (next < total).then_some(next);
        Ok(Json(json!({ "total": total, "matches": rows, "next": next })).into_response())
    })
    .await
}

/// Decides about passages one by one; one that cannot be decided is told and stops no other.
pub(crate) async fn decide(
    State(app): State<Arc<App>>,
    Json(decision): Json<Decision>,
) -> Result<Response, Refusal> {
    if decision.passages.len() > MOST_DECISIONS {
        return Err(Refusal::bad_request(format!(
            "expected at most {MOST_DECISIONS} passages at once"
        )));
    }
    blocking(&app, move |app| {
        let _turn = app.turn();
        let mut told = Vec::new();
        for id in &decision.passages {
            let decided = match decision.verb {
                Verb::UseMatch => use_match(app, id),
                Verb::NotASong => not_a_song(app, id),
            };
            told.push(match decided {
                Ok(()) => json!({ "passage_id": id, "decided": true }),
                Err(refused) => {
                    json!({ "passage_id": id, "decided": false, "message": refused.message() })
                }
            });
        }
        Ok(Json(json!({ "passages": told })).into_response())
    })
    .await
}

fn not_a_song(app: &App, id: &str) -> Result<(), Refusal> {
    let passage = find(app, id)?;
    let changes = Changes {
        no_song: true,
        ..Changes::default()
    };
    Ok(edit::edit(&app.library, &passage.id, &changes)?)
}

fn use_match(app: &App, id: &str) -> Result<(), Refusal> {
    let passage = find(app, id)?;
    let mbid = decide::likeliest(&app.library, &passage.id)?;
    let answers = Answers::new(app.library.db().clone(), false);
    if app.offline && answers.recording(&mbid).is_none() {
        return Err(Refusal::conflict(
            "what this recording is called is not known yet, and this server was told to ask no service",
        ));
    }
    let services = Services::new(&Endpoints::load(app.library.db(), None)?)?;
    let asker = CachedServices {
        services: &services,
        answers: &answers,
        patience: &Patience::new(app.stop.clone()),
    };
    decide::set(&app.library, &asker, &passage.id, &mbid)?;
    Ok(())
}
