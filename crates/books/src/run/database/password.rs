//! Passwords of databases, from where libpq looks for them.

use std::path::Path;

use tokio_postgres::Config;
use tokio_postgres::config::Host;
use web::Secret;

use crate::run::database::Access;

/// The password for this connection: the one of the environment, or the first line of the file that fits.
pub(super) fn find(config: &Config, access: &Access) -> Option<Secret> {
    if let Some(password) = &access.password {
        return Some(password.clone());
    }
    let path = access.password_file.as_deref()?;
    let text = run::read_small_text(path).ok()?;
    if is_open_to_others(path) {
        tracing::warn!(
            "`{}` is ignored: others than its owner may read it",
            path.display()
        );
        return None;
    }
    let host = match config.get_hosts().first()? {
        Host::Tcp(name) => name.clone(),
        // As libpq has it, whatever the folder of the socket.
        #[cfg(unix)]
        Host::Unix(_) => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let wanted = [&host, &port.to_string(), database, user];
    text.lines().find_map(|line| fitting(line, wanted))
}

/// The password of a line `host:port:database:user:password`, if the rest of it is this or `*`.
fn fitting(line: &str, wanted: [&str; 4]) -> Option<Secret> {
    if line.starts_with('#') {
        return None;
    }
    let fields = fields(line);
    let (password, place) = fields.split_last()?;
    let fits = place.len() == 4
        && (place.iter().zip(wanted)).all(|(field, wanted)| field == "*" || field == wanted);
    fits.then(|| Secret::new(password.as_str()))
}

/// Fields between colons; a backslash takes what follows it literally.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if fields.len() < 5 => fields.push(String::new()),
            character => {
                let taken = match character {
                    '\\' => characters.next(),
                    character => Some(character),
                };
                if let Some(field) = fields.last_mut() {
                    field.extend(taken);
                }
            }
        }
    }
    fields
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let wanted = ["db.example", "5432", "books", "me"];
        let of = |line| fitting(line, wanted).map(|secret| secret.reveal().to_owned());
        assert_eq!(
            of("db.example:5432:books:me:a:b\\\\c"),
            Some("a:b\\c".to_owned())
        );
        assert_eq!(of("*:*:*:me:x"), Some("x".to_owned()));
        for other in [
            "#*:*:*:me:x",
            "other:*:*:me:x",
            "*:5433:*:me:x",
            "*:*:*:you:x",
            "*:*:x",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
