//! Where a run's database is: a file in its directory, or a schema of a PostgreSQL server.

mod password;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use tokio_postgres::Config;
use web::Secret;

use crate::error::{Error, Setting};

/// The address of a PostgreSQL database, as `postgres://user@host/name`.
///
/// A password that is part of it is kept apart: neither `Debug` nor `Display` nor serde show it.
#[derive(Clone, PartialEq)]
pub struct DatabaseUrl {
    /// All before the query: `postgres://user@host:port/name`. The host may be missing, which no URL in general allows.
    place: String,
    /// What follows the `?`, as it came.
    options: Vec<String>,
    password: Option<Secret>,
}

impl DatabaseUrl {
    /// Whether the address itself holds a password.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// The same address for files that are copied.
    #[must_use]
    pub(crate) fn without_password(&self) -> Self {
        Self {
            password: None,
            ..self.clone()
        }
    }

    /// A value of its query, such as `sslmode`.
    fn option(&self, name: &str) -> Option<String> {
        let mut pairs = self.options.iter().filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(key, value)| (key == name).then(|| decoded(value)))
    }

    /// The address with those options of its query that `wanted` takes.
    fn with_options(&self, wanted: impl Fn(&str) -> bool) -> String {
        let mut text = self.place.clone();
        let options = self.options.iter().filter(|option| {
            let name = option.split('=').next().unwrap_or_default();
            wanted(name)
        });
        for (index, option) in options.enumerate() {
            text.push(if index == 0 { '?' } else { '&' });
            text.push_str(option);
        }
        text
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let mut options: Vec<String> = query.split('&').map(str::to_owned).collect();
        let password = options
            .iter()
            .find_map(|pair| pair.strip_prefix("password="));
        let mut password = password.map(|said| Secret::new(decoded(said)));
        options.retain(|pair| !pair.is_empty() && !pair.starts_with("password="));
        let (scheme, rest) = place.split_once("://").unwrap_or(("", place));
        // A password may hold what it should not; the host cannot.
        let (user, host) = rest
            .rsplit_once('@')
            .map_or((None, rest), |(user, host)| (Some(user), host));
        let name = user.map(|user| {
            let (name, said) = user.split_once(':').unwrap_or((user, ""));
            if !said.is_empty() {
                password = Some(Secret::new(decoded(said)));
            }
            format!("{name}@")
        });
        let url = Self {
            place: format!("{scheme}://{}{host}", name.unwrap_or_default()),
            options,
            password,
        };
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err(Error::setting(Setting::Database, url.place));
        }
        ServerAddress::new(&url, &Access::default())?;
        Ok(url)
    }
}

/// A text without its percent signs. Here, a plus is a plus.
fn decoded(text: &str) -> String {
    let pair = format!("p={}", text.replace('+', "%2B").replace('&', "%26"));
    let value = url::form_urlencoded::parse(pair.as_bytes()).next();
    value.map_or_else(String::new, |(_, value)| value.into_owned())
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_options(|_| true))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a database can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A file of SQLite.
    File(PathBuf),
    /// A PostgreSQL server.
    Server(DatabaseUrl),
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.contains("://") {
            text.parse().map(Self::Server)
        } else {
            Ok(Self::File(text.into()))
        }
    }
}

/// What a process knows of databases besides the settings of a run.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The database to use, for this time, in place of the one that the run was begun with: a server may have another
    /// name on another machine.
    pub database: Option<DatabaseUrl>,
    /// The password, as `PGPASSWORD` has it.
    pub password: Option<Secret>,
    /// A file of passwords in the form of `~/.pgpass`.
    pub password_file: Option<PathBuf>,
}

/// How the connection is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Not at all: the server is this machine, or somebody said so.
    None,
    /// TLS with a certificate that is valid for the server's name: by these authorities, or by those of the system.
    Tls { authorities: Option<PathBuf> },
}

/// A server that can be connected to.
#[derive(Clone)]
pub(crate) struct ServerAddress {
    pub(crate) shown: String,
    pub(crate) config: Config,
    pub(crate) protection: Protection,
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerAddress({})", self.shown)
    }
}

/// How long the way to a server may take. A guess; a server that restarts refuses at once.
const CONNECT: Duration = Duration::from_secs(10);

