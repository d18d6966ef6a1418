//! The sets of words in a `COMMAND` reply as sets of bits.

/// A set type with a constant per word, and the same bits as plain numbers for the generated table.
macro_rules! bits {
    ($(#[$doc:meta])* $name:ident, $numbers:ident { $($(#[$about:meta])* $word:ident = $bit:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
        pub struct $name(pub(crate) u32);

        impl $name {
            $($(#[$about])* pub const $word: Self = Self($numbers::$word);)*

            /// True when every word of `other` is in this set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// True when a word of `other` is in this set.
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// The words of both sets.
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let words = [$((Self::$word, stringify!($word)),)*];
                f.debug_set().entries(words.iter().filter(|(word, _)| self.contains(*word)).map(|(_, n)| n)).finish()
            }
        }

        #[allow(dead_code, reason = "the table names the words that occur")]
        pub(crate) mod $numbers {
            $(pub(crate) const $word: u32 = 1 << $bit;)*
        }
    };
}

bits! {
    /// What Redis says of a command (`server.h`, `CMD_*`).
    Flags, flag {
        /// May change data.
        WRITE = 0,
        /// Reads keys and changes none.
        READONLY = 1,
        /// Refused when memory is used up.
        DENYOOM = 2,
        /// For operators.
        ADMIN = 3,
        /// Publish and subscribe.
        PUBSUB = 4,
        /// Not allowed in scripts.
        NOSCRIPT = 5,
        /// May wait for another client.
        BLOCKING = 6,
        /// Allowed while data is loaded.
        LOADING = 7,
        /// Allowed on a replica without its master.
        STALE = 8,
        /// Not shown to `MONITOR`.
        SKIP_MONITOR = 9,
        /// Not logged as slow.
        SKIP_SLOWLOG = 10,
        /// Counts as `ASKING` by itself.
        ASKING = 11,
        /// Takes constant or logarithmic time.
        FAST = 12,
        /// Allowed before authentication.
        NO_AUTH = 13,
        /// First, last and step do not tell where all keys are.
        MOVABLEKEYS = 14,
        /// Refused while a replica loads data beside the old.
        NO_ASYNC_LOADING = 15,
        /// Not allowed in a transaction.
        NO_MULTI = 16,
        /// May come without any key.
        NO_MANDATORY_KEYS = 17,
        /// Allowed while a script runs too long.
        ALLOW_BUSY = 18,
        /// Its outcome depends on more than data and arguments (Redis 6 only).
        RANDOM = 19,
        /// Its reply is sorted for scripts (Redis 6 only).
        SORT_FOR_SCRIPT = 20,
    }
}

bits! {
    /// The access-control categories that a command is in.
    Categories, category {
        KEYSPACE = 0,
        READ = 1,
        WRITE = 2,
        SET = 3,
        SORTEDSET = 4,
        LIST = 5,
        HASH = 6,
        STRING = 7,
        BITMAP = 8,
        HYPERLOGLOG = 9,
        GEO = 10,
        STREAM = 11,
        PUBSUB = 12,
        ADMIN = 13,
        FAST = 14,
        SLOW = 15,
        BLOCKING = 16,
        DANGEROUS = 17,
        CONNECTION = 18,
        TRANSACTION = 19,
        SCRIPTING = 20,
    }
}

bits! {
    /// What a command does to a key (`server.h`, `CMD_KEY_*`). The first four are about the key as a whole, the
    /// next four about the data in it.
    Access, access {
        /// Reads.
        RO = 0,
        /// Reads and writes.
        RW = 1,
        /// Overwrites.
        OW = 2,
        /// Removes.
        RM = 3,
        /// Returns, copies or depends on the data.
        ACCESS = 4,
        /// Changes the data.
        UPDATE = 5,
        /// Adds data and changes none.
        INSERT = 6,
        /// Deletes data of the key's.
        DELETE = 7,
        /// Not a key but routed by its slot: a shard channel.
        NOT_KEY = 8,
        /// Not all keys are found by the rule.
        INCOMPLETE = 9,
        /// The others depend on the arguments.
        VARIABLE_FLAGS = 10,
    }
}

impl Access {
    /// True when the key may be different afterwards.
    pub const fn writes(self) -> bool {
        self.intersects(Self::RW.union(Self::OW).union(Self::RM))
    }
}
