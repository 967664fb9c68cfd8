use proptest::prelude::*;

use super::*;

/// Reads a page that comes in pieces of `size` bytes.
fn read(
    page: &[u8],
    content_type: Option<&str>,
    size: usize,
) -> (Vec<ListedBook>, Result<PageEnd, PageError>) {
    struct Pieces<'a>(&'a [u8], usize);
    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }
    let mut books = Vec::new();
    let end = read_page(Pieces(page, size), content_type, |book| {
        books.push(book.clone());
        true
    });
    (books, end)
}

fn books(page: &str) -> Vec<ListedBook> {
    let (books, end) = read(page.as_bytes(), None, usize::MAX);
    end.unwrap();
    books
}

fn error(page: &str) -> String {
    read(page.as_bytes(), None, usize::MAX)
        .1
        .unwrap_err()
        .to_string()
}

const PAGE: &str = r#"<table><thead><tr class="heading"><td></td><td><span class="hd3">Barcode</span></td><td><span class="hd3">Title</span></td><td><span class="hd3">Status</span></td><td><span class="hd3">Scanned Date</span></td><td><span class="hd3">OCR'd Date</span></td><td><span class="hd3">Google Books Link</span></td></tr></thead><tbody>
<tr><td><input type="checkbox" name="barcodes" value="1"></td><td>32044100000005</td><td>Title &amp; more</td><td>CONVERTED</td><td>2016/05/24 03:07</td><td></td><td><a href="https://books.google.com/books?id=a&amp;b=c">view</a></td></tr>
<tr><td></td><td>TZ1</td><td> Stra&szlig;e &#x1F4D6; &lt;i&gt; </td><td></td><td>soon</td><td>2016/5/4 3:7</td><td>none</td></tr>
</tbody></table> <a href="_all_books?result_count=2&amp;first=2">Next &gt;</a>"#;

#[test]
fn a_page_is_read_by_the_names_of_its_columns() {
    let (books, end) = read(PAGE.as_bytes(), None, usize::MAX);
    let end = end.unwrap();
    assert_eq!(
        end.next.as_deref(),
        Some("_all_books?result_count=2&first=2")
    );
    assert_eq!(end.books, 2);
    let [first, second] = &books[..] else {
        panic!("{books:?}")
    };
    assert_eq!(first.barcode, "32044100000005");
    assert_eq!(first.title, "Title & more");
    assert_eq!(first.state, "CONVERTED");
    assert_eq!(first.dates[0], "2016-05-24T03:07:00");
    assert_eq!(first.dates[5], "");
    assert_eq!(first.link, "https://books.google.com/books?id=a&b=c");
    assert_eq!(second.title, "Straße 📖 <i>");
    assert_eq!(second.dates[0], "soon");
    assert_eq!(second.dates[5], "2016-05-04T03:07:00");
    assert_eq!((second.link.as_str(), second.state.as_str()), ("", ""));
}

#[test]
fn layout_tables_and_headings_in_odd_places_are_no_books() {
    let page = r#"<html><body><table class="layout"><tr><td>menu</td><td>
        <TABLE border=1><tr CLASS="x heading"><th><span class=hd3>Title</span></th><th><span class="hd3 y">Barcode</span><th></tr>
        <tr><td><a href="/books?first=9">Linked &gt; <b>title</b></a><td>A1<td>x
        <tr class=heading><td><span class=hd3>Title</span></td><td><span class=hd3>Barcode</span></td></tr>
        <tr><td>only one cell</td></tr>
        <tr><td>Nested<table><tr><td>deep</td><td>deeper</td></tr></table></td><td><a href="x">B2</a></td></tr>
        <tr><td>no barcode</td><td> </td></tr>
        </table></td><td>more</td></tr></table>
        <table><tr class=heading><td><span class=hd3>Barcode</span></td><td></td></tr><tr><td>other</td><td>x</td></tr></table>
        <a href="?first=0">&lt; Prev</a> <a href="?x=1">Next</a> <a href="?ctoken=7"><span>NEXT</span></a></body></html>"#;
    let (books, end) = read(page.as_bytes(), None, usize::MAX);
    let found: Vec<_> = books
        .iter()
        .map(|book| (book.barcode.as_str(), book.title.as_str()))
        .collect();
    assert_eq!(
        found,
        [("A1", "Linked > title"), ("B2", "Nesteddeepdeeper")]
    );
    assert_eq!(end.unwrap().next.as_deref(), Some("?ctoken=7"));
}

