//! A TCP relay in front of a server, with faults that a test switches on and off.
//!
//! It carries bytes and never looks into them, so it works for TLS too. It runs on a thread of its own: tests
//! may be synchronous or asynchronous, and a blocked test does not block its connections.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::dataset::random::Random;

mod carry;

/// The two directions of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Requests.
    ToServer,
    /// Replies.
    ToClient,
}

/// A relay from a free port of 127.0.0.1 to one server. It stops, with all its connections, when dropped.
///
/// Controls act on open connections too, unless their description says otherwise.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    controls: watch::Sender<Controls>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

/// What the test asks for. Carriers watch it.
#[derive(Clone, Debug, Default)]
struct Controls {
    stopped: bool,
    /// Connections accepted under an older number are closed.
    cuts: u64,
    refuse: bool,
    stall: bool,
    /// Requests of connections with a smaller number are withheld from the server.
    withheld: u64,
    /// The clients of connections with a smaller number are gone.
    parted: u64,
    replies: Replies,
    delay: Duration,
    limits: Limits,
    random: Option<(Random, u64)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Replies {
    #[default]
    Pass,
    LoseNext,
    LoseAll,
}

/// After how many bytes a connection is closed; fixed when it is accepted.
#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    to_server: Option<u64>,
    to_client: Option<u64>,
    both: Option<u64>,
}

#[derive(Debug, Default)]
struct Counters {
    to_server: AtomicU64,
    to_client: AtomicU64,
    withheld: AtomicU64,
    open: AtomicUsize,
    /// The numbers of those that are open.
    numbers: Mutex<BTreeSet<u64>>,
    accepted: AtomicU64,
}

impl Relay {
    /// Starts a relay to a server.
    ///
    /// # Panics
    /// When no port of 127.0.0.1 can be bound or no thread started.
    pub fn to(host: &str, port: u16) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port of 127.0.0.1");
        listener.set_nonblocking(true).expect("a non-blocking listener");
        let own_port = listener.local_addr().expect("a bound listener has an address").port();
        let (controls, watched) = watch::channel(Controls::default());
        let counters = Arc::new(Counters::default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime for the relay");
        let server = (host.to_string(), port);
        let thread = {
            let (controls, counters) = (controls.clone(), Arc::clone(&counters));
            std::thread::Builder::new()
                .name(format!("relay-{own_port}"))
                .spawn(move || {
                    let _ends_with_runtime =
                        runtime.block_on(accept(listener, server, controls, watched, counters));
                })
                .expect("a thread for the relay")
        };
        Relay { port: own_port, controls, counters, thread: Some(thread) }
    }

