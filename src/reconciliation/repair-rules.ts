import { type Id, type Minor, toWire, toWireMoney, WIRE_MAX } from '../kernel/index.js';
import { bringsMoneyIn, isUnderWay, mayBecome, type Payout } from '../payouts/index.js';
import { payoutOfReference, repairReference } from './rules.js';
import type { Break } from './store.js';

/**
 * What can be done about a break. `accept`: it stands as it is, and nothing is instructed. `suspense`: what the bank received too much waits on
 * suspense. `correction`: our instruction is undone. `payout-result`: a payout that is under way gets the result that they show. `adjustment`: an
 * account bears, or gets, what the bank moved.
 */
export const REPAIR_ACTIONS = ['accept', 'suspense', 'correction', 'payout-result', 'adjustment'] as const;
export type RepairAction = (typeof REPAIR_ACTIONS)[number];

/** approved: and instructed in the same commit, where there is an instruction. withdrawn: by whoever proposed it. */
export const REPAIR_STATES = ['proposed', 'approved', 'rejected', 'withdrawn'] as const;
export type RepairState = (typeof REPAIR_STATES)[number];

export const REPAIR_TRANSITIONS: Readonly<Record<RepairState, readonly RepairState[]>> = {
  proposed: ['approved', 'rejected', 'withdrawn'],
  approved: [],
  rejected: [],
  withdrawn: [],
};

/** What the books know about a break. */
export interface CaseFacts {
  /** The payout that its reference names. */
  readonly payout: Payout | undefined;
  /** What the books moved, or were told, under the reference. */
  readonly ours: readonly { readonly instruction: Id; readonly amount: Minor; readonly kind: string | null }[];
  /** What stands between books and bank under the reference now, ours less theirs; undefined where no statement says that. */
  readonly standing: Minor | undefined;
  /** The account of the platform's own funds. */
  readonly ownFunds: Id | undefined;
  /** Of what the platform asked for: the core bank's statement has it, and nothing differs about it. */
  readonly atBank: boolean;
  /** Of a statement that begins elsewhere: the difference of exactly the opposite amount that explains it. */
  readonly explainedBy: Pick<Break, 'id' | 'reference'> | undefined;
}

export interface RepairArguments {
  /** Of `suspense`: the payer's account, from the core bank's slip. */
  readonly payer?: { readonly account: string; readonly bankCode: string } | undefined;
  /** Of `correction`. */
  readonly instruction?: Id | undefined;
  /** Of `adjustment`. */
  readonly account?: Id | undefined;
}

