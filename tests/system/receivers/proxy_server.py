"""An HTTP proxy (CONNECT). Each request is one line of the file.

proxy_server.py PORT FILE
"""
import socket, sys, threading

port, file = int(sys.argv[1]), sys.argv[2]


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client):
    head = b""
    while b"\r\n\r\n" not in head:
        part = client.recv(4096)
        if not part:
            return
        head += part
    line = head.split(b"\r\n")[0].decode()
    with open(file, "a") as out:
        out.write(line + "\n")
    host, _, target_port = line.split(" ")[1].rpartition(":")
    target = socket.create_connection((host, int(target_port)))
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    threading.Thread(target=pump, args=(client, target), daemon=True).start()
    pump(target, client)


listener = socket.create_server(("127.0.0.1", port))
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
