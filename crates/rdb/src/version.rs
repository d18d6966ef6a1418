//! Which format which server reads and writes.

use crate::kind::TypeCode;

/// An RDB version (`RDB_VERSION` in Redis' rdb.h), as in the head of a file and in the footer of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16);

impl Version {
    /// Redis 5 to 6.2: what Azure Cache for Redis reads and writes.
    pub const REDIS_6: Version = Version(9);
    /// Redis 7.0.
    pub const REDIS_7_0: Version = Version(10);
    /// Redis 7.2, and the newest that Azure Managed Redis imports from a file.
    pub const REDIS_7_2: Version = Version(11);
    /// Redis 7.4.
    pub const REDIS_7_4: Version = Version(12);
    /// Redis 8.8 (8.6 writes 13, 8.0 to 8.4 write 12): the newest of Redis that is read. Source: redisver.h of
    /// librdb.
    pub const NEWEST_OF_REDIS: Version = Version(14);
    /// Valkey 9.0. Source: `RDB_VERSION_MAP` in Valkey's rdb.h.
    pub const VALKEY_9: Version = Version(80);
    /// Valkey 9.2: the newest of Valkey that is read.
    pub const NEWEST_OF_VALKEY: Version = Version(81);

    /// Whether it is one of Valkey's own, which give some codes another meaning than Redis does.
    pub fn is_valkey(self) -> bool {
        self >= Version::VALKEY_9
    }

    /// Whether servers that write payloads of this version take those of version `of` as they are.
    pub fn reads(self, of: Version) -> bool {
        of <= self && (of.is_valkey() == self.is_valkey() || of < Version::REDIS_7_4)
    }

    /// Whether servers of this version may be given a module's value that they do not know: they refuse it. Redis up to 6.2
    /// ends its process instead (`rdbLoadObject` in rdb.c; seen on 6.0.16).
    pub fn refuses_unknown_modules(self) -> bool {
        self > Version::REDIS_6
    }

    /// Whether servers of this version read values of that code (`rdbIsObjectType` in rdb.h of the releases). Not of
    /// codes that mean one thing to Redis and another to Valkey.
    pub fn knows(self, code: TypeCode) -> bool {
        match code.0 {
            0..=5 | 7 | 9..=14 => true,
            15 => self >= Version::REDIS_6,
            16..=19 => self >= Version::REDIS_7_0,
            20 | 21 => self >= Version::REDIS_7_2,
            24 | 25 => self >= Version::REDIS_7_4 && !self.is_valkey(),
            26 => self >= Version(13) && !self.is_valkey(),
            27 | 28 => self >= Version::NEWEST_OF_REDIS && !self.is_valkey(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn older_payloads_of_the_same_kind_are_read() {
        let reads = |server: Version, of| server.reads(of);
        assert!(reads(Version::REDIS_7_4, Version::REDIS_6) && reads(Version::REDIS_6, Version::REDIS_6));
        assert!(!reads(Version::REDIS_6, Version::REDIS_7_4));
        assert!(
            reads(Version::VALKEY_9, Version::REDIS_7_2) && !reads(Version::VALKEY_9, Version::REDIS_7_4)
        );
        assert!(!reads(Version::NEWEST_OF_REDIS, Version::VALKEY_9));
    }
}
