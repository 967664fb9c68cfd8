use super::*;

/// Encodes each text, judges them together and decodes them again.
fn back(label: &str, texts: &[&str]) -> Vec<String> {
    let encoding = Encoding::for_label(label.as_bytes()).unwrap();
    let bytes: Vec<Vec<u8>> = texts
        .iter()
        .map(|text| {
            let (bytes, _, wrong) = encoding.encode(text);
            assert!(!wrong, "{text} in {label}");
            bytes.into_owned()
        })
        .collect();
    let judged = judge(&bytes.iter().map(Vec::as_slice)).unwrap_or(UTF_8);
    bytes.iter().map(|text| decode(text, judged)).collect()
}

#[test]
fn the_texts_of_one_file_tell_their_encoding() {
    for (label, texts) in [
        (
            "windows-1251",
            ["Белые розы зимой", "Ласковый апрель", "Лучшие песни"],
        ),
        (
            "koi8-r",
            ["Белые розы зимой", "Ласковый апрель", "Лучшие песни"],
        ),
        ("shift_jis", ["夜空の星", "山田バンド", "冬のアルバム"]),
        // Signs and halves of letters, for whoever takes it for Cyrillic.
        ("shift_jis", ["川の流れのように", "美空ひばり", "演歌"]),
        ("shift_jis", ["表示能力ソ", "美空ひばり", "演歌"]),
        ("shift_jis", ["永遠", "ＺＡＲＤ", "永遠"]),
        ("windows-1251", ["«Группа крови» — №1", "„Кино“", "Ночь…"]),
        ("euc-jp", ["夜空の星", "山田バンド", "冬のアルバム"]),
        ("gbk", ["月亮之上的歌", "测试歌手", "最初的地方"]),
        ("big5", ["夜空的星星", "測試歌手", "冬天的專輯"]),
        ("euc-kr", ["가을 하늘 아래서", "시험 가수", "첫 번째 노래"]),
        ("windows-1252", ["“Café” – déjà vu", "Björk’s", "Señor…"]),
        (
            "windows-1250",
            ["Žluťoučký kůň", "Příliš úpěl", "Ďábelské ódy"],
        ),
        (
            "windows-1253",
            ["Το τραγούδι της θάλασσας", "Νίκος Δοκιμή", "Καλοκαίρι"],
        ),
        (
            "windows-1254",
            ["Güneşin kızı", "Şarkıcı Işık", "İstanbul'un sesi"],
        ),
        ("windows-1255", ["שיר של ערב", "זמר בדיקה", "אלבום ראשון"]),
        (
            "windows-1256",
            ["أغنية المساء", "مطرب التجربة", "الألبوم الأول"],
        ),
        ("windows-874", ["เพลงของทะเล", "นักร้องทดสอบ", "อัลบั้มแรก"]),
        ("macintosh", ["Été", "Noël", "Zoë"]),
        ("windows-1252", ["Don’t Cry", "Guns N’ Roses", "Wait…"]),
        (
            "windows-1252",
            ["“Live” – Part 2", "Rock ’n’ Roll", "Ain’t"],
        ),
        ("utf-8", ["Je čas metat kamení", "Žlutý kůň", "Řeky"]),
    ] {
        assert_eq!(back(label, &texts), texts, "{label}");
    }
}

#[test]
fn western_names_stay_western() {
    for name in [
        "Björk",
        "Mötley Crüe",
        "Café Tacvba",
        "Sigur Rós",
        "Beyoncé",
        "Motörhead",
        "Señor",
        "naïve",
        "Ärzte",
        "Ænima",
    ] {
        assert_eq!(back("windows-1252", &[name]), [name]);
    }
}

