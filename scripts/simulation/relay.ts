import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * The wire between one process and the database. It hands bytes on, and cuts where it was told to: so a COMMIT can be carried
 * out and its answer lost, which nothing but the wire can do.
 */
export interface Cut {
  /** Counted over all connections of the process, from the arming on. */
  readonly at: 'commit' | 'statement';
  readonly nth: number;
  /** `before`: the server never gets it; `after`: it does, and its answer is lost; `killed`: the server ends the connection first. */
  readonly how: 'before' | 'after' | 'killed';
  /** What else happens at that moment. */
  readonly also?: () => void;
}

const COM_QUERY = 3;
const HEADER = 4; // three bytes of length, one of sequence

interface Line {
  readonly client: Socket;
  readonly server: Socket;
  /** The server's number of this connection. */
  id: number | undefined;
  /** The next answer is lost, and the line with it. */
  doomed: boolean;
}

export class Relay {
  readonly url: string;
  readonly #listener: Server;
  readonly #lines = new Set<Line>();
  readonly #kill: (connectionId: number) => Promise<void>;
  readonly #ids = new Set<number>();
  #armed: Cut | undefined;
  #counted = 0;
  #cut = false;

  private constructor(listener: Server, url: string, kill: (connectionId: number) => Promise<void>) {
    this.#listener = listener;
    this.#kill = kill;
    this.url = url;
  }

  static async open(databaseUrl: string, kill: (connectionId: number) => Promise<void>): Promise<Relay> {
    const target = new URL(databaseUrl);
    const listener = createServer({ noDelay: true });
    await new Promise<void>((listening, failed) => {
      listener.once('error', failed);
      listener.listen(0, '127.0.0.1', listening);
    });
    const url = new URL(databaseUrl);
    url.hostname = '127.0.0.1';
    url.port = String((listener.address() as AddressInfo).port);
    const relay = new Relay(listener, url.href, kill);
    listener.on('connection', (client) => {
      const server = connect({ host: target.hostname, port: Number(target.port || 3306), noDelay: true });
      relay.#join({ client, server, id: undefined, doomed: false });
    });
    return relay;
  }

  arm(cut: Cut): void {
    this.#armed = cut;
    this.#counted = 0;
    this.#cut = false;
  }

  /** Answers whether the cut was made. */
  disarm(): boolean {
    this.#armed = undefined;
    return this.#cut;
  }

  /** The numbers that the server gave the connections so far. */
  get connectionIds(): ReadonlySet<number> {
    return this.#ids;
  }

  /** Ends every connection at once, and lets no other in. */
  sever(): void {
    this.#listener.close();
    for (const line of this.#lines) this.#break(line);
  }

  #join(line: Line): void {
    const { client, server } = line;
    this.#lines.add(line);
    const over = () => this.#break(line);
    for (const socket of [client, server]) socket.on('error', over).on('close', over);
    client.on('data', (chunk: Buffer) => this.#toServer(line, chunk));
    server.on('data', (chunk: Buffer) => {
      if (line.id === undefined) {
        line.id = connectionIdIn(chunk);
        this.#ids.add(line.id);
      }
      if (line.doomed) this.#finish(line);
      else client.write(chunk);
    });
  }

  #toServer(line: Line, chunk: Buffer): void {
    const cut = this.#armed;
    if (cut !== undefined && isAt(cut.at, chunk)) this.#counted += 1;
    const now = cut !== undefined && isAt(cut.at, chunk) && this.#counted === cut.nth;
    if (!now) {
      line.server.write(chunk);
      return;
    }
    this.#cut = true;
    if (cut.how === 'before') this.#finish(line);
    else if (cut.how === 'after') {
      line.doomed = true;
      line.server.write(chunk);
    } else {
      void this.#kill(line.id ?? 0).then(() => {
        if (!line.server.destroyed) line.server.write(chunk);
        if (this.#armed === cut) cut.also?.();
      });
    }
  }

  #finish(line: Line): void {
    this.#break(line);
    this.#armed?.also?.();
  }

  #break(line: Line): void {
    this.#lines.delete(line);
    line.client.destroy();
    line.server.destroy();
  }
}

function isAt(point: Cut['at'], chunk: Buffer): boolean {
  if (chunk[HEADER] !== COM_QUERY) return false;
  const commits = chunk.subarray(HEADER + 1).toString('latin1') === 'COMMIT';
  return point === 'commit' ? commits : !commits;
}

/** The server greets with its version as text up to a zero byte, and then the number of the connection. */
function connectionIdIn(greeting: Buffer): number {
  const end = greeting.indexOf(0, HEADER + 1);
  return greeting.readUInt32LE(end + 1);
}
