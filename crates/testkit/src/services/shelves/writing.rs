//! Names and titles as people write them, and those that are a letter apart.

use serde_json::{Value, json};

use super::{About, Clear, Maker, Player, Song, Sound, Unclear, tags, vocabulary};

/// What stands for no artist in particular.
const VARIOUS: [&str; 10] = [
    "V.A.",
    "Varios Artistas",
    "Soundtrack",
    "VA",
    "Diverse Interpreten",
    "AA.VV.",
    "Разные исполнители",
    "Various",
    "Original Soundtrack",
    "Artistes Divers",
];
/// What stands for no title.
const PLACEHOLDERS: [&str; 6] = ["Track", "Piste", "AudioTrack", "Titel", "Pista", "トラック"];
/// Titles of one singer that are nearly each other.
const ALIKE: [(&str, &str); 12] = [
    ("My Side of the Bed", "Your Side of the Bed"),
    ("Invocation XII", "Invocation XIII"),
    ("Will You Stay", "Won’t You Stay"),
    ("Lament, Part 1", "Lament, Part 2"),
    ("Dust to Dust, Pt. I", "Dust to Dust, Pt. II"),
    ("I Can Wait", "I Can’t Wait"),
    ("Love Song", "Love Songs"),
    ("Now I Know", "Now I Knew"),
    ("Before the Rain", "Before the Pain"),
    ("Study in Grey", "Study in Green"),
    ("Étude no. 4", "Étude no. 14"),
    ("She’s Gone", "He’s Gone"),
];
/// Titles with figures and signs, and how people spell them.
const SPELT: [(&str, &str); 12] = [
    ("24 Hours from Leeds", "Twenty Four Hours From Leeds"),
    ("Seven Bridges", "7 Bridges"),
    ("Salt & Pepper", "Salt and Pepper"),
    ("Requiem, Part 2", "Requiem Pt. Two"),
    ("Rock ’n’ Roll Sailor", "Rock And Roll Sailor"),
    ("Nothin’ but Rain", "Nothing But Rain"),
    ("Colour of the Harbour", "Color Of The Harbor"),
    ("O Night", "Oh Night"),
    ("Café Déjà Vu", "Cafe Deja Vu"),
    ("Number One Fan", "No. 1 Fan"),
    ("Mister Lonely Bones", "Mr. Lonely Bones"),
    ("Thru the Keyhole", "Through The Keyhole"),
];

impl Maker {
    pub(super) fn writing(&mut self) {
        self.titles_alike();
        self.artists_alike();
        self.same_name();
        self.many_of_a_kind();
        self.album_decides();
        self.various();
        self.composer_as_artist();
        self.names_turned();
        self.spelt();
        self.titles_of_files();
        self.placeholders();
        self.guests();
        self.damaged();
    }

    fn titles_alike(&mut self) {
        for (one, other) in ALIKE {
            let who = self.player();
            let a = self.song(&who, one);
            // Nearly as long, and more popular: recorded first, on more releases.
            let by = self.within(0, 5_000) as i64 - 2_500;
            let b = self.record(&who, other, "", a.ms.saturating_add_signed(by));
            let album = self.title();
            self.publish(&who, &album, &[b.clone(), a.clone()], About::default());
            self.publish(&who, other, std::slice::from_ref(&b), About::default());
            self.next_shelf();
            let tags = if self.chance(50) {
                json!({"title": one, "artist": who.name, "album": album})
            } else {
                json!({"title": one.replace('’', "'"), "artist": who.name})
            };
            self.file("titles a letter apart", &a, tags, Clear, Sound::Silent);
        }
        // Only the look-alike is in the catalogue.
        for (one, other) in ALIKE {
            let who = self.player();
            let b = self.song(&who, other);
            let album = self.title();
            self.publish(&who, &album, std::slice::from_ref(&b), About::default());
            self.next_shelf();
            let ms =
                b.ms.saturating_add_signed(self.within(0, 8_000) as i64 - 4_000);
            self.stranger(
                "only the look-alike is there",
                ms,
                json!({"title": one, "artist": who.name}),
            );
        }
    }

