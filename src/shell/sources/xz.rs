//! The head of an xz file, as far as it says how much memory unpacking takes (section 3.1 of the .xz file format, 5.3.1 for LZMA2).

/// The length of the header of a stream. The header of its first block follows.
const STREAM_HEADER: usize = 12;
const LZMA2: u64 = 0x21;

/// The size in bytes of the dictionary of the first block. `None` if the file has no block, or if this is no valid header: the
/// decoder says what is wrong.
pub(super) fn dictionary(begin: &[u8]) -> Option<u64> {
    let block = begin.get(STREAM_HEADER..)?;
    let length = (usize::from(*block.first()?) + 1) * 4;
    let mut rest = block.get(1..length).filter(|_| block[0] != 0)?;
    let flags = take(&mut rest)?;
    // The sizes of the block, packed and unpacked.
    for bit in [0x40, 0x80] {
        if flags & bit != 0 {
            number(&mut rest)?;
        }
    }
    for _ in 0..=flags & 3 {
        let (id, size) = (number(&mut rest)?, usize::try_from(number(&mut rest)?).ok()?);
        let (properties, behind) = rest.split_at_checked(size)?;
        rest = behind;
        if id == LZMA2 {
            return Some(match *properties.first()? & 0x3f {
                bits @ 0..40 => (2 | u64::from(bits & 1)) << (bits / 2 + 11),
                _ => u64::from(u32::MAX),
            });
        }
    }
    None
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    Some(*first)
}

/// A number of one to nine bytes, the lowest seven bits first.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let byte = take(rest)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_dictionary_is_in_the_first_block() {
        let file = |properties: u8| {
            let mut file = b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46".to_vec();
            file.extend([0x02, 0x00, 0x21, 0x01, properties, 0, 0, 0, 0, 0, 0, 0]);
            file
        };
        for (properties, mib) in [(0x16, 8), (0x1c, 64), (0x1d, 96), (0x20, 256)] {
            assert_eq!(dictionary(&file(properties)), Some(mib << 20), "{properties}");
        }
        assert_eq!(dictionary(&file(40)), Some(u64::from(u32::MAX)));
        // With both sizes and another filter before it.
        let mut file = file(0x1c);
        file.truncate(STREAM_HEADER);
        file.extend([0x03, 0xc1, 0x80, 0x01, 0x05, 0x04, 0x00, 0x21, 0x01, 0x1c, 0, 0, 0, 0, 0, 0]);
        assert_eq!(dictionary(&file), Some(64 << 20));
        for length in 0..file.len() {
            let _ = dictionary(&file[..length]);
        }
        file[STREAM_HEADER] = 0;
        assert_eq!(dictionary(&file), None);
    }
}
