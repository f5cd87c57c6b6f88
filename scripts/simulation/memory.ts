import type { Receipt, Submission } from '../../src/instructions/index.js';
import { parseInstruction } from '../../src/instructions/intake/parse.js';
import { Refused } from '../../src/kernel/index.js';
import type { Tx } from '../../src/runtime/index.js';
import type { Chance } from './chance.js';
import type { Request } from './giving.js';

interface Asked {
  readonly request: Request;
  readonly submission: Submission;
  /** Undefined: the answer was lost, and nobody has looked yet. */
  id: string | undefined;
}

/** What the platforms have given and what they were answered, as a careful platform would keep it. */
export class Memory {
  readonly #asked = new Map<string, Asked>();
  readonly #list: Asked[] = [];
  readonly #unsure: Asked[] = [];
  readonly #violate: (sentence: string) => void;
  readonly #opened: (kind: string, stored: string) => string;

  /** @param opened the body of an instruction as it was given, from the stored one */
  constructor(violate: (sentence: string) => void, opened: (kind: string, stored: string) => string) {
    this.#violate = violate;
    this.#opened = opened;
  }

  get size(): number {
    return this.#asked.size;
  }

  ids(): string[] {
    return this.#list.flatMap(({ id }) => id ?? []);
  }

  earlier(chance: Chance): Request | undefined {
    return this.#list.length === 0 ? undefined : chance.recent(this.#list).request;
  }

  /** Keeps what was answered, by one process or by several that were asked at once, and holds it against what was answered before. */
  answered(requests: readonly Request[], submissions: readonly Submission[], answers: readonly (readonly Receipt[])[]): void {
    const fresh = (receipt: Receipt) => 'id' in receipt && !receipt.replay;
    for (const [place, submission] of submissions.entries()) {
      const receipts = answers.map((receiptsOf) => receiptsOf[place] as Receipt);
      for (const receipt of [...receipts.filter(fresh), ...receipts.filter((receipt) => !fresh(receipt))]) {
        this.#answer(requests[place] as Request, submission, receipt);
      }
    }
  }

  /** They were handed over and no answer came: they may be on the books or not. */
  lost(requests: readonly Request[], submissions: readonly Submission[]): void {
    for (const [place, submission] of submissions.entries()) {
      const key = keyOf(submission);
      if (this.#asked.has(key)) continue;
      const asked = { request: requests[place] as Request, submission, id: undefined };
      this.#asked.set(key, asked);
      this.#unsure.push(asked);
    }
  }

  /** Looks up what became of those that had no answer: received whole, or not at all. */
  async clearUp(tx: Tx): Promise<void> {
    for (const asked of this.#unsure.splice(0)) {
      const { platformId, origin, requestNo, kind, body } = asked.submission;
      const [row] = await tx.rows<{ id: string; kind: string; body: string }>(
        'SELECT id, kind, body FROM instructions WHERE platform_id = ? AND origin = ? AND request_no = ?',
        [platformId, origin, requestNo],
      );
      if (row === undefined) this.#asked.delete(keyOf(asked.submission));
      else {
        if (row.kind !== kind || this.#opened(kind, row.body) !== body)
          this.#violate(`${requestNo} is on the books with another content`);
        asked.id = row.id;
        this.#list.push(asked);
      }
    }
  }

  #answer(request: Request, submission: Submission, receipt: Receipt): void {
    const key = keyOf(submission);
    const before = this.#asked.get(key);
    if (before === undefined) {
      if ('refused' in receipt) {
        this.#violate(`${submission.requestNo} is new and was refused as ${receipt.refused.code}`);
        return;
      }
      if (receipt.replay) this.#violate(`${submission.requestNo} is new and was answered as a replay`);
      const asked = { request, submission, id: receipt.id };
      this.#asked.set(key, asked);
      this.#list.push(asked);
      return;
    }
    const same = before.submission.kind === submission.kind && before.submission.body === submission.body;
    if (same && !('id' in receipt && receipt.replay && receipt.id === before.id)) {
      this.#violate(
        `${submission.requestNo} given again was answered ${JSON.stringify(receipt)}; the first answer was ${before.id}`,
      );
    }
    if (!same && !('refused' in receipt && receipt.refused.code === 'REQUEST_NO_REUSED')) {
      this.#violate(`${submission.requestNo} given again with another content was answered ${JSON.stringify(receipt)}`);
    }
  }
}

function keyOf({ platformId, origin, requestNo }: Submission): string {
  return `${platformId}${origin}${requestNo}`;
}

/** What the door makes of a request; a fault of its shape is thrown there. */
export function submissionOf({ platform, origin, body }: Request): Submission {
  return { platformId: platform, origin, ...parseInstruction(body, origin), actor: 'simulation' };
}

/** Whether the door turns away a request whose shape is wrong. */
export function isTurnedAway(request: Request, body: unknown): boolean {
  try {
    submissionOf({ ...request, body: body as Request['body'] });
    return false;
  } catch (error) {
    return error instanceof Refused && error.refusal.code === 'SHAPE_INVALID';
  }
}

/** The same request with its fields in another order. */
export function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, reordered(field)]),
  );
}
