//! A bucket of a store that is reached over the network.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::aws::{AmazonS3Builder, Checksum};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, GetOptions, GetRange, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, RetryConfig,
};

use crate::connect::{self, SILENCE};
use crate::credentials::{self, Keys};
use crate::error::{Error, Reason};
use crate::key::Key;
use crate::kind::Kind;
use crate::names::ListingsRead;
use crate::object::{Child, Entry, Head, Metadata, Reader};
use crate::settings::Settings;

/// The slowest line on which a part still goes up, in bytes a second: a part that takes longer hangs.
const SLOWEST: u64 = 64 << 10;

/// How long one call is repeated while the store answers that it cannot serve. The caller decides what happens after.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bucket of a remote store; clones share its connections.
#[derive(Clone, Debug)]
pub struct Remote {
    store: Arc<dyn Store>,
    name: String,
}

trait Store: ObjectStore + MultipartStore {}
impl<T: ObjectStore + MultipartStore> Store for T {}

impl Remote {
    /// Prepares a bucket; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Reason::Name`] for a setting that makes no sense, [`Reason::Denied`] for credentials that cannot be read.
    pub fn open(settings: &Settings, bucket: &str) -> Result<Self, Error> {
        // Another client of this process may have chosen already, and chose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store: Arc<dyn Store> = match settings.kind {
            Kind::Local => {
                return Err(Error::new(
                    Reason::Name,
                    bucket,
                    "a folder is not a remote store",
                ));
            }
            Kind::Gcs => Arc::new(
                google(settings, bucket)
                    .build()
                    .map_err(Error::remote(bucket))?,
            ),
            Kind::S3 | Kind::R2 | Kind::Minio => Arc::new(
                amazon(settings, bucket)?
                    .build()
                    .map_err(Error::remote(bucket))?,
            ),
        };
        Ok(Self {
            store,
            name: bucket.to_owned(),
        })
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn put(
        &self,
        key: &Key,
        bytes: Bytes,
        metadata: &Metadata,
    ) -> Result<Option<String>, Error> {
        let options = PutOptions {
            attributes: attributes(metadata),
            ..PutOptions::default()
        };
        let limit = limit(bytes.len());
        let path = path(key)?;
        let put = self.store.put_opts(&path, bytes.into(), options);
        let result = within(limit, key, put).await?;
        Ok(result.e_tag.as_deref().map(unquoted))
    }

    pub(crate) async fn begin_upload(
        &self,
        key: &Key,
        metadata: &Metadata,
    ) -> Result<String, Error> {
        let options = PutMultipartOptions {
            attributes: attributes(metadata),
            ..PutMultipartOptions::default()
        };
        let path = path(key)?;
        let begin = self.store.create_multipart_opts(&path, options);
        within(SILENCE, key, begin).await
    }

    pub(crate) async fn put_part(
        &self,
        key: &Key,
        upload: &str,
        number: usize,
        bytes: Bytes,
    ) -> Result<String, Error> {
        let limit = limit(bytes.len());
        let (path, upload) = (path(key)?, upload.to_owned());
        let put = self.store.put_part(&path, &upload, number, bytes.into());
        Ok(within(limit, key, put).await?.content_id)
    }

    pub(crate) async fn complete(
        &self,
        key: &Key,
        upload: &str,
        parts: Vec<String>,
    ) -> Result<Option<String>, Error> {
        let parts = parts
            .into_iter()
            .map(|content_id| PartId { content_id })
            .collect();
        let (path, upload) = (path(key)?, upload.to_owned());
        let complete = self.store.complete_multipart(&path, &upload, parts);
        // Putting thousands of parts together takes a store minutes.
        let result = within(SILENCE * 10, key, complete).await?;
        Ok(result.e_tag.as_deref().map(unquoted))
    }

    pub(crate) async fn abort(&self, key: &Key, upload: &str) -> Result<(), Error> {
        let (path, upload) = (path(key)?, upload.to_owned());
        within(SILENCE, key, self.store.abort_multipart(&path, &upload)).await
    }

    pub(crate) async fn head(&self, key: &Key) -> Result<Option<Head>, Error> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        let path = path(key)?;
        match within(SILENCE, key, self.store.get_opts(&path, options)).await {
            Ok(found) => Ok(Some(Head {
                size: found.meta.size,
                etag: found.meta.e_tag.as_deref().map(unquoted),
                metadata: metadata(&found.attributes),
            })),
            Err(error) if error.reason() == Reason::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn read(&self, key: &Key) -> Result<Reader, Error> {
        let path = path(key)?;
        let get = self.store.get_opts(&path, GetOptions::default());
        let found = within(SILENCE, key, get).await?;
        let (size, name) = (found.meta.size, key.clone());
        let pieces = found
            .into_stream()
            .map(move |piece| piece.map_err(Error::remote(&name)));
        Ok(Reader::new(key, size, pieces.boxed()))
    }

    pub(crate) async fn read_head(&self, key: &Key, bytes: u64) -> Result<Bytes, Error> {
        let path = path(key)?;
        let options = GetOptions {
            range: Some(GetRange::Bounded(0..bytes)),
            ..GetOptions::default()
        };
        let get = self.store.get_opts(&path, options);
        let read = async { get.await?.bytes().await };
        within(SILENCE, key, read).await
    }

    pub(crate) fn list(&self, folder: Option<&Key>) -> BoxStream<'static, Result<Entry, Error>> {
        let path = match folder.map(path).transpose() {
            Ok(path) => path,
            Err(error) => return futures_util::stream::iter([Err(error)]).boxed(),
        };
        let name = self.listed(folder);
        self.store
            .list(path.as_ref())
            .map(move |found| entry(&found.map_err(Error::remote(&name))?))
            .boxed()
    }

