//! The kinds of place.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of place, by the name that settings and commands give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A folder on this machine.
    Local,
    /// Amazon S3.
    S3,
    /// Cloudflare R2.
    R2,
    /// `MinIO`, or any other endpoint that speaks S3.
    Minio,
    /// Google Cloud Storage.
    Gcs,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Local, Self::S3, Self::R2, Self::Minio, Self::Gcs];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::S3 => "s3",
            Self::R2 => "r2",
            Self::Minio => "minio",
            Self::Gcs => "gcs",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// A name that is not one of a kind of place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of storage, expected local, s3, r2, minio or gcs")]
pub struct UnknownKind(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse::<Kind>(), Ok(kind));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
        }
        let error = "azure".parse::<Kind>().unwrap_err().to_string();
        assert!(error.contains("`azure`") && error.contains("expected local, s3"));
    }
}
