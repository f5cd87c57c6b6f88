import { Refused, refuse } from '../kernel/index.js';

/** Lets so many in at once; the others wait in line, and whoever finds the line too long is sent away. */
export class Turnstile {
  #inside = 0;
  readonly #line: (() => void)[] = [];

  readonly #limits: { readonly inside: number; readonly line: number };

  constructor(limits: { readonly inside: number; readonly line: number }) {
    this.#limits = limits;
  }

  /** @throws Refused OVERLOADED */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside < this.#limits.inside) this.#inside += 1;
    else if (this.#line.length >= this.#limits.line) throw new Refused(refuse('OVERLOADED', 'Too many files are being made.'));
    else await new Promise<void>((enter) => this.#line.push(enter)); // whoever leaves hands his place on
    try {
      return await work();
    } finally {
      const next = this.#line.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}

/** Through which everybody goes who has a file made again in this process. */
export const making = new Turnstile({ inside: 2, line: 30 });
