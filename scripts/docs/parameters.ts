import { decideParameter } from '../../src/accounts/parameter-rules.js';
import { KIND_POLICIES, PROOF_KINDS, type ProofNeeded } from '../../src/consents/policy.js';
import { type BusinessDate, invariant, toYuan } from '../../src/kernel/index.js';
import { PARAMETERS } from '../../src/migrations/data/parameters.js';
import { PROFILES } from '../../src/platforms/index.js';
import { documentOf, table } from './markdown.js';

/** What a parameter says, and in what unit; of an amount the value is fen. */
const WORDS: Readonly<Record<string, readonly [unit: string, meaning: string]>> = {
  'class-2.accounts': ['accounts', 'Class II accounts that one person may have at the bank'],
  'class-2.out.day': ['yuan', 'what may leave a Class II account in a natural day, other than to its bound card'],
  'class-2.out.year': ['yuan', 'the same in a calendar year'],
  'class-2.in.day': ['yuan', 'what may come in, other than from its bound card'],
  'class-2.in.year': ['yuan', 'the same in a calendar year'],
  'class-3.accounts': ['accounts', 'Class III accounts that one person may have at the bank'],
  'class-3.balance': ['yuan', 'the most that may stand on a Class III account'],
  'class-3.out.day': ['yuan', 'what may leave a Class III account in a natural day, other than to its bound card'],
  'class-3.out.year': ['yuan', 'the same in a calendar year'],
  'class-3.in.day': ['yuan', 'what may come in, other than from its bound card'],
  'class-3.in.year': ['yuan', 'the same in a calendar year'],
  'class-3.turnover': [
    'yuan',
    'in and out together, over all Class III accounts of a person, at which a copy of the ID is asked for',
  ],
  'class-3.turnover.days': ['days', 'to bring that copy'],
  'class-2.lending-counted': [
    '0 or 1',
    '1: what is lent to projects and repaid by them counts in the limits of a day and year of a Class II account',
  ],
  'fund-redemption.fast-day': ['yuan', 'that a customer may redeem at once of one fund in a natural day, over all his accounts'],
  'fund-redemption.advance-ceiling': [
    'yuan',
    "of the bank's own money that may be put aside on one platform to be advanced for that, or be advanced and not back",
  ],
  'limits.per-customer': [
    '0 or 1',
    '1: the limits of a day and year count for all accounts of a class that a person has together',
  ],
  'dormancy.months': [
    'months',
    'without use since its opening, after which an account can only be credited until the identity was checked again',
  ],
  'id-expiry.grace-days': ['days', 'after the last valid day of an identity document, to bring another'],
  'stopped.credits': ['0 or 1', '1: money may come in while the customer is stopped, his document expired or his account unused'],
  'adult.age': ['years', 'from which on a person may be registered and open electronic accounts'],
  'consent.minutes': ['minutes', 'to answer a question about an instruction, or about another card or mobile number'],
  'psp-collect.days': [
    'days',
    'working days after which a payment institution pays over what it collected, until it tells the date itself',
  ],
  'pay-in.floor': ['count', 'from whom sub-accounts take transfers at the most: 0 anyone, 1 their own bound account, 2 nobody'],
  'collection.hours': ['hours', 'in which a top-up that was accepted is sent to be collected from the card, or fails'],
  'code.wrong-per-day': ['codes', 'that a customer may get wrong in a natural day, over all that he is asked'],
  'code.sms-per-day': ['messages', 'with codes to one mobile number in a natural day'],
  'code.sms-per-ten-minutes': ['messages', 'the same in ten minutes from the first of them on'],
  'mandate.answer-hours': ['hours', 'to answer the question about a mandate'],
  'mandate.years': ['years', 'ahead for which a mandate may be given'],
  'mandate.notice-days': ['days', 'before its end, when the customer is told by SMS'],
  'mandate.link-minutes': ['minutes', "for which the address of a customer's own page of mandates is good"],
  'mobile.identities': ['identities', 'that may share a mobile number without an approved exception'],
  'trial.amount': ['fen', 'the most of a trial payment to an account of a company'],
  'trial.attempts': ['answers', 'that may be wrong'],
  'trial.hours': ['hours', 'to answer'],
  'trial.starts.day': ['trials', 'that a company may ask for in a day'],
  'split.others-cap': [
    'basis points',
    'of an item that others than its seller may get, the platform with them, unless the bank approved more',
  ],
  'lending.person.platform': ['yuan', 'that a person may owe or be raising on one platform'],
  'lending.person.all': ['yuan', 'the same on all platforms of the bank'],
  'lending.company.platform': ['yuan', 'that a company may owe or be raising on one platform'],
  'lending.company.all': ['yuan', 'the same on all platforms of the bank'],
  'lending.rate-cap': ['millionths a year', 'the most that the rate of a project, or its rate on what is overdue, may be'],
  'lending.lend-out.days': ['days', 'after the end of its raising in which a full project can still be lent out'],
  'lending.answer-hours': ['hours', 'to answer the question about a project that one borrows by or stands for'],
  'agreement.answer-hours': ['hours', 'to answer the question whether one signs an agreement'],
  'large-value.company': ['yuan', 'that a company gets, or pays, in a natural day, from which on it is reported'],
  'large-value.person': ['yuan', 'the same of a person'],
  'large-value.cash': ['yuan', 'the same in cash; there is none here, so nothing evaluates it'],
  'large-value.cross-border': [
    'yuan',
    'the same of a person across the border; nothing here crosses it, so nothing evaluates it',
  ],
  'large-value.days': ['days', 'working days to report a large value'],
  'suspicious.days': ['days', 'working days after the confirmation to report what is suspicious'],
  'suspicious.alarm-days': ['days', 'working days after the confirmation from which on it is an alarm'],
  'structuring.share': ['percent', 'of the threshold of large values from which on a day counts as just below it'],
  'structuring.days': ['days', 'just below the threshold that raise a case'],
  'structuring.window': ['days', 'within which they lie'],
  'pass-through.amount': ['yuan', 'in on a day, from which on passing it on is looked at'],
  'pass-through.share': ['percent', 'of it that went out on the same day'],
  'pass-through.many': ['lines', 'on one side, at least'],
  'pass-through.few': ['lines', 'on the other, at most'],
  'sleeping.days': ['days', 'without any flow'],
  'sleeping.amount': ['yuan', 'in or out on the day after them'],
  'refund-churn.amount': ['yuan', 'that went back to orders and payers on a day'],
  'refund-churn.share': ['percent', 'of what came in on that day'],
  'retention.contract.years': ['years', 'for which records are kept after the end of their contract'],
  'retention.relation.years': ['years', 'the same after the end of the relation or transaction'],
  'escrow.answer-hours': ['hours', 'to answer the question whether one confirms something of a deal'],
  'same-day.days': ['days', 'since its opening, before which a sub-merchant may not be settled on the same day'],
  'same-day.trading': ['days', 'in a row on which a sub-merchant traded, without which it may not be settled on the same day'],
  'interest.demand': ['millionths a year', 'demand interest of electronic accounts'],
  'interest.below-yuan': ['0 or 1', '1: what stands on an account below a whole yuan earns interest too'],
};

