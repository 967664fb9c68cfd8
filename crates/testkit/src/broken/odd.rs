//! Things that are no files, names that are no text, and sound that is none.

use std::io;

use super::{Broken, Expect, Maker, broken, good};
use crate::synth::silence;
use crate::synth::wav::{Depth, write};

pub(super) fn odd(maker: &Maker) -> io::Result<Vec<Broken>> {
    let quiet = maker.path("digital silence.wav");
    write(&quiet, &silence(12.0, 8_000, 1), Depth::Int16)?;
    let nothing = maker.path("no samples.wav");
    write(&nothing, &silence(0.0, 8_000, 1), Depth::Int16)?;
    let directory = maker.path("x.mp3");
    std::fs::create_dir_all(&directory)?;
    let mut made = vec![
        broken(quiet, Expect::Silence, "is valid, and every sample is zero"),
        broken(nothing, Expect::Nothing, "is valid, and has no samples"),
        broken(
            directory,
            Expect::NoFile,
            "is a directory with the name of a song",
        ),
        maker.file(
            "...One More Time.mp3",
            &good("mp3")?,
            Expect::Sound,
            "is a good song whose name begins with dots",
        )?,
        maker.file(
            "._song.mp3",
            &[0, 5, 0x16, 7, 0, 2],
            Expect::NoFile,
            "is what macOS leaves beside a song",
        )?,
    ];
    #[cfg(unix)]
    made.extend(unix(maker)?);
    Ok(made)
}

#[cfg(unix)]
fn unix(maker: &Maker) -> io::Result<Vec<Broken>> {
    let mut made = links(maker)?;
    made.push(unreadable(maker)?);
    made.extend(not_utf8(maker)?);
    made.extend(special(maker)?);
    Ok(made)
}

#[cfg(unix)]
fn links(maker: &Maker) -> io::Result<Vec<Broken>> {
    let link = |to: &str, name: &str, why| {
        let path = maker.path(name);
        std::fs::remove_file(&path).or_else(absent)?;
        std::os::unix::fs::symlink(to, &path)?;
        Ok::<_, io::Error>(broken(path, Expect::NoFile, why))
    };
    Ok(vec![
        link("nowhere.mp3", "dangling.mp3", "is a link to nothing")?,
        link(
            "loop two.mp3",
            "loop one.mp3",
            "is a link to a link back to it",
        )?,
        link(
            "loop one.mp3",
            "loop two.mp3",
            "is a link to a link back to it",
        )?,
        link(".", "loop folder", "is a link to its own folder")?,
        link(
            "digital silence.wav",
            "link.wav",
            "is a link to a file beside it",
        )?,
    ])
}

#[cfg(unix)]
fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

#[cfg(unix)]
fn unreadable(maker: &Maker) -> io::Result<Broken> {
    use std::os::unix::fs::PermissionsExt;
    let name = "unreadable.mp3";
    std::fs::remove_file(maker.path(name)).or_else(absent)?;
    let made = maker.file(name, &good("mp3")?, Expect::Nothing, "nobody may read it")?;
    std::fs::set_permissions(&made.path, std::fs::Permissions::from_mode(0o000))?;
    // Root and some containers read it all the same; asking is the only way to know.
    Ok(match std::fs::File::open(&made.path) {
        Ok(_) => broken(
            made.path,
            Expect::Sound,
            "nobody may read it, but this user, such as root, can all the same",
        ),
        Err(_) => made,
    })
}

/// A name of bytes above 127 that are no UTF-8; macOS refuses it, and then there is none.
#[cfg(unix)]
fn not_utf8(maker: &Maker) -> io::Result<Option<Broken>> {
    use std::os::unix::ffi::OsStrExt;
    let path = maker
        .folder
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9 \xff.mp3"));
    Ok(match std::fs::write(&path, good("mp3")?) {
        Ok(()) => Some(broken(
            path,
            Expect::Either,
            "is a good song whose name is Latin-1, not UTF-8",
        )),
        Err(_) => None,
    })
}

/// A pipe that nobody writes to, which hangs whoever opens it, and a socket.
#[cfg(unix)]
fn special(maker: &Maker) -> io::Result<Vec<Broken>> {
    let pipe = maker.path("pipe.mp3");
    std::fs::remove_file(&pipe).or_else(absent)?;
    // By the command, since macOS has no such call among the safe ones.
    let status = std::process::Command::new("mkfifo").arg(&pipe).status()?;
    if !status.success() {
        return Err(io::Error::other("`mkfifo` failed"));
    }
    let mut made = vec![broken(pipe, Expect::NoFile, "is a pipe; opening it hangs")];
    // A socket's path has a limit of some hundred bytes, so it is made where paths are short, and moved.
    let short = tempfile::TempDir::new()?;
    let (from, to) = (short.path().join("s"), maker.path("socket.flac"));
    std::fs::remove_file(&to).or_else(absent)?;
    drop(std::os::unix::net::UnixListener::bind(&from)?);
    if std::fs::rename(&from, &to).is_ok() {
        made.push(broken(to, Expect::NoFile, "is a socket"));
    }
    Ok(made)
}