#[test]
fn the_way_on_is_found_in_the_list_too_but_not_in_a_book() {
    let list = |foot: &str| {
        format!(
            r#"<table><tr class=heading><td><span class=hd3>Barcode</span></td><td><span class=hd3>Title</span></td></tr>
            <tr><td>A1</td><td><a href="/books?first=1">What comes next</a> x</td></tr>
            <tr><td>A2<td><a href="/books?first=2">next<table><tr><td>y</td></tr></table></tr>{foot}</table>"#
        )
    };
    for (foot, next) in [
        (
            r#"<tr><td colspan=2><a href="?first=3">Next</a></td></tr>"#,
            Some("?first=3"),
        ),
        (
            r#"<tfoot><tr><td>2 books</td><td><a href="?first=4">&gt;</a></td></tr></tfoot>"#,
            Some("?first=4"),
        ),
        (
            r#"<tr><td></td><td><a href="?ctoken=5">next"#,
            Some("?ctoken=5"),
        ),
        ("", None),
    ] {
        let page = list(foot);
        let (books, end) = read(page.as_bytes(), None, usize::MAX);
        let end = end.unwrap();
        assert_eq!(end.next.as_deref(), next, "{foot}");
        assert_eq!(books.len(), 2, "{foot}");
    }
}

/// What the predecessor stores of each of these cells, seen in its rules: a text without blanks around it, entities
/// read, a date of a form it knows in ISO, a link only with an address.
#[test]
fn cells_of_every_kind_become_what_the_predecessor_stores() {
    let heads = [
        "Barcode",
        "Book Title",
        "Analyzed",
        "Date OCR'd",
        "Google Books",
        "Book State",
    ];
    let heads = heads.map(|name| format!("<td><span class=hd3> {name}\n</span></td>"));
    let head = heads.concat();
    let page = format!(
        "<table><thead><tr class=heading>{head}</tr></thead><tbody>
        <tr><td>\n uc1.$b12:3 </td><td>\u{a0}Two\r\n  lines\u{a0}</td><td>2016/02/30 03:07</td><td>2016/5/4\u{a0} 3:07</td>
            <td><a href=' https://books.google.com/books?id=1 '>x</a></td><td> NEW </td><td>more</td></tr>
        <tr><td>ark:/13960/t0</td><td>a\0b &nbsp;&quot;c&quot;&amp;amp;</td><td>0000/01/01 00:00</td></tr>
        <tr><td>B3</td><td></td><td></td><td></td><td><a href='/books?id=3'>x</a></td><td></td></tr>
        </tbody></table>"
    );
    let found = books(&page);
    let [first, second, third] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(first.barcode, "uc1.$b12:3");
    assert_eq!(first.title, "Two\n  lines");
    assert_eq!(first.dates[4], "2016/02/30 03:07", "no such day");
    assert_eq!(first.dates[5], "2016-05-04T03:07:00");
    assert_eq!(first.link, "https://books.google.com/books?id=1");
    assert_eq!(first.state, "NEW");
    assert_eq!(second.barcode, "ark:/13960/t0");
    assert_eq!(second.title, "ab \u{a0}\"c\"&amp;");
    assert_eq!(second.dates[4], "0000/01/01 00:00");
    assert_eq!((second.link.as_str(), second.state.as_str()), ("", ""));
    let bare = ListedBook {
        barcode: "B3".into(),
        ..ListedBook::default()
    };
    assert_eq!(*third, bare);
}

