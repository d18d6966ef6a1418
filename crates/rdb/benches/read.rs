//! How fast files are read: GB/s of the file, the best of several runs, since noise only adds. The files are generated
//! and arrive in chunks of 1 MiB that are sliced, not copied.

use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use rdb::decode::Decoder;
use rdb::file::{Event, Limits, Reader};
use rdb::{TypeCode, Version, dump};

const CHUNK: usize = 1 << 20;
const FILE: usize = 16 << 20;
const RUNS: usize = 40;

fn main() {
    println!("  raw  decoded  GB/s of");
    measure("strings of 100 bytes", |at| (TypeCode::STRING, string(at, 100)));
    measure("strings of 1 kB", |at| (TypeCode::STRING, string(at, 1000)));
    measure("strings of 100 kB", |at| (TypeCode::STRING, string(at, 100_000)));
    measure("strings of 16 MB, in parts", |at| (TypeCode::STRING, string(at, 16_000_000)));
    measure("hashes of 10 fields of 30 bytes, listpacks", |at| (TypeCode::HASH_LISTPACK, packed(at, 20, 30)));
    measure("hashes of 1000 fields of 30 bytes", |at| (TypeCode::HASH, counted(1000, 2, || string(at, 30))));
    measure("lists of 100 listpacks of 8 kB", |at| {
        let node = packed(at, 200, 40);
        (TypeCode::LIST_QUICKLIST_2, counted(100, 1, || [&[2], &node[..]].concat()))
    });
    measure("sets of 100 numbers", |at| (TypeCode::SET_INTSET, intset(at, 100)));
    measure("mixed: 50 % 100 B, 40 % hashes, 9 % 4 kB, 1 % 200 kB", |at| match at % 100 {
        0..50 => (TypeCode::STRING, string(at, 100)),
        50..90 => (TypeCode::HASH_LISTPACK, packed(at, 20, 30)),
        90..99 => (TypeCode::STRING, string(at, 4000)),
        _ => (TypeCode::STRING, string(at, 200_000)),
    });
}

fn measure(what: &str, value: impl Fn(usize) -> (TypeCode, Vec<u8>)) {
    let file = file(value);
    let raw = best(|| read(&file, false));
    let decoded = best(|| read(&file, true));
    let speed = |seconds: f64| file.len() as f64 / seconds / 1e9;
    println!("{:5.2}  {:7.2}  {what}", speed(raw), speed(decoded));
}

fn best(run: impl Fn()) -> f64 {
    let seconds = (0..RUNS).map(|_| {
        let begin = Instant::now();
        run();
        begin.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}

fn read(file: &Bytes, decode: bool) {
    let mut reader = Reader::new(Limits::default());
    let (mut decoder, mut fresh, mut told) = (None, false, 0);
    for chunk in file.chunks(CHUNK) {
        reader.feed(file.slice_ref(chunk));
        while let Some(event) = reader.next().expect("the file is well formed") {
            match event {
                Event::Key(key) if decode => {
                    decoder = Some(Decoder::new(key.code));
                    fresh = true;
                }
                Event::Part { mut bytes, .. } => {
                    told += bytes.len();
                    let Some(decoder) = &mut decoder else { continue };
                    if std::mem::take(&mut fresh) {
                        bytes = bytes.slice(1..);
                    }
                    decoder.feed(bytes);
                    while let Some(element) = decoder.next().expect("the value is well formed") {
                        black_box(&element);
                    }
                }
                other => {
                    black_box(&other);
                }
            }
        }
    }
    reader.finish();
    assert!(reader.next().expect("the file is well formed").is_none() && reader.is_done());
    black_box(told);
}

fn file(value: impl Fn(usize) -> (TypeCode, Vec<u8>)) -> Bytes {
    let mut file = BytesMut::from(&b"REDIS0012\xfe\x00"[..]);
    for at in 0.. {
        if file.len() > FILE {
            break;
        }
        let (code, body) = value(at);
        // Every third key expires.
        if at % 3 == 0 {
            file.extend_from_slice(&[252, 0, 0, 0, 0, 200, 1, 0, 0]);
        }
        file.extend_from_slice(&[code.0]);
        file.extend_from_slice(&text(format!("key:{at:012}").as_bytes()));
        file.extend_from_slice(&body);
    }
    file.extend_from_slice(&[255]);
    // A footer of a payload is version and sum of all before; what the file wants is the sum alone.
    let [.., a, b, c, d, e, f, g, h] = sum(&file);
    file.extend_from_slice(&[a, b, c, d, e, f, g, h]);
    file.freeze()
}

/// The sum of bytes, by way of a payload that ends with them.
fn sum(file: &[u8]) -> [u8; 8] {
    let (rest, last) = file.split_at(file.len() - 2);
    let footer = dump::footer([rest], Version(u16::from_le_bytes([last[0], last[1]])));
    let mut sum = [0; 8];
    sum.copy_from_slice(&footer[2..]);
    sum
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [&[0x80], &(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

fn string(at: usize, size: usize) -> Vec<u8> {
    text(&vec![b'a' + (at % 26) as u8; size])
}

fn counted(count: u32, per_count: usize, mut item: impl FnMut() -> Vec<u8>) -> Vec<u8> {
    let mut body = [&[0x80], &count.to_be_bytes()[..]].concat();
    (0..count as usize * per_count).for_each(|_| body.extend(item()));
    body
}

/// A listpack of so many texts of up to 63 bytes.
fn packed(at: usize, count: u16, size: u8) -> Vec<u8> {
    let mut pack = vec![0; 4];
    pack.extend(count.to_le_bytes());
    for _ in 0..count {
        pack.push(0x80 | size);
        pack.resize(pack.len() + usize::from(size), b'a' + (at % 26) as u8);
        pack.push(size + 1);
    }
    pack.push(0xff);
    let length = pack.len() as u32;
    pack[..4].copy_from_slice(&length.to_le_bytes());
    text(&pack)
}

fn intset(at: usize, count: u32) -> Vec<u8> {
    let mut set = [8_u32.to_le_bytes(), count.to_le_bytes()].concat();
    (0..count).for_each(|number| set.extend((at as u64 * 1000 + u64::from(number)).to_le_bytes()));
    text(&set)
}
