//! The JSON API: Varlink on `/run/lvmwarden/org.lvmwarden`.
//!
//! | interface | for | module |
//! |---|---|---|
//! | `org.varlink.service` | what there is, and what it looks like | [`varlink_service`] |
//! | `org.lvmwarden.Service` | the daemon as a whole | [`service`] |
//! | `org.lvmwarden.Poll` | poll operations | [`poll`] |
//! | `org.lvmwarden.Supervisor` | the supervision tree | [`supervisor`] |
//! | `org.lvmwarden.Events` | what happened | [`events`] |
//! | `org.lvmwarden.Metrics` | numbers for Prometheus | [`metrics`] |
//! | `org.lvmwarden.Archive` | the archive janitor | [`archive`] |
//! | `org.lvmwarden.Lock` | the locks of shared VGs | [`lock`] |
//! | `org.lvmwarden.Metadata` | the VGs, PVs and LVs of the host | [`metadata`] |
//! | `org.lvmwarden.Reconfigure` | changes that all hosts make together | [`reconfigure`] |
//!
//! From the wire inwards, in this order:
//!
//! 1. [`codec`] cuts the byte stream into messages and bounds their size;
//! 2. [`message`] is what each of them says: a [`Call`] or a [`Reply`];
//! 3. [`Request::parse`] turns a call into a typed request, or into the typed refusal that can be told from the call
//!    alone; [`Reply::last`], [`Reply::continued`] and [`Reply::error`] go the other way. Clients use [`Call::new`],
//!    [`Reply::read`] and [`InterfaceError::from_refusal`].
//!
//! A module an interface: the text in its `.varlink` file is what clients are told, the Rust types are what is sent, and
//! `agreement` fails the tests when they differ. In both, every number has its unit in its name, and none grows beyond
//! 2^53; times are RFC 3339 in UTC; a field that is not known is null or absent, which mean the same.
//!
//! What may be long is given in pages: [`page`].
//!
//! Who may call what is not said here.

pub mod archive;
pub mod codec;
pub mod events;
pub mod interface;
pub mod lock;
pub mod message;
pub mod metadata;
pub mod metrics;
pub mod page;
pub mod poll;
pub mod reconfigure;
pub mod service;
pub mod supervisor;
pub mod varlink_service;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod tests;

pub use codec::{CodecError, JsonCodec};
pub use interface::{Done, Interface, InterfaceError, Method, Replies};
pub use message::{Call, CallError, Message, Parameters, Reply};
pub use page::Paged;

use varlink_service::Error as VarlinkError;

/// Every interface's name and definition, in the order in which clients are told.
pub const INTERFACES: [(&str, &str); 10] = [
    (varlink_service::NAME, varlink_service::DESCRIPTION),
    (service::NAME, service::DESCRIPTION),
    (poll::NAME, poll::DESCRIPTION),
    (supervisor::NAME, supervisor::DESCRIPTION),
    (events::NAME, events::DESCRIPTION),
    (metrics::NAME, metrics::DESCRIPTION),
    (archive::NAME, archive::DESCRIPTION),
    (lock::NAME, lock::DESCRIPTION),
    (metadata::NAME, metadata::DESCRIPTION),
    (reconfigure::NAME, reconfigure::DESCRIPTION),
];

/// Any call that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Of `org.varlink.service`.
    Varlink(varlink_service::Request),
    /// Of `org.lvmwarden.Service`.
    Service(service::Request),
    /// Of `org.lvmwarden.Poll`.
    Poll(poll::Request),
    /// Of `org.lvmwarden.Supervisor`.
    Supervisor(supervisor::Request),
    /// Of `org.lvmwarden.Events`.
    Events(events::Request),
    /// Of `org.lvmwarden.Metrics`.
    Metrics(metrics::Request),
    /// Of `org.lvmwarden.Archive`.
    Archive(archive::Request),
    /// Of `org.lvmwarden.Lock`.
    Lock(lock::Request),
    /// Of `org.lvmwarden.Metadata`.
    Metadata(metadata::Request),
    /// Of `org.lvmwarden.Reconfigure`.
    Reconfigure(reconfigure::Request),
}

impl Request {
    /// Returns the full name of the method that is called, such as `org.lvmwarden.Poll.List`.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Varlink(request) => request.method(),
            Self::Service(request) => request.method(),
            Self::Poll(request) => request.method(),
            Self::Supervisor(request) => request.method(),
            Self::Events(request) => request.method(),
            Self::Metrics(request) => request.method(),
            Self::Archive(request) => request.method(),
            Self::Lock(request) => request.method(),
            Self::Metadata(request) => request.method(),
            Self::Reconfigure(request) => request.method(),
        }
    }

    /// Finds the method that is called, and reads its parameters.
    ///
    /// # Errors
    /// [`VarlinkError::InterfaceNotFound`] and [`VarlinkError::MethodNotFound`] for names that are not known;
    /// [`VarlinkError::MethodNotImplemented`] when the client wants to speak something else afterwards, which no method
    /// offers; and those of [`Call::read`].
    pub fn parse(call: &Call) -> Result<Self, VarlinkError> {
        let interface = call.method.rsplit_once('.').map_or("", |(interface, _)| interface);
        let request = match interface {
            varlink_service::NAME => varlink_service::Request::parse(call).map(Self::Varlink),
            service::NAME => service::Request::parse(call).map(Self::Service),
            poll::NAME => poll::Request::parse(call).map(Self::Poll),
            supervisor::NAME => supervisor::Request::parse(call).map(Self::Supervisor),
            events::NAME => events::Request::parse(call).map(Self::Events),
            metrics::NAME => metrics::Request::parse(call).map(Self::Metrics),
            archive::NAME => archive::Request::parse(call).map(Self::Archive),
            lock::NAME => lock::Request::parse(call).map(Self::Lock),
            metadata::NAME => metadata::Request::parse(call).map(Self::Metadata),
            reconfigure::NAME => reconfigure::Request::parse(call).map(Self::Reconfigure),
            _ => Err(VarlinkError::InterfaceNotFound { interface: interface.to_owned() }),
        }?;
        if call.upgrade {
            return Err(VarlinkError::MethodNotImplemented { method: call.method.clone() });
        }
        Ok(request)
    }
}
