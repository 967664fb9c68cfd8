//! Scripts that are not Latin, signs that a query language takes for its own, and words of that language.

use serde_json::json;

use super::{About, Clear, Maker, Player, Song, Sound, Unclear, tags};

/// An album: its artist, the artist in Latin letters, its title, the title in Latin letters, its songs.
type Foreign = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    [(&'static str, &'static str); 5],
);

const FOREIGN: [Foreign; 7] = [
    (
        "Северный Ветер",
        "Severny Veter",
        "Долгая дорога",
        "Dolgaya doroga",
        [
            ("Колыбельная", "Kolybelnaya"),
            ("Белый снег", "Bely sneg"),
            ("Мой город", "Moy gorod"),
            ("Поезд на юг", "Poezd na yug"),
            ("Ещё один день", "Yeshcho odin den"),
        ],
    ),
    (
        "Μαρία Αλεξίου",
        "Maria Alexiou",
        "Το καράβι",
        "To karavi",
        [
            ("Θάλασσα", "Thalassa"),
            ("Ο δρόμος", "O dromos"),
            ("Νύχτα στην Αθήνα", "Nychta stin Athina"),
            ("Φεγγάρι", "Fengari"),
            ("Καλημέρα", "Kalimera"),
        ],
    ),
    (
        "山本花子",
        "Hanako Yamamoto",
        "夜の海",
        "Yoru no umi",
        [
            ("春の風", "Haru no kaze"),
            ("ひとりぼっち", "Hitoribocchi"),
            ("東京タワー", "Tokyo Tower"),
            ("さよなら", "Sayonara"),
            ("ミッドナイト・トレイン", "Midnight Train"),
        ],
    ),
    (
        "陈小明",
        "Chen Xiaoming",
        "月光",
        "Yueguang",
        [
            ("故乡", "Guxiang"),
            ("下雨天", "Xiayutian"),
            ("朋友", "Pengyou"),
            ("明天会更好", "Mingtian hui geng hao"),
            ("夜上海", "Ye Shanghai"),
        ],
    ),
    (
        "김하늘",
        "Kim Ha-neul",
        "봄날의 노래",
        "Bomnarui norae",
        [
            ("기다림", "Gidarim"),
            ("첫눈", "Cheonnun"),
            ("바다로", "Badaro"),
            ("안녕", "Annyeong"),
            ("서울의 밤", "Seourui bam"),
        ],
    ),
    (
        "דוד לוי",
        "David Levy",
        "שירים שקטים",
        "Shirim shketim",
        [
            ("בוקר טוב", "Boker tov"),
            ("ירושלים", "Yerushalayim"),
            ("הים", "Hayam"),
            ("לילה", "Layla"),
            ("אהבה", "Ahava"),
        ],
    ),
    (
        "فاطمة حسن",
        "Fatima Hassan",
        "ليالي القاهرة",
        "Layali al-Qahira",
        [
            ("حبيبي", "Habibi"),
            ("يا ليل", "Ya leil"),
            ("قلبي", "Qalbi"),
            ("النيل", "El Nil"),
            ("صباح الخير", "Sabah el kheir"),
        ],
    ),
];

/// Names and titles of signs: artist, title, and how the file writes the title.
const SIGNS: [(&str, &str, &str); 18] = [
    ("R.E.B.", "S.O.S.", "S.O.S."),
    ("P!xie", "Don’t", "Don't"),
    ("AC/BC", "What?", "What?"),
    ("!!?!", "Plus/Minus +/−", "Plus/Minus +/-"),
    ("Ke$sel", "C:\\>", "C:\\>"),
    ("The The Two", "And", "And"),
    ("Or Not", "Not", "NOT"),
    ("Either", "OR", "OR"),
    ("M.Y.A.", "[untitled]", "[untitled]"),
    ("Sígur Hrós", "Ágætis dögun", "Agaetis dogun"),
    (
        "Blink~183",
        "What’s My Name Again?",
        "What's My Name Again?",
    ),
    ("Queen^2", "“Quoted”", "\"Quoted\""),
    ("T*rx", "A*B*C", "A*B*C"),
    ("(hed) q.e.", "Yes (No)", "Yes (No)"),
    ("D‐Mode", "Re‐Entry", "Re-Entry"),
    ("3OH!4", "… And Then", "... And Then"),
    ("Møtley", "Smörgåsbord", "SMÖRGÅSBORD"),
    ("+44s", "&", "&"),
];

