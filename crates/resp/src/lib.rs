//! RESP2 and RESP3: a resumable decoder, an encoder and their limits.
