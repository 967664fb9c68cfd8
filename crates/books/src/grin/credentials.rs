//! Credential files: where they are, how they are read and written.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use web::Secret;

use crate::error::Error;
use crate::run::replace;

/// Where credential files are looked for, in order.
#[derive(Clone, Debug)]
pub struct CredentialPlaces {
    /// Where tokens are read and written.
    pub credentials: PathBuf,
    /// Where the application's own secret may be, first come first served.
    pub client_secrets: Vec<PathBuf>,
    /// Where the passphrase of archives may be, first come first served.
    pub passphrases: Vec<PathBuf>,
}

/// The tokens of a sign-in, as the file has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credentials {
    /// The token of requests.
    #[serde(default, deserialize_with = "optional", serialize_with = "reveal")]
    pub token: Secret,
    /// What gets a new one.
    #[serde(default, deserialize_with = "optional", serialize_with = "reveal")]
    pub refresh_token: Secret,
    /// Where to get it.
    pub token_uri: String,
    /// The application.
    pub client_id: String,
    /// Its secret.
    #[serde(default, deserialize_with = "optional", serialize_with = "reveal")]
    pub client_secret: Secret,
    /// What the token is good for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Until when the token is good, as `2026-11-21T07:08:50Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<String>,
    /// What others put there.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The application's own secret, from `client_secret.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct ClientSecret {
    /// The application.
    pub client_id: String,
    /// Its secret.
    #[serde(deserialize_with = "optional")]
    pub client_secret: Secret,
    /// Where people sign in.
    pub auth_uri: String,
    /// Where tokens come from.
    pub token_uri: String,
}

/// The form of the file: the part for installed applications is the one that counts.
#[derive(Deserialize)]
struct ClientSecretFile {
    installed: ClientSecret,
}

/// The usual folder, below the home folder, and its name of old.
const FOLDERS: [&str; 2] = [".config/grin-transfer", ".config/grin-to-s3"];

/// Names of the application's secret.
const SECRET_NAMES: [&str; 2] = ["client_secret.json", "secrets.json"];

/// The name of the file with the passphrase of archives.
const PASSPHRASE: &str = "gpg_passphrase.asc";

/// The name of the tokens' file.
const CREDENTIALS: &str = "credentials.json";

impl CredentialPlaces {
    /// The places for what the environment and the run say.
    ///
    /// `folder` is `GRIN_CREDENTIALS_DIR`, `writable` is `GRIN_WRITABLE_CREDENTIALS_DIR`, `secrets` is the run's
    /// `secrets_dir`, `home` the home folder.
    pub fn new(
        folder: Option<&Path>,
        writable: Option<&Path>,
        secrets: Option<&Path>,
        home: Option<&Path>,
    ) -> Self {
        let usual: Vec<PathBuf> = FOLDERS
            .iter()
            .filter_map(|folder| Some(home?.join(folder)))
            .collect();
        let first = folder
            .map(Path::to_owned)
            .or_else(|| usual.first().cloned())
            .unwrap_or_default();
        let mut credentials = writable.unwrap_or(&first).join(CREDENTIALS);
        if folder.is_none() && writable.is_none() && !credentials.exists() {
            let mut old = usual.iter().map(|folder| folder.join(CREDENTIALS));
            credentials = old.rfind(|path| path.exists()).unwrap_or(credentials);
        }
        let mut client_secrets = vec![first.join(SECRET_NAMES[0])];
        for folder in secrets.map(Path::to_owned).into_iter().chain(usual) {
            client_secrets.extend(SECRET_NAMES.iter().map(|name| folder.join(name)));
        }
        let mut passphrases = vec![first.join(PASSPHRASE)];
        let beside = [".config/grin-transfer", "", ".grin", ".config"];
        let of_home = beside.iter().filter_map(|folder| Some(home?.join(folder)));
        passphrases.extend(
            secrets
                .map(Path::to_owned)
                .into_iter()
                .chain(of_home)
                .map(|folder| folder.join(PASSPHRASE)),
        );
        Self {
            credentials,
            client_secrets,
            passphrases,
        }
    }

    /// The file with the passphrase of archives: the first that is there, else the first place.
    pub fn passphrase(&self) -> &Path {
        let found = self.passphrases.iter().find(|path| path.exists());
        found
            .or(self.passphrases.first())
            .map_or(Path::new(PASSPHRASE), PathBuf::as_path)
    }

