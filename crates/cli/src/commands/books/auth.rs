//! `books auth setup`.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use books::grin::{Credentials, SCOPES, SignIn, listen_for_code};
use run::ExitStatus;

use crate::commands::books::settings;
use crate::hints::advised;
use crate::printer::{Printer, Volume};

/// How long signing in may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// Signs in and keeps the tokens.
pub(crate) fn setup(
    remote: bool,
    force: bool,
    secrets: Option<&Path>,
    printer: Printer,
) -> Result<ExitStatus> {
    sign_in(remote, force, secrets, printer).map_err(|error| match error.downcast_ref() {
        // What helps elsewhere is this command.
        Some(books::Error::SignIn { .. }) => {
            advised(error.to_string(), "run the same command again")
        }
        _ => error,
    })
}

fn sign_in(
    remote: bool,
    force: bool,
    secrets: Option<&Path>,
    printer: Printer,
) -> Result<ExitStatus> {
    let places = settings::credentials(None, secrets);
    let path = &places.credentials;
    if !force && path.exists() {
        let known = Credentials::read(path)?;
        let scopes: BTreeSet<&str> = known.scopes.iter().map(String::as_str).collect();
        if scopes == BTreeSet::from(SCOPES) {
            signed_in("signed in already", path, printer);
            return Ok(ExitStatus::Done);
        }
    }
    if let [first, ..] = places.client_secrets.as_slice()
        && !places.client_secrets.iter().any(|path| path.exists())
    {
        return Err(advised(
            format!(
                "there is no `{}`, which names the application that signs in",
                first.display()
            ),
            "make an OAuth client of the type \"Desktop app\" in the Google Cloud console, save it there, and run this again",
        ));
    }
    let client = places.client_secret()?;
    let port = settings::oauth_port();
    let sign_in = SignIn::begin(client, port);
    printer.note(
        Volume::Errors,
        "open this address in a browser and sign in:",
    );
    printer.note(Volume::Errors, "");
    printer.note(Volume::Errors, &format!("  {}", sign_in.address()?));
    printer.note(Volume::Errors, "");
    let came_back = if remote {
        printer.note(
            Volume::Errors,
            "the browser ends at an address that does not load; paste that address here:",
        );
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .context("cannot read what was pasted")?;
        line
    } else {
        let listener = TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
            advised(
                format!("cannot wait for the browser at port {port}: {error}"),
                "GRIN_OAUTH_PORT chooses another port, --remote needs none",
            )
        })?;
        listen_for_code(&listener, &sign_in, PATIENCE)?
    };
    let code = sign_in.code(&came_back)?;
    sign_in.finish(&code)?.write(path)?;
    Credentials::read(path)?;
    signed_in("signed in", path, printer);
    Ok(ExitStatus::Done)
}

fn signed_in(said: &str, path: &Path, printer: Printer) {
    printer.show(
        &serde_json::json!({ "event": "signed_in", "path": path }),
        || vec![format!("{said}: `{}`", path.display())],
    );
}
