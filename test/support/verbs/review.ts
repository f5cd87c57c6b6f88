import { executeShard } from '../../../src/instructions/index.js';
import { asId } from '../../../src/kernel/index.js';
import type { Model } from '../model/model.js';
import type { ModelReviewRule, ModelTest } from '../model/reviews.js';
import { endRuleFor, lapse, loadList, rebind, ruleFor, type Staff, verdictOf } from '../world/reviews.js';
import type { World } from '../world/world.js';

/**
 * What the bank's staff does about reviews in scenarios:
 *
 *   review R1 withdrawal,transfer above 50.00 within 30 minutes [else execute]     a rule, approved by two; or `new payee`, or
 *                                            `list hit`, `changed account`, `deviation up to 20.00%`,
 *                                            `times 2 in 10 minutes`, `sum 30.00 a day`, `… on the platform` in the place of `above`
 *   withdraw W1 anna 60.00 waits             it is in review: its money is held
 *   list anna, ben, name 户名; list nobody   who stands on the watch list from now on, and no others
 *   rebind anna 6222020000000001230          her money goes to another account from now on, in the name of 商户
 *   anne approves W1; bert rejects W1 [refused CODE]; minutes 30 lets time pass and ends what is due; end R1
 */
export interface ReviewBank {
  reviewRule(platform: string, rule: Omit<ModelReviewRule, 'platform' | 'ended'>): Promise<string>;
  endReviewRule(rule: string): Promise<void>;
  verdict(instruction: string, who: string, verdict: 'approve' | 'reject'): Promise<string>;
  /** The watch list from now on: owners of accounts, and names. */
  list(of: Listed): Promise<void>;
  /** Binds an account of the owner himself. */
  rebind(account: string, card: string): Promise<void>;
  /** Ends the reviews that are due. */
  lapse(): Promise<void>;
  now(): number;
}

export interface Listed {
  readonly accounts: readonly string[];
  readonly names: readonly string[];
}

interface Stage {
  readonly bank: { readonly reviews: ReviewBank; setNow(ms: number): Promise<void> };
  readonly platform: { readonly id: string };
  readonly reviewRules: Map<string, string>;
  account(name: string): string;
  idOf(requestNo: string): string;
}

const AMOUNT = String.raw`(\d+\.\d\d)`;
const WINDOW = String.raw`(?:in (\d+) minutes|a day)`;
const WHOLE = '( on the platform)?';
const minor = (text: string) => BigInt(text.replace('.', ''));

function testOf(text: string): ModelTest {
  const amount = new RegExp(`^above ${AMOUNT}$`).exec(text);
  if (amount) return { by: 'amount', above: minor(amount[1] as string) };
  if (text === 'new payee') return { by: 'new-payee' };
  if (text === 'list hit') return { by: 'list-hit' };
  if (text === 'changed account') return { by: 'changed-account' };
  const deviation = /^deviation up to (\d+\.\d\d)%$/.exec(text);
  if (deviation) return { by: 'deviation', most: Number(minor(deviation[1] as string)) };
  const counted = new RegExp(`^(?:times (\\d+)|sum ${AMOUNT}) ${WINDOW}${WHOLE}$`).exec(text);
  if (!counted) throw new Error(`no review looks for: ${text}`);
  const [, times, sum, minutes, platform] = counted;
  return {
    ...{ by: 'velocity', per: platform === undefined ? 'account' : 'platform' },
    ...{ within: minutes === undefined ? 'day' : Number(minutes) },
    ...{ times: times === undefined ? null : Number(times), sum: sum === undefined ? null : minor(sum) },
  };
}

function same(got: unknown, expected: unknown, what: string): void {
  if (got !== expected) throw new Error(`${what}: expected ${expected}, got ${got}`);
}

