//! A real PostgreSQL server for tests: Debian's, in a folder that is removed, on a socket there and on no port.
//!
//! It refuses to run as root, so `postgres` runs it then. One server serves a whole test binary, each test in a database
//! of its own.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A server that runs until [`Postgres::kill`], or until the process that started it ends.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
}

/// Databases that were made.
static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Postgres {
    /// The server of this test binary. Where PostgreSQL is not installed there is none, and standard error says that the
    /// test is left out; in CI that is an error.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or is missing in CI.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(true)).as_ref()
    }

    /// A server of its own, which a test may kill; `is_careless` leaves out what waits for the disk.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or is missing in CI.
    #[expect(clippy::print_stderr, reason = "a person runs the tests")]
    pub fn start(is_careless: bool) -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(
                std::env::var_os("CI").is_none(),
                "PostgreSQL is not installed"
            );
            eprintln!("left out: PostgreSQL is not installed (Debian: postgresql)");
            return None;
        };
        let server = Self {
            folder: folder(),
            programs,
        };
        let data = server.data();
        let made = server.run(
            "initdb",
            &[
                "-D",
                &data,
                "-A",
                "trust",
                "-U",
                "tester",
                "-E",
                "UTF8",
                "--no-sync",
            ],
        );
        assert!(made.status.success(), "{made:?}");
        let mut settings = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nmax_connections = 60\nshared_buffers = 64MB\n",
            server.folder.display()
        );
        if is_careless {
            // Only a power cut would lose anything; a commit that is answered outlives the server all the same.
            settings.push_str("fsync = off\nfull_page_writes = off\n");
        }
        let path = server.folder.join("data/postgresql.conf");
        let usual = std::fs::read_to_string(&path).expect("its settings can be read");
        std::fs::write(&path, usual + &settings).expect("its settings can be written");
        server.begin();
        Some(server)
    }

    /// Lets it be spoken to over the network of this machine, and only encrypted; the address of a new database, and the
    /// file of the certificate. `None` where there is no `openssl` to make one.
    ///
    /// # Panics
    ///
    /// If it cannot be set up.
    pub fn over_tls(&self) -> Option<(String, PathBuf)> {
        let (key, certificate) = (self.folder.join("tls.key"), self.folder.join("tls.crt"));
        let [key_path, certificate_path] =
            [&key, &certificate].map(|path| path.display().to_string());
        let args = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
             -addext basicConstraints=critical,CA:FALSE";
        let made = self
            .command(
                Path::new("openssl"),
                &args.split_whitespace().collect::<Vec<_>>(),
            )
            .args(["-keyout", &key_path, "-out", &certificate_path])
            .output();
        if !made.is_ok_and(|made| made.status.success()) {
            return None;
        }
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&key, private).expect("its permissions can be set");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("a port").port();
        drop(free);
        let database = self.database();
        self.kill();
        let path = self.folder.join("data/postgresql.conf");
        let usual = std::fs::read_to_string(&path).expect("its settings can be read");
        let settings = format!(
            "{usual}listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\nssl_key_file = '{key_path}'\n\
             ssl_cert_file = '{certificate_path}'\n"
        );
        std::fs::write(&path, settings).expect("its settings can be written");
        let only = "hostssl all all 127.0.0.1/32 trust\nlocal all all trust\n";
        std::fs::write(self.folder.join("data/pg_hba.conf"), only)
            .expect("its rules can be written");
        self.begin();
        let name = name_of(&database);
        Some((
            format!("postgres://tester@localhost:{port}/{name}"),
            certificate,
        ))
    }

    /// Starts it, or starts it again.
    ///
    /// # Panics
    ///
    /// If it does not come up within a minute.
    pub fn begin(&self) {
        let log = self.folder.join("log").display().to_string();
        // A watcher ends it with the process that started it, however that one ends.
        let up = self.run(
            "pg_ctl",
            &["-D", &self.data(), "-l", &log, "-w", "-t", "60", "start"],
        );
        assert!(up.status.success(), "{up:?}");
        let folder = self.folder.display();
        let watch = format!(
            "(while kill -0 {} 2>/dev/null; do sleep 1; done; kill -QUIT \"$(head -n 1 {folder}/data/postmaster.pid)\"; \
             rm -rf {folder}) >/dev/null 2>&1 &",
            std::process::id(),
        );
        let watching = Command::new("sh")
            .args(["-c", &watch])
            // Whoever ends the test's group of processes leaves the watcher alone.
            .process_group(0)
            .stdin(Stdio::null())
            .status();
        assert!(watching.expect("a shell starts").success());
    }

    /// Ends it at once, as a power cut would.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub fn kill(&self) {
        let down = self.run(
            "pg_ctl",
            &["-D", &self.data(), "-m", "immediate", "-w", "stop"],
        );
        assert!(down.status.success(), "{down:?}");
    }

    /// The address of a new, empty database.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub fn database(&self) -> String {
        let name = format!("test{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        self.query("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// A folder that the server's user can read.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of a database.
    pub fn url(&self, name: &str) -> String {
        format!("postgres://tester@/{name}?host={}", self.folder.display())
    }

    /// A session in the database at `url` that runs `sql` and stays open until it is killed.
    pub fn session(&self, url: &str, sql: &str) -> std::io::Result<Child> {
        let socket = self.folder.display().to_string();
        let name = name_of(url);
        let args = ["-h", &socket, "-U", "tester", "-d", name, "-Xq"];
        let mut child = self
            .command(&self.programs.join("psql"), &args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        if let Some(input) = &mut child.stdin {
            writeln!(input, "{sql}")?;
        }
        Ok(child)
    }

    /// The rows that `sql` gives in the database at `url`, fields between `|`.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn rows(&self, url: &str, sql: &str) -> Vec<String> {
        self.query(name_of(url), sql)
    }

    fn query(&self, database: &str, sql: &str) -> Vec<String> {
        let socket = self.folder.display().to_string();
        let done = self.run(
            "psql",
            &[
                "-h",
                &socket,
                "-U",
                "tester",
                "-d",
                database,
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                sql,
            ],
        );
        assert!(done.status.success(), "{sql}: {done:?}");
        let text = String::from_utf8_lossy(&done.stdout);
        text.lines().map(str::to_owned).collect()
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn run(&self, program: &str, args: &[&str]) -> Output {
        let started = Instant::now();
        let output = self
            .command(&self.programs.join(program), args)
            .stdin(Stdio::null())
            .output()
            .expect("a program of PostgreSQL starts");
        assert!(
            started.elapsed() < Duration::from_secs(90),
            "{program} hung"
        );
        output
    }

    /// As a user that the server accepts.
    fn command(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = if rustix::process::getuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(args).current_dir(&self.folder);
        command
    }
}

/// The database that an address names.
fn name_of(url: &str) -> &str {
    let rest = url.split_once("@/").map_or(url, |(_, rest)| rest);
    rest.split('?').next().unwrap_or("postgres")
}

/// Where Debian has the programs; the newest version, or what the path leads to.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut folders: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    folders.sort();
    folders.pop().or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    })
}

/// A new folder that the server's user may write to. Its name is short: that of a socket has a limit of 107 bytes.
fn folder() -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix("pg")
        .tempdir_in("/tmp")
        .expect("a temporary folder")
        .keep();
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(&folder, open).expect("its permissions can be set");
    folder
}
