//! What a client sends to a server: multibulk or inline commands.
