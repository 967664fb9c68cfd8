//! How long the other side asks to wait.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// What `Retry-After` says: seconds, or a date. A date is compared with the `Date` of the same answer, since the clocks of
/// two machines differ; with our own clock where there is none.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = date(text)?;
    let now = self::text(headers, &DATE).and_then(date);
    let left = then.duration_since(now.unwrap_or_else(Timestamp::now));
    Some(Duration::try_from(left).unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A date in any of the three forms of HTTP (RFC 9110, section 5.6.7): today's, that of RFC 850, and that of `asctime`.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(date) = rfc2822::parse(text) {
        return Some(date.timestamp());
    }
    let parsed = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| strtime::parse(form, text).ok())?;
    let date = parsed.to_datetime().ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(after: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(after).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).unwrap());
        }
        retry_after(&headers)
    }

    #[test]
    fn a_pause_is_seconds_or_a_date() {
        assert_eq!(asked(" 7 ", None), Some(Duration::from_secs(7)));
        let past = asked("Wed, 21 Oct 2015 07:28:00 GMT", None);
        assert_eq!(past, Some(Duration::ZERO));
        for wrong in ["soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(asked(wrong, None), None, "{wrong}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_date_of_any_form_is_seen_by_the_clock_of_the_answer() {
        // Nine years behind ours.
        let now = "Sun, 06 Nov 1994 08:49:37 GMT";
        for then in [
            "Sun, 06 Nov 1994 08:50:07 GMT",
            "Sunday, 06-Nov-94 08:50:07 GMT",
            "Sun Nov  6 08:50:07 1994",
        ] {
            let thirty = Some(Duration::from_secs(30));
            assert_eq!(asked(then, Some(now)), thirty, "{then}");
            assert_eq!(asked(then, Some("no date")), Some(Duration::ZERO), "{then}");
        }
    }
}
