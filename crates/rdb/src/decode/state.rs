//! Where in a value a decoder is.

use crate::error::Problem;
use crate::input::{Input, Trouble};
use crate::kind::TypeCode;
use crate::prefix::Text;
use crate::scan::{LONGEST, Scan, Stop};
use crate::version::Version;
use crate::walk::{STREAM_TAIL, Walk, Walker, grammar};

use super::Element;
use super::cell::Cells;
use super::intset::Intset;
use super::listpack::Listpack;
use super::row::{Row, Shape};
use super::stream::{self, Node};
use super::ziplist::Ziplist;
use super::zipmap::Zipmap;

/// Strings up to this size come in one piece.
const SHORT: u64 = 64 << 10;

#[derive(Debug)]
pub(super) enum State {
    Begin(Version),
    /// In a long string, with so many bytes to come.
    Text(u64),
    /// That many rows come.
    Rows(Row, u64),
    /// In a container, and then that many more of the list's.
    Cells(Cells, Shape, List, u64),
    /// Containers of a list that come.
    List(List, u64),
    /// Nodes of a stream that come.
    Nodes(u64),
    /// In a node, and then that many more.
    Entries(Box<Node>, u64),
    Groups(u64),
    /// Bytes that are told as they are, or not at all.
    Walk(Box<Walker>, Told),
    Done,
}

/// What the containers of a list are.
#[derive(Debug, Clone, Copy)]
pub(super) enum List {
    /// Ziplists.
    Quicklist,
    /// Listpacks, and items for themselves.
    Quicklist2,
}

/// What is told of bytes that are walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Module,
    Nothing,
}

/// What a unit of the input makes.
enum Unit {
    State(State),
    Element(Element, State),
}

impl State {
    /// The next element; `None` when more bytes are needed, or at the end.
    pub(super) fn go_on(&mut self, code: TypeCode, input: &mut Input) -> Result<Option<Element>, Trouble> {
        loop {
            let unit = match self {
                State::Begin(version) => {
                    let version = *version;
                    input.unit(|scan| begin(scan, code, version))?
                }
                State::Text(left) => {
                    if !input.wait_for(1)? {
                        return Ok(None);
                    }
                    let size = usize::try_from(*left).unwrap_or(usize::MAX).min(input.rest().len());
                    let (text, left) = (input.take(size), *left - size as u64);
                    let next = if left == 0 { State::Done } else { State::Text(left) };
                    Some(Unit::Element(Element::Text(text), next))
                }
                State::Rows(_, 0) | State::List(_, 0) => Some(Unit::State(State::Done)),
                State::Rows(row, left) => match input.unit(|scan| row.read(scan))? {
                    Some(element) => {
                        *left -= 1;
                        return Ok(Some(element));
                    }
                    None => None,
                },
                State::Cells(cells, shape, list, left) => {
                    match shape.read(cells).map_err(|problem| (problem, input.offset()))? {
                        Some(element) => return Ok(Some(element)),
                        None => Some(Unit::State(State::List(*list, *left))),
                    }
                }
                State::List(list, left) => input.unit(|scan| list.node(scan, *left - 1))?,
                State::Nodes(0) => {
                    let edition = stream::edition(code);
                    input.unit(|scan| {
                        let (facts, groups) = stream::facts(scan, edition)?;
                        Ok(Unit::Element(Element::Facts(facts), State::Groups(groups)))
                    })?
                }
                State::Nodes(left) => {
                    let node = input.unit(Node::read)?;
                    node.map(|node| Unit::State(State::Entries(Box::new(node), *left - 1)))
                }
                State::Entries(node, left) => {
                    match node.next().map_err(|problem| (problem, input.offset()))? {
                        Some(entry) => return Ok(Some(Element::Entry(entry))),
                        None => Some(Unit::State(State::Nodes(*left))),
                    }
                }
                State::Groups(0) if stream::edition(code) >= 4 => {
                    Some(Unit::State(State::Walk(Box::new(Walker::new(STREAM_TAIL)), Told::Nothing)))
                }
                State::Groups(0) => Some(Unit::State(State::Done)),
                State::Groups(left) => {
                    let group = input.unit(|scan| stream::group(scan, stream::edition(code)))?;
                    group.map(|group| Unit::Element(Element::Group(group), State::Groups(*left - 1)))
                }
                State::Walk(walker, told) => {
                    let (used, walk) = walker.walk(input.rest());
                    let walk = walk.map_err(|problem| (problem, input.offset() + used as u64))?;
                    let bytes = input.take(used);
                    let told = *told;
                    match walk {
                        Walk::Ended => *self = State::Done,
                        Walk::Needs(count) if used == 0 && !input.wait_for(count)? => return Ok(None),
                        Walk::Needs(_) => {}
                    }
                    if told == Told::Module && !bytes.is_empty() {
                        return Ok(Some(Element::Module(bytes)));
                    }
                    continue;
                }
                State::Done => None,
            };
            match unit {
                Some(Unit::State(state)) => *self = state,
                Some(Unit::Element(element, state)) => {
                    *self = state;
                    return Ok(Some(element));
                }
                None => return Ok(None),
            }
        }
    }
}

