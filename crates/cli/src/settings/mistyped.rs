//! Texts in place of a path that are surely none: addresses, quotes that came along, variables that nothing has put in.

use std::path::Path;

use anyhow::Result;

use crate::hints::advised;

/// Refuses what is surely not meant as it stands, unless there is something at that path.
pub(super) fn check(path: &Path) -> Result<()> {
    let Some(hint) = path.to_str().and_then(hint) else {
        return Ok(());
    };
    if path.exists() {
        return Ok(());
    }
    Err(advised(format!("`{}` is no path", path.display()), hint))
}

fn hint(text: &str) -> Option<String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let is_scheme =
            !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return is_scheme.then(|| of_address(&scheme.to_ascii_lowercase(), rest));
    }
    for quote in ['"', '\''] {
        if text.starts_with(quote) || text.ends_with(quote) {
            let bare = text.trim_matches(quote);
            return Some(format!(
                "the quotes have become a part of it; without them it is {bare}"
            ));
        }
    }
    let is_variable = text.starts_with('$') || (text.starts_with('%') && text[1..].contains('%'));
    is_variable.then(|| {
        "only a shell puts in the value of a variable; write the whole path, or `~` for the home folder".to_owned()
    })
}

fn of_address(scheme: &str, rest: &str) -> String {
    match scheme {
        "file" => {
            // `file:///srv/music`, `file://localhost/srv/music`, `file:///C:/Music`.
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            let drive = path.strip_prefix('/').filter(|rest| rest.as_bytes().get(1) == Some(&b':'));
            let path = drive.unwrap_or(path);
            let spaces = if path.contains('%') {
                ", with the characters themselves in place of `%20` and the like"
            } else {
                ""
            };
            format!("an address of a file is not read; the path in it is {path}{spaces}")
        }
        "smb" | "cifs" | "afp" | "nfs" => {
            let share = rest.trim_end_matches('/').replace('/', "\\");
            format!(
                "mount the share, and name the folder that it is mounted on; on Windows it is \\\\{share}"
            )
        }
        _ => "name a folder of this machine; audio in a bucket is heard by `accession music hear --source`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path_is_told_with_the_path_that_it_may_be() {
        for (typed, said) in [
            ("smb://nas/music/", "it is \\\\nas\\music"),
            (
                "file:///srv/my%20music",
                "/srv/my%20music, with the characters",
            ),
            ("file:///C:/Music", "is C:/Music"),
            ("http://radio.example/", "a folder of this machine"),
            ("\"C:\\Music\"", "is C:\\Music"),
            ("'/srv/music'", "is /srv/music"),
            ("$HOME/Music", "only a shell"),
            ("%USERPROFILE%\\Music", "only a shell"),
        ] {
            let hint = hint(typed).unwrap_or_default();
            assert!(hint.contains(said), "{typed}: {hint}");
        }
        for path in [
            "/srv/music",
            "C:\\Music",
            "\\\\nas\\music",
            "50% off",
            "a:b",
            "~/Music",
            "",
        ] {
            assert_eq!(hint(path), None, "{path}");
        }
    }
}
