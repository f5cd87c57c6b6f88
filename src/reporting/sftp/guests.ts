import type { Socket } from 'node:net';

/** A connection at the door: a stranger until it has shown who it is. */
export interface Guest {
  readonly address: string;
  readonly socket: Socket;
  isStranger: boolean;
}

const ALL_MAX = 50;
const OF_ADDRESS_MAX = 25; // several platforms may come from behind one
const STRANGERS_OF_ADDRESS_MAX = 10;

/**
 * Who is connected. There is room for so many in all and of each remote address; where it is full, the stranger goes that came first, so that
 * whoever opens connections and says nothing keeps nobody out. Whoever has shown who he is gives way to nobody.
 */
export class Guests {
  readonly #all = new Set<Guest>(); // in the order in which they came

  /** Undefined: there is no room, and the connection was cut. */
  admit(socket: Socket): Guest | undefined {
    const guest: Guest = { address: socket.remoteAddress ?? '', socket, isStranger: true };
    if (!this.#makeRoom(guest)) {
      socket.destroy();
      return undefined;
    }
    this.#all.add(guest);
    socket.once('close', () => this.#all.delete(guest));
    return guest;
  }

  /** Whose remote address and port those are. */
  of(address: string, port: number): Guest | undefined {
    return [...this.#all].find(({ socket }) => socket.remoteAddress === address && socket.remotePort === port);
  }

  cutAll(): void {
    for (const { socket } of this.#all) socket.destroy();
  }

  #makeRoom({ address }: Guest): boolean {
    const all = [...this.#all];
    const near = all.filter((each) => each.address === address);
    const strangersNear = near.filter(({ isStranger }) => isStranger);
    if (strangersNear.length >= STRANGERS_OF_ADDRESS_MAX || near.length >= OF_ADDRESS_MAX) return this.#cut(strangersNear[0]);
    return all.length < ALL_MAX || this.#cut(all.find(({ isStranger }) => isStranger));
  }

  #cut(guest: Guest | undefined): boolean {
    if (guest === undefined) return false;
    this.#all.delete(guest); // at once: its socket says that it is closed only later
    guest.socket.destroy();
    return true;
  }
}
