//! What answers a part of the JSON API: an interface with its methods, who may call them, and how long they may take.
//!
//! Each role has a part of its own, and the service those of the daemon as a whole; a session knows them as a list of
//! [`ApiPart`]s. A call is read on another thread, by [`Interface::parse`](lvmwarden_protocol::api::Interface), and then
//! answered by its part:
//!
//! ```text
//!  a call ──▶ Described::read ──▶ Asked ──▶ ApiPart::answer ──▶ Part::answer ──▶ Replies
//!             (which part?)       (typed)    (by its number)     (typed again)
//! ```

pub mod outgoing;
pub mod replies;

use std::any::Any;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use lvmwarden_protocol::api::service::{self, Bounded};
use lvmwarden_protocol::api::varlink_service::Error as VarlinkError;
use lvmwarden_protocol::api::{Call, CodecError, Interface, InterfaceError, Method, Reply, page};
use lvmwarden_supervisor::Registry;
use slog::Logger;

use self::outgoing::Outgoing;
use self::replies::{Last, Replies};
use super::admission::{Excess, Shares};

/// The longest that actors may take to answer what is asked of them, unless a journal is involved.
pub const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// How long a client may have to wait for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// No longer than actors take.
    Brief,
    /// As long as a disk or a lock manager takes. A client that goes away ends the wait.
    Long,
    /// Until something happens, which may be never. A client that goes away ends the wait, and there are only so many.
    Endless,
}

/// What answers the calls of one interface.
pub trait Part: 'static {
    /// The calls.
    type Request: Interface;

    /// The methods that change nothing, by their full names. One that is not listed is for root alone.
    const WATCHING: &'static [&'static str];

    /// Returns how long a call may take.
    fn patience(_request: &Self::Request) -> Patience {
        Patience::Brief
    }

    /// Answers a call that the user `uid` may make, and returns the last reply, which is to be sent.
    ///
    /// # Errors
    /// When replies before the last could not be sent.
    fn answer(
        &self,
        uid: u32,
        request: Self::Request,
        replies: &mut Replies<'_, '_>,
    ) -> impl Future<Output = Result<Last<'_>, CodecError>>;
}

/// A call that makes sense.
#[derive(Debug)]
pub struct Asked {
    /// The method, by its full name.
    pub method: &'static str,
    /// How long it may take.
    pub patience: Patience,
    /// The request of the part that read the call.
    pub request: Box<dyn Any + Send>,
}

/// An interface as it is told to clients, and how its calls are read.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// Its name, such as `org.lvmwarden.Poll`.
    pub name: &'static str,
    /// Its definition.
    pub description: &'static str,
    /// The methods that change nothing.
    pub watching: &'static [&'static str],
    read: fn(&Call) -> Result<Asked, VarlinkError>,
}

impl Described {
    /// Describes the interface of a part.
    pub fn of<P: Part>() -> Self {
        let (name, description) = (P::Request::NAME, P::Request::DESCRIPTION);
        Self { name, description, watching: P::WATCHING, read: read::<P> }
    }

    /// Finds the method that is called, and reads its parameters: all that grows with the length of a call is done here.
    ///
    /// # Errors
    /// Those of [`Interface::parse`]; [`VarlinkError::MethodNotImplemented`] when the client wants to speak something else
    /// afterwards, which no method offers.
    pub fn read(&self, call: &Call) -> Result<Asked, VarlinkError> {
        let asked = (self.read)(call)?;
        if call.upgrade {
            return Err(VarlinkError::MethodNotImplemented { method: call.method.clone() });
        }
        Ok(asked)
    }
}

fn read<P: Part>(call: &Call) -> Result<Asked, VarlinkError> {
    let request = P::Request::parse(call)?;
    Ok(Asked { method: request.method(), patience: P::patience(&request), request: Box::new(request) })
}

/// The answer to a call on its way; the last reply is the part's, its replies before that are sent meanwhile.
pub type Answering<'s, 'r> = Pin<Box<dyn Future<Output = Result<Last<'s>, CodecError>> + 'r>>;

/// A part whose type is not known any more.
trait Answers {
    fn answer<'s: 'r, 'r>(
        &'s self,
        uid: u32,
        request: Box<dyn Any + Send>,
        replies: &'r mut Replies<'_, '_>,
    ) -> Answering<'s, 'r>;
}

impl<P: Part> Answers for P {
    fn answer<'s: 'r, 'r>(
        &'s self,
        uid: u32,
        request: Box<dyn Any + Send>,
        replies: &'r mut Replies<'_, '_>,
    ) -> Answering<'s, 'r> {
        let request = request.downcast::<P::Request>().expect("a part is given what it has read");
        Box::pin(Part::answer(self, uid, *request, replies))
    }
}

/// A part of the API, whichever it is.
pub struct ApiPart {
    /// Its interface.
    pub described: Described,
    answers: Box<dyn Answers>,
}

impl ApiPart {
    /// Makes one.
    pub fn new<P: Part>(part: P) -> Self {
        Self { described: Described::of::<P>(), answers: Box::new(part) }
    }

    /// Answers a call that this part has read.
    ///
    /// # Errors
    /// Those of [`Part::answer`].
    pub fn answer<'s: 'r, 'r>(
        &'s self,
        uid: u32,
        request: Box<dyn Any + Send>,
        replies: &'r mut Replies<'_, '_>,
    ) -> Answering<'s, 'r> {
        self.answers.answer(uid, request, replies)
    }
}

/// What the parts of the API share, for the sessions of one instance of its door.
pub struct ApiContext {
    /// Where actors are found.
    pub registry: Registry,
    /// What is on its way to clients.
    pub outgoing: Outgoing,
    /// The door's log.
    pub log: Logger,
}

impl ApiContext {
    /// Answers with what may be long: when there is a share for it, it is looked up, and then made on another thread in
    /// its turn.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub async fn large<M: Method, E: InterfaceError>(
        &self,
        uid: u32,
        replies: &Replies<'_, '_>,
        busy: E,
        look: impl Future<Output = Result<impl FnOnce() -> M::Reply + Send + 'static, E>>,
    ) -> Result<Last<'_>, CodecError> {
        let Some(load) = self.outgoing.load(uid).await else { return Ok(Reply::error(&busy).into()) };
        let make = match look.await {
            Ok(make) => make,
            Err(error) => return Ok(Reply::error(&error).into()),
        };
        let _turn = self.outgoing.turn(uid).await;
        Ok(Last::Made(replies.make(load, || Reply::last::<M>(&make())).await?))
    }
}

/// Returns the place at which a page is to begin.
///
/// # Errors
/// The reply to a client that has made one up.
pub fn place<T: FromStr>(page: Option<&str>) -> Result<Option<T>, Reply> {
    let wrong = |_| Reply::error(&VarlinkError::InvalidParameter { parameter: page::PAGE.to_owned() });
    page.map(str::parse).transpose().map_err(wrong)
}

/// Returns the reply of a method that gives one.
pub fn reply<M: Method, E: InterfaceError>(result: Result<M::Reply, E>) -> Reply {
    match result {
        Ok(answer) => Reply::last::<M>(&answer),
        Err(error) => Reply::error(&error),
    }
}

/// Returns how a client is told that it gets no more of something.
pub fn too_many(what: Bounded, shares: Shares, excess: Excess) -> service::Error {
    let (uid, limit) = match excess {
        Excess::Yours { uid } => (Some(uid), shares.each()),
        Excess::Others => (None, shares.others()),
        Excess::All => (None, shares.all),
    };
    service::Error::TooMany { what, uid, limit: limit as u64 }
}
