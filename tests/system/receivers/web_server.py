"""An HTTP server, with TLS where a certificate is given. Each request is one JSON line of the file.

web_server.py PORT FILE BEHAVIOUR [CERTIFICATE KEY]
BEHAVIOUR: ok, slow (answers after 30 s), redirect (to itself), elsewhere (to /stolen), huge (1 GB), 500, 400
"""
import json, ssl, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, file, behaviour = int(sys.argv[1]), sys.argv[2], sys.argv[3]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        with open(file, "a") as out:
            headers = {name.lower(): value for name, value in self.headers.items()}
            out.write(json.dumps({"path": self.path, "headers": headers, "body": body}) + "\n")
        if behaviour == "slow":
            time.sleep(30)
        if behaviour in ("redirect", "elsewhere"):
            self.send_response(307)
            self.send_header("Location", self.path if behaviour == "redirect" else "/stolen")
            self.end_headers()
            return
        self.send_response(int(behaviour) if behaviour.isdigit() else 200)
        if behaviour == "huge":
            self.send_header("Content-Length", str(1 << 30))
            self.end_headers()
            chunk = b"x" * 65536
            try:
                for _ in range(1 << 14):
                    self.wfile.write(chunk)
            except OSError:
                return
            return
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True)
server.serve_forever()
