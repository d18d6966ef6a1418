//! Real servers, a faulty relay, data sets and an independent comparison, for tests.