#[test]
fn a_barcode_has_no_characters_that_cannot_be_seen() {
    let page = "<table><tr class=heading><td><span class=hd3>Barcode</span></td><td><span class=hd3>Title</span></td></tr>
        <tr><td>\u{200b}A1\u{feff}</td><td>zero\u{200d}width</td></tr></table>";
    let found = books(page);
    assert_eq!(found[0].barcode, "A1");
    assert_eq!(found[0].title, "zero\u{200d}width", "scripts need joiners");
}

#[test]
fn archives_name_their_books() {
    let page = "<table><tr class=heading><td><span class=hd3>Filename</span></td><td><span class=hd3>State</span></td></tr>
        <tr><td>A1.tar.gz.gpg</td><td>NEW</td></tr><tr><td>readme.txt</td><td>NEW</td></tr></table>";
    let found = books(page);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].barcode, "A1");
}

#[test]
fn any_encoding_is_read() {
    let page = PAGE.replace("Title &amp; more", "Müller");
    let expected = books(&page);
    let latin: Vec<u8> = page.chars().map(|c| c as u8).collect();
    let meta = [b"<meta charset=\"iso-8859-1\">".to_vec(), latin.clone()].concat();
    let wide: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(page.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, bytes, content_type) in [
        ("header", &latin, Some("text/html; charset=ISO-8859-1")),
        ("guess", &latin, None),
        ("meta", &meta, Some("text/html")),
        ("mark", &wide, None),
    ] {
        for size in [1, 7, usize::MAX] {
            let (books, end) = read(bytes, content_type, size);
            end.unwrap();
            assert_eq!(books, expected, "{name} {size}");
        }
    }
}

#[test]
fn what_is_no_list_is_told_apart() {
    assert_eq!(
        error("<html><form action='https://accounts.google.com/ServiceLogin?x'></form></html>"),
        PageError::SignIn.to_string()
    );
    assert_eq!(
        error("<html><body>x<input type=password></body></html>"),
        PageError::SignIn.to_string()
    );
    let sorry = "<h1>Sorry</h1> Your request is\n unavailable";
    for size in 1..9 {
        let (_, end) = read(sorry.as_bytes(), None, size);
        assert!(matches!(end, Err(PageError::Unavailable)), "{size}");
    }
    assert!(
        error("<script>var x</script><p>Bad   gateway</p>").contains("begins with `Bad gateway`")
    );
    assert!(error("").contains("no list of books"));
    let (heading, rest) = PAGE.split_once("<tbody>").unwrap();
    assert!(error(&format!("{heading}<tbody></tbody></table>")).contains("empty"));
    assert!(error(&PAGE.replace(">Barcode<", ">Signature<")).contains("Signature"));
    assert!(
        error(&format!(
            "{heading}<tbody>{rest} Your request is unavailable"
        ))
        .contains("unavailable")
    );
}

#[test]
fn a_page_that_was_cut_anywhere_is_never_the_last() {
    let page = format!("<html><body>{PAGE}</body></html>");
    let mut good = 0;
    for cut in 0..page.len() {
        let (_, end) = read(&page.as_bytes()[..cut], None, usize::MAX);
        if let Ok(end) = end {
            assert!(end.next.is_some() || end.is_cut, "cut at {cut}");
            good += 1;
        }
    }
    assert!(good > 10, "a page whose next link is complete is good");
}

proptest! {
    #[test]
    fn no_page_of_any_kind_panics_and_pieces_do_not_matter(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<table>", "</table>", "<tr class=heading>", "<tr>", "</tr>", "<td>", "<span class=hd3>Barcode</span>",
            "<span class=hd3>", "</span>", "A1", "<a href='?first=1'>", "next", "</a>", "<tbody>", "</tbody>", "<thead>",
            "<!--", "-->", "<script>", "</script>", "&amp", "\u{e9}", "<", ">", "</html>", "<html>",
        ]), 0..60),
        size in 1usize..9,
    ) {
        let page: String = parts.concat();
        let (whole, end) = read(page.as_bytes(), None, usize::MAX);
        let (pieces, again) = read(page.as_bytes(), None, size);
        prop_assert_eq!(whole, pieces);
        prop_assert_eq!(format!("{end:?}"), format!("{again:?}"));
    }
}

