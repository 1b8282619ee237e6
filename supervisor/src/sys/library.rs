//! Shared libraries that may be absent: opened when they are first needed, and never closed.
//!
//! A library that is absent is looked for again the next time, so installing it is enough. It is never unloaded: what it
//! has started or stored would be left without code.

use libloading::os::unix::{Library, RTLD_NOW};

/// Why a shared library cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot use {name}: {reason}")]
pub struct LibraryError {
    /// The library's file name, such as `libsanlock_client.so.1`.
    pub name: &'static str,
    /// What the dynamic linker says.
    pub reason: String,
}

impl LibraryError {
    /// Returns the error for what the dynamic linker has said about the library `name`.
    pub(super) fn new(name: &'static str, error: &libloading::Error) -> Self {
        Self { name, reason: error.to_string() }
    }
}

/// Opens the library `name`, wherever the dynamic linker finds it.
pub(super) fn open(name: &'static str) -> Result<Library, LibraryError> {
    // SAFETY: opening runs the library's initializers. Those that are opened here are libraries of C functions around a
    // socket or a device: their initializers only set up data of their own.
    let opened = unsafe { Library::open(Some(name), RTLD_NOW) };
    opened.map_err(|error| LibraryError::new(name, &error))
}

/// Declares a table of C functions of a shared library, with a `load` that fills it once for the life of the program.
///
/// Each function is declared as in the library's header; [`headers`](super) says who compares them.
macro_rules! library_functions {
    (
        $(#[$doc:meta])*
        $table:ident of $library:literal {
            $($field:ident = $symbol:literal: fn($($argument:ty),* $(,)?) -> $result:ty;)*
        }
    ) => {
        $(#[$doc])*
        pub(super) struct $table {
            $(pub(super) $field: unsafe extern "C" fn($($argument),*) -> $result,)*
        }

        impl $table {
            /// Returns the functions; looks for the library if it was not there before.
            pub(super) fn load() -> Result<&'static Self, $crate::sys::LibraryError> {
                static LOADED: std::sync::Mutex<Option<&'static $table>> = std::sync::Mutex::new(None);
                // The table is written at once when it is complete: a panic leaves nothing half done.
                let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if let Some(table) = *loaded {
                    return Ok(table);
                }
                let library = $crate::sys::library::open($library)?;
                let table = Self {
                    $($field: {
                        // SAFETY: the type is that of the function's declaration in the library's header. The pointer
                        // is good for ever, because the library is leaked below.
                        let symbol = unsafe { library.get($symbol.to_bytes_with_nul()) };
                        *symbol.map_err(|error| $crate::sys::LibraryError::new($library, &error))?
                    },)*
                };
                std::mem::forget(library);
                Ok(loaded.insert(Box::leak(Box::new(table))))
            }
        }
    };
}
pub(super) use library_functions;
