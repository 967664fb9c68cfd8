//! Opening what lies in a folder that anybody can write to.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::descriptor::leads_to_descriptor;
use crate::kept_closed;

/// Opens a regular file for reading, and nothing else.
///
/// A folder may hold a FIFO, whose opening waits for a writer for ever, or a
/// device, whose reading never ends or changes something. So the kind is looked
/// at before the file is opened, the opening does not wait, and the kind is
/// looked at once more, in case it was exchanged in between. A symbolic link is
/// followed.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if it is something else than a regular file, and
/// whatever opening a file does.
pub fn regular_file(path: &Path) -> io::Result<File> {
    regular(&std::fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        use rustix::fs::OFlags;
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32);
    }
    let file = options.open(path)?;
    regular(&file.metadata()?)?;
    Ok(file)
}

/// Opens a regular file that a listing without links came by: as [`file_without_links`] on Linux, as [`regular_file`]
/// elsewhere, where folders for temporary files lie behind links.
///
/// # Errors
///
/// Theirs.
pub fn listed_file(path: &Path) -> io::Result<File> {
    if cfg!(target_os = "linux") {
        file_without_links(path)
    } else {
        regular_file(path)
    }
}

/// Opens a regular file by a path as [`Path::canonicalize`] gives it: no part of it, folders included, may be a symbolic
/// link now.
///
/// Whoever may write to a folder can put a link in place of what was listed a moment ago, and so have a file from
/// elsewhere read. Linux looks for links while it opens (`openat2`, since 5.6), so that there is no moment in between;
/// where the system does not know how to, the path is compared with what was opened afterwards.
///
/// # Errors
///
/// Those of [`regular_file`], and [`ErrorKind::InvalidInput`] if there is a link in the path.
pub fn file_without_links(path: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
        use rustix::io::Errno;

        regular(&std::fs::symlink_metadata(path)?)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(descriptor) => {
                let file = File::from(descriptor);
                regular(&file.metadata()?)?;
                Ok(file)
            }
            Err(Errno::LOOP) => Err(has_a_link()),
            // An older kernel, a sandbox that does not know the call, or a folder that was renamed just then.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => compared(path),
            Err(error) => Err(error.into()),
        }
    }
    #[cfg(not(target_os = "linux"))]
    compared(path)
}

/// Whether a regular file lies where a listing without links would come by, whoever may read it.
pub fn is_listed_file(path: &Path) -> bool {
    let is_regular = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_regular && has_no_link(path)
}

/// Whether no part of a path that is there is a link.
fn has_no_link(path: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
        use rustix::io::Errno;

        let flags = OFlags::PATH | OFlags::CLOEXEC;
        match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(_) => true,
            // An older kernel, a sandbox that does not know the call, or a folder that was renamed just then.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => is_real(path),
            Err(_) => false,
        }
    }
    #[cfg(not(target_os = "linux"))]
    is_real(path)
}

/// The same by asking for the real path, which Windows writes in another way than it was asked for: there it tells nothing.
fn is_real(path: &Path) -> bool {
    cfg!(windows)
        || path
            .canonicalize()
            .is_ok_and(|real| std::path::absolute(path).is_ok_and(|plain| plain == real))
}

fn compared(path: &Path) -> io::Result<File> {
    let file = regular_file(path)?;
    let real = path.canonicalize()?;
    if real == std::path::absolute(path)?
        && is_same(&file.metadata()?, &std::fs::symlink_metadata(path)?)
    {
        Ok(file)
    } else {
        Err(has_a_link())
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    one.len() == other.len() && other.is_file()
}

fn has_a_link() -> io::Error {
    io::Error::new(
        ErrorKind::InvalidInput,
        "a part of its path is a symbolic link",
    )
}

/// Reads a regular file of at most `limit` bytes whole.
///
/// # Errors
///
/// Those of [`regular_file`] and [`ErrorKind::FileTooLarge`].
pub fn read_regular_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    at_most(regular_file(path)?, limit)
}

fn at_most(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large, also one that grows.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let reason = format!("larger than {limit} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, reason));
    }
    Ok(bytes)
}