/// After what silence a dead connection is noticed, by the system.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Where Debian's servers listen.
#[cfg(unix)]
const SOCKETS: &str = "/var/run/postgresql";

/// What this crate reads from an address itself, because the driver knows it otherwise or not at all.
const OWN: [&str; 2] = ["sslmode", "sslrootcert"];

impl ServerAddress {
    /// Where `url` leads, with a password from wherever there is one.
    pub(crate) fn new(url: &DatabaseUrl, access: &Access) -> Result<Self, Error> {
        let shown = url.to_string();
        let refused = |_| Error::setting(Setting::Database, shown.as_str());
        let plain = url.with_options(|name| !OWN.contains(&name));
        let mut config: Config = plain.parse().map_err(refused)?;
        if config.get_hosts().is_empty() {
            #[cfg(unix)]
            config.host_path(SOCKETS);
            #[cfg(not(unix))]
            config.host("localhost");
        }
        config
            .application_name("accession")
            .connect_timeout(CONNECT)
            .keepalives_idle(KEEPALIVE)
            .tcp_user_timeout(KEEPALIVE);
        if let Some(password) = &url.password {
            config.password(password.reveal());
        } else if let Some(password) = password::find(&config, access) {
            config.password(password.reveal());
        }
        let authorities = url.option("sslrootcert").map(PathBuf::from);
        let protection = match url.option("sslmode").as_deref() {
            Some("disable") => Protection::None,
            None if authorities.is_none() && is_this_machine(&config) => Protection::None,
            None | Some("require" | "verify-ca" | "verify-full") => Protection::Tls { authorities },
            // `allow` and `prefer` are no protection, and look like one.
            Some(_) => return Err(Error::setting(Setting::DatabaseProtection, shown)),
        };
        config.ssl_mode(match protection {
            Protection::None => tokio_postgres::config::SslMode::Disable,
            Protection::Tls { .. } => tokio_postgres::config::SslMode::Require,
        });
        Ok(Self {
            shown,
            config,
            protection,
        })
    }
}

/// Whether no byte leaves this machine.
fn is_this_machine(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        tokio_postgres::config::Host::Tcp(name) => {
            let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        tokio_postgres::config::Host::Unix(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protection(text: &str) -> Protection {
        let url: DatabaseUrl = text.parse().unwrap();
        ServerAddress::new(&url, &Access::default())
            .unwrap()
            .protection
    }

    #[test]
    fn a_password_is_taken_from_the_address_and_never_shown() {
        for text in [
            "postgres://me:s%2Bcr+t@db.example/books?sslmode=require",
            "postgresql://me@db.example/books?sslmode=require&password=s%2Bcr%2Bt",
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert!(url.has_password());
            let server = ServerAddress::new(&url, &Access::default()).unwrap();
            assert_eq!(server.config.get_password(), Some(&b"s+cr+t"[..]), "{text}");
            let shown = format!("{url} {url:?} {server:?} {}", serde_json::json!(url));
            assert!(!shown.contains("cr"), "{shown}");
            assert!(
                shown.contains("db.example/books?sslmode=require"),
                "{shown}"
            );
        }
        for wrong in [
            "postgres://me:secret@[::/x",
            "mysql://me:secret@x/y",
            "postgres://h/d?port=x&password=secret",
        ] {
            let error = wrong.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn only_what_stays_on_this_machine_goes_unprotected_without_a_word() {
        for local in [
            "postgres:///books",
            "postgres://localhost/b",
            "postgres://127.0.0.1:5433/b",
            "postgres://me@/b?host=/tmp/sockets",
        ] {
            assert_eq!(protection(local), Protection::None, "{local}");
        }
        assert_eq!(
            protection("postgres://db.example/b"),
            Protection::Tls { authorities: None }
        );
        assert_eq!(
            protection("postgres://db.example/b?sslmode=disable"),
            Protection::None
        );
        let own = Protection::Tls {
            authorities: Some("/etc/ca.pem".into()),
        };
        assert_eq!(
            protection("postgres://localhost/b?sslrootcert=/etc/ca.pem"),
            own
        );
        assert!(
            "postgres://db.example/b?sslmode=prefer"
                .parse::<DatabaseUrl>()
                .is_err()
        );
    }
}