const ANY_DAY = '2000-01-01' as BusinessDate;

/** From the refusal of a value that none may have. */
function boundsOf(name: string): readonly [least: bigint, most: bigint] {
  const { fields } = decideParameter({ name, validFrom: ANY_DAY, value: -1n }, ANY_DAY) ?? {};
  return [BigInt(String(fields?.least)), BigInt(String(fields?.most))];
}

function parameterRows(): string[][] {
  return [...new Set(PARAMETERS.map(([name]) => name))].map((name) => {
    const words = WORDS[name];
    invariant(words, `the parameter ${name} has words in scripts/docs/parameters.ts`);
    const [unit, meaning] = words;
    const show = (value: bigint) => (unit === 'yuan' ? toYuan(value) : String(value));
    const rows = PARAMETERS.filter(([of]) => of === name);
    const values = rows.map(([, from, value, source]) => `${show(BigInt(value))} from ${from} (${source})`);
    const [least, most] = boundsOf(name);
    // The most of an amount is the most that any amount may be, which says nothing.
    const bounds = unit === 'yuan' ? `from ${show(least)}` : `${least} to ${most}`;
    return [`\`${name}\``, unit, meaning, values.join('; '), bounds];
  });
}

const PROOF = { password: 'trade password 交易密码', sms: 'SMS code 短信验证码', both: 'both 两者' } as const;
const proofOf = ({ needs, mandates }: ProofNeeded) => `${PROOF[needs]}${mandates ? ', or a mandate 或授权' : ''}`;
/** Of a floor one factor means whichever. */
const floorOf = ({ needs, mandates }: ProofNeeded) =>
  `${needs === 'both' ? PROOF.both : 'either one 任一'}${mandates ? ', or a mandate 或授权' : ''}`;

function policyRows(): string[][] {
  return PROOF_KINDS.map((kind) => {
    const { floor, defaults, reason } = KIND_POLICIES[kind];
    return [`\`${kind}\``, ...PROFILES.map((profile) => proofOf(defaults[profile])), floorOf(floor), reason];
  });
}

export function parametersPage(): string {
  return documentOf(
    'Parameters 参数',
    'What the law or the bank has set and may set anew, as it is shipped.',
    '## Limits, deadlines and rates by date 限额、期限与利率',
    'Each value is in force from its day until the next of its name. `GET /admin/v1/parameters` tells all of them, `PUT /admin/v1/parameters/{name}` adds ' +
      'one from today or a later day on; what was in force is never rewritten. Platforms see those that concern them at `GET /v1/limits`. Amounts are in yuan ' +
      'here and in fen in the API. What goes between an account and its own bound card, what comes back, and interest are in no limit of a day or year.',
    table(['name', 'unit', 'meaning', 'values', 'may be'], parameterRows()),
    "## What proof of the customer's will each kind needs 客户验证方式",
    'By the profile of the platform. `GET /v1/proof-policies` tells a platform what is in force for it; the bank sets it with ' +
      '`PUT /admin/v1/proof-policies/{profile}/{kind}`, never below the floor of the kind.',
    table(['kind', ...PROFILES, 'floor', 'why'], policyRows()),
  );
}
