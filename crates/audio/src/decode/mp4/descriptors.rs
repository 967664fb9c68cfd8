//! Descriptors of elementary streams (ISO/IEC 14496-1, section 7.2.6), as far as to find AAC's setup.

/// Finds the `AudioSpecificConfig` in an elementary stream descriptor.
pub(super) fn specific_config(bytes: &[u8]) -> Option<&[u8]> {
    let (tag, stream, _) = descriptor(bytes)?;
    let flags = *stream.get(2)?;
    let skip = 3 + if flags & 0x80 == 0 { 0 } else { 2 } + if flags & 0x20 == 0 { 0 } else { 2 };
    let (config_tag, config, _) = descriptor(stream.get(skip..)?)?;
    let (info_tag, info, _) = descriptor(config.get(13..)?)?;
    (tag == 3 && config_tag == 4 && info_tag == 5).then_some(info)
}

/// Tag, body and rest; lengths are written seven bits to a byte.
fn descriptor(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, mut rest) = bytes.split_first()?;
    let mut length = 0;
    for _ in 0..4 {
        let (byte, after) = rest.split_first()?;
        rest = after;
        length = (length << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let (body, after) = rest.split_at(length.min(rest.len()));
    Some((*tag, body, after))
}