/// A list of two books with this after it.
fn list_with(after: &str) -> String {
    format!(
        "<html><body><table><tr class=heading><td><span class=hd3>Barcode</span></td><td><span class=hd3>Title</span></td></tr>
        <tr><td>A1</td><td>one</td></tr><tr><td>A2</td><td>two</td></tr></table>{after}</body></html>"
    )
}

fn next(after: &str) -> Option<String> {
    let page = list_with(after);
    let (_, end) = read(page.as_bytes(), None, usize::MAX);
    end.unwrap().next
}

#[test]
fn a_link_to_the_next_page_is_known_by_its_words_its_arrows_and_its_markup() {
    for link in [
        "<a href='?first=2'>Weiter</a>",
        "<a href='?first=2'>Nächste Seite</a>",
        "<a href='?first=2'>Suivant</a>",
        "<a href='?first=2'>下一页</a>",
        "<a href='?first=2'>»</a>",
        "<a href='?first=2'>&rarr;</a>",
        "<a rel='nofollow next' href='?p2'>2</a>",
        "<link rel=next href='?p2'>",
        "<a href='?first=2'><img src=x alt='Next page'></a>",
        "<a href='?first=2' title='next'><img src=x></a>",
        "<a href='?first=2' aria-label='Next'>2</a>",
        "<a href='_all_books?start=2'>Next</a>",
        "<a href='?ctoken=a'>more &gt;</a>",
    ] {
        assert!(next(link).is_some(), "{link}");
    }
    // The last page is not the next one.
    let pager = "<a href='?first=0'>&lt;&lt; First</a> <a href='?first=98'>Last &gt;&gt;</a> <a href='?first=2'>Next &gt;</a>";
    assert_eq!(next(pager).as_deref(), Some("?first=2"));
    assert_eq!(next("<a href='?first=98'>Letzte »</a>"), None);
    assert_eq!(next("<a href='?first=0'>&lt; Previous</a>"), None);
}

#[test]
fn what_stands_in_scripts_styles_titles_and_text_areas_is_text() {
    let link = "<a href='?first=9'>Next &gt;</a>";
    let row = "<table><tr><td>X9</td><td>phantom</td></tr></table>";
    for (open, close) in [
        ("<script>var pager = \"", "\";</script>"),
        ("<script>if (a < b) document.write('", "')</script>"),
        ("<style>/* ", " */</style>"),
        ("<title>", "</title>"),
        ("<textarea>", "</textarea>"),
        ("<!-- ", " -->"),
        ("<iframe>", "</iframe>"),
    ] {
        let page = list_with(&format!("{open}{link}{row}{close}"));
        let (found, end) = read(page.as_bytes(), None, usize::MAX);
        assert_eq!(
            end.unwrap(),
            PageEnd {
                books: 2,
                next: None,
                is_cut: false
            },
            "{open}"
        );
        assert_eq!(found.len(), 2, "{open}");
        // In the list itself, too.
        let page = list_with("").replace("one", &format!("{open}{row}</tr>{close}one"));
        let (found, _) = read(page.as_bytes(), None, usize::MAX);
        assert_eq!(found.len(), 2, "{open}");
    }
}

#[test]
fn a_tag_that_never_closes_makes_no_page_whole() {
    for open in ["<a title=\"so", "<!-- ", "<script>", "<textarea>"] {
        let page = list_with(&format!("{open}<a href='?first=2'>Next</a>"));
        let (_, end) = read(page.as_bytes(), None, usize::MAX);
        assert!(end.as_ref().is_ok_and(|end| end.is_cut), "{open}: {end:?}");
    }
}

