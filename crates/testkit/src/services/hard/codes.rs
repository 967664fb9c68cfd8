//! Ids, codes and fingerprints that contradict what else is known, and data that is missing.

use serde_json::json;

use super::{About, Maker, Print, linked, tags};
use crate::services::world::Linked;

impl Maker {
    pub(super) fn codes(&mut self) {
        self.code_on_two_recordings();
        self.id_of_something_else();
        self.link_of_one_person();
        self.tags_shifted_by_one();
        self.without_lengths();
        self.links_without_names();
        self.merged_ids();
        self.lone_file_of_an_album();
        self.unknown_audio();
        self.untagged_known_to_acoustid();
    }

    /// One ISRC on the studio recording and on a remix of it.
    fn code_on_two_recordings(&mut self) {
        let (by, title, songs) = self.album(4);
        let remixes = self.again(&songs, "remix", &by, (8_000, 60_000));
        self.publish(&format!("{title} Remixed"), &by, &remixes, About::default());
        for ((name, length, right), (_, _, wrong)) in songs.iter().zip(&remixes).take(2) {
            let isrc = format!("QZTWO{right:07}");
            self.world.recordings[*right].isrc = Some(isrc.clone());
            self.world.recordings[*wrong].isrc = Some(isrc.clone());
            self.next_folder();
            let tags = json!({"title": name, "artist": by.name, "album": title, "isrc": isrc});
            self.file(
                "code on two recordings",
                *length,
                tags,
                (Some(*right), true),
                Print::Unknown,
            );
        }
    }

    /// An embedded id of a recording with another title and another artist.
    fn id_of_something_else(&mut self) {
        let (_, _, others) = self.album(4);
        let (by, title, songs) = self.album(4);
        for ((name, length, right), (_, _, wrong)) in songs.iter().zip(&others).take(3) {
            self.next_folder();
            let id = self.world.recordings[*wrong].mbid.clone();
            let tags =
                json!({"title": name, "artist": by.name, "album": title, "recording_mbid": id});
            // Without another word the tags may also be those of the id: the names are the majority.
            self.file(
                "id of something else",
                *length,
                tags,
                (Some(*right), true),
                Print::Usual(*right),
            );
        }
    }

    /// One person sent in a fingerprint under the wrong name; title, artist and length say otherwise.
    fn link_of_one_person(&mut self) {
        let (_, _, others) = self.album(4);
        let (by, title, songs) = self.album(4);
        for ((name, length, right), (_, _, wrong)) in songs.iter().zip(&others).take(3) {
            self.next_folder();
            let tags = json!({"title": name, "artist": by.name, "album": title});
            let print = Print::Just(0.97, vec![linked(*wrong, 1)]);
            self.file(
                "link of one person",
                *length,
                tags,
                (Some(*right), true),
                print,
            );
        }
    }

    /// Every title of an album has slipped to the file after it; the fingerprints agree with each other.
    fn tags_shifted_by_one(&mut self) {
        let (by, title, songs) = self.album(9);
        self.next_folder();
        for (at, (_, length, recording)) in songs.iter().enumerate() {
            let (name, ..) = &songs[(at + 1) % songs.len()];
            let tags = tags(name, &by.name, &title, (at + 1) % songs.len(), songs.len());
            let people = self.between(5, 30);
            let print = if at == 4 {
                Print::Unknown
            } else {
                Print::Just(0.98, vec![linked(*recording, people)])
            };
            self.file(
                "tags shifted by one",
                *length,
                tags,
                (Some(*recording), at != 4),
                print,
            );
        }
    }

    /// Nobody has entered the lengths of a release, or of its recordings either.
    fn without_lengths(&mut self) {
        let by = self.person();
        let title = self.title();
        let songs = self.songs(7, &by);
        for (.., recording) in &songs {
            self.world.recordings[*recording].unmeasured = true;
        }
        self.publish(
            &title,
            &by,
            &songs,
            About {
                unmeasured: true,
                ..About::default()
            },
        );
        self.folder_of("without lengths", (&by.name, &title), &songs, true);
    }

    /// `AcoustID` knows ids and no names.
    fn links_without_names(&mut self) {
        let (by, title, songs) = self.album(4);
        for (at, (name, length, recording)) in songs.iter().enumerate() {
            self.next_folder();
            let people = self.between(3, 20);
            let nameless = Linked {
                nameless: true,
                ..linked(*recording, people)
            };
            let tags = if at % 2 == 0 {
                json!({})
            } else {
                json!({"title": name, "artist": by.name, "album": title})
            };
            let print = Print::Just(0.97, vec![nameless]);
            self.file(
                "link without names",
                *length,
                tags,
                (Some(*recording), true),
                print,
            );
        }
    }

    /// Half of the people knew a recording under an id that was merged into another.
    fn merged_ids(&mut self) {
        let (by, title, songs) = self.album(4);
        for (name, length, recording) in songs.iter().take(3) {
            self.next_folder();
            let now = self.world.recordings[*recording].mbid.clone();
            let former = super::mbid("hard former", *recording as u64);
            self.world.merged.insert(former.clone(), now);
            let (some, others) = (self.between(4, 12), self.between(4, 12));
            let old = Linked {
                former: Some(former),
                ..linked(*recording, some)
            };
            let print = Print::Just(0.98, vec![linked(*recording, others), old]);
            let tags = if self.chance(50) {
                json!({"title": name, "artist": by.name, "album": title})
            } else {
                json!({})
            };
            self.file("merged ids", *length, tags, (Some(*recording), true), print);
        }
    }

    /// A lone file: its song is on the album that the tags name, and as another recording on a single.
    fn lone_file_of_an_album(&mut self) {
        let (by, title, songs) = self.album(5);
        let other = self.again(&songs[..2], "", &by, (0, 2_500));
        let (single, ..) = other[0].clone();
        self.publish(&single, &by, &other[..1], About::default());
        let later = self.title();
        self.publish(&later, &by, &other[1..], About::default());
        for (at, (name, length, recording)) in songs.iter().take(2).enumerate() {
            self.next_folder();
            let tags = json!({"title": name, "artist": by.name, "album": title, "track": at + 1});
            self.file(
                "lone file of an album",
                *length,
                tags,
                (Some(*recording), true),
                Print::Unknown,
            );
            self.next_folder();
            // Nothing says which of the two this is.
            let tags = json!({"title": name, "artist": by.name});
            self.file(
                "one of two recordings",
                *length,
                tags,
                (Some(*recording), false),
                Print::Unknown,
            );
        }
    }

    fn unknown_audio(&mut self) {
        let (by, album, songs) = self.album(3);
        for at in 0..3 {
            self.next_folder();
            let length = self.length();
            let (title, artist) = (self.title(), self.person().name);
            let tags = match at {
                0 => json!({"title": title, "artist": artist, "album": "Home Tapes"}),
                1 => json!({"title": title, "artist": by.name, "album": album}),
                _ => json!({"title": songs[0].0, "artist": artist}),
            };
            self.file("unknown audio", length, tags, (None, false), Print::Unknown);
        }
    }

    fn untagged_known_to_acoustid(&mut self) {
        let (_, _, songs) = self.album(4);
        for (_, length, recording) in songs.iter().take(3) {
            self.next_folder();
            let people = self.between(1, 30);
            let print = Print::Just(0.96, vec![linked(*recording, people)]);
            self.file(
                "untagged, known by sound",
                *length,
                json!({}),
                (Some(*recording), people > 2),
                print,
            );
        }
    }
}
