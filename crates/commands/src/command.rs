use crate::bits::{Categories, Flags};
use crate::keys::KeySpec;
use crate::table::COMMANDS;

/// Room for the longest name in the table; a test holds it.
const MAX_NAME: usize = 32;

/// A command or subcommand as Redis 7.4.1 describes it (6.0.16 where only that one knows it).
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// In capitals; a subcommand as `XGROUP|CREATE`.
    pub name: &'static str,
    /// Number of arguments with the command's name (for a subcommand both names); `-n` means at least `n`.
    /// Redis 6.0 differs for a few: `EXPIRE` takes no option there.
    pub arity: i16,
    /// What Redis says of it.
    pub flags: Flags,
    /// The access-control categories that it is in.
    pub categories: Categories,
    /// Position of the first key, 0 for none. Not all of it when [`Flags::MOVABLEKEYS`] is set: use
    /// [`Command::keys`].
    pub first_key: i16,
    /// Position of the last key; negative counts from the end.
    pub last_key: i16,
    /// From one key to the next.
    pub key_step: i16,
    /// Redis 6.0.16 has it. A subcommand counts when Redis documents it as older than that.
    pub in_redis_6: bool,
    /// Redis 7.4.1 has it.
    pub in_redis_7: bool,
    /// It has subcommands, which the table has on their own.
    pub container: bool,
    pub(crate) key_specs: &'static [KeySpec],
}

impl Command {
    /// True when it may change data: flagged so, or a script, whose keys are all taken as written.
    pub fn may_write(&self) -> bool {
        self.flags.contains(Flags::WRITE) || self.key_specs.iter().any(|spec| spec.access.writes())
    }

    /// True when Redis would accept that many arguments (the command's name counts).
    pub fn allows(&self, argument_count: usize) -> bool {
        let needed = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { argument_count >= needed } else { argument_count == needed }
    }
}

/// All commands and subcommands, sorted by name.
pub fn table() -> &'static [Command] {
    COMMANDS
}

/// The command of that name in any case; a subcommand as `xgroup|create`. `None` for one that is not in Redis
/// itself, a module's for example.
pub fn lookup(name: &[u8]) -> Option<&'static Command> {
    let mut capitals = [0; MAX_NAME];
    let capitals = capitals.get_mut(..name.len())?;
    capitals.copy_from_slice(name);
    capitals.make_ascii_uppercase();
    let found = COMMANDS.binary_search_by(|command| command.name.as_bytes().cmp(capitals)).ok()?;
    COMMANDS.get(found)
}

/// The command that these arguments run; with a subcommand's name behind a container's, the subcommand. `None`
/// when the command, or the container's subcommand, is unknown.
pub fn find<A: AsRef<[u8]>>(argv: &[A]) -> Option<&'static Command> {
    let command = lookup(argv.first()?.as_ref())?;
    match argv.get(1) {
        Some(subcommand) if command.container => find_subcommand(command, subcommand.as_ref()),
        _ => Some(command),
    }
}

fn find_subcommand(container: &Command, subcommand: &[u8]) -> Option<&'static Command> {
    let mut name = [0; MAX_NAME];
    let begin = container.name.len();
    let end = begin + 1 + subcommand.len();
    name.get_mut(..begin)?.copy_from_slice(container.name.as_bytes());
    *name.get_mut(begin)? = b'|';
    name.get_mut(begin + 1..end)?.copy_from_slice(subcommand);
    lookup(&name[..end])
}