impl Maker {
    pub(super) fn scripts(&mut self) {
        for foreign in FOREIGN {
            self.foreign(foreign);
        }
        self.signs();
        self.wide_letters();
    }

    fn foreign_album(&mut self, foreign: Foreign) -> (Player, Vec<Song>) {
        let (artist, latin, title, _, names) = foreign;
        let who = self.called(artist);
        self.also_called(&who, latin, &[latin]);
        let songs: Vec<Song> = names
            .iter()
            .map(|(name, _)| self.song(&who, name))
            .collect();
        self.publish(&who, title, &songs, About::default());
        self.publish(
            &who,
            title,
            &songs,
            About {
                year: 2003,
                ..About::default()
            },
        );
        (who, songs)
    }

    /// In their own script, and in Latin letters: a whole album, whose lengths are evidence, or a song alone.
    fn foreign(&mut self, foreign: Foreign) {
        let (artist, latin, title, latin_title, names) = foreign;
        let (_, songs) = self.foreign_album(foreign);
        self.shelf_of("album in its own script", &songs, Clear, |at, song| {
            tags(&song.title, artist, title, at, 5)
        });
        for song in songs.iter().take(2) {
            self.next_shelf();
            self.file(
                "song in its own script",
                song,
                json!({"title": song.title, "artist": artist}),
                Clear,
                Sound::Silent,
            );
        }
        self.shelf_of("album in Latin letters", &songs, Clear, |at, _| {
            tags(names[at].1, latin, latin_title, at, 5)
        });
        self.next_shelf();
        self.file(
            "song in Latin letters",
            &songs[3],
            json!({"title": names[3].1, "artist": latin}),
            Unclear,
            Sound::Silent,
        );
        self.next_shelf();
        let tags = json!({"title": songs[1].title, "artist": latin});
        self.file(
            "title in its own script, artist in Latin",
            &songs[1],
            tags,
            Clear,
            Sound::Silent,
        );
    }

    fn signs(&mut self) {
        for (artist, title, written) in SIGNS {
            let who = self.called(artist);
            let song = self.song(&who, title);
            let other = self.title();
            let other = self.song(&who, &other);
            let album = self.title();
            self.publish(&who, &album, &[other, song.clone()], About::default());
            self.next_shelf();
            self.file(
                "signs",
                &song,
                json!({"title": written, "artist": artist}),
                Clear,
                Sound::Silent,
            );
            self.next_shelf();
            self.file(
                "signs, with album",
                &song,
                tags(written, artist, &album, 1, 2),
                Clear,
                Sound::Silent,
            );
        }
    }

    /// Letters of full width, as Japanese shops write Latin ones.
    fn wide_letters(&mut self) {
        let who = self.called("ＡＲＩＡ");
        self.also_called(&who, "ARIA", &["ARIA"]);
        for (title, written) in [
            ("ＭＯＯＮ　ＬＩＧＨＴ", "MOON LIGHT"),
            ("ＤＲＩＶＥ", "Drive"),
        ] {
            let song = self.song(&who, title);
            let album = self.title();
            self.publish(&who, &album, std::slice::from_ref(&song), About::default());
            self.next_shelf();
            self.file(
                "letters of full width",
                &song,
                json!({"title": written, "artist": "ARIA", "album": album}),
                Clear,
                Sound::Silent,
            );
        }
    }
}
