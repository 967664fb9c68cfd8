//! `serve`.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use music::Library;
use music::intake::founding::{Meant, may_found};
use music::library::port;
use run::{Cancel, ExitStatus, OutputOptions};
use server::{CollectionOptions, Options, Server};
use web::Secret;

use crate::args;
use crate::args::books::RunPlace;
use crate::commands::import::check_folder;
use crate::commands::{books, identify, located};
use crate::hints::advised;
use crate::printer::{Printer, Volume};
use crate::settings::{Located, config_folder, default_jobs};
use crate::signals::stop_on_signals;

/// WKMP's `http_base_ports`, and its ingest service's place behind each.
const PORTS: [u16; 5] = [5723, 15723, 25723, 17203, 23403];

/// Where the token is kept, in the configuration folder.
const TOKEN: &str = "accession/serve-token";

/// What is appended to the database's name for the file that a server locks.
const LOCK: &str = "-serve.lock";

/// How long to ask who holds a port. A service in order answers within a tenth of a second.
const ASK: Duration = Duration::from_secs(2);

/// Serves a library until somebody asks to stop.
pub(crate) fn serve(args: &args::serve::Serve, printer: Printer) -> Result<ExitStatus> {
    if let Some(run) = &args.run {
        return serve_run(args, run, printer);
    }
    let place = args.place.clone().or_folder(args.folder.clone());
    let located = located(&place, printer)?;
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    may_serve(args, &located, &cancel)?;
    let library = Library::open(&located.database, &located.root)?;
    let mut alone = serve_alone(&located.database)?;
    let server = bind(args.listen, &library)?;
    let address = server.address();
    alone.set_len(0)?;
    write!(alone, "http://{address}")?;
    let token = (!address.ip().is_loopback()).then(token).transpose()?;
    port::tell(library.db(), &address.ip().to_string(), address.port())?;

    let jobs = args
        .jobs
        .map(usize::from)
        .or(library.settings().jobs)
        .unwrap_or_else(default_jobs);
    let offline = args.offline || identify::is_offline();
    let options = Options {
        library: library.clone(),
        jobs,
        // An import without services is better than none.
        connect: Box::new(move |library, cancel| {
            identify::online(library, offline, cancel, &place, printer).unwrap_or_else(|error| {
                printer.note(Volume::Brief, &format!("warning: {error:#}"));
                None
            })
        }),
        offline,
        names: args.names.clone(),
        token: token.clone(),
    };
    let (root, database) = (located.root.display(), located.database.display());
    let note = format!("the library of `{root}`, in `{database}`");
    printer.note(Volume::Normal, &note);
    say(address, token.as_ref(), printer);
    if args.open {
        open(&visit(address, None), printer);
    }
    server.run(options, &cancel)?;
    library.close()?;
    Ok(cancel
        .signal()
        .map_or(ExitStatus::Done, ExitStatus::Stopped))
}

/// A typing error or a disk that is not mounted must not leave an empty library behind, nor one in another. A folder may be
/// there before its music is where somebody says so.
fn may_serve(args: &args::serve::Serve, located: &Located, cancel: &Cancel) -> Result<()> {
    check_folder(&located.root, located, "accession serve FOLDER")?;
    let is_root = args.place.root_folder.is_some() || args.place.database.is_some();
    let meant = match (is_root, args.create) {
        (true, true) => return Ok(()),
        (true, false) => Meant::AsRoot,
        (false, true) => Meant::AsEmptyFolder,
        (false, false) => Meant::AsFolder,
    };
    may_found(&located.root, &located.database, meant, cancel).map_err(|error| match error {
        music::Error::NothingToTakeIn { .. } => advised(
            error.to_string(),
            "is the disk mounted? name the folder that holds the music; `--create` makes a library before there is any",
        ),
        error => error.into(),
    })
}

/// Keeps a second server from a library, which would begin the same imports: a file beside the database is locked as long
/// as this process lives, and says where it answers.
fn serve_alone(database: &Path) -> Result<File> {
    let mut name = database.as_os_str().to_owned();
    name.push(LOCK);
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    let mut file = options
        .open(&name)
        .with_context(|| format!("cannot open `{}`", Path::new(&name).display()))?;
    match file.try_lock() {
        // A file system that knows no locks is served all the same.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let mut address = String::new();
            // On Windows what is locked cannot be read; the address is a help and no more.
            let _ = Read::by_ref(&mut file)
                .take(100)
                .read_to_string(&mut address);
            Err(advised(
                format!("another server serves the library `{}`", database.display()),
                if address.starts_with("http://") {
                    format!("open `{address}` in a browser, or stop that server first")
                } else {
                    "stop that server first".to_owned()
                },
            ))
        }
    }
}

