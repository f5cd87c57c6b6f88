import type { Desk } from '../dispatch/index.js';
import type { BusinessDate } from '../kernel/index.js';
import { type Break, clearBreaks, insertBreaks, listBreaks, type NewBreak } from '../reconciliation/index.js';
import { isDuplicateKey } from '../runtime/index.js';

const OPEN_MAX = 10_000;

/** What does not fit between a company's file and our books. Amounts are fen, or hundredths of units where the reference names a holding. */
export type Finding = Pick<NewBreak, 'platformId' | 'class' | 'reference' | 'ourAmount' | 'theirAmount'> & {
  readonly states?: { readonly ours: string; readonly theirs: string } | null;
};

/**
 * The cases of fund companies that are open. A matter has one open case, however often it is found, and none twice for one date; what agrees again closes
 * by itself.
 */
export class FundCases {
  readonly #desk: Desk;
  readonly #date: BusinessDate;
  readonly #open: Map<string, Break>;
  /** What was found of this date before, closed or not. */
  readonly #found: Set<string>;

  private constructor(desk: Desk, date: BusinessDate, open: readonly Break[], found: readonly Break[]) {
    this.#desk = desk;
    this.#date = date;
    this.#open = new Map(open.map((each) => [each.reference, each]));
    this.#found = new Set(found.map(({ reference }) => reference));
  }

  static async of(desk: Desk, date: BusinessDate): Promise<FundCases> {
    const [open, found] = await desk.rt.db.read('fund-cases', async (tx) => [
      await listBreaks(tx, { party: 'fund', state: 'open' }, OPEN_MAX),
      await listBreaks(tx, { party: 'fund', businessDate: date }, OPEN_MAX),
    ]);
    return new FundCases(desk, date, open ?? [], found ?? []);
  }

  /** Opens cases for what has none. */
  async open(findings: readonly Finding[]): Promise<void> {
    const { rt } = this.#desk;
    const openedMs = rt.clock.now();
    for (const { ourAmount, theirAmount, ...of } of findings) {
      if (this.#open.has(of.reference) || this.#found.has(of.reference)) continue;
      this.#found.add(of.reference);
      const difference = (ourAmount ?? 0n) - (theirAmount ?? 0n);
      const common = { id: rt.newId(), party: 'fund' as const, businessDate: this.#date, timing: false, openedMs };
      const row: NewBreak = { ...of, states: of.states ?? null, ...common, ourAmount, theirAmount, difference };
      await rt.db
        .withTx('open-fund-case', (tx) => insertBreaks(tx, [row]))
        .catch((error: unknown) => {
          if (!isDuplicateKey(error)) throw error; // another worker found it meanwhile
        });
      rt.log.warn({ event: 'fund-file.case', class: of.class, reference: of.reference });
    }
  }

  /** Both sides agree now. */
  async agree(references: readonly string[]): Promise<void> {
    const { rt } = this.#desk;
    const ids = references.flatMap((reference) => this.#open.get(reference)?.id ?? []);
    if (ids.length > 0) await rt.db.withTx('close-fund-cases', (tx) => clearBreaks(tx, ids, this.#date, rt.clock.now()));
    for (const reference of references) this.#open.delete(reference);
  }

  /** What is open and was not found again. */
  stale(isOf: (reference: string) => boolean, foundNow: ReadonlySet<string>): string[] {
    return [...this.#open.keys()].filter((reference) => isOf(reference) && !foundNow.has(reference));
  }
}
