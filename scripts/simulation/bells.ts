import type { Redis } from 'ioredis';
import type { BellName, Bells } from '../../src/runtime/index.js';
import type { Chance } from './chance.js';

export interface Bell {
  readonly name: BellName;
  readonly key: string;
}

/** Bells that lie in a real Redis until somebody hears them, so that a flush takes them away; the same one twice is one. */
export class RedisBells implements Bells {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  get #place(): string {
    return `${this.#prefix}:simulated-bells`;
  }

  async ring(name: BellName, key: string): Promise<void> {
    await this.#redis.sadd(this.#place, `${name}|${key}`);
  }

  /** Any of them may be heard first: a step whose turn it is not does nothing, and the sweep rings again. */
  async ringInTurn(name: BellName, keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.ring(name, key);
  }

  /** Takes some of the bells that were rung. */
  async take(chance: Chance, most: number): Promise<Bell[]> {
    const rung = chance.shuffled((await this.#redis.smembers(this.#place)).sort()).slice(0, most);
    if (rung.length > 0) await this.#redis.srem(this.#place, ...rung);
    return rung.map((bell) => ({ name: bell.slice(0, bell.indexOf('|')) as BellName, key: bell.slice(bell.indexOf('|') + 1) }));
  }

  /** Everything that the service has in Redis is gone. */
  async flush(): Promise<void> {
    for await (const keys of this.#redis.scanStream({ match: `*${this.#prefix}*`, count: 1_000 })) {
      if ((keys as string[]).length > 0) await this.#redis.unlink(...(keys as string[]));
    }
  }
}
