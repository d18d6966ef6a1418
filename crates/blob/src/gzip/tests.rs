use super::*;
use flate2::GzBuilder;
use proptest::prelude::*;

fn gunzip(input: &[u8], chunk: usize) -> Result<Vec<u8>, Damage> {
    let mut gunzip = Gunzip::new();
    let mut output = Vec::new();
    for piece in input.chunks(chunk.max(1)) {
        gunzip.push(piece);
        while let Some(bytes) = gunzip.next()? {
            assert!(!bytes.is_empty() && bytes.len() <= PIECE);
            output.extend_from_slice(&bytes);
        }
    }
    gunzip.finish()?;
    Ok(output)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = Gzip::new();
    let mut output = gzip.push(bytes).unwrap().to_vec();
    output.extend_from_slice(&gzip.finish().unwrap());
    output
}

fn with_every_field(bytes: &[u8]) -> Vec<u8> {
    let builder = GzBuilder::new().filename("dump.rdb").comment("a comment").extra(vec![1, 2, 0, 3]);
    let mut encoder = builder.write(Vec::new(), Compression::new(1));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #[test]
    fn members_in_any_chunks(
        parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..2000), any::<bool>()), 1..4),
        padding in 0usize..600,
        chunk in 1usize..700,
    ) {
        let mut file = Vec::new();
        for (part, plain) in &parts {
            file.extend(if *plain { gzip(part) } else { with_every_field(part) });
        }
        file.resize(file.len() + padding, 0);
        let expected: Vec<u8> = parts.into_iter().flat_map(|(part, _)| part).collect();
        prop_assert_eq!(gunzip(&file, chunk).unwrap(), expected);
    }

    #[test]
    fn what_is_cut_or_flipped_is_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..2000), chunk in 1usize..700, cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(), bit in 0u32..8,
    ) {
        let file = gzip(&bytes);
        prop_assert!(gunzip(&file[..cut.index(file.len())], chunk).is_err());
        let mut flipped = file.clone();
        flipped[flip.index(file.len())] ^= 1 << bit;
        // Time, operating system and level are in no checksum, nor is a flag that adds a field by chance, nor what fills up
        // the first byte of a block that is stored as it is (RFC 1951 section 3.2.4). None of them changes what comes out.
        if let Ok(output) = gunzip(&flipped, chunk) {
            prop_assert_eq!(output, bytes);
        }
    }

    #[test]
    fn junk_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), chunk in 1usize..50) {
        let mut junk = MAGIC.to_vec();
        junk.push(8);
        junk.extend(bytes);
        let _ = gunzip(&junk, chunk);
    }
}

#[test]
fn bombs_come_out_in_pieces() {
    let zeros = vec![0; 64 << 20];
    let file = gzip(&zeros);
    assert!(file.len() < 400_000);
    assert_eq!(gunzip(&file, usize::MAX).unwrap(), zeros);
}

#[test]
fn what_follows_is_gzip_or_zeros() {
    let mut file = gzip(b"x");
    let end = file.len() as u64;
    file.extend([0, 0, 7]);
    assert_eq!(gunzip(&file, 5).unwrap_err().offset, end + 2);
    let mut file = gzip(b"x");
    file.extend(b"REDIS");
    assert_eq!(gunzip(&file, 5).unwrap_err().offset, end);
}

#[test]
fn the_first_bytes_tell() {
    for (start, expected) in [
        (&b""[..], None),
        (b"\x1f", None),
        (b"\x1f\x8b", Some(true)),
        (b"R", Some(false)),
        (b"\x1f\x8a", Some(false)),
    ] {
        assert_eq!(is_gzip(start), expected, "{start:?}");
    }
}