    fn artists_alike(&mut self) {
        let pairs = [
            ("The Ravens", "The Havens"),
            ("Dana Marsh", "Dina Marsh"),
            ("Kessler", "Kestler"),
            ("The Lanterns", "Lantern"),
            ("Low Tide", "Slow Tide"),
            ("Mora", "Moira"),
        ];
        for (one, other) in pairs {
            let (ours, theirs) = (self.called(one), self.called(other));
            let title = self.title();
            let a = self.song(&ours, &title);
            let by = self.within(0, 8_000) as i64 - 4_000;
            let b = self.again(&theirs, &a, &title, "", by);
            let (first, second) = (self.title(), self.title());
            self.publish(&theirs, &second, &[b], About::default());
            self.publish(&ours, &first, std::slice::from_ref(&a), About::default());
            self.next_shelf();
            self.file(
                "artists a letter apart",
                &a,
                json!({"title": title, "artist": one}),
                Clear,
                Sound::Silent,
            );
        }
    }

    /// Two artists of one name.
    fn same_name(&mut self) {
        for _ in 0..3 {
            let ours = self.player();
            let theirs = self.called(&ours.name);
            let (album, songs) = self.album_by(&ours, 5);
            self.album_by(&theirs, 5);
            let shared = self.again(&theirs, &songs[0], &songs[0].title, "", 1_500);
            let other = self.title();
            self.publish(&theirs, &other, &[shared], About::default());
            self.shelf_of("two artists of one name", &songs, Clear, |at, song| {
                tags(&song.title, &ours.name, &album, at, 5)
            });
        }
    }

    /// Preludes, movements and skits: titles of a scheme.
    fn many_of_a_kind(&mut self) {
        let pianist = self.player();
        let mut preludes = Vec::new();
        for number in 1..=14 {
            let title = format!(
                "24 Preludes, op. 28: No. {number} in {} {}",
                ["C", "G", "D", "A", "E"][number % 5],
                if number % 2 == 0 { "minor" } else { "major" }
            );
            let ms = self.within(45_000, 190_000);
            preludes.push(self.record(&pianist, &title, "", ms));
        }
        self.publish(&pianist, "Chopin: 24 Preludes", &preludes, About::default());
        for song in preludes.iter().step_by(2) {
            self.next_shelf();
            let tags = json!({"title": song.title, "artist": pianist.name, "album": "24 Preludes"});
            self.file("piece of a set", song, tags, Clear, Sound::Silent);
        }
        let mut movements = Vec::new();
        for (number, key) in [(8, "C minor"), (14, "C-sharp minor"), (23, "F minor")] {
            for part in ["I. Allegro", "II. Adagio", "III. Rondo"] {
                let title = format!("Piano Sonata No. {number} in {key}: {part}");
                let ms = self.within(250_000, 600_000);
                movements.push(self.record(&pianist, &title, "", ms));
            }
        }
        self.publish(&pianist, "Sonatas", &movements, About::default());
        self.shelf_of("movements", &movements, Clear, |at, song| {
            let short = song.title.split(": ").nth(1).unwrap_or_default();
            if at % 3 == 0 {
                tags(&song.title, &pianist.name, "Sonatas", at, 9)
            } else {
                tags(short, &pianist.name, "Sonatas", at, 9)
            }
        });
        for _ in 0..4 {
            let who = self.player();
            for _ in 0..4 {
                let album = self.title();
                let (intro, skit) = (self.song(&who, "Intro"), self.song(&who, "Skit"));
                let other = self.title();
                let other = self.song(&who, &other);
                self.publish(
                    &who,
                    &album,
                    &[intro.clone(), other, skit],
                    About::default(),
                );
                self.next_shelf();
                self.file(
                    "intro of an album",
                    &intro,
                    json!({"title": "Intro", "artist": who.name, "album": album}),
                    Clear,
                    Sound::Silent,
                );
            }
        }
    }

    /// The singer sang it twice, as long; the album says which.
    fn album_decides(&mut self) {
        for _ in 0..4 {
            let (who, first, songs) = self.album(4);
            let later = self.title();
            let again = self.all_again(&who, &songs, "", (0, 2_000));
            self.publish(
                &who,
                &later,
                &again,
                About {
                    year: 1999,
                    ..About::default()
                },
            );
            for (this, album) in [(&songs[1], &first), (&again[1], &later)] {
                self.next_shelf();
                self.file(
                    "album decides",
                    this,
                    json!({"title": this.title, "artist": who.name, "album": album}),
                    Clear,
                    Sound::Silent,
                );
            }
        }
    }

