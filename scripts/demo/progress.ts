/** Where the run is, on stderr: one line that is written over on a terminal, now and then a line elsewhere. */
const EVERY_MS = 10_000;

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #open = false;
  #toldAt = performance.now();

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** A step that everybody should see. */
  say(line: string): void {
    this.#end();
    this.#stream.write(`${line}\n`);
    this.#toldAt = performance.now();
  }

  /** The present state of a long step. */
  show(line: string): void {
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\x1b[2K${line}`);
      this.#open = true;
    } else if (performance.now() - this.#toldAt >= EVERY_MS) {
      this.say(line);
    }
  }

  #end(): void {
    if (this.#open) this.#stream.write('\n');
    this.#open = false;
  }
}