/** An instruction as it will be given, without what names persons. */
export interface RepairInstruction {
  readonly origin: 'O' | 'S';
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What the bank has more than the books now; below zero: less. */
function excessOf({ difference }: Pick<Break, 'difference'>, { standing }: CaseFacts): Minor {
  return -(standing ?? difference);
}

/** The books have meanwhile what the bank has: whatever were booked now would be booked twice. */
export function isOvertaken({ difference }: Pick<Break, 'difference'>, { standing }: CaseFacts): boolean {
  return standing === 0n && difference !== 0n;
}

/** What `suspense-credit` takes as a reference; what the bank did itself has one of its own kind. */
const REFERENCE = /^[A-Za-z0-9_.:-]{1,64}$/;
const OF_THE_BANK = /^(RT)?[1-9][0-9]{18}$|^OPENING$|^INT[1-9][0-9]{18}\.[0-9]{8}$/;

function suspenseReference({ id, reference }: Break): string {
  return REFERENCE.test(reference) && !OF_THE_BANK.test(reference) ? reference : repairReference(id);
}

/**
 * The instruction of a repair; null where nothing is instructed, undefined where it does not fit the break.
 * @param reason goes into the instruction where it has a place for one
 */
export function instructionOf(
  of: Break,
  action: RepairAction,
  given: RepairArguments,
  facts: CaseFacts,
  reason: string,
): RepairInstruction | null | undefined {
  if (action === 'accept') return null;
  if (of.platformId === null || of.clearedDate !== null || isOvertaken(of, facts)) return undefined;
  if (action === 'correction') {
    const { instruction } = given;
    if (instruction === undefined || !facts.ours.some((ours) => ours.instruction === instruction)) return undefined;
    const data = { instruction: toWire('instruction', instruction), reason: reason.slice(0, 256) };
    return { origin: 'O', kind: 'correction', data };
  }
  if (action === 'payout-result') return resultOf(of, facts);
  // Only what the core bank has moved moves custody.
  if (of.party !== 'core-bank' || of.timing) return undefined;
  const excess = excessOf(of, facts);
  const amount = excess < 0n ? -excess : excess;
  if (amount === 0n || amount > WIRE_MAX) return undefined;
  if (action === 'suspense') {
    if (excess < 0n) return undefined;
    return { origin: 'O', kind: 'suspense-credit', data: { amount: toWireMoney(amount), reference: suspenseReference(of) } };
  }
  if (given.account === undefined) return undefined;
  const account = toWire('account', given.account);
  const direction = excess < 0n ? 'debit' : 'credit';
  return {
    origin: 'S',
    kind: 'statement-adjustment',
    data: { account, direction, amount: toWireMoney(amount), reference: of.reference },
  };
}

/** They show that it was paid, or came back, and the books still wait for that. */
function resultOf(of: Break, { payout }: CaseFacts): RepairInstruction | undefined {
  const named = payoutOfReference(of.reference);
  if (payout === undefined || named === undefined) return undefined;
  const to = named.returned || of.theirState === 'returned' ? 'returned' : 'settled';
  const paid = bringsMoneyIn(payout) === named.returned ? -payout.amount : payout.amount;
  const shown =
    of.theirAmount === null || (of.party === 'core-bank' ? of.theirAmount !== paid : of.theirAmount !== payout.amount);
  if (shown || !mayBecome(payout.state, to) || (to === 'settled' && !isUnderWay(payout.state))) return undefined;
  const data = { payout: toWire('payout', payout.id), ...(to === 'returned' ? { reason: '对账差错处理：退汇' } : {}) };
  return { origin: 'S', kind: `payout-${to}`, data };
}

export interface Suggestion {
  readonly action: RepairAction;
  readonly given: RepairArguments;
  readonly instruction: RepairInstruction | null;
  readonly why: string;
}

/** What is likely right for a break, the likeliest first. Nothing is done by itself. */
export function suggestionsFor(of: Break, facts: CaseFacts): Suggestion[] {
  if (of.state !== 'open') return [];
  const accept = (why: string): Suggestion => ({ action: 'accept', given: {}, instruction: null, why });
  const { explainedBy } = facts;
  if (explainedBy !== undefined) {
    const which = `${toWire('break', explainedBy.id)} (${explainedBy.reference})`;
    return [
      accept(`the break ${which} of exactly this amount explains it: together they are nothing, and nothing is to be booked`),
    ];
  }
  const repairs = wantedFor(of, facts).flatMap(([action, given, why]): Suggestion[] => {
    const instruction = instructionOf(of, action, given, facts, 'reconciliation');
    return instruction === undefined ? [] : [{ action, given, instruction, why }];
  });
  // The platform asked for it with its own signature, so what its file leaves out is for it to book.
  if (of.party === 'platform' && of.class === 'only-ours')
    return facts.atBank
      ? [
          accept(
            "tell the platform, whose records lack it: the core bank's statement has it, and undoing it would take real money off the books",
          ),
        ]
      : [accept('tell the platform, whose records lack what it asked for'), ...repairs];
  const why = isOvertaken(of, facts)
    ? 'the books have it meanwhile, and the next statement clears it'
    : 'the other side will mend it, and its statement then clears it';
  return [...repairs, accept(why)];
}

/** What would mend it, whether it can be instructed or not. */
function wantedFor(of: Break, facts: CaseFacts): [RepairAction, RepairArguments, string][] {
  const wanted: [RepairAction, RepairArguments, string][] = [];
  const corrections = facts.ours.map(({ instruction }): [RepairAction, RepairArguments, string] => {
    return ['correction', { instruction }, 'what the books have under the reference did not happen, or happened otherwise'];
  });
  const excess = excessOf(of, facts);
  // What came from a stranger is not the platform's own: whose it is a person has to say.
  const bearer = facts.payout?.sourceAccountId ?? (excess < 0n ? facts.ownFunds : undefined);
  const borne: [RepairAction, RepairArguments, string] = [
    'adjustment',
    { account: bearer },
    'the bank moved it: whoever it was moved for bears or gets it',
  ];
  wanted.push(['payout-result', {}, 'they show the result that the books wait for']);
  if (of.class === 'state-differs') wanted.push(borne);
  if (of.class === 'only-ours' || excess < 0n) wanted.push(...corrections);
  if (of.class !== 'state-differs' && excess > 0n && payoutOfReference(of.reference) === undefined)
    wanted.push(['suspense', {}, 'money came whose owner is not known yet']);
  if (of.class !== 'state-differs') wanted.push(borne);
  return wanted;
}
