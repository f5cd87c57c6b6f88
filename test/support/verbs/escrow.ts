import type { ModelDealTerms } from '../model/escrow-deals.js';
import type { Asked } from '../world/world.js';

/**
 * What scenarios say of deals:
 *
 *   deal H1 housing-deposit: buyer lily-2, seller anna, agent ben; price 100.00, fee 3.00; pay-by 2026-03-10; lessons 10 [refused CODE]
 *                                       a role without an account stands alone
 *   says H1 title seller [by carol]     a party confirms it on paper; `title:objection`, `accept` and exits are said like stages; recorded by
 *                                       a person of the bank who is there for that role, where none is named
 *   finds H1 title met                  two people of the bank find it so; `finds H1 keys seller 10.00, payers rest` divides it;
 *                                       `alone` where the second is the first
 *   stake S1 H1 lily → order:7 100.00   money from outside; `for month-1`
 *   lay   L1 H1 lily-2 → order:8 5.00   from an account of the book; yes
 *   let-go R1 H1 title                  the platform asks; fail-stage, pay-back likewise
 *   due   release H1 title, back H1 order:7          what the system does by itself, all of it, now; `nothing`
 *   due   release H1 title refused ESCROW_DISPUTED
 */
const AMOUNT = String.raw`(\d+\.\d\d)`;
const FOR = String.raw`(?: for (\S+))?`;
const REFUSED = String.raw`(?: refused (\S+))?`;
const NOBODY = '1000000000000000001';
const minor = (text: string) => BigInt(text.replace('.', ''));
const money = (text: string) => ({ amount: Number(minor(text)), currency: 'CNY' as const });

/** What these verbs ask of the stage. */
export interface EscrowStage {
  readonly bank: EscrowBank;
  readonly deals: Map<string, string>;
  readonly platform: { readonly id: string };
  account(name: string): string;
}

const escrow = (stage: EscrowStage, name = '') => `esc_${stage.deals.get(name) ?? NOBODY}`;

const ofStage = (kind: string) => ({
  form: /^(\S+) (\S+)$/,
  read: (stage: EscrowStage, [deal, key = '']: string[]): [string, Asked['data']] => [
    kind,
    { escrow: escrow(stage, deal), stage: key } as unknown as Asked['data'],
  ],
});

export const ESCROW_VERBS = {
  stake: {
    form: new RegExp(`^(\\S+) (\\S+) → order:(\\S+) ${AMOUNT}${FOR}$`),
    read(stage: EscrowStage, [deal, buyer = '', orderNo = '', amount = '', key]: string[]): [string, Asked['data']] {
      const account = buyer === 'cash' ? '' : `6222${Buffer.from(buyer).toString('hex').slice(0, 12)}`;
      const data = {
        ...{
          escrow: escrow(stage, deal),
          orderNo,
          amount: money(amount),
          payer: { name: buyer, account },
          reference: `IN-${orderNo}`,
        },
        ...(key === undefined ? {} : { stage: key }),
      };
      return ['escrow-payment', data as unknown as Asked['data']];
    },
  },
  lay: {
    form: new RegExp(`^(\\S+) (\\S+) → order:(\\S+) ${AMOUNT}${FOR}$`),
    read(stage: EscrowStage, [deal, from = '', orderNo = '', amount = '', key]: string[]): [string, Asked['data']] {
      const data = {
        ...{ escrow: escrow(stage, deal), orderNo, amount: money(amount), from: `acc_${stage.account(from)}` },
        ...(key === undefined ? {} : { stage: key }),
      };
      return ['escrow-funding', data as unknown as Asked['data']];
    },
  },
  'let-go': ofStage('escrow-release'),
  'fail-stage': ofStage('escrow-failure'),
  'pay-back': {
    form: /^(\S+) order:(\S+)$/,
    read: (stage: EscrowStage, [deal, orderNo = '']: string[]): [string, Asked['data']] => [
      'escrow-refund',
      { escrow: escrow(stage, deal), orderNo } as unknown as Asked['data'],
    ],
  },
};

