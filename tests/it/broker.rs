//! An MQTT broker that only accepts publications with quality of service 1 (MQTT 3.1.1).

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A running broker.
pub(crate) struct Broker {
    port: u16,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    taken: Vec<String>,
    /// Whether connections are closed immediately.
    down: bool,
    /// Whether logins are refused.
    locked: bool,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let known = Arc::clone(&shared);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let _ = serve(stream, &known);
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The bodies in the order of publication.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.shared.lock().unwrap().taken.clone()
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.shared.lock().unwrap().down = down;
    }

    pub(crate) fn set_locked(&self, locked: bool) {
        self.shared.lock().unwrap().locked = locked;
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    if shared.lock().unwrap().down {
        return Ok(());
    }
    loop {
        let mut kind = [0];
        stream.read_exact(&mut kind)?;
        let mut length = 0;
        for place in 0..4 {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            length |= usize::from(byte[0] & 127) << (7 * place);
            if byte[0] < 128 {
                break;
            }
        }
        let mut packet = vec![0; length];
        stream.read_exact(&mut packet)?;
        match kind[0] >> 4 {
            // CONNECT; 5 is "not authorized".
            1 => {
                let code = if shared.lock().unwrap().locked { 5 } else { 0 };
                stream.write_all(&[0x20, 2, 0, code])?;
            }
            // PUBLISH with quality of service 1: the topic, an id, the body.
            3 => {
                assert_eq!(kind[0] & 7, 2, "QoS 1, not retained");
                let topic = usize::from(packet[0]) << 8 | usize::from(packet[1]);
                let name = String::from_utf8(packet[2..2 + topic].to_vec()).expect("a topic");
                assert!(!name.contains(['+', '#', '\0']), "{name}");
                let id = &packet[2 + topic..4 + topic];
                let body = String::from_utf8(packet[4 + topic..].to_vec()).expect("UTF-8");
                shared.lock().unwrap().taken.push(body);
                stream.write_all(&[0x40, 2, id[0], id[1]])?;
            }
            14 => return Ok(()),
            other => panic!("a packet of kind {other}"),
        }
    }
}
