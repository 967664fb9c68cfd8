//! `doctor`: whether everything is there that a command may need, and what to do where it is not.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use music::Library;
use music::library::settings;
use run::ExitStatus;
use serde::Serialize;
use web::Url;

use crate::api_key;
use crate::args::Place;
use crate::commands::books::settings as of_books;
use crate::commands::identify::is_offline;
use crate::printer::Printer;
use crate::settings::{Located, config_folder, default_jobs, locate};
use crate::words::{counted, size};
use crate::{config_file, hints, version};

/// How long a service may take to take up a connection. Three seconds are ten round trips around the world.
const PATIENCE: Duration = Duration::from_secs(3);

/// A disk with less room than this is told of. A library of 6,000 files takes some 500 MB, as BENCHMARKS.md has it.
const LITTLE_ROOM: u64 = 1_000_000_000;

/// How a matter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    /// Something does without.
    Notice,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

fn finding(what: &'static str, state: State, found: impl Into<String>) -> Finding {
    Finding {
        what,
        state,
        found: found.into(),
        hint: None,
    }
}

impl Finding {
    fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// Looks at everything; fails when something is wrong, not when something is merely missing.
pub(crate) fn doctor(place: &Place, offline: bool, printer: Printer) -> ExitStatus {
    let mut findings = vec![program()];
    findings.extend(configuration());
    match locate(place) {
        Ok(located) => findings.extend(library(&located, place, offline)),
        Err(error) => {
            let bad = finding("library", State::Bad, error.to_string());
            findings.push(Finding {
                hint: hints::hint(&error, place),
                ..bad
            });
        }
    }
    findings.push(credentials());
    let bad = findings
        .iter()
        .filter(|finding| finding.state == State::Bad)
        .count();
    printer.show(&findings, || {
        let mut lines: Vec<_> = findings.iter().flat_map(lines_of).collect();
        lines.push(match bad {
            0 => "nothing is wrong".to_owned(),
            bad => format!("{} to be put right", counted(bad, "matter")),
        });
        lines
    });
    match bad {
        0 => ExitStatus::Done,
        _ => ExitStatus::SomeFailed,
    }
}

fn lines_of(finding: &Finding) -> Vec<String> {
    let mark = match finding.state {
        State::Good => "ok",
        State::Notice => "note",
        State::Bad => "BAD",
    };
    let mut lines = vec![format!("{mark:<5} {:<14} {}", finding.what, finding.found)];
    lines.extend(
        finding
            .hint
            .iter()
            .map(|hint| format!("{:21}hint: {hint}", "")),
    );
    lines
}

fn program() -> Finding {
    finding(
        "program",
        State::Good,
        format!(
            "accession {} for {}, {}; SQLite {}, analysis {}",
            env!("CARGO_PKG_VERSION"),
            version::system(),
            counted(default_jobs(), "core"),
            sqlite::sqlite_version(),
            version::analysis()
        ),
    )
}

fn configuration() -> Vec<Finding> {
    let Some(folder) = config_folder() else {
        let none = "there is no home folder, so there are no configuration files";
        return vec![finding("configuration", State::Notice, none)];
    };
    let look = |name: &&str| {
        let path = folder.join(name);
        match config_file::read(&path) {
            Ok(None) => None,
            Ok(Some(said)) if said.warnings.is_empty() => Some(finding(
                "configuration",
                State::Good,
                path.display().to_string(),
            )),
            Ok(Some(said)) => Some(finding(
                "configuration",
                State::Notice,
                said.warnings.join("; "),
            )),
            Err(error) => {
                let bad = finding("configuration", State::Bad, error.to_string());
                Some(Finding {
                    hint: hints::hint(&error, &Place::default()),
                    ..bad
                })
            }
        }
    };
    config_file::FILES.iter().filter_map(look).collect()
}

fn library(located: &Located, place: &Place, offline: bool) -> Vec<Finding> {
    let root = &located.root;
    let mut findings = vec![root_folder(located)];
    findings.extend(disk(located.database.parent().unwrap_or(root)));
    if !located.database.exists() {
        let none = format!("none at {} yet", located.database.display());
        let import = hints::music(place, &["import"]);
        findings
            .push(finding("database", State::Notice, none).hint(format!("`{import}` makes it")));
        findings.push(writable(located));
        findings.push(ffmpeg(None));
        findings.push(key(None, place));
        return findings;
    }
    let library = match Library::open_read_only(&located.database, root) {
        Ok(library) => library,
        Err(error) => {
            let bad = finding("database", State::Bad, error.to_string());
            findings.push(Finding {
                hint: hints::hint(&error.into(), place),
                ..bad
            });
            return findings;
        }
    };
    findings.push(sound(&library, located, place));
    findings.push(writable(located));
    let value = |key| settings::value(library.db(), key).ok().flatten();
    findings.push(ffmpeg(value("ffmpeg_path").as_deref().map(Path::new)));
    findings.push(key(value("acoustid_api_key"), place));
    if offline || is_offline() {
        findings.push(finding("services", State::Notice, "not asked: offline"));
    } else {
        let services = [
            "acoustid_base_url",
            "musicbrainz_base_url",
            "acousticbrainz_base_url",
            "cover_art_base_url",
        ];
        findings.extend(
            services
                .into_iter()
                .filter_map(value)
                .map(|address| service(&address)),
        );
    }
    findings
}

fn key(stored: Option<String>, place: &Place) -> Finding {
    let what = "AcoustID key";
    let stored = stored.filter(|key| !key.trim().is_empty());
    let of_library = stored.map(|_| "the library".to_owned());
    let beside = || api_key::beside_library().map(|origin| origin.to_string());
    if let Some(origin) = of_library.or_else(beside) {
        return finding(what, State::Good, format!("there is one ({origin})"));
    }
    let words = ["settings", "set", config_file::ACOUSTID_API_KEY, "-"];
    let set = hints::music(place, &words);
    let none = "none, so fingerprints are not looked up";
    finding(what, State::Notice, none).hint(format!(
        "get one at https://acoustid.org/new-application, then `{set}`"
    ))
}

fn root_folder(located: &Located) -> Finding {
    let shown = format!("{} ({})", located.root.display(), located.origin);
    match std::fs::read_dir(&located.root) {
        Ok(_) => finding("root folder", State::Good, shown),
        Err(error) => finding("root folder", State::Bad, format!("{shown}: {error}"))
            .hint("is the disk mounted? --root-folder names another one"),
    }
}

fn disk(folder: &Path) -> Option<Finding> {
    let space = run::disk_space(folder)?;
    let found = format!("{} free of {}", size(space.free), size(space.total));
    Some(if space.free < LITTLE_ROOM {
        finding("disk", State::Bad, found)
            .hint("make room, or put the database elsewhere with --database")
    } else {
        finding("disk", State::Good, found)
    })
}

fn sound(library: &Library, located: &Located, place: &Place) -> Finding {
    let path = located.database.display();
    match library.db().check() {
        Ok(report) if report.damage.is_empty() => {
            finding("database", State::Good, format!("{path} is sound"))
        }
        Ok(report) => {
            let restore = hints::music(place, &["restore", "BACKUP"]);
            finding(
                "database",
                State::Bad,
                format!("{path}: {}", report.damage.join("; ")),
            )
            .hint(format!("`{restore}` puts a backup in its place"))
        }
        Err(error) => finding("database", State::Bad, format!("{path}: {error}")),
    }
}

/// `SQLite` writes beside its file, so the folder has to be writable too.
fn writable(located: &Located) -> Finding {
    let folder = located.database.parent().unwrap_or(&located.root);
    let is_there = located.database.exists();
    let file = || {
        let mut options = std::fs::OpenOptions::new();
        options.append(true).open(&located.database).map(drop)
    };
    let file = if is_there { file() } else { Ok(()) };
    let beside = || tempfile::tempfile_in(folder).map(drop);
    let (good, bad) = if is_there {
        (
            "the library can be written",
            "the library cannot be written",
        )
    } else {
        ("a library can be made", "no library can be made")
    };
    let what = "permissions";
    match file.and_then(|()| beside()) {
        Ok(()) => finding(what, State::Good, good),
        Err(error) => finding(
            what,
            State::Bad,
            format!("{bad} in `{}`: {error}", folder.display()),
        )
        .hint("make the folder writable, or keep the database elsewhere with --database FILE"),
    }
}

fn ffmpeg(named: Option<&Path>) -> Finding {
    match music::intake::ffmpeg_version(named) {
        Some(version) => finding("ffmpeg", State::Good, version),
        None => finding(
            "ffmpeg",
            State::Notice,
            "not found: WMA, WavPack, Monkey's Audio and the like are left out",
        )
        .hint("install ffmpeg, or name one: `accession music settings set ffmpeg_path FILE`"),
    }
}

/// Whether somebody takes up the connection; nothing is sent.
fn service(address: &str) -> Finding {
    let connected = Url::parse(address).ok().and_then(|url| {
        let host = url.host_str()?.to_owned();
        let port = url.port_or_known_default()?;
        let mut places = (host.as_str(), port).to_socket_addrs().ok()?;
        places.find_map(|place| TcpStream::connect_timeout(&place, PATIENCE).ok())
    });
    match connected {
        Some(_) => finding("service", State::Good, format!("{address} can be reached")),
        None => finding(
            "service",
            State::Notice,
            format!("{address} cannot be reached"),
        )
        .hint("an import goes on without it; `accession music identify` asks later"),
    }
}

fn credentials() -> Finding {
    let places = of_books::credentials(None, None);
    let path = places.credentials.display();
    if !places.credentials.exists() {
        return finding(
            "books",
            State::Notice,
            format!("not signed in to GRIN: there is no `{path}`"),
        )
        .hint("only for libraries with access to GRIN: `accession books auth setup`");
    }
    match books::grin::Credentials::read(&places.credentials) {
        Ok(_) => finding("books", State::Good, format!("signed in to GRIN: `{path}`")),
        Err(error) => finding("books", State::Bad, error.to_string())
            .hint("`accession books auth setup --force` signs in anew"),
    }
}
