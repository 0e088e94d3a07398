// The examples as child processes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

const EXAMPLES = process.env.PAVANE_EXAMPLES ?? fileURLToPath(new URL("../../../target/debug/examples", import.meta.url));
const PATIENCE = 30_000;

class Program {
  /** What it writes to standard error goes into `log`; `prefix` is a command before its own. */
  constructor(name, args, log, prefix = []) {
    const [command, ...words] = [...prefix, path.join(EXAMPLES, name), ...args];
    this.process = spawn(command, words, { env: { ...process.env, RUST_BACKTRACE: "1" } });
    this.lines = readline.createInterface({ input: this.process.stdout });
    readline.createInterface({ input: this.process.stderr }).on("line", (line) => log.push(`${name}: ${line}`));
    this.exited = once(this.process, "exit").then(([code, signal]) => {
      if (code !== 0 && !this.killed) log.push(`${name} ended with ${code ?? signal}`);
      return code;
    });
    // The end of the process is what counts, not that a line to it was lost.
    this.process.stdin.on("error", () => {});
  }

  async kill() {
    this.killed = true;
    this.process.kill("SIGKILL");
    await this.exited;
  }
}

/** An example with a page; the one that is called so if no other is named. */
export class Server extends Program {
  static async start(log, name = "browser", args = ["--port", "0"]) {
    const server = new Server(name, args, log);
    const [line] = await Promise.race([
      once(server.lines, "line"),
      server.exited.then(() => { throw new Error("the program ended at once"); }),
    ]);
    server.url = /http:\/\/\S+/.exec(line)[0];
    return server;
  }
}

/** The example that does what it is told, line by line. */
export class Peer extends Program {
  constructor(log, prefix = []) {
    super("stdio", [], log, prefix);
    this.log = log;
    this.seen = [];
    this.waiting = new Set();
    this.nextId = 1;
    this.lines.on("line", (text) => this.hear(JSON.parse(text)));
    this.exited.then(() => this.waiting.forEach((check) => check()));
  }

  hear(line) {
    this.log.push(`stdio > ${JSON.stringify(line).slice(0, 300)}`);
    this.seen.push(line);
    this.onsignal?.(line);
    this.waiting.forEach((check) => check());
  }

  say(line) {
    this.log.push(`stdio < ${JSON.stringify(line).slice(0, 300)}`);
    this.process.stdin.write(`${JSON.stringify(line)}\n`);
  }

  /** The first line, past or future, that is `type` and has these values. */
  async line(type, values = {}) {
    const fits = (line) => line.type === type && Object.entries(values).every(([key, value]) => line[key] === value);
    return new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer);
        this.waiting.delete(check);
        settle(value);
      };
      const check = () => {
        const found = this.seen.find(fits);
        if (found) done(resolve, found);
        else if (this.process.exitCode !== null) done(reject, new Error(`the program ended before ${type} ${JSON.stringify(values)}`));
      };
      const timer = setTimeout(() => done(reject, new Error(`no line ${type} ${JSON.stringify(values)}`)), PATIENCE);
      this.waiting.add(check);
      check();
    });
  }

  /** Has it do something; resolves to its answer. */
  async do(op, values = {}) {
    const id = this.nextId++;
    this.say({ type: "do", id, op, ...values });
    const answer = await Promise.race([this.line("done", { id }), this.line("error", { id })]);
    if (answer.type === "error") throw new Error(`${op}: ${answer.message}`);
    return answer;
  }

  /** The lines so far that are `type`. */
  all(type) {
    return this.seen.filter((line) => line.type === type);
  }

  async quit() {
    if (this.killed) return;
    this.say({ type: "quit" });
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 5000);
    const code = await this.exited;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`the program ended with ${code} after quit`);
  }
}
