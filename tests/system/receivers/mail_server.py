"""A mail server (aiosmtpd): STARTTLS with a login. Each mail is one JSON line of the file.

mail_server.py PORT FILE CERTIFICATE KEY PASSWORD [BEHAVIOUR]
BEHAVIOUR: nothing (the connection is taken, and nobody answers), hang (after DATA), 4xx, refuse-one (one of the recipients),
greylist (the same, and another one is accepted at the third attempt)
"""
import asyncio, json, ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

port, file, certificate, key, password = int(sys.argv[1]), *sys.argv[2:6]
behaviour = sys.argv[6] if len(sys.argv) > 6 else ""


tries = [0]


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if behaviour in ("refuse-one", "greylist") and address.startswith("gone"):
            return "550 no such user"
        if behaviour == "greylist" and address.startswith("grey"):
            tries[0] += 1
            if tries[0] < 3:
                return "451 try later"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        if behaviour == "hang":
            await asyncio.sleep(3600)
        if behaviour == "4xx":
            return "451 try later"
        line = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                "user": getattr(session.auth_data, "login", b"").decode(), "content": envelope.content.decode()}
        with open(file, "a") as out:
            out.write(json.dumps(line) + "\n")
        return "250 ok"


def login(server, session, envelope, mechanism, auth_data):
    return AuthResult(success=getattr(auth_data, "password", b"") == password.encode(), auth_data=auth_data)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


class Server(Controller):
    def factory(self):
        return SMTP(self.handler, tls_context=context, require_starttls=True, auth_required=True, authenticator=login)


if behaviour == "nothing":
    import socket
    listener = socket.create_server(("127.0.0.1", port))
    print("ready", flush=True)
    kept = []
    while True:
        kept.append(listener.accept())
controller = Server(Handler(), hostname="127.0.0.1", port=port)
controller.start()
print("ready", flush=True)
while True:
    time.sleep(3600)