    fn compilation(&mut self, count: usize) -> (String, Vec<Song>, Vec<Player>) {
        let various = self.called("Various Artists");
        let (mut songs, mut players) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let player = self.player();
            let title = self.title();
            songs.push(self.song(&player, &title));
            players.push(player);
        }
        let album = format!("{}: Music from the Motion Picture", self.title());
        self.publish(
            &various,
            &album,
            &songs,
            About {
                kinds: &["Compilation", "Soundtrack"],
                ..About::default()
            },
        );
        (album, songs, players)
    }

    /// Nobody in particular stands in the artist of a collection.
    fn various(&mut self) {
        for word in VARIOUS {
            let (album, songs, _) = self.compilation(6);
            self.shelf_of("various in the artist", &songs, Clear, |at, song| {
                tags(&song.title, word, &album, at, 6)
            });
        }
        // Artist and title in the title, nobody in the artist.
        let (album, songs, players) = self.compilation(6);
        self.shelf_of("artist in the title", &songs, Clear, |at, song| {
            tags(
                &format!("{} - {}", players[at].name, song.title),
                "Various Artists",
                &album,
                at,
                6,
            )
        });
        // The game in the artist, as shops do.
        let (album, songs, _) = self.compilation(6);
        let game = album.split(':').next().unwrap_or_default().to_owned();
        self.shelf_of("game as artist", &songs, Clear, |at, song| {
            tags(&song.title, &game, &album, at, 6)
        });
    }

    /// The composer in the artist, the orchestra nowhere.
    fn composer_as_artist(&mut self) {
        for composer in ["Ludwig van Beethoven", "Dvořák", "Bach, Johann Sebastian"] {
            let orchestra = self.player();
            let soloist = self.player();
            let mut parts = Vec::new();
            for (number, part) in ["I. Allegro", "II. Largo", "III. Menuetto", "IV. Presto"]
                .iter()
                .enumerate()
            {
                let title = format!(
                    "Symphony No. {} in D major: {part}",
                    2 + self.random.below(7)
                );
                let ms = self.within(200_000 + number as u64, 640_000);
                let song = self.record(&orchestra, &title, "", ms);
                self.guest(&song, ", ", &soloist);
                parts.push(song);
            }
            let album = format!("{composer}: {} Symphonies", self.title());
            self.publish(&orchestra, &album, &parts, About::default());
            self.shelf_of("composer as artist", &parts, Clear, |at, song| {
                tags(&song.title, composer, &album, at, 4)
            });
            self.next_shelf();
            let tags = json!({"title": parts[1].title, "artist": composer, "album": album});
            self.file(
                "composer as artist, lone",
                &parts[1],
                tags,
                Clear,
                Sound::Silent,
            );
        }
    }

    fn names_turned(&mut self) {
        for turned in [true, false] {
            let (given, family) = vocabulary::name(&mut self.random);
            let who = self.called(&format!("{given} {family}"));
            self.also_called(&who, &format!("{family}, {given}"), &[]);
            let (album, songs) = self.album_by(&who, 5);
            let written = if turned {
                format!("{family}, {given}")
            } else {
                format!("{family} {given}")
            };
            self.shelf_of("name turned", &songs, Clear, |at, song| {
                tags(&song.title, &written, &album, at, 5)
            });
        }
        let who = self.called("The Thunder Pilgrims");
        self.also_called(&who, "Thunder Pilgrims, The", &[]);
        let (_, songs) = self.album_by(&who, 4);
        for song in &songs {
            self.next_shelf();
            self.file(
                "sort name",
                song,
                json!({"title": song.title, "artist": "Thunder Pilgrims, The"}),
                Clear,
                Sound::Silent,
            );
        }
    }

    fn spelt(&mut self) {
        for (right, written) in SPELT {
            let who = self.player();
            let song = self.song(&who, right);
            let album = self.title();
            self.publish(&who, &album, std::slice::from_ref(&song), About::default());
            self.next_shelf();
            let tags = if self.chance(50) {
                json!({"title": written, "artist": who.name, "album": album})
            } else {
                json!({"title": written, "artist": who.name})
            };
            self.file("spelt as people do", &song, tags, Clear, Sound::Silent);
        }
    }

    /// Titles that were file names once.
    fn titles_of_files(&mut self) {
        let forms: [fn(usize, &str, &str) -> String; 6] = [
            |at, title, _| format!("{:02} - {title}", at + 1),
            |_, title, who| format!("{who} - {title}"),
            |at, title, who| format!("{:02}. {who} - {title}", at + 1),
            |_, title, _| format!("{title}.mp3"),
            |at, title, _| format!("A{} {title}", at + 1),
            |at, title, _| format!("{:02}_{}", at + 1, title.replace(' ', "_")),
        ];
        for form in forms {
            let (who, album, songs) = self.album(5);
            self.shelf_of("title from a file name", &songs, Clear, |at, song| {
                tags(&form(at, &song.title, &who.name), &who.name, &album, at, 5)
            });
            let song = &songs[3];
            self.next_shelf();
            let tags = json!({"title": form(3, &song.title, &who.name), "artist": who.name});
            self.file(
                "loose title from a file name",
                song,
                tags,
                Clear,
                Sound::Silent,
            );
        }
    }

    fn placeholders(&mut self) {
        for (number, word) in PLACEHOLDERS.iter().enumerate() {
            let (who, album, songs) = self.album(9);
            self.shelf_of("placeholder titles", &songs, Clear, |at, _| {
                let artist = if number % 3 == 2 {
                    "Unknown Artist"
                } else {
                    &who.name
                };
                tags(&format!("{word} {:02}", at + 1), artist, &album, at, 9)
            });
        }
        // Neither artist nor album: nothing to ask for.
        let (_, _, songs) = self.album(5);
        self.next_shelf();
        for (at, song) in songs.iter().enumerate() {
            self.file(
                "placeholders alone",
                song,
                json!({"title": format!("Track {}", at + 1)}),
                Unclear,
                Sound::Silent,
            );
        }
    }

    /// Guests: in the credit, in the title, joined in other ways.
    fn guests(&mut self) {
        let (who, album, songs) = self.album(8);
        let guest = self.player();
        for song in &songs {
            self.guest(song, " feat. ", &guest);
        }
        self.shelf_of("guests as people write them", &songs, Clear, |at, song| {
            let (title, artist) = match at % 8 {
                0 => (
                    format!("{} (feat. {})", song.title, guest.name),
                    who.name.clone(),
                ),
                1 => (
                    format!("{} ft. {}", song.title, guest.name),
                    who.name.clone(),
                ),
                2 => (song.title.clone(), format!("{} & {}", who.name, guest.name)),
                3 => (song.title.clone(), format!("{}; {}", who.name, guest.name)),
                4 => (song.title.clone(), format!("{}/{}", who.name, guest.name)),
                5 => (
                    format!("{} [with {}]", song.title, guest.name),
                    who.name.clone(),
                ),
                6 => (
                    song.title.clone(),
                    format!("{} featuring {}", who.name, guest.name),
                ),
                _ => (song.title.clone(), who.name.clone()),
            };
            tags(&title, &artist, &album, at, 8)
        });
    }

    /// Cut at thirty letters, shouted, with letters lost on the way.
    fn damaged(&mut self) {
        let (who, album, songs) = self.album(8);
        self.shelf_of("damaged spelling", &songs, Clear, |at, song| {
            let whole = &song.title;
            let title = match at % 4 {
                0 => whole.to_uppercase(),
                1 => whole.to_lowercase().replace(' ', "  "),
                2 => swapped(whole),
                _ => whole.chars().take(15).collect(),
            };
            tags(&title, &who.name.to_uppercase(), &album, at, 8)
        });
        let who = self.called("Beyoncita Nuñez");
        let (album, songs) = self.album_by(&who, 4);
        self.shelf_of(
            "read in the wrong code",
            &songs,
            Unclear,
            |at, song| -> Value {
                let wrong: String = song.title.bytes().map(char::from).collect();
                tags(&wrong, "Beyoncita NuÃ±ez", &album, at, 4)
            },
        );
    }
}

/// Two letters in the middle have changed places.
fn swapped(title: &str) -> String {
    let mut letters: Vec<char> = title.chars().collect();
    let middle = letters.len() / 2;
    if middle > 1 {
        letters.swap(middle - 1, middle);
    }
    letters.into_iter().collect()
}
