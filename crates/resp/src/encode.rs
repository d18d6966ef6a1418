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

fn header(out: &mut Vec<u8>, marker: u8, count: usize) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(count).as_bytes();
    let mut line = [0; 24];
    line[0] = marker;
    line[1..=digits.len()].copy_from_slice(digits);
    line[digits.len() + 1..digits.len() + 3].copy_from_slice(b"\r\n");
    out.extend_from_slice(&line[..digits.len() + 3]);
}