#[test]
fn names_that_read_well_as_declared_are_not_doubted() {
    // Icelandic, Faroese, Old English: eth, thorn and y acute are letters of Turkish and Czech in other code pages.
    for name in [
        "Þursaflokkurinn",
        "Þú ert jörðin",
        "Við og við",
        "Dýrð í dauðaþögn",
        "Ýta",
        "Grýlurnar",
        "Ðe Wanderer",
        "Trøllabundin",
        "Ælfþryð",
        "Æðri máttur",
        "Émile",
        "Où est passée la nuit ?",
        "Ångström – ½",
    ] {
        assert_eq!(back("windows-1252", &[name]), [name]);
    }
}

#[test]
fn a_folder_decides_for_those_of_its_names_that_tell_too_little() {
    let polish = [
        "Łzy",
        "Chłopcy z Placu Broni",
        "Kocham cię",
        "Żywiołak",
        "Wśród nocnej ciszy",
        "Siła zła",
        "Pieśń",
    ];
    let czech = [
        "Přítelkyně",
        "Šípková Růženka",
        "Měsíc",
        "Kůň",
        "Tři sestry",
        "Děti",
    ];
    let lithuanian = [
        "Eglė",
        "Žalčių karalienė",
        "Šiaurės vėjas",
        "Saulė",
        "Ąžuolas",
    ];
    for (label, names) in [
        ("windows-1250", polish.as_slice()),
        ("iso-8859-2", &polish),
        ("windows-1250", &czech),
        ("iso-8859-2", &czech),
        ("windows-1257", &lithuanian),
    ] {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let files = names
            .iter()
            .map(|name| encoding.encode(name).0.into_owned());
        let files: Vec<Vec<u8>> = files.collect();
        let mut folder = Folder::default();
        for file in &files {
            folder.add(&std::iter::once(file.as_slice()));
        }
        let folder = folder.settle();
        for (file, name) in files.iter().zip(names) {
            let texts = std::iter::once(file.as_slice());
            let judged = Evidence::of(&texts).unwrap().decide(&texts, &folder);
            assert_eq!(decode(file, judged), *name, "{label}");
        }
        // A guest from elsewhere is not taken for one of them.
        let guest = b"Fran\xe7oise Hardy, \xc0 l'ombre de la lune, Ma jeunesse fout le camp, La for\xeat d\xe9pays\xe9e";
        let texts = std::iter::once(guest.as_slice());
        let judged = Evidence::of(&texts).unwrap().decide(&texts, &folder);
        assert!(decode(guest, judged).starts_with("Françoise"), "{label}");
    }
}

#[test]
fn a_letter_that_a_short_field_has_cut_in_two_changes_nothing() {
    let whole = "Пикник на обочине дороги";
    let cut = &whole.as_bytes()[..29];
    let japanese = encoding_rs::SHIFT_JIS
        .encode("夜空の星は歌い、海の歌は遠くへ行く")
        .0;
    for (texts, encoding, wanted) in [
        ([whole.as_bytes(), cut], UTF_8, &whole[..28]),
        (
            [&japanese, &japanese[..29]],
            encoding_rs::SHIFT_JIS,
            "夜空の星は歌い、海の歌は遠く",
        ),
    ] {
        let judged = judge(&texts.into_iter());
        assert_eq!(judged, Some(encoding));
        let decoded = decode(texts[1], encoding);
        assert!(wanted.starts_with(decoded.trim_end()), "{decoded}");
    }
}

#[test]
fn unicode_that_was_encoded_twice_is_mended_and_nothing_else() {
    assert_eq!(mend("CafÃ©").as_deref(), Some("Café"));
    assert_eq!(mend("Å½lutÃ½ kÅ¯Å\u{88}").as_deref(), Some("Žlutý kůň"));
    for right in ["Café", "Björk", "夜空の星", "plain", "Ã", "Белые розы"] {
        assert_eq!(mend(right), None, "{right}");
    }
    assert!(misread("Áåëûå ðîçû").is_some());
    assert_eq!(misread("Белые розы"), None);
    assert_eq!(misread("Mötley Crüe"), None);
}
