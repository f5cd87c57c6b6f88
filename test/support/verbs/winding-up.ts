import type { Given } from '../given.js';

/**
 * What scenarios say of a lending platform that vanishes:
 *
 *   vanishes                        two people of the bank decide to wind it up
 *   round P4 miscarries, anna repays P1 10.00, lily-2 209.00 out, advance 5.00 back     what the bank gives by itself now, in this order, or
 *                                   `nothing`; all of it posted, or `… refused CODE`
 *   claims lily-2: P1 700.00, P2 200.00      what she sees that she has lent and not got back, or `nothing`
 */
export interface WindingUpBank {
  vanish(platform: string): Promise<void>;
  /** One round: what was given, in its order. */
  windDownRound(platform: string): Promise<readonly Wound[]>;
  /** By the number of the project. Minor units. */
  claimsOf(account: string): Promise<ReadonlyMap<string, bigint>>;
}

export interface Wound {
  readonly kind: string;
  readonly data: Given['data'];
  readonly result: string;
}

interface WindingUpStage {
  readonly bank: WindingUpBank;
  readonly platform: { readonly id: string };
  account(name: string): string;
  nameOfAccount(id: string): string;
}

interface WoundData {
  readonly projectNo?: string;
  readonly account?: string;
  readonly from?: string;
  readonly amount?: { readonly amount: number };
}

const yuan = (minor: number | bigint) => {
  const digits = String(minor).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
};

function wordsOf(stage: WindingUpStage, { kind, data, result }: Wound): string {
  const { projectNo, account, from, amount } = data as WoundData;
  const name = (wire = '') => stage.nameOfAccount(wire.slice(4));
  const much = yuan(amount?.amount ?? 0);
  const said: Record<string, string> = {
    miscarriage: `${projectNo} miscarries`,
    repayment: `${name(from)} repays ${projectNo} ${much}`,
    clearing: `${name(account)} ${much} out`,
    transfer: `${name(from)} ${much} back`,
  };
  const words = said[kind] ?? kind;
  return result === 'posted' ? words : `${words} refused ${result}`;
}

function same(got: unknown, expected: unknown, what: string): void {
  if (got !== expected) throw new Error(`${what}: expected ${expected}, got ${got}`);
}

export const WINDING_UP_STEPS: readonly (readonly [
  form: RegExp,
  run: (stage: WindingUpStage, parts: string[]) => Promise<void>,
])[] = [
  [/^vanishes$/, (stage) => stage.bank.vanish(stage.platform.id)],
  [
    /^round (.+)$/,
    async (stage, [text = '']) => {
      const given = await stage.bank.windDownRound(stage.platform.id);
      same(given.map((each) => wordsOf(stage, each)).join(', ') || 'nothing', text, 'what the round gives');
    },
  ],
  [
    /^claims (\S+): (.+)$/,
    async (stage, [name = '', text = '']) => {
      const claims = await stage.bank.claimsOf(stage.account(name));
      const words = [...claims].sort(([a], [b]) => (a < b ? -1 : 1)).map(([projectNo, left]) => `${projectNo} ${yuan(left)}`);
      same(words.join(', ') || 'nothing', text, `what ${name} sees of claims`);
    },
  ],
];
