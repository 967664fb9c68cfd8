//! Versions: those that the catalogue lacks, those that it has, and words that only look like one.

use serde_json::json;

use super::{About, Clear, Maker, Sound, Unclear, said_by, tags};

/// How people call a concert, in their languages.
const LIVE: [&str; 12] = [
    "Live in Tokyo",
    "en vivo",
    "ao vivo",
    "en directo",
    "dal vivo",
    "en concert",
    "на концерте",
    "ライブ",
    "na żywo",
    "live im Stadtpark",
    "élőben",
    "canlı",
];
/// Versions that sound unlike the recording that everybody knows.
const OTHERS: [&str; 18] = [
    "Acoustic",
    "Piano Version",
    "Orchestral Version",
    "A Cappella",
    "Sped Up",
    "Slowed + Reverb",
    "Nightcore",
    "Demo",
    "Rough Mix",
    "Extended Mix",
    "Club Mix",
    "Instrumental",
    "Radio Edit",
    "Versión acústica",
    "Unplugged",
    "Rehearsal",
    "Alternate Take",
    "2019 Re-Recording",
];
/// Words that people add to the very recording that everybody knows.
const SAME: [&str; 8] = [
    "Album Version",
    "LP Version",
    "Explicit",
    "2011 Remaster",
    "Remastered",
    "Original Version",
    "Digital Remaster",
    "Remastered 2009",
];
/// What a new edition is called whose first tracks are the album's.
const EDITIONS: [&str; 8] = [
    "Deluxe Edition",
    "Expanded",
    "Bonus Tracks",
    "Édition limitée",
    "Japan Edition",
    "25th Anniversary Edition",
    "Special Edition",
    "Deluxe",
];
/// Titles whose words only look like those of a version.
const OWN_WORDS: [&str; 10] = [
    "Live and Let Go",
    "Demolition",
    "Remix My Heart",
    "Karaoke Queen",
    "Acoustic Ladyland",
    "Covers",
    "The Demo Tape Song",
    "Living Proof",
    "Instrumental Asylum",
    "Take Two",
];

impl Maker {
    pub(super) fn versions(&mut self) {
        self.album_of_another_kind();
        self.title_of_another_kind();
        self.by_somebody_else();
        self.same_with_more_words();
        self.own_words();
        self.kinds_that_exist();
        self.live_of_the_same_length();
        self.second_cycle();
        self.mono_before_stereo();
        self.told_by_remarks();
        self.bonus_track_of_one_edition();
    }