export const REVIEW_STEPS: readonly [RegExp, (stage: Stage, parts: string[]) => Promise<void>][] = [
  [
    /^review (\S+) (\S+) (.+) within (\d+) minutes( else execute)?$/,
    async (stage, [name = '', kinds = '', what = '', minutes = '', executes]) => {
      const rule = {
        ...{ kinds: kinds.split(','), test: testOf(what), minutes: Number(minutes) },
        onDeadline: executes === undefined ? ('refuse' as const) : ('execute' as const),
      };
      stage.reviewRules.set(name, await stage.bank.reviews.reviewRule(stage.platform.id, rule));
    },
  ],
  [
    /^list (.+)$/,
    async (stage, [what = '']) => {
      const listed = what === 'nobody' ? [] : what.split(', ');
      const names = listed.flatMap((one) => (one.startsWith('name ') ? [one.slice(5)] : []));
      const accounts = listed.filter((one) => !one.startsWith('name ')).map((one) => stage.account(one));
      await stage.bank.reviews.list({ accounts, names });
    },
  ],
  [/^rebind (\S+) (\d+)$/, (stage, [name = '', card = '']) => stage.bank.reviews.rebind(stage.account(name), card)],
  [/^end (R\S+)$/, (stage, [name = '']) => stage.bank.reviews.endReviewRule(stage.reviewRules.get(name) ?? '')],
  [
    /^(anne|bert|cleo) (approves|rejects) (\S+)(?: refused (\S+))?$/,
    async (stage, [who = '', what, no = '', code]) => {
      const said = await stage.bank.reviews.verdict(stage.idOf(no), who, what === 'approves' ? 'approve' : 'reject');
      same(/^[A-Z]/.test(said) ? said : undefined, code, `what ${who} said of ${no}`);
    },
  ],
  [
    /^minutes (\d+)$/,
    async (stage, [minutes = '']) => {
      await stage.bank.setNow(stage.bank.reviews.now() + Number(minutes) * 60_000);
      await stage.bank.reviews.lapse();
    },
  ],
];

/** The plain bank's side of it. */
export function modelReviews(model: Model, newId: () => string): ReviewBank {
  const rules = new Map<string, ModelReviewRule>();
  const ended = (id: string) => model.reviewEnded(id);
  return {
    async reviewRule(platform, of) {
      const id = newId();
      const rule = { ...of, platform, ended: false };
      rules.set(id, rule);
      model.reviews.rules.push(rule);
      return id;
    },
    async endReviewRule(id) {
      Object.assign(rules.get(id) ?? {}, { ended: true });
    },
    async verdict(id, who, verdict) {
      const said = model.reviews.verdict(id, who, verdict, model.now);
      if (said === 'approved' || said === 'rejected') ended(id);
      return said;
    },
    async list({ accounts, names }) {
      Object.assign(model.reviews.listed, { accounts: new Set(accounts), names: new Set(names) });
    },
    async rebind(account, card) {
      model.outside.bind(account, { name: '商户', card });
    },
    async lapse() {
      for (const id of model.reviews.lapse(model.now)) ended(id);
    },
    now: () => model.now,
  };
}

/** The real service's side, with the model beside it. */
export function serviceReviews(world: World, model: Model): ReviewBank {
  const plain = modelReviews(model, () => '');
  const ids = new Map<string, string>();
  const agree = (predicted: string, said: string) => same(said, predicted, 'the model and the service');
  return {
    async reviewRule(platform, of) {
      const { kinds, test, minutes, onDeadline } = of;
      const id = await ruleFor(world, asId(platform), kinds, test, { minutes, onDeadline });
      ids.set(id, id);
      model.reviews.rules.push(Object.assign({ ...of, platform, ended: false }, { id }));
      return id;
    },
    async endReviewRule(id) {
      await endRuleFor(world, asId(id));
      for (const rule of model.reviews.rules) if ((rule as { id?: string }).id === id) rule.ended = true;
    },
    async verdict(id, who, verdict) {
      const said = await verdictOf(world, asId(id), who as Staff, verdict);
      agree(await plain.verdict(id, who, verdict), said);
      await executeShard(world.rt, world.shardId);
      return said;
    },
    async list(of) {
      await loadList(world, of);
      await plain.list(of);
    },
    async rebind(account, card) {
      await rebind(world, asId(account), card);
      await plain.rebind(account, card);
    },
    async lapse() {
      await lapse(world);
      same(await lapse(world), 0, 'reviews that end twice');
      await executeShard(world.rt, world.shardId);
      await plain.lapse();
    },
    now: () => model.now,
  };
}
