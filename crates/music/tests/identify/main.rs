//! Identification against services on the loopback that are sometimes slow, wrong or gone.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself may"
)]

mod rivals;
mod told;
mod twins;
mod word;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use music::identify::ask::CachedServices;
use music::identify::{Identified, OutagePolicy, identify};
use music::library::answers::Answers;
use music::library::due::Scope;
use music::services::{Endpoints, Patience, Services};
use music::{DATABASE, Library};
use run::Cancel;
use rusqlite::Connection;
use tempfile::TempDir;
use testkit::services::{
    FakeServices, Fault, KEY, MadeFile, Recording, Service, Tagging, World, files_of, mbid, seed,
    shelves,
};

struct Place {
    folder: TempDir,
    fake: FakeServices,
    files: Vec<MadeFile>,
}

impl Place {
    fn new(number: u64, folders: usize) -> Self {
        let mut world = World::generate(number, 12);
        let files = files_of(&mut world, number, folders);
        Self::of(world, files)
    }

    fn of(world: World, files: Vec<MadeFile>) -> Self {
        let folder = TempDir::new().unwrap();
        let library = Library::open(&folder.path().join(DATABASE), folder.path()).unwrap();
        library.close().unwrap();
        seed(&folder.path().join(DATABASE), &files).unwrap();
        Self {
            folder,
            fake: FakeServices::start(world).unwrap(),
            files,
        }
    }

    fn library(&self) -> Library {
        let library =
            Library::open(&self.folder.path().join(DATABASE), self.folder.path()).unwrap();
        for (key, value) in self.fake.settings() {
            music::library::settings::set(library.db(), key, Some(&value)).unwrap();
        }
        library
    }

    fn endpoints(&self, library: &Library) -> Endpoints {
        let _ = self;
        Endpoints {
            acoustid_rate: 0.0,
            musicbrainz_rate: 0.0,
            acousticbrainz_rate: 0.0,
            patience: Duration::from_millis(400),
            attempts: 2,
            ..Endpoints::load(library.db(), Some(web::Secret::new(KEY))).unwrap()
        }
    }

    fn identify(&self) -> Identified {
        self.identify_with(|_| {}, &Scope::default(), OutagePolicy::Thorough)
    }

    fn identify_with(
        &self,
        change: impl FnOnce(&mut Endpoints),
        scope: &Scope,
        manner: OutagePolicy,
    ) -> Identified {
        let library = self.library();
        let mut endpoints = self.endpoints(&library);
        change(&mut endpoints);
        let services = Services::new(&endpoints).unwrap();
        let answers = Answers::new(library.db().clone(), scope.retry);
        let patience = Patience::new(Cancel::new());
        let before = library.db().report().transactions;
        let report = identify(
            &library,
            &services,
            &answers,
            &patience,
            (scope, manner),
            &|_| {},
        )
        .unwrap();
        let transactions = library.db().report().transactions - before;
        library.close().unwrap();
        let files = self.number("SELECT count(*) FROM files");
        assert!(
            transactions <= files as u64 + 1,
            "{transactions} transactions for {files} files"
        );
        report
    }