    /// Albums of instrumentals, bootlegs, tributes and new recordings: plain titles under an album that is not there.
    fn album_of_another_kind(&mut self) {
        let albums: [(&'static str, &str, u64, u64); 6] = [
            (
                "album of instrumentals, absent",
                "{} (Instrumentals)",
                0,
                900,
            ),
            (
                "bootleg, absent",
                "1978-07-14 Capitol Theatre, Passaic (SBD)",
                4_000,
                60_000,
            ),
            ("bootleg, absent", "Live at Budokan Hall", 2_500, 45_000),
            (
                "re-recorded hits, absent",
                "Greatest Hits (Re-Recorded Versions)",
                0,
                4_000,
            ),
            ("demos, absent", "{} - The Demos", 1_500, 30_000),
            ("karaoke album, absent", "Karaoke Hits of {}", 0, 2_000),
        ];
        for (kind, pattern, low, high) in albums {
            let (who, title, songs) = self.album(7);
            let album = pattern.replace("{}", &title);
            self.strangers(kind, &songs, (low, high), |at, song| {
                tags(&song.title, &who.name, &album, at, songs.len())
            });
        }
    }

    /// A word in the title that no recording of the song has.
    fn title_of_another_kind(&mut self) {
        let (who, title, songs) = self.album(12);
        for (at, (song, word)) in songs.iter().zip(LIVE).enumerate() {
            self.next_shelf();
            let name = if at % 2 == 0 {
                format!("{} ({word})", song.title)
            } else {
                format!("{} - {word}", song.title)
            };
            let tags = if at % 3 == 0 {
                tags(&name, &who.name, &title, at, 12)
            } else {
                json!({"title": name, "artist": who.name})
            };
            let ms = song
                .ms
                .saturating_add_signed(self.within(0, 30_000) as i64 - 12_000);
            self.stranger("live title, absent", ms, tags);
        }
        for _ in 0..2 {
            let (who, _, songs) = self.album(9);
            for song in &songs {
                self.next_shelf();
                let word = *self.random.pick(&OTHERS);
                let name = if self.chance(60) {
                    format!("{} ({word})", song.title)
                } else {
                    format!("{} - {word}", song.title)
                };
                let ms = song
                    .ms
                    .saturating_add_signed(self.within(0, 16_000) as i64 - 8_000);
                self.stranger(
                    "version in title, absent",
                    ms,
                    json!({"title": name, "artist": who.name}),
                );
            }
        }
        let (who, title, songs) = self.album(3);
        for (song, word) in songs.iter().zip(["Commentary", "Interview", "Making Of"]) {
            self.next_shelf();
            let name = format!("{} ({word})", song.title);
            let ms = self.within(60_000, 200_000);
            self.stranger(
                "talk about a song",
                ms,
                json!({"title": name, "artist": who.name, "album": title}),
            );
        }
    }

    /// Covers, tributes and karaoke by people whom the catalogue does not have.
    fn by_somebody_else(&mut self) {
        let (who, title, songs) = self.album(6);
        let bits = format!("8-Bit Tribute to {}", who.name);
        self.strangers("tribute, absent", &songs, (0, 3_000), |at, song| {
            tags(&song.title, "Pixel Arcade Players", &bits, at, 6)
        });
        let style = format!("in the Style of {}", who.name);
        self.strangers("karaoke, absent", &songs[..4], (0, 3_000), |_, song| {
            json!({"title": format!("{} ({style}) [Karaoke Version]", song.title), "artist": "Singalong Party Band",
                   "album": format!("Sing {title}")})
        });
        let (_, _, songs) = self.album(4);
        for song in &songs {
            self.next_shelf();
            let cover = self.player();
            let ms = song
                .ms
                .saturating_add_signed(self.within(0, 14_000) as i64 - 7_000);
            self.stranger(
                "cover, absent",
                ms,
                json!({"title": song.title, "artist": cover.name}),
            );
        }
        // A cover that is there, beside the original.
        let (who, _, songs) = self.album(4);
        let others = self.player();
        let covers = self.all_again(&others, &songs, "", (0, 9_000));
        let title = format!("{} Plays {}", others.name, who.name);
        self.publish(&others, &title, &covers, About::default());
        self.shelf_of("cover that exists", &covers, Clear, |at, song| {
            tags(&song.title, &others.name, &title, at, 4)
        });
    }

    /// Words that change nothing: what people's shops add to the recording that everybody has.
    fn same_with_more_words(&mut self) {
        let (who, title, songs) = self.album(8);
        self.shelf_of("same, with a shop's words", &songs, Clear, |at, song| {
            let word = SAME[at % SAME.len()];
            let name = if at % 2 == 0 {
                format!("{} ({word})", song.title)
            } else {
                format!("{} - {word}", song.title)
            };
            tags(&name, &who.name, &title, at, 8)
        });
        let (who, title, songs) = self.album(8);
        for (at, song) in songs.iter().enumerate() {
            self.next_shelf();
            let word = SAME[at % SAME.len()];
            let name = format!("{} [{word}]", song.title);
            self.file(
                "same, with a shop's words",
                song,
                json!({"title": name, "artist": who.name, "album": title}),
                Clear,
                Sound::Usual,
            );
        }
        for at in 0..2 {
            let (who, title, songs) = self.album(8);
            let word = EDITIONS[(at * 3 + self.random.below(3) as usize) % EDITIONS.len()];
            let album = if at == 0 {
                format!("{title} ({word})")
            } else {
                format!("{title} [{word}]")
            };
            self.shelf_of("edition that is not there", &songs, Clear, |at, song| {
                tags(&song.title, &who.name, &album, at, 12)
            });
        }
    }

    fn own_words(&mut self) {
        let who = self.player();
        let mut songs = Vec::new();
        for title in OWN_WORDS {
            songs.push(self.song(&who, title));
        }
        let album = self.title();
        self.publish(&who, &album, &songs, About::default());
        for song in &songs {
            self.next_shelf();
            let tags = json!({"title": song.title, "artist": who.name, "album": album});
            self.file("title of version words", song, tags, Clear, Sound::Usual);
        }
    }

    /// Live, remixed, acoustic and edited, each where the catalogue has it.
    fn kinds_that_exist(&mut self) {
        let (who, _, songs) = self.album(6);
        let live = self.all_again(
            &who,
            &songs,
            "live, 1997-03-02: Ancienne Belgique",
            (1_000, 40_000),
        );
        let album = "MTV Unplugged";
        self.publish(
            &who,
            album,
            &live,
            About {
                kinds: &["Live"],
                ..About::default()
            },
        );
        self.shelf_of("concert with plain titles", &live, Clear, |at, song| {
            tags(&song.title, &who.name, album, at, 6)
        });
        for song in &live {
            self.next_shelf();
            let name = format!("{} - Live", song.title);
            let people = self.people() + 3;
            let sound = Sound::Says(0.97, vec![said_by(song.recording, people)]);
            self.file(
                "live, only its remark says so",
                song,
                json!({"title": name, "artist": who.name}),
                Clear,
                sound,
            );
        }
        let (who, _, songs) = self.album(5);
        let words = [
            "DJ Marrakesh Remix",
            "acoustic",
            "radio edit",
            "extended version",
            "instrumental",
        ];
        for (song, word) in songs.iter().zip(words) {
            let by = self.within(9_000, 60_000) as i64;
            let by = if word == "radio edit" {
                -by.min(30_000)
            } else {
                by
            };
            let title = format!("{} ({word})", song.title);
            let other = self.again(&who, song, &title, "", by);
            self.publish(
                &who,
                &song.title,
                &[song.clone(), other.clone()],
                About::default(),
            );
            self.next_shelf();
            let spelt = format!("{} - {}", song.title, word.to_uppercase());
            self.file(
                "version that exists",
                &other,
                json!({"title": spelt, "artist": who.name, "album": song.title}),
                Clear,
                Sound::Usual,
            );
            // The plain title on the album is the album's.
            self.next_shelf();
            self.file(
                "plain beside a version",
                song,
                json!({"title": song.title, "artist": who.name}),
                Clear,
                Sound::Usual,
            );
        }
    }

    /// A concert as long as the studio to the second; only the album tells.
    fn live_of_the_same_length(&mut self) {
        let (who, studio, songs) = self.album(6);
        let live = self.all_again(&who, &songs, "live", (0, 900));
        self.publish(
            &who,
            "One Night at Red Hill",
            &live,
            About {
                kinds: &["Live"],
                ..About::default()
            },
        );
        let of = songs.len();
        self.shelf_of("live of the same length", &live, Clear, |at, song| {
            tags(&song.title, &who.name, "One Night at Red Hill", at, of)
        });
        self.shelf_of(
            "studio beside live of the same length",
            &songs,
            Clear,
            |at, song| tags(&song.title, &who.name, &studio, at, of),
        );
    }

    /// An orchestra records the symphonies twice: both there, or only the first.
    fn second_cycle(&mut self) {
        for both in [true, false] {
            let orchestra = self.called(if both {
                "Staatskapelle Altburg"
            } else {
                "Orchestre du Rhône"
            });
            let parts = [
                "I. Allegro con brio",
                "II. Andante",
                "III. Scherzo",
                "IV. Finale",
            ];
            let mut first = Vec::new();
            for number in [5, 6] {
                for part in parts {
                    let title = format!(
                        "Symphony No. {number} in C minor, op. {}: {part}",
                        60 + number
                    );
                    let ms = self.within(300_000, 700_000);
                    first.push(self.record(&orchestra, &title, "", ms));
                }
            }
            self.publish(
                &orchestra,
                "Beethoven: Symphonies nos. 5 & 6",
                &first,
                About {
                    year: 1963,
                    ..About::default()
                },
            );
            let album = "Beethoven: Symphonies 5 & 6 (1985 Digital Recording)";
            if both {
                let second = self.all_again(&orchestra, &first, "", (5_000, 22_000));
                self.publish(
                    &orchestra,
                    album,
                    &second,
                    About {
                        year: 1985,
                        ..About::default()
                    },
                );
                self.shelf_of("second cycle", &second, Clear, |at, song| {
                    tags(&song.title, &orchestra.name, album, at, 8)
                });
            } else {
                self.strangers(
                    "second cycle, absent",
                    &first,
                    (5_000, 22_000),
                    |at, song| tags(&song.title, &orchestra.name, album, at, 8),
                );
            }
        }
    }

    /// Seven mono pressings come before the stereo one.
    fn mono_before_stereo(&mut self) {
        let who = self.player();
        let title = self.title();
        let mut mono = Vec::new();
        for _ in 0..6 {
            let name = self.title();
            let ms = self.within(120_000, 200_000);
            mono.push(self.record(&who, &name, "mono", ms));
        }
        let stereo = self.all_again(&who, &mono, "stereo", (0, 1_200));
        for at in 0..7 {
            self.publish(
                &who,
                &title,
                &mono,
                About {
                    remark: "mono",
                    year: 1964 + at,
                    ..About::default()
                },
            );
        }
        self.publish(
            &who,
            &title,
            &stereo,
            About {
                remark: "stereo",
                year: 1972,
                ..About::default()
            },
        );
        let album = format!("{title} (Stereo)");
        self.shelf_of("stereo after seven mono", &stereo, Clear, |at, song| {
            tags(&song.title, &who.name, &album, at, 6)
        });
    }

    /// Only a remark tells recordings apart: clean, takes, mixes of two countries.
    fn told_by_remarks(&mut self) {
        let who = self.player();
        for (word, remark, other) in [
            ("Clean", "clean", "explicit"),
            ("Take 3", "take 3", "take 5"),
            ("US Mix", "US mix", "UK mix"),
        ] {
            let title = self.title();
            let ms = self.within(150_000, 260_000);
            let theirs = self.record(&who, &title, other, ms);
            let ours = self.again(&who, &theirs, &title, remark, 400);
            let album = self.title();
            self.publish(&who, &album, &[theirs, ours.clone()], About::default());
            self.next_shelf();
            let name = format!("{title} ({word})");
            self.file(
                "told by a remark",
                &ours,
                json!({"title": name, "artist": who.name, "album": album}),
                Clear,
                Sound::Usual,
            );
            self.next_shelf();
            self.file(
                "nothing tells which",
                &ours,
                json!({"title": title, "artist": who.name}),
                Unclear,
                Sound::Silent,
            );
        }
    }

    /// The ninth edition has the song that the others lack.
    fn bonus_track_of_one_edition(&mut self) {
        let who = self.player();
        let title = self.title();
        let mut songs = Vec::new();
        for _ in 0..6 {
            let name = self.title();
            songs.push(self.song(&who, &name));
        }
        self.pressings(&who, &title, &songs, 7);
        let bonus = self.title();
        let bonus = self.song(&who, &bonus);
        let mut more = songs.clone();
        more.insert(3, bonus);
        self.publish(
            &who,
            &title,
            &more,
            About {
                remark: "Japanese edition",
                ..About::default()
            },
        );
        self.shelf_of("bonus track in the middle", &more, Clear, |at, song| {
            tags(&song.title, &who.name, &title, at, 7)
        });
    }
}