/// The head of a value.
fn begin(scan: &mut Scan<'_>, code: TypeCode, version: Version) -> Result<Unit, Stop> {
    let pieces = grammar(code, version)?;
    let rows = |row: Row, scan: &mut Scan<'_>| Ok(Unit::State(State::Rows(row, scan.length()?)));
    // One container is a list of one that has no more.
    let cells = |cells: Cells, shape: Shape| Ok(Unit::State(State::Cells(cells, shape, List::Quicklist, 0)));
    match code {
        TypeCode::STRING => text(scan),
        TypeCode::LIST => rows(Row::Item, scan),
        TypeCode::SET => rows(Row::Member, scan),
        TypeCode::ZSET => rows(Row::OldScored, scan),
        TypeCode::ZSET_2 => rows(Row::Scored, scan),
        TypeCode::HASH => rows(Row::Field, scan),
        TypeCode::HASH_METADATA_PRE_GA if version.is_valkey() => rows(Row::FieldExpiring, scan),
        // As if counted from 1, so that 0 remains for those that never expire.
        TypeCode::HASH_METADATA_PRE_GA => rows(Row::ExpiringField { base: 1 }, scan),
        TypeCode::HASH_METADATA => {
            let base = scan.time()?;
            rows(Row::ExpiringField { base }, scan)
        }
        TypeCode::HASH_ZIPMAP => cells(Cells::Zipmap(Zipmap::open(scan.string(LONGEST)?)?), Shape::Fields),
        TypeCode::SET_INTSET => cells(Cells::Intset(Intset::open(scan.string(LONGEST)?)?), Shape::Members),
        TypeCode::LIST_ZIPLIST => cells(ziplist(scan)?, Shape::Items),
        TypeCode::ZSET_ZIPLIST => cells(ziplist(scan)?, Shape::Scored),
        TypeCode::HASH_ZIPLIST => cells(ziplist(scan)?, Shape::Fields),
        TypeCode::HASH_LISTPACK => cells(listpack(scan)?, Shape::Fields),
        TypeCode::ZSET_LISTPACK => cells(listpack(scan)?, Shape::Scored),
        TypeCode::SET_LISTPACK => cells(listpack(scan)?, Shape::Members),
        TypeCode::HASH_LISTPACK_EX_PRE_GA => cells(listpack(scan)?, Shape::ExpiringFields),
        TypeCode::HASH_LISTPACK_EX => {
            // The first expiry of all, for the server's own use: the fields have their full times.
            scan.time()?;
            cells(listpack(scan)?, Shape::ExpiringFields)
        }
        TypeCode::LIST_QUICKLIST => Ok(Unit::State(State::List(List::Quicklist, scan.length()?))),
        TypeCode::LIST_QUICKLIST_2 => Ok(Unit::State(State::List(List::Quicklist2, scan.length()?))),
        TypeCode::STREAM_1
        | TypeCode::STREAM_2
        | TypeCode::STREAM_3
        | TypeCode::STREAM_4
        | TypeCode::STREAM_5 => Ok(Unit::State(State::Nodes(scan.length()?))),
        TypeCode::MODULE_2 => Ok(Unit::State(State::Walk(Box::new(Walker::new(pieces)), Told::Module))),
        unknown => Err(Problem::UnknownCode(unknown.0).into()),
    }
}

fn text(scan: &mut Scan<'_>) -> Result<Unit, Stop> {
    Ok(match scan.text(u64::MAX)? {
        Text::Plain(length) if length > SHORT => Unit::State(State::Text(length)),
        Text::Lzf { compressed, length } if compressed.max(length) > LONGEST => {
            return Err(Problem::TooLong(compressed.max(length)).into());
        }
        short => Unit::Element(Element::Text(scan.string_behind(short)?), State::Done),
    })
}

fn ziplist(scan: &mut Scan<'_>) -> Result<Cells, Stop> {
    Ok(Cells::Ziplist(Ziplist::open(scan.string(LONGEST)?)?))
}

fn listpack(scan: &mut Scan<'_>) -> Result<Cells, Stop> {
    Ok(Cells::Listpack(Listpack::open(scan.string(LONGEST)?)?))
}

impl List {
    /// The next container, before that many more.
    fn node(self, scan: &mut Scan<'_>, left: u64) -> Result<Unit, Stop> {
        let cells = match self {
            List::Quicklist => ziplist(scan)?,
            // `QUICKLIST_NODE_CONTAINER_PLAIN` and `_PACKED` in Redis' quicklist.h.
            List::Quicklist2 => match scan.length()? {
                1 => {
                    let item = Element::Item(scan.string(LONGEST)?);
                    return Ok(Unit::Element(item, State::List(self, left)));
                }
                2 => listpack(scan)?,
                _ => return Err(Problem::Malformed("a list has an unknown container").into()),
            },
        };
        Ok(Unit::State(State::Cells(cells, Shape::Items, self, left)))
    }
}
