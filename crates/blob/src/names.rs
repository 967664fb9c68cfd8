//! Names that no object of ours can have, in the listings of a bucket that others fill.
//!
//! A store takes nearly any name: `a//b`, `..`, a line break. The client that lists would refuse the whole page over one of
//! them, and so everything in the bucket. Here such names are taken out of the page before it reads it, and told.

use std::borrow::Cow;
use std::pin::Pin;

use bytes::Bytes;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};

use crate::connect;
use crate::key::Key;

/// Connects as usual, and reads the listings first.
#[derive(Debug)]
pub(crate) struct ListingsRead;

#[derive(Debug)]
struct Reading(HttpClient);

impl HttpConnector for ListingsRead {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Reading(connect::client(options)?)))
    }
}

impl HttpService for Reading {
    fn call<'own, 'call>(
        &'own self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'call>>
    where
        'own: 'call,
        Self: 'call,
    {
        Box::pin(async move {
            let query = request.uri().query().unwrap_or_default();
            let is_listing = query.split('&').any(|part| part == "list-type=2");
            let answer = self.0.execute(request).await?;
            if !is_listing || !answer.status().is_success() {
                return Ok(answer);
            }
            let (parts, body) = answer.into_parts();
            let page = body.bytes().await?;
            let page =
                usable(page).map_err(|error| HttpError::new(HttpErrorKind::Decode, error))?;
            Ok(HttpResponse::from_parts(parts, page.into()))
        })
    }
}

/// A page of a listing without the objects and folders whose names are unusable, which are told.
fn usable(page: Bytes) -> Result<Bytes, std::str::Utf8Error> {
    let text = std::str::from_utf8(&page)?;
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, part, after)) = next_part(rest) {
        match unusable_name(part) {
            None => kept.push_str(&rest[..before + part.len()]),
            Some(name) => {
                tracing::warn!("an object of the store is passed over for its name: {name:?}");
                kept.push_str(&rest[..before]);
            }
        }
        rest = after;
    }
    if kept.len() + rest.len() == text.len() {
        return Ok(page);
    }
    kept.push_str(rest);
    Ok(kept.into())
}

/// The next object or folder of a page: where it begins, its text, and what follows.
fn next_part(text: &str) -> Option<(usize, &str, &str)> {
    let (at, end) = ["Contents", "CommonPrefixes"]
        .iter()
        .filter_map(|tag| Some((text.find(&format!("<{tag}>"))?, format!("</{tag}>"))))
        .min_by_key(|(at, _)| *at)?;
    let until = at + text[at..].find(&end)? + end.len();
    Some((at, &text[at..until], &text[until..]))
}

/// The name in a part of a page, if no object of ours can have it. The slash at the end of a folder belongs to a listing.
fn unusable_name(part: &str) -> Option<String> {
    let name = ["Key", "Prefix"].iter().find_map(|tag| {
        let (_, rest) = part.split_once(&format!("<{tag}>"))?;
        Some(rest.split_once(&format!("</{tag}>"))?.0)
    })?;
    let name = unescaped(name);
    let bare = name.strip_suffix('/').unwrap_or(&name);
    Key::new(bare).is_err().then(|| name.into_owned())
}

/// Text of a page as it was before it was made part of one.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let found = after.split_once(';');
        let read = found.and_then(|(entity, after)| Some((character(entity)?, after)));
        if let Some((character, after)) = read {
            plain.push(character);
            rest = after;
        } else {
            plain.push('&');
            rest = after;
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn character(entity: &str) -> Option<char> {
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(names: &[&str]) -> String {
        let objects = names.iter().map(|name| {
            format!("<Contents><Key>{name}</Key><Size>1</Size><Owner><ID>x</ID></Owner></Contents>")
        });
        let objects = objects.collect::<String>();
        format!(
            "<ListBucketResult><Prefix>a</Prefix>{objects}<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>\
             <CommonPrefixes><Prefix>a//</Prefix></CommonPrefixes></ListBucketResult>"
        )
    }

    #[test]
    fn only_names_that_cannot_be_used_are_taken_out() {
        let good = [
            "a/b",
            "ü ☃",
            "a&amp;b",
            "a &lt;b&gt; &#x20;c",
            "%2F",
            "folder/",
            "a&b",
        ];
        let bad = [
            "a//b", "../b", "a&#x9;b", "a&#10;b", "a\tb", "a\\b", "/a", "a/./b",
        ];
        let mixed: Vec<_> = good
            .iter()
            .zip(bad)
            .flat_map(|(one, other)| [*one, other])
            .collect();
        let kept = usable(Bytes::from(page(&mixed))).unwrap();
        let expected =
            page(&good).replace("<CommonPrefixes><Prefix>a//</Prefix></CommonPrefixes>", "");
        assert_eq!(std::str::from_utf8(&kept).unwrap(), expected);
        let untouched = expected.clone();
        assert_eq!(usable(Bytes::from(untouched)).unwrap(), expected);
    }
}
