//! Flags, environment and file become plain values, for books.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use books::grin::{CredentialPlaces, GrinOptions};
use books::{Access, DatabaseUrl, RunConfig, RunOptions};
use web::Secret;

use crate::args::books::{Asking, Collect, Output};
use crate::env;
use crate::hints::advised;
use crate::settings::expand_home;

/// A variable that says something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The same, of a path: what no shell has looked at may begin with `~`.
fn path_variable(name: &str) -> Option<PathBuf> {
    variable(name).map(|path| expand_home(Path::new(&path)))
}

/// The folder that holds the runs.
pub(crate) fn output(args: &Output) -> PathBuf {
    args.output_dir
        .clone()
        .map(|said| expand_home(&said))
        .or_else(|| path_variable(env::OUTPUT_DIR))
        .unwrap_or_else(|| PathBuf::from(books::run::OUTPUT))
}

/// The settings of a run: flags, then the environment, then the file.
pub(crate) fn run_options(args: &Collect) -> Result<RunOptions> {
    let mut environment = from_environment()?;
    if environment.log_dir.is_none() {
        environment.log_dir = variable(env::LOG_DIR);
    }
    let file = match &args.config {
        Some(path) => from_file(path)?,
        None => RunOptions::default(),
    };
    let mut options = args.options.clone().or(environment).or(file);
    for path in [
        &mut options.log_dir,
        &mut options.secrets_dir,
        &mut options.sync_staging_dir,
    ]
    .into_iter()
    .flatten()
    {
        *path = expand_home(Path::new(path)).to_string_lossy().into_owned();
    }
    Ok(options)
}

/// How a database on a server is reached, besides what the run's settings say.
pub(crate) fn access(given: Option<&DatabaseUrl>) -> Result<Access> {
    if given.is_some_and(DatabaseUrl::has_password) {
        return Err(advised(
            "the address of the database holds a password, which others can see in the list of processes",
            format!(
                "say it without; the password comes from `{}`, `{}`, ~/.pgpass, or the address in `{}`",
                env::PGPASSWORD,
                env::PGPASSFILE,
                env::BOOKS_DATABASE
            ),
        ));
    }
    let database = match given {
        Some(url) => Some(url.clone()),
        None => variable(env::BOOKS_DATABASE)
            .map(|text| text.parse())
            .transpose()?,
    };
    let file = path_variable(env::PGPASSFILE);
    Ok(Access {
        database,
        password: variable(env::PGPASSWORD).map(Secret::new),
        password_file: file.or_else(|| Some(std::env::home_dir()?.join(".pgpass"))),
    })
}

fn from_environment() -> Result<RunOptions> {
    let pairs = std::env::vars().filter_map(|(name, value)| {
        let name = name.strip_prefix(env::RUN_PREFIX)?.to_ascii_lowercase();
        (!value.is_empty()).then_some((name, value))
    });
    RunOptions::from_pairs(pairs)
        .with_context(|| format!("cannot use the environment's `{}..`", env::RUN_PREFIX))
}

fn from_file(path: &Path) -> Result<RunOptions> {
    let cannot = || format!("cannot read the settings in `{}`", path.display());
    let text = run::read_small_text(path).with_context(cannot)?;
    let json = path.extension().is_some_and(|kind| kind == "json");
    if json {
        serde_json::from_str(&text).with_context(cannot)
    } else {
        toml::from_str(&text).with_context(cannot)
    }
}

/// How GRIN is asked: flags, then the environment.
pub(crate) fn grin(args: &Asking) -> Result<GrinOptions> {
    let usual = GrinOptions::default();
    let rate = match (args.rate_limit, variable(env::RATE_LIMIT)) {
        (Some(rate), _) => rate,
        (None, Some(text)) => text
            .parse()
            .ok()
            .with_context(|| format!("`{}` is `{text}`, which is no number", env::RATE_LIMIT))?,
        (None, None) => usual.requests_per_second,
    };
    if rate != 0.0 && !(1e-4..=1e6).contains(&rate) {
        return Err(advised(
            format!("a rate limit of `{rate}` makes no sense, expected 0 or 0.0001 to 1000000"),
            "it is requests a second, at least one in some hours; 0 for no limit",
        ));
    }
    Ok(GrinOptions {
        base_url: args
            .base_url
            .clone()
            .or_else(|| variable(env::BASE_URL))
            .unwrap_or(usual.base_url),
        requests_per_second: rate,
        shared_rate: args.share_rate.clone(),
        retries: args.retries,
    })
}

/// Where credential files are; `secrets` wins over the run's own setting.
pub(crate) fn credentials(config: Option<&RunConfig>, secrets: Option<&Path>) -> CredentialPlaces {
    let of_run = config.and_then(|config| config.secrets_dir.as_deref().map(Path::new));
    let folder = path_variable(env::CREDENTIALS_DIR);
    let writable = path_variable(env::WRITABLE_CREDENTIALS_DIR);
    CredentialPlaces::new(
        folder.as_deref(),
        writable.as_deref(),
        secrets.or(of_run),
        std::env::home_dir().as_deref(),
    )
}

/// The port that a browser comes back to.
pub(crate) fn oauth_port() -> u16 {
    const USUAL: u16 = 58432;
    variable(env::OAUTH_PORT)
        .and_then(|text| text.parse().ok())
        .unwrap_or(USUAL)
}
