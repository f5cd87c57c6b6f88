import { isDeepStrictEqual } from 'node:util';
import { duePage } from '../../../src/clearing/due-store.js';
import { sweepLowBalances } from '../../../src/instructions/index.js';
import { asId, type BusinessDate } from '../../../src/kernel/index.js';
import { refundRoutes } from '../../../src/refunds/index.js';
import { ask } from '../asking.js';
import type { Model } from '../model/model.js';
import type { ModelWatches } from '../model/watches.js';
import type { World } from '../world/world.js';

/**
 * What is to stay on accounts, and below what platforms are told:
 *
 *   watch anna alert 50.00 [reserve 20.00] [refused CODE]    by the platform
 *   reserve anna 30.00 [refused CODE]                        by the bank
 *   sweep                                                    tells of what no instruction did
 *   alerts anna 1 low; alerts anna 1 well                    how often the platform was told of her in all, and how she stands
 *   clearing anna 30.00, ben 5.00; clearing nobody           all that the clearing of the open date would pay out now
 */
export interface WatchBank {
  watch(platform: string, account: string, to: { alert?: bigint; reserve?: bigint }): Promise<string>;
  reserve(account: string, amount: bigint): Promise<string>;
  sweep(): Promise<void>;
  alerts(account: string): Promise<{ told: number; low: boolean }>;
  clearing(platform: string): Promise<ReadonlyMap<string, bigint>>;
}

interface Stage {
  readonly bank: { readonly watches: WatchBank };
  readonly platform: { readonly id: string };
  account(name: string): string;
}

const AMOUNT = String.raw`(\d+\.\d\d)`;
const REFUSED = String.raw`(?: refused (\S+))?$`;
const minor = (text: string) => BigInt(text.replace('.', ''));

function same(got: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(got, expected)) throw new Error(`${what}: expected ${shown(expected)}, got ${shown(got)}`);
}

const shown = (value: unknown) => JSON.stringify(value, (_key, of) => (typeof of === 'bigint' ? String(of) : of));

export const WATCH_STEPS: readonly (readonly [RegExp, (stage: Stage, parts: string[]) => Promise<void>])[] = [
  [
    new RegExp(`^watch (\\S+)(?: alert ${AMOUNT})?(?: reserve ${AMOUNT})?${REFUSED}`),
    async (stage, [name = '', alert, reserve, code]) => {
      const to = {
        ...(alert === undefined ? {} : { alert: minor(alert) }),
        ...(reserve === undefined ? {} : { reserve: minor(reserve) }),
      };
      const said = await stage.bank.watches.watch(stage.platform.id, stage.account(name), to);
      same(said, code ?? 'watched', `the watch of ${name}`);
    },
  ],
  [
    new RegExp(`^reserve (\\S+) ${AMOUNT}${REFUSED}`),
    async (stage, [name = '', amount = '', code]) =>
      same(await stage.bank.watches.reserve(stage.account(name), minor(amount)), code ?? 'kept', `the reserve of ${name}`),
  ],
  [/^sweep$/, (stage) => stage.bank.watches.sweep()],
  [
    /^alerts (\S+) (\d+) (low|well)$/,
    async (stage, [name = '', told, how]) =>
      same(await stage.bank.watches.alerts(stage.account(name)), { told: Number(told), low: how === 'low' }, `alerts of ${name}`),
  ],
  [
    /^clearing (.+)$/,
    async (stage, [what = '']) => {
      const parts = what === 'nobody' ? [] : what.split(', ').map((part) => part.split(' ') as [string, string]);
      const expected = new Map(parts.map(([name, amount]) => [stage.account(name), minor(amount)]));
      same(sorted(await stage.bank.watches.clearing(stage.platform.id)), sorted(expected), 'what the clearing would pay');
    },
  ],
];

const sorted = (of: ReadonlyMap<string, bigint>) => [...of].sort(([a], [b]) => (a < b ? -1 : 1));

/** The plain bank's side of it. */
export function modelWatches(watches: ModelWatches): WatchBank {
  return {
    watch: async (platform, account, to) => watches.set(platform, account, to) ?? 'watched',
    reserve: async (account, amount) => watches.keep(account, amount) ?? 'kept',
    sweep: async () => watches.sweep(),
    async alerts(account) {
      const { told, low } = watches.mark(account);
      return { told, low: low !== undefined };
    },
    clearing: async (platform) => watches.clearing(platform),
  };
}

/** The real service's side, with the model beside it. */
export function serviceWatches({ db, rt }: World, model: Model, watches: ModelWatches): WatchBank {
  const plain = modelWatches(watches);
  const routes = refundRoutes(rt);
  const agreeing = async <T>(said: T, predicted: Promise<T>, what: string): Promise<T> => {
    same(said, await predicted, `${what}: the model and the service`);
    return said;
  };
  const code = (answer: unknown, otherwise: string) => (typeof answer === 'string' ? answer : otherwise);
  return {
    async watch(platform, account, to) {
      const body = Object.fromEntries(Object.entries(to).map(([name, amount]) => [name, Number(amount)]));
      const caller = { platformId: asId(platform) };
      const said = await ask(routes, 'PUT /v1/accounts/{account}/watch', { caller, params: { account: asId(account) }, body });
      return agreeing(code(said, 'watched'), plain.watch(platform, account, to), 'a watch');
    },
    async reserve(account, amount) {
      const asking = { caller: { permissions: new Set<never>() }, params: { account: asId(account) } };
      const body = { reserve: Number(amount), reason: '投诉较多' };
      const said = await db.withTx('reserve', (tx) =>
        ask(routes, 'PUT /admin/v1/accounts/{account}/reserve', { ...asking, body, tx }),
      );
      return agreeing(code(said, 'kept'), plain.reserve(account, amount), 'a reserve');
    },
    /** Twice, as it runs: nobody is told again. */
    async sweep() {
      await sweepLowBalances(rt);
      if ((await sweepLowBalances(rt)) !== 0) throw new Error('the sweep found again what it had told of');
      await plain.sweep();
    },
    async alerts(account) {
      const platformId = asId(model.accounts.get(account)?.platform ?? '');
      const asking = { caller: { platformId }, params: { account: asId(account) } };
      const watch = (await ask(routes, 'GET /v1/accounts/{account}/watch', asking)) as { low: boolean };
      const rows = await db.read('told', (tx) =>
        tx.rows("SELECT 1 FROM outbox WHERE topic = 'account.low' AND platform_id = ? AND ref_id = ?", [platformId, account]),
      );
      return agreeing({ told: rows.length, low: watch.low }, plain.alerts(account), 'alerts');
    },
    async clearing(platform) {
      const date = model.platform(platform).date as BusinessDate;
      const asked = { platformId: asId(platform), date, after: null, limit: 1_000, calendar: rt.calendar };
      const { lines } = await db.read('clearing', (tx) => duePage(tx, asked));
      const said = new Map<string, bigint>();
      for (const { accountId, amount } of lines) said.set(accountId, (said.get(accountId) ?? 0n) + amount);
      same(sorted(said), sorted(await plain.clearing(platform)), 'what is cleared: the model and the service');
      return said;
    },
  };
}
