//! What a library looks like from outside: exports, pictures of passages, neighbours by sound.

pub mod amplitude;
pub mod export;
pub mod parquet;
pub mod peaks;
pub mod picture;
pub mod similar;
pub mod stretch;
pub mod vaino;
