//! Bodies in other encodings than their label says: UTF-16, Latin-1, gzip.

use crate::suite::call::Encoding;

/// `utf8` in another encoding. Bytes that are no text stay as they are.
pub(super) fn encode(utf8: &[u8], encoding: Encoding) -> Vec<u8> {
    let text = String::from_utf8_lossy(utf8);
    match encoding {
        Encoding::Utf8 => utf8.to_vec(),
        Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Encoding::Latin1 => text.chars().map(|c| u8::try_from(c as u32).unwrap_or(b'?')).collect(),
        Encoding::Gzip => gzip(utf8),
    }
}

/// A gzip member of stored blocks: right in every reader, and no compressor is needed for it.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    if blocks.peek().is_none() {
        out.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("blocks are cut to fit");
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&crc32(bytes).to_le_bytes());
    let size = u32::try_from(bytes.len() % (1 << 32)).expect("reduced to 32 bits");
    out.extend_from_slice(&size.to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_in_the_encoding_that_was_asked_for() {
        assert_eq!(encode("aé".as_bytes(), Encoding::Utf16Le), [0x61, 0, 0xe9, 0]);
        assert_eq!(encode("aé".as_bytes(), Encoding::Utf16Be), [0, 0x61, 0, 0xe9]);
        assert_eq!(encode("aé€".as_bytes(), Encoding::Latin1), [0x61, 0xe9, b'?']);
        assert_eq!(encode("é".as_bytes(), Encoding::Utf8), "é".as_bytes());
    }

    #[test]
    fn a_gzip_member_has_its_checksum_and_size() {
        let made = encode(b"123456789", Encoding::Gzip);
        assert_eq!(&made[made.len() - 8..made.len() - 4], 0xcbf4_3926u32.to_le_bytes());
        assert_eq!(&made[made.len() - 4..], 9u32.to_le_bytes());
        assert_eq!(encode(b"", Encoding::Gzip).len(), 10 + 5 + 8);
    }
}
