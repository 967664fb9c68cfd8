//! What the services say, in the shapes of the real ones.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::index::{Document, Index};
use super::world::{Guest, Linked, Recording, Release, Track, World};
use super::{KEY, Service};

/// Status and body for a request.
pub(super) fn answer(
    (world, indices): (&World, &Indices),
    service: Service,
    path: &str,
    body: &str,
    key_holds: bool,
) -> (u16, String) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = pairs(query);
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let found = match (service, parts.as_slice()) {
        (Service::AcoustId, ["lookup"]) => return fingerprints(world, &pairs(body), key_holds),
        (Service::MusicBrainz, ["recording", id]) => world
            .recording(id)
            .map(|recording| recording_in_full(world, recording)),
        (Service::MusicBrainz, ["release", id]) => world
            .release(id)
            .map(|release| release_json(world, release)),
        (Service::MusicBrainz, [kind @ ("recording" | "release" | "artist")]) => {
            let found = match *kind {
                "recording" => search_recordings(world, indices, &query),
                "release" => search_releases(world, indices, &query),
                _ => search_artists(world, indices, &query),
            };
            let refusal = json!({"error": "Unable to parse search:"});
            return found.map_or((400, refusal.to_string()), |found| (200, found.to_string()));
        }
        (Service::MusicBrainz, ["isrc", isrc]) => by_isrc(world, isrc),
        (Service::AcousticBrainz, [id, "high-level"]) => world.recording(id).map(|_| {
            json!({"highlevel": {"danceability": {"all": {"danceable": 0.75, "not_danceable": 0.25},
                   "probability": 0.75, "value": "danceable"}}, "metadata": {}})
        }),
        (Service::AcousticBrainz, [id, "low-level"]) => world.recording(id).map(|_| {
            json!({"lowlevel": {"average_loudness": 0.9, "spectral_centroid": {"mean": 1100.0}},
                   "rhythm": {"bpm": 120.5}, "tonal": {"key_key": "C"}, "metadata": {}})
        }),
        (Service::CoverArt, ["release", id, "front-500"]) if world.release(id).is_some() => {
            // A picture of 100 by 80 pixels, as far as its head.
            return (200, "GIF89a\u{64}\0\u{50}\0\0\0\0;".to_owned());
        }
        _ => None,
    };
    match found {
        Some(found) => (200, found.to_string()),
        None => (404, json!({"error": "Not Found"}).to_string()),
    }
}

fn fingerprints(world: &World, form: &HashMap<String, String>, key_holds: bool) -> (u16, String) {
    if !key_holds || form.get("client").map(String::as_str) != Some(KEY) {
        let refusal =
            json!({"status": "error", "error": {"code": 4, "message": "invalid API key"}});
        return (400, refusal.to_string());
    }
    let mut answers = Vec::new();
    for at in 0..20 {
        let Some(text) = form.get(&format!("fingerprint.{at}")) else {
            break;
        };
        let results: Vec<_> = world
            .links(text)
            .iter()
            .map(|cluster| {
                let recordings: Vec<_> = cluster
                    .recordings
                    .iter()
                    .map(|linked| linked_json(world, linked))
                    .collect();
                json!({"id": cluster.id, "score": cluster.score, "recordings": recordings})
            })
            .collect();
        answers.push(json!({"index": at.to_string(), "results": results}));
    }
    let answer = json!({"status": "ok", "fingerprints": answers});
    (200, answer.to_string())
}

fn linked_json(world: &World, linked: &Linked) -> Value {
    let recording = &world.recordings[linked.recording];
    let id = linked.former.as_ref().unwrap_or(&recording.mbid);
    if linked.nameless {
        return json!({"id": id, "sources": linked.sources});
    }
    let releases: Vec<_> = world
        .releases_of(&recording.mbid)
        .map(|release| json!({"id": release.mbid, "title": release.title}))
        .collect();
    let mut artists = vec![json!({"id": recording.artist_mbid, "name": recording.artist})];
    for guest in &recording.guests {
        if let Some(last) = artists.last_mut() {
            last["joinphrase"] = json!(guest.join);
        }
        artists.push(json!({"id": guest.mbid, "name": guest.name}));
    }
    let seconds = (!recording.unmeasured).then(|| recording.length_ms as f64 / 1000.0);
    json!({"id": id, "title": recording.title, "sources": linked.sources, "duration": seconds,
           "artists": artists, "releases": releases})
}

/// An artist as a credit names it.
fn artist_json(world: &World, name: &str, id: &str) -> Value {
    let other = world.artists.get(id).cloned().unwrap_or_default();
    let sort_name = if other.sort_name.is_empty() {
        name.to_owned()
    } else {
        other.sort_name
    };
    let aliases: Vec<_> = other
        .aliases
        .iter()
        .map(|alias| json!({"name": alias, "sort-name": alias}))
        .collect();
    json!({"id": id, "name": name, "sort-name": sort_name, "disambiguation": other.remark, "aliases": aliases})
}

