//! Answers of a bounded size, whatever the names in a library hold: of a list that would be too long, fewer rows are
//! answered, and the next page begins behind them.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use maud::Markup;
use serde::Serialize;

use crate::error::Refusal;

/// The largest page, in bytes. A page is to be there at once on a phone: 64 kB with its head.
const LARGEST_PAGE: usize = 62_000;

/// The largest list as JSON, in bytes. A guess: 500 rows of usual names, which are the most that one answer has.
const LARGEST_LIST: usize = 200_000;

/// The page that `make` makes of as many rows as fit: at most `rows`, and one in any case.
pub(crate) fn page(
    rows: u32,
    make: impl Fn(u32) -> Result<Markup, Refusal>,
) -> Result<Response, Refusal> {
    let page = fitted(rows, LARGEST_PAGE, |rows| Ok(make(rows)?.into_string()))?;
    Ok(axum::response::Html(page).into_response())
}

/// The same of a list as JSON.
pub(crate) fn list<T: Serialize>(
    rows: u32,
    make: impl Fn(u32) -> Result<T, Refusal>,
) -> Result<Response, Refusal> {
    let text = |rows| {
        serde_json::to_string(&make(rows)?)
            .map_err(|error| Refusal::internal(format!("the list cannot be told: {error}")))
    };
    let list = fitted(rows, LARGEST_LIST, text)?;
    Ok(([(CONTENT_TYPE, "application/json")], list).into_response())
}

fn fitted(
    mut rows: u32,
    largest: usize,
    make: impl Fn(u32) -> Result<String, Refusal>,
) -> Result<String, Refusal> {
    loop {
        let text = make(rows)?;
        if text.len() <= largest || rows <= 1 {
            return Ok(text);
        }
        // As many as would fit if all were alike; long ones may stand at the beginning.
        let share = u64::from(rows) * largest as u64 / text.len() as u64;
        rows = u32::try_from(share).unwrap_or(rows).clamp(1, rows / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_long_rows_there_are_fewer_and_one_in_any_case() {
        let rows_of = |length: usize| {
            let text = fitted(100, 1000, |rows| Ok("x".repeat(rows as usize * length))).unwrap();
            text.len() / length
        };
        assert_eq!(rows_of(10), 100);
        assert!((25..=50).contains(&rows_of(20)), "{}", rows_of(20));
        assert_eq!(rows_of(5000), 1);
    }
}
