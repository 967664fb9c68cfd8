//! The receiver's reasons to refuse a bundle, looked for before there is one.

use std::collections::BTreeSet;

use super::payload::Payload;

/// Reasons that are told; where there is one there are often thousands.
const TOLD: usize = 20;

/// Why the receiver would refuse a payload; empty if it would not.
///
/// What the types of the payload rule out, such as a missing field, is not asked again.
pub(super) fn reasons(payload: &Payload) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut sounds = BTreeSet::new();
    let known: BTreeSet<_> = payload.recordings.iter().map(|found| &found.mbid).collect();
    if known.len() != payload.recordings.len() {
        reasons.push("a recording has two entries".to_owned());
    }
    for encoding in &payload.encodings {
        let sound = &encoding.audio_md5;
        if !sounds.insert(sound) {
            reasons.push(format!("the sound `{sound}` has two entries"));
        }
        if encoding.duration_ms <= 0 || encoding.format.is_empty() {
            reasons.push(format!(
                "`{}` has no length or no format",
                encoding.bundle_path
            ));
        }
        let mut spans = BTreeSet::new();
        for passage in &encoding.passages {
            if passage.end_ms <= passage.start_ms {
                reasons.push(format!("a passage of `{}` is empty", encoding.bundle_path));
            }
            if !spans.insert((passage.kind, passage.start_ms, passage.end_ms)) {
                reasons.push(format!(
                    "`{}` has two passages from {} ms to {} ms",
                    encoding.bundle_path, passage.start_ms, passage.end_ms
                ));
            }
            for credit in &passage.recordings {
                if !known.contains(&credit.mbid) {
                    reasons.push(format!("the recording `{}` has no entry", credit.mbid));
                }
            }
        }
    }
    for recording in &payload.recordings {
        let mut seen = BTreeSet::new();
        for row in &recording.flavor {
            let is_new = seen.insert((&row.characteristic, &row.class));
            if !is_new || !(0.0..=1.0).contains(&row.value) {
                reasons.push(format!(
                    "`{}` of `{}` has two values, or one outside 0 to 1",
                    row.class, recording.mbid
                ));
            }
        }
    }
    reasons.truncate(TOLD);
    reasons
}