#[test]
fn cells_that_span_columns_and_rows_shift_none() {
    let head = |cells: &str| format!("<table><tr class=heading>{cells}</tr>");
    let name = |name: &str| format!("<td><span class=hd3>{name}</span></td>");
    let names = [name("Barcode"), name("Title"), name("Status")].concat();
    let wide = head(&format!("<td colspan=2></td>{names}"));
    let page = format!("{wide}<tr><td><td><td>A1<td>one<td>NEW</tr></table>");
    assert_eq!(
        (
            books(&page)[0].barcode.as_str(),
            books(&page)[0].state.as_str()
        ),
        ("A1", "NEW")
    );
    let page = format!(
        "{}<tr><td>A1<td colspan=2>one</tr><tr><td>A2<td>two<td>NEW</tr></table>",
        head(&names)
    );
    let found = books(&page);
    assert_eq!(
        (found[0].title.as_str(), found[0].state.as_str()),
        ("one", "")
    );
    assert_eq!(
        (found[1].title.as_str(), found[1].state.as_str()),
        ("two", "NEW")
    );
    // The title above reaches into the second row, whose state is therefore its second cell.
    let page = format!(
        "{}<tr><td>A1<td rowspan=2>both<td>NEW</tr><tr><td>A2<td>OLD</tr><tr><td>A3<td>three<td>NEW</tr></table>",
        head(&names)
    );
    let found = books(&page);
    let seen: Vec<_> = found
        .iter()
        .map(|b| (b.title.as_str(), b.state.as_str()))
        .collect();
    assert_eq!(seen, [("both", "NEW"), ("", "OLD"), ("three", "NEW")]);
    for odd in [
        "colspan=0",
        "colspan=-1",
        "colspan=99999999999",
        "rowspan=99999999999",
        "rowspan=x",
    ] {
        let page = format!(
            "{}<tr><td>A1<td>one<td {odd}>NEW</tr></table>",
            head(&names)
        );
        assert_eq!(books(&page)[0].state, "NEW", "{odd}");
    }
}

/// A page of `count` pieces between a beginning and an end, that is never in memory as a whole.
struct Endless {
    begin: &'static [u8],
    piece: &'static [u8],
    count: usize,
    at: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let all = self.begin.len() + self.piece.len() * self.count;
        let mut given = 0;
        while given < buffer.len() && self.at < all {
            buffer[given] = match self.at.checked_sub(self.begin.len()) {
                None => self.begin[self.at],
                Some(behind) => self.piece[behind % self.piece.len()],
            };
            given += 1;
            self.at += 1;
        }
        Ok(given)
    }
}

#[test]
fn nothing_that_a_page_holds_is_kept_beyond_reason() {
    const MEGABYTES: usize = 16;
    for (begin, piece) in [
        (
            &b"<table><tr class=heading><td><span class=hd3>"[..],
            &b"xxxxxxxx"[..],
        ),
        (
            b"<table><tr class=heading>",
            b"<td><span class=hd3>0123456789012345678901234567890123456789</span></td>",
        ),
        (b"<table><tr class=heading><td class='", b"xxxxxxxx"),
        (b"<table><tr class=heading><td><a href='", b"xxxxxxxx"),
        (b"<!--", b"xxxxxxxx"),
        (b"<!DOCTYPE ", b"xxxxxxxx"),
        (b"<!DOCTYPE html PUBLIC \"", b"xxxxxxxx"),
        (b"<script>", b"</scrip"),
        (b"<", b"xxxxxxxx"),
        (b"<p ", b"xxxxxxxx"),
        (b"<p>", b"xxxxxxxx"),
        (b"<a href='?first=1'>", b"xxxxxxxx"),
        (b"", b"<table>"),
    ] {
        let before = peak();
        let page = Endless {
            begin,
            piece,
            count: (MEGABYTES << 20) / piece.len(),
            at: 0,
        };
        assert!(read_page(page, None, |_| true).is_err());
        let grown = peak() - before;
        assert!(
            grown < 6 << 20,
            "{grown} bytes for {}",
            String::from_utf8_lossy(begin)
        );
    }
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    run::Usage::since(std::time::Instant::now()).peak_rss_bytes
}
