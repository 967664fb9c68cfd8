//! The folders below the root folder, for a person to choose one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use music::intake::scan::left_out::is_system_folder_by_name;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::App;
use crate::error::Refusal;
use crate::folder::Folder;
use crate::object::Object;
use crate::work::blocking;

/// Folders in one answer. A guess: nobody chooses from more by eye.
const MOST_FOLDERS: usize = 2000;

/// Which folder's children are asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    root: Option<PathBuf>,
}

/// The folder that a person chose.
#[derive(Debug, Deserialize)]
pub(crate) struct Chosen {
    path: PathBuf,
}

/// The folders right in one into which an import would go: without those of the system, and without links.
pub(crate) async fn tree(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    blocking(&app, move |app| {
        let root = app.library.root();
        let folder = Folder::find(root, asked.root.as_deref().unwrap_or(root))?.absolute;
        let mut folders = children(&folder)?;
        folders.sort();
        let truncated = folders.len() > MOST_FOLDERS;
        folders.truncate(MOST_FOLDERS);
        let rows: Vec<_> = folders
            .iter()
            .map(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                json!({ "name": name, "path": path.to_string_lossy() })
            })
            .collect();
        let folder = folder.to_string_lossy();
        Ok(Json(json!({
            "root": root.to_string_lossy(), "path": folder, "folders": rows, "truncated": truncated,
        })))
    })
    .await
}

/// Whether a folder can be imported; a folder elsewhere is told in WKMP's words.
pub(crate) async fn validate(
    State(app): State<Arc<App>>,
    Object(chosen): Object<Chosen>,
) -> Result<Json<Value>, Refusal> {
    blocking(&app, move |app| {
        let is_inside = Folder::find(app.library.root(), &chosen.path).is_ok();
        let message = if is_inside {
            "the folder can be imported"
        } else {
            "Stage Two feature - coming soon: only folders at or below the root folder can be imported"
        };
        Ok(Json(json!({ "valid": is_inside, "message": message })))
    })
    .await
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let refused =
        |error: std::io::Error| Refusal::bad_request(format!("cannot read the folder: {error}"));
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let Ok(entry) = entry else { continue };
        let is_left_out = is_system_folder_by_name(&entry.file_name().to_string_lossy());
        // The kind of the entry itself, so that a link is none.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && !is_left_out {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}
