//! How much room a disk has.

use std::path::Path;

/// The room of the disk that a folder is on, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// All of it.
    pub total: u64,
    /// What may still be written.
    pub free: u64,
}

/// The room of the disk that `folder` is on; `None` where the system does not tell.
pub fn disk_space(folder: &Path) -> Option<DiskSpace> {
    let disk = fs4::statvfs(folder).ok()?;
    Some(DiskSpace {
        total: disk.total_space(),
        free: disk.available_space(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_there_is_on_a_disk_with_room() {
        let folder = tempfile::tempdir().unwrap();
        let space = disk_space(folder.path()).unwrap();
        assert!(space.total > 0 && space.free <= space.total, "{space:?}");
    }
}
