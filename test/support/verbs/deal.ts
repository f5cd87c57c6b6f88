import { checkOnce, approve as secondLook, withdraw } from '../../../src/agreements/decide.js';
import { recordSignature } from '../../../src/agreements/sign.js';
import { findVersion } from '../../../src/agreements/store.js';
import { submitVersion } from '../../../src/agreements/submit.js';
import { termsSchema } from '../../../src/agreements/wire.js';
import { asId, type BusinessDate, type Id, Refused, toWire } from '../../../src/kernel/index.js';
import type { Tx } from '../../../src/runtime/index.js';
import type { Deal, DealLevel, DealLevels, DealLine, Offer } from '../model/deals.js';
import type { World } from '../world/world.js';

/**
 * How agreements come about, step by step:
 *   offer A1 anna 1: order[commission 10.00% of goods, level:agents 5.00%, rest seller] agents[ben 50.00% min 1.00 max 2.00, rest carl];
 *     cap 30.00% profit 10.00% from DATE [until DATE] [amends 1]          the version of a number (on one line)
 *   countersign A1 by ben seen by clara       a signature on paper, and who of the bank recorded it
 *   check A1 by dora, approve A1 by emil, retract A1
 * Each may be `refused CODE`.
 */
interface Stage {
  readonly bank: { deal(of: Deal): Promise<string> };
  readonly platform: { readonly id: string };
  account(name: string): string;
}

const REFUSED = String.raw`(?: refused (\S+))?$`;
const PERCENT = String.raw`(\d+\.\d\d)%`;
const minor = (text: string) => BigInt(text.replace('.', ''));

async function expecting(stage: Stage, deal: Deal, code: string | undefined, otherwise: string): Promise<void> {
  const said = await stage.bank.deal(deal);
  if (code !== undefined ? said !== code : !otherwise.split(' or ').includes(said))
    throw new Error(`${deal.step} ${deal.name} should be ${code ?? otherwise}, and is ${said}`);
}

export const DEAL_STEPS: readonly (readonly [RegExp, (stage: Stage, parts: string[]) => Promise<void>])[] = [
  [
    new RegExp(
      `^offer (\\S+) (\\S+) (\\d+): (.+); cap ${PERCENT} profit ${PERCENT} from (\\S+)(?: until (\\S+))?(?: amends (\\d+))?${REFUSED}`,
    ),
    (stage, [name = '', seller = '', version, levels = '', cap = '', profit = '', from = '', until, amends, code]) => {
      const offer: Offer = {
        ...{ step: 'offer', name, platform: stage.platform.id, seller: stage.account(seller), version: Number(version) },
        ...{ levels: levelsOf(stage, levels), cap: minor(cap), profit: minor(profit), from, until },
        amends: amends === undefined ? undefined : Number(amends),
      };
      return expecting(stage, offer, code, 'submitted');
    },
  ],
  [
    new RegExp(`^countersign (\\S+) by (\\S+) seen by (\\S+?)${REFUSED}`),
    (stage, [name = '', account = '', by = '', code]) =>
      expecting(stage, { step: 'sign', name, account: stage.account(account), by }, code, 'submitted or countersigned'),
  ],
  ...(
    [
      ['check', 'checked'],
      ['approve', 'approved'],
    ] as const
  ).map(
    ([step, done]) =>
      [
        new RegExp(`^${step} (\\S+) by (\\S+?)${REFUSED}`),
        (stage: Stage, [name = '', by = '', code]: string[]) => expecting(stage, { step, name, by }, code, done),
      ] as const,
  ),
  [
    new RegExp(`^retract (\\S+)${REFUSED}`),
    (stage, [name = '', code]) => expecting(stage, { step: 'retract', name, by: '' }, code, 'withdrawn'),
  ],
];

