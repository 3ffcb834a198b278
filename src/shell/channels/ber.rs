//! The part of BER that SNMP v2c needs: writing all values that are sent, and reading the few values of an answer.

/// A value in BER.
pub(super) enum Ber {
    Integer(i64),
    Text(Vec<u8>),
    Oid(Vec<u32>),
    /// Hundredths of a second.
    TimeTicks(u32),
    /// A sequence, or a protocol data unit, which has a tag of its own.
    Constructed(u8, Vec<Ber>),
}

pub(super) const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const TIME_TICKS: u8 = 0x43;

impl Ber {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Ber::Integer(value) => tagged(INTEGER, &integer(*value)),
            Ber::Text(text) => tagged(OCTETS, text),
            Ber::Oid(parts) => tagged(OBJECT, &oid(parts)),
            Ber::TimeTicks(ticks) => tagged(TIME_TICKS, &integer(i64::from(*ticks))),
            Ber::Constructed(tag, parts) => tagged(*tag, &parts.iter().flat_map(Ber::bytes).collect::<Vec<u8>>()),
        }
    }
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = content.len();
    match u8::try_from(length) {
        Ok(short @ 0..=127) => bytes.push(short),
        _ => {
            let all = length.to_be_bytes();
            let needed = &all[all.iter().position(|b| *b != 0).unwrap_or(all.len() - 1)..];
            bytes.push(0x80 | u8::try_from(needed.len()).unwrap_or(8));
            bytes.extend(needed);
        }
    }
    bytes.extend(content);
    bytes
}

/// An integer in the smallest number of bytes that keeps the sign.
fn integer(value: i64) -> Vec<u8> {
    let all = value.to_be_bytes();
    let is_spare = |i: &usize| {
        let (this, next) = (all[*i], all[*i + 1]);
        (this == 0 && next < 0x80) || (this == 0xff && next >= 0x80)
    };
    let start = (0..7).take_while(is_spare).count();
    all[start..].to_vec()
}

fn oid(parts: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let first = parts.first().copied().unwrap_or_default() * 40 + parts.get(1).copied().unwrap_or_default();
    for part in std::iter::once(&first).chain(parts.iter().skip(2)) {
        let mut groups = vec![u8::try_from(part & 0x7f).unwrap_or_default()];
        let mut rest = part >> 7;
        while rest > 0 {
            groups.push(0x80 | u8::try_from(rest & 0x7f).unwrap_or_default());
            rest >>= 7;
        }
        bytes.extend(groups.into_iter().rev());
    }
    bytes
}

/// Takes the first value from the input: its tag and its content. Returns `None` if the value is truncated or too long.
fn take<'b>(bytes: &mut &'b [u8]) -> Option<(u8, &'b [u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 || rest.len() < count {
            return None;
        }
        let (length, rest) = rest.split_at(count);
        (length.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
    };
    if rest.len() < length {
        return None;
    }
    let (content, rest) = rest.split_at(length);
    *bytes = rest;
    Some((*tag, content))
}

fn number(content: &[u8]) -> Option<i64> {
    if content.is_empty() || content.len() > 8 {
        return None;
    }
    let sign = if content[0] >= 0x80 { -1 } else { 0 };
    Some(content.iter().fold(sign, |n, b| n << 8 | i64::from(*b)))
}

/// The request number and the error status of an SNMP v2c message that has this tag.
pub(super) fn response(mut bytes: &[u8], tag: u8) -> Option<(i64, i64)> {
    let (SEQUENCE, mut message) = take(&mut bytes)? else { return None };
    let (INTEGER, _version) = take(&mut message)? else { return None };
    let (OCTETS, _community) = take(&mut message)? else { return None };
    let (found, mut unit) = take(&mut message)?;
    if found != tag {
        return None;
    }
    let (INTEGER, id) = take(&mut unit)? else { return None };
    let (INTEGER, status) = take(&mut unit)? else { return None };
    Some((number(id)?, number(status)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_shortest_form() {
        assert_eq!(Ber::Integer(0).bytes(), [2, 1, 0]);
        assert_eq!(Ber::Integer(127).bytes(), [2, 1, 127]);
        assert_eq!(Ber::Integer(128).bytes(), [2, 2, 0, 128]);
        assert_eq!(Ber::Integer(-129).bytes(), [2, 2, 0xff, 0x7f]);
        assert_eq!(Ber::TimeTicks(u32::MAX).bytes(), [0x43, 5, 0, 255, 255, 255, 255]);
        assert_eq!(Ber::Oid(vec![1, 3, 6, 1, 4, 1, 32473]).bytes(), [6, 8, 0x2b, 6, 1, 4, 1, 0x81, 0xfd, 0x59]);
        assert_eq!(Ber::Text(vec![b'x'; 200]).bytes()[..3], [4, 0x81, 200]);
    }

    #[test]
    fn an_answer_is_read_and_rubbish_is_not() {
        let unit = Ber::Constructed(0xa2, vec![Ber::Integer(-7), Ber::Integer(0), Ber::Integer(0)]);
        let message = Ber::Constructed(SEQUENCE, vec![Ber::Integer(1), Ber::Text(b"public".to_vec()), unit]).bytes();
        assert_eq!(response(&message, 0xa2), Some((-7, 0)));
        assert_eq!(response(&message, 0xa6), None);
        for end in 0..message.len() {
            assert_eq!(response(&message[..end], 0xa2), None);
        }
        assert_eq!(response(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2], 0xa2), None);
    }
}
