//! Writes commands and replies. Everything appends to a buffer of the caller's and allocates nothing else.

/// A command as clients send it: an array of bulk strings.
pub fn command(out: &mut Vec<u8>, args: &[&[u8]]) {
    // 32 bytes hold a header with its line ending and the one after the payload.
    out.reserve(args.iter().map(|arg| arg.len() + 32).sum::<usize>() + 32);
    array(out, args.len());
    for arg in args {
        bulk(out, arg);
    }
}

/// The header of an array; its `n` elements are the caller's to append.
pub fn array(out: &mut Vec<u8>, n: usize) {
    header(out, b'*', n);
}

/// A bulk string.
pub fn bulk(out: &mut Vec<u8>, payload: &[u8]) {
    bulk_header(out, payload.len());
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

/// The header of a bulk string; its `len` bytes and the `\r\n` after them are the caller's to append.
pub fn bulk_header(out: &mut Vec<u8>, len: usize) {
    header(out, b'$', len);
}

/// A bulk string that is a decimal number, as arguments of commands are.
pub fn bulk_int(out: &mut Vec<u8>, value: i64) {
    let mut digits = itoa::Buffer::new();
    bulk(out, digits.format(value).as_bytes());
}

/// Short counts are nearly all there are: copies of a constant size, which need no call.
#[inline]
fn header(out: &mut Vec<u8>, marker: u8, count: usize) {
    let digit = |place: usize| b'0' + (count / place % 10) as u8;
    match count {
        0..10 => out.extend_from_slice(&[marker, digit(1), b'\r', b'\n']),
        10..100 => out.extend_from_slice(&[marker, digit(10), digit(1), b'\r', b'\n']),
        100..1000 => out.extend_from_slice(&[marker, digit(100), digit(10), digit(1), b'\r', b'\n']),
        _ => {
            out.push(marker);
            out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}