/// Shows a run of books until somebody asks to stop.
fn serve_run(args: &args::serve::Serve, run: &str, printer: Printer) -> Result<ExitStatus> {
    let place = RunPlace {
        database: None,
        run_name: run.to_owned(),
        output: args.output.clone(),
    };
    let (_, catalogue) = books::open_to_read(&place, printer)?;
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    let free = PORTS.map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    let server = match args.listen {
        Some(address) => Server::bind(&[address])?,
        None => Server::bind(&free)?,
    };
    let address = server.address();
    let token = (!address.ip().is_loopback()).then(token).transpose()?;
    say(address, token.as_ref(), printer);
    if args.open {
        open(&visit(address, None), printer);
    }
    let options = CollectionOptions {
        name: run.to_owned(),
        catalogue,
        names: args.names.clone(),
        token,
    };
    server.run_collection(options, &cancel)?;
    Ok(cancel
        .signal()
        .map_or(ExitStatus::Done, ExitStatus::Stopped))
}

/// The address that was said, or on this machine the port of the last time or the first that is free.
fn bind(said: Option<SocketAddr>, library: &Library) -> Result<Server> {
    let addresses: Vec<SocketAddr> = match said {
        Some(address) => vec![address],
        None => port::last(library.db())?
            .into_iter()
            .chain(PORTS)
            .map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
            .collect(),
    };
    for address in &addresses {
        if address.port() != 0 && is_served(*address) {
            return Err(advised(
                format!("an ingest service already answers at `http://{address}`"),
                "open it in a browser, or name another address with `--listen`",
            ));
        }
        if let Ok(server) = Server::bind(&[*address]) {
            return Ok(server);
        }
    }
    Ok(Server::bind(&addresses)?)
}

/// Whether an ingest service, ours or WKMP's, answers there.
fn is_served(address: SocketAddr) -> bool {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, ASK)?;
        stream.set_read_timeout(Some(ASK))?;
        stream.set_write_timeout(Some(ASK))?;
        write!(
            stream,
            "GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        // The whole answer is short; of anything else the beginning is enough.
        stream.take(4096).read_to_string(&mut answer)?;
        Ok(answer)
    };
    asked().is_ok_and(|answer| answer.contains("\"wkmp-ai\""))
}

/// The token of the last time, or a new one, which only its owner can read.
fn token() -> Result<Secret> {
    let folder = config_folder().context("there is no home folder to keep the token in")?;
    let path = folder.join(TOKEN);
    match run::read_small_text(&path) {
        Ok(text) if text.trim().len() >= 32 => return Ok(Secret::new(text.trim())),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
        }
    }
    // Two random UUIDs hold 244 bits that nobody can guess.
    let token = format!(
        "{}{}",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    );
    write_token(&path, &token).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(Secret::new(token))
}

fn write_token(path: &Path, token: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OutputOptions::new()
        .private()
        .write(path, format!("{token}\n").as_bytes())?;
    Ok(())
}

/// The address to open; where a token is needed it is in it, and leaves the browser's address line on the first visit.
fn visit(address: SocketAddr, token: Option<&Secret>) -> String {
    let host = match address.ip() {
        ip if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        _ => address,
    };
    match token {
        Some(token) => format!("http://{host}/?token={}", token.reveal()),
        None => format!("http://{host}/"),
    }
}

fn say(address: SocketAddr, token: Option<&Secret>, printer: Printer) {
    let url = visit(address, token);
    printer.show(
        &serde_json::json!({ "event": "serving", "address": address, "url": url }),
        || {
            let mut lines = vec![format!("serving at {url}")];
            if token.is_some() {
                lines.push(
                    "other machines in the network can reach this server: whoever has this token can use it"
                        .to_owned(),
                );
            }
            lines
        },
    );
}

/// Opens a browser, which is no matter if there is none. The address holds no token: every user of this machine can read
/// the arguments of a program. Who needs one has it on the terminal.
fn open(url: &str, printer: Printer) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let started = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = started {
        printer.note(
            Volume::Brief,
            &format!("warning: cannot open a browser with `{program}`: {error}"),
        );
    }
}
