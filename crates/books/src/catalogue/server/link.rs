//! One connection: made when it is needed, and made again when it was lost.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use pollster::block_on;
use run::Cancel;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::runtime::Handle;
use tokio_postgres::{Client, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::copy::Straight;
use super::{HURRIED, PATIENCE};
use crate::catalogue::value::Value;
use crate::error::{Error, ServerFault, Setting};
use crate::run::{Protection, ServerAddress};

/// Where a run is: a server, and a schema of its own there.
#[derive(Clone)]
pub(super) struct Place {
    shared: Arc<(ServerAddress, Handle)>,
    pub(super) schema: Arc<str>,
    /// Milliseconds that a transaction that writes may idle.
    idle: Arc<AtomicU64>,
}

/// Bytes of a name that PostgreSQL tells from others.
const LONGEST_NAME: usize = 63;

impl Place {
    /// That of the run `run_name`. Letters of any script may be in it, so it is quoted wherever it stands.
    pub(super) fn new(
        address: ServerAddress,
        driver: Handle,
        run_name: &str,
    ) -> Result<Self, Error> {
        let schema = format!("accession_{run_name}");
        let sane = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        if schema.len() > LONGEST_NAME || !schema.chars().all(sane) {
            return Err(Error::setting(Setting::RunNameOnServer, run_name));
        }
        Ok(Self {
            shared: Arc::new((address, driver)),
            schema: schema.into(),
            idle: Arc::new(AtomicU64::new(milliseconds(IDLE_WRITING))),
        })
    }

    /// From now on, transactions that write may not idle longer than a part of a lease.
    pub(super) fn idle_at_most(&self, most: Duration) {
        let most = most.clamp(LEAST_IDLE, IDLE_WRITING);
        self.idle.store(milliseconds(most), Ordering::Relaxed);
    }

    /// The server's address, for people.
    pub(super) fn shown(&self) -> &str {
        &self.shared.0.shown
    }

    pub(super) fn error(&self, error: &tokio_postgres::Error) -> Error {
        Error::server(self.shown(), &said(error), fault(error))
    }

    /// A new connection, which uses the run's schema.
    fn connect(&self) -> Result<Client, Error> {
        let (address, driver) = &*self.shared;
        let (address, own_driver) = (address.clone(), driver.clone());
        let setup =
            |reason: &dyn fmt::Display| Error::server(self.shown(), &reason, ServerFault::Final);
        let tls = match &address.protection {
            Protection::None => None,
            Protection::Tls { authorities } => {
                let settings = tls(authorities.as_deref()).map_err(|reason| setup(&reason))?;
                Some(MakeRustlsConnect::new(settings))
            }
        };
        let connecting = driver.spawn(async move {
            // The connection is driven until its client is dropped.
            match tls {
                None => {
                    let (client, connection) = address.config.connect(NoTls).await?;
                    own_driver.spawn(connection);
                    Ok(client)
                }
                Some(tls) => {
                    let (client, connection) = address.config.connect(tls).await?;
                    own_driver.spawn(connection);
                    Ok::<_, tokio_postgres::Error>(client)
                }
            }
        });
        let connected = block_on(connecting).map_err(|error| setup(&error))?;
        let client = connected.map_err(|error| self.error(&error))?;
        let settings = format!(
            "SET search_path TO \"{}\"; SET idle_in_transaction_session_timeout TO {IDLE}",
            self.schema
        );
        block_on(client.batch_execute(&settings)).map_err(|error| self.error(&error))?;
        Ok(client)
    }
}

/// Milliseconds after which the server ends a transaction that only reads, of a process that is stopped or cut off: it keeps
/// rows that have gone from being removed.
const IDLE: u32 = 60_000;

/// The same of one that writes, so that what it has locked is free again: others pass over books that are locked, and wait
/// for their turn at GRIN. Units are statements one after the other: a second between two is long, and one that was ended
/// too soon runs again.
const IDLE_WRITING: Duration = Duration::from_secs(5);

/// The shortest such time, for leases of seconds.
const LEAST_IDLE: Duration = Duration::from_millis(500);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, schema {}", self.shown(), self.schema)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

fn tls(authorities: Option<&std::path::Path>) -> Result<ClientConfig, String> {
    // Another client of this process may have chosen already, and chose the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(path) = authorities else {
        return ClientConfig::with_platform_verifier().map_err(|error| error.to_string());
    };
    let cannot = |reason: &dyn fmt::Display| {
        format!(
            "cannot read the certificates in `{}`: {reason}",
            path.display()
        )
    };
    let text = run::read_small_text(path).map_err(|error| cannot(&error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let certificate = certificate.map_err(|error| cannot(&error))?;
        roots.add(certificate).map_err(|error| cannot(&error))?;
    }
    if roots.is_empty() {
        return Err(cannot(&"there is none"));
    }
    Ok(ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// What an error says, with its cause, on one line.
fn said(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// What may help.
fn fault(error: &tokio_postgres::Error) -> ServerFault {
    let Some(error) = error.as_db_error() else {
        let cause = std::error::Error::source(error);
        let is_cut =
            error.is_closed() || cause.is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        return if is_cut {
            ServerFault::Lost
        } else {
            ServerFault::Final
        };
    };
    match error.code().code() {
        // Two transactions in each other's way, or two that make the same table.
        "40001" | "40P01" => ServerFault::Conflict,
        "57P03" => ServerFault::NotUp,
        // The server shuts down, has crashed, or has ended the session.
        "57P01" | "57P02" | "25P03" => ServerFault::Lost,
        code if code.starts_with("08") => ServerFault::Lost,
        _ => ServerFault::Final,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A connection that may be there.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) place: Place,
    open: Option<Open>,
}

/// Times that a unit is tried whose transaction others undo. A guess; each try finds fewer of them.
const MOST_TRIES: u32 = 20;

impl Link {
    pub(super) fn new(place: Place) -> Self {
        Self { place, open: None }
    }

    /// Does something over the connection, once.
    pub(super) fn once<T>(
        &mut self,
        work: impl FnOnce(&Open) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let open = match &self.open {
            Some(open) if !open.client.is_closed() => open,
            _ => {
                let client = self.place.connect()?;
                self.open.insert(Open::new(client, self.place.clone()))
            }
        };
        let done = work(open);
        if let Err(Error::Server {
            fault: ServerFault::Lost | ServerFault::NotUp,
            ..
        }) = done
        {
            self.open = None;
        }
        done
    }

    /// Does something over the connection, again where that may help.
    pub(super) fn patiently<T>(
        &mut self,
        stop: &OnceLock<Cancel>,
        mut work: impl FnMut(&Open) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (mut lost_since, mut tries) = (None::<Instant>, 0);
        loop {
            let error = match self.once(&mut work) {
                Err(error @ Error::Server { .. }) => error,
                other => return other,
            };
            tries += 1;
            let patience = match stop.get() {
                Some(cancel) if cancel.is_requested() => HURRIED,
                _ => PATIENCE,
            };
            let again = match error {
                Error::Server {
                    fault: ServerFault::Conflict,
                    ..
                } => tries < MOST_TRIES,
                Error::Server {
                    fault: ServerFault::Lost | ServerFault::NotUp,
                    ..
                } => lost_since.get_or_insert_with(Instant::now).elapsed() < patience,
                _ => false,
            };
            if !again {
                return Err(error);
            }
            tracing::info!("tried again: {error}");
            std::thread::sleep(pause(tries));
        }
    }
}

/// Longer from try to try, up to a second, and never the same for two that are in each other's way.
fn pause(tries: u32) -> Duration {
    let most = (10u64 << tries.min(7)).min(1_000);
    Duration::from_millis(fastrand::u64(most / 2..=most))
}

/// A connection, and what it has prepared.
pub(super) struct Open {
    pub(super) client: Client,
    place: Place,
    statements: RefCell<HashMap<String, Statement>>,
    /// Temporary tables that it has made.
    pub(super) staged: RefCell<HashSet<&'static str>>,
    /// Tables whose rows may be inserted without looking whether they are there.
    pub(super) straight: RefCell<HashMap<&'static str, Straight>>,
    /// Rows that statements have changed.
    pub(super) changed: Cell<u64>,
    /// Milliseconds that the server lets a transaction idle, where they are not those of every connection.
    idle: Cell<u64>,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").finish_non_exhaustive()
    }
}

impl Open {
    fn new(client: Client, place: Place) -> Self {
        Self {
            client,
            place,
            statements: RefCell::default(),
            staged: RefCell::default(),
            straight: RefCell::default(),
            changed: Cell::new(0),
            idle: Cell::default(),
        }
    }

    pub(super) fn error(&self, error: &tokio_postgres::Error) -> Error {
        self.place.error(error)
    }

    /// A value that the server cannot hold where it belongs.
    pub(super) fn unusable(&self, reason: &dyn fmt::Display) -> Error {
        Error::server(self.place.shown(), reason, ServerFault::Final)
    }

    /// Waits for an answer.
    pub(super) fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        block_on(answer).map_err(|error| self.error(&error))
    }

    /// Statements without values.
    pub(super) fn run(&self, sql: &str) -> Result<(), Error> {
        self.wait(self.client.batch_execute(sql))
    }

    /// A statement, kept prepared. Both engines number values; they mark them with different characters.
    pub(super) fn prepared(&self, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.wait(self.client.prepare(&sql.replace('?', "$")))?;
        let mut kept = self.statements.borrow_mut();
        kept.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Error> {
        let statement = self.prepared(sql)?;
        self.wait(self.client.execute_raw(&statement, values))
    }

    pub(super) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut row: impl FnMut(&Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let statement = self.prepared(sql)?;
        let mut rows = pin!(self.wait(self.client.query_raw(&statement, values))?);
        while let Some(found) = self.wait(rows.try_next())? {
            row(&found)?;
        }
        Ok(())
    }

    /// Shows one consistent state to `work`.
    pub(super) fn snapshot<T>(
        &self,
        work: impl FnOnce(&Snapshot<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let done = work(&Snapshot { open: self });
        self.end(done)
    }

    /// Runs `work` in a transaction.
    pub(super) fn transaction<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.place.idle.load(Ordering::Relaxed);
        if self.idle.replace(idle) != idle {
            self.run(&format!(
                "SET idle_in_transaction_session_timeout TO {idle}"
            ))?;
        }
        self.run("BEGIN")?;
        let done = work(&Transaction {
            open: self,
            filled: RefCell::default(),
        });
        self.end(done)
    }

    fn end<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        match done {
            Ok(value) => self.run("COMMIT").map(|()| value),
            Err(error) => {
                // With it go the temporary tables that it made.
                self.staged.borrow_mut().clear();
                let _ = self.run("ROLLBACK");
                Err(error)
            }
        }
    }
}

/// One consistent state of the run.
pub(crate) struct Snapshot<'a> {
    open: &'a Open,
}

impl Snapshot<'_> {
    pub(crate) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        row: impl FnMut(&Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.open.each(sql, values, row)
    }
}

/// An open transaction.
pub(crate) struct Transaction<'a> {
    pub(super) open: &'a Open,
    /// Temporary tables that it has filled.
    pub(super) filled: RefCell<HashSet<&'static str>>,
}

impl Transaction<'_> {
    pub(crate) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        row: impl FnMut(&Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.open.each(sql, values, row)
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Error> {
        let rows = self.open.execute(sql, values)?;
        self.open.changed.set(self.open.changed.get() + rows);
        Ok(rows)
    }
}
