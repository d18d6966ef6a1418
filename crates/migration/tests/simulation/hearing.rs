//! Listening to one node, as `follow/hearing.rs` of the engine does.

use std::collections::VecDeque;

use migration::follow::{GapReason, Happened};

use super::lane::Lane;
use super::outside::Outside;
use super::rules::Rule;
use super::source::{Address, Message};

/// What is told.
#[derive(Debug)]
pub enum Told {
    Happened(Happened),
    /// This barrier has been passed.
    Passed(u64),
    /// It cannot be: the feed was lost.
    Dropped(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Down,
    /// Not subscribed yet: what is told is not listened to.
    Opening,
    /// It has to be asked who speaks.
    Unknown,
    Heard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ping {
    None,
    Alive,
    First(u64),
    Second(u64),
}

#[derive(Debug)]
pub struct Hearing {
    pub feed: u32,
    pub stage: Stage,
    ping: Ping,
    /// Answers on their way that are none of the barrier's.
    older: u32,
    /// Barriers that are asked for.
    pub asked: VecDeque<u64>,
}

impl Hearing {
    pub fn new() -> Hearing {
        Hearing { feed: 0, stage: Stage::Down, ping: Ping::None, older: 0, asked: VecDeque::new() }
    }

    /// The next thing that it does; `None`: nothing.
    pub fn act(&mut self, address: Address, lanes: &mut [Lane], out: &mut Outside) -> Option<Vec<Told>> {
        if self.stage == Stage::Down {
            self.feed = out.source.track(address)?;
            self.stage = Stage::Opening;
            out.say(|| format!("the feed of node {address} is {}", self.feed));
            return Some(Vec::new());
        }
        if !out.source.feeds.contains_key(&self.feed) {
            return Some(self.lost(address, out));
        }
        match self.stage {
            Stage::Opening => {
                if self.next(out)? == Message::Confirmed {
                    self.stage = Stage::Unknown;
                }
                Some(Vec::new())
            }
            Stage::Unknown => {
                let process = out.source.nodes.get(&address)?.run.to_string();
                self.stage = Stage::Heard;
                out.say(|| format!("node {address} is heard, process {process}"));
                Some(vec![Told::Happened(Happened::FeedHeard { process: Some(process) })])
            }
            Stage::Down | Stage::Heard => self.hear(address, lanes, out),
        }
    }

    fn next(&self, out: &mut Outside) -> Option<Message> {
        out.source.feeds.get_mut(&self.feed)?.wire.pop_front()
    }

    fn ping(&self, out: &mut Outside) {
        if let Some(feed) = out.source.feeds.get_mut(&self.feed) {
            feed.pings += 1;
        }
    }

    fn lost(&mut self, address: Address, out: &mut Outside) -> Vec<Told> {
        out.say(|| format!("the feed of node {address} is lost"));
        let mut told = Vec::new();
        if let Ping::First(barrier) | Ping::Second(barrier) = self.ping {
            told.push(Told::Dropped(barrier));
        }
        if self.stage == Stage::Heard {
            told.push(Told::Happened(Happened::FeedLost));
        }
        (self.stage, self.ping, self.older) = (Stage::Down, Ping::None, 0);
        told
    }

    fn hear(&mut self, address: Address, lanes: &mut [Lane], out: &mut Outside) -> Option<Vec<Told>> {
        if matches!(self.ping, Ping::None | Ping::Alive)
            && out.random.percent(50)
            && let Some(barrier) = self.asked.pop_front()
        {
            self.ping(out);
            self.older += u32::from(self.ping == Ping::Alive);
            self.ping = Ping::First(barrier);
            out.say(|| format!("barrier {barrier}: the feed of node {address} is sent a PING"));
            return Some(Vec::new());
        }
        let Some(message) = self.next(out) else {
            if self.ping != Ping::None || !out.random.percent(5) {
                return None;
            }
            self.ping(out);
            self.ping = Ping::Alive;
            out.say(|| format!("the feed of node {address} is asked whether it is alive"));
            return Some(Vec::new());
        };
        out.say(|| format!("the feed of node {address} tells {message:?}"));
        match message {
            Message::Changed(keys) => {
                for lane in lanes {
                    keys.iter().for_each(|key| lane.queue.changed(*key, out));
                }
                Some(Vec::new())
            }
            Message::Everything if out.holds(Rule::HeedsEverything) => {
                Some(vec![Told::Happened(Happened::GapOpened(GapReason::Everything))])
            }
            Message::Everything | Message::Confirmed => Some(Vec::new()),
            Message::Pong => Some(self.pong(out)),
        }
    }

    fn pong(&mut self, out: &mut Outside) -> Vec<Told> {
        if out.holds(Rule::TellsPongsApart) && self.older > 0 {
            self.older -= 1;
            return Vec::new();
        }
        self.ping = match self.ping {
            Ping::First(barrier) if out.holds(Rule::PingsTwice) => {
                self.ping(out);
                Ping::Second(barrier)
            }
            Ping::First(barrier) | Ping::Second(barrier) => {
                self.ping = Ping::None;
                return vec![Told::Passed(barrier)];
            }
            Ping::None | Ping::Alive => Ping::None,
        };
        Vec::new()
    }
}