fn credit(world: &World, name: &str, mbid: &str, guests: &[Guest]) -> Value {
    let mut credits =
        vec![json!({"name": name, "joinphrase": "", "artist": artist_json(world, name, mbid)})];
    for guest in guests {
        if let Some(last) = credits.last_mut() {
            last["joinphrase"] = json!(guest.join);
        }
        credits.push(json!({"name": guest.name, "joinphrase": "",
                            "artist": artist_json(world, &guest.name, &guest.mbid)}));
    }
    Value::Array(credits)
}

fn recording_json(world: &World, recording: &Recording) -> Value {
    let length = (!recording.unmeasured).then_some(recording.length_ms);
    json!({
        "id": recording.mbid, "title": recording.title, "length": length,
        "disambiguation": recording.remark,
        "artist-credit": credit(world, &recording.artist, &recording.artist_mbid, &recording.guests),
        "isrcs": recording.isrc.iter().collect::<Vec<_>>(),
    })
}

/// A recording by its id, with what hangs on it.
fn recording_in_full(world: &World, recording: &Recording) -> Value {
    let mut json = recording_with_works(world, recording);
    let releases = world.releases_of(&recording.mbid);
    json["releases"] = releases.map(|one| release_head(world, one)).collect();
    json
}

fn recording_with_works(world: &World, recording: &Recording) -> Value {
    let mut json = recording_json(world, recording);
    json["relations"] = json!([{"type": "performance", "target-type": "work",
                                "work": {"id": recording.work_mbid, "title": recording.title}}]);
    json
}

fn release_head(world: &World, release: &Release) -> Value {
    let group = if release.group.is_empty() {
        super::mbid(&release.mbid, 1)
    } else {
        release.group.clone()
    };
    json!({"id": release.mbid, "title": release.title, "date": release.date, "status": "Official",
           "disambiguation": release.remark, "track-count": release.tracks.len(),
           "artist-credit": credit(world, &release.artist, &release.artist_mbid, &[]),
           "release-group": {"id": group, "primary-type": "Album", "secondary-types": release.secondary}})
}

fn track_json(release: &Release, track: &Track) -> Value {
    let label = if track.label.is_empty() {
        track.number.to_string()
    } else {
        track.label.clone()
    };
    let length = (!release.unmeasured).then_some(track.length_ms);
    json!({"id": super::mbid("track", u64::from(track.number)), "position": track.number,
           "number": label, "title": track.title, "length": length})
}

fn format_of(release: &Release) -> &'static str {
    if release.format.is_empty() {
        "CD"
    } else {
        release.format
    }
}

fn media_of(release: &Release, tracks: impl Fn(u32) -> Vec<Value>) -> Vec<Value> {
    let discs = release.tracks.iter().map(|track| track.disc).max();
    (1..=discs.unwrap_or(1))
        .map(|disc| {
            let count = release.tracks.iter().filter(|one| one.disc == disc).count();
            json!({"position": disc, "format": format_of(release), "track-count": count, "tracks": tracks(disc)})
        })
        .collect()
}

fn release_json(world: &World, release: &Release) -> Value {
    let mut json = release_head(world, release);
    let tracks = |disc| {
        let on_it = release.tracks.iter().filter(|track| track.disc == disc);
        on_it
            .map(|track| {
                let mut json = track_json(release, track);
                json["recording"] = recording_with_works(world, &world.recordings[track.recording]);
                json
            })
            .collect()
    };
    json["media"] = Value::Array(media_of(release, tracks));
    json
}

/// A recording as a search finds it: its releases with the one track of each that it is on.
fn found_recording(world: &World, recording: &Recording) -> Value {
    let mut json = recording_json(world, recording);
    let releases = world.releases_of(&recording.mbid).map(|release| {
        let is_it = |track: &&Track| world.recordings[track.recording].mbid == recording.mbid;
        let media: Vec<_> = release
            .tracks
            .iter()
            .filter(is_it)
            .map(|track| {
                let on_disc = release.tracks.iter().filter(|one| one.disc == track.disc);
                json!({"position": track.disc, "format": format_of(release), "track-count": on_disc.count(),
                       "track-offset": track.number - 1, "track": [track_json(release, track)]})
            })
            .collect();
        let mut head = release_head(world, release);
        head["media"] = Value::Array(media);
        head
    });
    json["releases"] = releases.collect();
    json
}

/// The entries of a list that a query finds, as they are asked for.
fn page(
    found: &[(usize, f64)],
    query: &HashMap<String, String>,
    of: impl Fn(usize) -> Value,
) -> Vec<Value> {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let limit = number("limit").unwrap_or(25).clamp(1, 100);
    let entry = |(at, score): &(usize, f64)| {
        let mut json = of(*at);
        json["score"] = json!(*score as u64);
        json
    };
    let from = number("offset").unwrap_or(0);
    found.iter().skip(from).take(limit).map(entry).collect()
}

