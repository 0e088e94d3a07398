// A TURN server that is neither the browsers' nor ours.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const USER = "alice";
const PASSWORD = "wonderland";

export class Coturn {
  /** Listens on `address`, to UDP, TCP and TLS; `prefix` is a command before the server's own. */
  static async start(address, { prefix = [] } = {}) {
    const server = new Coturn();
    server.address = address;
    server.folder = fs.mkdtempSync(path.join(os.tmpdir(), "pavane-coturn-"));
    const file = (name) => path.join(server.folder, name);
    server.certificate = file("certificate.pem");
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=turn",
      "-days", "2", "-addext", `subjectAltName=IP:${address}`, "-addext", "basicConstraints=critical,CA:FALSE",
      "-keyout", file("key.pem"), "-out", server.certificate], { stdio: "pipe" });
    const [command, ...words] = [...prefix, "turnserver"];
    server.process = spawn(command, [...words, "-n", "--no-cli", "--no-dtls", "--simple-log", "--realm=example.org",
      `--log-file=${file("log")}`, `--listening-ip=${address}`, `--relay-ip=${address}`, "--lt-cred-mech", `--user=${USER}:${PASSWORD}`,
      `--cert=${server.certificate}`, `--pkey=${file("key.pem")}`, `--pidfile=${file("pid")}`, `--userdb=${file("users")}`],
    { stdio: "ignore" });
    server.exited = once(server.process, "exit");
    for (let n = 0; n < 200; n++) {
      if (server.listens(prefix)) return server;
      await pause(25);
    }
    throw new Error(`coturn does not listen: ${server.log()}`);
  }

  /** Whether the system says so of its last port to be opened. */
  listens(prefix) {
    const [command, ...words] = [...prefix, "ss", "-Hltn", `src ${this.address}:5349`];
    return execFileSync(command, words, { encoding: "utf8" }) !== "";
  }

  /** The server as RTCConfiguration has it, over `udp`, `tcp` or `tls`. */
  by(transport) {
    const url = transport === "tls" ? `turns:${this.address}:5349` : `turn:${this.address}:3478?transport=${transport}`;
    return { urls: [url], username: USER, credential: PASSWORD };
  }

  log() {
    try {
      return fs.readFileSync(path.join(this.folder, "log"), "utf8");
    } catch {
      return "no log";
    }
  }

  async stop() {
    this.process.kill("SIGKILL");
    await this.exited;
    fs.rmSync(this.folder, { recursive: true });
  }
}