    /// The port of 127.0.0.1 that clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Closes all connections now. New ones are accepted. Returns when the old ones are closed.
    pub fn cut(&self) {
        let accepted = self.counters.accepted.load(Ordering::Acquire);
        self.controls.send_modify(|controls| controls.cuts += 1);
        let give_up = Instant::now() + Duration::from_secs(5);
        // Clients that connect again at once keep the count up: then only those accepted later are open.
        while self.connections() as u64 > self.counters.accepted.load(Ordering::Acquire) - accepted {
            assert!(Instant::now() < give_up, "the relay did not close its connections");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// While true, new connections are closed as soon as they are accepted.
    pub fn refuse(&self, refuse: bool) {
        self.controls.send_modify(|controls| controls.refuse = refuse);
    }

    /// Closes every new connection after exactly `bytes` bytes one way. Holds until [`Relay::heal`].
    pub fn cut_after(&self, way: Way, bytes: u64) {
        self.controls.send_modify(|controls| match way {
            Way::ToServer => controls.limits.to_server = Some(bytes),
            Way::ToClient => controls.limits.to_client = Some(bytes),
        });
    }

    /// Closes every new connection after a random number of bytes, both ways together, `mean_bytes` on average
    /// (exponentially distributed). The n-th connection always gets the same number from the same seed.
    pub fn cut_randomly(&self, seed: u64, mean_bytes: u64) {
        self.controls.send_modify(|controls| controls.random = Some((Random::new(seed), mean_bytes)));
    }

    /// While true, requests reach the server but no reply reaches the client; once the server has been quiet for
    /// 20 ms after a lost reply, the connection is closed. What was written stays written.
    pub fn drop_replies(&self, drop: bool) {
        let replies = if drop { Replies::LoseAll } else { Replies::Pass };
        self.controls.send_modify(|controls| controls.replies = replies);
    }

    /// As [`Relay::drop_replies`], for the next connection that a reply arrives on, and for that one only.
    pub fn lose_next_reply(&self) {
        self.controls.send_modify(|controls| controls.replies = Replies::LoseNext);
    }

    /// While true, no byte moves, but connections stay open and new ones are accepted.
    pub fn stall(&self, stall: bool) {
        self.controls.send_modify(|controls| controls.stall = stall);
    }

    /// From now on the requests of all open connections are received and withheld from the server; those of later connections
    /// pass. Until [`Relay::deliver`].
    pub fn withhold(&self) {
        self.counters.withheld.store(0, Ordering::Release);
        self.controls.send_modify(|controls| controls.withheld = self.accepted());
    }

    /// Bytes of requests that were received since then and withheld.
    pub fn withheld(&self) -> u64 {
        self.counters.withheld.load(Ordering::Acquire)
    }

    /// Ends the withheld connections towards their clients. Towards the server they stay, with what is withheld, as when a
    /// client's machine is gone and the network still has what it sent.
    pub fn part(&self) {
        self.controls.send_modify(|controls| controls.parted = controls.withheld);
    }

    /// Sends the server what was withheld. Returns when all parted connections are closed: the server has had what was
    /// withheld, unless it closed them before.
    ///
    /// # Panics
    /// That took longer than five seconds.
    pub fn deliver(&self) {
        self.controls.send_modify(|controls| controls.withheld = 0);
        let give_up = Instant::now() + Duration::from_secs(5);
        let parted = self.controls.borrow().parted;
        let is_open = || self.counters.numbers().first().is_some_and(|number| *number < parted);
        while is_open() {
            assert!(Instant::now() < give_up, "what was withheld could not be delivered");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Bytes arrive this much later, each way. Does not limit the rate.
    pub fn delay(&self, delay: Duration) {
        self.controls.send_modify(|controls| controls.delay = delay);
    }

    /// Ends every fault: nothing is refused, stalled, delayed, lost or, from the next connection on, cut.
    pub fn heal(&self) {
        self.controls.send_modify(|controls| {
            *controls = Controls { stopped: controls.stopped, cuts: controls.cuts, ..Controls::default() };
        });
    }

    /// Bytes carried so far one way, over all connections.
    pub fn bytes(&self, way: Way) -> u64 {
        self.counters.of(way).load(Ordering::Relaxed)
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.counters.open.load(Ordering::Acquire)
    }

    /// Connections accepted so far, without refused ones.
    pub fn accepted(&self) -> u64 {
        self.counters.accepted.load(Ordering::Acquire)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.controls.send_modify(|controls| controls.stopped = true);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed by the thread; there is nothing to add while dropping.
            let _printed = thread.join();
        }
    }
}

impl Counters {
    fn numbers(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, way: Way) -> &AtomicU64 {
        match way {
            Way::ToServer => &self.to_server,
            Way::ToClient => &self.to_client,
        }
    }
}

impl Controls {
    /// The limits of the next connection.
    fn next_limits(&mut self) -> Limits {
        let mut limits = self.limits;
        if let Some((random, mean)) = &mut self.random {
            limits.both = Some((-random.fraction().ln() * *mean as f64) as u64);
        }
        limits
    }
}

async fn accept(
    listener: std::net::TcpListener,
    server: (String, u16),
    controls: watch::Sender<Controls>,
    mut watched: watch::Receiver<Controls>,
    counters: Arc<Counters>,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let client = tokio::select! {
            _ = watched.wait_for(|controls| controls.stopped) => return Ok(()),
            accepted = listener.accept() => accepted?.0,
        };
        if controls.borrow().refuse {
            continue;
        }
        let mut limits = Limits::default();
        controls.send_if_modified(|controls| {
            limits = controls.next_limits();
            false
        });
        // `cut` counts on this order: what is counted as accepted before a cut has an older number.
        let cuts = controls.borrow().cuts;
        counters.open.fetch_add(1, Ordering::AcqRel);
        let number = counters.accepted.fetch_add(1, Ordering::AcqRel);
        counters.numbers().insert(number);
        let (server, controls, counters) = (server.clone(), controls.clone(), Arc::clone(&counters));
        tokio::spawn(async move {
            let mut watched = controls.subscribe();
            // However a connection ends, the relay's part is to close it.
            tokio::select! {
                _ = watched.wait_for(|controls| controls.cuts > cuts) => {}
                _ = connect_and_carry(client, server, number, limits, &controls, &counters) => {}
            }
            counters.numbers().remove(&number);
            counters.open.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

async fn connect_and_carry(
    client: TcpStream,
    server: (String, u16),
    number: u64,
    limits: Limits,
    controls: &watch::Sender<Controls>,
    counters: &Counters,
) -> std::io::Result<()> {
    let server = TcpStream::connect((server.0.as_str(), server.1)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    carry::both_ways(client, server, number, limits, controls, counters).await
}
