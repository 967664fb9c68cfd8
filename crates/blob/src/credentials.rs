//! Keys of stores that speak S3, from where people keep them.
//!
//! The environment, a web identity and the machine's own identity are [`object_store`]'s matter; this adds the files:
//! `~/.aws/credentials` with `AWS_PROFILE`, and the file of R2 that names its keys `access_key` and `secret_key`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Reason};
use crate::kind::Kind;
use crate::settings::Settings;

/// A pair of keys.
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
}

/// The file of R2.
#[derive(Deserialize)]
struct R2File {
    endpoint_url: Option<String>,
    #[serde(alias = "access_key_id")]
    access_key: String,
    #[serde(alias = "secret_access_key")]
    secret_key: String,
}

/// Keys from a file; `None` leaves it to the environment and the machine.
pub(crate) fn of(settings: &Settings) -> Result<Option<Keys>, Error> {
    if let Some(file) = &settings.credentials_file {
        return r2(file).map(Some);
    }
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_some() {
        return Ok(None);
    }
    match settings.kind {
        Kind::R2 => {
            let file = home().map(|home| home.join(".config/grin-transfer/r2_credentials.json"));
            file.filter(|file| file.exists())
                .map(|file| r2(&file))
                .transpose()
        }
        Kind::Minio => Ok(profile()?.or_else(|| {
            // What a new MinIO accepts.
            let key = "minioadmin".to_owned();
            Some(Keys {
                secret: format!("{key}123"),
                id: key,
                token: None,
                region: None,
                endpoint: None,
            })
        })),
        _ => profile(),
    }
}

fn r2(file: &Path) -> Result<Keys, Error> {
    let denied = |detail: String| Error::new(Reason::Denied, file.display(), detail);
    let text = std::fs::read(file).map_err(|error| denied(error.to_string()))?;
    // The text of the error would show what is in the file.
    let keys: R2File = serde_json::from_slice(&text).map_err(|error| {
        denied(format!(
            "line {}: expected JSON with `access_key` and `secret_key`",
            error.line()
        ))
    })?;
    Ok(Keys {
        id: keys.access_key,
        secret: keys.secret_key,
        token: None,
        region: None,
        endpoint: keys.endpoint_url,
    })
}

/// The keys of the profile in use.
fn profile() -> Result<Option<Keys>, Error> {
    let name = std::env::var("AWS_PROFILE").unwrap_or_else(|_| "default".to_owned());
    let Some(credentials) = section("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", &name)?
    else {
        return Ok(None);
    };
    let of_config = if name == "default" {
        name
    } else {
        format!("profile {name}")
    };
    let config = section("AWS_CONFIG_FILE", ".aws/config", &of_config)?.unwrap_or_default();
    let get = |pairs: &[(String, String)], name: &str| {
        let found = pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    let keys = (
        get(&credentials, "aws_access_key_id"),
        get(&credentials, "aws_secret_access_key"),
    );
    let (Some(id), Some(secret)) = keys else {
        return Ok(None);
    };
    Ok(Some(Keys {
        id,
        secret,
        token: get(&credentials, "aws_session_token"),
        region: get(&config, "region").or_else(|| get(&credentials, "region")),
        endpoint: None,
    }))
}

/// The pairs of one section of a file; `None` if there is no such file or section.
fn section(
    variable: &str,
    usual: &str,
    name: &str,
) -> Result<Option<Vec<(String, String)>>, Error> {
    let said = std::env::var_os(variable).map(PathBuf::from);
    let Some(path) = said.or_else(|| home().map(|home| home.join(usual))) else {
        return Ok(None);
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(pairs(&text, name)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(Reason::Denied, path.display(), error)),
    }
}

fn pairs(text: &str, name: &str) -> Option<Vec<(String, String)>> {
    let mut found = None;
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(title) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            inside = title.trim() == name;
            if inside {
                found.get_or_insert_with(Vec::new);
            }
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            let pair = (key.trim().to_owned(), value.trim().to_owned());
            found.get_or_insert_with(Vec::new).push(pair);
        }
    }
    found
}

fn home() -> Option<PathBuf> {
    std::env::home_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_a_section_of_its_file() {
        let text = "[default]\naws_access_key_id = A\n\n# x = y\n[other]\naws_access_key_id=B\n";
        let of = |name| pairs(text, name).map(|pairs| pairs[0].1.clone());
        assert_eq!(of("default").as_deref(), Some("A"));
        assert_eq!(of("other").as_deref(), Some("B"));
        assert_eq!(of("none"), None);
    }

    #[test]
    fn an_error_shows_nothing_of_a_file_of_keys() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("r2.json");
        std::fs::write(&file, r#"{"access_key": "AKIDSECRET", "secret_key": 7}"#).unwrap();
        let Err(error) = r2(&file) else {
            panic!("keys that are no text were accepted")
        };
        assert_eq!(error.reason(), Reason::Denied);
        assert!(!error.to_string().contains("AKID"), "{error}");
    }
}