    /// With the services and what they have answered this library.
    fn ask<T>(&self, library: &Library, ask: impl FnOnce(&CachedServices<'_>) -> T) -> T {
        ask(&CachedServices {
            services: &Services::new(&self.endpoints(library)).unwrap(),
            answers: &Answers::new(library.db().clone(), false),
            patience: &Patience::new(Cancel::new()),
        })
    }

    fn number(&self, sql: &str) -> i64 {
        let connection = Connection::open(self.folder.path().join(DATABASE)).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Per path the level, the recording that is linked, and the likeliest one.
    fn answers(&self) -> HashMap<String, (String, Option<String>, Option<String>)> {
        let connection = Connection::open(self.folder.path().join(DATABASE)).unwrap();
        let sql = "SELECT f.path, i.level, p.recording_mbid, json_extract(i.reasoning, '$.candidates[0].recording_mbid') \
                   FROM passages p JOIN files f ON f.guid = p.file_id \
                   JOIN accession_identifications i ON i.passage_id = p.guid";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Everything that identification writes but ids and times, in order.
    fn rows(&self) -> Vec<String> {
        let connection = Connection::open(self.folder.path().join(DATABASE)).unwrap();
        let sql = "SELECT 'p ' || p.guid || coalesce(p.recording_mbid, '-') || (p.song_id IS NULL) || coalesce(p.title, '') \
                       || coalesce(p.identity_confidence, '-') FROM passages p \
                   UNION ALL SELECT 'i ' || passage_id || state || level || reasoning FROM accession_identifications \
                   UNION ALL SELECT 's ' || recording_mbid || title FROM songs \
                   UNION ALL SELECT 'a ' || artist_mbid FROM artists \
                   UNION ALL SELECT 'w ' || work_mbid FROM works \
                   UNION ALL SELECT 'l ' || album_mbid || title FROM albums \
                   UNION ALL SELECT 'ps ' || passage_id || s.recording_mbid || start_time_ticks || end_time_ticks \
                       FROM passage_songs JOIN songs s ON s.guid = song_id \
                   UNION ALL SELECT 'sa ' || s.recording_mbid || a.artist_mbid || weight FROM song_artists \
                       JOIN songs s ON s.guid = song_id JOIN artists a ON a.guid = artist_id \
                   UNION ALL SELECT 'sw ' || s.recording_mbid || w.work_mbid FROM song_works \
                       JOIN songs s ON s.guid = song_id JOIN works w ON w.guid = song_works.work_id \
                   UNION ALL SELECT 'pa ' || passage_id || l.album_mbid FROM passage_albums \
                       JOIN albums l ON l.guid = album_id \
                   UNION ALL SELECT 'ip ' || passage_id || source_type || confidence FROM import_provenance \
                   ORDER BY 1";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

fn later(report: &Identified) -> bool {
    report.retry_later > 0
}

#[test]
fn answers_are_right_and_the_second_run_asks_nobody() {
    let place = Place::new(7, 12);
    let report = place.identify();
    assert_eq!(report.retry_later + report.not_reached, 0, "{report:?}");
    assert!(report.high > report.passages / 3, "{report:?}");
    for file in &place.files {
        let wrong = place.number(&format!(
            "SELECT count(*) FROM passages p JOIN files f ON f.guid = p.file_id \
             JOIN accession_identifications i ON i.passage_id = p.guid \
             WHERE f.path = '{}' AND i.level = 'high' AND p.recording_mbid IS NOT '{}'",
            file.path,
            file.truth.as_deref().unwrap_or("nothing")
        ));
        assert_eq!(wrong, 0, "{file:?}");
    }
    assert_eq!(place.number("SELECT count(*) FROM (SELECT sum(weight) w FROM song_artists GROUP BY song_id) WHERE abs(w - 1) > 1e-9"), 0);
    assert_eq!(
        place.number("SELECT count(*) FROM pragma_foreign_key_check"),
        0
    );
    let (rows, asked) = (place.rows(), place.fake.requests().len());
    let again = place.identify();
    assert_eq!((again.passages, again.requests), (0, 0));
    // Also when everything is to be found out anew: the answers are there.
    let connection = Connection::open(place.folder.path().join(DATABASE)).unwrap();
    connection
        .execute("DELETE FROM accession_identifications", [])
        .unwrap();
    drop(connection);
    place.identify();
    assert_eq!(place.rows(), rows);
    assert_eq!(place.fake.requests().len(), asked);
}

/// A world of recordings by artists of their own, and files of one folder that are called so but for their artists, where
/// those are said.
fn loose(known: usize, unknown: usize) -> Place {
    let recording = |at: usize| Recording {
        mbid: mbid("loose recording", at as u64),
        title: format!("Song of the {at} Rivers"),
        artist: format!("Rower {at} and Sons"),
        artist_mbid: mbid("loose artist", at as u64),
        length_ms: 150_000 + 1_700 * at as u64,
        ..Recording::default()
    };
    let file = |at: usize, truth: Option<&Recording>| MadeFile {
        path: format!("loose/{at:03}.mp3"),
        length_ms: truth.map_or(200_000, |truth| truth.length_ms + 150),
        fingerprint: format!("AQAA{at}"),
        tags: match truth {
            Some(truth) => serde_json::json!({ "title": truth.title, "artist": truth.artist }),
            None => serde_json::json!({
                "title": format!("Nowhere {at} at All"), "artist": format!("Nobody's {at} Band")
            }),
        },
        tagging: Tagging::Good,
        truth: truth.map(|truth| truth.mbid.clone()),
        identifiable: truth.is_some(),
    };
    let mut world = World::default();
    world.recordings = (0..known).map(recording).collect();
    let nowhere = (0..unknown).map(|at| file(at, None));
    let mut files: Vec<_> = nowhere.collect();
    let somewhere = world.recordings.iter().enumerate();
    files.extend(somewhere.map(|(at, truth)| file(unknown + at, Some(truth))));
    Place::of(world, files)
}

/// What stands behind many files that nobody knows, or behind many others, is asked about as they are; "known to nobody" is
/// said of nothing that was not asked about.
#[test]
fn loose_files_of_one_folder_are_all_asked_about() {
    for (known, unknown) in [(40, 0), (10, 30)] {
        let place = loose(known, unknown);
        let report = place.identify();
        assert_eq!(report.high + report.medium, known as u64, "{report:?}");
        let asked = place.fake.requests().len();
        assert!(asked <= 40, "{asked} questions about {known} and {unknown}");
        assert_eq!(place.identify().requests, 0);
    }
}

/// On a world that no weight was fitted on.
#[test]
fn levels_mean_what_they_say_and_what_is_open_is_in_review() {
    let (world, shelves) = shelves::generate(11, 1);
    let files = shelves.into_iter().map(|one| one.file).collect();
    let place = Place::of(world, files);
    place.identify();
    let asked = place.fake.requests().len();
    place.identify();
    assert_eq!(place.fake.requests().len(), asked);
    let library = place.library();
    let doubts = music::library::review::doubtful_matches(&library).unwrap();
    let in_review: HashSet<_> = doubts.into_iter().map(|doubt| doubt.path).collect();
    let found = place.answers();
    let (mut right, mut all, mut missed, mut hidden) = ([0_u32; 2], [0_u32; 2], 0, Vec::new());
    for file in &place.files {
        let (level, recording, first) = &found[&file.path];
        let is_right = *recording == file.truth;
        if recording.is_some() {
            let at = usize::from(level != "high");
            all[at] += 1;
            right[at] += u32::from(is_right);
        }
        missed += u32::from(recording.is_none() && file.identifiable);
        let is_open = recording.is_none() && first.is_some() && *first == file.truth;
        let is_wrong = recording.is_some() && !is_right;
        if (is_open || is_wrong) && !in_review.contains(&file.path) {
            hidden.push(&file.tags);
        }
    }
    assert!(
        all[0] >= 700 && right[0] * 1000 >= all[0] * 995,
        "high: {right:?} of {all:?}"
    );
    assert!(
        right[1] * 100 >= all[1] * 95,
        "medium: {right:?} of {all:?}"
    );
    assert!(missed <= 30, "{missed} missed though the evidence is clear");
    assert!(hidden.len() <= 3, "not in review: {hidden:?}");
    // 6,000 such files in an hour at a question a second.
    let questions = place.fake.requests();
    let questions = questions
        .iter()
        .filter(|one| one.service == Service::MusicBrainz);
    let (questions, files) = (questions.count(), place.files.len());
    assert!(
        questions * 100 <= files * 60,
        "{questions} questions for {files} files"
    );
}

#[test]
fn flavors_are_fetched_once_and_shown_where_there_is_none() {
    let place = Place::new(5, 2);
    place.identify();
    let library = place.library();
    place
        .fake
        .fail(Service::AcousticBrainz, Fault::Status(404), 1);
    let fetch = || {
        place.ask(&library, |asker| {
            music::identify::flavor::fetch(&library, asker).unwrap()
        })
    };
    let first = fetch();
    assert!(first.found > 0 && first.unknown == 1, "{first:?}");
    let again = fetch();
    assert_eq!(again.recordings, 0);
    library.close().unwrap();
    let shown = "SELECT count(DISTINCT recording_mbid) FROM passages \
                 WHERE json_extract(musical_flavor_vector, '$.danceability.danceable') = 0.75";
    assert_eq!(place.number(shown) as u64, first.found);
}

#[test]
fn no_service_is_asked_more_often_than_it_wants() {
    let place = Place::new(3, 5);
    let rates = |endpoints: &mut Endpoints| {
        endpoints.acoustid_rate = 3.0;
        endpoints.musicbrainz_rate = 1.0;
        endpoints.patience = Duration::from_secs(5);
        endpoints.contact = "mailto:somebody@example.org".to_owned();
    };
    place.identify_with(rates, &Scope::default(), OutagePolicy::Thorough);
    assert!(place.fake.most_in_a_second(Service::AcoustId) <= 3);
    assert!(place.fake.most_in_a_second(Service::MusicBrainz) <= 1);
    let requests = place.fake.requests();
    assert!(
        requests
            .iter()
            .all(|one| one.user_agent.starts_with("accession/"))
    );
    assert!(
        requests
            .iter()
            .all(|one| one.user_agent.contains("somebody@example.org"))
    );
    assert!(requests.iter().all(|one| !one.target.contains(KEY)));
}

#[test]
fn an_outage_is_passed_over_or_left_for_later() {
    let place = Place::new(11, 6);
    // Once is no outage.
    for fault in [Fault::Status(503), Fault::Dead, Fault::HalfClosed] {
        place.fake.fail(Service::AcoustId, fault.clone(), 1);
        place.fake.fail(Service::MusicBrainz, fault, 1);
        let report = place.identify_with(
            |endpoints| endpoints.attempts = 3,
            &Scope::default(),
            OutagePolicy::Thorough,
        );
        assert_eq!(report.retry_later, 0, "{report:?}");
        let connection = Connection::open(place.folder.path().join(DATABASE)).unwrap();
        for table in ["accession_identifications", "accession_answers"] {
            connection
                .execute(&format!("DELETE FROM {table}"), [])
                .unwrap();
        }
    }
    for fault in [
        Fault::Silent,
        Fault::Slow(Duration::from_secs(2)),
        Fault::Status(500),
        Fault::Dead,
        Fault::Portal,
        Fault::BadKey,
    ] {
        place.fake.fail(Service::AcoustId, fault.clone(), 1_000);
        if fault != Fault::BadKey {
            place.fake.fail(Service::MusicBrainz, fault.clone(), 1_000);
        }
        let report = place.identify();
        assert!(later(&report), "{fault:?} {report:?}");
        assert!(!report.troubles.is_empty(), "{fault:?}");
        let said = report.troubles.join("; ");
        assert!(!said.contains(KEY), "{said}");
        match fault {
            Fault::Portal => assert!(said.contains("sign-in"), "{said}"),
            Fault::BadKey => assert!(said.contains("invalid API key"), "{said}"),
            _ => {}
        }
        // What AcoustID alone would have known is tried again, and found.
        place.fake.mend();
        let report = place.identify();
        assert_eq!(report.retry_later, 0, "{fault:?} {report:?}");
        assert!(report.passages > 0);
        let connection = Connection::open(place.folder.path().join(DATABASE)).unwrap();
        for table in ["accession_identifications", "accession_answers"] {
            connection
                .execute(&format!("DELETE FROM {table}"), [])
                .unwrap();
        }
    }
}

#[test]
fn a_service_that_is_down_ends_a_brisk_run_at_once() {
    let place = Place::new(5, 10);
    place.fake.fail(Service::AcoustId, Fault::Silent, 1_000);
    let report = place.identify_with(|_| {}, &Scope::default(), OutagePolicy::Brisk);
    assert_eq!(report.not_reached, 0, "{report:?}");
    assert!(
        place.fake.requests().len() < 20,
        "{}",
        place.fake.requests().len()
    );
    let left = "SELECT count(*) FROM accession_identifications WHERE state = 'retry_later'";
    assert_eq!(place.number(left) as u64, report.retry_later);
    assert!(report.retry_later > report.passages / 2);
}

/// Writes a file without tags in which silence has told songs of these lengths apart, with two seconds between them.
fn seed_passages(place: &Place, (id, path): (&str, &str), lengths: &[u64]) {
    let connection = Connection::open(place.folder.path().join(DATABASE)).unwrap();
    let all: u64 = lengths.iter().map(|length| length + 2_000).sum();
    connection
        .execute_batch(&format!(
            "INSERT INTO files (guid, path, hash, duration_ticks, modification_time, status) \
             VALUES ('{id}', '{path}', '{id}', {}, '2025-01-01 00:00:00', 'INGEST COMPLETE'); \
             INSERT INTO accession_files (file_id, modified_ns, analysis_version, tags) VALUES ('{id}', 0, 99, '{{}}');",
            all * 28_224
        ))
        .unwrap();
    let mut at = 500;
    for (number, length) in lengths.iter().enumerate() {
        connection
            .execute(
                "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, status) \
                 VALUES (?1, ?2, ?3, ?4, 'INGEST COMPLETE')",
                rusqlite::params![
                    format!("{id}-{number}"),
                    id,
                    at * 28_224,
                    (at + *length as i64) * 28_224
                ],
            )
            .unwrap();
        at += *length as i64 + 2_000;
    }
}

/// Writes an album in one file: two tracks run into each other, another has a rest in it.
fn seed_rip(place: &Place, artist: &str, album: &str, lengths: &[u64]) -> Vec<(i64, i64)> {
    let connection = Connection::open(place.folder.path().join(DATABASE)).unwrap();
    let mut spans = Vec::new();
    let mut at = 700;
    for length in lengths {
        let length = *length as i64;
        spans.push((at, at + length - 1_000));
        at += length;
    }
    let segue = spans[2].1;
    let rest = i64::midpoint(spans[4].0, spans[4].1);
    let mut found = spans.clone();
    found[2].1 = found[3].1;
    found.remove(3);
    // The fifth track is the fourth passage now.
    let (start, end) = found[3];
    found[3] = (start, rest);
    found.insert(4, (rest + 600, end));
    let gap = |from: i64, to: i64, cut: bool| {
        serde_json::json!({"start_s": from as f64 / 1000.0, "end_s": to as f64 / 1000.0, "dbfs": -52.0,
                           "confidence": 0.4, "sound_seconds": 60.0, "cut": cut})
    };
    let segmentation = serde_json::json!({"single_track": false, "score": 0.0, "clues": [], "silence_dbfs": -35.0,
        "gaps": [gap(segue - 200, segue + 200, false), gap(rest, rest + 600, true)]});
    let tags = serde_json::json!({"album": album, "artist": artist});
    connection
        .execute_batch(&format!(
            "INSERT INTO files (guid, path, hash, duration_ticks, modification_time, status) \
             VALUES ('rip', 'Rip/all.flac', 'x', {}, '2025-01-01 00:00:00', 'INGEST COMPLETE'); \
             INSERT INTO accession_files (file_id, modified_ns, analysis_version, tags, segmentation) \
             VALUES ('rip', 0, 99, '{tags}', '{segmentation}');",
            at * 28_224
        ))
        .unwrap();
    for (number, (start, end)) in found.iter().enumerate() {
        connection
            .execute(
                "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, status) \
                 VALUES (?1, 'rip', ?2, ?3, 'INGEST COMPLETE')",
                rusqlite::params![format!("rip-{number}"), start * 28_224, end * 28_224],
            )
            .unwrap();
    }
    spans
}

#[test]
fn a_rip_is_cut_where_its_release_says_and_the_audio_is_quiet() {
    let place = Place::new(13, 0);
    let world = place.fake.world().clone();
    let release = world
        .releases
        .iter()
        .find(|one| one.kind == testkit::services::Kind::Album)
        .unwrap();
    let lengths: Vec<_> = release.tracks.iter().map(|track| track.length_ms).collect();
    let spans = seed_rip(&place, &release.artist, &release.title, &lengths);
    let report = place.identify_with(|_| {}, &Scope::default(), OutagePolicy::Thorough);
    assert_eq!(
        report.high + report.medium,
        lengths.len() as u64,
        "{report:?}"
    );
    let connection = Connection::open(place.folder.path().join(DATABASE)).unwrap();
    let found: Vec<(String, i64, i64, String)> = connection
        .prepare("SELECT guid, start_time_ticks, end_time_ticks, recording_mbid FROM passages ORDER BY start_time_ticks")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(found.len(), spans.len());
    for ((id, start, end, mbid), (wanted, track)) in
        found.iter().zip(spans.iter().zip(&release.tracks))
    {
        assert!(
            (start / 28_224).abs_diff(wanted.0) <= 1_000,
            "{id} starts at {start}"
        );
        assert!(
            (end / 28_224).abs_diff(wanted.1) <= 1_000,
            "{id} ends at {end}"
        );
        assert_eq!(*mbid, world.recordings[track.recording].mbid, "{id}");
    }
    assert!(
        found[0].0 == "rip-0" && found[1].0 == "rip-1",
        "what stays keeps its id"
    );
    // The next import hears it again, for what has changed was never heard.
    assert_eq!(report.cut_anew, 1);
    assert_eq!(
        place.number("SELECT analysis_version FROM accession_files WHERE file_id = 'rip'"),
        0
    );
    let again = place.identify();
    assert_eq!((again.passages, again.requests), (0, 0));
}