    pub(crate) async fn children(&self, folder: Option<&Key>) -> Result<Vec<Child>, Error> {
        let path = folder.map(path).transpose()?;
        let list = self.store.list_with_delimiter(path.as_ref());
        let found = list.await.map_err(Error::remote(self.listed(folder)))?;
        let folders = found.common_prefixes.iter();
        let folders = folders.map(|path| Ok(Child::Folder(Key::new(path.as_ref())?)));
        let objects = found.objects.iter();
        let objects = objects.map(|object| Ok(Child::Object(entry(object)?)));
        folders.chain(objects).collect()
    }

    /// What a listing is called in an error.
    fn listed(&self, folder: Option<&Key>) -> String {
        folder.map_or_else(|| self.name.clone(), ToString::to_string)
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<(), Error> {
        let path = path(key)?;
        match within(SILENCE, key, self.store.delete(&path)).await {
            Err(error) if error.reason() != Reason::Missing => Err(error),
            _ => Ok(()),
        }
    }
}

fn entry(found: &ObjectMeta) -> Result<Entry, Error> {
    Ok(Entry {
        key: Key::new(found.location.as_ref())?,
        size: found.size,
        modified: found.last_modified.timestamp(),
        etag: found.e_tag.as_deref().map(unquoted),
    })
}

/// Ends a call that hangs.
async fn within<T>(
    limit: Duration,
    key: &Key,
    call: impl Future<Output = object_store::Result<T>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result.map_err(Error::remote(key)),
        Err(_) => Err(Error::new(
            Reason::Unavailable,
            key,
            format!("no answer in {} s", limit.as_secs()),
        )),
    }
}

/// How long a piece may take to be sent, repetitions included.
fn limit(bytes: usize) -> Duration {
    SILENCE + Duration::from_secs(bytes as u64 / SLOWEST)
}

fn amazon(settings: &Settings, bucket: &str) -> Result<AmazonS3Builder, Error> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry());
    let keys = credentials::of(settings)?;
    let endpoint = settings.endpoint.clone().or_else(|| {
        let said = keys.as_ref().and_then(|keys| keys.endpoint.clone());
        said.filter(|_| settings.kind == Kind::R2)
    });
    let plain = endpoint
        .as_deref()
        .is_some_and(|at| at.starts_with("http://"));
    if let Some(endpoint) = endpoint {
        builder = builder
            .with_endpoint(endpoint)
            .with_virtual_hosted_style_request(false);
    }
    match settings.kind {
        Kind::R2 => builder = builder.with_region("auto"),
        // The store computes it, too, and refuses a part that differs.
        Kind::S3 => builder = builder.with_checksum_algorithm(Checksum::SHA256),
        _ => {}
    }
    if let Some(keys) = keys {
        builder = keys.give(builder);
    }
    let builder = builder.with_http_connector(ListingsRead);
    Ok(builder.with_client_options(connect::options(plain)))
}

fn google(settings: &Settings, bucket: &str) -> GoogleCloudStorageBuilder {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry());
    let mut plain = false;
    if let Some(endpoint) = &settings.endpoint {
        plain = endpoint.starts_with("http://");
        builder = builder.with_base_url(endpoint);
        if plain {
            // Google itself is reached by https only. An emulator knows nobody, and no real token is sent to it.
            builder = builder.with_bearer_token("emulator");
        }
    }
    if let Some(file) = &settings.credentials_file {
        builder = builder.with_service_account_path(file.to_string_lossy());
    }
    builder
        .with_http_connector(ListingsRead)
        .with_client_options(connect::options(plain))
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        max_retries: 8,
        retry_timeout: PATIENCE,
    }
}

impl Keys {
    fn give(self, builder: AmazonS3Builder) -> AmazonS3Builder {
        let builder = builder
            .with_access_key_id(self.id)
            .with_secret_access_key(self.secret);
        let builder = match self.token {
            Some(token) => builder.with_token(token),
            None => builder,
        };
        match self.region {
            Some(region) => builder.with_region(region),
            None => builder,
        }
    }
}

fn path(key: &Key) -> Result<Path, Error> {
    Path::parse(key.as_str()).map_err(|error| Error::new(Reason::Name, key, error))
}

fn attributes(metadata: &Metadata) -> Attributes {
    let pairs = metadata
        .iter()
        .map(|(name, value)| (Attribute::Metadata(name.clone().into()), value.clone()));
    pairs.collect()
}

fn metadata(attributes: &Attributes) -> Metadata {
    let pairs = attributes.iter().filter_map(|(name, value)| match name {
        Attribute::Metadata(name) => Some((name.to_string(), value.to_string())),
        _ => None,
    });
    pairs.collect()
}

fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}
