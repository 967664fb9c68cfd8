//! The Cover Art Archive: the front of a release.

use serde::Deserialize;

use crate::identify::services::{Patience, Service, Trouble};

/// The service.
#[derive(Debug)]
pub struct CoverArt {
    pub(super) service: Service,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Images {
    images: Vec<Image>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Image {
    front: bool,
    image: String,
}

impl CoverArt {
    pub(super) fn new(service: Service) -> Self {
        Self { service }
    }

    /// The address of a release's front cover.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn front(&self, mbid: &str, patience: &Patience) -> Result<Option<String>, Trouble> {
        let found: Option<Images> = self
            .service
            .get(&format!("release/{mbid}"), &[], patience)
            .await?;
        let images = found.unwrap_or_default().images;
        Ok(images
            .into_iter()
            .find(|image| image.front && !image.image.is_empty())
            .map(|image| image.image))
    }
}