function levelsOf(stage: Stage, text: string): DealLevels {
  const levels = [...text.matchAll(/([a-z0-9-]+)\[([^\]]*)\]/g)].map(([, name = '', inner = '']) => {
    const parts = inner.split(', ');
    const rest = (parts.pop() ?? '').replace(/^rest /, '');
    const level: DealLevel = { lines: parts.map((part) => lineOf(stage, part)), rest: receiverOf(stage, rest) };
    return [name, level] as const;
  });
  return new Map(levels);
}

const LINE = /^(\S+) (\d+\.\d\d)%( of goods)?(?: min (\d+\.\d\d))?(?: max (\d+\.\d\d))?$/;

function lineOf(stage: Stage, text: string): DealLine {
  const parts = LINE.exec(text);
  if (parts === null) throw new Error(`no line of a rule: ${text}`);
  const [, to = '', bp = '', goods, min, max] = parts;
  return {
    ...{ to: receiverOf(stage, to), bp: minor(bp), of: goods === undefined ? 'whole' : 'goods' },
    ...(min === undefined ? {} : { min: minor(min) }),
    ...(max === undefined ? {} : { max: minor(max) }),
  };
}

const receiverOf = (stage: Stage, name: string) =>
  ['seller', 'commission'].includes(name) || name.startsWith('level:') ? name : stage.account(name);

/** The same steps on the service. */
export class ServiceDeals {
  readonly #world: World;
  readonly #versions = new Map<string, Id>();
  readonly #staff = new Map<string, Id>();

  constructor(world: World) {
    this.#world = world;
  }

  async take(deal: Deal): Promise<string> {
    try {
      return await (deal.step === 'offer' ? this.#offer(deal) : this.#step(deal));
    } catch (error) {
      if (error instanceof Refused) return error.refusal.code;
      throw error;
    }
  }

  async #offer(offer: Offer): Promise<string> {
    const { name, platform, seller, version, levels, cap, profit, from, until, amends } = offer;
    const json = {
      rule: { levels: Object.fromEntries([...levels].map(([key, level]) => [key, wireLevel(level)])) },
      ...{ othersCap: Number(cap), profitMax: Number(profit), cycle: 'T+1' },
    };
    const { version: taken } = await submitVersion(this.#world.rt, asId(platform), {
      ...{ agreementNo: `A-${seller}`, version, account: asId(seller), terms: termsSchema.parse(json), amends: amends ?? null },
      ...{ validFrom: from as BusinessDate, validTo: (until ?? null) as BusinessDate | null },
    });
    this.#versions.set(name, taken.id);
    return taken.state;
  }

  async #step(deal: Exclude<Deal, Offer>): Promise<string> {
    const { db, rt } = this.#world;
    const version = this.#versions.get(deal.name) ?? asId('1');
    const by = this.#operator(deal.by);
    return db.withTx(`${deal.step} version`, async (tx: Tx) => {
      if (deal.step === 'sign') await recordSignature(tx, rt, { version, account: asId(deal.account), voucher: 'F-1', by });
      else if (deal.step === 'check') await checkOnce(tx, rt, { version, by });
      else if (deal.step === 'approve') await secondLook(tx, rt, { version, by });
      else {
        const found = await findVersion(tx, version);
        if (found !== undefined) await withdraw(tx, rt, found);
      }
      return (await findVersion(tx, version))?.state ?? 'NOT_FOUND';
    });
  }

  #operator(name: string): Id {
    const known = this.#staff.get(name) ?? this.#world.rt.newId();
    this.#staff.set(name, known);
    return known;
  }
}

function wireLevel({ lines, rest }: DealLevel) {
  return {
    lines: lines.map(({ to, bp, of, min, max }) => ({
      ...{ to: wireReceiver(to), take: { percent: Number(bp), of } },
      ...(min === undefined ? {} : { min: Number(min) }),
      ...(max === undefined ? {} : { max: Number(max) }),
    })),
    remainder: wireReceiver(rest),
  };
}

function wireReceiver(to: string) {
  if (to === 'seller' || to === 'commission') return to;
  return to.startsWith('level:') ? { level: to.slice('level:'.length) } : { account: toWire('account', asId(to)) };
}