/// Opens a file that a person named: a regular one, or a stream that is open already, such as `/dev/stdin` or a
/// shell's `<(command)`.
///
/// # Errors
///
/// As [`regular_file`].
pub fn named_file(path: &Path) -> io::Result<File> {
    if leads_to_descriptor(path) {
        File::open(path)
    } else {
        regular_file(path)
    }
}

/// Bytes of a file of settings, keys or tokens. The largest that we know has 4 KB; a person's comments fit in.
const LARGEST_TEXT: u64 = 1 << 20;

/// Reads a small file that a person named: settings, keys, a passphrase. It may be a [`named_file`]. The byte order mark that
/// some editors put in front is left out.
///
/// # Errors
///
/// As [`regular_file`], [`ErrorKind::FileTooLarge`] above 1 MiB, and [`ErrorKind::InvalidData`] if it is not UTF-8.
pub fn read_small_text(path: &Path) -> io::Result<String> {
    let bytes = at_most(named_file(path)?, LARGEST_TEXT)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    if kept_closed::is_kept(metadata) {
        let reason = "it belongs to a database that is open here";
        return Err(io::Error::new(ErrorKind::InvalidInput, reason));
    }
    if metadata.is_file() {
        return Ok(());
    }
    let reason = format!(
        "expected a regular file, found {}",
        kind(metadata.file_type())
    );
    Err(io::Error::new(ErrorKind::InvalidInput, reason))
}

/// What a file is, in words, with its article.
pub(crate) fn kind(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a FIFO";
        } else if kind.is_socket() {
            return "a socket";
        } else if kind.is_char_device() {
            return "a character device";
        } else if kind.is_block_device() {
            return "a block device";
        }
    }
    match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_file() => "a regular file",
        _ => "a special file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_of_an_open_database_is_opened_by_none_of_its_names() {
        use crate::KeptClosed;

        let folder = tempfile::tempdir().unwrap();
        let [library, link] = ["library.mp3", "other.flac"].map(|name| folder.path().join(name));
        std::fs::write(&library, "x").unwrap();
        std::fs::hard_link(&library, &link).unwrap();
        let (kept, again) = (KeptClosed::of(&library), KeptClosed::of(&library));
        drop(again);
        for path in [&library, &link] {
            let error = regular_file(path).unwrap_err();
            assert!(error.to_string().contains("database"), "{error}");
        }
        drop(kept);
        assert!(regular_file(&link).is_ok());
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read_regular_file(&path, 5).unwrap(), b"12345");
        let error = read_regular_file(&path, 4).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(
            regular_file(folder.path()).unwrap_err().to_string(),
            "expected a regular file, found a folder"
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_fifo_a_device_and_a_socket_are_named_and_not_opened() {
        use rustix::fs::{CWD, Mode, mkfifoat};
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("x.cue");
        mkfifoat(CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
        let link = folder.path().join("link.cue");
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, kind) in [
            (fifo.as_path(), "a FIFO"),
            (&link, "a FIFO"),
            (&socket, "a socket"),
            (Path::new("/dev/zero"), "a character device"),
        ] {
            let error = regular_file(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().ends_with(kind), "{error}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_named_file_may_be_an_open_descriptor_but_no_fifo() {
        use std::io::Write;
        use std::os::fd::AsRawFd;

        use rustix::fs::{CWD, Mode, mkfifoat};
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"key = 1").unwrap();
        drop(writer);
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(read_small_text(&link).unwrap(), "key = 1");
        let fifo = folder.path().join("fifo");
        mkfifoat(CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
        let refused = read_small_text(&fifo).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_listed_file_is_not_looked_for_behind_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::fs::write(root.join("real/x"), b"1").unwrap();
        std::os::unix::fs::symlink("real", root.join("folder")).unwrap();
        std::os::unix::fs::symlink("real/x", root.join("link")).unwrap();
        for open in [listed_file, file_without_links, compared] {
            let mut read = Vec::new();
            open(&root.join("real/x"))
                .unwrap()
                .read_to_end(&mut read)
                .unwrap();
            assert_eq!(read, b"1");
            for path in ["folder/x", "link"] {
                let refused = open(&root.join(path)).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused}");
            }
        }
        assert!(listed_file(&root.join("real")).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_a_regular_file_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, b"1").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(read_regular_file(&link, 9).unwrap(), b"1");
    }
}