fn search_recordings(
    world: &World,
    indices: &Indices,
    query: &HashMap<String, String>,
) -> Option<Value> {
    let text = query.get("query").map_or("", String::as_str);
    let found = indices.recordings.search(text, "recording")?;
    let recordings = page(&found, query, |at| {
        found_recording(world, &world.recordings[at])
    });
    Some(json!({"count": found.len(), "offset": 0, "recordings": recordings}))
}

fn search_releases(
    world: &World,
    indices: &Indices,
    query: &HashMap<String, String>,
) -> Option<Value> {
    let text = query.get("query").map_or("", String::as_str);
    let found = indices.releases.search(text, "release")?;
    let releases = page(&found, query, |at| {
        let mut json = release_head(world, &world.releases[at]);
        json["media"] = Value::Array(media_of(&world.releases[at], |_| Vec::new()));
        json
    });
    Some(json!({"count": found.len(), "offset": 0, "releases": releases}))
}

fn search_artists(
    world: &World,
    indices: &Indices,
    query: &HashMap<String, String>,
) -> Option<Value> {
    let text = query.get("query").map_or("", String::as_str);
    let found = indices.artists.search(text, "artist")?;
    let artists = page(&found, query, |at| {
        let (id, name) = &indices.artists_by_number[at];
        artist_json(world, name, id)
    });
    Some(json!({"count": found.len(), "offset": 0, "artists": artists}))
}

/// Recordings that carry a code.
fn by_isrc(world: &World, isrc: &str) -> Option<Value> {
    let found: Vec<_> = world
        .recordings
        .iter()
        .filter(|one| one.isrc.as_deref() == Some(isrc))
        .map(|one| recording_json(world, one))
        .collect();
    (!found.is_empty()).then(|| json!({"isrc": isrc, "recordings": found}))
}

/// What is searched, made once for each world.
#[derive(Debug, Default)]
pub(super) struct Indices {
    recordings: Index,
    releases: Index,
    artists: Index,
    artists_by_number: Vec<(String, String)>,
}

impl Indices {
    pub(super) fn of(world: &World) -> Self {
        let mut indices = Self::default();
        let mut on: HashMap<usize, Vec<&Release>> = HashMap::new();
        for release in &world.releases {
            for track in &release.tracks {
                on.entry(track.recording).or_default().push(release);
            }
        }
        let mut artists = std::collections::BTreeMap::new();
        for (at, one) in world.recordings.iter().enumerate() {
            let mut document = Document::default();
            document.text("recording", &one.title);
            document.text("comment", &one.remark);
            document.exact("rid", &one.mbid);
            if let Some(isrc) = &one.isrc {
                document.exact("isrc", isrc);
            }
            document.number = (!one.unmeasured).then_some(one.length_ms);
            let mut whole = one.artist.clone();
            for guest in &one.guests {
                whole.push_str(&guest.join);
                whole.push_str(&guest.name);
            }
            document.text("artist", &whole);
            let main = (&one.artist, &one.artist_mbid);
            let guests = one.guests.iter().map(|guest| (&guest.name, &guest.mbid));
            for (name, id) in std::iter::once(main).chain(guests) {
                artists.insert(id.clone(), name.clone());
                document.exact("arid", id);
                document.text("artistname", name);
                document.text("creditname", name);
            }
            for release in on.get(&at).into_iter().flatten() {
                document.text("release", &release.title);
                document.exact("reid", &release.mbid);
                document.exact("rgid", &release.group);
                artists.insert(release.artist_mbid.clone(), release.artist.clone());
            }
            indices.recordings.add(document);
        }
        for one in &world.releases {
            let mut document = Document::default();
            document.text("release", &one.title);
            document.text("comment", &one.remark);
            document.text("artist", &one.artist);
            document.text("artistname", &one.artist);
            document.text("creditname", &one.artist);
            document.exact("arid", &one.artist_mbid);
            document.exact("reid", &one.mbid);
            document.exact("rgid", &one.group);
            document.exact("tracks", &one.tracks.len().to_string());
            indices.releases.add(document);
        }
        for (id, name) in artists {
            let other = world.artists.get(&id).cloned().unwrap_or_default();
            let mut document = Document::default();
            document.text("artist", &name);
            document.text(
                "sortname",
                if other.sort_name.is_empty() {
                    &name
                } else {
                    &other.sort_name
                },
            );
            document.text("comment", &other.remark);
            document.exact("arid", &id);
            for alias in &other.aliases {
                document.text("alias", alias);
            }
            indices.artists.add(document);
            indices.artists_by_number.push((id, name));
        }
        indices
    }
}

fn pairs(text: &str) -> HashMap<String, String> {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