    /// Everything in one folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self::new(Some(folder), None, None, None)
    }

    /// The application's secret.
    ///
    /// # Errors
    ///
    /// [`Error::SignIn`] if the file is missing, [`Error::Malformed`] if it is not understood.
    pub fn client_secret(&self) -> Result<ClientSecret, Error> {
        let path = self.client_secrets.iter().find(|path| path.exists());
        let path = path.ok_or_else(|| Error::SignIn {
            reason: format!(
                "there is no `{}`; download the OAuth client of type \"Desktop app\" from the Google Cloud console and save it there",
                self.client_secrets[0].display()
            ),
        })?;
        let text = run::read_small_text(path).map_err(Error::file("read", path))?;
        let file: ClientSecretFile =
            serde_json::from_str(&text).map_err(|error| malformed(path, &error))?;
        Ok(file.installed)
    }
}

impl Credentials {
    /// Reads the tokens.
    ///
    /// # Errors
    ///
    /// [`Error::SignIn`] if the file is missing, [`Error::Malformed`] if it is not understood.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = match run::read_small_text(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::SignIn {
                    reason: format!("there is no `{}`", path.display()),
                });
            }
            Err(error) => return Err(Error::file("read", path)(error)),
        };
        serde_json::from_str(&text).map_err(|error| malformed(path, &error))
    }

    /// Writes the tokens, for the owner's eyes only, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::File`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::file("make", folder))?;
        }
        replace(path, &crate::run::pretty(self), true)
    }
}

/// A parser may quote what it stumbled over, which may be a token: only the place is told.
fn malformed(path: &Path, error: &serde_json::Error) -> Error {
    Error::Malformed {
        path: path.to_owned(),
        reason: match error.classify() {
            serde_json::error::Category::Data => {
                format!(
                    "a key is missing or of the wrong kind, line {}",
                    error.line()
                )
            }
            _ => format!(
                "no JSON at line {}, column {}",
                error.line(),
                error.column()
            ),
        },
    }
}

fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(Secret::new(text.unwrap_or_default()))
}

fn reveal<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.reveal())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn write(folder: &Path, token_uri: &str) {
        let text = format!(
            r#"{{"token": "ya29.old", "refresh_token": "1//refresh", "token_uri": "{token_uri}",
                "client_id": "id", "client_secret": "hush", "scopes": ["openid"], "universe_domain": "googleapis.com"}}"#
        );
        std::fs::write(folder.join(CREDENTIALS), text).unwrap();
    }

    #[test]
    fn tokens_are_read_written_privately_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "http://localhost/token");
        let path = folder.path().join(CREDENTIALS);
        let mut credentials = Credentials::read(&path).unwrap();
        let shown = format!("{credentials:?}");
        assert!(!shown.contains("ya29") && !shown.contains("hush") && !shown.contains("1//"));
        credentials.token = Secret::new("ya29.new");
        credentials.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("ya29.new") && text.contains("universe_domain"),
            "{text}"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_broken_file_is_named_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(CREDENTIALS);
        assert!(matches!(
            Credentials::read(&path),
            Err(Error::SignIn { .. })
        ));
        for broken in [
            r#"{"token": "ya29.x""#,
            r#"{"token": "ya29.x", "token_uri": {"ya29": 1}}"#,
        ] {
            std::fs::write(&path, broken).unwrap();
            let said = Credentials::read(&path).unwrap_err().to_string();
            assert!(
                said.contains("credentials.json") && !said.contains("ya29"),
                "{said}"
            );
        }
    }

    #[test]
    fn places_are_those_of_the_other_tool() {
        let home = tempfile::tempdir().unwrap();
        let new = home.path().join(FOLDERS[0]);
        let old = home.path().join(FOLDERS[1]);
        std::fs::create_dir_all(&old).unwrap();
        let places = CredentialPlaces::new(None, None, None, Some(home.path()));
        assert_eq!(places.credentials, new.join(CREDENTIALS));
        write(&old, "x");
        let places = CredentialPlaces::new(None, None, Some(Path::new("/s")), Some(home.path()));
        assert_eq!(places.credentials, old.join(CREDENTIALS));
        assert_eq!(places.client_secrets[0], new.join("client_secret.json"));
        assert_eq!(places.client_secrets[2], Path::new("/s/secrets.json"));
        let said = CredentialPlaces::new(Some(Path::new("/c")), Some(Path::new("/w")), None, None);
        assert_eq!(said.credentials, Path::new("/w").join(CREDENTIALS));
        assert_eq!(said.client_secrets, [Path::new("/c/client_secret.json")]);
    }
}
