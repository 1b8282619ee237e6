//! A command that has locks: says to the lock daemon at the socket of its first argument what it reads, and writes what it
//! is told, until its input ends. It lives on when the daemon is gone, as an lvm command does.
#![expect(clippy::print_stdout, reason = "the answers are what is printed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

fn main() -> std::io::Result<()> {
    let socket = std::env::args_os().nth(1).expect("the first argument is the daemon's socket");
    let mut daemon = UnixStream::connect(socket)?;
    let mut answers = BufReader::new(daemon.try_clone()?);
    let mut requests = BufReader::new(std::io::stdin());
    loop {
        let mut request = Vec::new();
        while !request.ends_with(b"\n##\n") {
            if requests.read_until(b'\n', &mut request)? == 0 {
                return Ok(());
            }
        }
        daemon.write_all(&request)?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\n##\n") {
            let mut byte = [0];
            answers.read_exact(&mut byte)?;
            answer.push(byte[0]);
        }
        println!("{}", String::from_utf8_lossy(&answer).trim_end());
    }
}
