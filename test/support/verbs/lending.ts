import type { ModelModes, ModelProjectTerms } from '../model/lending-books.js';
import type { Asked } from '../world/world.js';

/**
 * What scenarios say of lending:
 *
 *   project P1 anna 1000.00 3 months 12.00% annuity penalty 18.00% until 2026-03-20 [fee 1.00%] [cut 10.00%] [least 50.00] [most 500.00]
 *           [guarantor ben] [refused CODE]      anna borrows; `fee` of what is lent, `cut` of the interest go to the platform
 *           [mode advance] [payee dora]         the platform lends the rest before it is full; dora is paid in anna's place
 *   modes advance up to 120.00, entrusted, reserve     what two people of the bank agreed that the platform may do, or `direct` alone; the
 *                                               accounts are called advance and reserve
 *   signs P1 borrower [by carol] [refused CODE] on paper, seen by a person of the bank who is there for that role where none is named
 *   bid B1 P1 lily-2 100.00 [with 5.00] yes     of her own, and what the platform adds; `under M1` where a mandate stands in for her
 *   unbid C1 B1 [50.00]                         takes it back, in part or whole
 *   lend L1 P1 [→ anna]                         the platform lends a full project out
 *   miscarry X1 P1
 *   repay R1 P1 anna 340.03 due yes             or early, part-early; `form F-1 by bank` at the counter
 *   compensate K1 P1 ben 50.00 direct           or indirect
 *   recover V1 K1 P1 anna 20.00 yes
 *   raising over P1, P2                         what the system ends by itself now; `nothing`
 */
const AMOUNT = String.raw`(\d+\.\d\d)`;
const UNDER = String.raw`(?: under (\S+))?`;
const FORM = String.raw`(?: form (\S+))?`;
const REFUSED = String.raw`(?: refused (\S+))?`;
const NOBODY = '1000000000000000001';
const minor = (text: string) => BigInt(text.replace('.', ''));
const money = (text: string) => ({ amount: Number(minor(text)), currency: 'CNY' as const });

/** What these verbs ask of the stage. */
export interface LendingStage {
  readonly bank: LendingBank;
  readonly given: ReadonlyMap<string, { readonly id: string }>;
  readonly projects: Map<string, string>;
  readonly platform: { readonly id: string };
  account(name: string): string;
  mandate(name: string): string;
  /** An account of the platform's own that it has from now on. */
  opened(purpose: string, id: string): void;
}

export type NewModes = Omit<ModelModes, 'advanceAccount' | 'reserveAccount'>;

/** What a bank does with projects. */
export interface LendingBank {
  /** Two people agree with a platform how its projects may be funded; answers the accounts that it has for that. */
  agreeModes(platform: string, modes: NewModes): Promise<{ advance: string | undefined; reserve: string | undefined }>;
  registerProject(platform: string, terms: ModelProjectTerms): Promise<{ result: string; id?: string }>;
  signProject(project: string, role: string, by: string): Promise<string>;
  /** Ends what is raised no longer, and answers the numbers of the projects. */
  endRaising(): Promise<string[]>;
}

const idOf = (stage: LendingStage, name = '') => stage.given.get(name)?.id ?? NOBODY;
const under = (stage: LendingStage, mandate: string | undefined) =>
  mandate === undefined ? {} : { mandate: `mdt_${stage.mandate(mandate)}` };
const signed = (voucher: string | undefined) => (voucher === undefined ? {} : { voucher });

type Read = (stage: LendingStage, parts: string[]) => [string, Asked['data']];
const verb = (form: string, kind: string, data: (stage: LendingStage, parts: string[]) => object) => ({
  form: new RegExp(`^${form}$`),
  read: ((stage, parts) => [kind, data(stage, parts) as unknown as Asked['data']]) satisfies Read as Read,
});

export const LENDING_VERBS = {
  bid: verb(
    `(\\S+) (\\S+) ${AMOUNT}(?: with ${AMOUNT})?${UNDER}`,
    'bid',
    (stage, [projectNo, who = '', own = '', added, mandate]) => ({
      ...{ projectNo, account: `acc_${stage.account(who)}`, amount: money(own) },
      ...(added === undefined ? {} : { marketing: money(added) }),
      ...under(stage, mandate),
    }),
  ),
  unbid: verb(`(\\S+)(?: ${AMOUNT})?`, 'bid-cancel', (stage, [bid, amount]) => ({
    bid: `bid_${idOf(stage, bid)}`,
    ...(amount === undefined ? {} : { amount: money(amount) }),
  })),
  lend: verb('(\\S+)(?: → (\\S+))?', 'lend-out', (stage, [projectNo, to]) => ({
    projectNo,
    ...(to === undefined ? {} : { to: `acc_${stage.account(to)}` }),
  })),
  miscarry: verb('(\\S+)', 'miscarriage', (_stage, [projectNo]) => ({ projectNo })),
  repay: verb(`(\\S+) (\\S+) ${AMOUNT} (due|early|part-early)${UNDER}${FORM}`, 'repayment', (stage, parts) => {
    const [projectNo, from = '', amount = '', of, mandate, voucher] = parts;
    return {
      projectNo,
      from: `acc_${stage.account(from)}`,
      amount: money(amount),
      of,
      ...under(stage, mandate),
      ...signed(voucher),
    };
  }),
  compensate: verb(`(\\S+) (\\S+) ${AMOUNT} (direct|indirect)${UNDER}${FORM}`, 'compensation', (stage, parts) => {
    const [projectNo, from = '', amount = '', way, mandate, voucher] = parts;
    return {
      projectNo,
      from: `acc_${stage.account(from)}`,
      amount: money(amount),
      way,
      ...under(stage, mandate),
      ...signed(voucher),
    };
  }),
  recover: verb(`(\\S+) (\\S+) (\\S+) ${AMOUNT}${UNDER}${FORM}`, 'recovery', (stage, parts) => {
    const [compensation, projectNo, from = '', amount = '', mandate, voucher] = parts;
    return {
      ...{
        projectNo,
        from: `acc_${stage.account(from)}`,
        amount: money(amount),
        compensation: `cmp_${idOf(stage, compensation)}`,
      },
      ...under(stage, mandate),
      ...signed(voucher),
    };
  }),
};

