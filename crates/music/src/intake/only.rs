//! A part of a folder: what somebody chooses who does not want to take in all of it.

use serde::{Deserialize, Serialize};

use crate::intake::scan::Scan;
use crate::library::values::is_below;

/// Which files of a folder are looked at. What is not is neither taken in nor called gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Only {
    /// Files whose names end so, in small letters and without a dot; none for all.
    pub extensions: Option<Vec<String>>,
    /// Nothing in folders below.
    pub leave_folders: bool,
    /// Nothing whose name, or that of a folder on the way to it, begins with a dot.
    pub leave_hidden: bool,
}

impl Only {
    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Leaves in a scan of `folder` what is chosen.
    pub(crate) fn of(&self, scan: &mut Scan, folder: &str) {
        scan.files.retain(|file| self.has(folder, &file.path));
        scan.refused.retain(|file| self.has(folder, &file.path));
        scan.left_out.retain(|file| self.has(folder, &file.path));
    }

    fn has(&self, folder: &str, path: &str) -> bool {
        debug_assert!(is_below(path, folder), "`{path}` was found in `{folder}`");
        let below = path[folder.len()..].trim_start_matches('/');
        let mut parts = below.split('/');
        let name = parts.next_back().unwrap_or(below);
        let extension = name.rsplit_once('.').map(|(_, end)| end.to_lowercase());
        let is_chosen = |chosen: &Vec<String>| extension.is_some_and(|own| chosen.contains(&own));
        self.extensions.as_ref().is_none_or(is_chosen)
            && !(self.leave_folders && below.contains('/'))
            && !(self.leave_hidden && below.split('/').any(|part| part.starts_with('.')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_folder_is_chosen_by_what_lies_below_it() {
        let flac = Some(vec!["flac".to_owned()]);
        for (extensions, leave_folders, leave_hidden, expected) in [
            (None, false, false, 5),
            (flac.clone(), false, false, 3),
            (None, true, false, 2),
            (None, false, true, 3),
            (flac, true, true, 1),
        ] {
            let only = Only {
                extensions,
                leave_folders,
                leave_hidden,
            };
            let paths = [
                ".x/a.FLAC",
                ".x/b.mp3",
                ".x/c/d.flac",
                ".x/.e/f.flac",
                ".x/c/.g.mp3",
            ];
            let has = paths.iter().filter(|path| only.has(".x", path)).count();
            assert_eq!(has, expected, "{only:?}");
        }
        assert!(Only::default().is_all());
    }
}