export const ESCROW_KINDS = {
  'escrow-payment': 'stake',
  'escrow-funding': 'lay',
  'escrow-release': 'let-go',
  'escrow-failure': 'fail-stage',
  'escrow-refund': 'pay-back',
};

/** What a bank does with deals. */
export interface EscrowBank {
  openEscrow(platform: string, terms: ModelDealTerms): Promise<{ result: string; id?: string }>;
  confirmEscrow(deal: string, item: string, role: string, by: string): Promise<string>;
  decideEscrow(
    deal: string,
    item: string,
    lines: { to: string; amount: bigint | 'rest' }[] | null,
    alone: boolean,
  ): Promise<string>;
  /** Does what is due, and answers it in words: `release <deal> title`, with `refused CODE` behind what was refused. */
  doDue(): Promise<string[]>;
}

function same(got: unknown, expected: unknown, what: string): void {
  if (got !== expected) throw new Error(`${what}: expected ${expected}, got ${got}`);
}

function pairs(text: string | undefined): [string, string][] {
  return (text ?? '').split(', ').flatMap((part): [string, string][] => {
    const [name = '', value = ''] = part.trim().split(' ');
    return name === '' ? [] : [[name, value]];
  });
}

function termsOf(stage: EscrowStage, template: string, text: string): ModelDealTerms {
  const [parties, ...rest] = text.split('; ');
  const named = rest.flatMap(pairs);
  const like = (form: RegExp) => named.filter(([, value]) => form.test(value));
  return {
    template,
    parties: Object.fromEntries(pairs(parties).map(([role, name]) => [role, name === '' ? '' : stage.account(name)])),
    amounts: Object.fromEntries(like(/^\d+\.\d\d$/).map(([name, value]) => [name, minor(value)])),
    dates: Object.fromEntries(like(/^\d{4}-\d\d-\d\d$/)),
    counts: Object.fromEntries(like(/^\d+$/).map(([name, value]) => [name, Number(value)])),
  };
}

export const ESCROW_STEPS: readonly (readonly [form: RegExp, run: (stage: EscrowStage, parts: string[]) => Promise<void>])[] = [
  [
    new RegExp(`^deal (\\S+) (\\S+): (.+?)${REFUSED}$`),
    async (stage, [name = '', template = '', text = '', code]) => {
      const { result, id } = await stage.bank.openEscrow(stage.platform.id, termsOf(stage, template, text));
      same(result, code ?? 'opened', `the deal ${name}`);
      if (id !== undefined) stage.deals.set(name, id);
    },
  ],
  [
    new RegExp(`^says (\\S+) (\\S+) (\\S+)(?: by (\\S+))?${REFUSED}$`),
    async (stage, [deal = '', item = '', role = '', by, code]) => {
      const said = await stage.bank.confirmEscrow(stage.deals.get(deal) ?? NOBODY, item, role, by ?? `for ${role}`);
      same(said, code ?? 'given', `what ${role} says`);
    },
  ],
  [
    new RegExp(`^finds (\\S+) (\\S+) (met|.+?)( alone)?${REFUSED}$`),
    async (stage, [deal = '', item = '', verdict = '', alone, code]) => {
      const lines =
        verdict === 'met'
          ? null
          : pairs(verdict).map(([to, amount]) => ({ to, amount: amount === 'rest' ? ('rest' as const) : minor(amount) }));
      const result = await stage.bank.decideEscrow(stage.deals.get(deal) ?? NOBODY, item, lines, alone !== undefined);
      same(result, code ?? 'approved', `what the bank finds of ${item}`);
    },
  ],
  [
    /^due (.+)$/,
    async (stage, [text = '']) => {
      const names = new Map([...stage.deals].map(([name, id]) => [id, name]));
      const done = (await stage.bank.doDue()).map((words) => words.replace(/\d{19}/, (id) => names.get(id) ?? id));
      same(done.join(', ') || 'nothing', text, 'what is due');
    },
  ],
];
