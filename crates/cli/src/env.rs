//! The environment variables that are read, and nothing else.

/// The library's root folder.
pub(crate) const ROOT_FOLDER: &str = "WKMP_ROOT_FOLDER";

/// The library's root folder, by its older name.
pub(crate) const ROOT: &str = "WKMP_ROOT";

/// Where configuration files lie, on Linux.
pub(crate) const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";

/// Where configuration files lie, on Windows.
pub(crate) const APPDATA: &str = "APPDATA";

/// The key for `AcoustID`.
pub(crate) const ACOUSTID_API_KEY: &str = "WKMP_ACOUSTID_API_KEY";

/// Anything but nothing and the words of [`NO`]: no service on the network is asked by an import.
pub(crate) const OFFLINE: &str = "ACCESSION_OFFLINE";

/// What people write for no.
pub(crate) const NO: [&str; 5] = ["", "0", "false", "no", "off"];

/// The address of a store that speaks S3.
pub(crate) const S3_ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// The number of a task among many, counted from 0, as Kubernetes, AWS Batch and Slurm tell it.
pub(crate) const TASK_NUMBERS: [&str; 3] = [
    "JOB_COMPLETION_INDEX",
    "AWS_BATCH_JOB_ARRAY_INDEX",
    "SLURM_ARRAY_TASK_ID",
];

/// What is logged, in the syntax of `tracing`'s filters.
pub(crate) const LOG: &str = "ACCESSION_LOG";

/// The folder of runs.
pub(crate) const OUTPUT_DIR: &str = "GRIN_OUTPUT_DIR";

/// The folder of logs.
pub(crate) const LOG_DIR: &str = "GRIN_LOG_DIR";

/// Where GRIN is.
pub(crate) const BASE_URL: &str = "GRIN_BASE_URL";

/// Requests in any second.
pub(crate) const RATE_LIMIT: &str = "GRIN_RATE_LIMIT_QPS";

/// Where credential files are.
pub(crate) const CREDENTIALS_DIR: &str = "GRIN_CREDENTIALS_DIR";

/// Where tokens are written, if not there.
pub(crate) const WRITABLE_CREDENTIALS_DIR: &str = "GRIN_WRITABLE_CREDENTIALS_DIR";

/// The port a browser comes back to.
pub(crate) const OAUTH_PORT: &str = "GRIN_OAUTH_PORT";

/// Settings of a run: this, and the setting's name in capitals.
pub(crate) const RUN_PREFIX: &str = "ACCESSION_BOOKS_";

/// The server that keeps the books, a setting of a run.
pub(crate) const BOOKS_DATABASE: &str = "ACCESSION_BOOKS_DATABASE";

/// The password of a database, as other clients of PostgreSQL read it.
pub(crate) const PGPASSWORD: &str = "PGPASSWORD";

/// A file of such passwords.
pub(crate) const PGPASSFILE: &str = "PGPASSFILE";

/// Set to anything: no colours.
pub(crate) const NO_COLOR: &str = "NO_COLOR";

/// The kind of terminal; `dumb` gets lines, no bars and no colours.
pub(crate) const TERM: &str = "TERM";

/// Every variable with what it says, for `config`, man pages and the guide. Options win over all of them.
pub(crate) const ALL: [(&str, &str); 24] = [
    (
        TASK_NUMBERS[0],
        "which list `music hear` hears, in a pod of Kubernetes",
    ),
    (TASK_NUMBERS[1], "the same, in a job of AWS Batch"),
    (TASK_NUMBERS[2], "the same, in a task of Slurm"),
    (
        S3_ENDPOINT,
        "the address of a store that speaks S3 and is not Amazon's",
    ),
    (ROOT_FOLDER, "the library's root folder"),
    (ROOT, "the same, by its older name"),
    (
        ACOUSTID_API_KEY,
        "the key for AcoustID, where the library has none",
    ),
    (
        OFFLINE,
        "anything but nothing, 0, false, no and off: an import asks no service on the network",
    ),
    (
        LOG,
        "what is logged on standard error, as a filter of tracing: debug, music=trace, ..",
    ),
    (
        XDG_CONFIG_HOME,
        "the folder of configuration files on Linux, else ~/.config",
    ),
    (
        APPDATA,
        "the folder of configuration files on Windows, else AppData\\Roaming of the profile",
    ),
    (NO_COLOR, "set to anything: nothing is coloured"),
    (TERM, "dumb: nothing is coloured or drawn"),
    (OUTPUT_DIR, "the folder that holds the runs of books"),
    (LOG_DIR, "the folder of their logs"),
    (BASE_URL, "where GRIN is"),
    (RATE_LIMIT, "requests to GRIN in any second"),
    (
        CREDENTIALS_DIR,
        "the folder of credentials.json and client_secret.json",
    ),
    (
        WRITABLE_CREDENTIALS_DIR,
        "where tokens are written, if not there",
    ),
    (
        OAUTH_PORT,
        "the port that a browser comes back to when signing in",
    ),
    (
        BOOKS_DATABASE,
        "the PostgreSQL server that keeps the books; its address may hold the password",
    ),
    (PGPASSWORD, "the password of that server"),
    (PGPASSFILE, "a file of such passwords, else ~/.pgpass"),
    (
        "ACCESSION_BOOKS_..",
        "a setting of a run, by its option's name in capitals: ACCESSION_BOOKS_STORAGE, ..",
    ),
];

/// Whether a variable's value may not be shown.
pub(crate) fn is_secret(name: &str) -> bool {
    matches!(name, ACOUSTID_API_KEY | BOOKS_DATABASE | PGPASSWORD)
}
