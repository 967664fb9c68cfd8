//! Tells what nobody asked for, if the feature `tracing` is on.

#[cfg(feature = "tracing")]
macro_rules! warning {
    ($path:expr, $($text:tt)+) => {
        tracing::warn!(database.path = %$path.display(), $($text)+)
    };
}

#[cfg(not(feature = "tracing"))]
macro_rules! warning {
    ($path:expr, $($text:tt)+) => {{
        let _ = (&$path, format_args!($($text)+));
    }};
}

pub(crate) use warning;