export const LENDING_KINDS = {
  bid: 'bid',
  'bid-cancel': 'unbid',
  'lend-out': 'lend',
  miscarriage: 'miscarry',
  repayment: 'repay',
  compensation: 'compensate',
  recovery: 'recover',
};

function same(got: unknown, expected: unknown, what: string): void {
  if (got !== expected) throw new Error(`${what}: expected ${expected}, got ${got}`);
}

/** Hundredths of a percent as digits. */
const hundredths = (text: string | undefined) => (text === undefined ? 0n : minor(text.replace('%', '')));

function termsOf(stage: LendingStage, name: string, text: string): ModelProjectTerms {
  const head = /^(\S+) (\d+\.\d\d) (\d+) months (\S+)% (annuity|equal-principal|interest-first|bullet)(.*)$/.exec(text);
  if (head === null) throw new Error(`cannot be read: ${text}`);
  const [, borrower = '', amount = '', months = '', rate = '', method = '', rest = ''] = head;
  const said = (word: string) => new RegExp(` ${word} (\\S+)`).exec(rest)?.[1];
  const some = (word: string) => {
    const found = said(word);
    return found === undefined ? undefined : minor(found);
  };
  const [guarantor, payee] = [said('guarantor'), said('payee')];
  return {
    ...{ projectNo: name, borrower: stage.account(borrower), amount: minor(amount), months: Number(months) },
    ...{ rate: hundredths(rate) * 100n, penaltyRate: hundredths(said('penalty')) * 100n, method: method as 'annuity' },
    ...{ lendFee: hundredths(said('fee')), interestFee: hundredths(said('cut')), least: some('least'), most: some('most') },
    ...{ guarantor: guarantor === undefined ? undefined : stage.account(guarantor), until: said('until') ?? '' },
    ...{ mode: (payee === undefined ? (said('mode') ?? 'direct') : 'entrusted') as 'direct' },
    ...{ payee: payee === undefined ? undefined : stage.account(payee) },
  };
}

/** `direct`, or what is agreed beyond it. */
function modesOf(text: string): NewModes {
  const parts = text.split(', ');
  const [, ceiling] = new RegExp(`advance up to ${AMOUNT}`).exec(text) ?? [];
  const advance = ceiling === undefined ? undefined : minor(ceiling);
  return { advance, entrusted: parts.includes('entrusted'), reserve: parts.includes('reserve') };
}

export const LENDING_STEPS: readonly (readonly [form: RegExp, run: (stage: LendingStage, parts: string[]) => Promise<void>])[] = [
  [
    new RegExp(`^project (\\S+) (.+?)${REFUSED}$`),
    async (stage, [name = '', text = '', code]) => {
      const { result, id } = await stage.bank.registerProject(stage.platform.id, termsOf(stage, name, text));
      same(result, code ?? 'registered', `the project ${name}`);
      if (id !== undefined) stage.projects.set(name, id);
    },
  ],
  [
    /^modes (.+)$/,
    async (stage, [text = '']) => {
      const accounts = await stage.bank.agreeModes(stage.platform.id, modesOf(text));
      for (const [purpose, id] of Object.entries(accounts)) if (id !== undefined) stage.opened(purpose, id);
    },
  ],
  [
    new RegExp(`^signs (\\S+) (borrower|guarantor)(?: by (\\S+))?${REFUSED}$`),
    async (stage, [name = '', role = '', by, code]) => {
      const said = await stage.bank.signProject(stage.projects.get(name) ?? NOBODY, role, by ?? `for ${role}`);
      same(said, code ?? 'given', `what the ${role} signs`);
    },
  ],
  [
    /^raising over (.+)$/,
    async (stage, [text = '']) => same((await stage.bank.endRaising()).join(', ') || 'nothing', text, 'what the system ends'),
  ],
];
