//! Recordings of one performance, titles a slip apart, remarks, transliterated albums, albums under a label.

use serde_json::json;

use super::{About, Maker, Print, linked, tags, words};

/// Titles a slip of spelling apart that are other songs.
const A_SLIP_APART: [(&str, &str); 10] = [
    ("Moonlight Shadow", "Moonlight Shadows"),
    ("Walking Home", "Waking Home"),
    ("Goodbye Stranger", "Goodbye Strangers"),
    ("The Dreamer", "The Dreamers"),
    ("Falling Down", "Failing Down"),
    ("Better Days", "Bitter Days"),
    ("Believe in Us", "Relieve in Us"),
    ("Summer Rain", "Simmer Rain"),
    ("Holding Back", "Folding Back"),
    ("Lovers Again", "Lover Again"),
];
/// An album in its script: artist, the artist in Latin letters, its titles, those in Latin letters.
const TRANSLITERATED: [(&str, &str, [&str; 6], [&str; 6]); 2] = [
    (
        "Горный Ручей",
        "Gorny Ruchey",
        [
            "Утро",
            "Старый дом",
            "Весна",
            "Письмо",
            "Чужие окна",
            "Река",
        ],
        [
            "Utro",
            "Stary dom",
            "Vesna",
            "Pismo",
            "Chuzhie okna",
            "Reka",
        ],
    ),
    (
        "佐藤雪",
        "Yuki Sato",
        ["朝", "古い家", "春", "手紙", "窓", "川"],
        ["Asa", "Furui ie", "Haru", "Tegami", "Mado", "Kawa"],
    ),
];

impl Maker {
    pub(super) fn more(&mut self) {
        self.a_slip_apart();
        self.one_performance();
        self.told_by_remarks();
        self.transliterated();
        self.under_a_label();
    }

    /// The other song is there, or only its look-alike.
    fn a_slip_apart(&mut self) {
        for is_there in [true, false] {
            let by = self.person();
            let (one, other) = *self.random.pick(&A_SLIP_APART);
            let (known, album) = (self.cut(one, "", &by), self.title());
            self.publish(&album, &by, std::slice::from_ref(&known), About::default());
            let length = known.1 + self.between(0, 4_000);
            let mut truth = (None, false);
            if is_there {
                let recording = self.record(other, "", &by, length);
                let cut = (other.to_owned(), length, recording);
                self.publish(other, &by, &[cut], About::default());
                truth = (Some(recording), true);
            }
            self.next_folder();
            let tags = json!({"title": other, "artist": by.name});
            self.file("titles a slip apart", length, tags, truth, Print::Unknown);
        }
    }

    /// An album and a collection have a recording each of the same performance; a fingerprint means both.
    fn one_performance(&mut self) {
        let (by, title, songs) = self.album(4);
        let copies = self.again(&songs, "", &by, (0, 900));
        let hits = format!("Best of {}", by.name);
        self.publish(&hits, &by, &copies, About::default());
        for (at, (song, copy)) in songs.iter().zip(&copies).enumerate() {
            let (this, album) = if at % 2 == 0 {
                (song, &title)
            } else {
                (copy, &hits)
            };
            let (a, b) = (self.between(2, 80), self.between(2, 80));
            let says = Print::Just(0.98, vec![linked(song.2, a), linked(copy.2, b)]);
            self.next_folder();
            let tags = tags(&song.0, &by.name, album, at, 4);
            let kind = "one performance, two recordings";
            self.file(kind, this.1, tags, (Some(this.2), true), says);
            let (a, b) = (self.between(2, 80), self.between(2, 80));
            let says = Print::Just(0.98, vec![linked(song.2, a), linked(copy.2, b)]);
            self.next_folder();
            let tags = json!({"title": song.0, "artist": by.name});
            self.file(kind, this.1, tags, (Some(this.2), false), says);
        }
    }

    /// Takes and mixes of two countries, of one album and as long.
    fn told_by_remarks(&mut self) {
        let by = self.person();
        for (word, remark, other) in [
            ("Take 2", "take 2", "take 7"),
            ("German Mix", "German mix", "French mix"),
        ] {
            let (album, title) = (self.title(), self.title());
            let length = self.length();
            let theirs = self.record(&title, other, &by, length);
            let ours = self.record(&title, remark, &by, length + 300);
            let cuts = [
                (title.clone(), length, theirs),
                (title.clone(), length + 300, ours),
            ];
            self.publish(&album, &by, &cuts, About::default());
            self.next_folder();
            let title = format!("{title} ({word})");
            let tags = json!({"title": title, "artist": by.name, "album": album});
            let truth = (Some(ours), true);
            self.file(
                "told by a remark",
                length + 300,
                tags,
                truth,
                Print::Unknown,
            );
        }
    }

    /// An album in Latin letters that the catalogue has in others; the artist's alias and all lengths are right.
    fn transliterated(&mut self) {
        let (artist, latin, titles, in_latin) = *self.random.pick(&TRANSLITERATED);
        let by = self.person_called(artist);
        self.about_artist(&by, latin, &[latin]);
        let cuts: Vec<_> = titles
            .iter()
            .map(|title| self.cut(title, "", &by))
            .collect();
        self.publish(titles[1], &by, &cuts, About::default());
        self.next_folder();
        for (at, (_, length, recording)) in cuts.iter().enumerate() {
            let tags = tags(in_latin[at], latin, in_latin[1], at, 6);
            let kind = "album in Latin letters";
            self.file(
                kind,
                *length,
                tags,
                (Some(*recording), true),
                Print::Unknown,
            );
        }
    }

    /// The catalogue names the composer before the album's title; lone files leave it out, or name the composer
    /// for the artist.
    fn under_a_label(&mut self) {
        let by = self.person();
        let (_, composer) = words::person(&mut self.random);
        let songs = self.songs(4, &by);
        let short = self.title();
        let album = format!("{composer}: {short}");
        self.publish(&album, &by, &songs, About::default());
        for (at, (title, length, recording)) in songs.iter().enumerate() {
            self.next_folder();
            let tags = if at % 2 == 0 {
                json!({"title": title, "artist": by.name, "album": short})
            } else {
                json!({"title": title, "artist": composer, "album": album})
            };
            let kind = "album under a label";
            self.file(
                kind,
                *length,
                tags,
                (Some(*recording), true),
                Print::Unknown,
            );
        }
    }
}
