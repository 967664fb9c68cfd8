//! What lies in the folder of the latest import: audio, pictures, and everything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::App;
use crate::error::Refusal;
use crate::jobs::State as JobState;
use crate::work::blocking;

/// Files of one answer unless another number is asked for, and at most, as WKMP's documents have it.
const USUAL: usize = 500;
const MOST: usize = 1000;

/// Extensions of pictures that lie beside music.
const PICTURES: [&str; 8] = ["jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff"];

const CATEGORIES: [&str; 3] = ["audio", "image", "other"];

/// Which files: all kinds, or a part of those of one kind.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    category: Option<String>,
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

struct Found {
    path: PathBuf,
    bytes: u64,
    modified: Option<Timestamp>,
}

pub(crate) async fn classify(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let category = asked.category.as_deref();
    let at = match category {
        None => None,
        Some(word) => Some(
            CATEGORIES
                .iter()
                .position(|known| *known == word)
                .ok_or_else(|| {
                    Refusal::bad_request("expected the category `audio`, `image` or `other`")
                })?,
        ),
    };
    let view = app.jobs.latest().map(|session| session.view());
    let view = view.ok_or_else(|| Refusal::not_found("there was no import yet"))?;
    if view.state == JobState::Scanning {
        return Err(Refusal::conflict("the files are being looked for"));
    }
    // One walk at a time: it reads the disk and holds a list of all files.
    let _turn = app.decoding.acquire().await.map_err(Refusal::stopping)?;
    blocking(&app, move |_| {
        let mut files = files_below(&view.folder);
        let mut answer = json!({
            "session_id": view.id,
            "scanned_folder": view.folder.to_string_lossy(),
            "scan_completed_at": view.started_at,
        });
        if let Some(at) = at {
            let all = std::mem::take(&mut files[at]);
            let limit = asked.limit.unwrap_or(USUAL).clamp(1, MOST);
            let rows: Vec<_> = all.iter().skip(asked.offset).take(limit).map(row).collect();
            let end = asked.offset.saturating_add(rows.len());
            answer["category"] = CATEGORIES[at].into();
            answer["pagination"] = json!({
                "offset": asked.offset, "limit": limit, "total_count": all.len(), "has_more": end < all.len(),
            });
            answer["files"] = rows.into();
        } else {
            for (name, all) in CATEGORIES.iter().zip(&files) {
                // The first of them; all are had part by part.
                let rows: Vec<_> = all.iter().take(MOST).map(row).collect();
                let bytes: u64 = all.iter().map(|file| file.bytes).sum();
                answer[format!("{name}_files")] =
                    json!({ "count": all.len(), "total_size_bytes": bytes, "files": rows });
            }
        }
        Ok(Json(answer))
    })
    .await
}

fn row(file: &Found) -> Value {
    json!({
        "path": file.path.to_string_lossy(),
        "size_bytes": file.bytes,
        "modified_at": file.modified,
    })
}

/// Files by category, each sorted by path. Hidden ones and links are left out, as are folders that cannot be read.
fn files_below(folder: &Path) -> [Vec<Found>; 3] {
    let mut files = [Vec::new(), Vec::new(), Vec::new()];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() && !is_hidden {
                folders.push(entry.path());
            } else if kind.is_file() && !is_hidden {
                let Ok(metadata) = entry.metadata() else {
                    continue;
                };
                let path = entry.path();
                let modified = metadata.modified().ok();
                files[category_of(&path)].push(Found {
                    bytes: metadata.len(),
                    modified: modified.and_then(|time| Timestamp::try_from(time).ok()),
                    path,
                });
            }
        }
    }
    for category in &mut files {
        category.sort_by(|a, b| a.path.cmp(&b.path));
    }
    files
}

fn category_of(path: &Path) -> usize {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    if music::intake::extension_is_audio(path) {
        0
    } else if PICTURES.contains(&extension.to_ascii_lowercase().as_str()) {
        1
    } else {
        2
    }
}
