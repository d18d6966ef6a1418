//! The least that an import can take on this machine, at this moment: a RESTORE for every key, written before the clock
//! starts, and sent by the kernel from the page cache.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use rdb::file::{Event, Key, Limits, Reader};
use rdb::{Version, dump};
use resp::encode;
use testkit::Server;

use super::pass::chunks;
use crate::bench::machine::{Moment, own_cpu};

/// What a RESTORE is answered.
const OK: &[u8] = b"+OK\r\n";

/// What a target needs that is only fed.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// From the first byte to the last reply.
    pub wall: Duration,
    /// CPU time of the target meanwhile.
    pub target_cpu: Duration,
    /// Share of the machine that went to others meanwhile.
    pub others: f64,
}

/// Requests in a file without a name.
#[derive(Debug)]
pub struct Commands {
    file: File,
    count: u64,
}

impl Commands {
    /// Makes them of an RDB file. Values are whole: the largest one is held in memory.
    ///
    /// # Errors
    /// No room, or the file is damaged or has several databases.
    pub fn of(file: &Path) -> Result<Commands> {
        let mut out = BufWriter::new(tempfile::tempfile().context("no temporary file for commands")?);
        let (mut reader, mut version, mut count) = (Reader::new(Limits::default()), Version(0), 0);
        let (mut key, mut value) = (None, Vec::new());
        for chunk in chunks(file)? {
            reader.feed(chunk?);
            while let Some(event) = reader.next()? {
                match event {
                    Event::Version(of_file) => version = of_file,
                    Event::Database(db) => ensure!(db == 0, "there is a database {db} in the file"),
                    Event::Key(next) => key = Some(next),
                    Event::Part { bytes, last } => {
                        value.push(bytes);
                        if last && let Some(key) = key.take() {
                            restore(&key, &value, version, &mut out)?;
                            value.clear();
                            count += 1;
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(Commands { file: out.into_inner().map_err(|error| error.into_error())?, count })
    }

    /// Sends them to a server over one connection.
    ///
    /// # Errors
    /// The connection is lost, or the server refuses a command.
    pub fn send(&self, target: &Server) -> Result<Limit> {
        let access = target.access();
        let stream = TcpStream::connect((access.host.as_str(), access.port)).context("no connection")?;
        stream.set_nodelay(true)?;
        let mut file = &self.file;
        file.rewind()?;
        let before = (target.cpu_time(), own_cpu());
        let (machine, begin) = (Moment::now(), Instant::now());
        thread::scope(|scope| -> Result<()> {
            let sender = scope.spawn(|| io::copy(&mut file, &mut &stream));
            let answered = self.await_answers(&stream);
            // If they ended early the sender would wait for ever.
            let _ = stream.shutdown(Shutdown::Both);
            let sent = sender.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            answered?;
            sent.map(|_| ()).context("the commands are not sent")
        })?;
        let wall = begin.elapsed();
        let target_cpu = target.cpu_time().saturating_sub(before.0);
        let own = own_cpu().saturating_sub(before.1);
        Ok(Limit { wall, target_cpu, others: machine.used_by_others(target_cpu + own) })
    }

    fn await_answers(&self, mut stream: &TcpStream) -> Result<()> {
        let mut buffer = vec![0; 64 << 10];
        let mut expected = OK.iter().cycle();
        let mut left = self.count * OK.len() as u64;
        while left > 0 {
            let length = stream.read(&mut buffer).context("no answer")?;
            ensure!(length > 0, "the server closed the connection");
            let answers = &buffer[..length];
            if let Some(at) = answers.iter().position(|byte| Some(byte) != expected.next()) {
                bail!("the server refuses a command: {}", String::from_utf8_lossy(&answers[at..]));
            }
            left = left.saturating_sub(length as u64);
        }
        Ok(())
    }
}

fn restore(key: &Key, value: &[Bytes], version: Version, out: &mut BufWriter<File>) -> io::Result<()> {
    let footer = dump::footer(value.iter().map(|part| &part[..]), version);
    let length = value.iter().map(Bytes::len).sum::<usize>() + footer.len();
    let mut head = Vec::with_capacity(128);
    encode::array(&mut head, if key.expires_at_ms.is_some() { 6 } else { 5 });
    encode::bulk(&mut head, b"RESTORE");
    encode::bulk(&mut head, &key.name);
    encode::bulk_int(&mut head, key.expires_at_ms.unwrap_or(0).try_into().unwrap_or(i64::MAX));
    encode::bulk_header(&mut head, length);
    out.write_all(&head)?;
    value.iter().try_for_each(|part| out.write_all(part))?;
    out.write_all(&footer)?;
    let mut tail = b"\r\n".to_vec();
    encode::bulk(&mut tail, b"REPLACE");
    if key.expires_at_ms.is_some() {
        encode::bulk(&mut tail, b"ABSTTL");
    }
    out.write_all(&tail)
}
