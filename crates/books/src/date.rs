//! Dates in one form, whichever tool wrote them.

use std::borrow::Cow;

/// A date as GRIN writes it, in the one form that is stored: `YYYY-MM-DDTHH:MM:SS`.
///
/// Takes `2016/05/24 03:07`, `2016-05-24 03:07`, single digits, any blanks between date and time, optional seconds.
/// Anything else stays as it is, such as a day that no calendar has.
pub(crate) fn iso(text: &str) -> Cow<'_, str> {
    match parse(text) {
        Some([year, month, day, hour, minute, second]) => Cow::Owned(format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )),
        None => Cow::Borrowed(text),
    }
}

/// The same, in place of what `stored` held.
pub(crate) fn iso_into(text: &str, stored: &mut String) {
    stored.clear();
    if !usual_into(text, stored) {
        stored.push_str(&iso(text));
    }
}

/// The form that GRIN itself uses, `2016/05/24 03:07`; there are millions of them.
fn usual_into(text: &str, stored: &mut String) -> bool {
    let bytes = text.as_bytes();
    let number = |at: usize| {
        let digit = |at: usize| bytes[at].is_ascii_digit().then(|| bytes[at] - b'0');
        Some(u32::from(digit(at)? * 10 + digit(at + 1)?))
    };
    let sensible = || {
        let year = number(0)? * 100 + number(2)?;
        let (month, day, hour, minute) = (number(5)?, number(8)?, number(11)?, number(14)?);
        Some(is_day(year, month, day) && hour < 24 && minute < 60)
    };
    let form = |at: usize, mark: u8| bytes.get(at) == Some(&mark);
    let usual =
        bytes.len() == 16 && form(4, b'/') && form(7, b'/') && form(10, b' ') && form(13, b':');
    if !usual || sensible() != Some(true) {
        return false;
    }
    for (part, mark) in [(0..4, "-"), (5..7, "-"), (8..10, "T"), (11..16, ":00")] {
        stored.push_str(&text[part]);
        stored.push_str(mark);
    }
    true
}

/// The moment as the run's tables hold it: `2026-11-21T07:08:50.704946+00:00`.
pub(crate) fn now() -> String {
    stamp(jiff::Timestamp::now())
}

/// Microseconds are left out when they are zero, as Python's `isoformat` does.
pub(crate) fn stamp(time: jiff::Timestamp) -> String {
    let whole = time.strftime("%Y-%m-%dT%H:%M:%S");
    match time.subsec_nanosecond().max(0) / 1000 {
        0 => format!("{whole}+00:00"),
        micros => format!("{whole}.{micros:06}+00:00"),
    }
}

fn parse(text: &str) -> Option<[u32; 6]> {
    let (date, time) = text.split_once(|c: char| c == 'T' || c.is_whitespace())?;
    let separator = if date.contains('/') { '/' } else { '-' };
    let [year, month, day] = numbers(date, separator)?;
    let time = time.trim_start();
    let [hour, minute, second] = if let Some(all) = numbers::<3>(time, ':') {
        all
    } else {
        let [hour, minute] = numbers(time, ':')?;
        [hour, minute, 0]
    };
    let (form, rest) = date.split_once(separator)?;
    let short = |part: &str| part.len() <= 2;
    let sensible = form.len() == 4
        && rest.split(separator).all(short)
        && time.split(':').all(short)
        && is_day(year, month, day)
        && hour < 24
        && minute < 60
        && second < 60;
    sensible.then_some([year, month, day, hour, minute, second])
}

/// Whether the calendar has such a day.
fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

/// Exactly `N` numbers of at most four digits.
fn numbers<const N: usize>(text: &str, separator: char) -> Option<[u32; N]> {
    let mut parts = text.split(separator);
    let mut all = [0; N];
    for place in &mut all {
        let part = parts.next()?;
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        *place = part.parse().ok().filter(|_| digits)?;
    }
    parts.next().is_none().then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_forms_become_one() {
        for text in [
            "2016/05/24 03:07",
            "2016/5/24 3:07",
            "2016-05-24 03:07",
            "2016-05-24T03:07",
            "2016-05-24T03:07:00",
            "2016/05/24  03:07",
            "2016/05/24\n\t03:07",
            "2016/05/24\u{a0}03:07",
        ] {
            assert_eq!(iso(text), "2016-05-24T03:07:00", "{text}");
            let mut stored = "before".to_owned();
            iso_into(text, &mut stored);
            assert_eq!(stored, "2016-05-24T03:07:00", "{text}");
        }
        assert_eq!(iso("2016/05/24 03:07:59"), "2016-05-24T03:07:59");
        assert_eq!(iso("2016/02/29 03:07"), "2016-02-29T03:07:00");
        assert_eq!(iso("2000/2/29 23:59"), "2000-02-29T23:59:00");
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        for text in [
            "",
            "soon",
            "2016/05/24",
            "2016/13/24 03:07",
            "2016/00/24 03:07",
            "2016/05/00 03:07",
            "2016/02/30 03:07",
            "2016/2/30 3:07",
            "2015/02/29 03:07",
            "1900/2/29 03:07",
            "2016/04/31 03:07",
            "0000/05/24 03:07",
            "2016/005/24 03:07",
            "2016/05/24 003:07",
            "2016/05/24 03:007",
            "2016/12/24 03-07",
            "2016/12/24 0x:07",
            "2016/12/é4 0:07",
            "16/05/24 03:07",
            "2016/05/24 25:00",
            "2016/05/24 03:07 PM",
            "2016-05-24T03:07:00+00:00",
            "2016/05/24 03:07:00.5",
        ] {
            assert_eq!(iso(text), text);
            let mut stored = "before".to_owned();
            iso_into(text, &mut stored);
            assert_eq!(stored, text);
        }
    }

    #[test]
    fn a_stamp_is_what_python_writes() {
        let time: jiff::Timestamp = "2026-11-21T07:08:50.704946Z".parse().unwrap();
        assert_eq!(stamp(time), "2026-11-21T07:08:50.704946+00:00");
        let time: jiff::Timestamp = "2026-11-21T07:08:50Z".parse().unwrap();
        assert_eq!(stamp(time), "2026-11-21T07:08:50+00:00");
    }
}
