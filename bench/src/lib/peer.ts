// A process that measures on request: one line of JSON in, one out. Ours and Python's speak the same, so that a
// benchmark can take turns between them in one run.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";

export interface Sample {
  /** Nanoseconds an iteration. */
  ns: number;
}

export class Peer {
  readonly name: string;
  #child: ChildProcess;
  #lines: AsyncIterator<string>;
  #reader: Interface;

  constructor(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.name = name;
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env });
    if (this.#child.stdout === null) throw new Error(`${name}: no standard output`);
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** @throws {Error} where the process ended instead of answering */
  async ask<T>(request: object): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.name} ended with code ${this.#child.exitCode} instead of answering`);
    return JSON.parse(value) as T;
  }

  close(): void {
    this.#reader.close();
    this.#child.stdin?.end();
    this.#child.kill();
  }
}

/** Serves requests in this process, for a worker program. */
export async function serve(
  answer: (request: Record<string, unknown>) => object | Promise<object>,
): Promise<void> {
  for await (const line of createInterface({ input: process.stdin }))
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Record<string, unknown>))}\n`);
}
