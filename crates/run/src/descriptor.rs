//! Paths that are names of open descriptors.

use std::fs;
use std::path::Path;

/// Symbolic links that are followed; Linux follows as many.
pub(crate) const LINKS: usize = 40;

/// Whether `path` is an open descriptor, or a link that leads to one, as `/dev/stdin` does.
pub(crate) fn leads_to_descriptor(path: &Path) -> bool {
    let mut at = path.to_owned();
    for _ in 0..LINKS {
        if is_descriptor(&at) {
            return true;
        }
        match fs::read_link(&at) {
            Ok(target) => at = folder(&at).join(target),
            Err(_) => return false,
        }
    }
    false
}

/// Whether `path` names an open descriptor, as `/dev/fd/3` and `/proc/self/fd/3` do.
pub(crate) fn is_descriptor(path: &Path) -> bool {
    let Ok(folder) = fs::canonicalize(folder(path)) else {
        return false;
    };
    folder == Path::new("/dev/fd")
        || (folder.starts_with("/proc") && folder.ends_with("fd") && cfg!(target_os = "linux"))
}

/// The folder that a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
