//! What is in doubt, the worst first, and a person's decisions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use music::edit::decision::{self, Verb};
use music::edit::{self, Ticks};
use music::identify::ask::CachedServices;
use music::identify::decide;
use music::library::answers::Answers;
use music::library::query::{self, Shown};
use music::library::review::{self as doubts, Doubt, DoubtfulMatch, Page, Part};
use music::services::{Endpoints, Patience, Services};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::api::find;
use crate::error::Refusal;
use crate::fitted;
use crate::object::Object;
use crate::work::blocking;

/// Rows of one answer, of either kind: as many as are asked for, and as many at most. A guess: candidates come with their
/// evidence, some kilobytes each.
const ROWS: u32 = 10;
const MOST_ROWS: u32 = 50;

/// Things that are decided at once. A guess: what fits on a screen or two.
const MOST_DECISIONS: usize = 200;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Recordings in doubt behind this one.
    pub(crate) after_match: Option<String>,
    /// Boundaries in doubt behind this one.
    pub(crate) after_boundary: Option<String>,
    /// What was put off, instead of what was not.
    #[serde(default)]
    pub(crate) put_off: bool,
    /// Rows of either kind, 1 to 50.
    limit: Option<u32>,
}

/// What is in doubt.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InDoubt {
    matches: Page<DoubtfulMatch>,
    boundaries: Page<Doubt>,
}

/// What a person decides about some passages or places.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    verb: Verb,
    /// Ids of passages whose recording is in doubt.
    #[serde(default)]
    passages: Vec<String>,
    /// Boundaries in doubt.
    #[serde(default)]
    boundaries: Vec<Place>,
}

/// A boundary in doubt.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// The file's path in the library.
    path: String,
    /// Where, in seconds.
    at_seconds: f64,
}

/// What became of a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    passage_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boundary: Option<Place>,
    #[serde(rename = "decided")]
    is_decided: bool,
    /// Its number, for taking it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<i64>,
    /// Why it could not be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// What became of all of them, in their order: passages, then boundaries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AllDecided {
    passages: Vec<Told>,
    boundaries: Vec<Told>,
}

/// What was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Undone {
    pub(crate) undone: i64,
    #[serde(flatten)]
    #[schema(inline)]
    pub(crate) of_others: edit::Undone,
}

/// Lists what is in doubt.
#[utoipa::path(
    get,
    path = "/api/v1/review",
    tag = "library",
    params(Asked),
    responses(
        (status = 200, description = "What is in doubt, the worst first", body = InDoubt),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    blocking(&app, move |app| {
        let part = |after| Part {
            after,
            put_off: asked.put_off,
        };
        let (matches, boundaries) = (
            part(asked.after_match.as_deref()),
            part(asked.after_boundary.as_deref()),
        );
        let limit = asked.limit.unwrap_or(ROWS).clamp(1, MOST_ROWS);
        fitted::list(limit, |limit| {
            Ok(InDoubt {
                matches: doubts::page_of_matches(&app.library, matches, limit)?,
                boundaries: doubts::page_of_boundaries(&app.library, boundaries, limit)?,
            })
        })
    })
    .await
}

/// Decides about things one by one; one that cannot be decided is told and stops no other.
#[utoipa::path(
    post,
    path = "/api/v1/review",
    tag = "library",
    request_body = Decision,
    responses(
        (status = 200, description = "What became of each", body = AllDecided),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn decide(
    State(app): State<Arc<App>>,
    Object(decision): Object<Decision>,
) -> Result<Json<AllDecided>, Refusal> {
    if decision.passages.len() + decision.boundaries.len() > MOST_DECISIONS {
        return Err(Refusal::bad_request(format!(
            "expected at most {MOST_DECISIONS} passages and boundaries at once"
        )));
    }
    blocking(&app, move |app| {
        let _turn = app.turn();
        let verb = decision.verb;
        let passages = decision.passages.into_iter().map(|id| {
            let decided = about_match(app, &id, verb);
            told(decided, Some(id), None)
        });
        let passages = passages.collect();
        let boundaries = decision.boundaries.into_iter().map(|place| {
            let decided = about_boundary(app, &place, verb);
            told(decided, None, Some(place))
        });
        Ok(Json(AllDecided {
            passages,
            boundaries: boundaries.collect(),
        }))
    })
    .await
}

fn told(
    decided: Result<i64, Refusal>,
    passage_id: Option<String>,
    boundary: Option<Place>,
) -> Told {
    let (decision, message) = match decided {
        Ok(decision) => (Some(decision), None),
        Err(refused) => (None, Some(refused.message().to_owned())),
    };
    Told {
        passage_id,
        boundary,
        is_decided: decision.is_some(),
        decision,
        message,
    }
}

/// Takes a decision back.
#[utoipa::path(
    post,
    path = "/api/v1/review/{id}/undo",
    tag = "library",
    params(("id" = i64, Path, description = "Number of the decision")),
    responses(
        (status = 200, description = "What was taken back", body = Undone),
        (status = "4XX", description = "Refused, and why", body = crate::api::Refused),
    )
)]
pub(crate) async fn undo(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
) -> Result<Json<Undone>, Refusal> {
    blocking(&app, move |app| {
        let _turn = app.turn();
        let of_others = decision::undo(&app.library, id)?;
        Ok(Json(Undone {
            undone: id,
            of_others,
        }))
    })
    .await
}

fn about_boundary(app: &App, place: &Place, verb: Verb) -> Result<i64, Refusal> {
    let Shown::File(file) = query::show(&app.library, &place.path)? else {
        return Err(Refusal::not_found(format!(
            "there is no file `{}`",
            place.path
        )));
    };
    // What a file can be: positions beyond are no boundaries of it.
    let length = file.seconds.unwrap_or(0.0);
    if !(0.0..=length).contains(&place.at_seconds) {
        return Err(Refusal::bad_request(format!(
            "`{}` is no position in the file, expected 0 to {length:.3} s",
            place.at_seconds
        )));
    }
    let at = Ticks::from_seconds(place.at_seconds);
    Ok(decision::decide_boundary(&app.library, &file, at, verb)?)
}

fn about_match(app: &App, id: &str, verb: Verb) -> Result<i64, Refusal> {
    let passage = find(app, id)?;
    let mut refused = None;
    let decided = decision::decide_match(&app.library, &passage.id, verb, |mbid| {
        let answers = Answers::new(app.library.db().clone(), false);
        if app.offline && answers.recording(mbid).is_none() {
            refused = Some(Refusal::conflict(
                "what this recording is called is not known yet, and this server was told to ask no service",
            ));
            return Err(music::Error::Unanswered {
                reason: "this server asks no service".to_owned(),
            });
        }
        let services = Services::new(&Endpoints::load(app.library.db(), None)?)?;
        let asker = CachedServices {
            services: &services,
            answers: &answers,
            patience: &Patience::new(app.stop.clone()),
        };
        decide::set(&app.library, &asker, &passage.id, mbid).map(drop)
    });
    match (decided, refused) {
        (Err(_), Some(refused)) => Err(refused),
        (decided, _) => Ok(decided?),
    }
}
